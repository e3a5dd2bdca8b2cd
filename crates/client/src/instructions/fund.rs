//! Instructions about funds: a market's pool, and shares of it or of stakes.

use ballast_engine::pool::PoolParams;
use ballast_state::pool::POOL_SUB_ID;
use ballast_state::seeds::INSTRUCTIONS_SYSVAR;
use ballast_state::{instructions, Pubkey};
use solana_instruction::Instruction;

use super::call::{Call, Part};
use super::staged::StagedKeys;
use super::{Collateral, MarketKeys};
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Gives a market a pool, and the pool its trader account.
#[derive(Clone, Debug, Default)]
pub struct CreatePool {
    /// The admin; signs.
    pub admin: Pubkey,
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// What the pool does.
    pub params: PoolParams,
}

impl CreatePool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.market);
        Call::of(instructions::CREATE_POOL)
            .signer(self.admin)
            .writable_signer(self.payer)
            .writable(addresses::exchange())
            .readonly(self.market)
            .writable(pool)
            .writable(addresses::trader(&pool, POOL_SUB_ID))
            .readonly(SYSTEM_PROGRAM)
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.params)
            .instruction()
    }
}

/// Opens an account for shares of a fund; its address is [`addresses::share`].
#[derive(Clone, Debug, Default)]
pub struct CreateShare {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// Whose shares it will keep; signs.
    pub owner: Pubkey,
    /// The fund, see [`addresses::pool`] and [`addresses::stakes`].
    pub fund: Pubkey,
}

impl CreateShare {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CREATE_SHARE)
            .writable_signer(self.payer)
            .signer(self.owner)
            .readonly(self.fund)
            .writable(addresses::share(&self.fund, &self.owner))
            .readonly(SYSTEM_PROGRAM)
            .instruction()
    }
}

/// Closes an account without shares; its rent goes to the owner.
#[derive(Clone, Debug, Default)]
pub struct CloseShare {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The fund.
    pub fund: Pubkey,
}

impl CloseShare {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CLOSE_SHARE)
            .writable_signer(self.owner)
            .readonly(self.fund)
            .writable(addresses::share(&self.fund, &self.owner))
            .instruction()
    }
}

/// Puts tokens into a market's pool, for shares of it.
#[derive(Clone, Debug, Default)]
pub struct DepositPool {
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

impl DepositPool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::DEPOSIT_POOL)
            .signer(self.owner)
            .readonly(addresses::exchange())
            .owned_pool(&self.keys, &self.owner)
            .beside(&self.keys, &[Part::Queues, Part::Price])
            .writable(self.source)
            .writable(addresses::collateral_vault())
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .arguments(&self.amount)
            .instruction()
    }
}

/// Asks for the worth of shares of a pool.
#[derive(Clone, Debug, Default)]
pub struct RequestPool {
    /// Owner of the shares; signs.
    pub owner: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// How many.
    pub shares: u64,
}

impl RequestPool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.keys.market);
        Call::of(instructions::REQUEST_POOL)
            .signer(self.owner)
            .readonly(addresses::exchange())
            .writable(self.keys.market)
            .writable(pool)
            .readonly(addresses::trader(&pool, POOL_SUB_ID))
            .writable(addresses::share(&pool, &self.owner))
            .beside(&self.keys, &[Part::Queues, Part::Price])
            .arguments(&self.shares)
            .instruction()
    }
}

/// Withdraws a request.
#[derive(Clone, Debug, Default)]
pub struct CancelPoolRequest {
    /// Owner of the shares; signs.
    pub owner: Pubkey,
    /// The market.
    pub market: Pubkey,
}

impl CancelPoolRequest {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.market);
        Call::of(instructions::CANCEL_POOL_REQUEST)
            .signer(self.owner)
            .writable(pool)
            .writable(addresses::share(&pool, &self.owner))
            .instruction()
    }
}

/// Takes tokens out of a market's pool for the shares that were requested.
#[derive(Clone, Debug, Default)]
pub struct WithdrawPool {
    /// Owner of the shares; signs.
    pub owner: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Token account that gets them.
    pub destination: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// Least that is to be paid, atoms.
    pub least_atoms: u64,
}

impl WithdrawPool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::WITHDRAW_POOL)
            .signer(self.owner)
            .readonly(addresses::exchange())
            .owned_pool(&self.keys, &self.owner)
            .beside(&self.keys, &[Part::Queues, Part::Price])
            .writable(self.destination)
            .writable(addresses::collateral_vault())
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .arguments(&self.least_atoms)
            .instruction()
    }
}

/// Begins a new epoch of a spent pool.
#[derive(Clone, Debug, Default)]
pub struct ResetPool {
    /// The market.
    pub market: Pubkey,
}

impl ResetPool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.market);
        Call::of(instructions::RESET_POOL)
            .readonly(self.market)
            .writable(pool)
            .readonly(addresses::trader(&pool, POOL_SUB_ID))
            .instruction()
    }
}

/// Has a pool take nothing that enlarges its position.
#[derive(Clone, Debug, Default)]
pub struct StopPool {
    /// The guardian or the admin; signs.
    pub authority: Pubkey,
    /// The market.
    pub market: Pubkey,
}

impl StopPool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::STOP_POOL)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .writable(addresses::pool(&self.market))
            .readonly(INSTRUCTIONS_SYSVAR)
            .instruction()
    }
}

/// Puts staged parameters of a pool in force.
#[derive(Clone, Debug, Default)]
pub struct ApplyPoolChange {
    /// The market.
    pub market: Pubkey,
    /// The change.
    pub staged: StagedKeys,
}

impl ApplyPoolChange {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::APPLY_POOL_CHANGE)
            .readonly(addresses::exchange())
            .readonly(self.market)
            .writable(addresses::pool(&self.market))
            .staged(&self.staged)
            .arguments(&self.staged.id)
            .instruction()
    }
}

impl Call {
    /// The next accounts: a market, its pool, the pool's trader account, and the owner's shares.
    fn owned_pool(self, keys: &MarketKeys, owner: &Pubkey) -> Self {
        let pool = addresses::pool(&keys.market);
        self.writable(keys.market)
            .writable(pool)
            .writable(addresses::trader(&pool, POOL_SUB_ID))
            .writable(addresses::share(&pool, owner))
    }
}
