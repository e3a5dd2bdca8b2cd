//! Instructions of a market's modes and of its end.

use ballast_state::{instructions, seeds::INSTRUCTIONS_SYSVAR, Pubkey};
use solana_instruction::Instruction;

use super::call::{Call, Part};
use super::{adl_session::SessionKeys, MarketKeys};
use crate::addresses;

/// Queue nodes that one call counts within the compute units of a transaction: about 300 each.
pub const MAX_COUNTED_NODES: u32 = 3_000;

/// Makes a market reduce-only.
#[derive(Clone, Debug, Default)]
pub struct SetReduceOnly {
    /// The guardian or the admin; signs.
    pub authority: Pubkey,
    /// The market.
    pub market: Pubkey,
}

impl SetReduceOnly {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SET_REDUCE_ONLY)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .writable(self.market)
            .readonly(INSTRUCTIONS_SYSVAR)
            .instruction()
    }
}

/// Declares the oracle of a market dead.
#[derive(Clone, Debug, Default)]
pub struct DeclareDead {
    /// The market.
    pub market: Pubkey,
}

impl DeclareDead {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::DECLARE_DEAD)
            .writable(self.market)
            .instruction()
    }
}

/// Ends a market whose end has come.
#[derive(Clone, Debug, Default)]
pub struct BeginSettlement {
    /// The market.
    pub market: Pubkey,
}

impl BeginSettlement {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::BEGIN_SETTLEMENT)
            .writable(self.market)
            .instruction()
    }
}

/// Pays out what an account has in a market that has ended.
#[derive(Clone, Debug, Default)]
pub struct SettlePosition {
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
}

impl SettlePosition {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SETTLE_POSITION)
            .market(&self.keys, &[self.trader], &[Part::Queues, Part::Book])
            .instruction()
    }
}

/// Takes over, at the last price, a bankrupt position that a session found nobody for.
#[derive(Clone, Debug, Default)]
pub struct WriteOffBankrupt {
    /// The market.
    pub keys: MarketKeys,
    /// The session, whose walk is at its end.
    pub session: SessionKeys,
}

impl WriteOffBankrupt {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::WRITE_OFF_BANKRUPT)
            .writable(self.session.payer)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.session.bankrupt, self.session.session],
                &[Part::Queues, Part::Book],
            )
            .instruction()
    }
}

/// Counts what the positions of a market in which deficits were written off are worth together.
#[derive(Clone, Debug, Default)]
pub struct CountClaims {
    /// The market.
    pub keys: MarketKeys,
    /// Most queue nodes to look at.
    pub max_nodes: u32,
}

impl CountClaims {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::COUNT_CLAIMS)
            .market(&self.keys, &[], &[Part::Queues])
            .arguments(&self.max_nodes)
            .instruction()
    }
}

/// Closes the queues and the book of a market in which nobody has anything any more.
#[derive(Clone, Debug, Default)]
pub struct CloseMarket {
    /// The market.
    pub keys: MarketKeys,
    /// Who gets the rent, see [`ballast_state::exchange::Exchange::rent_payer_of`].
    pub rent_payer: Pubkey,
}

impl CloseMarket {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CLOSE_MARKET)
            .readonly(addresses::exchange())
            .market(&self.keys, &[self.rent_payer], &[Part::Queues, Part::Book])
            .instruction()
    }
}
