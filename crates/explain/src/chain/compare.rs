//! Every figure of an event held against the engine's, and against the others of the event.

use std::collections::BTreeSet;

use ballast_client::ranking::MAX_COUNTERPARTIES;
use ballast_engine::rank::Class;
use ballast_state::events::{AutoDeleveraged, CounterpartyCut};
use ballast_state::Pubkey;

use crate::audit::{Audit, Fault};
use crate::decision::{Decision, Done, Place};

/// What follows from the event alone.
pub fn itself(event: &AutoDeleveraged, audit: &mut Audit) {
    let sum = |figure: &dyn Fn(&CounterpartyCut) -> i128| event.cuts.iter().map(figure).sum();
    audit.equal(
        "lots_closed, against the sum of the cuts",
        i128::from(event.lots_closed),
        sum(&|cut| i128::from(cut.lots_closed)),
    );
    audit.equal(
        "gave_up_atoms, against the sum of the cuts",
        i128::from(event.gave_up_atoms),
        sum(&|cut| i128::from(cut.gave_up_atoms)),
    );
    // What an ended ledger of held profit leaves goes to insurance.
    let left = i128::from(event.insurance_before_atoms) - i128::from(event.insurance_paid_atoms);
    let after = i128::from(event.insurance_after_atoms);
    if event.held_paid_atoms == 0 || after < left {
        audit.equal("insurance_after_atoms", after, left);
    }
    condition(
        audit,
        "insurance_paid_atoms",
        event.insurance_paid_atoms,
        "no more than insurance had",
        event.insurance_paid_atoms <= event.insurance_before_atoms,
    );
    let known: BTreeSet<_> = event.cuts.iter().map(|cut| cut.trader).collect();
    audit.equal("cuts, different traders", event.cuts.len(), known.len());
    let ages: BTreeSet<_> = event.cuts.iter().map(|cut| cut.sequence).collect();
    audit.equal("cuts, different ages", event.cuts.len(), ages.len());
    condition(
        audit,
        "cuts",
        event.cuts.len(),
        "at least one and no more than a call can cut",
        !event.cuts.is_empty() && event.cuts.len() <= MAX_COUNTERPARTIES,
    );
    condition(
        audit,
        "bankrupt",
        event.bankrupt,
        "nobody who was cut",
        !known.contains(&event.bankrupt),
    );
    condition(
        audit,
        "epoch",
        event.epoch,
        "a pass, which a queue counts from 1",
        event.epoch > 0,
    );
    condition(
        audit,
        "lots_closed",
        event.lots_closed,
        "no more than its deleveraging began with",
        event.lots_closed <= u64::from(event.bankrupt_lots),
    );
    let of_session = event.session != Pubkey::default();
    condition(
        audit,
        "session",
        event.session,
        "none where this call opened a pass",
        !of_session || !event.pass_opened,
    );
    condition(
        audit,
        "nodes_visited",
        event.nodes_visited,
        "some, or the session could not have selected anybody",
        event.nodes_visited > 0 || !of_session,
    );
}

/// What the engine recomputes.
pub fn with(event: &AutoDeleveraged, decision: &Decision, audit: &mut Audit) {
    let (round, summary) = (&decision.round, &decision.summary);
    audit.equal(
        "close_quote_atoms, for the whole position",
        event.close_quote_atoms,
        round.close.quote,
    );
    for (field, recorded, recomputed) in [
        ("close_lots", event.close_lots, round.close.lots),
        ("lots_closed", event.lots_closed, summary.lots),
        (
            "deficit_before_atoms",
            event.deficit_before_atoms,
            summary.deficit,
        ),
        (
            "insurance_paid_atoms",
            event
                .insurance_paid_atoms
                .saturating_add(event.held_paid_atoms),
            summary.insurance_paid,
        ),
        ("gave_up_atoms", event.gave_up_atoms, summary.gave_up),
        (
            "gave_up_atoms, against the uncovered deficit of the closed lots",
            event.gave_up_atoms,
            summary.uncovered_closed,
        ),
        (
            "deficit_after_atoms",
            event.deficit_after_atoms,
            summary.deficit_after().unwrap_or(u64::MAX),
        ),
    ] {
        audit.equal(field, recorded, recomputed);
    }
    let closed = i128::from(summary.lots) * i128::from(event.lots_before.signum());
    audit.equal(
        "lots_after",
        i128::from(event.lots_after),
        i128::from(event.lots_before) - closed,
    );
    audit.equal("cuts, how many", event.cuts.len(), decision.cuts.len());
    for (trader, reason) in &decision.passed_by {
        let recomputed = format!("not cut: {reason}");
        audit.fail(format!("cuts, with {trader}"), "cut", recomputed);
    }
    for (place, (cut, done)) in event.cuts.iter().zip(&decision.cuts).enumerate() {
        let ranked = decision.ranking.iter();
        let ranked = ranked.clone().find(|one| one.trader == done.trader);
        if let Some(ranked) = ranked {
            one_cut(place, cut, done, ranked, audit);
        }
    }
}

fn one_cut(place: usize, cut: &CounterpartyCut, done: &Done, ranked: &Place, audit: &mut Audit) {
    let at = |field: &str| format!("cuts[{place}].{field}");
    audit.equal(at("trader"), cut.trader.to_string(), done.trader.clone());
    let winner = ranked.ranked.class == Class::Winner;
    audit.equal(at("winner"), cut.winner, winner);
    audit.equal(at("lots_closed"), cut.lots_closed, done.cut.lots);
    audit.equal(at("gave_up_atoms"), cut.gave_up_atoms, done.cut.gave_up);
    for (field, recorded, recomputed) in [
        ("quote_atoms", cut.quote_atoms, done.cut.quote),
        ("realized_atoms", cut.realized_atoms, done.cut.realized),
        ("payout_atoms", cut.payout_atoms, done.cut.payout),
    ] {
        audit.equal(at(field), recorded, recomputed.get());
    }
}

/// A condition that a recorded figure has to fulfil.
pub fn condition(
    audit: &mut Audit,
    field: &str,
    recorded: impl ToString,
    expected: &str,
    holds: bool,
) {
    audit.holds(holds, || Fault {
        field: field.to_owned(),
        recorded: recorded.to_string(),
        recomputed: expected.to_owned(),
    });
}
