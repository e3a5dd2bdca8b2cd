//! What happened to legs.

use std::fmt;

use super::rounds::Rounds;
use crate::model::{Done, Effect, Model, Verdict};
use crate::operation::{CrossCall, Operation};

/// Counts of it.
#[derive(Default)]
pub struct Legs {
    /// Legs that joined others.
    several: u64,
    /// Liquidations of accounts below maintenance, and of bankrupt ones.
    liquidations: [u64; 2],
    /// Those of accounts with another leg.
    shared: u64,
    /// Those in which insurance paid.
    insured: u64,
    /// Those that closed the leg.
    closed: u64,
    /// Records that say that the account is weak.
    weak: u64,
    /// Trades of legs in the book that closed one, by orders that only reduce, and others.
    trades: [u64; 3],
    /// Flags of legs whose accounts were below maintenance, and of bankrupt ones.
    flags: [u64; 2],
    /// Legs parted with: of several and the last, and bankrupt ones.
    parted: [u64; 3],
    /// Rounds that legs stand in.
    rounds: Rounds,
}

impl Legs {
    /// Counts a call.
    pub fn count(&mut self, operation: &Operation, verdict: &Verdict<Effect>, after: &Model) {
        let Operation::Cross(call) = operation.call() else {
            return;
        };
        let effect = match verdict {
            Ok(effect) => effect,
            Err(refusal) => return self.rounds.count_refused(call, *refusal, after),
        };
        let legs = |trader: usize| after.trader(trader).shared.legs.iter().flatten().count();
        self.rounds.count(call, effect, after);
        match call {
            CrossCall::Join { trader, .. } => self.several += u64::from(legs(*trader) > 1),
            CrossCall::Refresh {
                market, traders, ..
            } => {
                let weak = |one: &&usize| {
                    after
                        .leg(*market, **one)
                        .is_some_and(|leg| leg.weak.is_some())
                };
                self.weak += u64::from(traders.iter().any(|one| weak(&one)));
            }
            CrossCall::Flag { market, trader } => {
                let leg = after.leg(*market, *trader).expect("a leg");
                if leg.distress.flagged_slot > 0 {
                    self.flags[usize::from(leg.distress.bankrupt_slot > 0)] += 1;
                }
            }
            CrossCall::Part { market, trader, .. } => {
                let last = legs(*trader) == 0;
                self.parted[usize::from(last)] += 1;
                let margin = after.held(*market, *trader).margin;
                self.parted[2] += u64::from(margin < 0);
                let pool = after.trader(*trader).shared.atoms;
                assert!(!last || pool == 0, "{pool} left once the last leg has left");
            }
            CrossCall::Trade { placing, .. } => {
                let (market, trader) = (placing.market, placing.trader);
                let closed = after.leg(market, trader).is_none();
                self.trades[match (closed, placing.reduce_only) {
                    (true, _) => 0,
                    (false, true) => 1,
                    (false, false) => 2,
                }] += 1;
            }
            CrossCall::Liquidate { call, .. } => {
                let left = after.leg(call.market, call.trader).is_some();
                let others = legs(call.trader) > usize::from(left);
                self.closed += u64::from(!left);
                self.shared += u64::from(others);
                if let Effect::Matched(matched) = effect {
                    if let Done::Liquidation { paid, bankrupt, .. } = matched.done {
                        self.liquidations[usize::from(bankrupt)] += 1;
                        self.insured += u64::from(paid > 0);
                    }
                }
            }
            _ => {}
        }
    }

    /// Fails unless all of it happened that a run of so many calls must show.
    pub fn require_variety(&self, calls: u64) {
        let all = [
            ("legs beside others", self.several),
            ("liquidations of legs", self.liquidations[0]),
            ("liquidations of bankrupt legs", self.liquidations[1]),
            ("liquidations beside other legs", self.shared),
            ("liquidations of legs with insurance", self.insured),
            ("closed legs", self.closed),
            ("weak records", self.weak),
            ("legs closed in the book", self.trades[0]),
            ("legs reduced in the book", self.trades[1]),
            ("legs opened or enlarged in the book", self.trades[2]),
            ("flags of legs", self.flags[0]),
            ("flags of bankrupt legs", self.flags[1]),
            ("legs of several parted with", self.parted[0]),
            ("last legs parted with", self.parted[1]),
            (
                "legs parted with more than their margin lost",
                self.parted[2],
            ),
        ];
        for (what, count) in all {
            assert!(count > 0, "no {what}");
        }
        self.rounds.require_variety(calls);
    }
}

impl fmt::Display for Legs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([weak, bankrupt], [flags, deep]) = (self.liquidations, self.flags);
        let [closed, reduced, traded] = self.trades;
        let [some, last, lost] = self.parted;
        writeln!(
            f,
            "legs: {} beside others; liquidations: {weak} below maintenance, {bankrupt} bankrupt, {} beside others, \
             {} with insurance, {} closed; in the book: {closed} closed, {reduced} reduced, {traded} others; {} weak records; \
             flags: {flags} below maintenance, {deep} bankrupt; parted with: {some} of several, {last} last, {lost} with \
             less than no margin",
            self.several, self.shared, self.insured, self.closed, self.weak,
        )?;
        write!(f, "{}", self.rounds)
    }
}
