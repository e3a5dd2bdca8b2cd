//! An event's round for programs.

use ballast_state::Pubkey;
use serde::Serialize;

use super::explanation::{Explanation, NOT_VERIFIABLE};
use crate::audit::Fault;
use crate::decision::{Decision, Done, Place};
use crate::json::score;

/// What `ballast explain-adl --output json` prints of a round: amounts in atoms, sizes in lots, scores in
/// units of 2^-32, all whole numbers of 64 bits.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    signature: String,
    slot: u64,
    market: String,
    market_account: String,
    bankruptcy_id: u64,
    bankrupt: String,
    keeper: String,
    session: Option<String>,
    verified: bool,
    figures: usize,
    disagreements: Vec<Fault>,
    proven_by_the_program: Proven,
    not_verifiable: [&'static str; 5],
    decision: Option<Decided>,
}

#[derive(Clone, Debug, Serialize)]
struct Proven {
    nobody_skipped: bool,
    nodes_visited: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Decided {
    mark_atoms_per_lot: u64,
    funding_index: i64,
    lots_before: i64,
    deficit_atoms: u64,
    insurance_before_atoms: u64,
    insurance_paid_atoms: u64,
    close_quote_atoms: i64,
    close_lots: u64,
    closed_lots: u64,
    uncovered_deficit_atoms: u64,
    gave_up_atoms: u64,
    pass: u64,
    new_pass: bool,
    rank_tolerance_bps: u64,
    min_profit_bps: u64,
    max_close_bps: u64,
    counterparty_side: &'static str,
    /// In the order of the cuts.
    cuts: Vec<Cut>,
}

#[derive(Clone, Debug, Serialize)]
struct Cut {
    place: usize,
    trader: String,
    class: &'static str,
    score_q32: String,
    sequence: u64,
    lots_before: i64,
    entry_atoms: u64,
    bankruptcy_atoms: String,
    lots: u64,
    cut_before_in_pass_at_least: u64,
    quote_atoms: i64,
    gave_up_atoms: u64,
    realized_atoms: i64,
    margin_released_atoms: i64,
    to_free_collateral_atoms: i64,
}

impl Explanation<'_> {
    /// For programs.
    pub fn round(&self) -> Round {
        let recorded = &self.recorded;
        let event = recorded.event;
        let session = event.session != Pubkey::default();
        Round {
            signature: recorded.signature.to_owned(),
            slot: recorded.slot,
            market: recorded.market.to_owned(),
            market_account: event.market.to_string(),
            bankruptcy_id: event.bankruptcy_id,
            bankrupt: event.bankrupt.to_string(),
            keeper: event.keeper.to_string(),
            session: session.then(|| event.session.to_string()),
            verified: self.verified(),
            figures: self.audit.figures,
            disagreements: self.audit.faults.clone(),
            proven_by_the_program: Proven {
                nobody_skipped: true,
                nodes_visited: event.nodes_visited.into(),
            },
            not_verifiable: NOT_VERIFIABLE,
            decision: self.decided(),
        }
    }

    fn decided(&self) -> Option<Decided> {
        let (situation, decision) = self.decided.as_ref()?;
        let (event, summary) = (self.recorded.event, &decision.summary);
        let round = &decision.round;
        Some(Decided {
            mark_atoms_per_lot: situation.mark.get(),
            funding_index: situation.funding_index.get(),
            lots_before: situation.position.lots.get(),
            deficit_atoms: summary.deficit,
            insurance_before_atoms: event.insurance_before_atoms,
            insurance_paid_atoms: summary.insurance_paid,
            close_quote_atoms: round.close.quote,
            close_lots: round.close.lots,
            closed_lots: summary.lots,
            uncovered_deficit_atoms: summary.uncovered_closed,
            gave_up_atoms: summary.gave_up,
            pass: round.epoch.into(),
            new_pass: event.pass_opened,
            rank_tolerance_bps: round.rank_tolerance_bps.into(),
            min_profit_bps: round.min_profit_bps.into(),
            max_close_bps: round.max_close_bps.into(),
            counterparty_side: round.side.name(),
            cuts: cuts(decision),
        })
    }
}

fn cuts(decision: &Decision) -> Vec<Cut> {
    let told = decision.cuts.iter().filter_map(|done| {
        let mut ranking = decision.ranking.iter();
        let place = ranking.find(|place| place.trader == done.trader)?;
        Some(Cut::new(place, done))
    });
    told.collect()
}

impl Cut {
    fn new(place: &Place, done: &Done) -> Self {
        let (exposure, cut) = (&place.ranked.exposure, &done.cut);
        Self {
            place: place.rank,
            trader: place.trader.clone(),
            class: place.class_name(),
            score_q32: score(place.score_q32),
            sequence: place.candidate.sequence,
            lots_before: place.candidate.position.lots.get(),
            entry_atoms: exposure.entry,
            bankruptcy_atoms: exposure.bankruptcy.to_string(),
            lots: cut.lots,
            cut_before_in_pass_at_least: place.already_cut,
            quote_atoms: cut.quote.get(),
            gave_up_atoms: cut.gave_up,
            realized_atoms: cut.realized.get(),
            margin_released_atoms: cut.payout.get() - cut.realized.get(),
            to_free_collateral_atoms: cut.payout.get(),
        }
    }
}
