//! What the options of a rehearsal come to.

use anyhow::{Context, Result};
use ballast_engine::risk::RiskParams;

use crate::args::RehearseArgs;
use crate::scenario::market::MarketPlan;
use crate::scenario::population::{Population, PopulationConfig};
use crate::scenario::prices::PricePath;
use crate::scenario::risk::RiskChoice;
use crate::scenario::units::{MarketUnits, ATOMS_PER_USD};
use crate::scenario::{csv_path, generated_path};

/// Insurance for each trader when the user names none.
const INSURANCE_USD_PER_TRADER: u64 = 100;
/// Accounts that liquidate.
pub const KEEPERS: usize = 6;
/// Their collateral, as a part of the open interest's notional.
const KEEPER_CAPITAL_BPS: u64 = 400;
/// Least worth of a position.
const LEAST_POSITION_USD: u64 = 10;

/// What is rehearsed, before anything is built.
#[derive(Clone)]
pub struct Plan {
    /// The oracle prices, in order of time.
    pub path: PricePath,
    /// The market's tick and lot sizes.
    pub units: MarketUnits,
    /// Traders and their opening trades.
    pub population: Population,
    /// Parameters of the market.
    pub risk: RiskParams,
    /// Insurance at the start, atoms.
    pub insurance: u64,
    /// Collateral of all liquidation keepers, atoms.
    pub keeper_capital: u64,
    /// Who makes the market and who takes from it.
    pub market: MarketPlan,
}

impl Plan {
    /// What the options ask for.
    ///
    /// # Errors
    /// Prices that cannot be read or used; options that contradict each other.
    pub fn of(args: &RehearseArgs) -> Result<Self> {
        let path = match &args.prices {
            Some(file) => csv_path::load(file)?,
            None => generated_path::generate(args.seed),
        };
        let first = path.first().context("a price path is not empty")?;
        let units = MarketUnits::for_price(first.price_nano)?;
        let unit_lots = units.lots_worth(LEAST_POSITION_USD, first.price_nano)?;
        let atoms_per_lot = units.atoms_per_lot(first.price_nano)?;
        let population = Population::draw(&PopulationConfig {
            traders: usize::try_from(args.traders)?,
            seed: args.seed,
            max_leverage: args.max_leverage,
            unit_lots,
            unit_cents: unit_lots * atoms_per_lot / (ATOMS_PER_USD / 100),
        });
        let open_interest_lots = population.open_interest_lots();
        let market = args
            .market()
            .plan(open_interest_lots, atoms_per_lot, unit_lots)?;
        let choice = RiskChoice {
            max_leverage: args.max_leverage,
            adl_step_bps: args.adl_step_bps,
            rank_tolerance_bps: args.rank_tolerance_bps,
            min_position_lots: unit_lots,
            maker_fee_bps: market.fee_bps,
            impact_notional: market.impact_notional,
        };
        let usd = args
            .insurance
            .unwrap_or(INSURANCE_USD_PER_TRADER * u64::from(args.traders));
        let open_interest = u128::from(open_interest_lots) * u128::from(atoms_per_lot);
        let keeper_capital =
            u64::try_from(open_interest * u128::from(KEEPER_CAPITAL_BPS) / 10_000)?;
        Ok(Self {
            path,
            units,
            population,
            risk: choice.params(),
            insurance: usd * ATOMS_PER_USD,
            keeper_capital,
            market,
        })
    }
}
