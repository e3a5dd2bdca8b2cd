//! How many lots of a liquidation a pool takes over.
//!
//! Book and liquidator come first. The pool takes what they leave of the step, at the liquidator's
//! price. Lots that make its position smaller it takes at any discount. Those that enlarge it have to
//! pay: the discount must reach a reservation price that rises with the position, from
//! `reserve_first_bps` for the first lot to `reserve_last_bps` for the last one below the cap. Where
//! volatility multiplies initial margin the cap is divided by as much.
//!
//! For a position with negative equity there is no discount: insurance pays the deficit, the pool takes
//! at the mark and insurance pays it a premium. The reservation price does not count there, since no
//! discount can be had and what the pool leaves is deleveraged; cap, window and drawdown do.

use super::{PoolMode, PoolParams};
use crate::error::EngineError;
use crate::margin::initial_margin;
use crate::math::{div_rem, mul_div_floor, product};
use crate::oracle::Mark;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::trade::{take_over, PartyInput, PartyOutcome};
use crate::units::{Atoms, Bps, LotPrice, Lots, Side, BPS_ONE};
use crate::volatility::ONE_PPM;

/// What a step of a liquidation leaves for the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The side of the victim's position, which the lots taken over are on.
    pub side: Side,
    /// Lots that are left of the step.
    pub lots: u64,
    /// Lots that are left of the victim's position, at least as many.
    pub held: u64,
    /// Lots of the victim's position before the step.
    pub whole: u64,
    /// Discount at which they are offered, basis points of their notional, rounded down.
    pub discount_bps: u32,
    /// Whether insurance pays for the lots: the victim's equity is negative.
    pub rescue: bool,
}

/// A pool that is offered lots.
#[derive(Clone, Copy, Debug)]
pub struct PoolTaker<'a> {
    /// Its parameters, validated.
    pub params: &'a PoolParams,
    /// What it does now.
    pub mode: PoolMode,
    /// What it is worth to whoever leaves, atoms.
    pub low: u64,
    /// Its position, funding settled.
    pub position: Position,
    /// Notional by which it enlarged its position lately, atoms.
    pub taken: u64,
    /// Whether its shares have lost more than its drawdown.
    pub fallen: bool,
    /// Whether the queue of the victim's side has room for one more position.
    pub has_room: bool,
    /// What volatility multiplies initial margin by, and divides the cap by, millionths, at least
    /// [`ONE_PPM`].
    pub multiplier_ppm: u32,
}

impl PoolTaker<'_> {
    /// Lots that the pool takes of `offer` at `mark`: nothing while its own position has negative equity.
    ///
    /// # Errors
    /// `Overflow`, `RiskTiers`.
    pub fn take(
        &self,
        risk: &RiskParams,
        mark: LotPrice,
        offer: &Offer,
    ) -> Result<u64, EngineError> {
        if self.position.equity(mark)?.is_negative() {
            return Ok(0);
        }
        let size = self.position.size();
        let (opposite, behind) = match self.position.side() {
            Some(side) if side == offer.side => (0, size),
            Some(_) => (size, 0),
            None => (0, 0),
        };
        let room = if offer.lots > opposite {
            self.room(risk, mark, offer, behind)?
        } else {
            0
        };
        let wanted = opposite.checked_add(room).ok_or(EngineError::Overflow)?;
        let most = whole_or_leaving(wanted, offer, risk.min_position_lots);
        let enlarging = beyond(most, opposite);
        // Within 64 bits: not more than the room, which is beside `behind`.
        let after = behind.wrapping_add(enlarging);
        let small = enlarging > 0
            && after < risk.min_position_lots
            && offer.whole >= risk.min_position_lots;
        let lots = if small {
            whole_or_leaving(opposite, offer, risk.min_position_lots)
        } else {
            most
        };
        if lots < risk.min_position_lots && lots < offer.held {
            return Ok(0);
        }
        Ok(lots)
    }

    /// Most lots by which its position, of `behind` lots on the victim's side, may grow.
    fn room(
        &self,
        risk: &RiskParams,
        mark: LotPrice,
        offer: &Offer,
        behind: u64,
    ) -> Result<u64, EngineError> {
        let queue = self.has_room || behind > 0;
        let used = self.used(offer);
        if self.mode != PoolMode::Open || self.fallen || !queue || used == 0 {
            return Ok(0);
        }
        let share = u64::from(self.params.cap_bps).wrapping_mul(used);
        let cap = atoms(product(self.low, share), 100_000_000)?;
        let cap = mul_div_floor(cap, ONE_PPM.into(), self.multiplier_ppm.max(ONE_PPM).into())?;
        let window = u64::from(self.params.take_cap_bps);
        let window = atoms(product(self.low, window), BPS_ONE)?;
        let tiers = risk.active_tiers()?;
        let limit = tiers.last().ok_or(EngineError::RiskTiers)?;
        let largest = cap.min(limit.notional_limit_atoms);
        let inventory = lots_for(largest, mark).min(risk.max_position_lots);
        let window = lots_for(beyond(window, self.taken), mark);
        Ok(beyond(inventory, behind).min(window))
    }

    /// The part of its cap that it uses at the discount of `offer`, basis points.
    fn used(&self, offer: &Offer) -> u64 {
        if offer.rescue {
            return BPS_ONE;
        }
        let (first, last) = (self.params.reserve_first_bps, self.params.reserve_last_bps);
        let Some(above) = offer.discount_bps.checked_sub(first) else {
            return 0;
        };
        let range = u64::from(last.max(first).wrapping_sub(first));
        // 32 bits times 14.
        let above = u64::from(above).wrapping_mul(BPS_ONE);
        above
            .checked_div(range)
            .map_or(BPS_ONE, |used| used.min(BPS_ONE))
    }
}

/// What a pool with `position` becomes when it takes `lots` over for `quote`, of a position of `whole`
/// lots, and has `free` atoms of free collateral: of that, what brings its equity to `margin_bps` of the
/// notional goes into the position's margin, and no less than initial margin asks for.
///
/// # Errors
/// Those of [`take_over`].
pub fn back(
    params: &PoolParams,
    risk: &RiskParams,
    mark: &Mark,
    position: Position,
    free: Atoms,
    (lots, quote): (Lots, Atoms),
    whole: u64,
) -> Result<PartyOutcome, EngineError> {
    let fill = position.fill(lots, quote)?;
    let available = free.try_add(fill.payout()?)?.positive_part();
    let margin_to_add = match fill.position.side() {
        None => 0,
        Some(side) => {
            let after = &fill.position;
            let wanted = missing(params, mark.price, after)?;
            let worst = mark.worsened(side)?;
            let least = initial_margin(risk, &mark.scale, after.notional(worst.max(mark.price))?)?;
            let least = Atoms::from_unsigned(least)?.try_sub(after.equity(worst)?)?;
            wanted.min(available).max(least.positive_part())
        }
    };
    let input = PartyInput {
        position,
        free,
        margin_to_add,
    };
    take_over(risk, mark, &input, lots, quote, whole)
}

/// Lots by which a take that made `after` of a pool's position enlarged it: those beyond what it held on
/// that side `before`.
#[must_use]
pub fn enlarged(before: Lots, after: Lots) -> u64 {
    let held = if before.side() == after.side() {
        before.size()
    } else {
        0
    };
    beyond(after.size(), held)
}

/// What the equity of a pool's position lacks at `mark` to `margin_bps` of its notional, atoms.
pub(super) fn missing(
    params: &PoolParams,
    mark: LotPrice,
    position: &Position,
) -> Result<u64, EngineError> {
    let wanted = Bps::new(params.margin_bps).floor_of(position.notional(mark)?)?;
    let lacking = Atoms::from_unsigned(wanted)?.try_sub(position.equity(mark)?)?;
    Ok(lacking.positive_part())
}

/// All lots that are offered, or `most`, or as many as leave the victim nothing less than the `least`
/// position.
fn whole_or_leaving(most: u64, offer: &Offer, least: u64) -> u64 {
    if most >= offer.lots {
        return offer.lots;
    }
    most.min(offer.held.max(least).wrapping_sub(least))
}

fn atoms(product: u128, divisor: u64) -> Result<u64, EngineError> {
    let (atoms, _) = div_rem(product, divisor)?;
    Ok(u64::try_from(atoms).unwrap_or(u64::MAX))
}

/// Lots at `mark` for `atoms`, rounded down.
fn lots_for(atoms: u64, mark: LotPrice) -> u64 {
    // A price is at least one.
    atoms.checked_div(mark.get()).unwrap_or(0)
}

fn beyond(most: u64, part: u64) -> u64 {
    most.max(part).wrapping_sub(part)
}
