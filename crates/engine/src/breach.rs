//! A parameter that lies outside its bounds.

use core::fmt;

use crate::error::EngineError;

/// A field that lies outside its bounds. [`Display`](fmt::Display) says which, its value and what is
/// allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What the field belongs to: `risk` or `pool`.
    pub of: &'static str,
    /// The field; `[]` where there are several of it.
    pub field: &'static str,
    /// Which of several.
    pub place: usize,
    /// Its value.
    pub value: i128,
    /// Least value that would do.
    pub least: i128,
    /// Most; less than the least where other fields leave none that would do.
    pub most: i128,
    /// The refusal.
    pub error: EngineError,
}

impl Breach {
    /// The breach itself where the value is not within its bounds.
    pub(crate) fn unless_within(self) -> Result<(), Self> {
        if self.least <= self.value && self.value <= self.most {
            Ok(())
        } else {
            Err(self)
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.", self.of)?;
        match self.field.split_once("[]") {
            Some((before, after)) => write!(formatter, "{before}[{}]{after}", self.place)?,
            None => formatter.write_str(self.field)?,
        }
        let Self {
            value, least, most, ..
        } = self;
        write!(formatter, " is {value}, ")?;
        if least > most {
            formatter.write_str("no value is allowed beside the other fields")
        } else {
            write!(formatter, "allowed {least} to {most}")
        }
    }
}
