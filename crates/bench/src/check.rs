//! Whether new figures are as good as the committed ones.

use crate::figure::Figures;
use crate::targets::{Target, Verdict};

/// Growth of a figure that is still accepted, percent.
const ALLOWED_PERCENT: u64 = 2;

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What is worse or missing: the check fails.
    pub failures: Vec<String>,
    /// What is better by more than the tolerance: worth committing.
    pub improvements: Vec<String>,
}

/// Compares every figure and every target.
pub fn compare(committed: &Figures, measured: &Figures, targets: &[Target]) -> Comparison {
    let mut found = Comparison::default();
    for (name, old) in committed.iter() {
        let Some(new) = measured.get(name) else {
            found
                .failures
                .push(format!("{name}: committed, but not measured"));
            continue;
        };
        let units = ("compute units", old.compute_units, new.compute_units);
        let (before, now) = (old.nodes_visited, new.nodes_visited);
        let nodes = ("nodes", before.map(u64::from), now.map(u64::from));
        for (what, old, new) in [units, nodes] {
            found.judge(name, what, old, new);
        }
    }
    for (name, _) in measured.iter() {
        if committed.get(name).is_none() {
            found
                .failures
                .push(format!("{name}: measured, but not committed"));
        }
    }
    for target in targets {
        let (old, new) = (target.verdict(committed), target.verdict(measured));
        if let (Verdict::Met(old), Verdict::Missed(new)) = (old, new) {
            let target = &target.what;
            found
                .failures
                .push(format!("target missed: {target}: {old} before, now {new}"));
        }
    }
    found
}

impl Comparison {
    fn judge(&mut self, name: &str, what: &str, old: Option<u64>, new: Option<u64>) {
        match (old, new) {
            (Some(old), Some(new)) if exceeds(new, old) => {
                self.failures
                    .push(format!("{name}: {new} {what}, {old} committed"));
            }
            (Some(old), Some(new)) if exceeds(old, new) => {
                self.improvements
                    .push(format!("{name}: {new} {what}, {old} committed"));
            }
            (Some(old), None) => {
                self.failures
                    .push(format!("{name}: no longer has {what}, {old} committed"));
            }
            (None, Some(new)) => {
                self.improvements
                    .push(format!("{name}: {new} {what}, none committed"));
            }
            _ => {}
        }
    }
}

/// Whether `one` is more than the allowed part above `other`.
fn exceeds(one: u64, other: u64) -> bool {
    one.saturating_mul(100) > other.saturating_mul(100 + ALLOWED_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;
    use crate::targets::Rule;

    fn figures(units: &[(&str, Option<u64>, Option<u32>)]) -> Figures {
        let mut figures = Figures::default();
        for (name, compute_units, nodes_visited) in units {
            let figure = Figure {
                shape: "some".to_owned(),
                compute_units: *compute_units,
                nodes_visited: *nodes_visited,
                footprint: None,
            };
            figures.add(name, figure).unwrap();
        }
        figures
    }

    fn failures(old: &Figures, new: &Figures) -> usize {
        compare(old, new, &[]).failures.len()
    }

    #[test]
    fn two_percent_pass_and_one_unit_more_fails() {
        let old = figures(&[("a", Some(10_000), None)]);
        for (units, failed, improved) in [
            (10_000, 0, 0),
            (10_200, 0, 0),
            (10_201, 1, 0),
            (9_804, 0, 0),
            (9_803, 0, 1),
        ] {
            let found = compare(&old, &figures(&[("a", Some(units), None)]), &[]);
            assert_eq!(
                (found.failures.len(), found.improvements.len()),
                (failed, improved),
                "{units}"
            );
        }
    }

    #[test]
    fn a_failure_names_the_figure_and_both_values() {
        let old = figures(&[("liquidate/full", Some(100), None)]);
        let new = figures(&[("liquidate/full", Some(103), None)]);
        let found = compare(&old, &new, &[]);
        assert_eq!(
            found.failures,
            ["liquidate/full: 103 compute units, 100 committed"]
        );
    }

    #[test]
    fn nodes_are_figures_too() {
        let old = figures(&[("a", Some(100), Some(1_000))]);
        assert_eq!(
            failures(&old, &figures(&[("a", Some(100), Some(1_020))])),
            0
        );
        assert_eq!(
            failures(&old, &figures(&[("a", Some(100), Some(1_021))])),
            1
        );
        assert_eq!(failures(&old, &figures(&[("a", Some(100), None)])), 1);
    }

    #[test]
    fn a_figure_missing_on_either_side_fails() {
        let one = figures(&[("a", Some(1), None)]);
        let two = figures(&[("a", Some(1), None), ("b", Some(1), None)]);
        assert_eq!((failures(&one, &two), failures(&two, &one)), (1, 1));
    }

    #[test]
    fn what_no_longer_fits_a_transaction_fails_and_the_reverse_does_not() {
        let (fits, not) = (
            figures(&[("a", Some(1), None)]),
            figures(&[("a", None, None)]),
        );
        assert_eq!((failures(&fits, &not), failures(&not, &fits)), (1, 0));
        assert_eq!(failures(&not, &not), 0);
    }

    #[test]
    fn a_target_once_met_stays_met() {
        let target = Target {
            what: "a".to_owned(),
            limit: 100,
            rule: Rule::Units("a".to_owned()),
        };
        let at = |units| figures(&[("a", Some(units), None)]);
        let missed = |old, new| {
            compare(&at(old), &at(new), std::slice::from_ref(&target))
                .failures
                .len()
        };
        assert_eq!(
            (missed(100, 100), missed(100, 101), missed(101, 102)),
            (0, 1, 0)
        );
    }
}
