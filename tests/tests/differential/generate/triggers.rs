//! Triggers near the oracle price, and keepers who execute them.

use super::{own_holders, Generator};
use crate::model::Model;
use crate::operation::{Execution, Operation, Queues, Setting, TriggerKind};

const KINDS: [TriggerKind; 2] = [TriggerKind::StopLoss, TriggerKind::TakeProfit];

impl Generator {
    /// Sets a trigger or takes one away.
    pub fn change_trigger(&mut self, model: &Model, market: usize) -> Operation {
        let kind = self.pick.one(&KINDS);
        if self.pick.percent(15) {
            let all = set(model, market);
            let (trader, kind) = match self.pick.some(&all) {
                Some(one) if self.pick.percent(70) => one,
                _ => (self.wisher(model, market), kind),
            };
            return Operation::CancelTrigger {
                market,
                trader,
                kind,
            };
        }
        let trader = self.wisher(model, market);
        let held = model.held_either_way(market, trader).unwrap_or_default();
        let now = &model.markets[market];
        let mark = i128::from(now.quoted.ticks).min(1 << 50);
        let price = match self.pick.weighted(&[80, 15, 3, 2]) {
            0 => mark + self.pick.within(-mark / 50, mark / 50),
            1 => mark,
            2 => 0,
            _ => self.pick.one(&[1, i128::from(u64::MAX)]),
        };
        let worst = match self.pick.weighted(&[50, 40, 5, 5]) {
            0 => 0,
            1 => mark - held.sign() * self.pick.within(-mark / 100, mark / 25),
            2 => mark + held.sign() * mark / 10,
            _ => self.pick.one(&[1, 2_147_483_648, i128::from(u64::MAX)]),
        };
        let lots = match self.pick.weighted(&[40, 40, 10, 5, 5]) {
            0 => held.size(),
            1 => self.pick.within(1, held.size().max(1)),
            2 => held.size() + 1,
            3 => 0,
            _ => i128::from(u64::MAX),
        };
        let positive = |number: i128| u64::try_from(number.max(0)).expect("not negative");
        Operation::PlaceTrigger(Setting {
            market,
            trader,
            kind,
            price: positive(price),
            worst: positive(worst),
            lots: positive(lots),
        })
    }

    /// Executes a trigger, probably one that the oracle has reached.
    pub fn execute_trigger(&mut self, model: &Model, market: usize) -> Operation {
        let all = set(model, market);
        let ticks = model.markets[market].quoted.ticks;
        let reached: Vec<(usize, TriggerKind)> = all
            .iter()
            .copied()
            .filter(|(trader, kind)| model.is_reached(market, *trader, *kind, ticks))
            .collect();
        if all.is_empty() && self.pick.percent(90) {
            return self.change_trigger(model, market);
        }
        let wanted = if self.pick.percent(93) {
            &reached
        } else {
            &all
        };
        let (trader, kind) = match self.pick.some(wanted) {
            Some(one) => one,
            None if self.pick.percent(85) => return self.change_trigger(model, market),
            None => (self.wisher(model, market), self.pick.one(&KINDS)),
        };
        let held = model.held_either_way(market, trader).unwrap_or_default();
        Operation::ExecuteTrigger(Execution {
            market,
            trader,
            kind,
            receiver: self.trader(model),
            queues: self.queues_to_fire(model, market, trader),
            makers: self.makers_against(model, market, trader, held.lots),
        })
    }

    /// Somebody with a position or, now and then where there are some, a leg.
    pub fn wisher(&mut self, model: &Model, market: usize) -> usize {
        let legs = leg_holders(model, market);
        match self.pick.some(&legs) {
            Some(trader) if self.pick.percent(50) => trader,
            _ => self.holder(model, market),
        }
    }

    /// What a call lists before the makers that fires something of a leg.
    pub fn queues_to_fire(&mut self, model: &Model, market: usize, trader: usize) -> Queues {
        match model.leg(market, trader) {
            Some(_) if self.pick.percent(97) => self.most_queues(),
            _ => Queues::new(),
        }
    }
}

/// Those who have a leg in a market.
pub fn leg_holders(model: &Model, market: usize) -> Vec<usize> {
    let all = 0..model.traders.len();
    all.filter(|trader| model.leg(market, *trader).is_some())
        .collect()
}

/// Everybody's triggers.
fn set(model: &Model, market: usize) -> Vec<(usize, TriggerKind)> {
    let mut set = Vec::new();
    let holders = own_holders(model, market).into_iter();
    for trader in holders.chain(leg_holders(model, market)) {
        for kind in KINDS {
            if model.trigger(market, trader, kind).is_some() {
                set.push((trader, kind));
            }
        }
    }
    set
}
