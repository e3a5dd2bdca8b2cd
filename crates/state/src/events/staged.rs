//! Changes that wait.

use crate::{derives::*, exchange::Delays, oracle_config::OracleConfig, staged::Change, Pubkey};

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

/// Somebody showed both price sources of a change that waits.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct OracleWitnessed {
    /// The market.
    pub market: Pubkey,
    /// Account that holds the change.
    pub staged: Pubkey,
    /// Its id.
    pub id: [u8; 32],
    /// Whether both agree; the change is void otherwise.
    pub agree: bool,
    /// The price of the market's own source, ticks.
    pub ticks: u64,
    /// The price of the other, ticks.
    pub new_ticks: u64,
    /// Slots for which they have been seen to agree.
    pub covered_slots: u64,
}

/// A market takes its prices from another source.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct OracleChanged {
    /// The market.
    pub market: Pubkey,
    /// Price source before.
    pub before: OracleConfig,
    /// Price source after.
    pub after: OracleConfig,
    /// The price of the former source, ticks.
    pub ticks: u64,
    /// The price of the new one, which the market has recorded, ticks.
    pub new_ticks: u64,
}
