//! An explanation for programs.

use ballast_engine::rank::INFINITE_SCORE;
use serde::Serialize;

use crate::audit::{Audit, Fault};
use crate::decision::Decision;
use crate::situation::Situation;

/// What `explain-adl --json` prints. Amounts in atoms, sizes in lots, scores in units of 2^-32.
#[derive(Serialize)]
pub struct Output<'a> {
    /// Number of the round.
    pub round: u64,
    /// Rounds of the report.
    pub rounds: usize,
    /// The round as the engine decides it; nothing when it refuses.
    pub decision: Option<Decided<'a>>,
    /// Whether everything agrees.
    pub verified: bool,
    /// Figures compared, over all rounds.
    pub figures: usize,
    /// Those that disagree.
    pub disagreements: &'a [Fault],
    /// What the file cannot show.
    pub not_verifiable: &'a [&'a str],
}

/// A round as the engine decides it.
#[derive(Serialize)]
pub struct Decided<'a> {
    bankrupt: &'a str,
    mark_atoms_per_lot: u64,
    deficit_atoms: u64,
    insurance_paid_atoms: u64,
    close_quote_atoms: i64,
    close_lots: u64,
    rank_tolerance_bps: u32,
    pass: u32,
    new_pass: bool,
    closed_lots: u64,
    uncovered_deficit_atoms: u64,
    gave_up_atoms: u64,
    threshold_score_q32: Option<String>,
    proof_nodes_visited: u32,
    somebody_skipped: bool,
    counterparty_side: &'static str,
    queue: Vec<Ranked<'a>>,
}

/// A position of the queue, by falling rank.
#[derive(Serialize)]
struct Ranked<'a> {
    rank: usize,
    trader: &'a str,
    class: &'static str,
    /// Decimal digits; `infinite` for a position in profit without equity.
    score_q32: String,
    lots: u64,
    entry_atoms: u64,
    bankruptcy_atoms: String,
    cap_left_lots: u64,
    lights: u8,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Cut>,
}

#[derive(Serialize)]
struct Cut {
    lots: u64,
    quote_atoms: i64,
    gave_up_atoms: u64,
    realized_atoms: i64,
    margin_released_atoms: i64,
    to_free_collateral_atoms: i64,
}

impl<'a> Output<'a> {
    /// With what the audit found.
    pub fn new(
        round: u64,
        rounds: usize,
        decision: Option<Decided<'a>>,
        audit: &'a Audit,
        not_verifiable: &'a [&'a str],
    ) -> Self {
        Self {
            round,
            rounds,
            decision,
            verified: audit.faults.is_empty(),
            figures: audit.figures,
            disagreements: &audit.faults,
            not_verifiable,
        }
    }
}

impl<'a> Decided<'a> {
    /// A decision of the engine.
    pub fn new(situation: &'a Situation, decision: &'a Decision) -> Self {
        let (round, summary) = (&decision.round, &decision.summary);
        let last = decision.cuts.last();
        let last = last.and_then(|done| {
            let mut ranking = decision.ranking.iter();
            ranking.find(|place| place.trader == done.trader)
        });
        Self {
            bankrupt: &situation.bankrupt,
            mark_atoms_per_lot: situation.mark.get(),
            deficit_atoms: summary.deficit,
            insurance_paid_atoms: summary.insurance_paid,
            close_quote_atoms: round.close.quote,
            close_lots: round.close.lots,
            rank_tolerance_bps: round.rank_tolerance_bps,
            pass: round.epoch,
            new_pass: decision.reopened,
            closed_lots: summary.lots,
            uncovered_deficit_atoms: summary.uncovered_closed,
            gave_up_atoms: summary.gave_up,
            threshold_score_q32: last.map(|place| score(place.score_q32)),
            proof_nodes_visited: decision.proof.visited,
            somebody_skipped: decision.proof.found,
            counterparty_side: round.side.name(),
            queue: queue(decision),
        }
    }
}

fn queue(decision: &Decision) -> Vec<Ranked<'_>> {
    let ranked = decision.ranking.iter().map(|place| {
        let done = decision
            .cuts
            .iter()
            .find(|done| done.trader == place.trader);
        let exposure = &place.ranked.exposure;
        Ranked {
            rank: place.rank,
            trader: &place.trader,
            class: place.class_name(),
            score_q32: score(place.score_q32),
            lots: exposure.lots,
            entry_atoms: exposure.entry,
            bankruptcy_atoms: exposure.bankruptcy.to_string(),
            cap_left_lots: place.cap_left,
            lights: place.lights,
            fate: place.fate.into(),
            cut: done.map(|done| Cut {
                lots: done.cut.lots,
                quote_atoms: done.cut.quote.get(),
                gave_up_atoms: done.cut.gave_up,
                realized_atoms: done.cut.realized.get(),
                margin_released_atoms: done.cut.payout.get() - done.cut.realized.get(),
                to_free_collateral_atoms: done.cut.payout.get(),
            }),
        }
    });
    ranked.collect()
}

/// Decimal digits; `infinite` for a position in profit without equity.
pub fn score(q32: i128) -> String {
    if q32 == INFINITE_SCORE {
        "infinite".to_owned()
    } else {
        q32.to_string()
    }
}
