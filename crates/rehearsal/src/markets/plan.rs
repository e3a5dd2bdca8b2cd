//! What the options of a rehearsal of several markets come to.

use anyhow::{ensure, Context, Result};
use ballast_engine::risk::RiskParams;
use ballast_risk::adl::snapshot::LIQUIDATOR_CAPITAL_BPS;
use ballast_risk::units::{MarketUnits, ATOMS_PER_USD};

use super::args::MarketsChoice;
use super::population::{Config, Population, Sizes};
use super::prices::Paths;
use crate::args::RehearseArgs;
use crate::plan::{INSURANCE_USD_PER_TRADER, LEAST_POSITION_USD};
use crate::scenario::market::MarketPlan as Book;
use crate::scenario::risk::RiskChoice;

/// One market before anything is built.
#[derive(Clone, Copy)]
pub struct MarketPlan {
    /// Tick and lot sizes.
    pub units: MarketUnits,
    /// Parameters.
    pub risk: RiskParams,
    /// First price, 1e-9 USD.
    pub first_nano: i64,
    /// Lots on a side when the path begins.
    pub open_interest_lots: u64,
    /// Insurance at the start, atoms.
    pub insurance: u64,
    /// Who makes the market.
    pub book: Book,
}

/// What is rehearsed.
#[derive(Clone)]
pub struct MarketsPlan {
    /// What the user chose.
    pub choice: MarketsChoice,
    /// The prices.
    pub paths: Paths,
    /// The markets.
    pub markets: Vec<MarketPlan>,
    /// Who trades in them.
    pub population: Population,
    /// Collateral of all liquidation keepers, atoms.
    pub keeper_capital: u64,
}

impl MarketsPlan {
    /// What the options ask for.
    ///
    /// # Errors
    /// Prices that cannot be read or used; options that contradict each other.
    pub fn of(args: &RehearseArgs, choice: MarketsChoice) -> Result<Self> {
        let paths = Paths::of(&args.prices, choice.markets, args.seed)?;
        let firsts = paths.at(0);
        let sizes = firsts.iter().map(|first| sizes(*first));
        let sizes = sizes.collect::<Result<Vec<Sizes>>>()?;
        let population = Population::draw(&Config {
            traders: usize::try_from(args.traders)?,
            seed: args.seed,
            cross_share: choice.cross_share,
            legs: choice.legs,
            max_leverage: args.max_leverage,
            sizes: &sizes,
        });
        let mut markets = Vec::new();
        for (number, first) in firsts.into_iter().enumerate() {
            let lots = population.open_interest_lots(number);
            ensure!(
                lots > 0,
                "nobody has a position in market {number}: raise --traders or --legs"
            );
            let market = market(args, &choice, first, lots);
            markets.push(market.with_context(|| format!("market {number}"))?);
        }
        let mut whole = 0;
        for market in &markets {
            whole += market.worth()?;
        }
        let insured = insurance(args, whole)?;
        for market in &mut markets {
            let part = insured * market.worth()? / whole.max(1);
            market.insurance = u64::try_from(part)?;
        }
        let keeper_capital = whole * u128::from(LIQUIDATOR_CAPITAL_BPS) / 10_000;
        Ok(Self {
            choice,
            paths,
            markets,
            population,
            keeper_capital: u64::try_from(keeper_capital)?,
        })
    }

    /// First time of the path.
    ///
    /// # Errors
    /// A path without prices.
    pub fn first_time(&self) -> Result<i64> {
        let first = self.paths.times.first().copied();
        first.context("a price path is not empty")
    }
}

impl MarketPlan {
    /// The open interest at the first price, atoms.
    fn worth(&self) -> Result<u128> {
        let lot = self.units.atoms_per_lot(self.first_nano)?;
        Ok(u128::from(self.open_interest_lots) * u128::from(lot))
    }
}

/// Insurance of all markets together, atoms, where the open interest is worth so much.
fn insurance(args: &RehearseArgs, whole: u128) -> Result<u128> {
    let usual = INSURANCE_USD_PER_TRADER * u64::from(args.traders);
    Ok(match args.insurance_bps {
        Some(bps) => whole * u128::from(bps) / 10_000,
        None => u128::from(args.insurance.unwrap_or(usual)) * u128::from(ATOMS_PER_USD),
    })
}

fn market(
    args: &RehearseArgs,
    choice: &MarketsChoice,
    first_nano: i64,
    open_interest_lots: u64,
) -> Result<MarketPlan> {
    let units = MarketUnits::for_price(first_nano)?;
    let min_position_lots = units.lots_worth(LEAST_POSITION_USD, first_nano)?;
    let lot = units.atoms_per_lot(first_nano)?;
    let book = args
        .market()
        .plan(open_interest_lots, lot, min_position_lots)?;
    let risk = RiskChoice {
        max_leverage: args.max_leverage,
        adl_step_bps: args.adl_step_bps,
        rank_tolerance_bps: choice.tolerance_bps,
        min_position_lots,
        maker_fee_bps: book.fee_bps,
        impact_notional: book.impact_notional,
        discount_full_ratio_bps: args.discount_full_ratio_bps,
    };
    Ok(MarketPlan {
        units,
        risk: risk.params(),
        first_nano,
        open_interest_lots,
        insurance: 0,
        book,
    })
}

fn sizes(first_nano: i64) -> Result<Sizes> {
    let units = MarketUnits::for_price(first_nano)?;
    let unit_lots = units.lots_worth(LEAST_POSITION_USD, first_nano)?;
    let lot = units.atoms_per_lot(first_nano)?;
    Ok(Sizes {
        unit_lots,
        unit_cents: unit_lots * lot / (ATOMS_PER_USD / 100),
    })
}
