//! The book in its order, everybody's chain of orders, reserves and triggers.

use anchor_lang::prelude::Pubkey;
use ballast_engine::units::Side;
use ballast_state::{position_slot::PositionSlot, queue_account::NO_NODE, trigger};

use super::{all, same, to_i128, Agreement};
use crate::model::{Model, Order, Trigger};
use crate::program::World;

/// Both sides, the best first, and what each order says.
pub fn book(world: &World, model: &Model, number: usize) -> Agreement {
    let snapshot = world.sandbox.book(&world.markets[number]);
    let program = snapshot.book().map_err(|error| format!("{error:?}"))?;
    let book = model.book(number);
    let whose = format!("book {number}");
    same(&whose, program.invariant(), Ok(()))?;
    let next = program.header().next_sequence;
    same(&format!("{whose} next order"), next, book.next_id)?;
    for (orders, side) in book.sides.iter().zip([Side::Long, Side::Short]) {
        let whose = format!("{whose} {side:?}");
        let length = i128::from(program.len(side));
        same(&format!("{whose} length"), length, to_i128(orders.len()))?;
        for (step, expected) in program.iter(side).zip(orders) {
            let (_, order) = step.map_err(|error| format!("{whose}: {error:?}"))?;
            let address = Pubkey::new_from_array(order.trader);
            let whose = format!("{whose} order {}", expected.id);
            same(&whose, address, world.addresses[expected.trader])?;
            same(&whose, order.side(), side)?;
            waiting(&whose, order, expected)?;
        }
    }
    Ok(())
}

fn waiting(whose: &str, order: &ballast_engine::book::Order, expected: &Order) -> Agreement {
    all(
        whose,
        &[
            ("id", i128::from(order.id()), i128::from(expected.id)),
            (
                "client id",
                i128::from(order.client_id),
                i128::from(expected.client_id),
            ),
            ("price", i128::from(order.price), expected.price),
            ("lots", i128::from(order.lots), expected.lots),
            ("reserve", i128::from(order.margin), expected.margin),
            (
                "expiry",
                i128::from(order.expires_at),
                i128::from(expected.expires_at),
            ),
            (
                "reduce-only",
                i128::from(order.is_reduce_only()),
                i128::from(expected.reduce_only),
            ),
        ],
    )
}

/// A trader's orders, the newest first, and their reserve.
pub fn orders(
    world: &World,
    model: &Model,
    market: usize,
    trader: usize,
    slot: Option<&PositionSlot>,
) -> Agreement {
    let own = model.book(market).orders_of(trader);
    let whose = format!("trader {trader} market {market} orders");
    let Some(slot) = slot else {
        return same(&whose, 0, own.len());
    };
    let reserved = model.book(market).reserved(trader);
    let chain = slot.own_orders();
    let numbers = [
        ("count", i128::from(chain.count), to_i128(own.len())),
        (
            "reduce-only",
            i128::from(chain.reduce_only),
            to_i128(own.iter().filter(|own| own.reduce_only).count()),
        ),
        ("reserve", i128::from(chain.margin), reserved),
    ];
    all(&whose, &numbers)?;
    let snapshot = world.sandbox.book(&world.markets[market]);
    let program = snapshot.book().map_err(|error| format!("{error:?}"))?;
    let mut ids = Vec::new();
    for step in program.own(&chain) {
        let (_, order) = step.map_err(|error| format!("{whose}: {error:?}"))?;
        ids.push(order.id());
    }
    let expected: Vec<u64> = own.iter().map(|order| order.id).collect();
    same(&whose, ids, expected)?;
    let reducing = model.book(market).reducing(trader);
    if reducing > i128::from(slot.lots).abs() {
        return Err(format!(
            "{whose}: {reducing} reduce-only lots of {}",
            slot.lots
        ));
    }
    if slot.lots == 0 {
        return idle(&whose, slot);
    }
    Ok(())
}

/// A slot with orders and no position says nothing of one.
fn idle(whose: &str, slot: &PositionSlot) -> Agreement {
    let blank = PositionSlot {
        market: slot.market,
        funding_index: slot.funding_index,
        queue_node: NO_NODE,
        order_head: slot.order_head,
        order_count: slot.order_count,
        order_margin: slot.order_margin,
        held_shares: slot.held_shares,
        held_epoch: slot.held_epoch,
        held_slot: slot.held_slot,
        ..bytemuck::Zeroable::zeroed()
    };
    same(whose, *slot, blank)
}

/// Stop-loss and take-profit of a position.
pub fn triggers(whose: &str, slot: &PositionSlot, expected: &[Option<Trigger>; 2]) -> Agreement {
    let stored = [&slot.stop_loss, &slot.take_profit].map(set);
    same(&format!("{whose} triggers"), &stored, expected)
}

fn set(trigger: &trigger::Trigger) -> Option<Trigger> {
    let set = Trigger {
        price: trigger.price_ticks,
        worst: trigger.worst_ticks,
        lots: i128::from(trigger.lots),
        placed: i128::from(trigger.placed_lots),
    };
    (*trigger != trigger::Trigger::default()).then_some(set)
}
