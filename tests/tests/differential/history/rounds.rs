//! What happened in rounds that legs stand in.

use std::fmt;

use ballast_state::error::BallastError;

use crate::model::{Effect, Listed, Model, Refusal, RoundMade, Weakness};
use crate::operation::{CrossCall, Witnessing};

/// Fewer calls than this need not show what happens a few times in 60,000.
const SELDOM: u64 = 200_000;

/// Counts of it.
#[derive(Default)]
pub struct Rounds {
    /// For isolated positions, and for legs.
    bankrupt: [u64; 2],
    /// Cuts of isolated positions, and of legs.
    cuts: [u64; 2],
    /// Rounds that cut both.
    both: u64,
    /// Cuts shorter than the cap for an account's sake.
    shortened: u64,
    /// Legs that were closed.
    closed: u64,
    /// Rounds that went on to equity, to another pass, and by record.
    stages: [u64; 3],
    /// Rounds in which insurance or held profit paid for a leg.
    insured: u64,
    /// Legs that nobody listed.
    left_out: u64,
    /// Legs witnessed as below maintenance, and as too weak at a close price.
    witnessed: [u64; 2],
    /// Rounds that passed over somebody who was witnessed.
    trusted: u64,
    /// Rounds refused for somebody who was left out, and those where a witness of a worse price did not excuse it.
    asked: [u64; 2],
}

impl Rounds {
    /// Counts an accepted call.
    pub fn count(&mut self, call: &CrossCall, effect: &Effect, after: &Model) {
        match (call, effect) {
            (CrossCall::Round { call, .. }, Effect::Round(round)) => {
                self.count_round(call.market, call.bankrupt, round, after);
            }
            (CrossCall::Witness(call), _) => self.count_witnesses(call, after),
            _ => {}
        }
    }

    /// Counts a refused call.
    pub fn count_refused(&mut self, call: &CrossCall, refusal: Refusal, model: &Model) {
        let CrossCall::Round { call, .. } = call else {
            return;
        };
        if refusal != BallastError::AdlStaleCounterparty.into() {
            return;
        }
        self.asked[0] += 1;
        let out = |one: &usize| !call.list.contains(&Listed::Trader(*one));
        let out = (0..model.traders.len()).filter(out);
        let mut out = out.filter_map(|one| model.leg(call.market, one));
        self.asked[1] += u64::from(out.any(|leg| {
            matches!(leg.weak, Some(Weakness::AtClose(_))) && model.slot - leg.recorded <= 25
        }));
    }

    fn count_round(&mut self, market: usize, bankrupt: usize, round: &RoundMade, after: &Model) {
        let made = round.cross.as_ref().expect("a round that legs stand in");
        let of = |count: usize| u64::try_from(count).expect("a short list");
        let (legs, all) = (of(made.legs.len()), of(round.cuts.len()));
        self.bankrupt[usize::from(made.forced.is_some())] += 1;
        self.cuts[0] += all - legs;
        self.cuts[1] += legs;
        self.both += u64::from(legs > 0 && all > legs);
        self.shortened += of(made.legs.iter().filter(|leg| leg.shortened).count());
        let gone = |leg: &&crate::model::LegMade| {
            after.leg(market, round.cuts[leg.place].trader).is_none()
        };
        self.closed += of(made.legs.iter().filter(gone).count());
        self.stages[0] += u64::from(made.to_equity);
        self.stages[1] += u64::from(round.pass_opened);
        self.stages[2] += u64::from(made.by_record);
        self.insured += u64::from(made.forced.is_some() && round.paid > 0);
        let cut = |trader: usize| round.cuts.iter().any(|cut| cut.trader == trader);
        let others = (0..after.traders.len()).filter(|one| !cut(*one) && *one != bankrupt);
        let others = others.filter_map(|one| after.leg(market, one));
        let sign = round.cuts[0].before.sign();
        let others = others.filter(|leg| leg.holding.sign() == sign);
        let fresh = |leg: &&crate::model::Leg| {
            matches!(leg.weak, Some(Weakness::AtClose(_))) && after.slot - leg.recorded <= 25
        };
        self.trusted += u64::from(others.clone().any(|leg| fresh(&leg)));
        self.left_out += of(others.count());
    }

    fn count_witnesses(&mut self, call: &Witnessing, after: &Model) {
        for trader in &call.traders {
            match after.leg(call.market, *trader).and_then(|leg| leg.weak) {
                Some(Weakness::BelowMaintenance) => self.witnessed[0] += 1,
                Some(Weakness::AtClose(_)) => self.witnessed[1] += 1,
                None => {}
            }
        }
    }

    /// Fails unless all of it happened that a run of so many calls must show.
    pub fn require_variety(&self, calls: u64) {
        let all = [
            ("isolated bankrupt beside legs", self.bankrupt[0]),
            ("bankrupt leg that was deleveraged", self.bankrupt[1]),
            ("isolated position cut beside legs", self.cuts[0]),
            ("leg that was cut", self.cuts[1]),
            ("round that cut both", self.both),
            ("shortened cut", self.shortened),
            ("leg that was closed by a cut", self.closed),
            ("round over legs that opened a pass", self.stages[1]),
            ("round for a leg with insurance", self.insured),
            ("leg that was left out", self.left_out),
            ("witness of an account below maintenance", self.witnessed[0]),
            ("round refused for a leg that was left out", self.asked[0]),
        ];
        let seldom = [
            ("round as far as equity lasts", self.stages[0]),
            ("round by record", self.stages[2]),
            (
                "witness of an account too weak at a close price",
                self.witnessed[1],
            ),
            ("round that passed over a witnessed account", self.trusted),
            (
                "round refused beside a witness of a worse price",
                self.asked[1],
            ),
        ];
        let seldom = seldom.iter().filter(|_| calls >= SELDOM);
        for (what, count) in all.iter().chain(seldom) {
            assert!(*count > 0, "no {what}");
        }
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([isolated, legs], [positions, cut]) = (self.bankrupt, self.cuts);
        let ([equity, passes, record], [below, weak]) = (self.stages, self.witnessed);
        writeln!(
            f,
            "rounds beside legs: {isolated} for positions, {legs} for legs, {} of them insured; {positions} cuts of \
             positions, {cut} of legs, {} shortened, {} closed, {} rounds cut both; {equity} as far as equity lasts, \
             {passes} opened a pass, {record} by record; {} legs left out; witnessed {below} below maintenance, {weak} \
             too weak, {} rounds passed over those; {} refused for a leg that was left out, {} beside a witness",
            self.insured, self.shortened, self.closed, self.both, self.left_out, self.trusted,
            self.asked[0], self.asked[1],
        )
    }
}
