//! What needs doing about the board and about accounts with legs at a moment.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{Site, Trouble};
use ballast_engine::health::Health;
use ballast_engine::liquidation::{need, Need};
use ballast_engine::oracle::Action;
use ballast_state::error::BallastError;
use ballast_state::exchange::{PAUSE_DELEVERAGE, PAUSE_LIQUIDATE, PAUSE_TRADE};
use ballast_state::pause::clocks_run;
use ballast_state::trader::Trader;

use super::{Draws, Floor, MOVED_PERCENT, OLD_SLOTS};
use crate::evaluate::{Conditions, Job, Task};
use crate::market::Present;
use crate::positions::PositionRecord;
use crate::protections;

/// How the accounts with legs stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrossCounts {
    /// All that were judged.
    pub accounts: usize,
    /// Below maintenance, equity not negative.
    pub below_maintenance: usize,
    /// Equity negative.
    pub bankrupt: usize,
    /// Legs that wait for the ladder's interval, for a mark of another leg or for a price of their own.
    pub waiting: usize,
    /// Those whose numbers the program refuses.
    pub faulty: usize,
}

/// What there is to do, each job with its market, in no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrossEvaluation {
    /// The jobs.
    pub jobs: Vec<(Pubkey, Job)>,
    /// How the accounts stand.
    pub counts: CrossCounts,
}

/// Judges the board and every account with legs, at the prices of now; others are passed over.
#[must_use]
pub fn evaluate<'t>(
    floor: &Floor<'_>,
    accounts: impl IntoIterator<Item = (&'t Pubkey, &'t Trader)>,
    draws: &Draws<'_>,
    conditions: &Conditions,
) -> CrossEvaluation {
    let mut found = CrossEvaluation::default();
    let judge = Judge {
        floor,
        draws,
        conditions,
    };
    let accounts = accounts.into_iter();
    for (address, trader) in accounts.filter(|(_, trader)| trader.cross_legs > 0) {
        found.counts.accounts = found.counts.accounts.saturating_add(1);
        if judge.account(address, trader, &mut found).is_err() {
            found.counts.faulty = found.counts.faulty.saturating_add(1);
        }
    }
    if floor.has_legs() {
        board(floor, &mut found.jobs);
    }
    found
}

/// Adds what the board needs: a mark that has moved or is old is recorded, and one whose price has died frozen.
fn board(floor: &Floor<'_>, jobs: &mut Vec<(Pubkey, Job)>) {
    let mut due = None;
    for spot in &floor.spots {
        let (entry, market) = (&spot.entry, spot.state.address);
        let age = entry.age(floor.slot);
        let Some(present) = spot.present.as_ref().filter(|_| spot.recordable) else {
            let dead = age > u64::from(entry.max_age_slots) && !entry.is_frozen();
            if dead {
                jobs.push((
                    market,
                    about(floor, spot.state.market.last_price.ticks, Task::FreezeMark),
                ));
            }
            continue;
        };
        let moved = u128::from(present.mark.price.get().abs_diff(entry.mark)) * 1_000_000;
        let rate = u128::from(entry.terms.maintenance_bps()) * u128::from(MOVED_PERCENT);
        let far = moved >= u128::from(entry.mark) * rate;
        if far || entry.is_frozen() || age >= OLD_SLOTS {
            due = due.or(Some((market, present.moment.price_ticks)));
        }
    }
    // All that may be are recorded together.
    if let Some((market, ticks)) = due {
        jobs.push((market, about(floor, ticks, Task::RecordMarks)));
    }
}

/// A job about a market.
fn about(floor: &Floor<'_>, mark_ticks: u64, task: Task) -> Job {
    Job {
        task,
        trader: Pubkey::default(),
        lots: 0,
        equity_atoms: 0,
        maintenance_atoms: 0,
        flag_due: false,
        mark_ticks,
        slot: floor.slot,
    }
}

struct Judge<'a, 'f> {
    floor: &'a Floor<'f>,
    draws: &'a Draws<'a>,
    conditions: &'a Conditions,
}

impl Judge<'_, '_> {
    fn account(
        &self,
        address: &Pubkey,
        trader: &Trader,
        found: &mut CrossEvaluation,
    ) -> Result<(), BallastError> {
        let mut counted = false;
        for slot in trader.positions.iter().filter(|slot| slot.is_leg()) {
            let Some(present) = self.floor.present(&slot.market) else {
                found.counts.waiting = found.counts.waiting.saturating_add(1);
                continue;
            };
            let site = self.floor.site(present);
            let counts = clocks_run(self.conditions.pause_flags);
            let trouble = match site.trouble(trader, counts) {
                Ok(trouble) => trouble,
                Err(BallastError::CrossMarkStale) => {
                    found.counts.waiting = found.counts.waiting.saturating_add(1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !counted {
                counted = true;
                match trouble.values.health() {
                    Health::Healthy => {}
                    Health::BelowMaintenance => found.counts.below_maintenance += 1,
                    Health::Bankrupt { .. } => found.counts.bankrupt += 1,
                }
            }
            let leg = Leg {
                judge: self,
                present,
                site: &site,
                trader,
                trouble: &trouble,
            };
            let task = leg.task(found)?;
            let wished = leg.wished(address, task.is_none())?;
            for task in task.into_iter().chain(wished) {
                found.jobs.push((slot.market, leg.job(address, task)));
            }
        }
        Ok(())
    }
}

struct Leg<'a, 'f> {
    judge: &'a Judge<'a, 'f>,
    present: &'a Present<'f>,
    site: &'a Site<'a>,
    trader: &'a Trader,
    trouble: &'a Trouble,
}

impl Leg<'_, '_> {
    /// What the leg needs now.
    fn task(&self, found: &mut CrossEvaluation) -> Result<Option<Task>, BallastError> {
        if self.site.market.mode().has_ended() {
            return Ok(Some(Task::PartLeg));
        }
        let now = self.present.moment.unix_timestamp;
        if self.site.market.wind_down.has_come(now) {
            return Ok(None);
        }
        let flag = self.flag_due().then_some(Task::FlagLeg);
        let look = self.trouble.forced.look;
        if look.health == Health::Healthy {
            return Ok(flag);
        }
        if !self.forces() {
            found.counts.waiting = found.counts.waiting.saturating_add(1);
            return Ok(flag);
        }
        let draws = (self.judge.draws)(&self.site.key);
        let input = self.site.liquidation(self.trader, self.trouble, &draws)?;
        let allow = |pause| self.judge.conditions.allow(pause);
        let task = match need(&input)? {
            Need::Deleverage if allow(PAUSE_DELEVERAGE) => Some(Task::DeleverageLeg),
            Need::Deleverage | Need::Liquidate if allow(PAUSE_LIQUIDATE) => self
                .site
                .check_order(self.trader, self.trouble)
                .is_ok()
                .then_some(Task::LiquidateLeg),
            Need::Wait => {
                found.counts.waiting = found.counts.waiting.saturating_add(1);
                None
            }
            _ => None,
        };
        Ok(task.or(flag))
    }

    /// What the owner wishes to close at this price: by a trigger where the leg is healthy or `idle`, so that nothing
    /// else is due, and by a protective step. Nothing of a bankrupt account.
    fn wished(&self, address: &Pubkey, idle: bool) -> Result<Vec<Task>, BallastError> {
        let health = self.trouble.values.health();
        let market = self.site.market;
        let now = self.present.moment.unix_timestamp;
        let over = market.mode().has_ended() || market.wind_down.has_come(now);
        let bankrupt = matches!(health, Health::Bankrupt { .. });
        let allowed = self.judge.conditions.allow(PAUSE_TRADE) && self.forces();
        let mut wished = Vec::new();
        if over || bankrupt || !allowed {
            return Ok(wished);
        }
        if idle || health == Health::Healthy {
            let record = PositionRecord::of(address, self.trader.leg(&self.site.key)?)?;
            let kind = record.and_then(|it| it.reached(self.present.moment.price_ticks));
            wished.extend(kind.map(Task::TriggerLeg));
        }
        if let Some(steps) = self.present.state.protections.get(address) {
            let due = protections::due_of_leg(self.site, self.trader, steps)?;
            wished.extend(due.map(|_| Task::ProtectLeg));
        }
        Ok(wished)
    }

    /// Whether the price may be used to close lots of the leg for its owner.
    fn forces(&self) -> bool {
        let slot = self.present.moment.slot;
        let flagged_slot = self.trader.flagged_slot(&self.site.key, slot);
        self.present.check(Action::Force { flagged_slot }).is_ok()
    }

    /// Whether `flag_leg` would change what is known of the leg, and the price serves for it.
    fn flag_due(&self) -> bool {
        let slot = self.present.moment.slot;
        let key = &self.site.key;
        let Ok(leg) = self.trader.leg(key) else {
            return false;
        };
        let flagged_slot = self.trader.flagged_slot(key, slot);
        leg.distress().is_stale(self.trouble.forced.look, slot)
            && self.present.check(Action::Flag { flagged_slot }).is_ok()
    }

    fn job(&self, address: &Pubkey, task: Task) -> Job {
        let forced = &self.trouble.forced;
        Job {
            task,
            trader: *address,
            lots: forced.position.lots.get(),
            equity_atoms: forced.equity.get(),
            maintenance_atoms: forced.requirement,
            flag_due: self.flag_due(),
            mark_ticks: self.present.moment.price_ticks,
            slot: self.present.moment.slot,
        }
    }
}
