//! Block trades, take-overs by a liquidator, and margin transfers.

mod deal;

use crate::error::EngineError;
use crate::margin::initial_margin;
use crate::oracle::{Action, Mark};
use crate::order::within_band;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::units::{Atoms, LotPrice, Lots, Ticks};
use crate::wind_down::{MarketAction, MarketMode};

pub use deal::{Deal, DealSums, Role};

/// What two traders agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeTerms {
    /// Signed lots of the taker; the maker trades the opposite.
    pub lots: Lots,
    /// Price of the trade.
    pub price: Ticks,
}

/// What a trade needs to know of its market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeMarket {
    /// Worth of one tick of one lot, atoms.
    pub atoms_per_lot_tick: u64,
    /// Sum of long lots before the trade.
    pub open_interest_lots: u64,
    /// Lots of the least position that is opened: [`crate::order::least_position`].
    pub least_lots: u64,
    /// What it does.
    pub mode: MarketMode,
}

/// One party before the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartyInput {
    /// Its position in the market, funding settled.
    pub position: Position,
    /// Its free collateral, atoms, not negative.
    pub free: Atoms,
    /// Free collateral to move to the position's margin, atoms. It moves only when
    /// the fill opens, enlarges or flips the position.
    pub margin_to_add: u64,
}

/// One party after the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartyOutcome {
    /// Its position, funding settled.
    pub position: Position,
    /// Its free collateral, atoms, not negative.
    pub free: Atoms,
    /// The fee as charged, atoms; a rebate when negative.
    pub fee: Atoms,
    /// Profit or loss of the closed lots, atoms.
    pub realized: Atoms,
    /// Margin set free by the closed lots, atoms.
    pub released: Atoms,
    /// Margin moved from free collateral to the position, atoms.
    pub margin_added: u64,
    /// Whether the fill only made the position smaller.
    pub reduced_only: bool,
}

/// Both parties and the market after a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeOutcome {
    /// Who asked for the trade; pays the taker's fee.
    pub taker: PartyOutcome,
    /// The other side of it; pays or receives the maker's fee.
    pub maker: PartyOutcome,
    /// Quote of the taker's fill, atoms; the maker's is the opposite.
    pub quote: Atoms,
    /// Sum of long lots after the trade.
    pub open_interest_lots: u64,
    /// What the fees add to the market's fee bucket, atoms.
    pub market_fees: u64,
    /// What the fees add to insurance, atoms.
    pub insurance_fees: u64,
}

/// Whether a fill of `lots` only makes `position` smaller.
#[must_use]
pub fn reduces(position: &Position, lots: Lots) -> bool {
    position.side() == lots.opposite().side() && lots.size() <= position.size() && !lots.is_zero()
}

/// What the oracle price of a trade is used for: `Reduce` when it makes both
/// positions smaller, else `Open`. `lots` are the taker's.
#[must_use]
pub fn action(taker: &Position, maker: &Position, lots: Lots) -> Action {
    if reduces(taker, lots) && reduces(maker, lots.opposite()) {
        Action::Reduce
    } else {
        Action::Open
    }
}

/// Decides a block trade.
///
/// A party whose position only gets smaller needs no initial margin and pays the
/// fee as far as its free collateral after the payout reaches. Any other party
/// pays it in full and must hold initial margin at the price worsened by the
/// confidence, as if all lots of the trade were new to the market.
///
/// Errors: `ZeroLots`, `PriceOutOfRange`, `PriceOutsideBand`, `SizeOutOfRange`,
/// `InsufficientCollateral`, `PositionTooSmall`, `PositionTooLarge`,
/// `BelowInitialMargin`, `OpenInterestLimit`, `PriceDiverged`, `MarketReduceOnly`, `Overflow`.
pub fn block_trade(
    params: &RiskParams,
    mark: &Mark,
    market: &TradeMarket,
    terms: &TradeTerms,
    taker: &PartyInput,
    maker: &PartyInput,
) -> Result<TradeOutcome, EngineError> {
    let deal = Deal::new(params, mark, market, terms)?;
    let taken = deal.party(Role::Taker, taker, deal.taker_due()?)?;
    let made = deal.party(Role::Maker, maker, deal.maker_due(taken.fee)?)?;
    deal.check_left(&taker.position, &taken.position, taken.reduced_only)?;
    deal.check_left(&maker.position, &made.position, made.reduced_only)?;
    let changes = [
        (taker.position.lots, taken.position.lots),
        (maker.position.lots, made.position.lots),
    ];
    let sums = deal.conclude(&changes, taken.fee.try_add(made.fee)?)?;
    Ok(TradeOutcome {
        taker: taken,
        maker: made,
        quote: deal.quote(),
        open_interest_lots: sums.open_interest_lots,
        market_fees: sums.fees.market,
        insurance_fees: sums.fees.insurance,
    })
}

/// Decides what a liquidator's account becomes when it takes `lots` over for
/// `quote` from a position of `whole` lots: like a trade without a fee. What it opens or enlarges
/// is at least the least position, unless all there was is less.
///
/// Errors: `ZeroLots`, `QuoteOutOfRange`, `SizeOutOfRange`,
/// `InsufficientCollateral`, `PositionTooLarge`, `PositionTooSmall`, `BelowInitialMargin`,
/// `Overflow`.
pub fn take_over(
    params: &RiskParams,
    mark: &Mark,
    liquidator: &PartyInput,
    lots: Lots,
    quote: Atoms,
    whole: u64,
) -> Result<PartyOutcome, EngineError> {
    let taken = apply(params, mark, liquidator, lots, quote, Atoms::ZERO)?;
    if whole >= params.min_position_lots {
        let least = params.min_position_lots;
        check_opened(least, &taken.position, taken.reduced_only, 0)?;
    }
    Ok(taken)
}

/// `PositionTooSmall` where a fill has opened, enlarged or flipped a position to less than `least`
/// lots, the `waiting` ones of its order counted.
pub fn check_opened(
    least: u64,
    after: &Position,
    reduced_only: bool,
    waiting: u64,
) -> Result<(), EngineError> {
    let lots = after.size().checked_add(waiting);
    if !reduced_only && lots.ok_or(EngineError::Overflow)? < least {
        return Err(EngineError::PositionTooSmall);
    }
    Ok(())
}

/// The sum of long lots after each `(before, after)` of `changes`.
pub fn open_interest_after(
    open_interest_lots: u64,
    changes: &[(Lots, Lots)],
) -> Result<u64, EngineError> {
    changes.iter().try_fold(open_interest_lots, |sum, change| {
        let (before, after) = (long_lots(change.0), long_lots(change.1));
        let raised = sum.checked_add(after).ok_or(EngineError::Overflow)?;
        raised.checked_sub(before).ok_or(EngineError::Overflow)
    })
}

/// `OpenInterestLimit` when the sum of long lots rises beyond its limit, `PriceDiverged` when it
/// rises at all while the average counts, `MarketReduceOnly` when it does in a market of that mode.
pub fn check_open_interest(
    params: &RiskParams,
    mark: &Mark,
    mode: MarketMode,
    before: u64,
    after: u64,
) -> Result<(), EngineError> {
    if after <= before {
        return Ok(());
    }
    mode.require(MarketAction::RaiseOpenInterest)?;
    if mark.average.is_some() {
        return Err(EngineError::PriceDiverged);
    }
    if after > params.max_open_interest_lots {
        return Err(EngineError::OpenInterestLimit);
    }
    Ok(())
}

fn long_lots(lots: Lots) -> u64 {
    if lots.get() > 0 {
        lots.size()
    } else {
        0
    }
}

fn apply(
    params: &RiskParams,
    mark: &Mark,
    party: &PartyInput,
    lots: Lots,
    quote: Atoms,
    fee_due: Atoms,
) -> Result<PartyOutcome, EngineError> {
    let reduced_only = reduces(&party.position, lots);
    let fill = party.position.fill(lots, quote)?;
    let available = party.free.try_add(fill.payout()?)?;
    let (fee, margin_added) = if reduced_only {
        (fee_due.min(available.max(Atoms::ZERO)), 0)
    } else {
        (fee_due, party.margin_to_add)
    };
    let free = available.try_sub(fee)?.try_sub_unsigned(margin_added)?;
    if free.is_negative() {
        return Err(EngineError::InsufficientCollateral);
    }
    let mut position = fill.position;
    if !reduced_only {
        position.margin = position.margin.try_add_unsigned(margin_added)?;
        check_largest(params, mark, &position)?;
        check_initial(params, mark, &position)?;
    }
    Ok(PartyOutcome {
        position,
        free,
        fee,
        realized: fill.realized,
        released: fill.released,
        margin_added,
        reduced_only,
    })
}

fn check_band(params: &RiskParams, mark: &Mark, price: LotPrice) -> Result<(), EngineError> {
    if !within_band(params, mark.price, price) {
        return Err(EngineError::PriceOutsideBand);
    }
    Ok(())
}

/// `PositionTooLarge` beyond the largest size or the last tier's notional at the mark.
pub(crate) fn check_largest(
    params: &RiskParams,
    mark: &Mark,
    after: &Position,
) -> Result<(), EngineError> {
    let tiers = params.active_tiers()?;
    let limit = tiers
        .last()
        .ok_or(EngineError::RiskTiers)?
        .notional_limit_atoms;
    let large = after.size() > params.max_position_lots;
    if large || after.notional(mark.price)? > limit {
        return Err(EngineError::PositionTooLarge);
    }
    Ok(())
}

/// Equity at the price worsened by the confidence covers the initial margin of the
/// notional at the higher of both prices.
fn check_initial(params: &RiskParams, mark: &Mark, after: &Position) -> Result<(), EngineError> {
    let side = after.side().ok_or(EngineError::NoPosition)?;
    let worst = mark.worsened(side)?;
    let equity = after.equity(worst)?;
    let notional = after.notional(worst.max(mark.price))?;
    let required = initial_margin(params, &mark.scale, notional)?;
    if equity.is_negative() || equity.positive_part() < required {
        return Err(EngineError::BelowInitialMargin);
    }
    Ok(())
}

/// Moves `amount` atoms of free collateral to the margin of a position; returns
/// both. Needs no price. Errors: `NoPosition`, `ZeroAmount`,
/// `InsufficientCollateral`, `Overflow`.
pub fn add_margin(
    position: &Position,
    free: Atoms,
    amount: u64,
) -> Result<(Position, Atoms), EngineError> {
    check_transfer(position, amount)?;
    let free = free.try_sub_unsigned(amount)?;
    if free.is_negative() {
        return Err(EngineError::InsufficientCollateral);
    }
    let margin = position.margin.try_add_unsigned(amount)?;
    Ok((
        Position {
            margin,
            ..*position
        },
        free,
    ))
}

/// Moves `amount` atoms of a settled position's margin to free collateral; returns
/// both. Errors: `NoPosition`, `ZeroAmount`, `MarginBelowZero`,
/// `BelowInitialMargin`, `Overflow`.
pub fn remove_margin(
    params: &RiskParams,
    mark: &Mark,
    position: &Position,
    free: Atoms,
    amount: u64,
) -> Result<(Position, Atoms), EngineError> {
    check_transfer(position, amount)?;
    let margin = position.margin.try_sub_unsigned(amount)?;
    if margin.is_negative() {
        return Err(EngineError::MarginBelowZero);
    }
    let after = Position {
        margin,
        ..*position
    };
    check_initial(params, mark, &after)?;
    Ok((after, free.try_add_unsigned(amount)?))
}

fn check_transfer(position: &Position, amount: u64) -> Result<(), EngineError> {
    if position.is_empty() {
        return Err(EngineError::NoPosition);
    }
    if amount == 0 {
        return Err(EngineError::ZeroAmount);
    }
    Ok(())
}
