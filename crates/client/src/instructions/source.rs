//! Instructions of a change of a market's price source.

use ballast_state::{instructions, Pubkey};
use solana_instruction::Instruction;

use super::call::Call;
use super::staged::StagedKeys;
use crate::addresses;

/// A market and an account of each of two price sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PricePair {
    /// The market.
    pub market: Pubkey,
    /// A price of its own source.
    pub price: Pubkey,
    /// A price of the source that is staged.
    pub new_price: Pubkey,
}

/// Shows that both sources of a change that waits agree, or that they do not.
#[derive(Clone, Debug, Default)]
pub struct WitnessOracle {
    /// The change.
    pub staged: StagedKeys,
    /// What is shown.
    pub prices: PricePair,
}

impl WitnessOracle {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::WITNESS_ORACLE)
            .readonly(addresses::exchange())
            .readonly(self.prices.market)
            .writable(self.staged.address)
            .readonly(self.prices.price)
            .readonly(self.prices.new_price)
            .arguments(&self.staged.id)
            .instruction()
    }
}

/// Puts a staged price source in force.
#[derive(Clone, Debug, Default)]
pub struct ApplyOracleChange {
    /// The change.
    pub staged: StagedKeys,
    /// A price of each source, which agree.
    pub prices: PricePair,
}

impl ApplyOracleChange {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::APPLY_ORACLE_CHANGE)
            .readonly(addresses::exchange())
            .writable(self.prices.market)
            .staged(&self.staged)
            .readonly(self.prices.price)
            .readonly(self.prices.new_price)
            .arguments(&self.staged.id)
            .instruction()
    }
}
