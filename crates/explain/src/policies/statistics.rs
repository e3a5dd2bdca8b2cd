//! How evenly a rule spreads what it takes.
//!
//! - The *haircut* of a winning position is what it gave up in all rounds, divided by the largest profit its
//!   position would have shown, uncut, at the mark of a round in which it was an eligible winner.
//!   That divisor is the same for every rule. Cut as a winner, nobody gives up more than it.
//! - *Largest haircut* and *Gini* run over all winners, those untouched included. A position that
//!   was never a winner has no haircut; those cut all the same are counted apart.
//! - *Top ten* is the part of everything taken that the ten positions which gave most bore.
//!
//! Ratios are rounded down to millionths, haircuts before anything is made of them.

use std::collections::{BTreeMap, BTreeSet};

use ballast_report::policy::{Policy, PolicyLine};

use super::book::Key;
use super::played::Played;

const MILLION: u128 = 1_000_000;
/// Givers of the concentration.
const TOP: usize = 10;

/// A rule's line of the table.
pub fn line(policy: Policy, played: &Played, profits: &BTreeMap<Key, u64>) -> PolicyLine {
    let mut given: BTreeMap<&Key, u64> = BTreeMap::new();
    for cut in played.rounds.iter().flatten() {
        let sum = given.entry(&cut.key).or_default();
        *sum = sum.saturating_add(cut.gave_up);
    }
    let taken: u64 = given.values().sum();
    let mut haircuts: Vec<u64> = profits
        .iter()
        .map(|(key, profit)| part(given.get(key).copied().unwrap_or(0), *profit))
        .collect();
    haircuts.sort_unstable();
    let mut largest: Vec<u64> = given.values().copied().collect();
    largest.sort_unstable_by(|one, two| two.cmp(one));
    let top: u64 = largest.iter().take(TOP).sum();
    PolicyLine {
        policy,
        deficit_atoms: played.deficit,
        taken_atoms: taken,
        overshoot_atoms: i64::try_from(i128::from(taken) - i128::from(played.deficit))
            .unwrap_or(i64::MAX),
        unplaced_lots: played.unplaced,
        accounts_touched: accounts(&given),
        positions_closed: closed(played),
        winners: profits.len(),
        cut_without_profit: given
            .keys()
            .filter(|key| !profits.contains_key(**key))
            .count(),
        largest_haircut_ppm: haircuts.last().copied().unwrap_or(0),
        gini_ppm: gini(&haircuts),
        top_ten_ppm: part(top, taken),
        haircuts_ppm: haircuts,
    }
}

fn accounts(given: &BTreeMap<&Key, u64>) -> usize {
    let traders = given.keys().map(|key| key.trader.as_str());
    traders.collect::<BTreeSet<&str>>().len()
}

fn closed(played: &Played) -> usize {
    let cuts = played.rounds.iter().flatten();
    cuts.filter(|cut| cut.closed).count()
}

/// A part of a whole in millionths, rounded down; 0 of nothing.
pub fn part(of: u64, whole: u64) -> u64 {
    let millionths = (u128::from(of) * MILLION).checked_div(u128::from(whole));
    u64::try_from(millionths.unwrap_or(0)).unwrap_or(u64::MAX)
}

/// The Gini coefficient of ascending numbers in millionths: half the mean difference of all pairs,
/// divided by the mean. 0 when all are equal, near a million when one has everything.
pub fn gini(ascending: &[u64]) -> u64 {
    let count = i128::try_from(ascending.len()).unwrap_or(i128::MAX);
    let sum: i128 = ascending.iter().map(|number| i128::from(*number)).sum();
    // Sum over i from 1 of (2i - n - 1) x_i.
    let weights = (0_i128..).map(|index| 2 * index + 1 - count);
    let spread: i128 = weights
        .zip(ascending)
        .map(|(weight, number)| weight * i128::from(*number))
        .sum();
    let millionths = (spread * 1_000_000).checked_div(count * sum);
    u64::try_from(millionths.unwrap_or(0)).unwrap_or(0)
}
