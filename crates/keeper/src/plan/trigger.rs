//! Stop-losses and take-profits that the price has reached.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_client::makers::{trigger_makers, trigger_request, TakerView};
use ballast_engine::book::BookRef;
use ballast_engine::matching::MAX_MATCHES;
use ballast_engine::order::{check, OrderRequest, OrderTerms};
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use ballast_state::trigger::TriggerKind;
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
    let terms = terms(present, &taker, &trigger_request(side, trigger))?;
    let lots = fillable(book, side, &terms, &taker, &listed)?;
    if lots == 0 {
        return Ok(Planned::Nothing(Idle::NoTaker));
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

fn terms(
    present: &Present<'_>,
    taker: &TakerView<'_>,
    request: &OrderRequest,
) -> Result<OrderTerms, EngineError> {
    let (params, tick) = (
        taker.market.params(),
        taker.market.oracle.atoms_per_lot_tick,
    );
    check(
        params,
        &present.mark,
        tick,
        &taker.position,
        request,
        taker.now,
    )
}

/// Lots that the orders of the listed makers take, if each that has not expired trades. `side` is
/// that of the orders.
fn fillable(
    book: &BookRef<'_>,
    side: Side,
    terms: &OrderTerms,
    taker: &TakerView<'_>,
    listed: &[Pubkey],
) -> Result<u64, EngineError> {
    let (mut left, mut matches) = (terms.lots, 0_u32);
    for step in book.iter(side) {
        let (_, order) = step?;
        let maker = Pubkey::new_from_array(order.trader);
        if maker == taker.trader {
            continue;
        }
        let ended = left == 0 || matches == MAX_MATCHES || !listed.contains(&maker);
        if ended || !terms.crosses(side.opposite(), order.price()) {
            break;
        }
        matches = matches.saturating_add(1);
        if !order.has_expired(taker.now) {
            left = left.saturating_sub(order.size());
        }
    }
    Ok(terms.lots.saturating_sub(left))
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
