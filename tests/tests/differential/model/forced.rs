//! Legs that are flagged and liquidated.

use ballast_state::error::BallastError;

use super::cross::Account;
use super::fill::{check_makers, Matched, Meeting};
use super::liquidate::Health;
use super::oracle::{Mark, Use};
use super::refusal::{require, Verdict};
use super::state::Model;
use super::waterfall::{Closed, Descent};
use crate::operation::{Liquidation, Queues};

impl Model {
    /// Since when the leg has been flagged, as far as somebody looked; 0 never.
    pub(super) fn leg_flagged(&self, market: usize, trader: usize) -> u64 {
        let leg = self.leg(market, trader);
        leg.map_or(0, |leg| leg.distress.since(self.slot))
    }

    /// Anybody flags a leg, or clears its flags: the account decides.
    pub fn flag_leg(&mut self, market: usize, trader: usize) -> Verdict<()> {
        let mark = self.touch(market, Use::Flag(self.leg_flagged(market, trader)))?;
        let flagged = self.needed_leg(market, trader)?.distress.flagged_slot != 0;
        let account = self.forced(market, trader, mark)?;
        let (health, _) = self.leg_health(&account, market);
        let matters = flagged || health != Health::Healthy;
        require(matters, BallastError::Healthy)?;
        self.record_leg(&account, market, trader);
        Ok(())
    }

    /// How a leg stands, and whether its account is restored.
    fn leg_health(&self, account: &Account, market: usize) -> (Health, bool) {
        let buffer = self.markets[market].params.liquidation_buffer_bps;
        let share = account.share(market);
        let health = if account.is_healthy() {
            Health::Healthy
        } else if share < 0 {
            Health::Bankrupt(-share)
        } else {
            Health::Weak
        };
        (health, account.is_restored(buffer))
    }

    fn record_leg(&mut self, account: &Account, market: usize, trader: usize) {
        let (health, restored) = self.leg_health(account, market);
        let now = self.slot;
        let distress = &mut self.leg_mut(market, trader).distress;
        *distress = distress.after(now, health, restored);
    }

    /// Closes a step of the victim's leg.
    pub fn liquidate_leg(&mut self, call: &Liquidation, queues: &Queues) -> Verdict<Matched> {
        let (market, victim) = (call.market, call.trader);
        let distinct = victim != call.liquidator;
        require(distinct, BallastError::TradersNotDistinct)?;
        check_makers(&call.makers)?;
        let newer = self.markets[market].quoted.time > self.markets[market].used.time;
        let mark = self.touch(market, Use::Force(self.leg_flagged(market, victim)))?;
        self.needed_leg(market, victim)?;
        let account = self.forced(market, victim, mark)?;
        let (health, _) = self.leg_health(&account, market);
        self.require_order(&account, market, health)?;
        let available = match health {
            Health::Bankrupt(_) => {
                let there = queues.contains(&(market, 0));
                require(there, BallastError::CrossQueueMissing)?;
                self.leg_cover(market)
            }
            _ => 0,
        };
        let (before, distress) = (account.given(market)?, account.leg(market).leg.distress);
        let room = account.room(market, self.markets[market].params.liquidation_buffer_bps);
        let descent = Descent {
            call,
            mark,
            plan: self.plan_with(market, &before, &distress, mark.price, (health, room))?,
            before,
            distress,
            available,
        };
        let mut meeting = Meeting::new(market, before.sign(), mark, &call.makers);
        self.descend(&descent, &mut meeting)?;
        let wanted = descent.wanted(self, &meeting);
        let taken = descent.taken(self, &meeting, wanted);
        let records = newer && !meeting.stayed.is_empty();
        if meeting.met() == 0 && taken == 0 && !records {
            return Err(descent.nothing(wanted));
        }
        let closed = descent.closed(self, &meeting, taken);
        self.settle_leg(&descent, &closed, &account)?;
        self.book_fees(market, meeting.maker_fees())?;
        self.conclude_leg(&descent, &closed, mark, queues)?;
        let takers = self.stands(market, call.liquidator);
        self.settle_taker_over(&descent, taken, &mut meeting)?;
        let income = meeting.collected() + closed.rewards + self.rescue_reward(&descent, &closed);
        self.trader_mut(call.liquidator).free += income;
        self.note(&takers, income);
        self.markets[market].liquidations += u64::from(meeting.lots() + taken > 0);
        Ok(descent.done(&closed, taken, None, meeting))
    }

    /// The leg with the largest maintenance margin comes first among those whose marks are not frozen; any of them
    /// once its ramp is over.
    fn require_order(&self, account: &Account, market: usize, health: Health) -> Verdict<()> {
        require(health != Health::Healthy, BallastError::Healthy)?;
        let may = |one: usize| one == market || !self.crossed(one).board.frozen;
        let mut largest = None;
        for leg in account.legs.iter().filter(|leg| may(leg.market)) {
            if largest.is_none_or(|(due, _)| leg.due > due) {
                largest = Some((leg.due, leg.market));
            }
        }
        let (flagged_for, _) = account.leg(market).leg.distress.ages(self.slot, true);
        let ramp = self.markets[market].params.discount_ramp_slots;
        let over = flagged_for.is_some_and(|slots| slots > ramp);
        let first = largest.is_some_and(|(_, first)| first == market);
        require(over || first, BallastError::CrossLegOrder)
    }

    /// The leg shrinks; what was done to the margin that it was given is done to the pool.
    fn settle_leg(&mut self, descent: &Descent, closed: &Closed, account: &Account) -> Verdict<()> {
        let (market, victim) = (descent.call.market, descent.call.trader);
        let (after, left) = descent.victim_after(closed);
        let held = account.leg(market).leg.holding;
        let owed = held.lots * (descent.before.index - held.index);
        let kept = after.margin + left - descent.before.margin;
        self.pay_deficit(market, closed.paid)?;
        let slot = self.slot;
        if closed.paid > 0 {
            let crossed = self.crossed_mut(market);
            crossed.payments.push((slot, closed.paid));
        }
        let ledger = &mut self.markets[market];
        ledger.insurance.earn(&ledger.params, closed.fee)?;
        let pool = &mut self.trader_mut(victim).shared;
        pool.atoms += kept - owed;
        match after.lots {
            0 => pool.legs[market] = None,
            _ => {
                let leg = pool.legs[market].as_mut().expect("a leg");
                leg.holding = after;
            }
        }
        Ok(())
    }

    /// What is remembered of the leg, if there is one left, and the records.
    fn conclude_leg(
        &mut self,
        descent: &Descent,
        closed: &Closed,
        mark: Mark,
        queues: &Queues,
    ) -> Verdict<()> {
        let (market, victim) = (descent.call.market, descent.call.trader);
        let sign = descent.before.sign();
        let there = queues.contains(&(market, super::state::side(sign)));
        if self.leg(market, victim).is_none() {
            require(there, BallastError::CrossQueueMissing)?;
            return self.renew(victim, queues, None, None);
        }
        let account = self.forced(market, victim, mark)?;
        self.record_leg(&account, market, victim);
        let slot = self.slot;
        let distress = &mut self.leg_mut(market, victim).distress;
        descent.remember(distress, closed, slot);
        self.renew(victim, queues, Some(market), None)
    }
}
