//! Command line options.

use std::path::PathBuf;

use ballast_engine::pool::PoolParams;
use ballast_report::policy::Policy;
use clap::Parser;
use strum::VariantArray;

use crate::markets::args::MarketsArgs;
use crate::scenario::market::{MarketOptions, MARKET_MAKERS};

/// Where half of the maintenance margin is gone.
const DISCOUNT_FULL_RATIO_BPS: u16 = 5_000;

/// What is rehearsed, and how it is told.
#[derive(Clone, Debug, Parser)]
pub struct RehearseArgs {
    /// Trader accounts of the population.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=2_000))]
    pub traders: u32,
    /// Seed of the population and of the generated prices.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Prices to play instead of the generated ones: CSV with the header `timestamp,price` or
    /// `timestamp,open,high,low,close` (unix seconds, US dollars).
    #[arg(long, value_name = "FILE")]
    pub prices: Vec<PathBuf>,
    /// Several markets and cross accounts.
    #[command(flatten)]
    pub several: MarketsArgs,
    /// Risk parameters to play with: a file as `ballast calibrate` writes it. Sizes, the makers' fee and what
    /// feeds insurance stay those of the rehearsal.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["max_leverage", "adl_step_bps", "rank_tolerance_bps", "discount_full_ratio_bps"])]
    pub risk: Option<PathBuf>,
    /// Insurance when the crash begins, whole US dollars [default: 100 for each trader].
    #[arg(long, value_name = "USD", value_parser = clap::value_parser!(u64).range(0..=1_000_000_000_000))]
    pub insurance: Option<u64>,
    /// Insurance when the crash begins, basis points of the worth of the open interest.
    #[arg(long, value_name = "BPS", conflicts_with = "insurance", value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub insurance_bps: Option<u64>,
    /// Insurance that others stake beside, basis points of the worth of the open interest.
    #[arg(long, value_name = "BPS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub stake: u64,
    /// What is deposited into a backstop pool, basis points of the worth of the open interest; 0 for no
    /// pool.
    #[arg(long, value_name = "BPS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub pool: u64,
    /// Largest notional that the pool holds, basis points of its worth.
    #[arg(long, value_name = "BPS", default_value_t = PoolParams::DEFAULT.cap_bps, value_parser = clap::value_parser!(u32).range(100..=10_000))]
    pub pool_cap_bps: u32,
    /// Equity over maintenance margin at which the liquidator's discount is the last one at once, basis
    /// points; 0: it grows with time alone.
    #[arg(long, value_name = "BPS", default_value_t = DISCOUNT_FULL_RATIO_BPS, value_parser = clap::value_parser!(u16).range(0..=9_999))]
    pub discount_full_ratio_bps: u16,
    /// Highest leverage of small positions.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=20))]
    pub max_leverage: u64,
    /// Largest part of a counterparty that one pass of auto-deleveraging closes, basis points.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(500..=10_000))]
    pub adl_step_bps: u32,
    /// How much more a spared trader may score than the last one cut, basis points; 0 is exact.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub rank_tolerance_bps: u32,
    /// Accounts that quote around the oracle price and pull away in the crash; 0 for no book.
    #[arg(long, value_name = "N", default_value_t = MARKET_MAKERS, value_parser = makers)]
    pub market_makers: usize,
    /// What the market makers quote together on each side when calm, basis points of the open
    /// interest [default: 1000].
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub maker_depth_bps: Option<u64>,
    /// Distance of their best orders from the oracle price when calm, basis points [default: 8].
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub maker_spread_bps: Option<u64>,
    /// Their collateral together, basis points of the worth of the open interest [default: 2000].
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub maker_capital_bps: Option<u64>,
    /// What a maker pays of a fill, basis points; a rebate when negative [default: -1].
    #[arg(long, value_name = "BPS", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-5..=100))]
    pub maker_fee_bps: Option<i32>,
    /// Accounts that send market orders at random [default: 8].
    #[arg(long, value_name = "N", value_parser = takers)]
    pub takers: Option<usize>,
    /// Part of the traders who have set a stop-loss, per cent [default: 10].
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub stop_loss_percent: Option<u64>,
    /// Part of the traders who have set protective steps, per cent; the crash is then played again without
    /// them, to say what they saved.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub protected_percent: u64,
    /// Rules to compare in a simulation over the rounds of the crash, one or more times [default:
    /// all]. The program's own rule stays `capped`.
    #[arg(long = "policy", value_name = "RULE", value_enum)]
    pub policies: Vec<Policy>,
    /// Directory for report.json and report.html.
    #[arg(long, value_name = "DIR", default_value = "target/rehearsal")]
    pub out: PathBuf,
    /// Print the report as JSON instead of tables.
    #[arg(long)]
    pub json: bool,
    /// The built program.
    #[arg(long, value_name = "PATH", default_value = "target/deploy/ballast.so")]
    pub program: PathBuf,
}

/// Most accounts that quote: as many as one call may list.
const MOST_MAKERS: usize = 32;
/// Most accounts that send market orders.
const MOST_TAKERS: usize = 64;

fn makers(text: &str) -> Result<usize, String> {
    count(text, MOST_MAKERS)
}

fn takers(text: &str) -> Result<usize, String> {
    count(text, MOST_TAKERS)
}

fn count(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse::<usize>().map_err(|error| error.to_string())?;
    if number > most {
        return Err(format!("{number} is not in 0..={most}"));
    }
    Ok(number)
}

impl RehearseArgs {
    /// What the user chose of the market.
    pub fn market(&self) -> MarketOptions {
        MarketOptions {
            makers: self.market_makers,
            depth_bps: self.maker_depth_bps,
            spread_bps: self.maker_spread_bps,
            capital_bps: self.maker_capital_bps,
            takers: self.takers,
            stop_loss_percent: self.stop_loss_percent,
            fee_bps: self.maker_fee_bps,
        }
    }

    /// The rules to compare, each once, in the order of tables.
    pub fn policies(&self) -> Vec<Policy> {
        let wanted = |policy: &Policy| self.policies.is_empty() || self.policies.contains(policy);
        Policy::VARIANTS.iter().copied().filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<RehearseArgs, clap::Error> {
        RehearseArgs::try_parse_from(["ballast-rehearsal"].iter().chain(arguments))
    }

    #[test]
    fn defaults() {
        let args = parse(&[]).expect("no option is required");
        assert_eq!((args.traders, args.seed, args.max_leverage), (300, 1, 20));
        assert_eq!(args.out, PathBuf::from("target/rehearsal"));
        assert!(args.prices.is_empty() && args.insurance.is_none() && !args.json);
        assert_eq!((args.pool, args.stake, args.insurance_bps), (0, 0, None));
        assert!(parse(&["--insurance", "5", "--insurance-bps", "5"]).is_err());
        assert!(parse(&["--risk", "risk.toml", "--max-leverage", "5"]).is_err());
    }

    #[test]
    fn the_market_is_chosen_by_option() {
        let market = |arguments: &[&str]| parse(arguments).map(|args| args.market()).ok();
        let plain = market(&[]).expect("no option is required");
        assert_eq!((plain.makers, plain.takers), (MARKET_MAKERS, None));
        let chosen = market(&["--market-makers", "0", "--maker-fee-bps", "-2"]).expect("both");
        assert_eq!((chosen.makers, chosen.fee_bps), (0, Some(-2)));
    }

    #[test]
    fn policies_are_chosen_by_name() {
        let chosen = |arguments: &[&str]| parse(arguments).map(|args| args.policies()).ok();
        assert_eq!(chosen(&[]), Some(Policy::VARIANTS.to_vec()));
        let two = chosen(&["--policy", "pro-rata", "--policy", "queue"]);
        assert_eq!(two, Some(vec![Policy::Queue, Policy::ProRata]));
        for policy in Policy::VARIANTS.iter().copied() {
            assert_eq!(chosen(&["--policy", policy.name()]), Some(vec![policy]));
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for bad in [
            ["--traders", "9"],
            ["--max-leverage", "1"],
            ["--adl-step-bps", "499"],
            ["--adl-step-bps", "10001"],
            ["--rank-tolerance-bps", "1001"],
            ["--insurance", "-5"],
            ["--insurance-bps", "10001"],
            ["--pool", "10001"],
            ["--pool-cap-bps", "99"],
            ["--discount-full-ratio-bps", "10000"],
            ["--seed", "x"],
            ["--policy", "auction"],
            ["--market-makers", "33"],
            ["--maker-depth-bps", "0"],
            ["--maker-spread-bps", "1001"],
            ["--maker-capital-bps", "0"],
            ["--maker-fee-bps", "-6"],
            ["--takers", "65"],
            ["--stop-loss-percent", "101"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
