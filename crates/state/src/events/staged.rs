//! Changes that wait.

use crate::{derives::*, exchange::Delays, staged::Change, Pubkey};

/// An authority staged a change.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ChangeStaged {
    /// Account that holds it.
    pub staged: Pubkey,
    /// By this it is applied or cancelled.
    pub id: [u8; 32],
    /// What it changes: a market, the exchange, a new market's name, a role's number.
    pub target: Pubkey,
    /// Authority that signed.
    pub proposer: Pubkey,
    /// First slot in which it may be applied.
    pub eta_slot: u64,
    /// Last slot in which it may be applied.
    pub expires_slot: u64,
    /// The change.
    pub change: Change,
}

/// A staged change was taken back, or cleared away.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ChangeCancelled {
    /// Account that held it.
    pub staged: Pubkey,
    /// Its id.
    pub id: [u8; 32],
    /// What it would have changed.
    pub target: Pubkey,
    /// Number of its kind.
    pub kind: u8,
    /// Who signed.
    pub by: Pubkey,
}

/// Changes wait for longer, or less long.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct DelaysChanged {
    /// Delays before.
    pub before: Delays,
    /// Delays after.
    pub after: Delays,
}

/// Earnings are paid to another token account.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct TreasuryChanged {
    /// Token account before; the default key when none.
    pub before: Pubkey,
    /// Token account after.
    pub after: Pubkey,
}
