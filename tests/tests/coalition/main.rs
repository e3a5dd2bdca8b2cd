//! A coalition that owns several accounts, orders the calls and chooses among the fresh prices,
//! against accounts that only trade at prices they agreed to. docs/INVARIANTS.md states what holds.
//!
//! `BALLAST_COALITION_HISTORIES` says how many histories are played, `BALLAST_SEED` from which seed.

mod attack;
mod venue;

use attack::{Attack, Counts};
use venue::Venue;

/// Prices of a history, two seconds apart.
const PRICES: u32 = 60;

#[test]
fn a_coalition_gains_what_others_agreed_to_lose_and_no_more() {
    let histories = number("BALLAST_COALITION_HISTORIES", 24);
    let first = number("BALLAST_SEED", 1);
    let opened = Venue::open();
    let mut counts = Counts::default();
    for seed in first..first + histories {
        println!("BALLAST_SEED={seed}");
        play(opened.fork(), seed, &mut counts);
    }
    println!("{counts:?}");
    if histories >= 24 {
        counts.require_variety();
    }
}

/// Plays a history; what must hold is checked after every call.
fn play(mut venue: Venue, seed: u64, counts: &mut Counts) {
    let mut attack = Attack::new(seed);
    for _ in 0..PRICES {
        let ticks = attack.next_price(venue.newest().ticks);
        venue.publish(ticks);
        for _ in 0..attack.calls() {
            attack.call(&mut venue, counts);
        }
        if attack.is_quoted() {
            venue.quote();
        }
        venue.keep();
    }
}

fn number(name: &str, silent: u64) -> u64 {
    std::env::var(name).map_or(silent, |text| text.parse().expect("a number"))
}
