//! Takes a program's upgrade authority into a gate.

use anchor_lang::{
    prelude::*,
    solana_program::bpf_loader_upgradeable::{self, set_upgrade_authority_checked},
};
use ballast_state::gate::{Gate, GateError, GATE_SEED};

use crate::loader;

/// Accounts of `open_gate`.
#[derive(Accounts)]
pub struct OpenGate<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The program's upgrade authority; the gate's first proposer.
    pub proposer: Signer<'info>,
    /// CHECK: any program of the loader; its data account, which is derived from it, is checked.
    pub program: UncheckedAccount<'info>,
    /// CHECK: `loader::upgrade_authority` checks its address and state.
    #[account(mut)]
    pub program_data: UncheckedAccount<'info>,
    /// The gate.
    #[account(
        init,
        payer = payer,
        space = Gate::SPACE,
        seeds = [GATE_SEED, program.key.as_ref()],
        bump,
    )]
    pub gate: AccountLoader<'info, Gate>,
    /// CHECK: the loader, by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl OpenGate<'_> {
    /// Makes the gate the upgrade authority of the program.
    ///
    /// # Errors
    /// `WrongAccount`, `NotUpgradeAuthority`, `KeyUnset`, `DelayOutOfRange`.
    pub fn handle(ctx: Context<Self>, guardian: Pubkey, delay_slots: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let (program, proposer) = (accounts.program.key(), accounts.proposer.key());
        let holder = loader::upgrade_authority(&accounts.program_data, &program)?;
        if holder != Some(proposer) {
            return Err(GateError::NotUpgradeAuthority.into());
        }
        let gate = Gate::open(ctx.bumps.gate, program, proposer, guardian, delay_slots)?;
        *accounts.gate.load_init()? = gate;
        loader::call(
            &set_upgrade_authority_checked(&program, &proposer, &accounts.gate.key()),
            &[
                accounts.program_data.to_account_info(),
                accounts.proposer.to_account_info(),
                accounts.gate.to_account_info(),
                accounts.loader.to_account_info(),
            ],
            &gate,
        )
    }
}
