//! Whether margins held what they promised: counts and clusters of exceedances, and what they cost.

use serde::{Serialize, Serializer};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::decimal::Decimal;

/// Within so many seconds of another an exceedance belongs to a cluster.
pub const CLUSTER_SECONDS: i64 = 86_400;
/// P values below this fail.
pub const REFUSED_BELOW: f64 = 0.01;

/// A margin, and what the price did within its horizon; both parts of the price at its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// When the horizon begins, unix seconds.
    pub time: i64,
    /// The margin.
    pub margin: f64,
    /// The move against the position, 0 or more.
    pub moved: f64,
}

impl Outcome {
    /// Whether the move was larger than the margin.
    #[must_use]
    pub fn exceeds(&self) -> bool {
        self.moved > self.margin
    }
}

/// How margins of one side did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Horizons that were judged.
    pub tested: usize,
    /// Moves beyond the margin.
    pub exceedances: usize,
    /// How many the level lets expect.
    #[serde(serialize_with = "decimal")]
    pub expected: f64,
    /// Probability of a count as far off by chance: Kupiec 1995.
    #[serde(serialize_with = "decimal")]
    pub kupiec_p: f64,
    /// Probability of exceedances that follow each other as much by chance: Christoffersen 1998.
    #[serde(serialize_with = "decimal")]
    pub independence_p: f64,
    /// Mean loss of the forecast as a quantile, parts of the price; the lower the better.
    #[serde(serialize_with = "decimal")]
    pub pinball: f64,
    /// Exceedances within 24 hours of the one before.
    pub clustered: usize,
    /// Largest move beyond the margin, part of the price.
    #[serde(serialize_with = "decimal")]
    pub worst_shortfall: f64,
    /// Mean margin, part of the price.
    #[serde(serialize_with = "decimal")]
    pub mean_margin: f64,
    /// Highest margin over the lowest.
    #[serde(serialize_with = "decimal")]
    pub margin_range: f64,
    /// Largest factor by which the margin rose within 24 hours.
    #[serde(serialize_with = "decimal")]
    pub worst_rise: f64,
}

impl Score {
    /// Judges outcomes in order of time, whose horizons do not overlap; `None` without any.
    #[must_use]
    pub fn of(outcomes: &[Outcome], level: f64) -> Option<Self> {
        if outcomes.is_empty() {
            return None;
        }
        let tested = outcomes.len();
        let count = tested as f64;
        let hits: Vec<bool> = outcomes.iter().map(Outcome::exceeds).collect();
        let exceedances = hits.iter().filter(|hit| **hit).count();
        let margins = || outcomes.iter().map(|one| one.margin);
        let least = margins().fold(f64::INFINITY, f64::min);
        let beyond = |one: &Outcome| one.moved - one.margin;
        Some(Self {
            tested,
            exceedances,
            expected: count * (1. - level),
            kupiec_p: kupiec(tested, exceedances, 1. - level),
            independence_p: independence(&hits),
            pinball: outcomes.iter().map(|one| pinball(one, level)).sum::<f64>() / count,
            clustered: clustered(outcomes),
            worst_shortfall: outcomes.iter().map(beyond).fold(0., f64::max),
            mean_margin: margins().sum::<f64>() / count,
            margin_range: margins().fold(0., f64::max) / least,
            worst_rise: worst_rise(outcomes),
        })
    }

    /// Whether count and order of the exceedances are believable.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.kupiec_p >= REFUSED_BELOW && self.independence_p >= REFUSED_BELOW
    }
}

/// As a [`Decimal`].
fn decimal<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Decimal(*number).serialize(serializer)
}

fn pinball(one: &Outcome, level: f64) -> f64 {
    let beyond = one.moved - one.margin;
    if beyond > 0. {
        level * beyond
    } else {
        (level - 1.) * beyond
    }
}

/// `count * ln(part)`, nothing of nothing.
fn log_likelihood(count: f64, part: f64) -> f64 {
    if count > 0. {
        count * part.ln()
    } else {
        0.
    }
}

/// Probability that a chi-squared number of one degree of freedom is larger.
fn beyond(statistic: f64) -> f64 {
    let one_degree = ChiSquared::new(1.).expect("one is above zero");
    one_degree.sf(statistic.max(0.))
}

/// Probability of a count of exceedances at least as unlikely as this one when each has probability `part`.
#[must_use]
pub fn kupiec(tested: usize, exceedances: usize, part: f64) -> f64 {
    let (all, hits) = (tested as f64, exceedances as f64);
    let of = |part: f64| log_likelihood(all - hits, 1. - part) + log_likelihood(hits, part);
    beyond(2. * (of(hits / all) - of(part)))
}

/// Probability of exceedances that depend at least as much on whether the one before was one, when they
/// do not; 1 where there is none or nothing else.
#[must_use]
pub fn independence(hits: &[bool]) -> f64 {
    let mut counts = [[0_f64; 2]; 2];
    for pair in hits.windows(2) {
        counts[usize::from(pair[0])][usize::from(pair[1])] += 1.;
    }
    let [[none, onto], [off, again]] = counts;
    let all = none + onto + off + again;
    if all == 0. || onto + again == 0. {
        return 1.;
    }
    let of = |zeros: f64, ones: f64| {
        let part = ones / (zeros + ones);
        log_likelihood(zeros, 1. - part) + log_likelihood(ones, part)
    };
    let apart = of(none, onto) + if off + again > 0. { of(off, again) } else { 0. };
    beyond(2. * (apart - of(none + off, onto + again)))
}

fn clustered(outcomes: &[Outcome]) -> usize {
    let hits: Vec<i64> = outcomes
        .iter()
        .filter(|one| one.exceeds())
        .map(|one| one.time)
        .collect();
    let close = |pair: &&[i64]| pair[1] - pair[0] < CLUSTER_SECONDS;
    hits.windows(2).filter(close).count()
}

/// The largest of a margin over the lowest of the 24 hours before it.
fn worst_rise(outcomes: &[Outcome]) -> f64 {
    let mut lowest: std::collections::VecDeque<&Outcome> = std::collections::VecDeque::new();
    let mut worst = 1.;
    for one in outcomes {
        while lowest.back().is_some_and(|last| last.margin >= one.margin) {
            lowest.pop_back();
        }
        lowest.push_back(one);
        while lowest
            .front()
            .is_some_and(|first| one.time - first.time > CLUSTER_SECONDS)
        {
            lowest.pop_front();
        }
        let least = lowest.front().map_or(one.margin, |first| first.margin);
        worst = f64::max(worst, one.margin / least);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn kupiec_agrees_with_the_published_regions() {
        // Kupiec 1995: of 255 days at 1% fewer than 7 exceedances are not refused at 95%, of 510 2 to 10.
        for (tested, accepted, refused) in [(255, 6, 7), (510, 10, 11), (1_000, 16, 17)] {
            assert!(kupiec(tested, accepted, 0.01) > 0.05, "{tested}");
            assert!(kupiec(tested, refused, 0.01) < 0.05, "{tested}");
        }
        assert!(kupiec(510, 1, 0.01) < 0.05 && kupiec(510, 2, 0.01) > 0.05);
        assert!((kupiec(1_000, 10, 0.01) - 1.).abs() < 1e-9);
    }

    #[test]
    fn exceedances_that_follow_each_other_are_noticed() {
        let mut hits = vec![false; 1_000];
        assert_eq!(independence(&hits), 1.);
        for at in (100..1_000).step_by(100) {
            hits[at] = true;
        }
        assert!(independence(&hits) > 0.5);
        for at in (100..1_000).step_by(100) {
            hits[at + 1] = true;
        }
        assert!(independence(&hits) < 1e-6);
    }

    #[test]
    fn of_shuffled_exceedances_p_is_even() {
        let (mut tenth, mut half) = (0, 0);
        for seed in 0..1_000 {
            let mut stream = Stream::new(seed, 0);
            let hits: Vec<bool> = (0..1_000).map(|_| stream.unit() < 0.1).collect();
            let p = independence(&hits);
            tenth += u32::from(p < 0.1);
            half += u32::from(p < 0.5);
        }
        assert!((75..130).contains(&tenth), "{tenth}");
        assert!((450..550).contains(&half), "{half}");
    }

    #[test]
    fn a_score_counts_what_happened() {
        let outcome = |hour: i64, margin, moved| Outcome {
            time: 3_600 * hour,
            margin,
            moved,
        };
        let outcomes = [
            outcome(0, 0.02, 0.01),
            outcome(1, 0.02, 0.05),
            outcome(10, 0.05, 0.06),
            outcome(60, 0.10, 0.),
        ];
        let score = Score::of(&outcomes, 0.9).expect("outcomes");
        assert_eq!(
            (score.tested, score.exceedances, score.clustered),
            (4, 2, 1)
        );
        assert!((score.worst_shortfall - 0.03).abs() < 1e-12);
        assert!((score.margin_range - 5.).abs() < 1e-12);
        assert!((score.worst_rise - 2.5).abs() < 1e-12, "{score:?}");
        let pinball = (0.001 + 0.9 * 0.03 + 0.9 * 0.01 + 0.01) / 4.;
        assert!((score.pinball - pinball).abs() < 1e-12);
        assert!(Score::of(&[], 0.9).is_none());
    }
}
