//! Parameters with how each came about.

use ballast_engine::risk::{Bound, Measure, TABLE};
use serde::Serialize;

use crate::bootstrap::Interval;
use crate::decimal::Decimal;
use crate::units::ATOMS_PER_USD;

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name in a file of risk parameters.
    pub name: String,
    /// Its value there.
    pub value: i64,
    /// What the estimate and its interval count: the value's unit.
    pub unit: &'static str,
    /// What was estimated, before rounding and bounds; `None` where nothing of the data decides.
    pub estimate: Option<Decimal>,
    /// What holds the estimate in 90 of 100 draws: lower and upper end.
    pub interval: Option<[Decimal; 2]>,
    /// The rule that decided the value.
    pub rule: String,
}

/// Parameters as they are decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub parameters: Vec<Parameter>,
}

/// What is decided of a parameter.
pub(super) struct Wanted {
    pub value: i64,
    pub unit: &'static str,
    pub estimate: Option<f64>,
    pub interval: Option<Interval>,
    pub rule: String,
}

impl Wanted {
    /// What does not depend on the data.
    pub(super) fn policy(value: i64, unit: &'static str, rule: &str) -> Self {
        Self {
            value,
            unit,
            estimate: None,
            interval: None,
            rule: rule.to_owned(),
        }
    }
}

impl Sheet {
    /// Writes a parameter down, within the engine's bounds, and returns its value.
    pub(super) fn write(&mut self, name: impl Into<String>, wanted: Wanted) -> i64 {
        let name = name.into();
        let (value, rule) = match bound(&name) {
            Some(bound) => within(bound, wanted.value, wanted.rule),
            None => (wanted.value, wanted.rule),
        };
        self.parameters.push(Parameter {
            name,
            value,
            unit: wanted.unit,
            estimate: wanted.estimate.map(Decimal),
            interval: wanted
                .interval
                .map(|interval| [Decimal(interval.low), Decimal(interval.high)]),
            rule,
        });
        value
    }
}

/// The engine's bound of a field; `tiers[1].initial_margin_bps` has that of `tiers[].initial_margin_bps`.
fn bound(name: &str) -> Option<&'static Bound> {
    let digits = |one: char| !one.is_ascii_digit();
    let field: String = match name.contains('[') {
        true => name.chars().filter(|one| digits(*one)).collect(),
        false => name.to_owned(),
    };
    TABLE.iter().find(|bound| bound.field == field)
}

/// The most that the engine allows of a field that is no amount of money.
pub(super) fn most(name: &str) -> i64 {
    bound(name).map_or(0, |bound| bound.most)
}

fn within(bound: &Bound, value: i64, rule: String) -> (i64, String) {
    let scale = match bound.measure {
        Measure::Number => 1,
        Measure::Units => i64::try_from(ATOMS_PER_USD).unwrap_or(i64::MAX),
    };
    let (least, most) = (
        bound.least.saturating_mul(scale),
        bound.most.saturating_mul(scale),
    );
    if (least..=most).contains(&value) || (bound.or_zero && value == 0) {
        return (value, rule);
    }
    let (value, end) = if value < least {
        (least, "least")
    } else {
        (most, "most")
    };
    (
        value,
        format!("{end} that the engine allows; before that: {rule}"),
    )
}
