//! A coalition that owns several accounts, orders the calls and chooses among the fresh prices,
//! against accounts that only trade at prices they agreed to. docs/INVARIANTS.md states what holds.
//!
//! `BALLAST_COALITION_HISTORIES` says how many histories are played, `BALLAST_SEED` from which seed.

#[macro_use]
mod ledger;
mod attack;
mod cross;
mod funds;
mod gap;
mod intent;
mod keys;
mod venue;

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

use attack::{Attack, Counts};
use keys::{Authorities, Key, Stolen};
use ledger::BROKEN;
use venue::{Setting, Venue};

/// Prices of a history, two seconds apart.
const PRICES: u32 = 60;
/// Calls that a failure tells of.
const TOLD: usize = 15;

/// Markets in which histories begin.
struct Markets {
    /// Without funding, with funding either way.
    trending: [Venue; 3],
    /// Little insurance, nobody leveraged.
    gaps: [Venue; 2],
    /// The authorities are keys of their own, with delays.
    governed: (Venue, Authorities),
}

impl Markets {
    fn open() -> Self {
        let setting = Setting {
            funding_ppm: 0,
            insurance: 5_000,
            leveraged: true,
            scaled: false,
        };
        let funded = |funding_ppm| {
            Venue::open(Setting {
                funding_ppm,
                ..setting
            })
        };
        let gaps = |insurance| {
            Venue::open(Setting {
                insurance,
                leveraged: false,
                ..setting
            })
        };
        let mut governed = funded(0);
        let authorities = Authorities::appoint(&mut governed.sandbox);
        Self {
            trending: [funded(0), funded(2_000), funded(-2_000)],
            gaps: [gaps(10), gaps(2_000)],
            governed: (governed, authorities),
        }
    }

    /// Plays the history of a seed on a copy. Of eight, four are of trending prices, three of gaps, and one
    /// is of trending prices with an authority's key.
    fn play(&self, seed: u64, counts: &mut Counts) {
        let of = |venues: &[Venue]| venues[(seed / 8) as usize % venues.len()].fork();
        let (mut venue, stolen) = match seed % 8 {
            1 | 4 | 7 => (of(&self.gaps), None),
            6 => {
                let key = Key::ALL[(seed / 8) as usize % Key::ALL.len()];
                let (venue, keys) = &self.governed;
                (venue.fork(), Some(Stolen::new(key, keys)))
            }
            _ => (of(&self.trending), None),
        };
        let gaps = [1, 4, 7].contains(&(seed % 8));
        let played = catch_unwind(AssertUnwindSafe(|| match gaps {
            true => gap::play(&mut venue, seed, counts),
            false => trend(&mut venue, seed, counts, stolen),
        }));
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
fn a_coalition_gains_what_others_agreed_to_lose_and_no_more() {
    let histories = number("BALLAST_COALITION_HISTORIES", 48);
    let first = number("BALLAST_SEED", 1);
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

/// The same where volatility and open interest scale initial margin: histories of trending prices and of gaps.
#[test]
fn nor_does_it_where_margin_is_scaled() {
    let histories = number("BALLAST_COALITION_HISTORIES", 48) / 3;
    let first = number("BALLAST_SEED", 1);
    let setting = Setting {
        funding_ppm: 2_000,
        insurance: 5_000,
        leveraged: true,
        scaled: true,
    };
    let trending = Venue::open(setting);
    let gaps = Venue::open(Setting {
        insurance: 10,
        leveraged: false,
        ..setting
    });
    let mut counts = Counts::default();
    for seed in first..first + histories {
        let mut venue = if seed % 3 == 0 {
            gaps.fork()
        } else {
            trending.fork()
        };
        match seed % 3 {
            0 => gap::play(&mut venue, seed, &mut counts),
            _ => trend(&mut venue, seed, &mut counts, None),
        }
    }
    println!("{counts:?}");
    if histories >= 16 {
        counts.require_trades();
    }
}

/// A history of prices that move by steps to which a keeper can react; what must hold is checked after
/// every call.
fn trend(venue: &mut Venue, seed: u64, counts: &mut Counts, mut stolen: Option<Stolen>) {
    let mut attack = Attack::new(seed);
    let mut bait = None;
    let (mut kept, mut patient) = (true, false);
    if attack.below(3) == 0 {
        attack.sweep(venue, &mut bait);
    }
    for _ in 0..PRICES {
        let ticks = venue.newest().ticks;
        // Where nobody is liquidated the price has to stand still.
        let next = if kept {
            attack.next_price(ticks)
        } else {
            ticks
        };
        venue.publish(next);
        let waited = patient;
        patient = attack.is_patient();
        if !patient {
            if bait.is_some() {
                attack.sweep(venue, &mut bait);
            } else if waited {
                attack.open_at_the_best_price(venue);
            }
            if attack.below(2) == 0 {
                attack.intend(venue, &mut bait);
            }
            for _ in 0..attack.calls() {
                attack.call(venue, counts);
            }
            if let Some(stolen) = stolen.as_mut().filter(|_| attack.below(2) == 0) {
                stolen.act(&mut attack, venue);
            }
            if attack.is_quoted() {
                venue.quote();
            }
        }
        kept = !keys::is_liquidation_paused(&venue.sandbox);
        venue.keep();
    }
    counts.add_authority(stolen.map_or(0, |stolen| stolen.acts));
}

fn number(name: &str, silent: u64) -> u64 {
    std::env::var(name).map_or(silent, |text| text.parse().expect("a number"))
}
