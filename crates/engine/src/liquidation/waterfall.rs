//! Who takes the lots of a liquidation: the book first, then the liquidator's account, with
//! insurance behind it.
//!
//! The book takes lots at every price that is no worse for the victim than the
//! liquidator's. That price starts at a discount from the mark and falls with time; it is
//! never worse than the price at which the position's equity reaches zero, and equals that
//! price once the discount is cut to the equity. With negative equity the liquidator's
//! price is the mark, where insurance pays the deficit of the closed lots, less what the book
//! pays beyond the mark; where insurance does not pay, the book takes lots down to the price at
//! which the equity is zero, and nobody else does.

use crate::deficit::Deficit;
use crate::descent::{Makers, Met};
use crate::error::EngineError;
use crate::margin::maintenance_margin;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::pool::Offer;
use crate::units::{Atoms, Bps, LotPrice, Lots, Side};

use super::{step, LiquidationInput, LiquidationPlan, Step};

/// A liquidation while the book takes lots.
#[derive(Clone, Copy, Debug)]
pub struct Waterfall<'a> {
    input: LiquidationInput<'a>,
    side: Side,
    equity: Atoms,
    maintenance: u64,
    step: Step,
    /// The worst total price of the step's lots for the victim, atoms; `None` where every
    /// price at which its equity is not negative will do.
    limit: Option<u64>,
    /// Whether the liquidator offered to take over what the book leaves.
    offered: bool,
    /// Whether it may.
    take_over: bool,
    /// Most lots it takes over.
    most: u64,
    /// Where a pool takes over: the premium, basis points, and what insurance alone may pay, atoms.
    premium: Option<(u32, u64)>,
    book_lots: u64,
    book_notional: u64,
    reward: u64,
}

impl<'a> Waterfall<'a> {
    /// Derives the size of the step and the worst price at which the book takes part.
    /// `take_over` says whether the liquidator offers to take over the rest.
    ///
    /// Errors: `NoPosition`, `Healthy`, `LadderInterval`, `Overflow`.
    pub fn begin(input: &LiquidationInput<'a>, take_over: bool) -> Result<Self, EngineError> {
        Self::begin_with(input, take_over, None)
    }

    /// The same for a leg of a cross account: a position whose margin makes its equity its share of the
    /// account's. `room` is what the maintenance and buffer of the other legs leave of the account's
    /// equity: the step is the least that restores the account.
    ///
    /// Errors as for [`Self::begin`].
    pub fn begin_leg(
        input: &LiquidationInput<'a>,
        take_over: bool,
        room: Atoms,
    ) -> Result<Self, EngineError> {
        Self::begin_with(input, take_over, Some(room))
    }

    fn begin_with(
        input: &LiquidationInput<'a>,
        take_over: bool,
        room: Option<Atoms>,
    ) -> Result<Self, EngineError> {
        let position = &input.position;
        let side = position.side().ok_or(EngineError::NoPosition)?;
        let notional = position.notional(input.mark)?;
        let equity = position.equity(input.mark)?;
        let maintenance = maintenance_margin(input.params, notional)?;
        let mut this = Self {
            input: *input,
            side,
            equity,
            maintenance,
            step: Step {
                lots: position.size(),
                discount: 0,
                discount_bps: 0,
                fee: 0,
                ladder_capped: false,
                follow_up: false,
            },
            limit: None,
            offered: take_over,
            take_over,
            most: u64::MAX,
            premium: None,
            book_lots: 0,
            book_notional: 0,
            reward: 0,
        };
        if equity.is_negative() {
            let covered = equity.get().unsigned_abs() <= input.insurance_available;
            this.take_over = take_over && covered;
            this.limit = this.take_over.then_some(notional);
        } else {
            if equity.positive_part() >= maintenance {
                return Err(EngineError::Healthy);
            }
            let restoring = room.unwrap_or(equity);
            let restoring = (!restoring.is_negative()).then(|| restoring.positive_part());
            let equity = equity.positive_part();
            this.step = step(input, side, equity, restoring, maintenance, notional)?;
            let worst = this.discounted(this.step.lots, this.step.discount)?;
            let worst = u64::try_from(worst.get()).map_err(|_| EngineError::Overflow)?;
            this.limit = Some(worst);
        }
        Ok(this)
    }

    /// The same where the liquidator takes over `most` lots or fewer.
    #[must_use]
    pub const fn bounded(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// What is left for a pool that stands in the liquidator's place; no lots where nobody may take
    /// over.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn offer(&self) -> Result<Offer, EngineError> {
        let left = self.left()?;
        let whole = self.input.position.size();
        let held = whole.checked_sub(self.book_lots);
        Ok(Offer {
            side: self.side,
            lots: if self.take_over { left } else { 0 },
            held: held.ok_or(EngineError::Overflow)?,
            whole,
            discount_bps: self.step.discount_bps,
            rescue: self.equity.is_negative(),
        })
    }

    /// The same where a pool takes over `most` lots. For those of a position with negative equity
    /// insurance pays it `premium_bps` of their notional on top, out of what is left of the
    /// `insurance_alone` atoms that it may pay without held profit.
    #[must_use]
    pub const fn into_pool(self, most: u64, premium_bps: u32, insurance_alone: u64) -> Self {
        Self {
            most,
            premium: Some((premium_bps, insurance_alone)),
            ..self
        }
    }

    /// Of the lots that are left, those that the liquidator takes over: all, or as many as it wants
    /// and as leave nothing less than the least position.
    fn taken_of(&self, left: u64) -> Result<u64, EngineError> {
        if self.most >= left {
            return Ok(left);
        }
        let held = self.input.position.size().checked_sub(self.book_lots);
        let held = held.ok_or(EngineError::Overflow)?;
        let least = self.input.params.min_position_lots;
        Ok(self.most.min(held.max(least).wrapping_sub(least)))
    }

    /// Lots that nobody has taken so far.
    pub fn left(&self) -> Result<u64, EngineError> {
        let left = self.step.lots.checked_sub(self.book_lots);
        left.ok_or(EngineError::Overflow)
    }

    /// The side of the book that can take the lots.
    #[must_use]
    pub const fn book_side(&self) -> Side {
        self.side
    }

    /// Whether the victim gets no less at `price` than from the liquidator.
    #[must_use]
    pub fn meets(&self, price: LotPrice) -> bool {
        let Some(worst) = self.limit else {
            return self.input.position.is_solvent_at(price);
        };
        // A price within 31 bits times lots within 32.
        let offered = price.get().wrapping_mul(self.step.lots);
        match self.side {
            Side::Long => offered >= worst,
            Side::Short => offered <= worst,
        }
    }

    /// Whether lots may be taken over although the book would still take some at such a
    /// price: only once the position has been flagged for longer than the discount's ramp,
    /// so that nobody holds a liquidation up with ever new orders.
    #[must_use]
    pub fn may_pass_over_book(&self) -> bool {
        let elapsed = self.input.flagged_for();
        elapsed.is_some_and(|slots| slots > self.input.params.discount_ramp_slots)
    }

    /// Lets the book take lots, best price first, as long as it pays no less than the
    /// liquidator. Whether no order is left that would take lots, for [`Self::finish`].
    ///
    /// Errors: those of `makers`, `Overflow`.
    pub fn descend<M: Makers>(&mut self, makers: &mut M) -> Result<bool, M::Error> {
        loop {
            let left = self.left().map_err(M::refused)?;
            if left == 0 {
                return Ok(true);
            }
            let best = makers.best(self.book_side())?;
            let Some(best) = best.filter(|best| self.meets(best.price)) else {
                return Ok(true);
            };
            match makers.meet(best.node, left)? {
                Met::Filled(lots) => self.take(lots, best.price).map_err(M::refused)?,
                Met::Removed | Met::Skipped => {}
                Met::ListEnded => return Ok(false),
            }
        }
    }

    /// Records that the book took `lots` at `price`, which [`Self::meets`] the limit.
    pub fn take(&mut self, lots: u64, price: LotPrice) -> Result<(), EngineError> {
        let notional = price.notional(lots)?;
        let reward = self.reward_of(lots, notional)?;
        self.book_lots = sum(self.book_lots, lots)?;
        self.book_notional = sum(self.book_notional, notional)?;
        self.reward = sum(self.reward, reward)?;
        Ok(())
    }

    /// The liquidator's reward for lots the book took, atoms: a share of their notional out
    /// of what the book paid above the liquidator's own price; nothing when the equity is
    /// negative.
    fn reward_of(&self, lots: u64, notional: u64) -> Result<u64, EngineError> {
        let Some(worst) = self.limit.filter(|_| !self.equity.is_negative()) else {
            return Ok(0);
        };
        let improvement = match self.side {
            Side::Long => notional.checked_sub(mul_div_ceil(worst, lots, self.step.lots)?),
            Side::Short => mul_div_floor(worst, lots, self.step.lots)?.checked_sub(notional),
        };
        let most = Bps::new(self.input.params.book_reward_bps).floor_of(notional)?;
        Ok(improvement.unwrap_or(0).min(most))
    }

    /// Why nothing was closed, when nothing was.
    #[must_use]
    pub fn nothing_closed(&self) -> EngineError {
        match (self.offered, self.take_over) {
            (false, _) => EngineError::NothingFilled,
            (true, false) => EngineError::InsuranceCannotPay,
            (true, true) if self.premium.is_some() && self.most == 0 => EngineError::PoolCannotTake,
            (true, true) if self.left().and_then(|left| self.taken_of(left)) == Ok(0) => {
                EngineError::PositionTooSmall
            }
            (true, true) => EngineError::LiquidationSkipsBook,
        }
    }

    /// Concludes. `exhausted` says that no order is left in the book that [`Self::meets`]
    /// the limit; where one is, nothing is taken over unless
    /// [`Self::may_pass_over_book`].
    ///
    /// Nothing may have been closed at all, see [`LiquidationPlan::lots`]. Errors:
    /// `Overflow`.
    pub fn finish(&self, exhausted: bool) -> Result<LiquidationPlan, EngineError> {
        let left = self.left()?;
        let takes_over = self.take_over && (exhausted || self.may_pass_over_book());
        let taken = if takes_over { self.taken_of(left)? } else { 0 };
        let closed = sum(self.book_lots, taken)?;
        let discount = mul_div_floor(self.step.discount, taken, self.step.lots)?;
        let fee = mul_div_floor(self.step.fee, closed, self.step.lots)?;
        let lots = Lots::on_side(self.side.opposite(), closed)?;
        let book_quote = self.signed(Atoms::from_unsigned(self.book_notional)?)?;
        let taken_quote = self.signed(self.discounted(taken, discount)?)?;
        let mut plan = LiquidationPlan {
            lots,
            quote: book_quote.try_add(taken_quote)?,
            book_lots: Lots::on_side(self.side.opposite(), self.book_lots)?,
            book_quote,
            reward_atoms: self.reward,
            discount_atoms: discount,
            insurance_fee_atoms: fee,
            insurance_paid_atoms: 0,
            premium_atoms: 0,
            position_after: self.input.position,
            victim_payout: Atoms::ZERO,
            equity_before: self.equity,
            maintenance_before: self.maintenance,
            ladder_capped: self.step.ladder_capped,
            step_left: if self.equity.is_negative() {
                0
            } else {
                left.checked_sub(taken).ok_or(EngineError::Overflow)?
            },
            follow_up: self.step.follow_up,
        };
        if closed > 0 {
            self.close(&mut plan)?;
            plan.premium_atoms = self.premium_for(taken, plan.insurance_paid_atoms)?;
        }
        Ok(plan)
    }

    /// Closes the lots and charges the victim; insurance pays for them, and what is left of the
    /// position keeps its own deficit.
    fn close(&self, plan: &mut LiquidationPlan) -> Result<(), EngineError> {
        let charges = sum(plan.insurance_fee_atoms, plan.reward_atoms)?;
        let position = &self.input.position;
        let (mut after, left) = position.close_into_margin(plan.lots, plan.quote)?;
        plan.insurance_paid_atoms = self.insurance_for(plan)?;
        if after.is_empty() {
            let paid = left.try_add_unsigned(plan.insurance_paid_atoms)?;
            plan.victim_payout = paid.try_sub_unsigned(charges)?;
            if plan.victim_payout.is_negative() {
                return Err(EngineError::Overflow);
            }
        } else {
            after.margin = after
                .margin
                .try_add_unsigned(plan.insurance_paid_atoms)?
                .try_sub_unsigned(charges)?;
        }
        plan.position_after = after;
        Ok(())
    }

    /// What insurance pays for the closed lots, atoms: their share of the deficit less what was
    /// paid for them beyond the mark.
    fn insurance_for(&self, plan: &LiquidationPlan) -> Result<u64, EngineError> {
        if !self.equity.is_negative() {
            return Ok(0);
        }
        let deficit = Deficit::new(
            self.equity.get().unsigned_abs(),
            self.input.insurance_available,
            self.input.position.size(),
        );
        let closed = plan.lots.size();
        let worth = self.signed(Atoms::from_unsigned(self.input.mark.notional(closed)?)?)?;
        let beyond = worth.try_sub(plan.quote)?.positive_part();
        let share = deficit.insurance_for(closed)?;
        Ok(share.max(beyond).wrapping_sub(beyond))
    }

    /// What insurance, which `paid` atoms of the deficit, pays a pool for `taken` lots, atoms.
    fn premium_for(&self, taken: u64, paid: u64) -> Result<u64, EngineError> {
        match self.premium {
            Some((bps, alone)) if self.equity.is_negative() => {
                let whole = Bps::new(bps).floor_of(self.input.mark.notional(taken)?)?;
                Ok(whole.min(alone.max(paid).wrapping_sub(paid)))
            }
            _ => Ok(0),
        }
    }

    /// What `lots` cost at the mark less `discount` for a long victim, plus it for a short
    /// one, atoms.
    fn discounted(&self, lots: u64, discount: u64) -> Result<Atoms, EngineError> {
        let notional = Atoms::from_unsigned(self.input.mark.notional(lots)?)?;
        match self.side {
            Side::Long => notional.try_sub_unsigned(discount),
            Side::Short => notional.try_add_unsigned(discount),
        }
    }

    /// A total price with the sign of the victim's fill.
    fn signed(&self, total: Atoms) -> Result<Atoms, EngineError> {
        match self.side {
            Side::Long => Atoms::ZERO.try_sub(total),
            Side::Short => Ok(total),
        }
    }
}

fn sum(a: u64, b: u64) -> Result<u64, EngineError> {
    a.checked_add(b).ok_or(EngineError::Overflow)
}
