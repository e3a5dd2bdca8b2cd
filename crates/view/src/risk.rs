//! How likely somebody is to be deleveraged: from the accounts of a market to a forecast, and the forecast
//! as it is printed.

mod words;

use anyhow::{Context, Result};
use ballast_engine::health::{health, Health};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::{Side, Ticks};
use ballast_risk::adl::book::Depth;
use ballast_risk::adl::fixes::{Change, Fix};
use ballast_risk::adl::forecast::{Forecast, MarketForecast, PositionForecast};
use ballast_risk::adl::share::Share;
use ballast_risk::adl::snapshot::{PoolAt, Snapshot, Step};
use ballast_risk::makers::MakerStyle;
use ballast_state::error::BallastError;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::failure::Computed;
use crate::gap::Pooled;
use crate::state::MarketState;

/// Orders farther than this from the mark are not part of what makers quote, basis points.
const NEAR_BPS: u64 = 100;
/// Positions for which the copy of a queue has place beside those it holds.
const ROOM: usize = 16;
const ONE: u64 = 10_000;

/// What is known beside a market's own accounts.
#[derive(Default)]
pub struct Known {
    /// Trader accounts: at least those of [`wanted`].
    pub traders: Vec<(Pubkey, Trader)>,
    /// The pool, where there is one.
    pub pool: Option<Pooled>,
    /// Who liquidates, in the order in which they are asked; where nobody is named, accounts are assumed.
    pub liquidators: Vec<Pubkey>,
}

/// The trader accounts that say more than queues and book: who has orders, and who is below maintenance.
///
/// # Errors
/// A price that is not there; a corrupt queue.
pub fn wanted(state: &MarketState) -> Result<Vec<Pubkey>> {
    let mut wanted: Vec<Pubkey> = Vec::new();
    let book = state.book.book()?;
    for side in [Side::Long, Side::Short] {
        for step in book.iter(side) {
            wanted.push(Pubkey::new_from_array(step.computed()?.1.trader));
        }
    }
    let (mark, index) = (state.mark()?, state.funding_index()?);
    for side in [Side::Long, Side::Short] {
        for step in state.queue(side)?.queue()?.iter() {
            let (_, entry) = step.computed()?;
            let position = ballast_client::ranking::position_of(entry, side, index).computed()?;
            if health(&position, mark, state.market.params()).computed()? != Health::Healthy {
                wanted.push(Pubkey::new_from_array(entry.trader));
            }
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted)
}

/// The market as a forecast begins with it.
///
/// # Errors
/// A price that is not there; a corrupt queue; a liquidator whose account is not known.
pub fn snapshot(state: &MarketState, known: &Known) -> Result<Snapshot> {
    let queues = state.queues.clone().context("the queues were not read")?;
    let ticks = state.moment()?.price_ticks;
    let seen = match &state.price {
        Ok(price) => *price,
        Err(_) => state.market.last_recorded(),
    };
    let at = Step {
        now: Now {
            slot: state.slot,
            unix_timestamp: state.now,
        },
        price: OraclePrice {
            price: Ticks::new(ticks),
            publish_time: state.now,
            below_tick: false,
            ..seen
        },
    };
    let room = ROOM + known.liquidators.len();
    let snapshot = Snapshot::new(state.keys.market, *state.market, queues, at, room);
    let mut snapshot = snapshot.map_err(told)?;
    for (address, trader) in &known.traders {
        snapshot.know(address, trader);
    }
    for liquidator in &known.liquidators {
        let place = snapshot.place(liquidator);
        let place =
            place.with_context(|| format!("the trader account {liquidator} is not there"))?;
        snapshot.liquidators.push(place);
    }
    if known.liquidators.is_empty() {
        snapshot.assume_liquidators(snapshot.usual_capital().map_err(told)?);
    }
    if let Some(pooled) = &known.pool {
        let account = snapshot.know(&pooled.pool.trader, &pooled.trader);
        snapshot.pool = Some(PoolAt {
            pool: pooled.pool,
            account,
        });
    }
    snapshot.depth = depth(state, known, &snapshot)?;
    Ok(snapshot)
}

/// Who makes the market, by what waits near the mark; `None` where nothing does.
fn depth(state: &MarketState, known: &Known, snapshot: &Snapshot) -> Result<Option<Depth>> {
    let (book, mark) = (state.book.book()?, state.mark()?.get());
    let (mut lots, mut nearest, mut makers) = (0_u64, Vec::new(), Vec::new());
    for side in [Side::Long, Side::Short] {
        let mut first = true;
        for step in book.iter(side) {
            let (_, order) = step.computed()?;
            let away = order.price().get().abs_diff(mark) * ONE / mark;
            if away > NEAR_BPS {
                break;
            }
            if core::mem::replace(&mut first, false) {
                nearest.push(away);
            }
            lots += order.size();
            makers.push(Pubkey::new_from_array(order.trader));
        }
    }
    makers.sort_unstable();
    makers.dedup();
    if lots == 0 {
        return Ok(None);
    }
    let spread: u64 = nearest.iter().sum::<u64>() / (nearest.len() as u64).max(1);
    let (mut worth, mut inventory) = (0_i64, 0);
    for (address, trader) in known.traders.iter().filter(|one| makers.contains(&one.0)) {
        worth = worth.saturating_add(trader.free);
        if let Some(place) = snapshot.place(address) {
            let slot = &snapshot.accounts[place].slot;
            let position = slot.position().map_err(told)?;
            let position = position.settle(state.funding_index()?).computed()?;
            let equity = position.equity(state.mark()?).computed()?.get();
            let reserved = i64::try_from(slot.order_margin).unwrap_or(i64::MAX);
            worth = worth.saturating_add(equity).saturating_add(reserved);
            inventory += slot.lots;
        }
    }
    Ok(Some(Depth {
        style: MakerStyle {
            depth_lots: lots / 2,
            spread_bps: spread.max(1),
            min_lots: state.market.risk.min_position_lots,
        },
        worth: worth.max(0).unsigned_abs(),
        inventory,
    }))
}

fn told(error: BallastError) -> anyhow::Error {
    anyhow::anyhow!("the market cannot be played on: {}", error.name())
}

/// A probability as it is printed, millionths.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Chance {
    /// The part of the paths.
    pub ppm: u32,
    /// Whether it is only known to be below that.
    pub below: bool,
    /// The lower end of the interval of 95 %.
    low_ppm: u32,
    /// The upper end.
    high_ppm: u32,
}

impl Chance {
    /// What the paths say.
    pub fn of(share: &Share) -> Self {
        let (low, high) = share.interval();
        Self {
            ppm: ppm(share.probability()),
            below: share.is_below(),
            low_ppm: ppm(low),
            high_ppm: ppm(high),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ppm(part: f64) -> u32 {
    (part.clamp(0.0, 1.0) * 1e6).round() as u32
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rounded(amount: f64) -> u64 {
    amount.max(0.0).round() as u64
}

/// A position's forecast as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct PositionRisk {
    trader: String,
    side: &'static str,
    lots: u64,
    size: String,
    profit_atoms: i64,
    /// Of being cut.
    pub cut: Chance,
    cut_in_first_hour: Chance,
    /// Of being closed by a cut.
    closed: Chance,
    liquidated: Chance,
    expected_cut_lots: u64,
    expected_gave_up_atoms: u64,
    /// Of the profit now; nothing without profit.
    expected_gave_up_bps: Option<u64>,
    gave_up_atoms_5_50_95: [u64; 3],
    /// The mark nearest to the present one at which it would be the first to be cut, ticks.
    first_in_line_at_ticks: Option<u64>,
    first_in_line_at: Option<String>,
    /// What halves the probability of being cut, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<FixView>,
}

/// Something that halves the probability of being cut.
#[derive(Clone, Debug, Serialize)]
struct FixView {
    /// `add_margin` or `close`.
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    atoms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lots: Option<u64>,
    /// Afterwards.
    cut: Chance,
}

/// What happens to the market, as it is printed.
#[derive(Clone, Debug, Serialize)]
struct MarketRisk {
    adl: Chance,
    expected_adl_notional_atoms: u64,
    expected_insurance_paid_atoms: u64,
    expected_pool_notional_atoms: u64,
    nobody_left_to_cut: Chance,
    unusable_prices_ppm: u32,
}

/// How a forecast was made.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// Where the paths come from, in words.
    pub source: String,
    /// How many.
    pub paths: u32,
    /// What decides them.
    pub seed: u64,
    /// How long each is, seconds.
    pub seconds: u32,
    /// Volatility of the next hour, millionths of the price; nothing for a single path.
    pub volatility_ppm: Option<u32>,
}

/// A forecast as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct RiskView {
    market_index: u16,
    market: String,
    slot: u64,
    mark_ticks: u64,
    mark: String,
    made: Made,
    insurance_available_atoms: u64,
    liquidator_capital_atoms: u64,
    liquidators_assumed: bool,
    maker_lots_a_side: u64,
    has_pool: bool,
    market_forecast: MarketRisk,
    /// The likeliest to be cut first.
    pub positions: Vec<PositionRisk>,
}

impl RiskView {
    /// A forecast of the positions for which `shown` holds.
    ///
    /// # Errors
    /// A price that is not there; a corrupt queue.
    pub fn new(
        state: &MarketState,
        (snapshot, known): (&Snapshot, &Known),
        forecast: &Forecast,
        made: Made,
        shown: impl Fn(&PositionForecast) -> bool,
    ) -> Result<Self> {
        let mut positions: Vec<&PositionForecast> =
            forecast.positions.iter().filter(|one| shown(one)).collect();
        positions.sort_by_key(|one| {
            let given = core::cmp::Reverse(rounded(one.expected_gave_up));
            (core::cmp::Reverse(one.cut.hits), given, one.trader)
        });
        let capital = snapshot.liquidators.iter();
        let capital = capital.map(|place| snapshot.accounts[*place].free.max(0).unsigned_abs());
        let positions = positions
            .into_iter()
            .map(|one| position(state, snapshot, one));
        let ticks = state.moment()?.price_ticks;
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            mark_ticks: ticks,
            mark: state.units.price(ticks),
            made,
            insurance_available_atoms: state.insurance_available()?,
            liquidator_capital_atoms: capital.sum(),
            liquidators_assumed: known.liquidators.is_empty(),
            maker_lots_a_side: snapshot.depth.map_or(0, |depth| depth.style.depth_lots),
            has_pool: snapshot.pool.is_some(),
            market_forecast: market(&forecast.market),
            positions: positions.collect::<Result<_>>()?,
        })
    }

    /// With what halves the probability of being cut, for the trader at an address.
    pub fn add_fixes(&mut self, trader: &Pubkey, fixes: &[Fix]) {
        let trader = trader.to_string();
        let mut of = self.positions.iter_mut();
        if let Some(position) = of.find(|one| one.trader == trader) {
            position.fixes = fixes.iter().map(fix).collect();
        }
    }
}

fn fix(fix: &Fix) -> FixView {
    let cut = Chance::of(&fix.cut);
    match fix.change {
        Change::AddMargin(atoms) => FixView {
            change: "add_margin",
            atoms: Some(atoms),
            lots: None,
            cut,
        },
        Change::Close(lots) => FixView {
            change: "close",
            atoms: None,
            lots: Some(lots),
            cut,
        },
    }
}

fn market(forecast: &MarketForecast) -> MarketRisk {
    MarketRisk {
        adl: Chance::of(&forecast.adl),
        expected_adl_notional_atoms: rounded(forecast.adl_notional),
        expected_insurance_paid_atoms: rounded(forecast.insurance_paid),
        expected_pool_notional_atoms: rounded(forecast.pool_notional),
        nobody_left_to_cut: Chance::of(&forecast.left_open),
        unusable_prices_ppm: ppm(forecast.unusable),
    }
}

fn position(
    state: &MarketState,
    snapshot: &Snapshot,
    one: &PositionForecast,
) -> Result<PositionRisk> {
    let node = snapshot.accounts[one.place].slot.queue_node;
    let first = state.price_to_be_first(one.side, node)?;
    let given = rounded(one.expected_gave_up);
    let profit = u64::try_from(one.profit).ok().filter(|atoms| *atoms > 0);
    Ok(PositionRisk {
        trader: one.trader.to_string(),
        side: one.side.name(),
        lots: one.lots,
        size: state.units.size(one.lots),
        profit_atoms: one.profit,
        cut: Chance::of(&one.cut),
        cut_in_first_hour: Chance::of(&one.cut_in_first_hour),
        closed: Chance::of(&one.closed),
        liquidated: Chance::of(&one.liquidated),
        expected_cut_lots: rounded(one.expected_lots),
        expected_gave_up_atoms: given,
        expected_gave_up_bps: profit.map(|atoms| given.saturating_mul(ONE) / atoms),
        gave_up_atoms_5_50_95: one.gave_up_quantiles,
        first_in_line_at_ticks: first,
        first_in_line_at: first.map(|ticks| state.units.price(ticks)),
        fixes: Vec::new(),
    })
}
