//! Why something cannot be shown.

use core::fmt;

use ballast_engine::EngineError;
use ballast_state::error::BallastError;

/// What somebody asks for cannot be meant; the sentence says what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A refusal of the engine as an error that names it.
pub trait Computed<T> {
    /// The value, or what the program would answer.
    fn computed(self) -> anyhow::Result<T>;
}

impl<T> Computed<T> for Result<T, EngineError> {
    fn computed(self) -> anyhow::Result<T> {
        self.map_err(|error| {
            let error = BallastError::from(error);
            anyhow::anyhow!("{}: {error}", error.name())
        })
    }
}
