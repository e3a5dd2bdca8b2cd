//! Whether, how much and at what price a position is liquidated.

mod discount;
mod waterfall;

use core::cmp::Ordering;

use crate::adl;
use crate::distress::Distress;
use crate::error::EngineError;
use crate::health::Look;
use crate::margin::maintenance_margin;
use crate::math::{div_rem, mul_div_floor};
use crate::position::Position;
use crate::risk::RiskParams;
use crate::units::{Atoms, Bps, LotPrice, Lots, Side, BPS_ONE};

pub use crate::health::{health, look, Health};
pub use waterfall::Waterfall;

/// Everything a liquidation depends on. Nobody chooses its size.
#[derive(Clone, Copy, Debug)]
pub struct LiquidationInput<'a> {
    /// The position, funding settled.
    pub position: Position,
    /// The market's price.
    pub mark: LotPrice,
    /// The market's parameters, validated.
    pub params: &'a RiskParams,
    /// The current slot.
    pub slot: u64,
    /// What is remembered of the position.
    pub distress: Distress,
    /// What insurance may pay now, atoms.
    pub insurance_available: u64,
}

impl LiquidationInput<'_> {
    /// See [`Distress::past_grace`].
    #[must_use]
    pub fn past_grace(&self) -> bool {
        let grace_slots = self.params.adl.grace_slots;
        self.distress.past_grace(grace_slots, self.slot)
    }

    /// Slots since the position was flagged below maintenance; `None` when it is not.
    fn flagged_for(&self) -> Option<u64> {
        self.distress.flagged_for(self.slot)
    }
}

/// One liquidation, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationPlan {
    /// The victim's fill, signed against its position: book and liquidator together.
    pub lots: Lots,
    /// The quote of the victim's fill, atoms, of the sign of `lots`.
    pub quote: Atoms,
    /// The part of `lots` that the book took.
    pub book_lots: Lots,
    /// The part of `quote` that the book paid or got, atoms.
    pub book_quote: Atoms,
    /// What the liquidator earns on the lots the book took, atoms; the victim pays it.
    pub reward_atoms: u64,
    /// What the liquidator gains against the mark on the lots it takes over, atoms; part of
    /// `quote`.
    pub discount_atoms: u64,
    /// What the victim pays to insurance, atoms.
    pub insurance_fee_atoms: u64,
    /// What insurance pays to the victim's deficit, atoms.
    pub insurance_paid_atoms: u64,
    /// What insurance pays a pool on top for lots that it took over at the mark, atoms.
    pub premium_atoms: u64,
    /// The victim's position afterwards.
    pub position_after: Position,
    /// What moves to the victim's free collateral, atoms, not negative; more than
    /// zero only when the position is closed.
    pub victim_payout: Atoms,
    /// Equity at the mark before, atoms.
    pub equity_before: Atoms,
    /// Maintenance margin at the mark before, atoms.
    pub maintenance_before: u64,
    /// Whether the ladder closed less than would have restored the position.
    pub ladder_capped: bool,
    /// Lots of this step that neither the book nor the liquidator took; 0 with negative
    /// equity, where no step limits anything.
    pub step_left: u64,
    /// Whether this went on with an unfinished step.
    pub follow_up: bool,
}

impl LiquidationPlan {
    /// The liquidator's fill: what the book did not take, both signs turned; `None` where
    /// that is nothing.
    pub fn liquidator_fill(&self) -> Result<Option<(Lots, Atoms)>, EngineError> {
        let lots = self.book_lots.try_add(self.lots.opposite())?;
        if lots.is_zero() {
            return Ok(None);
        }
        Ok(Some((lots, self.book_quote.try_sub(self.quote)?)))
    }

    /// What is remembered of the position once this step left it so; `before` is what was. A step that
    /// goes on with an unfinished one does not begin the ladder's interval again.
    ///
    /// `SizeOutOfRange` for a step of more lots than there can be.
    pub fn remembered(
        &self,
        before: &Distress,
        look: impl Into<Look>,
        slot: u64,
    ) -> Result<Distress, EngineError> {
        let mut after = before.recorded(look, slot);
        if self.position_after.is_empty() {
            return Ok(after);
        }
        (after.last_step_slot, after.step_left) = (before.last_step_slot, before.step_left);
        if !self.lots.is_zero() {
            let left = u32::try_from(self.step_left);
            after.step_left = left.map_err(|_| EngineError::SizeOutOfRange)?;
            if !self.follow_up {
                after.last_step_slot = slot;
            }
        }
        Ok(after)
    }
}

/// What a position needs from keepers, its flags aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it has its maintenance margin.
    Nothing,
    /// Its next liquidation step has to wait for the ladder's interval.
    Wait,
    /// A liquidation: equity is below maintenance, or negative and insurance pays.
    Liquidate,
    /// Deleveraging: equity is negative, and insurance cannot pay or has had its time.
    Deleverage,
}

/// What a position needs from keepers. Errors: `Overflow`, those of a corrupt position.
pub fn need(input: &LiquidationInput<'_>) -> Result<Need, EngineError> {
    Ok(match health(&input.position, input.mark, input.params)? {
        Health::Healthy => Need::Nothing,
        Health::Bankrupt { deficit }
            if adl::is_due(deficit, input.insurance_available, input.past_grace()) =>
        {
            Need::Deleverage
        }
        Health::Bankrupt { .. } => Need::Liquidate,
        Health::BelowMaintenance => match Waterfall::begin(input, true) {
            Ok(_) => Need::Liquidate,
            Err(EngineError::LadderInterval) => Need::Wait,
            Err(error) => return Err(error),
        },
    })
}

/// How near a position is to its end: equity and maintenance margin at the mark, atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Equity.
    pub equity: Atoms,
    /// Maintenance margin.
    pub maintenance: u64,
}

impl Distance {
    /// That of a settled position at `mark`. Errors: `Overflow`.
    pub fn of(
        position: &Position,
        mark: LotPrice,
        params: &RiskParams,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            equity: position.equity(mark)?,
            maintenance: maintenance_margin(params, position.notional(mark)?)?,
        })
    }

    /// The order in which positions are attended to: the lower ratio of equity to maintenance
    /// margin first, exactly.
    #[must_use]
    pub fn worse_first(&self, other: &Self) -> Ordering {
        // 63 and 64 bits.
        let cross =
            |a: &Self, b: &Self| i128::from(a.equity.get()).wrapping_mul(i128::from(b.maintenance));
        cross(self, other).cmp(&cross(other, self))
    }
}

/// Decides a liquidation without a book: the liquidator takes everything over. See
/// [`Waterfall`].
///
/// Errors: `NoPosition`, `Healthy`, `LadderInterval`, `InsuranceCannotPay`,
/// `Overflow`.
pub fn plan(input: &LiquidationInput<'_>) -> Result<LiquidationPlan, EngineError> {
    let waterfall = Waterfall::begin(input, true)?;
    let plan = waterfall.finish(true)?;
    if plan.lots.is_zero() {
        return Err(waterfall.nothing_closed());
    }
    Ok(plan)
}

/// How much of a position one step closes and what that costs at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Lots, at least one.
    lots: u64,
    /// The liquidator's discount on all of them, atoms.
    discount: u64,
    /// The rate of that, basis points of their notional, rounded down.
    discount_bps: u32,
    /// The fee to insurance on all of them, atoms.
    fee: u64,
    ladder_capped: bool,
    follow_up: bool,
}

/// The least number of lots whose closing, after discount and fee in full, leaves
/// maintenance and the buffer; never more than the ladder allows, never less than the smallest
/// position unless it goes on with a step, and everything when the rest would be below that.
/// Discount and then fee are cut to the closed lots' share of the equity, so neither can bankrupt
/// the position or worsen its ratio.
///
/// `restoring` is the equity that has to hold maintenance and the buffer of what is left: all of an
/// isolated position's, what the other legs leave of an account's; `None` where they leave nothing.
fn step(
    input: &LiquidationInput<'_>,
    side: Side,
    equity: u64,
    restoring: Option<u64>,
    maintenance: u64,
    notional: u64,
) -> Result<Step, EngineError> {
    let discount_bps = discount::rate_bps(input, equity, maintenance)?;
    let (most, follow_up) = ladder_lots(input, equity, maintenance)?;
    let size = input.position.size();
    let needed = match restoring {
        Some(equity) => restoring_lots(input, equity, notional, discount_bps)?,
        None => size,
    };
    let least = if follow_up {
        1
    } else {
        input.params.min_position_lots.min(size)
    };
    let mut lots = needed.min(most).max(least);
    let rest = size.checked_sub(lots).ok_or(EngineError::Overflow)?;
    if rest < input.params.min_position_lots {
        lots = size;
    }
    let charges = charges(input, side, equity, lots, discount_bps)?;
    Ok(Step {
        lots,
        discount: charges.discount,
        discount_bps: charges.discount_bps,
        fee: charges.fee,
        ladder_capped: lots < needed,
        follow_up,
    })
}

/// Most lots the ladder allows: the first step whose ratio equity / maintenance
/// exceeds, rounded up; everything below the last one. Within the interval only what is
/// left of the step before, which makes it a follow-up; `LadderInterval` when that is
/// nothing.
fn ladder_lots(
    input: &LiquidationInput<'_>,
    equity: u64,
    maintenance: u64,
) -> Result<(u64, bool), EngineError> {
    let size = input.position.size();
    let ratio = product(equity, BPS_ONE);
    let exceeded = input
        .params
        .active_ladder()?
        .iter()
        .find(|step| ratio > product(maintenance, u64::from(step.above_ratio_bps)));
    let Some(step) = exceeded.filter(|step| u64::from(step.close_bps) < BPS_ONE) else {
        return Ok((size, false));
    };
    let (last_step_slot, step_left) = (input.distress.last_step_slot, input.distress.step_left);
    let waited = last_step_slot == 0
        || input
            .slot
            .checked_sub(last_step_slot)
            .is_some_and(|slots| slots >= input.params.ladder_interval_slots);
    if waited {
        return Ok((Bps::new(step.close_bps).ceil_of(size)?, false));
    }
    if step_left == 0 {
        return Err(EngineError::LadderInterval);
    }
    Ok((u64::from(step_left).min(size), true))
}

/// The least lots whose closing leaves at least `(1 + buffer) * maintenance` of the
/// rest, counting discount and fee in full and nothing rounded.
///
/// In units of 1e-8 atoms, with S the notional left, V the whole, M(S) maintenance
/// in 1e-4 atoms and d the charges' rate, the rest stands when
/// `(1e4 + buffer) M(S) - 1e4 d S <= 1e8 equity - 1e4 d V`. The left side starts at
/// zero and rises with S in every bracket because d is below the lowest rate.
fn restoring_lots(
    input: &LiquidationInput<'_>,
    equity: u64,
    notional: u64,
    discount_bps: u32,
) -> Result<u64, EngineError> {
    let size = input.position.size();
    let rate = u64::from(discount_bps)
        .checked_add(u64::from(input.params.liquidation_fee_bps))
        .and_then(|rate| rate.checked_mul(BPS_ONE))
        .ok_or(EngineError::Overflow)?;
    let charges = product(notional, rate);
    let budget = product(equity, 100_000_000).checked_sub(charges);
    let Some(budget) = budget else {
        return Ok(size);
    };
    let left = largest_rest(input.params, rate, budget)?.min(u128::from(notional));
    let (rest, _) = div_rem(left, input.mark.get())?;
    let rest = u64::try_from(rest).map_err(|_| EngineError::Overflow)?;
    size.checked_sub(rest).ok_or(EngineError::Overflow)
}

/// The largest S within `budget`, atoms rounded down.
fn largest_rest(params: &RiskParams, rate: u64, mut budget: u128) -> Result<u128, EngineError> {
    let restored = BPS_ONE
        .checked_add(u64::from(params.liquidation_buffer_bps))
        .ok_or(EngineError::Overflow)?;
    let slope = |maintenance_margin_bps: u32| {
        restored
            .checked_mul(u64::from(maintenance_margin_bps))
            .and_then(|margin| margin.checked_sub(rate))
            .ok_or(EngineError::RiskLiquidation)
    };
    let (last, lower) = params
        .active_tiers()?
        .split_last()
        .ok_or(EngineError::RiskTiers)?;
    let mut from = 0_u64;
    let mut rates = lower.iter();
    let bps = loop {
        let Some(tier) = rates.next() else {
            break last.maintenance_margin_bps;
        };
        let bps = tier.maintenance_margin_bps;
        let limit = tier.notional_limit_atoms;
        let span = limit.checked_sub(from).ok_or(EngineError::RiskTiers)?;
        let Some(left) = budget.checked_sub(product(span, slope(bps)?)) else {
            break bps;
        };
        budget = left;
        from = limit;
    };
    let (inside, _) = div_rem(budget, slope(bps)?)?;
    inside
        .checked_add(u128::from(from))
        .ok_or(EngineError::Overflow)
}

/// Discount and fee of closed lots, atoms, and the rate of the discount.
struct Charges {
    discount: u64,
    discount_bps: u32,
    fee: u64,
}

/// Discount and fee of closing `closed` lots: together at most the closed lots' share of the equity,
/// the discount first. Its rate is `discount_bps` unless it was cut.
fn charges(
    input: &LiquidationInput<'_>,
    side: Side,
    equity: u64,
    closed: u64,
    discount_bps: u32,
) -> Result<Charges, EngineError> {
    let notional = input.mark.notional(closed)?;
    let share = mul_div_floor(equity, closed, input.position.size())?;
    // The price after the discount stays within the price range.
    let edge = match side {
        Side::Long => LotPrice::MIN,
        Side::Short => LotPrice::MAX,
    };
    let room = edge.notional(closed)?.abs_diff(notional);
    let whole = Bps::new(discount_bps).floor_of(notional)?;
    let discount = whole.min(share).min(room);
    let discount_bps = if discount < whole {
        // Less than what the rate gives.
        let cut = mul_div_floor(discount, BPS_ONE, notional)?;
        u32::try_from(cut).map_err(|_| EngineError::Overflow)?
    } else {
        discount_bps
    };
    let left = share.checked_sub(discount).ok_or(EngineError::Overflow)?;
    let fee = Bps::new(input.params.liquidation_fee_bps)
        .floor_of(notional)?
        .min(left);
    Ok(Charges {
        discount,
        discount_bps,
        fee,
    })
}

fn product(a: u64, b: u64) -> u128 {
    // Factors of 64 bits: no wrap.
    u128::from(a).wrapping_mul(u128::from(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BELOW: Health = Health::BelowMaintenance;

    fn step(lots: i64, left: i64, step_left: u64, follow_up: bool) -> LiquidationPlan {
        LiquidationPlan {
            lots: Lots::new(lots).unwrap(),
            quote: Atoms::ZERO,
            book_lots: Lots::ZERO,
            book_quote: Atoms::ZERO,
            reward_atoms: 0,
            discount_atoms: 0,
            insurance_fee_atoms: 0,
            insurance_paid_atoms: 0,
            premium_atoms: 0,
            position_after: Position {
                lots: Lots::new(left).unwrap(),
                ..Position::default()
            },
            victim_payout: Atoms::ZERO,
            equity_before: Atoms::ZERO,
            maintenance_before: 0,
            ladder_capped: false,
            step_left,
            follow_up,
        }
    }

    #[test]
    fn a_step_begins_the_interval_and_one_that_goes_on_does_not() {
        let before = Distress {
            flagged_slot: 3,
            last_step_slot: 4,
            step_left: 7,
            ..Distress::NONE
        };
        let ladder = |plan: &LiquidationPlan, health| {
            let after = plan.remembered(&before, health, 20).unwrap();
            (after.flagged_slot, after.last_step_slot, after.step_left)
        };
        assert_eq!(ladder(&step(-5, 9, 2, false), BELOW), (3, 20, 2));
        assert_eq!(ladder(&step(-5, 9, 2, true), BELOW), (3, 4, 2));
        assert_eq!(ladder(&step(0, 9, 2, false), BELOW), (3, 4, 7));
        // Healthy again: the flag goes, the interval runs on.
        assert_eq!(ladder(&step(-5, 9, 2, false), Health::Healthy), (0, 20, 2));
        assert_eq!(ladder(&step(-5, 0, 0, false), Health::Healthy), (0, 0, 0));
        let too_many = step(-5, 9, u64::MAX, false);
        let refused = too_many.remembered(&before, BELOW, 20);
        assert_eq!(refused, Err(EngineError::SizeOutOfRange));
    }
}
