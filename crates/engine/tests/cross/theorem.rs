//! An account above maintenance holds at least what its record's bound says, in any history; each piece
//! of the argument is needed.

use ballast_engine::cross::{Slack, SLACK};

use crate::history::{play, Mutant};

/// Records that flatter by nothing.
const NONE: Slack = Slack {
    percent: 0,
    fresh_percent: 0,
};

/// Histories of the sound rule; more by hand, with `BALLAST_HISTORIES`.
fn histories() -> u64 {
    let set = std::env::var("BALLAST_HISTORIES").ok();
    set.and_then(|value| value.parse().ok()).unwrap_or(400)
}

#[test]
fn the_bound_holds_in_every_history() {
    for slack in [SLACK, NONE] {
        let (checks, broken) = play(histories(), 80, Mutant::Sound, slack);
        println!("{slack:?}: {checks} checks, {broken} broken");
        assert_eq!(broken, 0);
        assert!(checks > histories() * 200, "{checks}");
    }
}

/// Each fails within 300 histories at a slack of nothing.
fn breaks(mutant: Mutant) {
    let (checks, broken) = play(300, 80, mutant, NONE);
    println!("{mutant:?}: {broken} of 300 histories broken, {checks} checks");
    assert!(broken > 0, "{mutant:?} goes unnoticed");
}

#[test]
fn without_renewing_records_it_fails() {
    breaks(Mutant::NoRefresh);
    let (_, broken) = play(300, 80, Mutant::NoRefresh, SLACK);
    assert!(broken > 0);
}

#[test]
fn with_funding_forgotten_it_fails() {
    breaks(Mutant::NoFunding);
}

#[test]
fn with_the_wrong_divisor_it_fails() {
    breaks(Mutant::WrongDivisor);
}

#[test]
fn with_a_third_of_the_way_it_fails() {
    breaks(Mutant::ThirdOfWay);
}

#[test]
fn with_records_at_the_price_just_read_it_fails() {
    breaks(Mutant::OwnPrice);
}

#[test]
fn below_maintenance_it_says_nothing() {
    breaks(Mutant::Unhealthy);
    let (_, broken) = play(300, 80, Mutant::Unhealthy, SLACK);
    assert!(broken > 0);
}

#[test]
fn with_the_newer_checkpoint_it_fails() {
    breaks(Mutant::NewerCheckpoint);
}
