//! Events of the stakes behind insurance.

use super::*;

/// The stakes of a market opened.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct StakesOpened {
    /// The market.
    pub market: Pubkey,
    /// Its stakes.
    pub stakes: Pubkey,
    /// Who paid the rent.
    pub payer: Pubkey,
}

/// Somebody staked behind a market's insurance.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Staked {
    /// The market.
    pub market: Pubkey,
    /// Who owns the shares, and paid.
    pub owner: Pubkey,
    /// Tokens, atoms.
    pub amount: u64,
    /// Shares that they bought.
    pub shares: u64,
    /// Shares that the owner has after.
    pub owner_shares_after: u64,
    /// Shares of the stakes after.
    pub shares_after: u64,
    /// What is staked after, atoms.
    pub staked_after_atoms: u64,
    /// What insurance owns after, the stakes included, atoms.
    pub insurance_after_atoms: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
}

/// Shares of stakes had become worthless, and new ones were begun.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct StakesRenewed {
    /// The market.
    pub market: Pubkey,
    /// Epoch of the new shares.
    pub epoch: u32,
    /// What was left of the stakes and is nobody's now, atoms.
    pub rest_atoms: u64,
}

/// Somebody asked for a stake back.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct UnstakeRequested {
    /// The market.
    pub market: Pubkey,
    /// Whose shares.
    pub owner: Pubkey,
    /// Shares asked to leave, in the place of all before.
    pub shares: u64,
    /// What they are worth, and will be paid at most, atoms.
    pub value_atoms: u64,
    /// Slot of the request.
    pub slot: u64,
    /// Shares of the stakes that are to leave, everybody's.
    pub requested_after: u64,
}

/// Somebody stays after all.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct UnstakeCancelled {
    /// The market.
    pub market: Pubkey,
    /// Whose shares.
    pub owner: Pubkey,
    /// Shares that were asked to leave.
    pub shares: u64,
    /// Shares of the stakes that are to leave, everybody's.
    pub requested_after: u64,
}

/// A stake was paid out.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Unstaked {
    /// The market.
    pub market: Pubkey,
    /// Whose shares.
    pub owner: Pubkey,
    /// Tokens, atoms.
    pub amount: u64,
    /// Shares that ended.
    pub shares: u64,
    /// Shares that the owner has after.
    pub owner_shares_after: u64,
    /// Shares of the stakes after.
    pub shares_after: u64,
    /// What is staked after, atoms.
    pub staked_after_atoms: u64,
    /// What insurance owns after, the stakes included, atoms.
    pub insurance_after_atoms: u64,
    /// What positions lacked beyond what nobody staked, which counted as paid, atoms.
    pub known_losses_atoms: u64,
}
