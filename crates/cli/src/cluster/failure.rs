//! What a command was asked that it cannot mean, as opposed to what went wrong.

use core::fmt;

use anchor_lang::prelude::Pubkey;
pub use ballast_view::failure::{Computed, Usage};

/// That `holder` of a role has to sign.
pub fn not_holder(signer: &Pubkey, role: &str, holder: &Pubkey) -> Usage {
    Usage(format!(
        "the {role} role is held by {holder}, not by {signer}; choose its key with --keypair"
    ))
}

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
