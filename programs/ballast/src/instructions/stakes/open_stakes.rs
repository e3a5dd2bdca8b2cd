//! Lets a market's insurance be staked behind.

use anchor_lang::prelude::*;
use ballast_state::{
    events::StakesOpened,
    market::Market,
    seeds::STAKES_SEED,
    stakes::{Stakes, STAKES_VERSION},
};

use crate::emit::emit;
use crate::loaders::current::Current;

/// Accounts of `open_stakes`.
#[event_cpi]
#[derive(Accounts)]
pub struct OpenStakes<'info> {
    /// Pays the rent, for good.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Its stakes.
    #[account(
        init,
        payer = payer,
        space = Stakes::SPACE,
        seeds = [STAKES_SEED, market.key().as_ref()],
        bump,
    )]
    pub stakes: AccountLoader<'info, Stakes>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl OpenStakes<'_> {
    /// Opens the stakes of a market, without shares. Anyone may call it, once.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let market = accounts.market.key();
        drop(accounts.market.current()?);
        {
            let mut stakes = accounts.stakes.load_init()?;
            stakes.version = STAKES_VERSION;
            stakes.bump = ctx.bumps.stakes;
            stakes.market = market;
            stakes.invariant()?;
        }
        emit(
            &ctx.accounts.event_authority,
            &StakesOpened {
                market,
                stakes: accounts.stakes.key(),
                payer: accounts.payer.key(),
            },
        )
    }
}
