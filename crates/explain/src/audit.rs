//! Recorded figures held against recomputed ones.

use std::fmt::Display;

use serde::Serialize;

/// A recorded figure that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The figure: its round, if any, and its field.
    pub field: String,
    /// Its value in the record.
    pub recorded: String,
    /// Its value as recomputed, or why there cannot be one.
    pub recomputed: String,
}

/// All comparisons so far.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Number of figures compared.
    pub figures: usize,
    /// Those that disagree.
    pub faults: Vec<Fault>,
}

impl Audit {
    /// Compares a figure; whether it agrees.
    pub fn equal<T: Display + PartialEq>(
        &mut self,
        field: impl Into<String>,
        recorded: T,
        recomputed: T,
    ) -> bool {
        self.holds(recorded == recomputed, || Fault {
            field: field.into(),
            recorded: recorded.to_string(),
            recomputed: recomputed.to_string(),
        })
    }

    /// Counts a comparison made elsewhere.
    pub fn holds(&mut self, holds: bool, fault: impl FnOnce() -> Fault) -> bool {
        self.figures += 1;
        if !holds {
            self.faults.push(fault());
        }
        holds
    }

    /// Notes that something is recorded which cannot be.
    pub fn fail(&mut self, field: impl Into<String>, recorded: impl Display, why: impl Display) {
        self.holds(false, || Fault {
            field: field.into(),
            recorded: recorded.to_string(),
            recomputed: why.to_string(),
        });
    }

    /// Puts the faults of fields that begin with `prefix` before the others.
    pub fn first(&mut self, prefix: &str) {
        self.faults
            .sort_by_key(|fault| !fault.field.starts_with(prefix));
    }
}
