//! Health, flags, and how much of a position a liquidation may close.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::holding::{Holding, MAX_PRICE};
use super::number::{ceil, floor, part, whole, ONE};
use super::oracle::Use;
use super::refusal::{require, Verdict};
use super::state::{Distress, Model};
use super::trade::{margin, margin_due, Rate};

/// How a position stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// At least maintenance margin, or nothing held.
    Healthy,
    /// Below maintenance, not below zero.
    Weak,
    /// Below zero by so much.
    Bankrupt(i128),
}

impl Health {
    /// Of a settled holding at a price.
    pub fn of(holding: &Holding, price: i128, params: &RiskParams) -> Self {
        let equity = holding.equity(price);
        let due = margin_due(params, holding.size() * price, Rate::Maintenance);
        if equity < 0 {
            Self::Bankrupt(-equity)
        } else if equity < due {
            Self::Weak
        } else {
            Self::Healthy
        }
    }
}

/// What a liquidation may come to.
pub struct Plan {
    /// Lots to close.
    pub lots: i128,
    /// Their worth at the mark.
    pub notional: i128,
    /// The liquidator's discount for all of them.
    pub discount: i128,
    /// Its rate, basis points of their worth, rounded down where the discount was cut.
    pub rate: i128,
    /// Insurance's part for all of them.
    pub fee: i128,
    /// Deficit of the position; 0 where it has equity.
    pub deficit: i128,
    /// Whether it finishes the step before.
    pub follow_up: bool,
}

impl Model {
    /// Anybody flags a position, or clears its flags.
    pub fn flag(&mut self, market: usize, trader: usize) -> Verdict<()> {
        let mark = self.touch(market, Use::Flag(self.flagged(market, trader)))?;
        let flagged = self.needed(market, trader)?.distress.flagged_slot != 0;
        let holding = self.settled(market, trader)?;
        let params = self.markets[market].params;
        let health = Health::of(&holding, mark.price, &params);
        let matters = flagged || health != Health::Healthy;
        require(matters, BallastError::Healthy)?;
        let restored = is_restored(&holding, mark.price, &params);
        self.record(market, trader, health, restored);
        Ok(())
    }

    /// Brings the flags level with the health. A look counts the slots since the last one, fifty at
    /// most, where the position is in trouble; it is forgotten once it holds maintenance and the
    /// buffer.
    pub fn record(&mut self, market: usize, trader: usize, health: Health, restored: bool) {
        let now = self.slot;
        let distress = self.distress_mut(market, trader);
        *distress = distress.after(now, health, restored);
    }

    /// What a market's insurance may pay now.
    pub fn insurance_available(&self, market: usize) -> i128 {
        let market = &self.markets[market];
        market.insurance.available(&market.params, self.slot)
    }

    /// What of a position may be closed now.
    pub fn plan(
        &self,
        market: usize,
        before: &Holding,
        distress: &Distress,
        price: i128,
    ) -> Verdict<Plan> {
        let room = before.equity(price);
        let health = Health::of(before, price, &self.markets[market].params);
        self.plan_with(market, before, distress, price, (health, room))
    }

    /// The same where somebody else says how it stands, and what there is to hold maintenance and buffer of what is
    /// left with.
    pub fn plan_with(
        &self,
        market: usize,
        before: &Holding,
        distress: &Distress,
        price: i128,
        (health, room): (Health, i128),
    ) -> Verdict<Plan> {
        let params = &self.markets[market].params;
        let size = before.size();
        match health {
            Health::Healthy => Err(BallastError::Healthy.into()),
            Health::Bankrupt(deficit) => Ok(Plan {
                lots: size,
                notional: size * price,
                discount: 0,
                rate: 0,
                fee: 0,
                deficit,
                follow_up: false,
            }),
            Health::Weak => {
                let flagged_for = distress.ages(self.slot, true).0;
                let discount = by_time(params, flagged_for).max(by_depth(params, before, price));
                let (most, follow_up) = self.most_lots(market, before, distress, price)?;
                let needed = needed_lots(params, before, price, discount, room);
                // A step is at least the least position, unless it goes on with another.
                let least = match follow_up {
                    true => 1,
                    false => i128::from(params.min_position_lots).min(size),
                };
                let mut closed = needed.min(most).max(least);
                if size - closed < i128::from(params.min_position_lots) {
                    closed = size;
                }
                let plan = charged(params, before, price, closed, discount);
                Ok(Plan { follow_up, ..plan })
            }
        }
    }

    /// What the ladder allows to close in one step, and whether that is what the last one left.
    fn most_lots(
        &self,
        market: usize,
        before: &Holding,
        distress: &Distress,
        price: i128,
    ) -> Verdict<(i128, bool)> {
        let params = &self.markets[market].params;
        let (size, equity) = (before.size(), before.equity(price));
        let due = margin_due(params, size * price, Rate::Maintenance);
        let steps = &params.ladder[..usize::try_from(params.ladder_count).expect("a small count")];
        let step = steps
            .iter()
            .find(|step| equity * ONE > due * i128::from(step.above_ratio_bps));
        let Some(step) = step.filter(|step| i128::from(step.close_bps) < ONE) else {
            return Ok((size, false));
        };
        let last = distress.last_step_slot;
        let waited = last == 0 || self.slot >= last + params.ladder_interval_slots;
        if !waited && distress.step_left > 0 {
            return Ok((distress.step_left, true));
        }
        require(waited, BallastError::LadderInterval)?;
        let most = ceil(&part(size, i128::from(step.close_bps), ONE));
        Ok((most, false))
    }
}

/// What the discount is by the time since the flag, as far as somebody looked.
fn by_time(params: &RiskParams, flagged_for: Option<u64>) -> i128 {
    let first = i128::from(params.liquidation_discount_bps);
    let last = i128::from(params.liquidation_discount_max_bps);
    let ramp = i128::from(params.discount_ramp_slots);
    match flagged_for.map(i128::from) {
        None => first,
        Some(elapsed) if elapsed >= ramp => last,
        Some(elapsed) => first + floor(&part(last - first, elapsed, ramp)),
    }
}

/// What the discount is by the equity that is left of the maintenance margin.
fn by_depth(params: &RiskParams, before: &Holding, price: i128) -> i128 {
    let first = i128::from(params.liquidation_discount_bps);
    let last = i128::from(params.liquidation_discount_max_bps);
    let full = i128::from(params.discount_full_ratio_bps);
    if full == 0 {
        return first;
    }
    let due = margin_due(params, before.size() * price, Rate::Maintenance);
    let ratio = floor(&part(before.equity(price), ONE, due));
    first + floor(&part(last - first, ONE - ratio.max(full), ONE - full))
}

/// Whether a holding has maintenance margin and the buffer.
pub fn is_restored(holding: &Holding, price: i128, params: &RiskParams) -> bool {
    let due = margin_due(params, holding.size() * price, Rate::Maintenance);
    let buffer = part(due, i128::from(params.liquidation_buffer_bps), ONE);
    holding.equity(price) >= due + ceil(&buffer)
}

impl Distress {
    /// What is remembered after a look at `now`.
    pub fn after(&self, now: u64, health: Health, restored: bool) -> Self {
        let (ramp, grace) = self.ages(now, health != Health::Healthy);
        match health {
            Health::Healthy if restored || ramp.is_none() => Self::default(),
            Health::Healthy | Health::Weak => Self {
                flagged_slot: now - ramp.unwrap_or(0),
                seen_slot: now,
                last_step_slot: self.last_step_slot,
                step_left: self.step_left,
                ..Self::default()
            },
            Health::Bankrupt(deficit) => Self {
                flagged_slot: now - ramp.unwrap_or(0),
                bankrupt_slot: now - grace.unwrap_or(0),
                seen_slot: now,
                deficit,
                ..*self
            },
        }
    }

    /// Since when it has been known to be below maintenance, as far as somebody looked; 0 never, or where the last
    /// look is more than a hundred slots ago.
    pub fn since(&self, now: u64) -> u64 {
        let seen = self.seen_slot.max(self.flagged_slot);
        match self.ages(now, true) {
            (Some(age), _) if now - seen <= 100 => now - age,
            _ => 0,
        }
    }

    /// For how long it has been known to be below maintenance and to be bankrupt, as far as somebody
    /// looked. A look counts fifty slots at most, where the clocks `run`; after 9,000 slots without one
    /// nothing is known.
    pub fn ages(&self, now: u64, run: bool) -> (Option<u64>, Option<u64>) {
        if self.flagged_slot == 0 {
            return (None, None);
        }
        let seen = self.seen_slot.max(self.flagged_slot);
        if now - seen > 9_000 {
            return (None, None);
        }
        let counted = if run { (now - seen).min(50) } else { 0 };
        let age = |since: u64| (since != 0).then(|| seen - since + counted);
        (age(self.flagged_slot), age(self.bankrupt_slot))
    }
}

/// The least lots whose closing, discount and fee in full, leaves maintenance and the buffer:
/// found by halving, since the more is closed the better the rest stands.
fn needed_lots(
    params: &RiskParams,
    before: &Holding,
    price: i128,
    discount: i128,
    room: i128,
) -> i128 {
    let size = before.size();
    let charge = discount + i128::from(params.liquidation_fee_bps);
    let buffer = ONE + i128::from(params.liquidation_buffer_bps);
    let stands = |closed: i128| {
        let rest = (size - closed) * price;
        let left = whole(room) - part(closed * price, charge, ONE);
        let due = margin(params, rest, Rate::Maintenance) * part(buffer, 1, ONE);
        left >= due
    };
    let (mut few, mut many) = (-1, size);
    while many - few > 1 {
        let middle = (few + many).div_euclid(2);
        if stands(middle) {
            many = middle;
        } else {
            few = middle;
        }
    }
    many
}

/// Discount, then fee, out of the closed lots' share of the equity.
fn charged(
    params: &RiskParams,
    before: &Holding,
    price: i128,
    closed: i128,
    discount_bps: i128,
) -> Plan {
    let notional = closed * price;
    let share = floor(&part(before.equity(price), closed, before.size()));
    let edge = if before.sign() > 0 { 1 } else { MAX_PRICE };
    let room = (edge * closed - notional).abs();
    let whole = floor(&part(notional, discount_bps, ONE));
    let discount = whole.min(share).min(room);
    let rate = match discount < whole {
        true => floor(&part(discount, ONE, notional)),
        false => discount_bps,
    };
    let fee = floor(&part(notional, i128::from(params.liquidation_fee_bps), ONE));
    Plan {
        lots: closed,
        notional,
        discount,
        rate,
        fee: fee.min(share - discount),
        deficit: 0,
        follow_up: false,
    }
}
