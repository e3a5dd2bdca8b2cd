//! One order of the book against a taker: filled, or found unable to trade; and what the
//! taker becomes when all its fills are done.

use crate::book::Order;
use crate::error::EngineError;
use crate::fees::{maker_fee, taker_fee};
use crate::margin::{initial_margin, maintenance_margin, MarginScale};
use crate::oracle::Mark;
use crate::order::reducible;
use crate::position::Position;
use crate::queue::Totals;
use crate::risk::RiskParams;
use crate::trade::{check_largest, check_opened, reduces, PartyInput, PartyOutcome};
use crate::units::{Atoms, LotPrice, Lots, Side};

/// Most orders that one call fills.
pub const MAX_MATCHES: u32 = 32;
/// Most orders that one call removes because they cannot trade, beside those that it fills.
pub const MAX_REMOVALS: u32 = 32;

/// How many orders a call may still fill, and how many it may remove.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    fills: u32,
    removals: u32,
}

impl Budget {
    /// That of one call: [`MAX_MATCHES`] and [`MAX_REMOVALS`].
    pub const CALL: Self = Self {
        fills: MAX_MATCHES,
        removals: MAX_REMOVALS,
    };

    /// Takes one fill off, or one removal; whether there was one left.
    pub const fn take(&mut self, removal: bool) -> bool {
        let left = if removal {
            &mut self.removals
        } else {
            &mut self.fills
        };
        match left.checked_sub(1) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }
}

/// The trader behind an order of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// Its position in the market, funding settled.
    pub position: Position,
    /// Its free collateral, atoms, not negative; what its order reserves is not in it.
    pub free: Atoms,
    /// Whether the queue of the order's side has room for one more position.
    pub has_room: bool,
}

/// What the takers' side of a match depends on.
#[derive(Clone, Copy, Debug)]
pub struct Taking<'a> {
    /// The market's parameters.
    pub params: &'a RiskParams,
    /// The market's price.
    pub mark: Mark,
    /// The price of an earlier slot, at which an order must be out of its trader's reach as well
    /// before it leaves the book for that; `None` when there is none or none counts.
    pub earlier: Option<LotPrice>,
    /// Unix seconds.
    pub now: i64,
    /// Whether the taker pays a fee; a liquidation does not.
    pub charged: bool,
}

/// What becomes of an order of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match<F = MakerFill> {
    /// It trades.
    Fill(F),
    /// It cannot and leaves the book.
    Remove(Removal),
    /// Its trader cannot carry it at this price alone: it is passed over and stays.
    Keep,
}

/// A maker's fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakerFill {
    /// Lots traded, at the price of the order.
    pub lots: u64,
    /// `lots * price`, atoms.
    pub notional: u64,
    /// The maker's position.
    pub position: Position,
    /// The maker's free collateral, atoms; of a leg its account's pool.
    pub free: Atoms,
    /// What the order no longer reserves, atoms.
    pub margin_used: u64,
    /// The maker's fee, atoms; a rebate when negative.
    pub fee: Atoms,
    /// The taker's fee on this fill, atoms.
    pub taker_fee: u64,
    /// Whether the maker's position only became smaller.
    pub reduced_only: bool,
    /// Whether the order leaves the book: filled, or reduce-only with nothing left to close.
    pub done: bool,
}

/// Why an order cannot trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveReason {
    /// Its time is over.
    Expired,
    /// Its trader could not carry the position, at the price of an earlier slot neither: below
    /// maintenance, out of collateral, too large, or less than the least position even with what is
    /// left of the order.
    Unhealthy,
    /// It is reduce-only and there is no position on the other side.
    NothingToReduce,
    /// It would open a position and the queue of its side is full, or legs of its side hold as many lots as
    /// they may.
    NoRoom,
    /// It is a leg's and would take a profit that the market is too short of money to pay.
    ProfitIsHeld,
}

/// An order taken out of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Why it cannot be filled.
    pub reason: RemoveReason,
    /// What its trader pays to whoever removes it, atoms: nothing where the mark or the queue is the
    /// reason.
    pub fee: u64,
    /// Its trader's free collateral, atoms.
    pub free: Atoms,
}

/// Decides on one order of the book against up to `most` lots. Only arithmetic that cannot
/// be the maker's doing is an error.
pub fn meet(
    taking: &Taking<'_>,
    maker: &Maker,
    order: &Order,
    most: u64,
) -> Result<Match, EngineError> {
    let fits = |fill: &MakerFill| maker.has_room || !opens(&maker.position, &fill.position);
    let fill = |taking: &Taking<'_>| fill(taking, maker, order, most);
    decide(taking, order, (&maker.position, maker.free), fits, fill)
}

/// Decides on one order of a maker with this position and free collateral, by what `fill` makes of it at a price
/// and whether that `fits` the queue of its side.
pub(crate) fn decide<F, E>(
    taking: &Taking<'_>,
    order: &Order,
    (position, free): (&Position, Atoms),
    fits: impl FnOnce(&F) -> bool,
    fill: impl Fn(&Taking<'_>) -> Result<F, E>,
) -> Result<Match<F>, EngineError> {
    let reason = if let Some(reason) = leaves(order, position, taking.now) {
        reason
    } else {
        match fill(taking) {
            Ok(fill) if !fits(&fill) => RemoveReason::NoRoom,
            Ok(fill) => return Ok(Match::Fill(fill)),
            Err(_) if out_of_reach_before(taking, fill) => RemoveReason::Unhealthy,
            Err(_) => return Ok(Match::Keep),
        }
    };
    removal(taking.params, free, order, reason).map(Match::Remove)
}

/// Why an order leaves the book whatever its maker holds beside its position; `None` where it does not.
#[must_use]
pub fn leaves(order: &Order, position: &Position, now: i64) -> Option<RemoveReason> {
    if order.has_expired(now) {
        return Some(RemoveReason::Expired);
    }
    let nothing = order.is_reduce_only() && reducible(position, order.side()) == 0;
    nothing.then_some(RemoveReason::NothingToReduce)
}

/// Whether the maker could not have carried the order at the price of an earlier slot either.
#[cold]
fn out_of_reach_before<F, E>(
    taking: &Taking<'_>,
    fill: impl Fn(&Taking<'_>) -> Result<F, E>,
) -> bool {
    let Some(price) = taking.earlier else {
        return false;
    };
    let mark = Mark {
        price,
        confidence: 0,
        average: None,
        scale: MarginScale::NONE,
    };
    fill(&Taking { mark, ..*taking }).is_err()
}

/// Whether a position joins a queue that it is not in.
fn opens(before: &Position, after: &Position) -> bool {
    !after.is_empty() && after.side() != before.side()
}

/// The fee for the removal comes out of what the order reserves; a reduce-only order
/// reserves nothing, and its trader pays as far as its `free` collateral reaches.
pub fn removal(
    params: &RiskParams,
    free: Atoms,
    order: &Order,
    reason: RemoveReason,
) -> Result<Removal, EngineError> {
    let purse = if order.is_reduce_only() {
        free.positive_part()
    } else {
        order.margin
    };
    let fee = match reason {
        RemoveReason::NoRoom | RemoveReason::Unhealthy | RemoveReason::ProfitIsHeld => 0,
        RemoveReason::Expired | RemoveReason::NothingToReduce => params.keeper_fee_atoms.min(purse),
    };
    let free = free.try_add_unsigned(order.margin)?.try_sub_unsigned(fee)?;
    Ok(Removal { reason, fee, free })
}

/// What an order trades, whoever its maker is.
pub(crate) struct Trades {
    /// Lots, at the price of the order.
    pub lots: u64,
    /// `lots * price`, atoms.
    pub notional: u64,
    /// The lots with the sign of the fill.
    pub signed: Lots,
    /// The quote with its sign, atoms.
    pub quote: Atoms,
    /// The taker's fee, atoms.
    pub taker_fee: u64,
    /// What the maker is to pay, atoms; a rebate when negative.
    pub due: Atoms,
    /// What the order reserves of it, atoms.
    pub margin_used: u64,
}

impl Trades {
    /// Up to `most` lots of an order, of a maker with this position.
    pub fn of(
        taking: &Taking<'_>,
        position: &Position,
        order: &Order,
        most: u64,
    ) -> Result<Self, EngineError> {
        let (params, side) = (taking.params, order.side());
        let mut lots = most.min(order.size());
        if order.is_reduce_only() {
            lots = lots.min(reducible(position, side));
        }
        let notional = order.price().notional(lots)?;
        let taker_fee = if taking.charged {
            taker_fee(params, notional)?
        } else {
            0
        };
        Ok(Self {
            lots,
            notional,
            signed: Lots::on_side(side, lots)?,
            quote: quote(side, notional)?,
            taker_fee,
            due: maker_fee(params, notional, taker_fee)?,
            margin_used: order.margin_of(lots)?,
        })
    }

    /// Of the fill of an order that opens: the fee, out of what the order reserves, and what is left of that.
    pub fn opening_fee(&self) -> Result<(Atoms, u64), EngineError> {
        let fee = self.due.min(Atoms::from_unsigned(self.margin_used)?);
        let margin = self.margin_used.checked_sub(fee.positive_part());
        Ok((fee, margin.ok_or(EngineError::Overflow)?))
    }

    /// The fill, once the maker's `position` and its free collateral or pool are decided.
    pub fn filled(
        &self,
        order: &Order,
        position: Position,
        (free, fee): (Atoms, Atoms),
        reduced_only: bool,
    ) -> MakerFill {
        let emptied = order.is_reduce_only() && position.is_empty();
        MakerFill {
            lots: self.lots,
            notional: self.notional,
            position,
            free,
            margin_used: self.margin_used,
            fee,
            taker_fee: self.taker_fee,
            reduced_only,
            done: emptied || self.lots == order.size(),
        }
    }
}

/// The maker's fill; any error says that it cannot carry it.
#[inline(never)]
fn fill(
    taking: &Taking<'_>,
    maker: &Maker,
    order: &Order,
    most: u64,
) -> Result<MakerFill, EngineError> {
    let (params, before) = (taking.params, &maker.position);
    let trades = Trades::of(taking, before, order, most)?;
    let filled = before.fill(trades.signed, trades.quote)?;
    let mut position = filled.position;
    let settled = maker.free.try_add(filled.payout()?)?;
    let reduced_only = reduces(before, trades.signed);
    let paid = if reduced_only {
        let available = not_negative(settled.try_add_unsigned(trades.margin_used)?)?;
        let fee = trades.due.min(available);
        (available.try_sub(fee)?, fee)
    } else {
        let settled = not_negative(settled)?;
        let (fee, margin) = trades.opening_fee()?;
        position.margin = position.margin.try_add_unsigned(margin)?;
        check_carried(params, &taking.mark, &position, 0)?;
        check_waits(params, &position, order, trades.lots)?;
        let rebate = fee.min(Atoms::ZERO);
        (settled.try_sub(rebate)?, fee)
    };
    if let Some(side) = position.side() {
        Totals::of(&position, side)?.check_range()?;
    }
    Ok(trades.filled(order, position, paid, reduced_only))
}

/// Whether a position that an order has opened or enlarged by `lots` is large enough with what is left of it.
pub(crate) fn check_waits(
    params: &RiskParams,
    position: &Position,
    order: &Order,
    lots: u64,
) -> Result<(), EngineError> {
    let waiting = order.size().checked_sub(lots);
    let waiting = waiting.ok_or(EngineError::Overflow)?;
    check_opened(params.min_position_lots, position, false, waiting)
}

/// A maker holds at least maintenance margin at the mark, and at the average where that counts:
/// its order reserved initial margin when it was placed, and the mark may have moved since. `beside` is what else
/// the same margin has to hold, atoms.
pub(crate) fn check_carried(
    params: &RiskParams,
    mark: &Mark,
    after: &Position,
    beside: u64,
) -> Result<(), EngineError> {
    check_largest(params, mark, after)?;
    let side = after.side().ok_or(EngineError::NoPosition)?;
    let worst = mark.unworsened(side);
    let required = maintenance_margin(params, after.notional(worst.max(mark.price))?)?;
    let required = sum(required, beside)?;
    let equity = after.equity(worst)?;
    if equity.is_negative() || equity.positive_part() < required {
        return Err(EngineError::BelowInitialMargin);
    }
    Ok(())
}

/// What a taker's fills add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Lots filled, without sign.
    pub lots: u64,
    /// Their price in all, atoms.
    pub notional: u64,
    /// The taker's fees, atoms.
    pub fee: u64,
    /// The makers' fees less their rebates, atoms.
    pub maker_fees: Atoms,
}

impl Taken {
    /// Adds a fill.
    pub fn add(&mut self, fill: &MakerFill) -> Result<(), EngineError> {
        self.lots = sum(self.lots, fill.lots)?;
        self.notional = sum(self.notional, fill.notional)?;
        self.fee = sum(self.fee, fill.taker_fee)?;
        self.maker_fees = self.maker_fees.try_add(fill.fee)?;
        Ok(())
    }

    /// What takers and makers paid together, atoms.
    pub fn paid(&self) -> Result<Atoms, EngineError> {
        self.maker_fees.try_add_unsigned(self.fee)
    }

    /// The taker's fill on `side`: signed lots and quote.
    pub fn fill(&self, side: Side) -> Result<(Lots, Atoms), EngineError> {
        Ok((Lots::on_side(side, self.lots)?, quote(side, self.notional)?))
    }

    /// The part of a collateral meant for `lots` that belongs to the filled ones, atoms,
    /// rounded down.
    pub fn share_of(&self, margin: u64, lots: u64) -> Result<u64, EngineError> {
        crate::math::mul_div_floor(margin, self.lots, lots)
    }
}

/// Decides what the taker becomes. `party.margin_to_add` is the least it moves from free
/// collateral to the position's margin where the fills open, enlarge or flip it; it moves
/// more when initial margin asks for it. The fee is paid in full, but for fills that only make the
/// position smaller: of what the close leaves, and no less than the rebates its makers got.
///
/// Errors: `InsufficientCollateral`, `PositionTooLarge`, `SizeOutOfRange`, `Overflow`.
#[inline(never)]
pub fn settle_taker(
    params: &RiskParams,
    mark: &Mark,
    party: &PartyInput,
    side: Side,
    taken: &Taken,
) -> Result<PartyOutcome, EngineError> {
    let (lots, quote) = taken.fill(side)?;
    let scale = mark.scale.and_open(lots.size())?;
    let mark = &Mark { scale, ..*mark };
    let reduced_only = reduces(&party.position, lots);
    let fill = party.position.fill(lots, quote)?;
    let mut position = fill.position;
    let margin_added = if reduced_only {
        0
    } else {
        check_largest(params, mark, &position)?;
        shortfall(params, mark, &position)?.max(party.margin_to_add)
    };
    position.margin = position.margin.try_add_unsigned(margin_added)?;
    let available = party.free.try_add(fill.payout()?)?;
    let fee = if reduced_only {
        let rebates = Atoms::ZERO.try_sub(taken.maker_fees)?;
        taken
            .fee
            .min(available.positive_part().max(rebates.positive_part()))
    } else {
        taken.fee
    };
    let free = available
        .try_sub_unsigned(fee)?
        .try_sub_unsigned(margin_added)?;
    if free.is_negative() {
        return Err(EngineError::InsufficientCollateral);
    }
    Ok(PartyOutcome {
        position,
        free,
        fee: Atoms::from_unsigned(fee)?,
        realized: fill.realized,
        released: fill.released,
        margin_added,
        reduced_only,
    })
}

/// What a position lacks to initial margin at the price worsened by the confidence, atoms.
fn shortfall(params: &RiskParams, mark: &Mark, position: &Position) -> Result<u64, EngineError> {
    let side = position.side().ok_or(EngineError::NoPosition)?;
    let worst = mark.worsened(side)?;
    let notional = position.notional(worst.max(mark.price))?;
    let required = Atoms::from_unsigned(initial_margin(params, &mark.scale, notional)?)?;
    let lacking = required.try_sub(position.equity(worst)?)?;
    Ok(lacking.positive_part())
}

fn quote(side: Side, notional: u64) -> Result<Atoms, EngineError> {
    let notional = Atoms::from_unsigned(notional)?;
    match side {
        Side::Long => Ok(notional),
        Side::Short => Atoms::ZERO.try_sub(notional),
    }
}

fn not_negative(atoms: Atoms) -> Result<Atoms, EngineError> {
    if atoms.is_negative() {
        return Err(EngineError::InsufficientCollateral);
    }
    Ok(atoms)
}

fn sum(a: u64, b: u64) -> Result<u64, EngineError> {
    a.checked_add(b).ok_or(EngineError::Overflow)
}
