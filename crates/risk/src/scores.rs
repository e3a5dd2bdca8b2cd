//! How good forecasts of probabilities and of losses were: proper scores (Gneiting and Raftery 2007,
//! "Strictly proper scoring rules, prediction, and estimation"), reliability, and what a resample of
//! independent groups says of a skill.

use crate::random::Stream;

/// Edges of the bins of forecasts: closer together where most forecasts are.
pub const EDGES: [f64; 9] = [0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0];

/// Squared distance of a probability from what happened (Brier 1950).
#[must_use]
pub fn brier(probability: f64, happened: bool) -> f64 {
    let outcome = f64::from(u8::from(happened));
    (probability - outcome).powi(2)
}

/// Minus the logarithm of the probability of what happened. A probability of 0 or 1 that was wrong scores
/// without bound: a forecaster has to leave something to chance.
#[must_use]
pub fn logarithmic(probability: f64, happened: bool) -> f64 {
    -(if happened {
        probability
    } else {
        1.0 - probability
    })
    .ln()
}

/// The continuous ranked probability score of an ensemble: mean distance of its members from what came,
/// less half their mean distance from each other. `above_zero` are its members that are not 0, rising, of
/// `members` in all.
#[must_use]
pub fn crps(above_zero: &[f64], members: u32, outcome: f64) -> f64 {
    let count = f64::from(members.max(1));
    let given = above_zero.len() as f64;
    let zeros = (count - given).max(0.0);
    let apart: f64 = above_zero.iter().map(|one| (one - outcome).abs()).sum();
    let distance = (zeros * outcome.abs() + apart) / count;
    // Sum over pairs of sorted members, each with its rank.
    let ranked = (0_u32..).zip(above_zero).map(|(rank, one)| {
        let rank = zeros + f64::from(rank);
        one * (2.0 * rank + 1.0 - count)
    });
    distance - ranked.sum::<f64>() / (count * count)
}

/// One bin of a reliability picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Forecasts in it.
    pub count: u32,
    /// Their mean.
    pub forecast: f64,
    /// How often it happened.
    pub happened: f64,
}

/// Forecasts by what they said, each with whether it happened; empty bins are left out.
#[must_use]
pub fn reliability(forecasts: &[(f64, bool)]) -> Vec<Bin> {
    let mut bins = [Bin::default(); EDGES.len() - 1];
    for (probability, happened) in forecasts {
        let inner = &EDGES[1..EDGES.len() - 1];
        let place = inner.iter().filter(|edge| probability >= edge).count();
        let bin = &mut bins[place];
        bin.count += 1;
        bin.forecast += probability;
        bin.happened += f64::from(u8::from(*happened));
    }
    let means = bins.into_iter().filter(|bin| bin.count > 0).map(|bin| Bin {
        forecast: bin.forecast / f64::from(bin.count),
        happened: bin.happened / f64::from(bin.count),
        ..bin
    });
    means.collect()
}

/// Expected calibration error: how far forecast and frequency are apart, averaged over all forecasts.
#[must_use]
pub fn calibration_error(bins: &[Bin]) -> f64 {
    let all: f64 = bins.iter().map(|bin| f64::from(bin.count)).sum();
    let apart = bins
        .iter()
        .map(|bin| f64::from(bin.count) * (bin.forecast - bin.happened).abs());
    apart.sum::<f64>() / all.max(1.0)
}

/// A skill and the interval that holds nine tenths of its resamples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Skill {
    /// One less the score over that of what it is compared with: 1 is perfect, 0 no better.
    pub skill: f64,
    /// 5 % of the resamples are below.
    pub low: f64,
    /// 5 % are above.
    pub high: f64,
}

/// The skill of scores over those of a reference, each the sum of a group, with `resamples` of whole groups:
/// what happens within a group is not independent.
#[must_use]
pub fn skill(groups: &[(f64, f64)], resamples: u32, seed: u64) -> Skill {
    let of = |sums: (f64, f64)| {
        if sums.1 > 0.0 {
            1.0 - sums.0 / sums.1
        } else {
            0.0
        }
    };
    let add = |sum: (f64, f64), one: &(f64, f64)| (sum.0 + one.0, sum.1 + one.1);
    let mut drawn: Vec<f64> = (0..u64::from(resamples))
        .map(|number| {
            let mut stream = Stream::new(seed, number);
            let some = (0..groups.len()).map(|_| &groups[stream.below(groups.len())]);
            of(some.fold((0.0, 0.0), add))
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |part: usize| drawn.get(drawn.len() * part / 100).copied();
    let skill = of(groups.iter().fold((0.0, 0.0), add));
    Skill {
        skill,
        low: at(5).unwrap_or(skill),
        high: at(95).unwrap_or(skill),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_least_in_the_mean_at_the_true_probability() {
        for truth in [0.05, 0.3, 0.8] {
            let mean = |score: fn(f64, bool) -> f64, said: f64| {
                truth * score(said, true) + (1.0 - truth) * score(said, false)
            };
            for other in [0.01, 0.2, 0.5, 0.95] {
                assert!(mean(brier, truth) < mean(brier, other));
                assert!(mean(logarithmic, truth) < mean(logarithmic, other));
            }
        }
        assert_eq!(brier(0.25, true), 0.5625);
        assert!((logarithmic(0.25, false) - 0.287_682_072).abs() < 1e-9);
    }

    #[test]
    fn the_ranked_score_is_that_of_all_pairs() {
        let members = [0.0, 0.0, 0.0, 1.0, 2.5, 7.0];
        for outcome in [0.0, 0.4, 2.5, 9.0] {
            let count = members.len() as f64;
            let apart: f64 = members.iter().map(|one: &f64| (one - outcome).abs()).sum();
            let pairs = members
                .iter()
                .flat_map(|a| members.iter().map(move |b| (a - b).abs()));
            let expected = apart / count - pairs.sum::<f64>() / (2.0 * count * count);
            assert!(
                (crps(&members[3..], 6, outcome) - expected).abs() < 1e-12,
                "{outcome}"
            );
        }
        // Of one member it is the distance.
        assert_eq!(crps(&[3.0], 1, 5.0), 2.0);
        assert_eq!(crps(&[], 10, 5.0), 5.0);
    }

    #[test]
    fn bins_hold_every_forecast_once_and_a_true_forecaster_is_calibrated() {
        let mut stream = Stream::new(1, 0);
        let drawn: Vec<(f64, bool)> = (0..200_000)
            .map(|_| {
                let said = stream.unit().powi(3);
                (said, stream.unit() < said)
            })
            .collect();
        let bins = reliability(&drawn);
        assert_eq!(bins.len(), 8);
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u32>(), 200_000);
        assert!(calibration_error(&bins) < 0.003, "{bins:?}");
        let bold: Vec<_> = drawn.iter().map(|(said, it)| (said.sqrt(), *it)).collect();
        assert!(calibration_error(&reliability(&bold)) > 0.1);
        assert_eq!(reliability(&[(1.0, true), (0.0, false)]).len(), 2);
    }

    #[test]
    fn a_skill_is_seen_over_groups_and_chance_is_not() {
        let mut stream = Stream::new(9, 0);
        let mut groups = |better: f64| -> Vec<(f64, f64)> {
            let scores = (0..200).map(|_| {
                let base = stream.unit();
                (base * better + 0.2 * (stream.unit() - 0.5), base)
            });
            scores.collect()
        };
        let real = skill(&groups(0.8), 1_000, 1);
        assert!(
            real.low > 0.1 && real.low < real.skill && real.skill < real.high,
            "{real:?}"
        );
        let none = skill(&groups(1.0), 1_000, 1);
        assert!(none.low < 0.0 && none.high > 0.0, "{none:?}");
    }
}
