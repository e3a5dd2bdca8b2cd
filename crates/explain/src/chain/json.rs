//! An event's round for programs.

use ballast_state::events::{CrossRound, LegCut};
use ballast_state::Pubkey;
use serde::Serialize;

use super::explanation::Explanation;
use super::from_event::leg_at;
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
    not_verifiable: &'static [&'static str],
    decision: Option<Decided>,
}

#[derive(Clone, Debug, Serialize)]
struct Proven {
    nobody_skipped: bool,
    nodes_visited: u64,
    /// Of the queue of legs, where there may be any.
    cross_nodes_visited: Option<u64>,
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
    /// Whether records counted as they stood; `null` where no leg could be cut.
    by_record: Option<bool>,
    /// Whether accounts were cut as far as their equity lasts.
    to_equity: Option<bool>,
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
    /// Of a leg 0: it went to the pool.
    to_free_collateral_atoms: i64,
    /// What a leg's account held; `null` of an isolated position.
    leg: Option<Leg>,
}

#[derive(Clone, Debug, Serialize)]
struct Leg {
    equity_atoms: i64,
    requirement_atoms: u64,
    leg_requirement_atoms: u64,
    /// Whether the cut was shorter than the cap for the account's sake.
    shortened: bool,
    pool_after_atoms: i64,
}

impl Leg {
    const fn new(leg: &LegCut) -> Self {
        Self {
            equity_atoms: leg.equity_atoms,
            requirement_atoms: leg.requirement_atoms,
            leg_requirement_atoms: leg.leg_requirement_atoms,
            shortened: leg.shortened,
            pool_after_atoms: leg.pool_after,
        }
    }
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
                cross_nodes_visited: recorded.cross.map(|cross| cross.nodes_visited.into()),
            },
            not_verifiable: self.not_verifiable(),
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
            by_record: self.recorded.cross.map(|cross| cross.by_record),
            to_equity: self.recorded.cross.map(|cross| cross.to_equity),
            cuts: cuts(decision, self.recorded.cross),
        })
    }
}

fn cuts(decision: &Decision, cross: Option<&CrossRound>) -> Vec<Cut> {
    let cuts = decision.cuts.iter().enumerate();
    let told = cuts.filter_map(|(at, done)| {
        let mut ranking = decision.ranking.iter();
        let place = ranking.find(|place| place.trader == done.trader)?;
        let leg = cross.and_then(|cross| leg_at(cross, at));
        Some(Cut::new(place, done, leg.map(Leg::new)))
    });
    told.collect()
}

impl Cut {
    fn new(place: &Place, done: &Done, leg: Option<Leg>) -> Self {
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
            to_free_collateral_atoms: match leg {
                Some(_) => 0,
                None => cut.payout.get(),
            },
            leg,
        }
    }
}
