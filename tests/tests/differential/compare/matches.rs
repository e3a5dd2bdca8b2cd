//! What the program says of orders that were met, against what the model did with them.

use ballast_sandbox::TxOutcome;
use ballast_state::events::BallastEvent;
use ballast_state::events::{OrderCancelled, OrderFilled, OrderRemoved, RemovalReason};

use super::{all, same, Agreement};
use crate::model::{Done, Fill, Matched, Model, Reason, Removed, Took};
use crate::program::World;

/// The fills, the orders taken out and what else the event has.
pub fn matched(
    world: &World,
    outcome: &TxOutcome,
    model: &Model,
    market: usize,
    matched: &Matched,
) -> Agreement {
    let event = outcome.events.iter().find_map(|event| match event {
        BallastEvent::OrderPlaced(event) => {
            let agreement = placed(event, matched);
            Some((&event.fills, &event.removed, agreement))
        }
        BallastEvent::PositionLiquidated(event) => {
            let agreement = liquidated(event, matched);
            Some((&event.fills, &event.removed, agreement))
        }
        BallastEvent::PoolUnwound(event) => {
            let agreement = unwound(event, matched);
            Some((&event.fills, &event.removed, agreement))
        }
        BallastEvent::ProtectionExecuted(event) => {
            let agreement = stepped(event, matched);
            Some((&event.fills, &event.removed, agreement))
        }
        BallastEvent::TriggerExecuted(event) => {
            let agreement = executed(event, matched);
            Some((&event.fills, &event.removed, agreement))
        }
        _ => None,
    });
    let Some((fills, removed, agreement)) = event else {
        return Err(format!("events of a match: {:?}", outcome.events));
    };
    agreement?;
    took(outcome, matched)?;
    let tick = model.markets[market].atoms_per_tick;
    same("fills", fills.len(), matched.fills.len())?;
    for (program, model) in fills.iter().zip(&matched.fills) {
        fill(world, program, model, tick)?;
    }
    same("removed", removed.len(), matched.removed.len())?;
    for (program, model) in removed.iter().zip(&matched.removed) {
        removal(world, program, model)?;
    }
    Ok(())
}

fn fill(world: &World, program: &OrderFilled, model: &Fill, tick: i128) -> Agreement {
    same("maker", program.maker, world.addresses[model.trader])?;
    let unsigned = i128::from;
    all(
        &format!("fill of order {}", model.id),
        &[
            ("order", unsigned(program.order_id), unsigned(model.id)),
            ("price", unsigned(program.price_ticks) * tick, model.price),
            ("lots", unsigned(program.lots), model.lots),
            ("taker fee", unsigned(program.taker_fee), model.fee),
            ("maker fee", i128::from(program.maker_fee), model.maker_fee),
            (
                "lots after",
                i128::from(program.maker_lots_after),
                model.after,
            ),
            (
                "margin",
                i128::from(program.maker_margin_after),
                model.margin,
            ),
            ("left", unsigned(program.order_left), model.left),
        ],
    )
}

fn removal(world: &World, program: &OrderRemoved, model: &Removed) -> Agreement {
    same("maker", program.maker, world.addresses[model.trader])?;
    let reason = match program.reason {
        RemovalReason::Expired => Reason::Expired,
        RemovalReason::Unhealthy => Reason::Unhealthy,
        RemovalReason::NothingToReduce => Reason::NothingToReduce,
        RemovalReason::NoRoom => Reason::NoRoom,
        RemovalReason::Reduced => Reason::Reduced,
        RemovalReason::Evicted => Reason::Evicted,
        RemovalReason::ProfitIsHeld => return Err("an order of a leg was met".to_owned()),
    };
    let whose = format!("removal of order {}", model.id);
    same(&whose, reason, model.reason)?;
    let unsigned = i128::from;
    all(
        &whose,
        &[
            ("order", unsigned(program.order_id), unsigned(model.id)),
            ("lots", unsigned(program.lots), model.lots),
            ("fee", unsigned(program.fee_atoms), model.fee),
        ],
    )
}

/// Orders with what they lost.
fn own(orders: &[OrderCancelled]) -> Vec<(u64, i128, i128)> {
    let lost = orders.iter().map(|order| {
        let (lots, margin) = (i128::from(order.lots), i128::from(order.margin_atoms));
        (order.id, lots, margin)
    });
    lost.collect()
}

fn placed(event: &ballast_state::events::OrderPlaced, matched: &Matched) -> Agreement {
    let Done::Order {
        lots,
        id,
        resting,
        reserved,
    } = matched.done
    else {
        return Err(format!("an order was placed, model {matched:?}"));
    };
    let filled: i128 = matched.fills.iter().map(|fill| fill.lots).sum();
    same("own orders", &own(&event.cancelled), &matched.own)?;
    let collected: i128 = matched.removed.iter().map(|removed| removed.fee).sum();
    let unsigned = i128::from;
    all(
        "order",
        &[
            ("lots", unsigned(event.lots), lots),
            ("filled", unsigned(event.filled_lots), filled),
            ("id", unsigned(event.order_id), unsigned(id)),
            ("resting", unsigned(event.resting_lots), resting),
            (
                "dropped",
                unsigned(event.dropped_lots),
                lots - filled - resting,
            ),
            ("reserved", unsigned(event.reserved_atoms), reserved),
            ("collected", unsigned(event.collected_atoms), collected),
        ],
    )
}

fn liquidated(event: &ballast_state::events::PositionLiquidated, matched: &Matched) -> Agreement {
    let Done::Liquidation {
        lots,
        taken,
        quote,
        rewards,
        fee,
        paid,
        ..
    } = matched.done
    else {
        return Err(format!("a position was liquidated, model {matched:?}"));
    };
    let unsigned = i128::from;
    all(
        "liquidation",
        &[
            ("lots", i128::from(event.lots).abs(), lots),
            ("book", i128::from(event.book_lots).abs(), lots - taken),
            ("quote", i128::from(event.quote_atoms).abs(), quote),
            ("rewards", unsigned(event.book_reward_atoms), rewards),
            ("fee", unsigned(event.insurance_fee_atoms), fee),
            (
                "paid",
                unsigned(event.insurance_paid_atoms + event.held_paid_atoms),
                paid,
            ),
        ],
    )
}

fn executed(event: &ballast_state::events::TriggerExecuted, matched: &Matched) -> Agreement {
    let Done::Trigger { left, reward } = matched.done else {
        return Err(format!("a trigger was executed, model {matched:?}"));
    };
    same("own orders", &own(&event.cancelled), &matched.own)?;
    let unsigned = i128::from;
    all(
        "trigger",
        &[
            ("left", unsigned(event.left_lots), left),
            ("reward", unsigned(event.reward_atoms), reward),
        ],
    )
}

fn stepped(event: &ballast_state::events::ProtectionExecuted, matched: &Matched) -> Agreement {
    let Done::Step {
        step,
        worst,
        left,
        reward,
    } = matched.done
    else {
        return Err(format!("a step was executed, model {matched:?}"));
    };
    same("own orders", &own(&event.cancelled), &matched.own)?;
    let unsigned = i128::from;
    let program = event.step;
    all(
        "step",
        &[
            ("ratio", program.ratio_bps.into(), step.ratio.into()),
            ("keep", program.keep_bps.into(), step.keep.into()),
            ("worst", unsigned(event.worst_ticks), worst),
            ("left", unsigned(event.left_lots), left),
            ("reward", unsigned(event.reward_atoms), reward),
        ],
    )
}

/// What the pool took of a liquidation.
fn took(outcome: &TxOutcome, matched: &Matched) -> Agreement {
    let event = outcome.events.iter().find_map(|event| match event {
        BallastEvent::PoolTook(event) => Some(event),
        _ => None,
    });
    let expected = match matched.done {
        Done::Liquidation { took, .. } => took,
        _ => None,
    };
    let unsigned = i128::from;
    let found = event.map(|event| Took {
        lots: [event.lots_before, event.lots_after].map(i128::from),
        earned: [event.discount_atoms, event.premium_atoms].map(unsigned),
        margin: unsigned(event.margin_added),
        low: unsigned(event.worth_low),
    });
    same("what the pool took", found, expected)
}

fn unwound(event: &ballast_state::events::PoolUnwound, matched: &Matched) -> Agreement {
    let Done::Unwind { due, limit, keeper } = matched.done else {
        return Err(format!("a pool unwound, model {matched:?}"));
    };
    let filled: i128 = matched.fills.iter().map(|fill| fill.lots).sum();
    let unsigned = i128::from;
    all(
        "unwind",
        &[
            ("due", unsigned(event.due_lots), due),
            ("closed", unsigned(event.closed_lots), filled),
            ("limit", unsigned(event.limit_ticks), limit),
            ("keeper", unsigned(event.keeper_atoms), keeper),
        ],
    )
}
