//! The board, pools, legs and their queues.

use anchor_lang::prelude::Pubkey;
use ballast_engine::units::Side;
use ballast_state::trader::Trader as Stored;

use super::{accounts, all, book, same, to_i128, Agreement};
use crate::model::{Leg, Model, Trader, Weakness};
use crate::program::World;

/// The mark of a market on the board, and both of its cross queues.
pub fn market(world: &World, model: &Model, number: usize) -> Agreement {
    let board = world.sandbox.board();
    let sound = board.board.invariant().is_ok();
    same("the board is sound", sound, true)?;
    let program = board.board.entry(number).expect("an entry");
    let marked = &model.crossed(number).board;
    let unsigned = i128::from;
    all(
        &format!("board {number}"),
        &[
            ("mark", unsigned(program.mark), marked.mark.price),
            ("confidence", unsigned(program.confidence), marked.mark.conf),
            (
                "index",
                i128::from(program.funding_index.get()),
                marked.index,
            ),
            (
                "time",
                i128::from(program.publish_time),
                i128::from(marked.time),
            ),
            ("slot", unsigned(program.slot), unsigned(marked.slot)),
            (
                "open interest",
                unsigned(program.open_interest_lots),
                marked.mark.scale.open,
            ),
            (
                "multiplier",
                i128::from(program.multiplier_ppm),
                marked.mark.scale.multiplier,
            ),
            (
                "frozen",
                i128::from(program.is_frozen()),
                i128::from(marked.frozen),
            ),
        ],
    )?;
    ways(world, model, number)?;
    let newest = board.board.checkpoints.newest().expect("a checkpoint");
    for (sign, side) in [(1, Side::Long), (-1, Side::Short)] {
        queue(world, model, number, (sign, side), newest)?;
    }
    Ok(())
}

/// Where a market has been since each checkpoint.
fn ways(world: &World, model: &Model, number: usize) -> Agreement {
    let board = world.sandbox.board();
    let live = board.board.checkpoints.live().expect("checkpoints");
    same("checkpoints", live.len(), model.board.live.len())?;
    for (program, since) in live.iter().zip(&model.board.live) {
        let points = model.board.points_since(since, number);
        let prices = points.iter().map(|point| point.price);
        let indices = points.iter().map(|point| point.index);
        let range = program.ranges[number];
        all(
            &format!("checkpoint {} market {number}", since.id),
            &[
                ("number", i128::from(program.id), i128::from(since.id)),
                (
                    "low",
                    i128::from(range.low),
                    prices.clone().min().unwrap_or(0),
                ),
                ("high", i128::from(range.high), prices.max().unwrap_or(0)),
                (
                    "least index",
                    i128::from(range.funding_low.get()),
                    indices.clone().min().unwrap_or(0),
                ),
                (
                    "greatest index",
                    i128::from(range.funding_high.get()),
                    indices.max().unwrap_or(0),
                ),
            ],
        )?;
    }
    Ok(())
}

fn queue(
    world: &World,
    model: &Model,
    number: usize,
    (sign, side): (i128, Side),
    newest: u32,
) -> Agreement {
    let snapshot = world.sandbox.cross_queue(&world.crosses[number].of(side));
    let program = snapshot.queue().expect("a cross queue");
    let whose = format!("cross queue {number} {side:?}");
    let passes = world.sandbox.queue(&world.markets[number], side);
    let passes = passes.queue().expect("a queue").header().adl_epoch;
    let sound = program.invariant(newest, passes).is_ok();
    same(&whose, sound, true)?;
    let expected = (0..model.traders.len()).filter(|trader| {
        let leg = model.leg(number, *trader);
        leg.is_some_and(|leg| leg.holding.sign() == sign)
    });
    let header = program.header();
    let crossed = model.crossed(number);
    let place = usize::from(side == Side::Short);
    all(
        &whose,
        &[
            (
                "length",
                i128::from(program.len()),
                to_i128(expected.count()),
            ),
            (
                "lots",
                i128::from(header.lots),
                model.leg_lots(number, sign),
            ),
            (
                "next sequence",
                i128::from(header.next_sequence),
                i128::from(crossed.next_sequence[place]),
            ),
        ],
    )
}

/// The pool and the legs of an account.
pub fn account(world: &World, whose: &str, program: &Stored, trader: &Trader) -> Agreement {
    let legs = trader.shared.legs.iter().flatten().count();
    all(
        whose,
        &[
            ("pool", i128::from(program.cross_pool), trader.shared.atoms),
            ("legs", i128::from(program.cross_legs), to_i128(legs)),
            (
                "slot of what came in",
                i128::from(program.pooled_slot),
                i128::from(trader.shared.slot),
            ),
            (
                "what came in",
                i128::from(program.pooled_atoms),
                trader.shared.came,
            ),
        ],
    )?;
    for (market, leg) in trader.shared.legs.iter().enumerate() {
        let key = world.markets[market].keys.market;
        let index = program.find_leg(&key);
        let whose = format!("{whose} leg {market}");
        let (Some(index), Some(leg)) = (index, leg) else {
            same(&whose, index.is_some(), leg.is_some())?;
            continue;
        };
        same(&whose, trader.shared.slots[index], Some(market))?;
        let slot = &program.positions[index];
        accounts::claims(&whose, slot, &leg.holding, &leg.distress)?;
        book::triggers(&whose, slot, &leg.triggers)?;
        all(
            &whose,
            &[
                (
                    "recorded",
                    i128::from(slot.held_slot),
                    i128::from(leg.recorded),
                ),
                (
                    "weak",
                    i128::from(slot.cross),
                    1 + 2 * i128::from(leg.weak.is_some()),
                ),
            ],
        )?;
        node(world, market, &whose, slot.queue_node, leg)?;
    }
    Ok(())
}

/// What a witness found, and at which price: the last two words of a node.
fn last_words(node: &[u8]) -> [u32; 2] {
    let (_, words) = node.split_at(node.len() - 8);
    bytemuck::pod_read_unaligned(words)
}

fn node(world: &World, market: usize, whose: &str, node: u32, leg: &Leg) -> Agreement {
    let side = match leg.holding.sign() {
        1 => Side::Long,
        _ => Side::Short,
    };
    let snapshot = world.sandbox.cross_queue(&world.crosses[market].of(side));
    let queue = snapshot.queue().expect("a cross queue");
    let entry = queue
        .entry(node)
        .map_err(|error| format!("{whose}: {error:?}"))?;
    let (entry_key, bankruptcy_key) = leg.keys();
    let position = &entry.position;
    let (kind, at) = match leg.weak {
        None => (0, 0),
        Some(Weakness::BelowMaintenance) => (1, 0),
        Some(Weakness::AtClose(price)) => (2, price),
    };
    let [found, price] = last_words(bytemuck::bytes_of(entry));
    let trader = Pubkey::new_from_array(position.trader);
    same(whose, world.numbers.contains_key(&trader), true)?;
    all(
        whose,
        &[
            (
                "lots of the node",
                i128::from(position.lots),
                leg.holding.size(),
            ),
            ("entry key", i128::from(position.entry_q32), entry_key),
            (
                "bankruptcy key",
                i128::from(position.bankruptcy_q32),
                bankruptcy_key,
            ),
            (
                "sequence",
                i128::from(position.sequence),
                i128::from(leg.sequence),
            ),
            (
                "slot of the node",
                i128::from(entry.recorded_slot),
                i128::from(leg.recorded),
            ),
            ("base", i128::from(entry.base), i128::from(leg.base)),
            ("witness", i128::from(found), kind),
            ("its price", i128::from(price), at),
            (
                "cut epoch",
                i128::from(position.cut_epoch),
                i128::from(leg.stamp.epoch),
            ),
            ("cut lots", i128::from(position.cut_lots), leg.stamp.lots),
            (
                "capped epoch",
                i128::from(position.capped_epoch),
                i128::from(leg.stamp.capped_epoch),
            ),
        ],
    )
}
