//! Risk parameters that follow from prices, liquidity and open interest. docs/RISK.md explains every rule.

mod assemble;
mod liquidity;
mod margins;
mod oracle;
mod scaling;
mod sheet;

use anyhow::{ensure, Result};
use ballast_engine::risk::RiskParams;
use serde::Serialize;

use crate::backtest::{Outcome, Score};
use crate::decimal::Decimal;
use crate::filter::Settings;
use crate::moves::Side;
use crate::prices::{Bars, Gap, Prices};
use crate::tails::tail_points;
use crate::units::MarketUnits;
use crate::walk::{self, Follow, History, Promise};

pub use liquidity::{Liquidity, Source};
pub use margins::{Levels, ReturnLevel};
pub use sheet::Parameter;

/// Steps without which a history says too little.
pub const LEAST_BARS: usize = 500;
/// Tail points without which a history says too little.
pub const LEAST_TAIL_POINTS: usize = 50;
/// Horizons beyond a level that a history has to lead one to expect: of fewer the fitted tail is all there is.
pub const LEAST_EXPECTED: f64 = 0.5;
/// Longest horizon that may be asked for, seconds.
pub const LONGEST_HORIZON: f64 = 3_600.;
/// Levels whose reliability is shown.
pub const LEVELS: [f64; 5] = [0.9, 0.95, 0.99, 0.995, 0.999];

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Part of the horizons in which maintenance margin covers the move, below 1.
    pub level: f64,
    /// Part of the times 8 hours in which initial margin covers the move.
    pub initial_level: f64,
    /// Seconds from a breach of maintenance to the end of a small position; `None` to derive it.
    pub horizon_seconds: Option<f64>,
    /// Worth of all long positions, US dollars.
    pub open_interest_usd: f64,
    /// What the market takes.
    pub liquidity: Liquidity,
    /// Insurance at hand, US dollars.
    pub insurance_usd: Option<f64>,
    /// What moves the price of the index by 1%, US dollars.
    pub spot_depth_usd: Option<f64>,
    /// Part of the open interest that stands at maintenance margin when a fall begins.
    pub at_risk_part: f64,
    /// Draws of the bootstrap.
    pub draws: u64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// What the prices are.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    /// Prices read.
    pub prices: usize,
    /// Steps they make.
    pub bars: usize,
    /// Seconds of a step.
    pub step_seconds: i64,
    /// The first step, unix seconds.
    pub first: i64,
    /// The last step, unix seconds.
    pub last: i64,
    /// Where prices are missing: the last before, the first behind, unix seconds.
    pub gaps: Vec<(i64, i64)>,
    /// The last price, 1e-9 US dollars.
    pub price_nano: i64,
}

/// How margins did in the backtest.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// Seconds of its horizon.
    pub horizon_seconds: i64,
    /// What judges: the estimator, followed from step to step; long and short.
    pub estimator: [Score; 2],
    /// For comparison: parameters that stay as they are from fit to fit; long and short.
    pub held: [Score; 2],
    /// Exceedances at several levels.
    pub reliability: Vec<Reliability>,
    /// Every horizon of the estimator, long and short.
    #[serde(skip)]
    pub outcomes: [Vec<Outcome>; 2],
}

/// How often a level was exceeded.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reliability {
    /// The level.
    pub level: Decimal,
    /// Part of the horizons that exceeded it, long and short.
    pub exceeded: [Decimal; 2],
}

impl Backtest {
    /// Whether it lets the parameters pass.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.estimator.iter().all(Score::passes)
    }
}

/// Parameters and how they came about.
#[derive(Clone, Debug, Serialize)]
pub struct Calibration {
    /// What the prices are.
    pub data: Data,
    /// How size is counted at the last price.
    pub units: MarketUnits,
    /// Seconds from a breach of maintenance to the end of a small position.
    pub horizon_seconds: Decimal,
    /// What the market takes.
    pub liquidity: Liquidity,
    /// Every parameter with its estimate, interval and rule.
    pub parameters: Vec<Parameter>,
    /// Moves of the horizon at several levels, long and short.
    pub return_levels: [Levels; 2],
    /// The backtest.
    pub backtest: Backtest,
    /// What the engine accepted.
    #[serde(skip)]
    pub params: RiskParams,
}

/// Calibrates.
///
/// # Errors
/// Too little data, with how much is wanted; a constant series; a request that cannot be; parameters that the
/// engine refuses.
pub fn calibrate(prices: &Prices, request: &Request) -> Result<Calibration> {
    request.check()?;
    let step = prices.step()?;
    let bars = prices.bars(step);
    let data = data(prices, &bars)?;
    request.shown_by(&bars)?;
    let history = History::of(&bars);
    let settings = Settings::default();
    let margins = margins::Margins::new(&history, settings, request)?;
    let horizon = request.horizon();
    let units = MarketUnits::for_price(data.price_nano)?;
    let observed = oracle::Observed::of(prices, &bars);
    let swings = scaling::Swings::of(prices, units)?;
    let observed = (&observed, &swings);
    let (params, parameters) =
        assemble::assemble(request, &margins, observed, units, data.price_nano)?;
    Ok(Calibration {
        return_levels: Side::BOTH.map(|side| margins.levels(side, horizon)),
        backtest: backtest(&history, request, settings)?,
        data,
        units,
        horizon_seconds: Decimal(horizon),
        liquidity: request.liquidity,
        parameters,
        params,
    })
}

impl Request {
    fn check(&self) -> Result<()> {
        let levels = [self.level, self.initial_level];
        ensure!(
            levels.iter().all(|level| (0.9..=0.9999).contains(level)),
            "a level is from 0.9 to 0.9999, found {} and {}",
            self.level,
            self.initial_level
        );
        ensure!(
            (1e3..=1e12).contains(&self.open_interest_usd),
            "the open interest is from $1,000 to $1,000,000,000,000, found {}",
            self.open_interest_usd
        );
        ensure!(
            (0. ..=1.).contains(&self.at_risk_part),
            "the part at risk is from 0 to 1, found {}",
            self.at_risk_part
        );
        let amounts = [self.insurance_usd, self.spot_depth_usd];
        ensure!(
            amounts.into_iter().flatten().all(|usd| usd > 0.),
            "insurance and spot depth must be above zero where they are given"
        );
        if let Some(seconds) = self.horizon_seconds {
            ensure!(
                (1. ..=LONGEST_HORIZON).contains(&seconds),
                "a horizon is from 1 second to an hour, found {seconds} seconds"
            );
        }
        self.liquidity.check()
    }

    /// Whether the history is long enough for the level.
    fn shown_by(&self, bars: &Bars) -> Result<()> {
        let horizon = self.horizon();
        let covered = bars.count() as f64 * bars.step as f64;
        let (horizons, wanted) = (covered / horizon, LEAST_EXPECTED / (1. - self.level));
        // Rounded down to what reads well.
        let shown = (1e3 * (1. - LEAST_EXPECTED / horizons)).floor() / 1e3;
        ensure!(
            horizons >= wanted,
            "the prices cover {horizons:.0} horizons of {horizon:.0} seconds, and a level of {} takes {wanted:.0} \
             ({:.1} days) to say anything of: give a longer history, or ask for a level that these show, \
             {shown} at most (--level)",
            self.level,
            wanted * horizon / 86_400.
        );
        Ok(())
    }

    /// Seconds from a breach of maintenance to the end of a small position.
    #[must_use]
    pub fn horizon(&self) -> f64 {
        self.horizon_seconds.unwrap_or(liquidity::LEAST_HORIZON)
    }
}

fn data(prices: &Prices, bars: &Bars) -> Result<Data> {
    let count = bars.count();
    ensure!(
        count >= LEAST_BARS && tail_points(count) >= LEAST_TAIL_POINTS,
        "{count} steps of {} seconds are too few: at least {LEAST_BARS} are wanted, of which \
         {LEAST_TAIL_POINTS} are a tail; give a longer history",
        bars.step
    );
    let first = bars.iter().next().map_or(0, |bar| bar.time);
    let last = bars.iter().last().map_or(0, |bar| bar.time);
    Ok(Data {
        prices: prices.points().len(),
        bars: count,
        step_seconds: bars.step,
        first,
        last,
        gaps: bars
            .gaps
            .iter()
            .map(|Gap { after, before }| (*after, *before))
            .collect(),
        price_nano: prices.points().last().map_or(0, |point| point.price_nano),
    })
}

fn backtest(history: &History, request: &Request, settings: Settings) -> Result<Backtest> {
    let seconds = request.horizon();
    let steps = ((seconds / history.step as f64).round() as usize).max(1);
    let play = |level, follow| walk::forward(history, Promise { steps, level }, settings, follow);
    let scores = |outcomes: &[Vec<Outcome>; 2]| -> Result<[Score; 2]> {
        let [long, short] = outcomes;
        let score = |side| Score::of(side, request.level);
        match (score(long), score(short)) {
            (Some(long), Some(short)) => Ok([long, short]),
            _ => anyhow::bail!("the backtest judged nothing"),
        }
    };
    let outcomes = play(request.level, Follow::EveryStep)?;
    let held = play(request.level, Follow::Held)?;
    let mut reliability = Vec::new();
    for level in LEVELS {
        let outcomes = play(level, Follow::EveryStep)?;
        let exceeded = outcomes.map(|side| {
            let hits = side.iter().filter(|one| one.exceeds()).count();
            Decimal(hits as f64 / side.len() as f64)
        });
        reliability.push(Reliability {
            level: Decimal(level),
            exceeded,
        });
    }
    Ok(Backtest {
        horizon_seconds: steps as i64 * history.step,
        estimator: scores(&outcomes)?,
        held: scores(&held)?,
        reliability,
        outcomes,
    })
}
