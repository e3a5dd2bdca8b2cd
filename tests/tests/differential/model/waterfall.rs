//! Liquidations: the book first, then the liquidator, then insurance.

use ballast_state::error::BallastError;

use super::fill::{check_makers, Done, Matched, Meeting};
use super::holding::Holding;
use super::liquidate::{is_restored, Health, Plan};
use super::number::{ceil, floor, part, ONE};
use super::oracle::{Mark, Use};
use super::pool::pool_trader;
use super::refusal::{require, Refusal, Verdict};
use super::state::{Distress, Model};
use super::take::{Offer, Took};
use super::trade::{party_fill, Party};
use crate::operation::Liquidation;

/// A liquidation under way.
pub(super) struct Descent<'a> {
    pub call: &'a Liquidation,
    pub mark: Mark,
    pub plan: Plan,
    pub before: Holding,
    pub distress: Distress,
    /// What insurance may pay.
    pub available: i128,
}

/// What was closed at which worth, and what the victim pays for it.
pub(super) struct Closed {
    pub lots: i128,
    pub quote: i128,
    pub rewards: i128,
    pub fee: i128,
    /// Paid by insurance.
    pub paid: i128,
}

impl Model {
    /// Closes a step of the victim's position.
    pub fn liquidate(&mut self, call: &Liquidation) -> Verdict<Matched> {
        let (market, victim) = (call.market, call.trader);
        let taker = taker_of(call);
        if call.into_pool {
            self.pool(market)?;
        }
        let distinct = victim != call.liquidator && victim != taker;
        require(distinct, BallastError::TradersNotDistinct)?;
        check_makers(&call.makers)?;
        let newer = self.markets[market].quoted.time > self.markets[market].used.time;
        let mark = self.touch(market, Use::Force(self.flagged(market, victim)))?;
        let distress = self.needed(market, victim)?.distress;
        let victims = self.stands(market, victim);
        self.release_all(market, victim, None);
        let before = self.settled(market, victim)?;
        let descent = Descent {
            call,
            mark,
            plan: self.plan(market, &before, &distress, mark.price)?,
            before,
            distress,
            available: self.deficit_cover(market),
        };
        let mut meeting = Meeting::new(market, before.sign(), mark, &call.makers);
        self.descend(&descent, &mut meeting)?;
        let offer = match call.into_pool {
            true => Some(self.offered(&descent, &meeting)?),
            false => None,
        };
        let wanted = match &offer {
            Some(offer) => self.pool_wants(market, &descent.mark, offer)?,
            None => descent.wanted(self, &meeting),
        };
        let taken = descent.taken(self, &meeting, wanted);
        let records = newer && !meeting.stayed.is_empty();
        if meeting.met() == 0 && taken == 0 && !records {
            return Err(descent.nothing(wanted));
        }
        let closed = descent.closed(self, &meeting, taken);
        let alone = self.insurance_available(market) - closed.paid;
        self.settle_victim(&descent, &closed)?;
        let premium = self.pay_premium(&descent, taken, alone)?;
        self.book_fees(market, meeting.maker_fees())?;
        self.conclude(&descent, &closed);
        self.note(&victims, 0);
        let takers = self.stands(market, taker);
        let margin = self.settle_taker_over(&descent, taken, &mut meeting)?;
        let took = match offer.filter(|_| taken > 0) {
            Some(offer) => {
                self.trader_mut(taker).free += premium;
                self.note(&takers, premium);
                let discount = descent.discount(taken);
                Some(self.remember_take(
                    market,
                    &descent.mark,
                    &offer,
                    [taken, discount, premium, margin],
                )?)
            }
            None => None,
        };
        let liquidators = match call.into_pool {
            true => self.stands(market, call.liquidator),
            false => takers,
        };
        let income = meeting.collected() + closed.rewards + self.rescue_reward(&descent, &closed);
        self.trader_mut(call.liquidator).free += income;
        self.note(&liquidators, income);
        self.markets[market].liquidations += u64::from(meeting.lots() + taken > 0);
        Ok(descent.done(&closed, taken, took, meeting))
    }

    /// Fills orders of the book that are no worse than the limit.
    pub(super) fn descend(&mut self, descent: &Descent, meeting: &mut Meeting) -> Verdict<()> {
        loop {
            let left = descent.plan.lots - meeting.lots();
            let best = self.next_order(meeting);
            let Some(order) = best.filter(|best| descent.accepts(best.price)) else {
                return Ok(());
            };
            if left == 0 {
                return Ok(());
            }
            if !self.meet(meeting, &order, left)? {
                meeting.ended = true;
                return Ok(());
            }
        }
    }

    /// The liquidator or the pool takes over what it is to take. The margin that it adds.
    pub(super) fn settle_taker_over(
        &mut self,
        descent: &Descent,
        taken: i128,
        meeting: &mut Meeting,
    ) -> Verdict<i128> {
        if taken == 0 {
            return Ok(0);
        }
        let (market, taker) = (descent.call.market, taker_of(descent.call));
        self.require_no_leg(market, taker)?;
        let sign = descent.before.sign();
        let (lots, quote) = (sign * taken, sign * descent.taken_quote(taken));
        let (holding, free) = (self.settled(market, taker)?, self.trader(taker).free);
        let margin = match descent.call.into_pool {
            true => self.backing(market, &descent.mark, &holding, [lots, quote])?,
            false => i128::from(descent.call.margin),
        };
        let party = Party {
            holding,
            free,
            margin,
        };
        let params = self.markets[market].params;
        let traded = party_fill(&params, &descent.mark, &party, [lots, quote, 0], 0)?;
        // What is opened or enlarged is the least position or more, unless all there was is less.
        let least = i128::from(params.min_position_lots);
        let small = !traded.reduced && traded.after.size() < least;
        let exempt = descent.before.size() < least;
        require(!small || exempt, BallastError::PositionTooSmall)?;
        self.hold(market, taker, traded.after)?;
        let cut = self.cut_reduce_only(market, taker, traded.after.lots);
        meeting.note_cut(taker, cut);
        if traded.after.lots != 0 && !traded.reduced {
            *self.distress_mut(market, taker) = Distress::default();
        }
        self.trader_mut(taker).free = traded.free;
        Ok(if traded.reduced { 0 } else { margin })
    }

    /// What is left of a step for the pool.
    fn offered(&self, descent: &Descent, meeting: &Meeting) -> Verdict<Offer> {
        let nobody = descent.is_bankrupt() && !descent.is_covered();
        let left = descent.plan.lots - meeting.lots();
        let low = self.pool_worth(descent.call.market, &descent.mark, 0)?.low;
        Ok(Offer {
            sign: descent.before.sign(),
            lots: if nobody { 0 } else { left },
            held: descent.before.size() - meeting.lots(),
            whole: descent.before.size(),
            rate: descent.plan.rate,
            rescue: descent.is_bankrupt(),
            low,
        })
    }

    /// What insurance pays the pool for lots of a position with negative equity, of what it alone may still
    /// pay.
    fn pay_premium(&mut self, descent: &Descent, taken: i128, alone: i128) -> Verdict<i128> {
        if !descent.call.into_pool || !descent.is_bankrupt() {
            return Ok(0);
        }
        let premium = self.premium(descent.call.market, taken * descent.mark.price)?;
        let (slot, premium) = (self.slot, premium.min(alone.max(0)));
        let market = &mut self.markets[descent.call.market];
        market.insurance.pay(&market.params, slot, premium);
        Ok(premium)
    }

    /// The victim's position shrinks; insurance pays or receives.
    fn settle_victim(&mut self, descent: &Descent, closed: &Closed) -> Verdict<()> {
        let (market, victim) = (descent.call.market, descent.call.trader);
        let (after, left) = descent.victim_after(closed);
        self.pay_deficit(market, closed.paid)?;
        let ledger = &mut self.markets[market];
        ledger.insurance.earn(&ledger.params, closed.fee)?;
        self.hold(market, victim, after)?;
        self.trader_mut(victim).free += left;
        Ok(())
    }

    /// What is remembered of the victim's position, if there is one left.
    fn conclude(&mut self, descent: &Descent, closed: &Closed) {
        let (market, victim) = (descent.call.market, descent.call.trader);
        let holding = self.held(market, victim);
        if holding.lots == 0 {
            return;
        }
        let params = self.markets[market].params;
        let health = Health::of(&holding, descent.mark.price, &params);
        let restored = is_restored(&holding, descent.mark.price, &params);
        self.record(market, victim, health, restored);
        let slot = self.slot;
        descent.remember(self.distress_mut(market, victim), closed, slot);
    }

    /// Taken from the fee bucket where insurance had to pay.
    pub(super) fn rescue_reward(&mut self, descent: &Descent, closed: &Closed) -> i128 {
        let market = &mut self.markets[descent.call.market];
        let most = i128::from(market.params.adl.reward_atoms);
        let reward = floor(&part(most, closed.lots, descent.before.size())).min(market.fees);
        // At most a tenth of the deficit that insurance bore.
        let reward = reward.min(floor(&part(closed.paid, 1, 10)));
        let reward = if closed.paid > 0 { reward } else { 0 };
        market.fees -= reward;
        reward
    }
}

impl Descent<'_> {
    /// The victim's position afterwards, and what became free.
    pub fn victim_after(&self, closed: &Closed) -> (Holding, i128) {
        let sign = self.before.sign();
        let charges = closed.fee + closed.rewards;
        let (mut after, mut left) = (self.before, 0);
        if closed.lots > 0 {
            let (lots, quote) = (-sign * closed.lots, -sign * closed.quote);
            (after, left) = self.before.closed_into_margin(lots, quote);
        }
        if after.lots == 0 {
            left += closed.paid - charges;
        } else {
            after.margin += closed.paid - charges;
        }
        (after, left)
    }

    /// What is remembered of the steps of a position that is left.
    pub fn remember(&self, distress: &mut Distress, closed: &Closed, slot: u64) {
        distress.last_step_slot = self.distress.last_step_slot;
        distress.step_left = self.distress.step_left;
        if closed.lots > 0 {
            distress.step_left = self.plan.lots - closed.lots;
            if self.plan.deficit > 0 {
                distress.step_left = 0;
            }
            if !self.plan.follow_up {
                distress.last_step_slot = slot;
            }
        }
    }

    /// What all of it comes to.
    pub fn done(
        &self,
        closed: &Closed,
        taken: i128,
        took: Option<Took>,
        meeting: Meeting,
    ) -> Matched {
        meeting.matched(Done::Liquidation {
            lots: closed.lots,
            taken,
            quote: closed.quote,
            rewards: closed.rewards,
            fee: closed.fee,
            paid: closed.paid,
            follow_up: self.plan.follow_up,
            bankrupt: self.is_bankrupt(),
            left: self.plan.lots - closed.lots,
            took,
        })
    }

    fn is_bankrupt(&self) -> bool {
        self.plan.deficit > 0
    }

    /// Whether the liquidator may get the rest at the mark because insurance pays.
    fn is_covered(&self) -> bool {
        self.call.take_over > 0 && self.is_bankrupt() && self.plan.deficit <= self.available
    }

    /// Whether the victim gets no less for its lots at this price than it would without the book.
    fn accepts(&self, price: i128) -> bool {
        let sign = self.before.sign();
        let (lots, worth) = if self.is_covered() {
            (1, self.mark.price)
        } else if self.is_bankrupt() {
            (self.before.size(), self.before.bankruptcy())
        } else {
            (self.plan.lots, self.worth())
        };
        (price * lots - worth) * sign >= 0
    }

    /// What the liquidator would pay or be paid for all lots.
    fn worth(&self) -> i128 {
        self.plan.notional - self.before.sign() * self.plan.discount
    }

    /// Lots that are taken over, where so many are wanted.
    pub fn taken(&self, model: &Model, meeting: &Meeting, wanted: i128) -> i128 {
        let offered = self.call.take_over > 0 && (!self.is_bankrupt() || self.is_covered());
        let best = model.next_order(meeting);
        let better = best.is_some_and(|best| self.accepts(best.price));
        let (flagged_for, _) = self.distress.ages(model.slot, true);
        let ramp = model.markets[meeting.market].params.discount_ramp_slots;
        let early = flagged_for.is_none_or(|elapsed| elapsed <= ramp);
        if offered && !(better && early) {
            wanted
        } else {
            0
        }
    }

    /// Of the lots that are left those that the liquidator wants: all, or so many that at least the
    /// least position is left of the victim's.
    pub fn wanted(&self, model: &Model, meeting: &Meeting) -> i128 {
        let rest = self.plan.lots - meeting.lots();
        let most = i128::from(self.call.take_over);
        if most >= rest {
            return rest;
        }
        let least = i128::from(model.markets[meeting.market].params.min_position_lots);
        let spare = self.before.size() - meeting.lots() - least;
        most.min(spare.max(0))
    }

    /// Worth of the lots taken over.
    fn taken_quote(&self, taken: i128) -> i128 {
        taken * self.mark.price - self.before.sign() * self.discount(taken)
    }

    /// What they cost less than at the mark.
    fn discount(&self, taken: i128) -> i128 {
        floor(&part(self.plan.discount, taken, self.plan.lots))
    }

    /// All that is closed.
    pub fn closed(&self, model: &Model, meeting: &Meeting, taken: i128) -> Closed {
        let lots = meeting.lots() + taken;
        let bps = i128::from(model.markets[self.call.market].params.book_reward_bps);
        let fills = meeting.fills.iter();
        let rewards = fills.map(|fill| {
            let reward = floor(&part(fill.lots * fill.price, bps, ONE));
            reward.min(self.improvement(fill.lots, fill.price))
        });
        let quote = meeting.quote() + self.taken_quote(taken);
        let insured = self.available.min(self.plan.deficit);
        let share = floor(&part(insured, lots, self.before.size()));
        let beyond = (self.before.sign() * (quote - lots * self.mark.price)).max(0);
        Closed {
            lots,
            quote,
            rewards: if self.is_bankrupt() { 0 } else { rewards.sum() },
            fee: floor(&part(self.plan.fee, lots, self.plan.lots)),
            paid: (share - beyond).max(0),
        }
    }

    /// What the book pays above the liquidator.
    fn improvement(&self, lots: i128, price: i128) -> i128 {
        let own = part(self.worth(), lots, self.plan.lots);
        if self.before.sign() > 0 {
            lots * price - ceil(&own)
        } else {
            floor(&own) - lots * price
        }
    }

    /// Why nothing was filled, taken out or taken over.
    pub fn nothing(&self, wanted: i128) -> Refusal {
        if self.call.take_over == 0 {
            BallastError::NothingFilled.into()
        } else if self.is_bankrupt() && !self.is_covered() {
            BallastError::InsuranceCannotPay.into()
        } else if wanted == 0 && self.call.into_pool {
            BallastError::PoolCannotTake.into()
        } else if wanted == 0 {
            BallastError::PositionTooSmall.into()
        } else {
            BallastError::LiquidationSkipsBook.into()
        }
    }
}

/// Who takes over what the book leaves.
fn taker_of(call: &Liquidation) -> usize {
    match call.into_pool {
        true => pool_trader(call.market),
        false => call.liquidator,
    }
}
