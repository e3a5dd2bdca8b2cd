//! How a pool closes its position: by an auction that anybody may call, against the book.
//!
//! The auction's price begins `ask_bps` beyond the mark and falls to `slip_bps` short of it within
//! `auction_slots`, or less far where a maker's rebate has risen: what a maker gets of it, its keeper's part
//! and the rebate are never more than the least discount at which the pool takes. Lots that are closed take
//! time off the auction in proportion, so that a small bid neither starts it anew nor leaves it at its end;
//! lots that are taken over add to the position as if their own auction had just begun. The mark is the worse for the caller of the price and the one that
//! was recorded in an earlier slot, so that nobody gains by being first with a price.

use super::{take::missing, PoolMode, PoolParams};
use crate::error::EngineError;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::oracle::Mark;
use crate::order::{OrderKind, OrderRequest, SelfTrade};
use crate::position::Position;
use crate::risk::RiskParams;
use crate::trade::{add_margin, remove_margin};
use crate::units::{Atoms, Bps, LotPrice, Lots, Side, Ticks, BPS_ONE};

/// A position of fewer than so many least positions is closed at once.
const CLOSED_AT_ONCE: u64 = 4;
/// Equity is taken out of a position that has more than this of what it is to have, basis points.
const MOST_EQUITY_BPS: u32 = 12_000;

/// When a pool unwinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auction {
    /// Slot from which on the price falls.
    pub begun_slot: u64,
    /// Slot of the last unwind.
    pub unwind_slot: u64,
}

/// One unwind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwind {
    /// Side of the order that closes lots.
    pub side: Side,
    /// Most lots.
    pub lots: u64,
    /// The worst price, ticks.
    pub limit: Ticks,
}

impl Unwind {
    /// What happens when its order meets orders of the pool, which has none.
    pub const SELF_TRADE: SelfTrade = SelfTrade::Abort;

    /// The order that closes the lots.
    #[must_use]
    pub const fn order(&self) -> OrderRequest {
        OrderRequest {
            side: self.side,
            kind: OrderKind::Market,
            price: self.limit,
            lots: self.lots,
            expires_at: 0,
            reduce_only: true,
        }
    }
}

/// What an unwind is measured by.
#[derive(Clone, Copy, Debug)]
pub struct UnwindInput<'a> {
    /// The pool's parameters, validated.
    pub params: &'a PoolParams,
    /// The market's.
    pub risk: &'a RiskParams,
    /// What the pool does now.
    pub mode: PoolMode,
    /// Its position.
    pub lots: Lots,
    /// The market's price, ticks.
    pub mark: Ticks,
    /// The price recorded in an earlier slot, ticks; 0 without one.
    pub earlier: Ticks,
    /// Lots of the least position of the market.
    pub least_lots: u64,
    /// The current slot.
    pub slot: u64,
}

impl Auction {
    /// Slots for which the price has been falling, at most all in which it falls.
    fn elapsed(&self, params: &PoolParams, slot: u64) -> u64 {
        let elapsed = slot.max(self.begun_slot).wrapping_sub(self.begun_slot);
        elapsed.min(params.auction_slots)
    }

    /// The next unwind.
    ///
    /// # Errors
    /// `NoPosition`; `UnwindTooEarly` within `unwind_interval_slots` of the last one, unless the pool
    /// winds down; `Overflow`.
    pub fn unwind(&self, input: &UnwindInput<'_>) -> Result<Unwind, EngineError> {
        let params = input.params;
        let side = input.lots.side().ok_or(EngineError::NoPosition)?;
        let waited = input.slot.max(self.unwind_slot);
        let waited = waited.wrapping_sub(self.unwind_slot);
        if waited < params.unwind_interval_slots && input.mode != PoolMode::WindDown {
            return Err(EngineError::UnwindTooEarly);
        }
        let range = u64::from(params.ask_bps).checked_add(params.slip_bps.into());
        let range = range.ok_or(EngineError::Overflow)?;
        let elapsed = self.elapsed(params, input.slot);
        let fallen = mul_div_floor(range, elapsed, params.auction_slots)?;
        let fallen = i64::try_from(fallen).map_err(|_| EngineError::Overflow)?;
        // Bounds keep all of these far below a whole.
        let short = fallen.wrapping_sub(params.ask_bps.into());
        let short = short.min(params.slip_in(input.risk));
        let part = |sign: i64| {
            let part = BPS_ONE.checked_add_signed(short.wrapping_mul(sign));
            part.ok_or(EngineError::Overflow)
        };
        let worst = match side {
            Side::Long => {
                let mark = input.mark.max(input.earlier);
                mul_div_ceil(mark.get(), part(-1)?, BPS_ONE)?
            }
            Side::Short => {
                let mark = match input.earlier.get() {
                    0 => input.mark,
                    _ => input.mark.min(input.earlier),
                };
                mul_div_floor(mark.get(), part(1)?, BPS_ONE)?.max(1)
            }
        };
        Ok(Unwind {
            side: side.opposite(),
            lots: input.due()?,
            limit: Ticks::new(worst),
        })
    }

    /// After an unwind in `slot` of `closed` of the `due` lots.
    ///
    /// # Errors
    /// `Overflow` where none were due.
    pub fn after_unwind(
        &self,
        params: &PoolParams,
        slot: u64,
        due: u64,
        closed: u64,
    ) -> Result<Self, EngineError> {
        let left = due.checked_sub(closed).ok_or(EngineError::Overflow)?;
        Ok(Self {
            begun_slot: self.after(params, slot, left, due)?,
            unwind_slot: slot,
        })
    }

    /// After a take in `slot` that made `after` of the position `before`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn after_take(
        &self,
        params: &PoolParams,
        slot: u64,
        before: Lots,
        after: Lots,
    ) -> Result<Self, EngineError> {
        let kept = if before.side() == after.side() {
            before.size().min(after.size())
        } else {
            0
        };
        let begun_slot = match after.size() {
            0 => slot,
            size if size <= kept => self.begun_slot,
            size => self.after(params, slot, kept, size)?,
        };
        Ok(Self {
            begun_slot,
            ..*self
        })
    }

    /// The slot in which the price would have begun to fall with `part / whole` of the time.
    fn after(
        &self,
        params: &PoolParams,
        slot: u64,
        part: u64,
        whole: u64,
    ) -> Result<u64, EngineError> {
        let left = mul_div_floor(self.elapsed(params, slot), part, whole)?;
        slot.checked_sub(left).ok_or(EngineError::Overflow)
    }
}

impl UnwindInput<'_> {
    /// Most lots that one unwind closes.
    fn due(&self) -> Result<u64, EngineError> {
        let size = self.lots.size();
        let small = self.least_lots.checked_mul(CLOSED_AT_ONCE);
        if small.is_none_or(|small| size < small) {
            return Ok(size);
        }
        let part = Bps::new(self.params.unwind_bps).ceil_of(size)?;
        Ok(part.max(self.least_lots).min(size))
    }
}

/// What whoever calls an unwind gets of `closed` lots, atoms: `keeper_bps` of their notional at the
/// mark, as far as the pool's free collateral reaches.
///
/// # Errors
/// `Overflow`.
pub fn keeper_fee(
    params: &PoolParams,
    mark: LotPrice,
    closed: u64,
    free: Atoms,
) -> Result<u64, EngineError> {
    let fee = Bps::new(params.keeper_bps).floor_of(mark.notional(closed)?)?;
    Ok(fee.min(free.positive_part()))
}

/// A pool's position and free collateral after margin was moved between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The position.
    pub position: Position,
    /// Free collateral, atoms.
    pub free: Atoms,
    /// Moved into the position's margin, atoms; negative out of it.
    pub moved: Atoms,
}

/// Brings the equity of a pool's position to `margin_bps` of its notional: up to it out of `free`, or
/// back to it from above 120 %, where initial margin stays. A position with negative equity gets
/// nothing: it is insurance that pays deficits.
///
/// # Errors
/// `NoPosition`; `NothingToSync`; `BelowInitialMargin`; `Overflow`.
pub fn sync(
    params: &PoolParams,
    risk: &RiskParams,
    mark: &Mark,
    position: &Position,
    free: Atoms,
) -> Result<Synced, EngineError> {
    if position.is_empty() {
        return Err(EngineError::NoPosition);
    }
    let equity = position.equity(mark.price)?;
    if equity.is_negative() {
        return Err(EngineError::NothingToSync);
    }
    let added = missing(params, mark.price, position)?.min(free.positive_part());
    if added > 0 {
        let (position, free) = add_margin(position, free, added)?;
        let moved = Atoms::from_unsigned(added)?;
        return Ok(Synced {
            position,
            free,
            moved,
        });
    }
    let wanted = Bps::new(params.margin_bps).floor_of(position.notional(mark.price)?)?;
    let most = Bps::new(MOST_EQUITY_BPS).floor_of(wanted)?;
    let equity = equity.positive_part();
    let spare = if equity > most {
        equity.checked_sub(wanted).ok_or(EngineError::Overflow)?
    } else {
        0
    };
    let taken = spare.min(position.margin.positive_part());
    if taken == 0 {
        return Err(EngineError::NothingToSync);
    }
    let (position, free) = remove_margin(risk, mark, position, free, taken)?;
    let moved = Atoms::ZERO.try_sub_unsigned(taken)?;
    Ok(Synced {
        position,
        free,
        moved,
    })
}
