//! How a bankrupt position is closed against the other side: by the plan of the client, which the program
//! follows to the lot.

use ballast_client::ranking::{plan, AdlPlan, Request};
use ballast_engine::reward::rescue_reward;
use ballast_engine::units::Side;
use ballast_state::error::{BallastError, Result};

use super::liquidate::MOST_CALLS;
use super::world::{index, World};

/// Counterparties of one call; more follow in another.
pub const LIST_LENGTH: usize = 8;
/// Rounds for one bankruptcy at one price.
pub const MOST_ROUNDS: usize = 2_000;

impl World<'_> {
    /// Closes a bankrupt position, in as many rounds as it takes.
    pub(super) fn deleverage(&mut self, place: u32) -> Result<()> {
        for _ in 0..MOST_ROUNDS {
            for _ in 0..MOST_CALLS {
                if !self.liquidate_into_book(place)? {
                    break;
                }
            }
            let position = self.position(place)?;
            let mark = self.touched.mark.price;
            let Some(side) = position.side() else {
                return Ok(());
            };
            if !position.equity(mark)?.is_negative() {
                break;
            }
            if !self.round(place, side)? {
                self.outcome.left_open += 1;
                return Ok(());
            }
        }
        match self.position(place)?.is_empty() {
            true => Ok(()),
            false => self.flag(place),
        }
    }

    /// One round. Whether anybody was cut.
    fn round(&mut self, place: u32, side: Side) -> Result<bool> {
        let account = &self.accounts[index(place)];
        let request = Request {
            bankrupt: account.trader,
            max_counterparties: LIST_LENGTH,
            spares: 0,
        };
        let moment = ballast_client::moment::Moment {
            slot: self.now.slot,
            unix_timestamp: self.now.unix_timestamp,
            price_ticks: self.touched.price.price.get(),
        };
        let queue = self.queue(side.opposite())?;
        let plan = match plan(&self.market, &queue, &account.slot, &moment, &request) {
            Ok(plan) if !plan.cuts.is_empty() => plan,
            _ => return Ok(false),
        };
        self.join_pass(place, side, &plan)?;
        for cut in &plan.cuts {
            let owner = self.owner(side.opposite(), cut.node)?;
            self.cut(owner, cut)?;
        }
        self.conclude(place, &plan)?;
        Ok(true)
    }

    /// The bankruptcy joins the pass of the counterparties' queue, or opens one.
    fn join_pass(&mut self, place: u32, side: Side, plan: &AdlPlan) -> Result<()> {
        let slot = self.now.slot;
        let joined = self.accounts[index(place)].slot.pass_epoch;
        let mut queue = self.queue_mut(side.opposite())?;
        let mut epoch = queue.join_pass(joined, slot)?;
        if plan.reopens {
            epoch = queue.open_pass(slot)?;
        }
        let size = u32::try_from(plan.bankrupt_before.size());
        let size = size.map_err(|_| BallastError::SizeOutOfRange)?;
        let account = self.account_mut(place);
        if joined == 0 {
            account.slot.bankrupt_lots = size;
        }
        if joined == 0 || plan.reopens {
            account.slot.pass_epoch = epoch;
        }
        Ok(())
    }

    fn cut(&mut self, place: u32, cut: &ballast_client::ranking::PlannedCut) -> Result<()> {
        self.wake(place)?;
        let done = &cut.cut;
        let distress = self.accounts[index(place)].slot.distress();
        self.change(place, &done.position_after, &distress, Some(done.stamp))?;
        self.account_mut(place).free += done.payout.get();
        self.leave(place, done.payout.get(), None)?;
        let notional = self.touched.mark.price.notional(done.lots)?;
        self.outcome.adl_lots += done.lots;
        self.outcome.adl_notional += notional;
        let slot = self.now.slot;
        let fate = self.fate_mut(place);
        fate.cut_lots += done.lots;
        fate.gave_up += done.gave_up;
        fate.closed |= done.position_after.is_empty();
        if fate.cut_slot == 0 {
            fate.cut_slot = slot;
        }
        Ok(())
    }

    /// Insurance pays, and what is left of the bankrupt position is stored.
    fn conclude(&mut self, place: u32, plan: &AdlPlan) -> Result<()> {
        let summary = &plan.summary;
        let paid = self
            .market
            .pay_deficit(summary.insurance_paid, self.now.slot)?;
        self.outcome.insurance_paid += paid.insured;
        self.market.count_round()?;
        let slot = self.accounts[index(place)].slot;
        let distress = slot.distress();
        self.change(place, &plan.bankrupt_after, &distress, None)?;
        self.leave(place, 0, None)?;
        self.fate_mut(place).bankrupt_lots += summary.lots;
        let fees = self.market.fees_atoms;
        let reward = rescue_reward(
            self.market.risk.adl.reward_atoms,
            fees,
            summary.lots,
            u64::from(slot.bankrupt_lots),
            paid.insured + paid.held + summary.gave_up,
        )?;
        self.market.fees_atoms = fees - reward;
        self.paid_out += i128::from(reward);
        Ok(())
    }
}
