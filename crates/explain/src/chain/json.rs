//! An event's round for programs.

use ballast_state::Pubkey;
use serde_json::{json, Value};

use super::explanation::{Explanation, NOT_VERIFIABLE};
use crate::decision::Decision;
use crate::json::score;

impl Explanation<'_> {
    /// For programs: amounts in atoms, sizes in lots, scores in units of 2^-32.
    pub fn json(&self) -> Value {
        let recorded = &self.recorded;
        let event = recorded.event;
        let session = event.session != Pubkey::default();
        json!({
            "signature": recorded.signature,
            "slot": recorded.slot,
            "market": recorded.market,
            "market_account": event.market.to_string(),
            "bankruptcy_id": event.bankruptcy_id,
            "bankrupt": event.bankrupt.to_string(),
            "keeper": event.keeper.to_string(),
            "session": session.then(|| event.session.to_string()),
            "verified": self.verified(),
            "figures": self.audit.figures,
            "disagreements": self.audit.faults,
            "proven_by_the_program": {
                "nobody_skipped": true,
                "nodes_visited": event.nodes_visited,
            },
            "not_verifiable": NOT_VERIFIABLE,
            "decision": self.decided.as_ref().map(|(situation, decision)| json!({
                "mark_atoms_per_lot": situation.mark.get(),
                "funding_index": situation.funding_index.get(),
                "lots_before": situation.position.lots.get(),
                "deficit_atoms": decision.summary.deficit,
                "insurance_before_atoms": event.insurance_before_atoms,
                "insurance_paid_atoms": decision.summary.insurance_paid,
                "close_quote_atoms": decision.round.close.quote,
                "close_lots": decision.round.close.lots,
                "closed_lots": decision.summary.lots,
                "uncovered_deficit_atoms": decision.summary.uncovered_closed,
                "gave_up_atoms": decision.summary.gave_up,
                "pass": decision.round.epoch,
                "new_pass": event.pass_opened,
                "rank_tolerance_bps": decision.round.rank_tolerance_bps,
                "min_profit_bps": decision.round.min_profit_bps,
                "max_close_bps": decision.round.max_close_bps,
                "counterparty_side": decision.round.side.name(),
                "cuts": cuts(decision),
            })),
        })
    }
}

/// In the order of the cuts.
fn cuts(decision: &Decision) -> Vec<Value> {
    let told = decision.cuts.iter().filter_map(|done| {
        let mut ranking = decision.ranking.iter();
        let place = ranking.find(|place| place.trader == done.trader)?;
        let (exposure, cut) = (&place.ranked.exposure, &done.cut);
        Some(json!({
            "place": place.rank,
            "trader": place.trader,
            "class": place.class_name(),
            "score_q32": score(place.score_q32),
            "sequence": place.candidate.sequence,
            "lots_before": place.candidate.position.lots.get(),
            "entry_atoms": exposure.entry,
            "bankruptcy_atoms": exposure.bankruptcy.to_string(),
            "lots": cut.lots,
            "cut_before_in_pass_at_least": place.already_cut,
            "quote_atoms": cut.quote.get(),
            "gave_up_atoms": cut.gave_up,
            "realized_atoms": cut.realized.get(),
            "margin_released_atoms": cut.payout.get() - cut.realized.get(),
            "to_free_collateral_atoms": cut.payout.get(),
        }))
    });
    told.collect()
}
