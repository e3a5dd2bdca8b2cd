//! Lots that anybody may close at the trader's own wish: of stop-losses and take-profits that the price has
//! reached, and of protective steps below which the margin ratio has fallen.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::Site;
use ballast_client::instructions::anyone;
use ballast_client::makers::{order_fill, trigger_makers, TakerView};
use ballast_engine::units::Side;
use ballast_state::trader::Trader;
use ballast_state::trigger::{Trigger, TriggerKind};
use solana_instruction::Instruction;

use super::makers::Taking;
use super::{fit, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::evaluate::Task;
use crate::market::Present;
use crate::positions::PositionRecord;
use crate::protections;

/// A position whose lots are closed.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The market.
    pub present: &'a Present<'a>,
    /// The position, or the leg.
    pub record: &'a PositionRecord,
    /// Of a leg the market with the board, and the account.
    pub leg: Option<(&'a Site<'a>, &'a Trader)>,
}

/// Plans the execution of a trigger against the book.
pub fn trigger(
    kind: TriggerKind,
    target: Target<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let Some(side) = target.record.position.side() else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let trigger = target.record.trigger(kind);
    let reached = trigger.is_reached(kind, side, target.present.moment.price_ticks);
    if trigger.is_unset() || !reached {
        return Ok(Planned::Nothing(Idle::Gone));
    }
    let firing = Firing {
        kind: Some(kind),
        side,
        trigger,
        target,
        own,
    };
    firing.plan(lists, &|lots| Effect::Trigger { lots })
}

/// Plans the execution of the protective step that is due against the book.
pub fn protection(
    target: Target<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let (present, record) = (target.present, target.record);
    let steps = present.state.protections.get(&record.trader);
    let (Some(steps), Some(side)) = (steps, record.position.side()) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let due = match target.leg {
        Some((site, trader)) => protections::due_of_leg(site, trader, steps)?,
        None => protections::due(present, steps, &present.settled(record)?)?,
    };
    let Some(due) = due else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let firing = Firing {
        kind: None,
        side,
        trigger: &due.trigger,
        target,
        own,
    };
    let sequence = steps.sequence;
    firing.plan(lists, &|lots| Effect::Protection { lots, sequence })
}

struct Firing<'a> {
    /// Of the trigger; `None` for a protective step.
    kind: Option<TriggerKind>,
    /// Of the position.
    side: Side,
    trigger: &'a Trigger,
    target: Target<'a>,
    own: &'a Own<'a>,
}

impl Firing<'_> {
    fn plan(
        &self,
        lists: &Lists<'_>,
        effect: &dyn Fn(u64) -> Effect,
    ) -> Result<Planned, PlanError> {
        let (present, record, own) = (self.target.present, self.target.record, self.own);
        if record.trader == own.address {
            return Ok(Planned::Nothing(Idle::OwnPosition));
        }
        let book = lists.book()?;
        let taker = TakerView {
            market: &present.state.market,
            price: present.price,
            now: present.moment.unix_timestamp,
            trader: record.trader,
            position: present.settled(record)?,
        };
        let mut listed = trigger_makers(book, &taker, self.trigger, own.options.spares)?;
        listed.truncate(own.options.max_makers);
        let taking = Taking {
            makers: own.makers,
            market: present.state,
            side: self.side,
            leg: self.target.leg.map(|(_, trader)| trader),
            cross: lists.cross,
        };
        let calls = |makers: &[Pubkey]| {
            let call = self.instruction(&taking.listed(makers));
            taking.before(makers).into_iter().chain([call]).collect()
        };
        listed.truncate(fit::longest(&listed, own, calls)?);
        let request = self.trigger.order(self.side);
        let lots = order_fill(book, &taker, &request, Trigger::SELF_TRADE, &listed)?;
        if lots == 0 {
            return Ok(Planned::Nothing(Idle::NoOrders));
        }
        Ok(Planned::Send(Box::new(Plan {
            task: self.task(),
            trader: record.trader,
            instructions: calls(&listed),
            listed,
            effect: effect(lots),
            reads: Reads {
                book: Some(self.side),
                queue: None,
            },
        })))
    }

    const fn task(&self) -> Task {
        match (self.kind, self.target.leg) {
            (Some(kind), None) => Task::Trigger(kind),
            (None, None) => Task::Protection,
            (Some(kind), Some(_)) => Task::TriggerLeg(kind),
            (None, Some(_)) => Task::ProtectLeg,
        }
    }

    fn instruction(&self, makers: &[Pubkey]) -> Instruction {
        let (keeper, reward_trader) = (self.own.authority, self.own.address);
        let (keys, trader) = (self.target.present.state.keys, self.target.record.trader);
        match self.kind {
            Some(kind) => anyone::ExecuteTrigger {
                keeper,
                keys,
                trader,
                reward_trader,
                kind,
                makers,
            }
            .instruction(),
            None => anyone::ExecuteProtection {
                keeper,
                keys,
                trader,
                reward_trader,
                makers,
            }
            .instruction(),
        }
    }
}
