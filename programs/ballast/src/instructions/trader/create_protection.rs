//! Opens an account for the protective steps of a trader in a market.

use anchor_lang::prelude::*;
use ballast_state::{
    events::ProtectionCreated,
    market::Market,
    protection::{Protection, PROTECTION_VERSION},
    seeds::PROTECTION_SEED,
    trader::Trader,
};

use crate::emit::emit;
use crate::loaders::current::Current;

/// Accounts of `create_protection`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateProtection<'info> {
    /// Owner of the trader account; pays the rent, and gets it back.
    #[account(mut)]
    pub owner: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    pub trader: AccountLoader<'info, Trader>,
    /// The account.
    #[account(
        init,
        payer = owner,
        space = Protection::SPACE,
        seeds = [PROTECTION_SEED, trader.key().as_ref(), market.key().as_ref()],
        bump,
    )]
    pub protection: AccountLoader<'info, Protection>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl CreateProtection<'_> {
    /// Opens the account, without steps.
    ///
    /// # Errors
    /// `NotOwner`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let (market, trader) = (accounts.market.key(), accounts.trader.key());
        let owner = accounts.owner.key();
        accounts.market.current()?;
        accounts.trader.current()?.require_owner(&owner)?;
        {
            let mut protection = accounts.protection.load_init()?;
            protection.version = PROTECTION_VERSION;
            protection.bump = ctx.bumps.protection;
            (protection.market, protection.trader) = (market, trader);
            protection.owner = owner;
        }
        let event = ProtectionCreated {
            protection: accounts.protection.key(),
            market,
            trader,
            owner,
        };
        emit(&accounts.event_authority, &event)
    }
}
