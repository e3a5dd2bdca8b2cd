//! The end of a history of legs: the oracle of a market dies, the market ends, and its legs are parted with in any order.

use super::{compared, Report};
use crate::compare::{self, Agreement};
use crate::generate::{again, Generator};
use crate::model::Model;
use crate::operation::{CrossCall, Operation};
use crate::program::World;

/// A day.
const DAY: u32 = 86_400;
/// Calls at most until all legs are gone.
const CALLS: u32 = 80;
/// Calls before the other market's mark is recorded anew.
const STALE: u32 = 2;

/// Plays it.
pub fn play(
    world: &mut World,
    model: &mut Model,
    generator: &mut Generator,
    report: &mut Report,
) -> Agreement {
    let market = generator.ending();
    let cookie = world.markets[market].clone();
    let passes = |seconds: u32| Operation::Advance {
        slots: u64::from(seconds) * 5 / 2,
        seconds,
    };
    compared(world, model, &passes(DAY + 60), report)?;
    let dead = world.sandbox.declare_dead(&cookie);
    dead.map_err(|refused| format!("the oracle is dead: {refused}"))?;
    let ends = model.time + i128::from(DAY);
    compared(world, model, &passes(DAY + 7), report)?;
    let ended = world.sandbox.begin_settlement(&cookie);
    ended.map_err(|refused| format!("the market ends: {refused}"))?;
    let ended = model.end(market, ends);
    ended.map_err(|refused| format!("the model refuses the end: {refused:?}"))?;
    compare::states(world, model)?;
    for call in 0..CALLS {
        if model.legs_in(market) == 0 {
            return Ok(());
        }
        if call == STALE {
            let other = 1 - market;
            let marks = vec![other];
            let record = Operation::Cross(CrossCall::Record { markets: marks });
            let quote = again(model, other, model.time);
            compared(world, model, &quote, report)?;
            compared(world, model, &record, report)?;
        }
        let part = Operation::Cross(generator.part(model, market));
        compared(world, model, &part, report).map_err(|found| format!("{part:?}\n{found}"))?;
    }
    Ok(())
}
