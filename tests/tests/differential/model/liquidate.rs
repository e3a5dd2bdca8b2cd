//! Flags and liquidations.

use ballast::error::BallastError;
use ballast_engine::risk::RiskParams;

use super::holding::{Holding, MAX_PRICE};
use super::number::{ceil, floor, part, whole, ONE};
use super::oracle::Use;
use super::refusal::{require, Verdict};
use super::state::{Distress, Model};
use super::trade::{margin, margin_due, party_fill, Party, Rate};

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

/// Slots a flag holds withdrawals back for.
const WAIT: u64 = 150;

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

/// What the victim of a liquidation trades.
struct Step {
    lots: i128,
    quote: i128,
    fee: i128,
    paid: i128,
}

impl Model {
    /// Anybody flags a position, or clears its flags.
    pub fn flag(&mut self, market: usize, trader: usize) -> Verdict<()> {
        let mark = self.touch(market, Use::Liquidate)?;
        let flagged = self.needed(market, trader)?.distress.flagged_slot != 0;
        let holding = self.settled(market, trader)?;
        let health = Health::of(&holding, mark.price, &self.markets[market].params);
        let matters = flagged || health != Health::Healthy;
        require(matters, BallastError::Healthy)?;
        let available = self.insurance_available(market);
        self.record(market, trader, health, available);
        Ok(())
    }

    /// Brings the flags level with the health; a deficit up to `available` counts as covered.
    pub fn record(&mut self, market: usize, trader: usize, health: Health, available: i128) {
        let now = self.slot;
        let old = *self.distress_mut(market, trader);
        let since = |slot: u64| if slot == 0 { now } else { slot };
        let new = match health {
            Health::Healthy => Distress::default(),
            Health::Weak => Distress {
                flagged_slot: since(old.flagged_slot),
                last_step_slot: old.last_step_slot,
                ..Distress::default()
            },
            Health::Bankrupt(deficit) => Distress {
                uncovered: deficit > available,
                flagged_slot: since(old.flagged_slot),
                bankrupt_slot: since(old.bankrupt_slot),
                deficit,
                ..old
            },
        };
        if new.uncovered {
            self.wait_until = self.wait_until.max(now + WAIT);
        }
        *self.distress_mut(market, trader) = new;
    }

    /// What a market's insurance may pay now.
    pub fn insurance_available(&self, market: usize) -> i128 {
        let market = &self.markets[market];
        market.insurance.available(&market.params, self.slot)
    }

    /// The liquidator takes a step of the victim's position over.
    pub fn liquidate(
        &mut self,
        market: usize,
        victim: usize,
        liquidator: usize,
        margin: i128,
    ) -> Verdict<()> {
        let distinct = victim != liquidator;
        require(distinct, BallastError::TradersNotDistinct)?;
        let mark = self.touch(market, Use::Liquidate)?;
        let distress = self.needed(market, victim)?.distress;
        let party = Party {
            holding: self.settled(market, liquidator)?,
            free: self.trader(liquidator).free,
            margin,
        };
        let before = self.settled(market, victim)?;
        let step = self.step(market, &before, &distress, mark.price)?;
        let params = self.markets[market].params;
        let taken = party_fill(&params, &mark, &party, -step.lots, -step.quote, 0)?;

        let (mut after, mut left) = before.closed_into_margin(step.lots, step.quote);
        if after.lots == 0 {
            left += step.paid - step.fee;
        } else {
            after.margin -= step.fee;
        }
        let slot = self.slot;
        let insurance = &mut self.markets[market].insurance;
        insurance.pay(&params, slot, step.paid);
        insurance.receive(step.fee)?;

        self.hold(market, victim, after)?;
        self.hold(market, liquidator, taken.after)?;
        if taken.after.lots != 0 && !taken.reduced {
            *self.distress_mut(market, liquidator) = Distress::default();
        }
        if after.lots != 0 {
            let health = Health::of(&after, mark.price, &params);
            let available = self.insurance_available(market);
            self.record(market, victim, health, available);
            self.distress_mut(market, victim).last_step_slot = slot;
        }
        self.trader_mut(victim).free += left;
        let reward = self.rescue_reward(market, step.paid);
        self.trader_mut(liquidator).free = taken.free + reward;
        self.markets[market].liquidations += 1;
        Ok(())
    }

    /// Taken from the fee bucket where insurance had to pay.
    fn rescue_reward(&mut self, market: usize, paid: i128) -> i128 {
        let market = &mut self.markets[market];
        let reward = i128::from(market.params.adl.reward_atoms).min(market.fees);
        let reward = if paid > 0 { reward } else { 0 };
        market.fees -= reward;
        reward
    }

    fn step(
        &self,
        market: usize,
        before: &Holding,
        distress: &Distress,
        price: i128,
    ) -> Verdict<Step> {
        let params = &self.markets[market].params;
        let size = before.size();
        match Health::of(before, price, params) {
            Health::Healthy => Err(BallastError::Healthy.into()),
            Health::Bankrupt(deficit) => {
                let covered = deficit <= self.insurance_available(market);
                require(covered, BallastError::InsuranceCannotPay)?;
                Ok(Step {
                    lots: -before.lots,
                    quote: -before.lots * price,
                    fee: 0,
                    paid: deficit,
                })
            }
            Health::Weak => {
                let discount = discount_bps(params, distress.flagged_slot, self.slot);
                let most = self.most_lots(market, before, distress, price)?;
                let needed = needed_lots(params, before, price, discount);
                let mut closed = needed.min(most).max(1);
                if size - closed < i128::from(params.min_position_lots) {
                    closed = size;
                }
                Ok(charged(params, before, price, closed, discount))
            }
        }
    }

    /// What the ladder allows to close in one step.
    fn most_lots(
        &self,
        market: usize,
        before: &Holding,
        distress: &Distress,
        price: i128,
    ) -> Verdict<i128> {
        let params = &self.markets[market].params;
        let (size, equity) = (before.size(), before.equity(price));
        let due = margin_due(params, size * price, Rate::Maintenance);
        let steps = &params.ladder[..usize::try_from(params.ladder_count).expect("a small count")];
        let step = steps
            .iter()
            .find(|step| equity * ONE > due * i128::from(step.above_ratio_bps));
        let Some(step) = step.filter(|step| i128::from(step.close_bps) < ONE) else {
            return Ok(size);
        };
        let last = distress.last_step_slot;
        let waited = last == 0 || self.slot >= last + params.ladder_interval_slots;
        require(waited, BallastError::LadderInterval)?;
        Ok(ceil(&part(size, i128::from(step.close_bps), ONE)))
    }
}

/// The discount ramps from the flag.
fn discount_bps(params: &RiskParams, flagged: u64, now: u64) -> i128 {
    let first = i128::from(params.liquidation_discount_bps);
    let last = i128::from(params.liquidation_discount_max_bps);
    let ramp = i128::from(params.discount_ramp_slots);
    let elapsed = i128::from(now) - i128::from(flagged);
    if flagged == 0 {
        first
    } else if elapsed >= ramp {
        last
    } else {
        first + floor(&part(last - first, elapsed, ramp))
    }
}

/// The least lots whose closing, discount and fee in full, leaves maintenance and the buffer:
/// found by halving, since the more is closed the better the rest stands.
fn needed_lots(params: &RiskParams, before: &Holding, price: i128, discount: i128) -> i128 {
    let size = before.size();
    let charge = discount + i128::from(params.liquidation_fee_bps);
    let buffer = ONE + i128::from(params.liquidation_buffer_bps);
    let stands = |closed: i128| {
        let rest = (size - closed) * price;
        let left = whole(before.equity(price)) - part(closed * price, charge, ONE);
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
) -> Step {
    let sign = before.sign();
    let notional = closed * price;
    let share = floor(&part(before.equity(price), closed, before.size()));
    let edge = if sign > 0 { 1 } else { MAX_PRICE };
    let room = (edge * closed - notional).abs();
    let discount = floor(&part(notional, discount_bps, ONE))
        .min(share)
        .min(room);
    let fee = floor(&part(notional, i128::from(params.liquidation_fee_bps), ONE));
    Step {
        lots: -sign * closed,
        quote: -sign * notional + discount,
        fee: fee.min(share - discount),
        paid: 0,
    }
}
