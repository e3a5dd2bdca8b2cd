//! Instructions of the exchange's authorities.

use ballast_state::exchange::Delays;
use ballast_state::instructions::{self, InitializeExchangeArgs};
use ballast_state::seeds::{INSTRUCTIONS_SYSVAR, PROGRAM_DATA_ADDRESS};
use ballast_state::staged::Change;
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use super::call::{Call, Part};
pub use super::staged::StagedKeys;
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
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.args)
            .instruction()
    }
}

/// Lets changes wait for longer, at once.
#[derive(Clone, Debug, Default)]
pub struct RaiseDelays {
    /// The admin; signs.
    pub admin: Pubkey,
    /// The delays.
    pub delays: Delays,
}

impl RaiseDelays {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::RAISE_DELAYS)
            .signer(self.admin)
            .writable(addresses::exchange())
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.delays)
            .instruction()
    }
}

/// Stages a change.
#[derive(Clone, Debug)]
pub struct StageChange {
    /// The risk authority for risk parameters, otherwise the admin; signs.
    pub authority: Pubkey,
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// The market, where one is changed.
    pub market: Option<Pubkey>,
    /// The change.
    pub change: Change,
}

impl StageChange {
    /// Where the change will be held.
    #[must_use]
    pub fn address(&self) -> Pubkey {
        let target = self.change.target(self.market.as_ref());
        addresses::staged(self.change.kind(), &target.unwrap_or_default())
    }

    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::STAGE_CHANGE)
            .signer(self.authority)
            .writable_signer(self.payer)
            .readonly(addresses::exchange())
            .readonly(self.market.unwrap_or(ballast_state::ID))
            .writable(self.address())
            .readonly(SYSTEM_PROGRAM)
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.change)
            .instruction()
    }
}

/// Takes a staged change back.
#[derive(Clone, Debug, Default)]
pub struct CancelStaged {
    /// The guardian, the admin or the proposer; signs. Anybody once the change is void.
    pub authority: Pubkey,
    /// The change.
    pub staged: StagedKeys,
}

impl CancelStaged {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CANCEL_STAGED)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .staged(&self.staged)
            .arguments(&self.staged.id)
            .instruction()
    }
}

/// Puts a staged change of the exchange in force.
#[derive(Clone, Debug, Default)]
pub struct ApplyExchangeChange {
    /// The change.
    pub staged: StagedKeys,
}

impl ApplyExchangeChange {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::APPLY_EXCHANGE_CHANGE)
            .writable(addresses::exchange())
            .staged(&self.staged)
            .arguments(&self.staged.id)
            .instruction()
    }
}

/// Puts a staged change of a market in force.
#[derive(Clone, Debug, Default)]
pub struct ApplyMarketChange {
    /// The market.
    pub keys: MarketKeys,
    /// The change.
    pub staged: StagedKeys,
}

impl ApplyMarketChange {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::APPLY_MARKET_CHANGE)
            .readonly(addresses::exchange())
            .market(&self.keys, &[], &[Part::Book])
            .staged(&self.staged)
            .arguments(&self.staged.id)
            .instruction()
    }
}

/// Takes a role over.
#[derive(Clone, Debug, Default)]
pub struct AcceptAuthority {
    /// The staged successor; signs.
    pub successor: Pubkey,
    /// The staged hand-over.
    pub staged: StagedKeys,
}

impl AcceptAuthority {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::ACCEPT_AUTHORITY)
            .signer(self.successor)
            .writable(addresses::exchange())
            .staged(&self.staged)
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.staged.id)
            .instruction()
    }
}

/// Begins or lifts the signer's own pause.
#[derive(Clone, Debug, Default)]
pub struct SetPause {
    /// The guardian or the admin; signs.
    pub authority: Pubkey,
    /// Union of the `PAUSE_*` flags; 0 lifts the signer's pause.
    pub flags: u32,
    /// For how long, slots, each flag at most as long as it may last.
    pub slots: u64,
}

impl SetPause {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SET_PAUSE)
            .signer(self.authority)
            .writable(addresses::exchange())
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&(self.flags, self.slots))
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

/// Creates a staged market and its insurance vault.
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
    /// Name, price source and risk parameters, as they were staged.
    pub staged: StagedKeys,
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
            .staged(&self.staged)
            .readonly(self.collateral.token_program)
            .readonly(SYSTEM_PROGRAM)
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.staged.id)
            .instruction()
    }
}
