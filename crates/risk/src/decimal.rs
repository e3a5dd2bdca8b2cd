//! Decimal numbers in what is printed.

use serde::{Serialize, Serializer};

/// A number of statistics; in JSON a string with six decimals, so that nobody takes it for base units.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Decimal(pub f64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.6}", self.0))
    }
}
