//! What a command was asked that it cannot mean, as opposed to what went wrong.

use core::fmt;

use anchor_lang::prelude::Pubkey;
use ballast_engine::EngineError;
use ballast_state::error::BallastError;

/// The command line asks for something that cannot be; exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(pub String);

impl Usage {
    /// That `holder` of a role has to sign.
    pub fn not_holder(signer: &Pubkey, role: &str, holder: &Pubkey) -> Self {
        Self(format!(
            "the {role} role is held by {holder}, not by {signer}; choose its key with --keypair"
        ))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A transaction was sent, and it is not known whether it landed; exit code 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled(pub String);

impl fmt::Display for Unsettled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unsettled {}

/// An order was placed, and nothing of it traded or waits in the book; exit code 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingFilled(pub String);

impl fmt::Display for NothingFilled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NothingFilled {}

/// Interrupted before anything was sent; exit code 130, as of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("interrupted; nothing was sent")
    }
}

impl std::error::Error for Interrupted {}

/// A refusal of the engine as an error of a command.
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
