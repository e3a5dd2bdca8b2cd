//! Events of migrations.

use alloc::vec::Vec;

use crate::{derives::*, Pubkey};

/// An account was brought to today's layout, or was of it already.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct AccountMigrated {
    /// The account.
    pub account: Pubkey,
    /// Its layout version before.
    pub version_before: u32,
    /// Its layout version after: the one before where more calls are needed.
    pub version_after: u32,
    /// Reduce-only orders of a trader that left the book or lost lots because there was no position
    /// for them.
    pub removed: Vec<MigratedOrder>,
}

/// A reduce-only order that a migration took out of its book, or made smaller.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigratedOrder {
    /// The market.
    pub market: Pubkey,
    /// Its id in the book.
    pub order_id: u64,
    /// Lots that it lost.
    pub lots: u64,
}
