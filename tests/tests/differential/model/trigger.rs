//! Stop-losses and take-profits.

use ballast_state::error::BallastError;

use super::fill::{check_makers, Done, Matched, Meeting};
use super::holding::Holding;
use super::number::{floor, part};
use super::oracle::{in_range, Mark, Use};
use super::orders::{band_edge, Taking};
use super::refusal::{require, Verdict};
use super::round::Listed;
use super::state::Model;
use crate::operation::{Execution, OrderKind, SelfTrade, Setting, TriggerKind};

/// A price at which anybody may close lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Oracle price, ticks.
    pub price: u64,
    /// Worst price of fills, ticks; 0 only the band.
    pub worst: u64,
    /// Lots left.
    pub lots: i128,
    /// Lots at the beginning.
    pub placed: i128,
}

/// Lots that their owner wants anybody to close.
pub struct Wish {
    /// Number of the market.
    pub market: usize,
    /// Whose lots.
    pub trader: usize,
    /// The trader who earns the reward.
    pub receiver: usize,
    /// Worst price of fills, ticks; 0 only the band.
    pub worst: i128,
    /// Lots to close.
    pub lots: i128,
    /// Lots over which the reward is shared.
    pub whole: i128,
}

fn place(kind: TriggerKind) -> usize {
    match kind {
        TriggerKind::StopLoss => 0,
        TriggerKind::TakeProfit => 1,
    }
}

impl Model {
    /// Sets a trigger, instead of the one there was.
    pub fn place_trigger(&mut self, setting: &Setting) -> Verdict<()> {
        let (market, trader) = (setting.market, setting.trader);
        let held = self.held_either_way(market, trader)?;
        let (size, sign) = (held.size(), held.sign());
        let atoms = self.markets[market].atoms_per_tick;
        in_range(i128::from(setting.price) * atoms)?;
        if setting.worst > 0 {
            in_range(i128::from(setting.worst) * atoms)?;
        }
        require(setting.lots > 0, BallastError::ZeroLots)?;
        let (price, worst) = (i128::from(setting.price), i128::from(setting.worst));
        let stops = setting.kind == TriggerKind::StopLoss && setting.worst > 0;
        let fills = !stops || (worst - price) * sign <= 0;
        require(fills, BallastError::TriggerNeverFills)?;
        let lots = i128::from(setting.lots).min(size);
        let trigger = Trigger {
            price: setting.price,
            worst: setting.worst,
            lots,
            placed: lots,
        };
        *self.trigger_mut(market, trader, setting.kind) = Some(trigger);
        Ok(())
    }

    /// Takes a trigger away.
    pub fn cancel_trigger(
        &mut self,
        market: usize,
        trader: usize,
        kind: TriggerKind,
    ) -> Verdict<()> {
        let set = self.trigger(market, trader, kind).is_some();
        require(set, BallastError::NoTrigger)?;
        *self.trigger_mut(market, trader, kind) = None;
        Ok(())
    }

    /// Closes lots against the book because the oracle has reached a trigger.
    pub fn execute_trigger(&mut self, call: &Execution) -> Verdict<Matched> {
        let (market, trader) = (call.market, call.trader);
        let (mark, holding) = self.look_before_firing(market, trader, &call.makers)?;
        let Some(trigger) = self.trigger(market, trader, call.kind) else {
            return Err(BallastError::NoTrigger.into());
        };
        let ticks = self.markets[market].quoted.ticks;
        let reached = self.is_reached(market, trader, call.kind, ticks);
        require(reached, BallastError::TriggerNotReached)?;
        let wish = Wish {
            market,
            trader,
            receiver: call.receiver,
            worst: i128::from(trigger.worst),
            lots: trigger.lots,
            whole: trigger.placed,
        };
        let (meeting, reward) = match self.leg(market, trader) {
            Some(_) => self.fire_leg(&wish, mark, &call.queues, &call.makers)?,
            None => self.fire(&wish, mark, &holding, &call.makers)?,
        };
        let left = trigger.lots - meeting.lots();
        if self.held_either_way(market, trader).is_ok() {
            let kept = Trigger {
                lots: left,
                ..trigger
            };
            let kept = Some(kept).filter(|kept| kept.lots > 0);
            *self.trigger_mut(market, trader, call.kind) = kept;
        }
        Ok(meeting.matched(Done::Trigger { left, reward }))
    }

    /// The mark and the holding of a trader of whom lots are to be closed at its own wish, funding paid but of a leg.
    pub fn look_before_firing(
        &mut self,
        market: usize,
        trader: usize,
        makers: &[Listed],
    ) -> Verdict<(Mark, Holding)> {
        check_makers(makers)?;
        let mark = self.touch(market, Use::Force(self.flagged(market, trader)))?;
        let held = self.held_either_way(market, trader)?;
        let holding = match self.leg(market, trader) {
            Some(_) => held,
            None => self.taker(market, trader)?,
        };
        Ok((mark, holding))
    }

    /// Closes lots of `holding` against the book at its owner's wish, and pays the keeper: who was met, and how much
    /// the keeper earned.
    pub fn fire<'a>(
        &mut self,
        wish: &Wish,
        mark: Mark,
        holding: &Holding,
        makers: &'a [Listed],
    ) -> Verdict<(Meeting<'a>, i128)> {
        let (market, trader) = (wish.market, wish.trader);
        let stood = self.stands(market, trader);
        let taking = self.wished(wish, &mark, holding)?;
        let mut meeting = Meeting::new(market, -taking.sign, mark, makers);
        self.take(&taking, &mut meeting)?;
        let filled = meeting.lots();
        require(filled > 0, BallastError::NothingFilled)?;
        let paid = self.pay(&taking, &meeting)?;
        self.cut_own(
            market,
            trader,
            &paid.after.unwrap_or(*holding),
            &mut meeting,
        );
        self.settle_taker(&taking, market, &paid)?;
        self.book_fees(market, paid.fee + meeting.maker_fees())?;
        let reward = self.reward(wish, filled);
        self.trader_mut(trader).free -= reward;
        self.note(&stood, meeting.collected());
        self.trader_mut(wish.receiver).free += reward;
        Ok((meeting, reward))
    }

    /// The order that closes what is wished of a holding.
    pub fn wished(&self, wish: &Wish, mark: &Mark, holding: &Holding) -> Verdict<Taking> {
        let (now, sign) = (&self.markets[wish.market], -holding.sign());
        let edge = band_edge(&now.params, mark, sign);
        let price = match wish.worst {
            0 => edge,
            worst => {
                let price = in_range(worst * now.atoms_per_tick)?;
                if (price - edge) * sign > 0 {
                    edge
                } else {
                    price
                }
            }
        };
        Ok(Taking {
            trader: wish.trader,
            sign,
            kind: OrderKind::Market,
            price,
            lots: wish.lots.min(holding.size()),
            margin: 0,
            self_trade: SelfTrade::CancelProvide,
        })
    }

    /// What the keeper earns for so many filled lots, as far as free collateral reaches.
    pub fn reward(&self, wish: &Wish, filled: i128) -> i128 {
        let keeper = i128::from(self.markets[wish.market].params.keeper_fee_atoms);
        let reward = floor(&part(keeper, filled, wish.whole));
        reward.min(self.trader(wish.trader).free)
    }

    /// What the trader holds, isolated or as a leg, funding unpaid.
    pub fn held_either_way(&self, market: usize, trader: usize) -> Verdict<Holding> {
        match self.leg(market, trader) {
            Some(leg) => Ok(leg.holding),
            None => Ok(self.needed(market, trader)?.holding),
        }
    }

    /// A trigger, if it is set.
    pub fn trigger(&self, market: usize, trader: usize, kind: TriggerKind) -> Option<Trigger> {
        let triggers = match self.leg(market, trader) {
            Some(leg) => leg.triggers,
            None => self.owned(market, trader)?.triggers,
        };
        triggers[place(kind)]
    }

    /// Whether a price in ticks reaches a trigger.
    pub fn is_reached(&self, market: usize, trader: usize, kind: TriggerKind, ticks: u64) -> bool {
        let held = self.held_either_way(market, trader).unwrap_or_default();
        let falls = (kind == TriggerKind::StopLoss) == (held.lots > 0);
        let trigger = self.trigger(market, trader, kind);
        trigger.is_some_and(|trigger| {
            if falls {
                ticks <= trigger.price
            } else {
                ticks >= trigger.price
            }
        })
    }

    fn trigger_mut(
        &mut self,
        market: usize,
        trader: usize,
        kind: TriggerKind,
    ) -> &mut Option<Trigger> {
        let one = self.trader_mut(trader);
        let triggers = match one.shared.legs[market].as_mut() {
            Some(leg) => &mut leg.triggers,
            None => {
                let owned = one.positions[market].as_mut();
                &mut owned.expect("a position").triggers
            }
        };
        &mut triggers[place(kind)]
    }
}
