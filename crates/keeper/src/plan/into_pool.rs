//! What the market's pool takes of a liquidation: after the keeper's own call, or in its place.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_client::liquidation::{foresee_into_pool, IntoPool};
use ballast_engine::liquidation::{look, LiquidationInput, LiquidationPlan};
use ballast_engine::oracle::Action;
use solana_instruction::Instruction;

use super::fit;
use super::liquidate::{Call, Taken};
use super::{Effect, Plan, PlanError};
use crate::evaluate::Task;

impl Call<'_> {
    /// What the pool takes after the keeper's own call, with the same makers listed; `None` where it takes
    /// nothing, or both calls do not fit one transaction.
    pub(super) fn then_into_pool(
        &self,
        taken: &Taken,
    ) -> Result<Option<LiquidationPlan>, PlanError> {
        let step = &taken.step;
        let Some(mut pool) = self.pool() else {
            return Ok(None);
        };
        if step.position_after.is_empty() {
            return Ok(None);
        }
        let (mark, params, slot) = (self.input.mark, self.input.params, self.input.slot);
        let left = look(&step.position_after, mark, params, true)?;
        let paid = step.insurance_paid_atoms;
        let after = LiquidationInput {
            position: step.position_after,
            distress: step.remembered(&self.input.distress, left, slot)?,
            insurance_available: self.input.insurance_available.saturating_sub(paid),
            ..*self.input
        };
        pool.book_gone = step.book_lots.size();
        pool.insurance_alone = pool.insurance_alone.saturating_sub(paid);
        let both = [
            self.instruction(taken.offer, &taken.listed),
            self.pool_instruction(&taken.listed),
        ];
        let before = self.before(&taken.listed).into_iter();
        let both: Vec<Instruction> = before.chain(both).collect();
        let size = fit::size(&both, &self.own.payer, self.own.tables)?;
        let then = self.takes(&after, &pool, &taken.listed);
        Ok(then.filter(|_| size.fits()))
    }

    /// The pool takes what the book leaves; `None` where it takes nothing.
    pub(super) fn by_the_pool(&self) -> Result<Option<Plan>, PlanError> {
        let Some(pool) = self.pool() else {
            return Ok(None);
        };
        let calls = |listed: &[Pubkey]| {
            let before = self.before(listed).into_iter();
            before.chain([self.pool_instruction(listed)]).collect()
        };
        let listed = self.makers(true, calls)?;
        let Some(step) = self.takes(self.input, &pool, &listed) else {
            return Ok(None);
        };
        let before = self.before(&listed).into_iter();
        let plan = self.plan_of(before.collect(), listed);
        Ok(Some(self.with_pool(plan, &step)))
    }

    /// A plan with the pool's part `step` added to it.
    pub(super) fn with_pool(&self, mut plan: Plan, step: &LiquidationPlan) -> Plan {
        plan.task = Task::LiquidateIntoPool;
        plan.instructions.push(self.pool_instruction(&plan.listed));
        let book = step.book_lots.size();
        if let Effect::Liquidation {
            book_lots,
            pool_lots,
            income_atoms,
            insurance_atoms,
            ..
        } = &mut plan.effect
        {
            *book_lots = book_lots.saturating_add(book);
            *pool_lots = step.lots.size().saturating_sub(book);
            *income_atoms = income_atoms.saturating_add(step.reward_atoms);
            *insurance_atoms = insurance_atoms.saturating_add(step.insurance_paid_atoms);
        }
        if book > 0 {
            plan.reads.book = self.input.position.side();
        }
        plan
    }

    /// The pool as it is offered lots; `None` where there is none to be offered any. That the queue has
    /// room for its position is assumed: where it has none, the program says so.
    fn pool(&self) -> Option<IntoPool<'_>> {
        let state = self.present.state;
        if !self.own.options.offer_pool || self.victim == state.backstop.trader {
            return None;
        }
        let slot = self.input.slot;
        let flagged_slot = self.input.distress.confirmed_since(slot);
        let present = self.present.pool(Action::Force { flagged_slot })?;
        Some(IntoPool {
            taker: present.taker(true).ok()?,
            insurance_alone: state.market.insurance_available(slot).ok()?,
            book_gone: 0,
        })
    }

    /// The step in which the pool takes lots of `input`; `None` where it takes none, whatever the reason:
    /// nothing about a pool keeps a position from being liquidated without it.
    fn takes(
        &self,
        input: &LiquidationInput<'_>,
        pool: &IntoPool<'_>,
        listed: &[Pubkey],
    ) -> Option<LiquidationPlan> {
        let step = foresee_into_pool(self.book, &self.victim, input, pool, listed).ok()?;
        (step.lots != step.book_lots).then_some(step)
    }

    fn pool_instruction(&self, listed: &[Pubkey]) -> Instruction {
        let own = self.own;
        anyone::LiquidateIntoPool {
            authority: own.authority,
            keys: self.present.state.keys,
            trader: self.victim,
            liquidator: own.address,
            makers: &self.listed(listed),
        }
        .instruction()
    }
}
