//! What is said of the legs of a round held against the engine's decision, and against the round.

use ballast_state::events::{AutoDeleveraged, CrossRound, LegCut};
use ballast_state::Pubkey;

use super::compare::condition;
use super::from_event::leg_at;
use crate::audit::Audit;
use crate::decision::{cannot_bear_a_lot, Decision};

/// What follows from the two events alone.
pub fn itself(event: &AutoDeleveraged, cross: &CrossRound, audit: &mut Audit) {
    audit.equal("legs, market", cross.market, event.market);
    audit.equal("legs, bankrupt", cross.bankrupt, event.bankrupt);
    audit.equal("legs, session", event.session, Pubkey::default());
    let cuts = u32::try_from(event.cuts.len()).unwrap_or(u32::MAX);
    let ends = cross.legs.iter().map(|leg| leg.place).chain([cuts]);
    let mut ascending = cross.legs.iter().zip(ends.skip(1));
    let places = ascending.all(|(leg, next)| leg.place < next);
    let count = cross.legs.len();
    condition(audit, "legs", count, "cuts of the round, in order", places);
    condition(
        audit,
        "to_equity",
        cross.to_equity,
        "not where a pass was opened, and only legs cut",
        !cross.to_equity || !event.pass_opened && count == event.cuts.len(),
    );
    for leg in &cross.legs {
        condition(
            audit,
            &at(leg, "leg_requirement_atoms"),
            leg.leg_requirement_atoms,
            "no more than its account needs",
            leg.leg_requirement_atoms <= leg.requirement_atoms,
        );
    }
}

/// What the engine recomputes.
pub fn with(cross: &CrossRound, decision: &Decision, audit: &mut Audit) {
    for (place, done) in decision.cuts.iter().enumerate() {
        let Some(said) = leg_at(cross, place) else {
            continue;
        };
        audit.equal(at(said, "shortened"), said.shortened, done.shortened);
        let mut ranking = decision.ranking.iter();
        let ranked = ranking.find(|one| one.trader == done.trader);
        let Some(leg) = ranked.and_then(|one| one.candidate.leg) else {
            continue;
        };
        let (equity, field) = (leg.equity.get(), at(said, "equity_atoms"));
        audit.equal(field, said.equity_atoms, equity);
        if cross.to_equity {
            let weak = cannot_bear_a_lot(&decision.round, &leg).unwrap_or(false);
            let expected = "only of accounts that could not bear a lot and keep maintenance";
            condition(audit, &at(said, "to_equity"), true, expected, weak);
        }
    }
}

fn at(leg: &LegCut, field: &str) -> String {
    format!("legs, of cuts[{}]: {field}", leg.place)
}
