//! Accounts with an Anchor type, of today's layout: the one place where their versions are checked.

use core::cell::{Ref, RefMut};

use anchor_lang::{prelude::*, Owner, ZeroCopy};
use ballast_state::version::Versioned;

use crate::error::error;

/// Loads an account whose layout is today's.
pub trait Current<T> {
    /// To read.
    ///
    /// # Errors
    /// `AccountOutdated`, which logs the account and what to call for it; `UnknownVersion`.
    fn current(&self) -> Result<Ref<'_, T>>;

    /// To write.
    ///
    /// # Errors
    /// Those of [`Self::current`].
    fn current_mut(&self) -> Result<RefMut<'_, T>>;
}

impl<T: ZeroCopy + Owner + Versioned> Current<T> for AccountLoader<'_, T> {
    #[inline]
    #[allow(clippy::disallowed_methods)]
    fn current(&self) -> Result<Ref<'_, T>> {
        let account = self.load()?;
        match account.require_current() {
            Ok(()) => Ok(account),
            Err(_) => Err(refused(self, &*account)),
        }
    }

    #[inline]
    #[allow(clippy::disallowed_methods)]
    fn current_mut(&self) -> Result<RefMut<'_, T>> {
        let account = self.load_mut()?;
        match account.require_current() {
            Ok(()) => Ok(account),
            Err(_) => Err(refused(self, &*account)),
        }
    }
}

/// Loads an account whose layout may be older, to migrate it.
///
/// # Errors
/// Those of Anchor.
#[allow(clippy::disallowed_methods)]
pub fn any_version_mut<'a, T: ZeroCopy + Owner>(
    loader: &'a AccountLoader<'_, T>,
) -> Result<RefMut<'a, T>> {
    loader.load_mut()
}

/// Loads an account whose layout may be older, for what has stood where it stands in every version.
///
/// # Errors
/// Those of Anchor.
#[allow(clippy::disallowed_methods)]
pub fn any_version<'a, T: ZeroCopy + Owner>(
    loader: &'a AccountLoader<'_, T>,
) -> Result<Ref<'a, T>> {
    loader.load()
}

#[cold]
#[inline(never)]
fn refused<T: ZeroCopy + Owner + Versioned>(loader: &AccountLoader<'_, T>, account: &T) -> Error {
    error!(account.refusal()).with_values((loader.key(), T::REMEDY))
}
