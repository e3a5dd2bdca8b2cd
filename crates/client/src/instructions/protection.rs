//! Instructions of traders on protective steps.

use ballast_state::instructions::{self, SetProtectionArgs};
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use super::call::Call;
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Opens the account for the protective steps of a trader in a market. Its address:
/// [`addresses::protection`].
#[derive(Clone, Debug, Default)]
pub struct CreateProtection {
    /// Owner of the trader account; signs and pays the rent.
    pub owner: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
}

impl CreateProtection {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CREATE_PROTECTION)
            .writable_signer(self.owner)
            .readonly(self.market)
            .readonly(self.trader)
            .writable(addresses::protection(&self.trader, &self.market))
            .readonly(SYSTEM_PROGRAM)
            .instruction()
    }
}

/// Sets the protective steps of a position, in place of those of before, or clears them.
#[derive(Clone, Debug, Default)]
pub struct SetProtection {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// The queue in which the position stands, see [`crate::cross::position_queue`]; any where steps are cleared.
    pub queue: Pubkey,
    /// The steps.
    pub args: SetProtectionArgs,
}

impl SetProtection {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SET_PROTECTION)
            .signer(self.authority)
            .readonly(self.market)
            .readonly(self.trader)
            .writable(addresses::protection(&self.trader, &self.market))
            .readonly(self.queue)
            .arguments(&self.args)
            .instruction()
    }
}

/// Closes the account of protective steps; its rent goes to the owner.
#[derive(Clone, Debug, Default)]
pub struct CloseProtection {
    /// Owner of the trader account; signs.
    pub owner: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
}

impl CloseProtection {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CLOSE_PROTECTION)
            .writable_signer(self.owner)
            .writable(addresses::protection(&self.trader, &self.market))
            .instruction()
    }
}
