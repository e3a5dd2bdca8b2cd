//! The scenario: a market, a small fall, a gap, and what keepers make of it.

use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use ballast_client::events::BallastEvent;

use crate::audit::History;
use crate::oracle::Published;
use crate::population::{Population, USD};
use crate::report::{Reaction, Report};
use crate::stage::Stage;
use crate::{hands, Args};

/// Prices of the crash, in ticks of $0.001: a fall that some longs do not stand, then a gap that
/// takes the margin of more of them.
const FALL: u64 = 193_000;
const GAP: u64 = 180_000;
/// What a keeper deposits to take positions over with.
const KEEPER_DEPOSIT: u64 = 50_000 * USD;
/// How long keepers may take for a price.
const REACTION_LIMIT: Duration = Duration::from_secs(60);

/// Plays it.
///
/// # Errors
/// When something does not happen as it must.
pub async fn play(stage: &Stage, args: &Args) -> Result<Report> {
    let population = Population::settle(stage, args.pairs).await?;
    let keeper = stage
        .person("the keeper".to_owned(), KEEPER_DEPOSIT)
        .await?;
    let before = stage.conservation().await?;
    ensure!(
        before.holds(),
        "the books do not balance before the crash: {before:?}"
    );

    let fall = stage.oracle.set(FALL).await?;
    let watch = Watch::begin(stage, fall);
    let (done, liquidation) = tokio::join!(
        hands::tidy(stage, &keeper, &population),
        watch.liquidation()
    );
    done?;
    let gap = stage.oracle.set(GAP).await?;
    let watch = Watch::begin(stage, gap);
    let (done, adl) = tokio::join!(hands::tidy(stage, &keeper, &population), watch.adl());
    done?;
    finish(stage, &population, (fall, liquidation?), (gap, adl?)).await
}

/// Checks and figures, once nothing is left to do.
async fn finish(
    stage: &Stage,
    population: &Population,
    fall: (Published, Instant),
    gap: (Published, Instant),
) -> Result<Report> {
    let history = History::read(stage).await?;
    let (lots, totals) = history.replay()?;
    for person in population.everybody() {
        let held = stage.lots(&person.trader).await?;
        let replayed = lots.get(&person.trader).copied().unwrap_or(0);
        ensure!(
            held == replayed,
            "{} holds {held} lots, the events say {replayed}",
            person.name
        );
    }
    let market = stage.market().await?;
    ensure!(
        (market.liquidations, market.adl_rounds) == (totals.liquidations, totals.adl_rounds),
        "the market counts {} liquidations and {} rounds, the events {totals:?}",
        market.liquidations,
        market.adl_rounds
    );
    ensure!(totals.liquidations > 0, "nobody was liquidated");
    ensure!(totals.insurance_paid_atoms > 0, "insurance paid nothing");
    ensure!(totals.adl_rounds > 0, "nobody was deleveraged");
    let liquidated = |event: &BallastEvent| matches!(event, BallastEvent::PositionLiquidated(_));
    let deleveraged = |event: &BallastEvent| matches!(event, BallastEvent::AutoDeleveraged(_));
    let first = |since: Published, wanted: fn(&BallastEvent) -> bool| {
        let done = history.first_since(since.slot, wanted);
        done.context("the chain does not have what was seen")
    };
    let (liquidation, adl) = (first(fall.0, liquidated)?, first(gap.0, deleveraged)?);
    let conservation = stage.conservation().await?;
    Ok(Report {
        deployments: stage.deployments.to_vec(),
        traders: population.everybody().count(),
        first_liquidation: Reaction::new(&fall.0, fall.1, liquidation),
        first_adl: Reaction::new(&gap.0, gap.1, adl),
        totals,
        conservation_error_atoms: conservation.error_atoms().to_string(),
        lots_sum: conservation.lots.values().sum::<i128>().to_string(),
        insurance_left_atoms: market.insurance.balance,
        keepers: Vec::new(),
        checks: Vec::new(),
    })
}

/// Looks at a market for what a price brings about.
struct Watch<'a> {
    stage: &'a Stage,
}

impl<'a> Watch<'a> {
    fn begin(stage: &'a Stage, _price: Published) -> Self {
        Self { stage }
    }

    /// When the first liquidation was confirmed.
    async fn liquidation(&self) -> Result<Instant> {
        self.counter("a liquidation", |market| market.liquidations)
            .await
    }

    /// When the first round of deleveraging was confirmed.
    async fn adl(&self) -> Result<Instant> {
        self.counter("a deleveraging", |market| market.adl_rounds)
            .await
    }

    async fn counter(
        &self,
        what: &str,
        count: impl Fn(&ballast::state::market::Market) -> u64,
    ) -> Result<Instant> {
        let before = count(&self.stage.market().await?);
        crate::wait::until(what, REACTION_LIMIT, || async {
            let now = count(&self.stage.market().await?);
            Ok((now > before).then(Instant::now))
        })
        .await
    }
}
