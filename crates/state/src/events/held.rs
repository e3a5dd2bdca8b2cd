//! Events of profit that is held and released.

use super::*;

/// Profit was held because its market is short.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ProfitHeld {
    /// The market.
    pub market: Pubkey,
    /// What the market is short of, atoms.
    pub shortfall_atoms: u64,
    /// From whom how much, in the order in which the instruction was done with them.
    pub parts: Vec<HeldPart>,
    /// What the market holds after, atoms.
    pub held_after_atoms: u64,
}

/// Profit of one trader.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct HeldPart {
    /// The trader account.
    pub trader: Pubkey,
    /// What it took out of its position beyond what it had put in, atoms.
    pub profit_atoms: u64,
    /// What is held of that, atoms.
    pub held_atoms: u64,
}

/// Held profit became free collateral again.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ProfitReleased {
    /// The market.
    pub market: Pubkey,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// What the market is still short of, atoms.
    pub shortfall_atoms: u64,
    /// To whom how much.
    pub parts: Vec<ReleasedPart>,
    /// What the market holds after, atoms.
    pub held_after_atoms: u64,
}

/// What one trader got back.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ReleasedPart {
    /// The trader account.
    pub trader: Pubkey,
    /// Atoms.
    pub atoms: u64,
}
