//! How likely positions are to be deleveraged: a market played on by the engine, when somebody asks.
//!
//! A forecast is of all positions of a market and stays for [`STAYS`]; one is made at a time, whoever asks. Paths are
//! drawn from the candles of fills of a minute. Everything assumed is in docs/RISK.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use ballast_client::{accounts, addresses};
use ballast_risk::adl::fixes::{halving, Fix};
use ballast_risk::adl::forecast::{forecast, Forecast, Source};
use ballast_risk::adl::snapshot::Snapshot;
use ballast_risk::path::PathModel;
use ballast_risk::prices::{PricePoint, Prices};
use ballast_state::Pubkey;
use ballast_view::gap::Pooled;
use ballast_view::risk::{snapshot, wanted, Known, Made, RiskView};
use ballast_view::state::MarketState;
use tokio::sync::Mutex as Turn;

use crate::gateway::Gateway;
use crate::store::read::{self, Candle};

/// For how long a forecast stays.
pub const STAYS: Duration = Duration::from_secs(60);
/// How far it looks, seconds.
const AHEAD: u32 = 24 * 3_600;
/// Paths of it.
const PATHS: u32 = 200;
/// Most positions of a market that is played on here.
const MOST_POSITIONS: u32 = 1_000;
/// Most trader accounts that are read for it: makers, and who is below maintenance.
const MOST_TRADERS: usize = 300;
/// Candles of a minute that paths are drawn from, at most: two days.
const CANDLES: u32 = 2_880;
/// The same paths for everybody.
const SEED: u64 = 1;

/// The forecast of each market that was asked for.
#[derive(Default)]
pub struct Forecasts {
    made: Arc<Turn<BTreeMap<u16, Arc<Market>>>>,
    /// One trader's at a time.
    fixing: Arc<Turn<()>>,
}

/// A market's forecast.
pub struct Market {
    at: Instant,
    state: Arc<MarketState>,
    snapshot: Snapshot,
    known: Known,
    forecast: Forecast,
    made: Made,
    model: PathModel,
    /// What halves the probability, of traders who asked.
    fixes: Mutex<BTreeMap<Pubkey, Vec<Fix>>>,
}

impl Market {
    /// What it says of a trader account; of all positions where none is named.
    ///
    /// # Errors
    /// When a figure cannot be computed.
    pub fn view(&self, trader: Option<&Pubkey>) -> Result<RiskView> {
        let shown = |one: &Pubkey| trader.is_none_or(|trader| trader == one);
        let from = (&self.snapshot, &self.known);
        let made = self.made.clone();
        RiskView::new(&self.state, from, &self.forecast, made, |one| {
            shown(&one.trader)
        })
    }

    fn known_fixes(&self, trader: &Pubkey) -> Option<Vec<Fix>> {
        let known = self.fixes.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(trader).cloned()
    }

    /// The least margin and the least closing that halve the probability of a trader, where they do.
    fn halve(&self, trader: Pubkey) -> Result<Vec<Fix>> {
        let mut all = self.forecast.positions.iter();
        let found = match all.find(|one| one.trader == trader) {
            None => Vec::new(),
            Some(one) => {
                let source = Source::Drawn(&self.model, SEED, AHEAD);
                let found = halving(&self.snapshot, &source, one, 1)?;
                found.into_iter().flatten().collect()
            }
        };
        let mut known = self.fixes.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(trader, found.clone());
        Ok(found)
    }
}

/// What halves the probability of a trader account in a market that was played on: nothing, added margin, closed lots,
/// or both. Played once for each forecast.
///
/// # Errors
/// When it cannot be played on.
pub async fn fixes(gateway: &Gateway, market: &Arc<Market>, trader: Pubkey) -> Result<Vec<Fix>> {
    let turn = Arc::clone(&gateway.forecasts.fixing).lock_owned().await;
    if let Some(known) = market.known_fixes(&trader) {
        return Ok(known);
    }
    let market = Arc::clone(market);
    // As with a forecast, what computes keeps its turn.
    let work = tokio::task::spawn_blocking(move || {
        let found = market.halve(trader);
        drop(turn);
        found
    });
    work.await?
}

/// The forecast of a market as it was at most [`STAYS`] ago.
///
/// # Errors
/// A sentence: too many positions, too little known of the price, a node that does not answer.
pub async fn of(gateway: &Gateway, state: Arc<MarketState>) -> Result<Arc<Market>> {
    let mut made = Arc::clone(&gateway.forecasts.made).lock_owned().await;
    let index = state.market.index;
    let known = made
        .get(&index)
        .filter(|market| market.at.elapsed() < STAYS);
    if let Some(market) = known {
        return Ok(Arc::clone(market));
    }
    let positions = positions(&state)?;
    ensure!(
        positions <= MOST_POSITIONS,
        "the market has {positions} positions, and at most {MOST_POSITIONS} are played on here: \
         `ballast risk` plays on as many as there are"
    );
    let known = known_beside(gateway, &state).await?;
    let all = 0..i64::MAX;
    let candles = gateway
        .store
        .read(move |sql| read::candles(sql, index, 60, all, CANDLES));
    let candles = candles.await.context("history cannot be read now")?;
    // Whoever asked may leave: what computes keeps the lock, so that no two compute.
    let work = tokio::task::spawn_blocking(move || {
        let market = Arc::new(play(state, known, &candles)?);
        made.insert(index, Arc::clone(&market));
        Ok(market)
    });
    work.await?
}

fn positions(state: &MarketState) -> Result<u32> {
    let mut count = 0;
    for side in ballast_risk::adl::snapshot::SIDES {
        count += state.queue(side)?.queue()?.len();
    }
    Ok(count)
}

async fn known_beside(gateway: &Gateway, state: &MarketState) -> Result<Known> {
    let cluster = Arc::clone(&gateway.nodes.now().confirmed);
    let mut keys = wanted(state)?;
    keys.truncate(MOST_TRADERS);
    let pool = addresses::pool(&state.keys.market);
    let of_pool = match cluster.accounts(&[pool]).await?.1.pop().flatten() {
        Some(account) => Some(accounts::pool(&account.data)?),
        None => None,
    };
    keys.extend(of_pool.iter().map(|pool| pool.trader));
    let mut traders = Vec::new();
    let (_, found) = cluster.accounts(&keys).await?;
    for (address, account) in keys.iter().zip(found) {
        if let Some(account) = account {
            traders.push((*address, accounts::trader(&account.data)?));
        }
    }
    let pool = of_pool.and_then(|pool| {
        let last = traders.iter().position(|one| one.0 == pool.trader)?;
        let (_, trader) = traders.swap_remove(last);
        Some(Pooled { pool, trader })
    });
    Ok(Known {
        traders,
        pool,
        liquidators: Vec::new(),
    })
}

fn play(state: Arc<MarketState>, known: Known, candles: &[Candle]) -> Result<Market> {
    let prices = prices(candles, state.units.tick_nano);
    let model = prices.and_then(|prices| PathModel::fit(&prices));
    let model =
        model.context("too little is known of the price: paths are drawn from candles of fills")?;
    let snapshot = snapshot(&state, &known)?;
    let source = Source::Drawn(&model, SEED, AHEAD);
    let forecast = forecast(&snapshot, &source, PATHS, 1)?;
    Ok(Market {
        forecast,
        made: Made {
            source: format!("drawn from {} candles of fills of a minute", candles.len()),
            paths: PATHS,
            seed: SEED,
            seconds: AHEAD,
            volatility_ppm: Some(model.hour_ppm()),
        },
        model,
        fixes: Mutex::default(),
        at: Instant::now(),
        state,
        snapshot,
        known,
    })
}

/// What candles of a minute say of the price: where each opens, its extremes, where it closes.
fn prices(candles: &[Candle], tick_nano: u64) -> Result<Prices> {
    let tick = i64::try_from(tick_nano)?;
    let points = candles.iter().flat_map(|candle| {
        let (first, second) = if candle.close > candle.open {
            (candle.low, candle.high)
        } else {
            (candle.high, candle.low)
        };
        let ticks = [candle.open, first, second, candle.close];
        (0..).zip(ticks).map(move |(quarter, ticks)| PricePoint {
            timestamp: candle.start + 15 * quarter,
            price_nano: ticks.saturating_mul(tick),
        })
    });
    Prices::new(points.collect())
}
