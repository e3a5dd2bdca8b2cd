//! Who is cut before whom: scores as fractions, classes, ties.

use std::cmp::Ordering;

use num_rational::BigRational;

use super::holding::Holding;
use super::number::{ratio, whole, ONE};

/// Profit per cent times effective leverage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Score {
    /// A number.
    Finite(BigRational),
    /// A profit without equity.
    Infinite,
}

/// Which positions come first whatever their score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Insolvent at the close price.
    Never,
    /// Solvent at the close price.
    Other,
    /// Not in loss at the close price, and enough in profit at the mark.
    Winner,
}

/// A candidate with everything its rank depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Class.
    pub class: Class,
    /// Score at the mark.
    pub score: Score,
    /// Bankruptcy price, turned so that the larger is the nearer to the mark.
    nearness: BigRational,
    /// Order of joining the queue.
    sequence: u64,
}

/// What a round ranks by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Mark, atoms per lot.
    pub mark: i128,
    /// Close price, atoms per lot.
    pub close: BigRational,
    /// Least profit of a winner.
    pub min_profit_bps: i128,
    /// Tolerance.
    pub tolerance_bps: i128,
}

impl Measure {
    /// Ranks a settled holding.
    pub fn rank(&self, holding: &Holding, sequence: u64) -> Ranked {
        let sign = whole(holding.sign());
        let entry = ratio(holding.entry.abs(), holding.size());
        let bankruptcy = ratio(holding.bankruptcy(), holding.size());
        Ranked {
            class: self.class(&sign, &entry, &bankruptcy),
            score: self.score(&sign, &entry, &bankruptcy),
            nearness: sign * bankruptcy,
            sequence,
        }
    }

    /// Ranks a leg that holds all of its account's equity: its cut is as small as that can bear, so that it
    /// need not be solvent at the close price.
    pub fn rank_account(&self, holding: &Holding, sequence: u64) -> Ranked {
        let sign = whole(holding.sign());
        let entry = ratio(holding.entry.abs(), holding.size());
        Ranked {
            class: self.winner_or_other(&sign, &entry),
            ..self.rank(holding, sequence)
        }
    }

    fn class(&self, sign: &BigRational, entry: &BigRational, bankruptcy: &BigRational) -> Class {
        if sign * (&self.close - bankruptcy) < whole(0) {
            return Class::Never;
        }
        self.winner_or_other(sign, entry)
    }

    fn winner_or_other(&self, sign: &BigRational, entry: &BigRational) -> Class {
        let nothing = whole(0);
        let gain = sign * (whole(self.mark) - entry);
        let enough = gain > nothing && &gain * whole(ONE) >= entry * whole(self.min_profit_bps);
        if enough && sign * (&self.close - entry) >= nothing {
            Class::Winner
        } else {
            Class::Other
        }
    }

    /// In profit `(p-e)/e * p/(p-b)`, in loss `(p-e)/e * (p-b)/p`, with every difference turned
    /// for shorts.
    fn score(&self, sign: &BigRational, entry: &BigRational, bankruptcy: &BigRational) -> Score {
        let (nothing, mark) = (whole(0), whole(self.mark));
        let gain = sign * (&mark - entry) / entry;
        let equity = (sign * (&mark - bankruptcy)).max(nothing.clone());
        if gain <= nothing {
            Score::Finite(gain * equity / mark)
        } else if equity == nothing {
            Score::Infinite
        } else {
            Score::Finite(gain * mark / equity)
        }
    }

    /// Whether `found`, left out, should have been cut before `last` was.
    pub fn skipped(&self, found: &Ranked, last: &Ranked) -> bool {
        match found.class.cmp(&last.class) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal if self.tolerance_bps == 0 => found.before(last),
            Ordering::Equal => self.beats(&found.score, &last.score),
        }
    }

    /// Above by more than the tolerance.
    fn beats(&self, found: &Score, last: &Score) -> bool {
        let more = ratio(ONE + self.tolerance_bps, ONE);
        let nothing = whole(0);
        match (found, last) {
            (_, Score::Infinite) => false,
            (Score::Infinite, _) => true,
            (Score::Finite(found), Score::Finite(last)) if *last >= nothing => *found > last * more,
            (Score::Finite(found), Score::Finite(last)) => found * more > *last,
        }
    }
}

impl Ranked {
    /// Whether it is cut before another: class, score, nearness to bankruptcy, age.
    pub fn before(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Less
    }

    /// `Less` when cut before.
    pub fn order(&self, other: &Self) -> Ordering {
        let mine = (&self.class, &self.score, &self.nearness);
        let theirs = (&other.class, &other.score, &other.nearness);
        theirs.cmp(&mine).then(self.sequence.cmp(&other.sequence))
    }
}
