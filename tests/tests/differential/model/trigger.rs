//! Stop-losses and take-profits.

use ballast_state::error::BallastError;

use super::fill::{check_makers, Done, Matched, Meeting};
use super::number::{floor, part};
use super::oracle::{in_range, Use};
use super::orders::{band_edge, Taking};
use super::refusal::{require, Verdict};
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
        let size = self.needed(market, trader)?.holding.size();
        let atoms = self.markets[market].atoms_per_tick;
        in_range(i128::from(setting.price) * atoms)?;
        if setting.worst > 0 {
            in_range(i128::from(setting.worst) * atoms)?;
        }
        require(setting.lots > 0, BallastError::ZeroLots)?;
        let sign = self.held(market, trader).sign();
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
        check_makers(&call.makers)?;
        let mark = self.touch(market, Use::Force(self.flagged(market, trader)))?;
        self.needed(market, trader)?;
        let holding = self.taker(market, trader)?;
        let stood = self.stands(market, trader);
        let Some(trigger) = self.trigger(market, trader, call.kind) else {
            return Err(BallastError::NoTrigger.into());
        };
        let ticks = self.markets[market].quoted.ticks;
        let reached = self.is_reached(market, trader, call.kind, ticks);
        require(reached, BallastError::TriggerNotReached)?;

        let sign = -holding.sign();
        let (params, atoms) = {
            let market = &self.markets[market];
            (market.params, market.atoms_per_tick)
        };
        let edge = band_edge(&params, &mark, sign);
        let price = match trigger.worst {
            0 => edge,
            worst => {
                let price = in_range(i128::from(worst) * atoms)?;
                if (price - edge) * sign > 0 {
                    edge
                } else {
                    price
                }
            }
        };
        let taking = Taking {
            trader,
            sign,
            kind: OrderKind::Market,
            price,
            lots: trigger.lots.min(holding.size()),
            margin: 0,
            self_trade: SelfTrade::CancelProvide,
        };
        let mut meeting = Meeting::new(market, -sign, mark, &call.makers);
        self.take(&taking, &mut meeting)?;
        let filled = meeting.lots();
        require(filled > 0, BallastError::NothingFilled)?;
        let paid = self.pay(&taking, &meeting)?;
        self.cut_own(market, trader, &paid.after.unwrap_or(holding), &mut meeting);
        self.settle_taker(&taking, market, &paid)?;
        self.book_fees(market, paid.fee + meeting.maker_fees())?;
        if self.owned(market, trader).is_some() {
            let left = Trigger {
                lots: trigger.lots - filled,
                ..trigger
            };
            let left = Some(left).filter(|left| left.lots > 0);
            *self.trigger_mut(market, trader, call.kind) = left;
        }
        let keeper = i128::from(params.keeper_fee_atoms);
        let reward = floor(&part(keeper, filled, trigger.placed));
        let reward = reward.min(self.trader(trader).free);
        self.trader_mut(trader).free -= reward;
        self.note(&stood, meeting.collected());
        self.trader_mut(call.receiver).free += reward;
        Ok(meeting.matched(Done::Trigger {
            left: trigger.lots - filled,
            reward,
        }))
    }

    /// A trigger, if it is set.
    pub fn trigger(&self, market: usize, trader: usize, kind: TriggerKind) -> Option<Trigger> {
        self.owned(market, trader)?.triggers[place(kind)]
    }

    /// Whether a price in ticks reaches a trigger.
    pub fn is_reached(&self, market: usize, trader: usize, kind: TriggerKind, ticks: u64) -> bool {
        let falls = (kind == TriggerKind::StopLoss) == (self.held(market, trader).lots > 0);
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
        let owned = self.trader_mut(trader).positions[market].as_mut();
        &mut owned.expect("a position").triggers[place(kind)]
    }
}
