//! Protective steps.

use ballast_state::error::BallastError;

use super::fill::{Done, Matched};
use super::holding::Holding;
use super::number::{ceil, floor, part, ONE};
use super::refusal::{require, Verdict, ALREADY_THERE, NOT_THERE};
use super::state::{side, Model};
use super::trade::{margin_due, Rate};
use super::trigger::Wish;
use crate::operation::{Protecting, Step, Stepping};

/// An account for protective steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// The steps, none where there are none.
    pub steps: Vec<Step>,
    /// How far from the mark fills may lie, basis points; 0 without steps.
    pub slip: u32,
    /// Lots of the position when they were set, with their sign; 0 without steps.
    pub lots: i128,
    /// Which position it was, by its order of joining the queue; 0 without steps.
    pub sequence: u64,
}

impl Model {
    /// The account, if it is open.
    pub fn protection(&self, market: usize, trader: usize) -> Option<&Protection> {
        self.markets[market].protections.get(&trader)
    }

    /// Opens an account without steps.
    pub fn create_protection(&mut self, market: usize, trader: usize) -> Verdict<()> {
        if self.traders[trader].is_none() {
            return Err(NOT_THERE);
        }
        if self.protection(market, trader).is_some() {
            return Err(ALREADY_THERE);
        }
        let none = Protection::default();
        self.markets[market].protections.insert(trader, none);
        Ok(())
    }

    /// Closes it; the trader account may be closed by then.
    pub fn close_protection(&mut self, market: usize, trader: usize) -> Verdict<()> {
        let gone = self.markets[market].protections.remove(&trader);
        gone.map(drop).ok_or(NOT_THERE)
    }

    /// Sets steps for the position there is, in the place of those before, or clears them.
    pub fn set_protection(&mut self, setting: &Protecting) -> Verdict<()> {
        let (market, trader) = (setting.market, setting.trader);
        if self.traders[trader].is_none() || self.protection(market, trader).is_none() {
            return Err(NOT_THERE);
        }
        let mut set = Protection::default();
        if !setting.steps.is_empty() {
            let held = self.held_either_way(market, trader)?;
            let fit = are_steps(&setting.steps) && (1..=5_000).contains(&setting.slip);
            require(fit, BallastError::ProtectiveSteps)?;
            set = Protection {
                steps: setting.steps.clone(),
                slip: setting.slip,
                lots: held.lots,
                sequence: self.sequence_of(market, trader)?,
            };
        }
        self.markets[market].protections.insert(trader, set);
        Ok(())
    }

    /// Closes lots against the book because the margin ratio has fallen below a step.
    pub fn execute_protection(&mut self, call: &Stepping) -> Verdict<Matched> {
        let (market, trader) = (call.market, call.trader);
        if self.traders[trader].is_none() {
            return Err(NOT_THERE);
        }
        let protection = self.protection(market, trader).cloned();
        let protection = protection.ok_or(NOT_THERE)?;
        let (mark, holding) = self.look_before_firing(market, trader, &call.makers)?;
        let leg = self.leg(market, trader).is_some();
        if leg {
            let own = (market, side(holding.sign()));
            let there = call.queues.contains(&own);
            require(there, BallastError::CrossQueueMissing)?;
        }
        let same = self.sequence_of(market, trader)? == protection.sequence
            && holding.sign() == protection.lots.signum();
        require(same, BallastError::ProtectionEnded)?;
        let step = match leg {
            true => {
                let account = self.forced(market, trader, mark)?;
                protection.reached(&holding, account.equity, account.due)
            }
            false => self.step_reached(market, &protection, &holding, mark.price),
        };
        let Some((step, lots)) = step else {
            return Err(BallastError::ProtectionNotReached.into());
        };
        let ticks = i128::from(self.markets[market].quoted.ticks);
        let slip = i128::from(protection.slip);
        // No farther from the mark than the slip.
        let worst = match holding.sign() {
            1 => ceil(&part(ticks, ONE - slip, ONE)),
            _ => floor(&part(ticks, ONE + slip, ONE)),
        };
        let wish = Wish {
            market,
            trader,
            receiver: call.receiver,
            worst,
            lots,
            whole: protection.lots.abs().max(holding.size()),
        };
        let (meeting, reward) = match leg {
            true => self.fire_leg(&wish, mark, &call.queues, &call.makers)?,
            false => self.fire(&wish, mark, &holding, &call.makers)?,
        };
        let left = lots - meeting.lots();
        Ok(meeting.matched(Done::Step {
            step,
            worst,
            left,
            reward,
        }))
    }

    /// The last step that a settled holding has fallen below at a price per lot, and what it does not keep open.
    pub fn step_reached(
        &self,
        market: usize,
        protection: &Protection,
        holding: &Holding,
        price: i128,
    ) -> Option<(Step, i128)> {
        let params = &self.markets[market].params;
        let due = margin_due(params, holding.size() * price, Rate::Maintenance);
        protection.reached(holding, holding.equity(price), due)
    }

    /// Which position it is, isolated or a leg, by its order of joining its queue.
    pub fn sequence_of(&self, market: usize, trader: usize) -> Verdict<u64> {
        match self.leg(market, trader) {
            Some(leg) => Ok(leg.sequence),
            None => Ok(self.needed(market, trader)?.sequence),
        }
    }
}

impl Protection {
    /// The last step below which this equity has fallen where so much is due, and what it does not keep open.
    pub fn reached(&self, holding: &Holding, equity: i128, due: i128) -> Option<(Step, i128)> {
        let below = |step: &&Step| equity * ONE < i128::from(step.ratio) * due;
        let step = *self.steps.iter().rfind(below)?;
        let kept = floor(&part(self.lots.abs(), i128::from(step.keep), ONE));
        let lots = holding.size() - kept;
        (lots > 0).then_some((step, lots))
    }
}

/// Up to four, each of a lower ratio than the one before and of which less is kept; all above liquidation.
fn are_steps(steps: &[Step]) -> bool {
    let falls = steps
        .windows(2)
        .all(|two| two[0].ratio > two[1].ratio && two[0].keep > two[1].keep);
    let within = |step: &Step| (10_001..=1_000_000).contains(&step.ratio) && step.keep < 10_000;
    steps.len() <= 4 && falls && steps.iter().all(within)
}
