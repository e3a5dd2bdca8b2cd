//! Rounds that legs stand in, as a keeper goes after a bankruptcy: marks and records are renewed until its list passes.

use ballast_state::error::BallastError;

use super::cross::{bankrupt_legs, price_of_part, published, with_legs};
use super::distress::distressed;
use super::{is_stale, Generator};
use crate::model::{Holding, Listed, Model, Refusal};
use crate::operation::{Call, CrossCall, Operation, Queues, Witnessing};

/// Slots that a look counts at most.
const LOOK: u64 = 50;
/// Slots beyond the grace period after which records count as they stand.
const WAIT: u64 = 1_500;

/// A bankruptcy that a keeper is after.
#[derive(Clone, Copy)]
pub struct Pursuit {
    market: usize,
    bankrupt: usize,
    /// Calls that it still makes.
    left: u32,
}

impl Generator {
    /// The next call of a keeper who is after a bankruptcy, or begins to be.
    pub fn pursue(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let pursuit = match self.pursuit.take() {
            Some(pursuit) => pursuit,
            None => {
                let bankrupt = all_bankrupt(model, market);
                let bankrupt = self.pick.some(&bankrupt);
                let bankrupt = bankrupt.filter(|_| self.pick.percent(25))?;
                if self.waits && self.pick.percent(30) {
                    self.waits = false;
                    self.wait(model, market, bankrupt);
                }
                Pursuit {
                    market,
                    bankrupt,
                    left: 8,
                }
            }
        };
        let Pursuit {
            market,
            bankrupt,
            left,
        } = pursuit;
        if left == 0 || !all_bankrupt(model, market).contains(&bankrupt) {
            return self.first.pop();
        }
        self.pursuit = Some(Pursuit {
            left: left - 1,
            ..pursuit
        });
        if let Some(step) = self.first.pop() {
            return Some(step);
        }
        if is_stale(model, market) {
            return Some(again(model, market, model.time));
        }
        if let Some(step) = self.staged(model, market, bankrupt) {
            return Some(step);
        }
        if self.pick.percent(22) {
            return Some(self.hostile_round(model, market, bankrupt));
        }
        let round = self.mixed_round(model, market, bankrupt);
        let refused = model.clone().perform(&round).err();
        let is = |error: BallastError| refused == Some(Refusal::from(error));
        if is(BallastError::CrossMarkStale) && self.pick.percent(90) {
            let other = 1 - market;
            if is_stale(model, other) {
                return Some(again(model, other, model.time));
            }
            return Some(Operation::Cross(CrossCall::Record {
                markets: vec![0, 1],
            }));
        }
        if is(BallastError::AdlStaleCounterparty) && self.pick.percent(85) {
            return Some(Operation::Cross(self.renewed(model, market, bankrupt)));
        }
        let delayed = is(BallastError::InsuranceCanPay) || is(BallastError::BookCanAbsorb);
        if delayed && self.pick.percent(25) {
            self.first.push(Operation::Advance {
                slots: 12,
                seconds: 5,
            });
            return Some(flag(model, market, bankrupt));
        }
        if refused.is_none() {
            self.pursuit = self.pursuit.filter(|_| self.pick.percent(40));
        } else if self.pick.percent(80) {
            self.pursuit = None;
            return None;
        }
        Some(round)
    }

    /// Sometimes the bankruptcy becomes deep and somebody who might be cut weak, or that is shown.
    fn staged(&mut self, model: &Model, market: usize, bankrupt: usize) -> Option<Operation> {
        let mut weak = model.too_weak(market, bankrupt);
        let thin = !weak.is_empty();
        weak.retain(|one| {
            model
                .leg(market, *one)
                .is_some_and(|leg| leg.weak.is_none())
        });
        if !weak.is_empty() && self.pick.percent(60) {
            let queues = self.most_queues();
            return Some(Operation::Cross(CrossCall::Witness(Witnessing {
                market,
                bankrupt,
                traders: weak,
                queues,
            })));
        }
        let size = size_of(model, market, bankrupt);
        let now = &model.markets[market];
        let worth = size * i128::from(now.quoted.ticks) * now.atoms_per_tick;
        let deep = deficit(model, market, bankrupt) * 20 > worth;
        let chance = match (thin, deep) {
            (true, _) => 0,
            (false, true) => 45,
            (false, false) => 15,
        };
        match (deep, self.pick.percent(chance)) {
            (_, false) => None,
            (true, true) => self.thinned(model, market, bankrupt),
            (false, true) => self.deepened(model, market, bankrupt),
        }
    }

    /// The price of the other market is such that somebody who might be cut has little more than maintenance margin.
    fn thinned(&mut self, model: &Model, market: usize, bankrupt: usize) -> Option<Operation> {
        let other = 1 - market;
        let mut traders = counterparties(model, market, bankrupt);
        traders.retain(|trader| model.leg(other, *trader).is_some());
        let trader = self.pick.some(&traders)?;
        // Funding that accrues would move what is left again.
        if let Some(stale) = [0, 1].into_iter().find(|one| is_stale(model, *one)) {
            return Some(again(model, stale, model.time));
        }
        let accrued = |one: usize| {
            model.markets[one].funding.until == model.time
                && model.crossed(one).board.slot == model.slot
        };
        if !(accrued(0) && accrued(1)) {
            return Some(Operation::Cross(CrossCall::Record {
                markets: vec![0, 1],
            }));
        }
        let before = i128::from(model.markets[other].quoted.ticks);
        let part = self.pick.within(98, 130);
        let ticks = price_of_part(model, other, trader, self.pick.one(&[100, 100, part]))?;
        // What is left beyond maintenance margin where the board has heard of so many ticks.
        let spare = |ticks: &i128| {
            let mut then = model.clone();
            let tick = model.markets[other].atoms_per_tick;
            then.crossed_mut(other).board.mark.price = ticks * tick;
            let account = published(&then, market, trader)?;
            Some(account.equity - account.due).filter(|spare| *spare >= 0)
        };
        let around = (ticks - 4)..=(ticks + 4);
        let healthy = around.filter(|ticks| *ticks > 0 && spare(ticks).is_some());
        let ticks = healthy.min_by_key(spare)?;
        let near = (before / 3..=before * 3).contains(&ticks);
        let Operation::Quote { mut quoted, .. } = again(model, other, model.time) else {
            return None;
        };
        let ticks = u64::try_from(ticks)
            .ok()
            .filter(|ticks| near && *ticks > 0)?;
        (quoted.ticks, quoted.ema) = (ticks, ticks);
        self.first.push(Operation::Cross(CrossCall::Record {
            markets: vec![0, 1],
        }));
        Some(Operation::Quote {
            market: other,
            quoted,
        })
    }

    /// The price goes on against a bankrupt.
    fn deepened(&mut self, model: &Model, market: usize, bankrupt: usize) -> Option<Operation> {
        let own = sign_of(model, market, bankrupt);
        let Operation::Quote { mut quoted, .. } = again(model, market, model.time) else {
            return None;
        };
        let before = i128::from(quoted.ticks);
        let ticks = before - own * before * self.pick.within(20, 150) / 1_000;
        quoted.ticks = u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)?;
        quoted.ema = quoted.ticks;
        Some(Operation::Quote { market, quoted })
    }

    /// A round for a bankrupt that leaves somebody out who ranks high, mostly a leg, and best one that was witnessed.
    fn hostile_round(&mut self, model: &Model, market: usize, bankrupt: usize) -> Operation {
        let own = sign_of(model, market, bankrupt);
        let mut others = all_bankrupt(model, market);
        others.retain(|one| sign_of(model, market, *one) == own);
        let bankrupt = self.pick.some(&others).unwrap_or(bankrupt);
        let mut ranking = model.mixed_ranking(market, bankrupt);
        let leg = |(trader, _): &(usize, i128)| model.leg(market, *trader);
        let legs: Vec<_> = ranking
            .iter()
            .copied()
            .filter(|one| leg(one).is_some())
            .collect();
        let witnessed = legs.iter().copied();
        let witnessed = witnessed.filter(|one| leg(one).is_some_and(|leg| leg.weak.is_some()));
        let witnessed: Vec<_> = witnessed.collect();
        let out = match (self.pick.some(&witnessed), self.pick.some(&legs)) {
            (Some(witnessed), _) => Some(witnessed),
            (None, Some(leg)) if self.pick.percent(80) => Some(leg),
            _ => self.pick.some(&ranking),
        };
        ranking.retain(|one| Some(*one) != out);
        self.round_of(model, market, bankrupt, &ranking)
    }

    /// A round for a bankrupt position or leg, mostly with whom it would cut.
    pub fn mixed_round(&mut self, model: &Model, market: usize, bankrupt: usize) -> Operation {
        let ranking = model.mixed_ranking(market, bankrupt);
        self.round_of(model, market, bankrupt, &ranking)
    }

    /// A round with the first of these.
    fn round_of(
        &mut self,
        model: &Model,
        market: usize,
        bankrupt: usize,
        ranking: &[(usize, i128)],
    ) -> Operation {
        let mut wanted = self.reach(size_of(model, market, bankrupt));
        let mut spares = self.pick.within(0, 3);
        let mut list = Vec::new();
        for (trader, lots) in ranking {
            if wanted <= 0 {
                spares -= 1;
            }
            if spares < 0 {
                break;
            }
            wanted -= lots;
            list.push(Listed::Trader(*trader));
        }
        if self.pick.percent(20) {
            self.spoil(model, market, bankrupt, &mut list);
        }
        if self.pick.percent(5) {
            let legs = with_legs(model, market);
            let other = self.pick.some(&legs).unwrap_or(bankrupt);
            list.push(Listed::Trader(other));
        }
        let receiver = self.trader(model);
        Operation::Cross(CrossCall::Round {
            call: Call {
                market,
                bankrupt,
                receiver,
                list: list.into_iter().take(33).collect(),
            },
            queues: self.most_queues(),
        })
    }

    /// Everybody of the counterparties' side is recorded anew, or some of them.
    fn renewed(&mut self, model: &Model, market: usize, bankrupt: usize) -> CrossCall {
        let mut traders = counterparties(model, market, bankrupt);
        if self.pick.percent(15) {
            self.pick.shuffle(&mut traders);
            traders.truncate(2);
        }
        if self.pick.percent(35) {
            return CrossCall::Refresh {
                market,
                traders,
                queues: self.most_queues(),
            };
        }
        CrossCall::Witness(Witnessing {
            market,
            bankrupt,
            traders,
            queues: self.most_queues(),
        })
    }

    /// Somebody shows that some legs could not be cut, mostly for somebody who is bankrupt.
    pub fn witness(&mut self, model: &Model, market: usize) -> CrossCall {
        let bankrupt = all_bankrupt(model, market);
        let bankrupt = match self.pick.some(&bankrupt) {
            Some(bankrupt) if self.pick.percent(90) => bankrupt,
            _ => self.leg_holder(model, market),
        };
        let count = self.pick.one(&[1, 1, 2, 3, 0]);
        let traders = (0..count).map(|_| self.leg_holder(model, market)).collect();
        CrossCall::Witness(Witnessing {
            market,
            bankrupt,
            traders,
            queues: self.most_queues(),
        })
    }

    /// All cross queues, now and then some.
    pub fn most_queues(&mut self) -> Queues {
        match self.pick.percent(12) {
            true => self.queues(),
            false => vec![(0, 0), (0, 1), (1, 0), (1, 1)],
        }
    }

    /// Somebody looks at a bankruptcy, again and again, for as long as it takes for records to count as they stand.
    fn wait(&mut self, model: &Model, market: usize, bankrupt: usize) {
        let flag = flag(model, market, bankrupt);
        let grace = model.markets[market].params.adl.grace_slots;
        let looks = (grace + WAIT) / LOOK + 2;
        let mut steps = Vec::new();
        for look in 0..looks {
            let time = model.time + 20 * i128::from(look);
            steps.extend([0, 1].map(|one| again(model, one, time)));
            steps.push(Operation::Cross(CrossCall::Record {
                markets: vec![0, 1],
            }));
            steps.push(flag.clone());
            steps.push(Operation::Advance {
                slots: LOOK,
                seconds: 20,
            });
        }
        let time = model.time + 20 * i128::from(looks);
        steps.extend([0, 1].map(|one| again(model, one, time)));
        steps.push(Operation::Cross(CrossCall::Record {
            markets: vec![0, 1],
        }));
        self.first.extend(steps.into_iter().rev());
    }
}

/// Whose legs are on the other side of a bankrupt position or leg.
fn counterparties(model: &Model, market: usize, bankrupt: usize) -> Vec<usize> {
    let own = sign_of(model, market, bankrupt);
    let mut traders = with_legs(model, market);
    traders.retain(|trader| sign_of(model, market, *trader) == -own);
    traders
}

/// What a position or leg, with its share, lacks at the price as published.
fn deficit(model: &Model, market: usize, trader: usize) -> i128 {
    let now = &model.markets[market];
    let price = i128::from(now.quoted.ticks) * now.atoms_per_tick;
    match model.leg(market, trader) {
        Some(_) => published(model, market, trader).map_or(0, |account| -account.share(market)),
        None => -model.held(market, trader).equity(price),
    }
}

/// The sign of a position or leg.
fn sign_of(model: &Model, market: usize, trader: usize) -> i128 {
    either(model, market, trader).sign()
}

/// The lots of a position or leg.
fn size_of(model: &Model, market: usize, trader: usize) -> i128 {
    either(model, market, trader).size()
}

fn either(model: &Model, market: usize, trader: usize) -> Holding {
    let leg = model.leg(market, trader).map(|leg| leg.holding);
    leg.unwrap_or_else(|| model.held(market, trader))
}

/// Somebody looks at a bankruptcy.
fn flag(model: &Model, market: usize, trader: usize) -> Operation {
    match model.leg(market, trader) {
        Some(_) => Operation::Cross(CrossCall::Flag { market, trader }),
        None => Operation::Flag { market, trader },
    }
}

/// The price as it is, published once more.
pub fn again(model: &Model, market: usize, time: i128) -> Operation {
    let mut quoted = model.markets[market].quoted;
    quoted.time = i64::try_from(time).expect("a time");
    (quoted.ema, quoted.conf) = (quoted.ticks, 0);
    Operation::Quote { market, quoted }
}

/// Whose positions and legs in a market are bankrupt at the price as published.
fn all_bankrupt(model: &Model, market: usize) -> Vec<usize> {
    let isolated = distressed(model, market).into_iter();
    let isolated = isolated.filter(|(_, bankrupt)| *bankrupt);
    let mut all: Vec<usize> = isolated.map(|(trader, _)| trader).collect();
    all.extend(bankrupt_legs(model, market));
    all
}
