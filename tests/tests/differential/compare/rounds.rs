//! What the program says of rounds that legs stand in, and what must hold of them.

use ballast_sandbox::TxOutcome;
use ballast_state::events::{BallastEvent, LegCut};

use super::{all, same, to_i128, Agreement};
use crate::model::{CrossMade, LegMade};

/// The events behind that of the round; and nobody was overlooked or harmed.
pub fn cross(outcome: &TxOutcome, made: &CrossMade) -> Agreement {
    same(
        "who ranks above and was left out",
        &[][..],
        &made.overlooked,
    )?;
    same(
        "whose account may not be cut so deep",
        &[][..],
        &made.harmed,
    )?;
    let (round, forced) = match outcome.events.as_slice() {
        [_, BallastEvent::CrossRound(round)] => (round, None),
        [_, BallastEvent::CrossRound(round), BallastEvent::LegForced(forced)] => {
            let fields = [
                i128::from(forced.equity_atoms),
                i128::from(forced.requirement_atoms),
                i128::from(forced.pool_after),
            ];
            (round, Some(fields))
        }
        other => return Err(format!("events of a round over legs: {other:?}")),
    };
    same("the bankrupt account", forced, made.forced)?;
    same("by record", round.by_record, made.by_record)?;
    same("to equity", round.to_equity, made.to_equity)?;
    same("legs cut", round.legs.len(), made.legs.len())?;
    let mut legs = round.legs.iter().zip(&made.legs);
    legs.try_for_each(|(program, model)| leg(program, model))
}

fn leg(program: &LegCut, model: &LegMade) -> Agreement {
    all(
        &format!("leg of cut {}", model.place),
        &[
            ("place", i128::from(program.place), to_i128(model.place)),
            ("equity", i128::from(program.equity_atoms), model.equity),
            (
                "requirement",
                i128::from(program.requirement_atoms),
                model.due,
            ),
            (
                "requirement of the leg",
                i128::from(program.leg_requirement_atoms),
                model.leg_due,
            ),
            (
                "shortened",
                i128::from(program.shortened),
                i128::from(model.shortened),
            ),
            ("pool", i128::from(program.pool_after), model.pool),
        ],
    )
}
