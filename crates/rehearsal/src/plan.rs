//! What the options of a rehearsal come to.

use anyhow::{Context, Result};
use ballast_engine::pool::PoolParams;
use ballast_engine::risk::RiskParams;
use ballast_risk::adl::snapshot::{LIQUIDATORS, LIQUIDATOR_CAPITAL_BPS};
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::args::RehearseArgs;
use crate::scenario::generated_path;
use crate::scenario::market::MarketPlan;
use crate::scenario::population::{Population, PopulationConfig};
use crate::scenario::prices::PricePath;
use crate::scenario::risk::RiskChoice;
use ballast_risk::file::RiskFile;
use ballast_risk::units::{MarketUnits, ATOMS_PER_USD};

/// Insurance for each trader when the user names none.
pub const INSURANCE_USD_PER_TRADER: u64 = 100;
/// Accounts that liquidate.
pub const KEEPERS: usize = LIQUIDATORS as usize;
/// Least worth of a position.
pub const LEAST_POSITION_USD: u64 = 10;

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
    /// Highest leverage of the population.
    pub max_leverage: u64,
    /// Insurance at the start, the stakes not counted, atoms.
    pub insurance: u64,
    /// Staked insurance at the start, atoms.
    pub staked: u64,
    /// What is deposited into the backstop pool, atoms; 0 for none.
    pub pool: u64,
    /// Parameters of the pool.
    pub pool_params: PoolParams,
    /// Collateral of all liquidation keepers, atoms.
    pub keeper_capital: u64,
    /// Who makes the market and who takes from it.
    pub market: MarketPlan,
    /// Places of the traders with protective steps.
    pub protected: Vec<usize>,
}

impl Plan {
    /// What the options ask for.
    ///
    /// # Errors
    /// Prices that cannot be read or used; options that contradict each other.
    pub fn of(args: &RehearseArgs) -> Result<Self> {
        let path = match args.prices.first() {
            Some(file) => PricePath::load(file)?,
            None => generated_path::generate(args.seed),
        };
        Self::along(args, path)
    }

    /// The same along other prices.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn along(args: &RehearseArgs, path: PricePath) -> Result<Self> {
        let first = path.first().context("a price path is not empty")?;
        let units = MarketUnits::for_price(first.price_nano)?;
        let file = args.risk.as_deref().map(RiskFile::load).transpose()?;
        let calibrated = file.map(|file| file.params(Some(ATOMS_PER_USD)));
        let calibrated = calibrated.transpose()?;
        let max_leverage = match &calibrated {
            Some(risk) => 10_000 / u64::from(risk.tiers[0].initial_margin_bps),
            None => args.max_leverage,
        };
        let unit_lots = units.lots_worth(LEAST_POSITION_USD, first.price_nano)?;
        let atoms_per_lot = units.atoms_per_lot(first.price_nano)?;
        let population = Population::draw(&PopulationConfig {
            traders: usize::try_from(args.traders)?,
            seed: args.seed,
            max_leverage,
            unit_lots,
            unit_cents: unit_lots * atoms_per_lot / (ATOMS_PER_USD / 100),
        });
        let open_interest_lots = population.open_interest_lots();
        let market = args
            .market()
            .plan(open_interest_lots, atoms_per_lot, unit_lots)?;
        let choice = RiskChoice {
            max_leverage,
            adl_step_bps: args.adl_step_bps,
            rank_tolerance_bps: args.rank_tolerance_bps,
            min_position_lots: unit_lots,
            maker_fee_bps: market.fee_bps,
            impact_notional: market.impact_notional,
            discount_full_ratio_bps: args.discount_full_ratio_bps,
        };
        let open_interest = u128::from(open_interest_lots) * u128::from(atoms_per_lot);
        let part = |bps: u64| u64::try_from(open_interest * u128::from(bps) / 10_000);
        let usd = args
            .insurance
            .unwrap_or(INSURANCE_USD_PER_TRADER * u64::from(args.traders));
        let insurance = match args.insurance_bps {
            Some(bps) => part(bps)?,
            None => usd * ATOMS_PER_USD,
        };
        let risk = match calibrated {
            Some(calibrated) => choice.over(calibrated),
            None => choice.params(),
        };
        Ok(Self {
            protected: protected(args, population.members.len()),
            path,
            units,
            population,
            max_leverage,
            insurance,
            staked: part(args.stake)?,
            pool: part(args.pool)?,
            pool_params: pool_params(args, &risk),
            risk,
            keeper_capital: part(LIQUIDATOR_CAPITAL_BPS)?,
            market,
        })
    }
}

/// Who has protective steps: drawn apart from everything else, so that the rest of a seed's crash is the
/// same with them and without.
fn protected(args: &RehearseArgs, members: usize) -> Vec<usize> {
    let mut draws = ChaCha8Rng::seed_from_u64(args.seed ^ 0x5354_4550);
    let mut drawn = || draws.gen_range(0..100) < args.protected_percent;
    (0..members).filter(|_| drawn()).collect()
}

/// Those of most pools, as far as the market allows.
fn pool_params(args: &RehearseArgs, risk: &RiskParams) -> PoolParams {
    let usual = PoolParams::DEFAULT;
    PoolParams {
        cap_bps: args.pool_cap_bps,
        reserve_last_bps: usual
            .reserve_last_bps
            .min(risk.liquidation_discount_max_bps)
            .max(usual.reserve_first_bps),
        ..usual
    }
}
