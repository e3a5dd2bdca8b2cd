//! What happens to positions below maintenance: flags, liquidations, gifts to insurance.

use super::{holders, open, Generator, USD};
use crate::model::{pool_trader, Health, Model};
use crate::operation::{Liquidation, Operation};
use crate::program::TRADERS;

impl Generator {
    /// Somebody in distress, or anybody.
    pub fn target(&mut self, model: &Model, market: usize, distressed: &[(usize, bool)]) -> usize {
        let targets: Vec<usize> = distressed.iter().map(|(trader, _)| *trader).collect();
        let pool = pool_trader(market);
        if targets.contains(&pool) && self.pick.percent(40) {
            return pool;
        }
        match self.pick.some(&targets) {
            Some(target) if self.pick.percent(90) => target,
            _ => self.holder(model, market),
        }
    }

    /// Flags somebody who is probably in distress, or was.
    pub fn flag(
        &mut self,
        model: &Model,
        market: usize,
        distressed: &[(usize, bool)],
    ) -> Operation {
        let mut targets: Vec<(usize, bool)> = distressed.to_vec();
        let flagged = holders(model, market).into_iter().filter(|trader| {
            let owned = model.owned(market, *trader);
            owned.is_some_and(|owned| owned.distress.flagged_slot != 0)
        });
        targets.extend(flagged.map(|trader| (trader, false)));
        Operation::Flag {
            market,
            trader: self.target(model, market, &targets),
        }
    }

    /// Liquidates somebody who is probably in distress.
    pub fn liquidate(
        &mut self,
        model: &Model,
        market: usize,
        distressed: &[(usize, bool)],
    ) -> Operation {
        let mut targets = distressed.to_vec();
        if self.pick.percent(70) && targets.iter().any(|(_, bankrupt)| !bankrupt) {
            targets.retain(|(_, bankrupt)| !bankrupt);
        }
        let trader = self.target(model, market, &targets);
        self.liquidation(model, market, trader)
    }

    fn liquidation(&mut self, model: &Model, market: usize, trader: usize) -> Operation {
        let liquidator = if trader < TRADERS && self.pick.percent(1) {
            trader
        } else {
            let mut others = open(model);
            others.retain(|other| *other != trader);
            let (one, other) = (self.pick.one(&others), self.pick.one(&others));
            let richer = model.trader(one).free > model.trader(other).free;
            if richer {
                one
            } else {
                other
            }
        };
        let held = model.held(market, trader);
        if model.markets[market].pool.is_some() && self.pick.percent(50) {
            return Operation::Liquidate(Liquidation {
                market,
                trader,
                liquidator,
                into_pool: true,
                margin: 0,
                take_over: u64::MAX,
                makers: self.makers_against(model, market, trader, held.lots),
            });
        }
        let market_now = &model.markets[market];
        let price = i128::from(market_now.quoted.ticks.min(1 << 40)) * market_now.atoms_per_tick;
        Operation::Liquidate(Liquidation {
            market,
            trader,
            liquidator,
            into_pool: false,
            margin: self.margin(held.size() * price),
            take_over: match self.pick.weighted(&[35, 45, 20]) {
                0 => 0,
                1 => u64::MAX,
                _ => u64::try_from(self.pick.within(1, held.size().max(1))).expect("lots"),
            },
            makers: self.makers_against(model, market, trader, held.lots),
        })
    }

    /// Goes on with a step that is not finished.
    pub fn follow_up(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let mut unfinished = distressed(model, market);
        unfinished.retain(|(trader, bankrupt)| {
            let owned = model.owned(market, *trader);
            !bankrupt && owned.is_some_and(|owned| owned.distress.step_left > 0)
        });
        let (trader, _) = self.pick.some(&unfinished)?;
        match self.pick.weighted(&[60, 20, 20]) {
            0 => Some(self.liquidation(model, market, trader)),
            1 => Some(Operation::Advance {
                slots: 1,
                seconds: 0,
            }),
            _ => None,
        }
    }

    /// Gives insurance about what somebody lacks.
    pub fn rescue(
        &mut self,
        model: &Model,
        market: usize,
        distressed: &[(usize, bool)],
    ) -> Operation {
        let trader = self.target(model, market, distressed);
        let now = &model.markets[market];
        let price = i128::from(now.quoted.ticks.min(1 << 40)) * now.atoms_per_tick;
        let lacking = -model.held(market, trader).equity(price) - now.insurance.balance;
        Operation::Donate {
            market,
            wallet: 0,
            amount: self.pick.amount(lacking.max(1) * 2),
        }
    }

    /// Gives to insurance.
    pub fn donate(&mut self, market: usize) -> Operation {
        let wallet = self.anybody() / 2;
        Operation::Donate {
            market,
            wallet,
            amount: self.pick.amount(120 * USD),
        }
    }
}

/// Who is below maintenance at the price as published, and whether bankrupt.
pub fn distressed(model: &Model, market: usize) -> Vec<(usize, bool)> {
    let now = &model.markets[market];
    let price = i128::from(now.quoted.ticks) * now.atoms_per_tick;
    holders(model, market)
        .into_iter()
        .filter_map(|trader| {
            let holding = model.settled(market, trader).ok()?;
            match Health::of(&holding, price, &now.params) {
                Health::Healthy => None,
                Health::Weak => Some((trader, false)),
                Health::Bankrupt(_) => Some((trader, true)),
            }
        })
        .collect()
}
