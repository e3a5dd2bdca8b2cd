//! `ballast risk`: how likely somebody is to be deleveraged.

use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::accounts;
use ballast_risk::adl::fixes::halving;
use ballast_risk::adl::forecast::{forecast, Forecast, PositionForecast, Source};
use ballast_risk::adl::snapshot::{Snapshot, Step};
use ballast_risk::path::PathModel;
use ballast_risk::prices::Prices;
use ballast_state::trader::Trader;
use ballast_view::risk::{snapshot, wanted, Known, Made, RiskView};
use clap::Args;

use super::failure::Usage;
use super::gap::pooled;
use super::session::Session;
use super::state::{MarketState, Parts};

/// Positions shown unless told otherwise.
const SHOWN: usize = 20;
/// Seconds between the prices of a shock.
const SHOCK_STEP: u32 = 20;
/// Accounts that one request reads.
const AT_ONCE: usize = 100;

/// What a path is drawn from, and how many of them.
#[derive(Clone, Debug, Args)]
pub struct PathArgs {
    /// Prices of the past to draw paths from: CSV with the header `timestamp,price` or
    /// `timestamp,open,high,low,close` (unix seconds, US dollars).
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Hours to look ahead.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168))]
    pub hours: u32,
    /// Paths to play.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub paths: u32,
    /// What decides the paths: the same seed gives the same answer.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Threads to play on; the answer does not depend on it [default: as many as there are].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Trader account of a liquidator, in the order in which they act; may be given again [default: six
    /// accounts with 4 % of the open interest's worth together].
    #[arg(long = "liquidator", value_name = "ADDRESS")]
    pub liquidators: Vec<Pubkey>,
}

/// Arguments of `risk`.
#[derive(Clone, Debug, Args)]
pub struct RiskArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET", default_value = "0")]
    market: String,
    /// Trader account to say all of; may be given again. With what would halve the probability.
    #[arg(long = "trader", value_name = "ADDRESS", conflicts_with = "all")]
    traders: Vec<Pubkey>,
    /// Every position, as a table [default without --trader].
    #[arg(long)]
    all: bool,
    /// Positions to show of the table, the likeliest to be cut first.
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    top: usize,
    /// One path instead of many: the price moves by this at once and stays, as `-10%`.
    #[arg(long, value_name = "PERCENT", conflicts_with = "prices", allow_hyphen_values = true, value_parser = shock)]
    shock: Option<f64>,
    #[command(flatten)]
    paths: PathArgs,
}

/// A move in per cent, as a factor of the price.
fn shock(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let percent = number.parse::<f64>().ok();
    let percent =
        percent.filter(|percent| percent.is_finite() && (-99.0..=900.0).contains(percent));
    let percent = percent.ok_or_else(|| format!("{text} is not a move of -99% to 900%"))?;
    Ok(1.0 + percent / 100.0)
}

impl PathArgs {
    /// How long a path is, seconds.
    pub fn seconds(&self) -> u32 {
        self.hours * 3_600
    }

    /// How many threads play.
    pub fn threads(&self) -> usize {
        let there = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(there, usize::from)
    }

    /// The model of the named prices.
    pub fn model(&self) -> Result<Option<PathModel>> {
        let Some(file) = &self.prices else {
            return Ok(None);
        };
        let model = Prices::load(file).and_then(|prices| PathModel::fit(&prices));
        model
            .map(Some)
            .map_err(|error| Usage(format!("{error:#}")).into())
    }
}

/// Reads what is known of a market beside its own accounts.
pub async fn known(
    session: &Session,
    state: &MarketState,
    named: &[Pubkey],
    liquidators: &[Pubkey],
) -> Result<Known> {
    let mut keys = wanted(state)?;
    keys.extend(named.iter().chain(liquidators));
    let mut traders: Vec<(Pubkey, Trader)> = Vec::new();
    for some in keys.chunks(AT_ONCE) {
        let (_, found) = session.cluster.accounts(some).await?;
        for (address, account) in some.iter().zip(found) {
            if let Some(account) = account {
                traders.push((*address, accounts::trader(&account.data)?));
            }
        }
    }
    Ok(Known {
        traders,
        pool: pooled(session, &state.keys.market).await?,
        liquidators: liquidators.to_vec(),
    })
}

/// Runs `ballast risk`.
pub async fn run(session: &Session, args: &RiskArgs) -> Result<()> {
    let paths = &args.paths;
    let model = paths.model()?;
    if model.is_none() && args.shock.is_none() {
        return Err(Usage(
            "paths need prices to be drawn from: name a file with --prices, or one move of the price with --shock"
                .to_owned(),
        )
        .into());
    }
    let state = session.market(&args.market, Parts::Queues).await?;
    let known = known(session, &state, &args.traders, &paths.liquidators).await?;
    let snapshot = snapshot(&state, &known)?;
    for trader in &args.traders {
        check(trader, &state, &snapshot)?;
    }
    let given = args
        .shock
        .map(|factor| shocked(&snapshot, factor, paths.seconds()));
    let source = match (&given, &model) {
        (Some(path), _) => Source::Given(path),
        (None, Some(model)) => Source::Drawn(model, paths.seed, paths.seconds()),
        (None, None) => return Ok(()),
    };
    let count = if given.is_some() { 1 } else { paths.paths };
    let found = forecast(&snapshot, &source, count, paths.threads())?;
    let named =
        |one: &PositionForecast| args.traders.is_empty() || args.traders.contains(&one.trader);
    let made = made(args, model.as_ref(), count);
    let mut view = RiskView::new(&state, (&snapshot, &known), &found, made, named)?;
    if given.is_none() {
        add_fixes(&mut view, args, &snapshot, &source, &found)?;
    }
    let detailed = !args.traders.is_empty() && !args.all;
    session.answer(&view, || view.words(&state, detailed, args.top))
}

fn add_fixes(
    view: &mut RiskView,
    args: &RiskArgs,
    snapshot: &Snapshot,
    source: &Source<'_>,
    found: &Forecast,
) -> Result<()> {
    for trader in &args.traders {
        let mut all = found.positions.iter();
        if let Some(one) = all.find(|one| one.trader == *trader) {
            let fixes = halving(snapshot, source, one, args.paths.threads())?;
            let fixes: Vec<_> = fixes.into_iter().flatten().collect();
            view.add_fixes(trader, &fixes);
        }
    }
    Ok(())
}

fn check(trader: &Pubkey, state: &MarketState, snapshot: &Snapshot) -> Result<()> {
    let place = snapshot.place(trader);
    let holds = place.is_some_and(|place| snapshot.accounts[place].slot.lots != 0);
    if holds {
        return Ok(());
    }
    Err(Usage(format!(
        "{trader} has no position in {}; expected a trader account with one, as `ballast queue` lists them",
        state.name()
    ))
    .into())
}

/// A price that jumps and stays.
fn shocked(snapshot: &Snapshot, factor: f64, seconds: u32) -> Vec<Step> {
    let times = (1..=seconds / SHOCK_STEP).map(|step| (step * SHOCK_STEP, factor));
    snapshot.path(&times.collect::<Vec<_>>())
}

fn made(args: &RiskArgs, model: Option<&PathModel>, paths: u32) -> Made {
    let source = match (args.shock, &args.paths.prices) {
        (Some(factor), _) => format!(
            "on which the price moves by {:+.2} % at once and stays",
            (factor - 1.0) * 100.0
        ),
        (None, Some(file)) => format!("drawn from {}", file.display()),
        (None, None) => String::new(),
    };
    Made {
        source,
        paths,
        seed: args.paths.seed,
        seconds: args.paths.seconds(),
        volatility_ppm: model
            .filter(|_| args.shock.is_none())
            .map(PathModel::hour_ppm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shock_is_read_in_per_cent() {
        assert_eq!(shock("-10%"), Ok(0.9));
        assert_eq!(shock("25"), Ok(1.25));
        for bad in ["", "x%", "-100%", "901", "nan", "inf%"] {
            assert!(shock(bad).is_err(), "{bad}");
        }
    }
}
