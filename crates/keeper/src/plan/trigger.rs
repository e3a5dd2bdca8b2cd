//! Stop-losses and take-profits that the price has reached.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_client::makers::{order_fill, trigger_makers, TakerView};
use ballast_state::trigger::{Trigger, TriggerKind};
use solana_instruction::Instruction;

use super::{fit, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::evaluate::Task;
use crate::market::Present;
use crate::positions::PositionRecord;

/// Plans the execution of a trigger against the book.
pub fn plan(
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
    let mut listed = trigger_makers(book, &taker, trigger, own.options.spares)?;
    listed.truncate(own.options.max_makers);
    let build = |listed: &[Pubkey]| instruction(kind, present, &record.trader, own, listed);
    listed.truncate(fit::longest(&listed, own, |listed| vec![build(listed)])?);
    let request = trigger.order(side);
    let lots = order_fill(book, &taker, &request, Trigger::SELF_TRADE, &listed)?;
    if lots == 0 {
        return Ok(Planned::Nothing(Idle::NoOrders));
    }
    Ok(Planned::Send(Box::new(Plan {
        task: Task::Trigger(kind),
        trader: record.trader,
        instructions: vec![build(&listed)],
        listed,
        effect: Effect::Trigger { lots },
        reads: Reads {
            book: Some(side),
            queue: None,
        },
    })))
}

fn instruction(
    kind: TriggerKind,
    present: &Present<'_>,
    trader: &Pubkey,
    own: &Own<'_>,
    listed: &[Pubkey],
) -> Instruction {
    let keys = present.state.keys;
    anyone::ExecuteTrigger {
        keeper: own.authority,
        keys,
        trader: *trader,
        reward_trader: own.address,
        kind,
        makers: listed,
    }
    .instruction()
}
