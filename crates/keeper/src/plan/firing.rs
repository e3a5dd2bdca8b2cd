//! Lots that anybody may close at the trader's own wish: of stop-losses and take-profits that the price has
//! reached, and of protective steps below which the margin ratio has fallen.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_client::makers::{order_fill, trigger_makers, TakerView};
use ballast_engine::units::Side;
use ballast_state::trigger::{Trigger, TriggerKind};
use solana_instruction::Instruction;

use super::makers::Taking;
use super::{fit, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::evaluate::Task;
use crate::market::Present;
use crate::positions::PositionRecord;
use crate::protections;

/// Plans the execution of a trigger against the book.
pub fn trigger(
    kind: TriggerKind,
    present: &Present<'_>,
    record: &PositionRecord,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let Some(side) = record.position.side() else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let trigger = record.trigger(kind);
    let reached = trigger.is_reached(kind, side, present.moment.price_ticks);
    if trigger.is_unset() || !reached {
        return Ok(Planned::Nothing(Idle::Gone));
    }
    let firing = Firing {
        kind: Some(kind),
        side,
        trigger,
        present,
        record,
        own,
    };
    firing.plan(lists, &|lots| Effect::Trigger { lots })
}

/// Plans the execution of the protective step that is due against the book.
pub fn protection(
    present: &Present<'_>,
    record: &PositionRecord,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let steps = present.state.protections.get(&record.trader);
    let (Some(steps), Some(side)) = (steps, record.position.side()) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let position = present.settled(record)?;
    let Some(due) = protections::due(present, steps, &position)? else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let firing = Firing {
        kind: None,
        side,
        trigger: &due.trigger,
        present,
        record,
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
    present: &'a Present<'a>,
    record: &'a PositionRecord,
    own: &'a Own<'a>,
}

impl Firing<'_> {
    fn plan(
        &self,
        lists: &Lists<'_>,
        effect: &dyn Fn(u64) -> Effect,
    ) -> Result<Planned, PlanError> {
        let (record, own) = (self.record, self.own);
        if record.trader == own.address {
            return Ok(Planned::Nothing(Idle::OwnPosition));
        }
        let book = lists.book()?;
        let taker = TakerView {
            market: &self.present.state.market,
            price: self.present.price,
            now: self.present.moment.unix_timestamp,
            trader: record.trader,
            position: self.present.settled(record)?,
        };
        let mut listed = trigger_makers(book, &taker, self.trigger, own.options.spares)?;
        listed.truncate(own.options.max_makers);
        let taking = Taking {
            makers: own.makers,
            market: self.present.state,
            side: self.side,
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
            task: self.kind.map_or(Task::Protection, Task::Trigger),
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

    fn instruction(&self, makers: &[Pubkey]) -> Instruction {
        let (keeper, reward_trader) = (self.own.authority, self.own.address);
        let (keys, trader) = (self.present.state.keys, self.record.trader);
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
