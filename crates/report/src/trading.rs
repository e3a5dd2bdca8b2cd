//! The part of `report.json` about the order book: who quoted, what traded, and what each stage
//! of the waterfall absorbed. Units as in the rest of the report.

use serde::{Deserialize, Serialize};

use crate::traders::Direction;

/// An order of the book that traded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FillLine {
    /// The maker's trader account.
    pub maker: String,
    /// Id of the order in the book.
    pub order_id: u64,
    /// Price of the order, ticks.
    pub price_ticks: u64,
    /// Lots traded, unsigned.
    pub lots: u64,
    /// The maker's fee, atoms; a rebate when negative.
    pub maker_fee_atoms: i64,
}

/// An order that could not trade and left the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovalLine {
    /// The maker's trader account.
    pub maker: String,
    /// Why it could not trade.
    pub reason: Reason,
    /// Price of the order, ticks.
    pub price_ticks: u64,
    /// Lots that it still had.
    pub lots: u64,
    /// What its trader paid for the removal, atoms.
    pub fee_atoms: u64,
}

/// Why an order could not trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its time was over.
    Expired,
    /// Its trader could not have carried the position.
    Unhealthy,
    /// It was reduce-only and there was nothing to reduce.
    NothingToReduce,
    /// It would have opened a position and the queue of its side was full, or its legs held all they may.
    NoRoom,
    /// It was reduce-only and the position became smaller than it.
    Reduced,
    /// It gave way to a better order.
    Evicted,
    /// It was a leg's and would have taken a profit that the market was too short of money to pay.
    ProfitIsHeld,
}

/// What somebody took from the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeKind {
    /// A taker's market order.
    Market,
    /// A trader's stop-loss, executed by a keeper.
    StopLoss,
    /// A trader's protective step, executed by a keeper.
    Protection,
    /// The backstop pool closing a part of its position.
    Unwind,
}

/// One order that met the book.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeLine {
    /// Slot of the transaction.
    pub slot: u64,
    /// Time of the price acted on, unix seconds.
    pub timestamp: i64,
    /// Number of liquidations before it.
    pub after_liquidations: u64,
    /// Number of auto-deleveraging rounds before it.
    pub after_rounds: u64,
    /// Whose order, and why.
    pub kind: TradeKind,
    /// Trader account of the taker.
    pub trader: String,
    /// Lots that the taker got, + bought, - sold.
    pub lots: i64,
    /// Oracle price acted on, ticks.
    pub mark_ticks: u64,
    /// The taker's fee on all fills, atoms.
    pub fee_atoms: u64,
    /// What the keeper of an unwind got of the pool, atoms.
    pub keeper_atoms: u64,
    /// Fills, in order.
    pub fills: Vec<FillLine>,
    /// Orders removed, in order.
    pub removed: Vec<RemovalLine>,
    /// Compute units of the transaction.
    pub compute_units: u64,
}

/// An account that quoted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakerLine {
    /// Trader account.
    pub trader: String,
    /// Collateral when the path begins.
    pub collateral_atoms: u64,
    /// Lots of its orders that traded.
    pub filled_lots: u64,
    /// What it paid for them; rebates when negative.
    pub fees_atoms: i64,
    /// Its orders that others removed.
    pub orders_removed: u64,
    /// Signed lots at the end.
    pub lots_end: i64,
    /// Collateral, margin, reserves and profit at the last price, less those of the beginning.
    pub result_atoms: i64,
}

/// A stage of the waterfall, in the order in which they come.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Orders of the book took the lots.
    #[strum(serialize = "order book")]
    Book,
    /// A liquidator's account took them over at a discount.
    #[strum(serialize = "liquidators")]
    Liquidator,
    /// The backstop pool took them over, at a discount or at the mark.
    #[strum(serialize = "backstop pool")]
    Pool,
    /// A liquidator's account took them over at the mark; insurance paid the deficit.
    #[strum(serialize = "insurance")]
    Insurance,
    /// Counterparties were cut.
    #[strum(serialize = "auto-deleveraging")]
    Deleveraging,
}

impl Stage {
    /// As tables name it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What a stage absorbed of the positions that were liquidated or deleveraged. Every lot belongs to
/// one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageLine {
    /// Who absorbed the lots.
    pub stage: Stage,
    /// Fills of the book, steps taken over, steps paid for, cuts.
    pub events: u64,
    /// Lots absorbed, unsigned.
    pub lots: u64,
    /// Their notional at the marks, atoms.
    pub notional_atoms: u64,
    /// Part of all lots, millionths, rounded down.
    pub share_ppm: u64,
    /// What the other side gained against the mark: makers, liquidators (discount), the pool (discount
    /// and premium), insurance (minus what it paid, rounds and premiums included), counterparties (minus what they gave up).
    pub gained_atoms: i64,
}

/// The book while it was in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookSummary {
    /// Orders placed by market makers.
    pub orders_placed: u64,
    /// Orders of takers that traded.
    pub market_orders: u64,
    /// Stop-losses that traded.
    pub stop_losses: u64,
    /// Calls for stop-losses that the book could not serve, counted once a price.
    pub stop_losses_refused: u64,
    /// Fills of trades and liquidations.
    pub fills: u64,
    /// Notional of all fills, at their prices.
    pub filled_notional_atoms: u64,
    /// Fees of takers, atoms.
    pub taker_fees_atoms: u64,
    /// Fees of makers, atoms; rebates when negative.
    pub maker_fees_atoms: i64,
    /// Orders removed because they could not trade.
    pub orders_removed: u64,
    /// What their traders paid for the removal, atoms.
    pub removal_fees_atoms: u64,
    /// What longs paid to shorts; minus what shorts paid to longs.
    pub funding_paid_by_longs_atoms: i64,
    /// Auto-deleveraging rounds before which an order waited that would have closed lots at the
    /// bankruptcy price or better.
    pub rounds_before_book: u64,
    /// States of the book that were checked.
    pub states_checked: u64,
    /// States in which the book broke its invariant: crossed, out of order, chains or sums wrong.
    pub broken_states: u64,
    /// Largest difference between what traders have reserved and the reserves of all orders.
    pub margin_error_atoms: u64,
}

/// The book after the keepers have acted on a price.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookLine {
    /// Best bid, ticks; 0 for none.
    pub bid_ticks: u64,
    /// Best ask, ticks; 0 for none.
    pub ask_ticks: u64,
    /// Lots of all bids.
    pub bid_lots: u64,
    /// Lots of all asks.
    pub ask_lots: u64,
}

/// Signed lots of somebody on a side.
pub fn signed(direction: Direction, lots: u64) -> i64 {
    let lots = i64::try_from(lots).unwrap_or(i64::MAX);
    match direction {
        Direction::Long => lots,
        Direction::Short => -lots,
    }
}
