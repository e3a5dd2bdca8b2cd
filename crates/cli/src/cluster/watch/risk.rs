//! How likely those who are watched are to be deleveraged, looked at less often than everything else: it
//! plays many paths.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_risk::adl::forecast::{forecast, Source};
use ballast_risk::path::PathModel;
use ballast_view::risk::{snapshot, Chance};

use crate::cluster::failure::Usage;
use crate::cluster::risk::{known, PathArgs};
use crate::cluster::session::Session;
use crate::cluster::state::MarketState;

/// Between two forecasts.
const EVERY: Duration = Duration::from_secs(60);

/// Forecasts for those who are watched.
pub struct Risks {
    model: PathModel,
    paths: PathArgs,
    last: Option<Instant>,
    /// Of the last forecast, by trader account and number of the market, millionths.
    found: BTreeMap<(Pubkey, u16), u32>,
}

impl Risks {
    /// Paths drawn as the options say. [`Usage`] without prices.
    pub fn new(paths: &PathArgs) -> Result<Self> {
        let model = paths.model()?.ok_or_else(|| {
            Usage(
                "--adl-risk-above needs prices to draw paths from: name a file with --prices"
                    .to_owned(),
            )
        })?;
        Ok(Self {
            model,
            paths: paths.clone(),
            last: None,
            found: BTreeMap::new(),
        })
    }

    /// Forecasts anew for the markets in `states` where that is due.
    pub async fn look(
        &mut self,
        session: &Session,
        traders: &[Pubkey],
        states: &[&MarketState],
    ) -> Result<()> {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return Ok(());
        }
        self.found.clear();
        for state in states {
            let paths = &self.paths;
            let known = known(session, state, traders, &paths.liquidators).await?;
            let source = Source::Drawn(&self.model, paths.seed, paths.seconds());
            let market = snapshot(state, &known)?;
            let forecast = forecast(&market, &source, paths.paths, paths.threads())?;
            for one in &forecast.positions {
                if traders.contains(&one.trader) {
                    let key = (one.trader, state.market.index);
                    self.found.insert(key, Chance::of(&one.cut).ppm);
                }
            }
        }
        self.last = Some(Instant::now());
        Ok(())
    }

    /// What the last forecast said of a position, millionths; nothing of one that it did not know.
    pub fn of(&self, trader: &Pubkey, market: u16) -> Option<u32> {
        self.found.get(&(*trader, market)).copied()
    }
}
