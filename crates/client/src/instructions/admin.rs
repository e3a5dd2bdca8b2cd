//! Instructions of the exchange's authorities.

use ballast_engine::risk::RiskParams;
use ballast_state::exchange::Role;
use ballast_state::instructions::{self, CreateMarketArgs, InitializeExchangeArgs};
use ballast_state::seeds::PROGRAM_DATA_ADDRESS;
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use super::call::Call;
use super::{Collateral, MarketKeys};
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Creates the exchange and its collateral vault.
#[derive(Clone, Debug, Default)]
pub struct InitializeExchange {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// First admin; signs. The program's upgrade authority, when it has one.
    pub admin: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// First holders of the other roles.
    pub args: InitializeExchangeArgs,
}

impl InitializeExchange {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::INITIALIZE_EXCHANGE)
            .writable_signer(self.payer)
            .signer(self.admin)
            .writable(addresses::exchange())
            .readonly(self.collateral.mint)
            .writable(addresses::collateral_vault())
            .readonly(PROGRAM_DATA_ADDRESS)
            .readonly(self.collateral.token_program)
            .readonly(SYSTEM_PROGRAM)
            .arguments(&self.args)
            .instruction()
    }
}

/// Names a successor for a role.
#[derive(Clone, Debug, Default)]
pub struct ProposeAuthority {
    /// The admin; signs.
    pub admin: Pubkey,
    /// The role.
    pub role: Role,
    /// The successor; the default key withdraws a proposal.
    pub successor: Pubkey,
}

impl ProposeAuthority {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::PROPOSE_AUTHORITY)
            .signer(self.admin)
            .writable(addresses::exchange())
            .arguments(&(self.role, self.successor.to_bytes()))
            .instruction()
    }
}

/// Takes a role over.
#[derive(Clone, Debug, Default)]
pub struct AcceptAuthority {
    /// The successor named before; signs.
    pub successor: Pubkey,
    /// The role.
    pub role: Role,
}

impl AcceptAuthority {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::ACCEPT_AUTHORITY)
            .signer(self.successor)
            .writable(addresses::exchange())
            .arguments(&self.role)
            .instruction()
    }
}

/// Sets what is paused.
#[derive(Clone, Debug, Default)]
pub struct SetPause {
    /// The admin or the pause authority; signs.
    pub authority: Pubkey,
    /// Union of the `PAUSE_*` flags in force; 0 resumes everything.
    pub flags: u32,
}

impl SetPause {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SET_PAUSE)
            .signer(self.authority)
            .writable(addresses::exchange())
            .arguments(&self.flags)
            .instruction()
    }
}

/// What a market is opened over: zeroed accounts of the program, created at the top
/// level of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketAccounts {
    /// Queue of the long positions, see [`addresses::queue_space`].
    pub queue_long: Pubkey,
    /// Queue of the short positions.
    pub queue_short: Pubkey,
    /// Order book, see [`addresses::book_space`].
    pub book: Pubkey,
}

/// Creates a market and its insurance vault.
#[derive(Clone, Debug, Default)]
pub struct CreateMarket {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// The admin; signs.
    pub admin: Pubkey,
    /// Index of the market: the exchange's `market_count`.
    pub index: u16,
    /// Its queues and book.
    pub accounts: MarketAccounts,
    /// The quote currency.
    pub collateral: Collateral,
    /// Name, price source and risk parameters.
    pub args: CreateMarketArgs,
}

impl CreateMarket {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let market = addresses::market(self.index);
        Call::of(instructions::CREATE_MARKET)
            .signer(self.admin)
            .writable_signer(self.payer)
            .writable(addresses::exchange())
            .writable(market)
            .writable(addresses::insurance_vault(&market))
            .readonly(self.collateral.mint)
            .writable(self.accounts.queue_long)
            .writable(self.accounts.queue_short)
            .writable(self.accounts.book)
            .readonly(self.collateral.token_program)
            .readonly(SYSTEM_PROGRAM)
            .arguments(&self.args)
            .instruction()
    }
}

/// Replaces a market's risk parameters.
#[derive(Clone, Debug, Default)]
pub struct UpdateMarketRisk {
    /// The risk authority; signs.
    pub risk_authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The new parameters.
    pub risk: RiskParams,
}

impl UpdateMarketRisk {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::UPDATE_MARKET_RISK)
            .signer(self.risk_authority)
            .readonly(addresses::exchange())
            .writable(self.keys.market)
            .writable(self.keys.book)
            .arguments(&self.risk)
            .instruction()
    }
}
