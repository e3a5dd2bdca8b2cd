//! Instructions about the stakes behind a market's insurance. The account for shares of them is opened
//! and closed like that of any [fund](super::fund).

use ballast_state::{instructions, Pubkey};
use solana_instruction::Instruction;

use super::call::{Call, Part};
use super::{Collateral, MarketKeys};
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Opens the stakes of a market; anybody, once.
#[derive(Clone, Debug, Default)]
pub struct OpenStakes {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// The market.
    pub market: Pubkey,
}

impl OpenStakes {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::OPEN_STAKES)
            .writable_signer(self.payer)
            .readonly(self.market)
            .writable(addresses::stakes(&self.market))
            .readonly(SYSTEM_PROGRAM)
            .instruction()
    }
}

/// Stakes tokens behind a market's insurance, for shares.
#[derive(Clone, Debug, Default)]
pub struct Stake {
    /// Who pays and owns the shares; signs.
    pub owner: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Token account they come from.
    pub source: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// Atoms to move.
    pub amount: u64,
}

impl Stake {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        moved(instructions::STAKE, &self.owner, &self.keys, self.source)
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .arguments(&self.amount)
            .instruction()
    }
}

/// Asks for shares to be paid out, in the place of what was asked for before.
#[derive(Clone, Debug, Default)]
pub struct RequestUnstake {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// Shares.
    pub shares: u64,
}

impl RequestUnstake {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let stakes = addresses::stakes(&self.market);
        Call::of(instructions::REQUEST_UNSTAKE)
            .signer(self.owner)
            .readonly(self.market)
            .writable(stakes)
            .writable(addresses::share(&stakes, &self.owner))
            .arguments(&self.shares)
            .instruction()
    }
}

/// Withdraws such a request.
#[derive(Clone, Debug, Default)]
pub struct CancelUnstake {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The market.
    pub market: Pubkey,
}

impl CancelUnstake {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let stakes = addresses::stakes(&self.market);
        Call::of(instructions::CANCEL_UNSTAKE)
            .signer(self.owner)
            .writable(stakes)
            .writable(addresses::share(&stakes, &self.owner))
            .instruction()
    }
}

/// Pays what was asked for and is due. Where the insurance vault is not level with its ledger, it needs
/// [`SweepInsurance`](super::anyone::SweepInsurance) before it.
#[derive(Clone, Debug, Default)]
pub struct Unstake {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Token account they go to.
    pub destination: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// Fail for less than this, atoms.
    pub least_atoms: u64,
}

impl Unstake {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        moved(
            instructions::UNSTAKE,
            &self.owner,
            &self.keys,
            self.destination,
        )
        .readonly(self.collateral.mint)
        .readonly(self.collateral.token_program)
        .arguments(&self.least_atoms)
        .instruction()
    }
}

/// The accounts of a move between `tokens` and the insurance vault of a market.
fn moved(discriminator: [u8; 8], owner: &Pubkey, keys: &MarketKeys, tokens: Pubkey) -> Call {
    let stakes = addresses::stakes(&keys.market);
    Call::of(discriminator)
        .signer(*owner)
        .readonly(addresses::exchange())
        .writable(keys.market)
        .writable(stakes)
        .writable(addresses::share(&stakes, owner))
        .beside(keys, &[Part::Queues, Part::Price])
        .writable(tokens)
        .writable(addresses::insurance_vault(&keys.market))
}
