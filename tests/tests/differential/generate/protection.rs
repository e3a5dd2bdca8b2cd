//! Protective steps around the margin ratios of now, and keepers who execute them.

use super::triggers::leg_holders;
use super::{own_holders, Generator};
use crate::model::{margin_due, Model, Protection, Rate};
use crate::operation::{Operation, Protecting, Step, Stepping};

impl Generator {
    /// Sets steps, clears them, or opens or closes their account.
    pub fn change_protection(&mut self, model: &Model, market: usize) -> Operation {
        let all = [own_holders(model, market), leg_holders(model, market)].concat();
        let (mut open, mut closed) = (all.clone(), all);
        open.retain(|trader| model.protection(market, *trader).is_some());
        closed.retain(|trader| model.protection(market, *trader).is_none());
        let choice = self.pick.weighted(&[20, 70, 5, 5]);
        let trader = match (choice, self.pick.some(&open), self.pick.some(&closed)) {
            (0, _, Some(trader)) | (1, None, Some(trader)) => {
                return Operation::CreateProtection { market, trader };
            }
            (2, Some(trader), _) => return Operation::CreateProtection { market, trader },
            (3, ..) => {
                let any = self.holder(model, market);
                let (trader, market) = self.some_protection(model).unwrap_or((any, market));
                return Operation::CloseProtection { market, trader };
            }
            (_, Some(trader), _) if self.pick.percent(92) => trader,
            _ => self.wisher(model, market),
        };
        let steps = self.steps(model, market, trader);
        let slip = match self.pick.weighted(&[70, 20, 10]) {
            0 => self.pick.within(50, 500),
            1 => self.pick.within(1, 5_000),
            _ => self.pick.one(&[0, 1, 5_000, 5_001, i128::from(u32::MAX)]),
        };
        Operation::SetProtection(Protecting {
            market,
            trader,
            steps,
            slip: narrow(slip),
        })
    }

    /// Mostly good ones around the margin ratio of now; now and then none or bad ones.
    fn steps(&mut self, model: &Model, market: usize, trader: usize) -> Vec<Step> {
        let count = self.pick.weighted(&[4, 40, 30, 16, 8, 2]);
        let now = ratio(model, market, trader).clamp(12_000, 900_000);
        let mut ratio = now + self.pick.within(-now / 10, now / 10);
        let mut keep = 9_999;
        let mut steps = Vec::new();
        for _ in 0..count {
            keep = match self.pick.percent(20) {
                true => 0,
                false => self.pick.within(0, keep.max(1) - 1),
            };
            steps.push(Step {
                ratio: narrow(ratio.max(10_001)),
                keep: narrow(keep),
            });
            ratio = self.pick.within(10_001, ratio.max(10_002) - 1);
        }
        if !steps.is_empty() && self.pick.percent(6) {
            let last = steps.len() - 1;
            match self.pick.weighted(&[1, 1, 1]) {
                0 => steps[last].ratio = self.pick.one(&[0, 10_000, 1_000_001]),
                1 => steps[last].keep = self.pick.one(&[10_000, u32::MAX]),
                _ => steps.swap(0, last),
            }
        }
        steps
    }

    /// Executes a step, probably one that is reached.
    pub fn execute_protection(&mut self, model: &Model, market: usize) -> Operation {
        let set = set(model, market);
        let reached: Vec<usize> = set
            .iter()
            .filter(|(trader, protection)| is_reached(model, market, *trader, protection))
            .map(|(trader, _)| *trader)
            .collect();
        let all: Vec<usize> = set.iter().map(|(trader, _)| *trader).collect();
        let wanted = if self.pick.percent(75) {
            &reached
        } else {
            &all
        };
        let trader = match self.pick.some(wanted) {
            Some(trader) => trader,
            None if self.pick.percent(92) => return self.change_protection(model, market),
            None => self.wisher(model, market),
        };
        let held = model.held_either_way(market, trader).unwrap_or_default();
        Operation::ExecuteProtection(Stepping {
            market,
            trader,
            receiver: self.trader(model),
            queues: self.queues_to_fire(model, market, trader),
            makers: self.makers_against(model, market, trader, held.lots),
        })
    }

    /// An account for steps, of any trader and market.
    fn some_protection(&mut self, model: &Model) -> Option<(usize, usize)> {
        let markets = model.markets.iter().enumerate();
        let all: Vec<(usize, usize)> = markets
            .flat_map(|(market, one)| one.protections.keys().map(move |trader| (*trader, market)))
            .collect();
        self.pick.some(&all)
    }
}

/// Steps of those who have positions, of this one or of one before.
fn set(model: &Model, market: usize) -> Vec<(usize, Protection)> {
    let holders = own_holders(model, market).into_iter();
    let holders = holders.chain(leg_holders(model, market));
    let set = holders.filter_map(|trader| {
        let protection = model.protection(market, trader)?;
        (protection.slip > 0).then(|| (trader, protection.clone()))
    });
    set.collect()
}

/// Whether a step of the position there is is reached at the price that is published, of a leg at the board's marks.
fn is_reached(model: &Model, market: usize, trader: usize, protection: &Protection) -> bool {
    let Ok(held) = model.held_either_way(market, trader) else {
        return false;
    };
    let now = &model.markets[market];
    let price = i128::from(now.quoted.ticks).min(1 << 40) * now.atoms_per_tick;
    let same = model.sequence_of(market, trader) == Ok(protection.sequence);
    let step = match model.leg(market, trader) {
        Some(_) => model
            .account(trader, None)
            .ok()
            .and_then(|all| protection.reached(&held, all.equity, all.due)),
        None => model.step_reached(market, protection, &held, price),
    };
    same && step.is_some()
}

/// The margin ratio of a position at the price that is published, of a leg that of its account at the board's marks,
/// basis points; 0 without a position.
fn ratio(model: &Model, market: usize, trader: usize) -> i128 {
    if model.leg(market, trader).is_some() {
        let account = model.account(trader, None).ok();
        let ratio = account.and_then(|all| (all.equity * 10_000).checked_div(all.due));
        return ratio.unwrap_or(0);
    }
    let now = &model.markets[market];
    let price = i128::from(now.quoted.ticks).min(1 << 40) * now.atoms_per_tick;
    let held = model.held(market, trader);
    let due = margin_due(&now.params, held.size() * price, Rate::Maintenance);
    (held.equity(price) * 10_000).checked_div(due).unwrap_or(0)
}

fn narrow(number: i128) -> u32 {
    u32::try_from(number).expect("a small number")
}
