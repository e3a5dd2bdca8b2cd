//! Rounds as `report.json` records them.

use ballast_engine::cross::cut::Bearing;
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Ticks};
use ballast_engine::EngineError;
use ballast_report::model::{CutLine, QueueLine, Round};

use crate::audit::{Audit, Fault};
use crate::decision::{Decision, Done, Fate, Place};
use crate::situation::{Candidate, Situation};

/// What a recorded round was decided from; an error names the figure that is out of range.
pub fn situation(round: &Round) -> Result<Situation, (String, EngineError)> {
    let named = |field: &str, error| (field.to_owned(), error);
    let index = FundingIndex::new(round.funding_index);
    let mark = Ticks::new(round.mark_ticks)
        .lot_price(round.atoms_per_lot_tick)
        .map_err(|error| named("mark_ticks", error))?;
    let held = &round.bankrupt;
    let bankrupt = position(held.lots, held.entry_quote_atoms, held.margin_atoms, index)
        .map_err(|error| named("bankrupt", error))?;
    let mut queue = Vec::with_capacity(round.queue.len());
    for (place, line) in round.queue.iter().enumerate() {
        let position = position(line.lots, line.entry_quote_atoms, line.margin_atoms, index);
        queue.push(Candidate {
            trader: line.trader.clone(),
            position: position.map_err(|error| named(&format!("queue[{place}]"), error))?,
            leg: None,
            sequence: line.sequence,
            stamp: CutStamp {
                epoch: line.node.cut_epoch,
                lots: line.node.cut_lots,
                capped_epoch: line.node.capped_epoch,
            },
        });
    }
    Ok(Situation {
        bankrupt: held.trader.clone(),
        position: bankrupt,
        mark,
        funding_index: index,
        insurance_available: round
            .insurance_before_atoms
            .saturating_add(round.held_before_atoms),
        max_lots: round.max_lots,
        least_lots: round.min_position_lots,
        params: AdlParams {
            rank_tolerance_bps: round.rank_tolerance_bps,
            max_close_bps: round.max_close_bps,
            min_profit_bps: round.min_profit_bps,
            ..AdlParams::default()
        },
        pass_before: round.pass_before,
        passes_before: round.passes_before,
        queue,
        listed: round.listed.clone(),
        order_proven: false,
        bearing: Bearing::Maintenance,
    })
}

fn position(
    lots: i64,
    entry: i64,
    margin: i64,
    funding_index: FundingIndex,
) -> Result<Position, EngineError> {
    let position = Position {
        lots: Lots::new(lots)?,
        entry_quote: Atoms::new(entry),
        margin: Atoms::new(margin),
        funding_index,
    };
    position.invariant()?;
    Ok(position)
}

/// Holds every figure of a round against the engine's.
pub fn compare(round: &Round, decision: &Decision, audit: &mut Audit) {
    let at = |field: &str| format!("round {}: {field}", round.round);
    let summary = &decision.summary;
    let close = &decision.round.close;
    let ticks = u128::from(close.lots) * u128::from(round.atoms_per_lot_tick);
    audit.equal(
        at("close_price"),
        round.close_price.clone(),
        format!("{}/{ticks}", close.quote),
    );
    audit.equal(
        at("counterparty_side"),
        round.counterparty_side.to_string().as_str(),
        decision.round.side.name(),
    );
    audit.equal(
        at("max_lots, which is the whole position"),
        round.max_lots,
        round.bankrupt.lots.unsigned_abs(),
    );
    audit.equal(at("new_pass"), round.new_pass, decision.reopened);
    let unsigned = [
        ("closed_lots", round.closed_lots, summary.lots),
        (
            "insurance_paid_atoms",
            round
                .insurance_paid_atoms
                .saturating_add(round.held_paid_atoms),
            summary.insurance_paid,
        ),
    ];
    for (field, recorded, recomputed) in unsigned {
        audit.equal(at(field), recorded, recomputed);
    }
    let signed = [
        ("deficit_atoms", round.deficit_atoms, summary.deficit),
        (
            "uncovered_deficit_atoms",
            round.uncovered_deficit_atoms,
            summary.uncovered_closed,
        ),
        (
            "winners_gave_up_atoms",
            round.winners_gave_up_atoms,
            summary.gave_up,
        ),
    ];
    for (field, recorded, recomputed) in signed {
        audit.equal(at(field), i128::from(recorded), i128::from(recomputed));
    }
    queue(round, decision, audit);
    cuts(round, decision, audit);
    for place in &decision.ranking {
        let spared = place.fate == Fate::Skipped;
        audit.holds(!spared, || Fault {
            field: at(&format!("listed, without {}", place.trader)),
            recorded: "spared".to_owned(),
            recomputed: "ranks above the last one cut".to_owned(),
        });
    }
    audit.equal(
        at("proof that nobody was skipped"),
        "nobody found",
        if decision.proof.found {
            "somebody found"
        } else {
            "nobody found"
        },
    );
    for (trader, reason) in &decision.passed_by {
        audit.fail(
            at(&format!("listed, with {trader}")),
            "listed",
            format!("not cut: {reason}"),
        );
    }
}

fn queue(round: &Round, decision: &Decision, audit: &mut Audit) {
    for (index, (line, place)) in round.queue.iter().zip(&decision.ranking).enumerate() {
        let at = |field: &str| format!("round {}: queue[{index}].{field}", round.round);
        audit.equal(
            at("trader, by rank"),
            line.trader.as_str(),
            place.trader.as_str(),
        );
        if line.trader == place.trader {
            queue_line(line, place, audit, &at);
        }
    }
}

fn queue_line(line: &QueueLine, place: &Place, audit: &mut Audit, at: &dyn Fn(&str) -> String) {
    audit.equal(
        at("already_cut_in_pass"),
        line.already_cut_in_pass,
        place.already_cut,
    );
    audit.equal(at("at_cap"), line.at_cap, place.cap_left == 0);
    audit.equal(at("lights"), line.lights, place.lights);
    audit.equal(
        at("node.entry_q32, from lots and entry_quote_atoms"),
        line.node.entry_q32,
        place.stored.map_or(0, |stored| stored.entry_q32),
    );
    audit.equal(
        at("node.bankruptcy_q32, from lots, entry_quote_atoms, margin_atoms and funding_index"),
        line.node.bankruptcy_q32,
        place.stored.map_or(0, |stored| stored.bankruptcy_q32),
    );
}

fn cuts(round: &Round, decision: &Decision, audit: &mut Audit) {
    let at = |field: &str| format!("round {}: {field}", round.round);
    audit.equal(at("cut, how many"), round.cut.len(), decision.cuts.len());
    for (index, (line, done)) in round.cut.iter().zip(&decision.cuts).enumerate() {
        let at = |field: &str| format!("round {}: cut[{index}].{field}", round.round);
        cut_line(line, done, audit, &at);
    }
}

fn cut_line(line: &CutLine, done: &Done, audit: &mut Audit, at: &dyn Fn(&str) -> String) {
    let cut = &done.cut;
    audit.equal(at("trader"), line.trader.as_str(), done.trader.as_str());
    audit.equal(at("lots"), line.lots, cut.lots);
    audit.equal(
        at("realized_atoms"),
        line.realized_atoms,
        cut.realized.get(),
    );
    audit.equal(
        at("margin_released_atoms"),
        line.margin_released_atoms,
        cut.payout.get() - cut.realized.get(),
    );
    audit.equal(at("quote_atoms"), line.quote_atoms, cut.quote.get().abs());
    audit.equal(
        at("gave_up_atoms"),
        i128::from(line.gave_up_atoms),
        i128::from(cut.gave_up),
    );
}
