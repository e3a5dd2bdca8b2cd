//! Changes of a program behind a gate: staged, cancelled, executed.

use anchor_lang::{
    prelude::*,
    solana_program::bpf_loader_upgradeable::{
        self, set_buffer_authority, set_upgrade_authority, upgrade,
    },
};
use ballast_state::gate::{Change, Gate, GateError};

use crate::loader;

/// Accounts of `stage`.
#[derive(Accounts)]
pub struct Stage<'info> {
    /// The proposer.
    pub proposer: Signer<'info>,
    /// The gate.
    #[account(mut)]
    pub gate: AccountLoader<'info, Gate>,
    /// CHECK: the buffer of an upgrade, which the proposer holds; checked by `Stage::handle`.
    #[account(mut)]
    pub buffer: Option<UncheckedAccount<'info>>,
    /// CHECK: the loader, by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
}

impl Stage<'_> {
    /// Stages `change` and takes the buffer of an upgrade over.
    ///
    /// # Errors
    /// `NotProposer`, `ChangePending`, `KeyUnset`, `WrongAccount`.
    pub fn handle(ctx: Context<Self>, change: Change) -> Result<()> {
        let accounts = &ctx.accounts;
        let (proposer, key) = (accounts.proposer.key(), accounts.gate.key());
        let gate = {
            let mut gate = accounts.gate.load_mut()?;
            gate.stage(&proposer, change, Clock::get()?.slot)?;
            *gate
        };
        let Change::Upgrade(named) = change else {
            return Ok(());
        };
        let buffer = accounts.buffer.as_ref().ok_or(GateError::WrongAccount)?;
        loader::check(*buffer.key == named)?;
        loader::require_buffer(buffer, &proposer)?;
        loader::call(
            &set_buffer_authority(&named, &proposer, &key),
            &[
                buffer.to_account_info(),
                accounts.proposer.to_account_info(),
                accounts.gate.to_account_info(),
                accounts.loader.to_account_info(),
            ],
            &gate,
        )
    }
}

/// Accounts of `cancel`.
#[derive(Accounts)]
pub struct Cancel<'info> {
    /// The guardian or the proposer.
    pub authority: Signer<'info>,
    /// The gate.
    #[account(mut)]
    pub gate: AccountLoader<'info, Gate>,
    /// CHECK: the buffer of a staged upgrade; checked by `Cancel::handle`.
    #[account(mut)]
    pub buffer: Option<UncheckedAccount<'info>>,
    /// CHECK: who gets the buffer back; checked by `Cancel::handle`.
    pub proposer: UncheckedAccount<'info>,
    /// CHECK: the loader, by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
}

impl Cancel<'_> {
    /// Takes change `id` back; the proposer has the buffer of an upgrade again.
    ///
    /// # Errors
    /// `NothingStaged`, `NotProposerOrGuardian`, `WrongAccount`.
    pub fn handle(ctx: Context<Self>, id: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let (change, gate) = {
            let mut gate = accounts.gate.load_mut()?;
            let change = gate.cancel(accounts.authority.key, id)?;
            (change, *gate)
        };
        let Change::Upgrade(named) = change else {
            return Ok(());
        };
        let buffer = accounts.buffer.as_ref().ok_or(GateError::WrongAccount)?;
        loader::check(*buffer.key == named && *accounts.proposer.key == gate.proposer)?;
        loader::call(
            &set_buffer_authority(&named, &accounts.gate.key(), &gate.proposer),
            &[
                buffer.to_account_info(),
                accounts.gate.to_account_info(),
                accounts.proposer.to_account_info(),
                accounts.loader.to_account_info(),
            ],
            &gate,
        )
    }
}

/// Accounts of `execute_upgrade`.
#[derive(Accounts)]
pub struct ExecuteUpgrade<'info> {
    /// The gate.
    #[account(mut)]
    pub gate: AccountLoader<'info, Gate>,
    /// CHECK: the program behind the gate; checked by `ExecuteUpgrade::handle`.
    #[account(mut)]
    pub program: UncheckedAccount<'info>,
    /// CHECK: the loader derives its address from the program.
    #[account(mut)]
    pub program_data: UncheckedAccount<'info>,
    /// CHECK: the staged buffer; checked by `ExecuteUpgrade::handle`.
    #[account(mut)]
    pub buffer: UncheckedAccount<'info>,
    /// CHECK: the proposer, who gets the buffer's rent; checked by `ExecuteUpgrade::handle`.
    #[account(mut)]
    pub proposer: UncheckedAccount<'info>,
    /// Sysvar.
    pub rent: Sysvar<'info, Rent>,
    /// Sysvar.
    pub clock: Sysvar<'info, Clock>,
    /// CHECK: the loader, by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
}

impl ExecuteUpgrade<'_> {
    /// Replaces the program's code by the buffer of change `id`.
    ///
    /// # Errors
    /// `NothingStaged`, `TooEarly`, `Expired`, `WrongChange`, `WrongAccount`; those of the loader, such as
    /// a program data account too small for the new code (anybody may extend it).
    pub fn handle(ctx: Context<Self>, id: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let (change, gate) = {
            let mut gate = accounts.gate.load_mut()?;
            let change = gate.execute(id, accounts.clock.slot)?;
            (change, *gate)
        };
        let Change::Upgrade(named) = change else {
            return Err(GateError::WrongChange.into());
        };
        loader::check(
            *accounts.buffer.key == named
                && *accounts.program.key == gate.program
                && *accounts.proposer.key == gate.proposer,
        )?;
        loader::call(
            &upgrade(&gate.program, &named, &accounts.gate.key(), &gate.proposer),
            &[
                accounts.program_data.to_account_info(),
                accounts.program.to_account_info(),
                accounts.buffer.to_account_info(),
                accounts.proposer.to_account_info(),
                accounts.rent.to_account_info(),
                accounts.clock.to_account_info(),
                accounts.gate.to_account_info(),
                accounts.loader.to_account_info(),
            ],
            &gate,
        )
    }
}

/// Accounts of `execute_change`.
#[derive(Accounts)]
pub struct ExecuteChange<'info> {
    /// The gate.
    #[account(mut)]
    pub gate: AccountLoader<'info, Gate>,
    /// CHECK: the loader derives its address from the program; written at the end of upgrades.
    #[account(mut)]
    pub program_data: UncheckedAccount<'info>,
    /// CHECK: the loader, by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
}

impl ExecuteChange<'_> {
    /// Puts change `id` in force, unless it is an upgrade.
    ///
    /// # Errors
    /// `NothingStaged`, `TooEarly`, `Expired`, `WrongChange`, `KeyUnset`; those of the loader.
    pub fn handle(ctx: Context<Self>, id: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let (change, gate) = {
            let mut gate = accounts.gate.load_mut()?;
            let change = gate.execute(id, Clock::get()?.slot)?;
            (change, *gate)
        };
        match change {
            Change::Proposer(_) | Change::Guardian(_) => Ok(()),
            Change::Upgrade(_) => Err(GateError::WrongChange.into()),
            Change::Final => loader::call(
                &set_upgrade_authority(&gate.program, &accounts.gate.key(), None),
                &[
                    accounts.program_data.to_account_info(),
                    accounts.gate.to_account_info(),
                    accounts.loader.to_account_info(),
                ],
                &gate,
            ),
        }
    }
}

/// Accounts of `raise_delay`.
#[derive(Accounts)]
pub struct RaiseDelay<'info> {
    /// The proposer.
    pub proposer: Signer<'info>,
    /// The gate.
    #[account(mut)]
    pub gate: AccountLoader<'info, Gate>,
}

impl RaiseDelay<'_> {
    /// Makes the delay of later changes `slots` long.
    ///
    /// # Errors
    /// `NotProposer`, `DelayOutOfRange`.
    pub fn handle(ctx: Context<Self>, slots: u64) -> Result<()> {
        let mut gate = ctx.accounts.gate.load_mut()?;
        gate.raise_delay(ctx.accounts.proposer.key, slots)?;
        Ok(())
    }
}
