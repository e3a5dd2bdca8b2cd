//! The program's errors as Anchor returns them: where one was raised goes into the log.

use anchor_lang::prelude::*;
use ballast_state::error::BallastError;

/// An Anchor error that names its place in the source.
macro_rules! error {
    ($error:expr) => {
        anchor_lang::error::Error::from($error).with_source(anchor_lang::source!())
    };
}

/// Fails with an error.
macro_rules! err {
    ($error:expr) => {
        Err($crate::error::error!($error))
    };
}

/// Fails with an error unless a condition holds.
macro_rules! require {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return $crate::error::err!($error);
        }
    };
}

/// Fails with an error that logs both keys unless they are equal.
macro_rules! require_keys_eq {
    ($found:expr, $expected:expr, $error:expr $(,)?) => {
        if $found != $expected {
            return Err($crate::error::error!($error).with_pubkeys(($found, $expected)));
        }
    };
}

/// Fails with an error that logs the key unless two keys differ.
macro_rules! require_keys_neq {
    ($found:expr, $other:expr, $error:expr $(,)?) => {
        if $found == $other {
            return Err($crate::error::error!($error).with_pubkeys(($found, $other)));
        }
    };
}

pub(crate) use {err, error, require, require_keys_eq, require_keys_neq};

/// Lifts what the engine and the state decide into what Anchor returns.
pub trait OrBallast<T> {
    /// The value, or the program's error of the same meaning.
    fn or_ballast(self) -> Result<T>;
}

impl<T, E: Into<BallastError>> OrBallast<T> for core::result::Result<T, E> {
    fn or_ballast(self) -> Result<T> {
        self.map_err(|error| error.into().into())
    }
}
