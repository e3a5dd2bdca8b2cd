//! A coalition with legs in two markets, against honest accounts of both kinds. docs/INVARIANTS.md states what
//! holds.

mod acts;
mod end;
mod forced;
mod gap;
mod intent;
mod keeper;
mod ledger;
mod pump;
mod values;
mod venue;

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

use crate::attack::Attack;
use crate::ledger::BROKEN;
use crate::TOLD;
use venue::{Setting, Venue};

/// Prices of a history, two seconds apart.
const PRICES: u32 = 40;
/// The most that a price moves, in millionths.
const MOST_PPM: u64 = 5_000;

/// Calls that went through.
#[derive(Default, Debug)]
pub struct Counts {
    pairs: u64,
    orders: u64,
    withdrawals: u64,
    margin: u64,
    pooled: u64,
    unpooled: u64,
    joined: u64,
    left: u64,
    marks: u64,
    records: u64,
    witnesses: u64,
    flags: u64,
    liquidations: u64,
    legs: u64,
    rounds: u64,
    leg_trades: u64,
    leg_orders: u64,
    leg_fills: u64,
    fired: u64,
    stepped: u64,
    frozen: u64,
    ended: u64,
    parted: u64,
}

impl Counts {
    /// Fails unless everything happened that is needed to mean something.
    fn require_variety(&self) {
        let each = [
            self.pairs,
            self.orders,
            self.withdrawals,
            self.margin,
            self.pooled,
            self.unpooled,
            self.joined,
            self.left,
            self.marks,
            self.records,
            self.witnesses,
            self.flags,
            self.liquidations,
            self.legs,
            self.rounds,
            self.leg_trades,
            self.leg_orders,
            self.leg_fills,
            self.fired,
            self.stepped,
            self.frozen,
            self.ended,
            self.parted,
        ];
        assert!(each.iter().all(|count| *count > 0), "{self:?}");
    }
}

/// Markets in which histories begin.
struct Markets {
    /// Without funding, with funding.
    trending: [Venue; 2],
    /// One market's insurance is rich, the other's is poor.
    gaps: Venue,
}

impl Markets {
    fn open() -> Self {
        let open = |funding_ppm, insurance| {
            Venue::open(Setting {
                funding_ppm,
                insurance,
            })
        };
        Self {
            trending: [open(0, [5_000; 2]), open(2_000, [5_000; 2])],
            gaps: open(0, [5_000, 10]),
        }
    }

    /// Plays the history of a seed on a copy: of four, two are of gaps, one of trending prices, one of a price that
    /// is driven.
    fn play(&self, seed: u64, counts: &mut Counts) {
        let gaps = seed.is_multiple_of(2);
        let mut venue = match gaps {
            true => self.gaps.fork(),
            false => self.trending[(seed / 4) as usize % 2].fork(),
        };
        let played = catch_unwind(AssertUnwindSafe(|| match seed % 4 {
            0 | 2 => gap::play(&mut venue, seed, counts),
            1 => trend(&mut venue, seed, counts),
            _ => pump::play(&mut venue, seed, counts),
        }));
        counts.leg_fills += venue.leg_fills;
        let Err(panic) = played else {
            return;
        };
        let why = panic.downcast_ref::<String>().map_or("", String::as_str);
        if let Some(why) = why.strip_prefix(BROKEN) {
            let calls = venue.calls.len();
            println!("noticed: history {seed}, call {calls}: {why}");
        }
        println!("BALLAST_SEED={seed} BALLAST_COALITION_HISTORIES=1, its last calls:");
        for call in &venue.calls[venue.calls.len().saturating_sub(TOLD)..] {
            println!("  {call}");
        }
        resume_unwind(panic);
    }
}

#[test]
fn legs_in_two_markets_give_a_coalition_no_more() {
    let histories = crate::number("BALLAST_COALITION_HISTORIES", 48);
    let first = crate::number("BALLAST_SEED", 1);
    let markets = Markets::open();
    let mut counts = Counts::default();
    for seed in first..first + histories {
        markets.play(seed, &mut counts);
    }
    println!("{counts:?}");
    if histories >= 48 {
        counts.require_variety();
    }
}

/// A history of prices that move by steps to which a keeper can react; what must hold is checked after every
/// call.
fn trend(venue: &mut Venue, seed: u64, counts: &mut Counts) {
    let mut attacks = [seed, !seed].map(|seed| Attack::of(seed, MOST_PPM));
    for _ in 0..PRICES {
        let mut next = [0, 1].map(|market| venue.newest(market).ticks);
        for (attack, ticks) in attacks.iter_mut().zip(&mut next) {
            *ticks = attack.next_price(*ticks);
        }
        venue.publish(next);
        let [attack, _] = &mut attacks;
        if !attack.is_patient() {
            if attack.below(2) == 0 {
                attack.cross_intend(venue, counts);
            }
            for _ in 0..attack.calls() {
                attack.cross_call(venue, counts);
            }
            if attack.is_quoted() {
                venue.quote();
            }
        }
        venue.keep();
    }
}
