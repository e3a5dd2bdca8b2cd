//! What the forecasters are worth, beside what is fitted to the lights and to volatility.

use std::collections::BTreeMap;

use anyhow::{ensure, Result};
use ballast_risk::scores::{
    brier, calibration_error, crps, logarithmic, reliability, skill, Bin, Skill,
};
use serde::Serialize;

use super::forecasters::{Forecaster, Said};
use super::play::Case;

/// Resamples of the rehearsals.
const RESAMPLES: u32 = 2_000;
const SEED: u64 = 1;
/// Largest calibration error with which a forecast passes.
pub const MOST_ERROR: f64 = 0.03;
/// Volatilities are told apart by thirds.
const THIRDS: usize = 3;

/// Skill as it is written.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SkillLine {
    /// The skill.
    pub skill: f64,
    /// 5 % of resamples are below.
    pub low: f64,
    /// 5 % are above.
    pub high: f64,
}

impl From<Skill> for SkillLine {
    fn from(skill: Skill) -> Self {
        Self {
            skill: skill.skill,
            low: skill.low,
            high: skill.high,
        }
    }
}

/// A bin as it is written.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BinLine {
    /// Forecasts.
    pub count: u32,
    /// Their mean.
    pub forecast: f64,
    /// How often it happened.
    pub happened: f64,
}

impl From<&Bin> for BinLine {
    fn from(bin: &Bin) -> Self {
        Self {
            count: bin.count,
            forecast: bin.forecast,
            happened: bin.happened,
        }
    }
}

/// What a forecaster is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Worth {
    /// Its name.
    pub name: &'static str,
    /// Mean Brier score.
    pub brier: f64,
    /// Mean logarithmic score.
    pub log: f64,
    /// Mean continuous ranked probability score of the loss, basis points of the notional.
    pub crps_bps: f64,
    /// Expected calibration error.
    pub calibration_error: f64,
    /// Skill over lights and volatility, of the Brier score.
    pub brier_skill: SkillLine,
    /// The same of the logarithmic score.
    pub log_skill: SkillLine,
    /// The same of the score of the loss.
    pub crps_skill: SkillLine,
    /// Its reliability.
    pub bins: Vec<BinLine>,
    /// Whether it passes: a Brier skill above 0 at 90 %, a calibration error of at most [`MOST_ERROR`], and a
    /// skill of the loss above 0.
    pub passes: bool,
}

/// The scores of everybody.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Rehearsals that were scored.
    pub rehearsals: usize,
    /// Positions that were.
    pub cases: usize,
    /// The part of them that was cut.
    pub cut: f64,
    /// What is fitted, for comparison: base rate, lights, lights and volatility.
    pub fitted: Vec<Worth>,
    /// The forecasters, the simulation first.
    pub forecasters: Vec<Worth>,
}

impl Verdict {
    /// Scores the rehearsals from the seed `scored_from` on; those before it are what is fitted to.
    ///
    /// # Errors
    /// Cases without a cut or without one that was not.
    pub fn of(cases: &[Case], scored_from: u64) -> Result<Self> {
        let (fit, scored): (Vec<&Case>, Vec<&Case>) =
            cases.iter().partition(|case| case.seed < scored_from);
        let cut = scored.iter().filter(|case| case.cut).count();
        ensure!(
            cut > 0 && cut < scored.len() && fit.iter().any(|case| case.cut),
            "nobody or everybody was cut in these rehearsals: play more of them with --rehearsals"
        );
        let thirds = thirds(&fit);
        let keys: [(&'static str, Key); 3] = [
            ("base rate", |_, _| (0, false, 0)),
            ("lights", |case, _| (case.light, case.long, 0)),
            ("lights and volatility", |case, thirds| {
                (case.light, case.long, third(case, thirds))
            }),
        ];
        let fitted: Vec<(&'static str, Vec<Said>)> = keys
            .iter()
            .map(|(name, key)| (*name, Table::of(&fit, key, &thirds).say(&scored)))
            .collect();
        let reference = fitted.last().map_or(Vec::new(), |last| last.1.clone());
        let worth = |name, said: &[Said]| worth(name, &scored, said, &reference);
        let forecasters = (0..).zip(Forecaster::ALL).map(|(place, forecaster)| {
            let said: Vec<Said> = scored.iter().map(|case| case.said[place].clone()).collect();
            worth(forecaster.name(), &said)
        });
        Ok(Self {
            rehearsals: groups(&scored, |_| (0.0, 0.0)).len(),
            cases: scored.len(),
            cut: cut as f64 / scored.len() as f64,
            forecasters: forecasters.collect(),
            fitted: fitted
                .iter()
                .map(|(name, said)| worth(name, said))
                .collect(),
        })
    }

    /// The simulation.
    pub fn forecast(&self) -> &Worth {
        &self.forecasters[0]
    }

    /// Whether the simulation passes and those that are wrong on purpose do not.
    pub fn passes(&self) -> bool {
        let wrong = &self.forecasters[1..];
        self.forecast().passes && wrong.iter().all(|one| !one.passes)
    }
}

/// What tells cases apart: light, side and third of volatility.
type Key = fn(&Case, &[f64; THIRDS - 1]) -> (u8, bool, usize);

/// How often cases were cut and what they lost, by what tells them apart.
struct Table<'a> {
    key: &'a Key,
    thirds: &'a [f64; THIRDS - 1],
    rate: f64,
    cells: BTreeMap<(u8, bool, usize), (u32, Vec<f64>)>,
}

impl<'a> Table<'a> {
    fn of(fit: &[&Case], key: &'a Key, thirds: &'a [f64; THIRDS - 1]) -> Self {
        let mut cells: BTreeMap<_, (u32, Vec<f64>)> = BTreeMap::new();
        for case in fit {
            let cell = cells.entry(key(case, thirds)).or_default();
            cell.0 += 1;
            if case.cut {
                cell.1.push(case.loss);
            }
        }
        for (_, losses) in cells.values_mut() {
            losses.sort_by(f64::total_cmp);
        }
        let cut = fit.iter().filter(|case| case.cut).count();
        Self {
            key,
            thirds,
            rate: cut as f64 / fit.len().max(1) as f64,
            cells,
        }
    }

    /// A cell of few cases leans on the rate of all.
    fn say(&self, scored: &[&Case]) -> Vec<Said> {
        let said = scored.iter().map(|case| {
            let cell = self.cells.get(&(self.key)(case, self.thirds));
            let (count, losses) = cell.cloned().unwrap_or_default();
            Said {
                probability: (losses.len() as f64 + self.rate) / (f64::from(count) + 1.0),
                losses,
                paths: count.max(1),
            }
        });
        said.collect()
    }
}

fn thirds(fit: &[&Case]) -> [f64; THIRDS - 1] {
    let mut all: Vec<f64> = fit.iter().map(|case| case.volatility).collect();
    all.sort_by(f64::total_cmp);
    [1, 2].map(|third| all.get(all.len() * third / THIRDS).copied().unwrap_or(0.0))
}

fn third(case: &Case, thirds: &[f64; THIRDS - 1]) -> usize {
    thirds
        .iter()
        .filter(|edge| case.volatility >= **edge)
        .count()
}

/// Sums of a pair of scores over each rehearsal.
fn groups(scored: &[&Case], score: impl Fn(usize) -> (f64, f64)) -> Vec<(f64, f64)> {
    let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (place, case) in scored.iter().enumerate() {
        let (own, reference) = score(place);
        let sum = sums.entry(case.seed).or_default();
        *sum = (sum.0 + own, sum.1 + reference);
    }
    sums.into_values().collect()
}

fn worth(name: &'static str, scored: &[&Case], said: &[Said], reference: &[Said]) -> Worth {
    let mean = |score: &dyn Fn(&Case, &Said) -> f64| {
        let all = scored
            .iter()
            .zip(said)
            .map(|(case, said)| score(case, said));
        all.sum::<f64>() / scored.len() as f64
    };
    let over = |score: &dyn Fn(&Case, &Said) -> f64| -> SkillLine {
        let pair = |place: usize| {
            let case = scored[place];
            (score(case, &said[place]), score(case, &reference[place]))
        };
        skill(&groups(scored, pair), RESAMPLES, SEED).into()
    };
    let squared = |case: &Case, said: &Said| brier(said.probability, case.cut);
    let log = |case: &Case, said: &Said| logarithmic(said.probability, case.cut);
    let loss = |case: &Case, said: &Said| crps(&said.losses, said.paths, case.loss);
    let pairs = scored.iter().zip(said);
    let pairs: Vec<(f64, bool)> = pairs
        .map(|(case, said)| (said.probability, case.cut))
        .collect();
    let bins = reliability(&pairs);
    let (error, brier_skill) = (calibration_error(&bins), over(&squared));
    let crps_skill = over(&loss);
    Worth {
        name,
        brier: mean(&squared),
        log: mean(&log),
        crps_bps: mean(&loss) * 1e4,
        calibration_error: error,
        brier_skill,
        log_skill: over(&log),
        crps_skill,
        bins: bins.iter().map(BinLine::from).collect(),
        passes: brier_skill.low > 0.0 && error <= MOST_ERROR && crps_skill.skill > 0.0,
    }
}
