//! Opens a trader account.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError,
    events::TraderCreated,
    exchange::Exchange,
    seeds::{EXCHANGE_ADDRESS, TRADER_SEED},
    trader::Trader,
};

use crate::emit::emit;
use crate::loaders::current::Current;

/// Accounts of `create_trader`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(sub_id: u16)]
pub struct CreateTrader<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Owner of the account.
    pub owner: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The trader account.
    #[account(
        init,
        payer = payer,
        space = Trader::SPACE,
        seeds = [TRADER_SEED, owner.key().as_ref(), &sub_id.to_le_bytes()],
        bump,
    )]
    pub trader: AccountLoader<'info, Trader>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl CreateTrader<'_> {
    /// Opens the owner's account number `sub_id`, empty and without a delegate.
    pub fn handle(ctx: Context<Self>, sub_id: u16) -> Result<()> {
        let owner = ctx.accounts.owner.key();
        {
            let mut trader = ctx.accounts.trader.load_init()?;
            trader.begin(owner, sub_id, ctx.bumps.trader)?;
            let mut exchange = ctx.accounts.exchange.current_mut()?;
            exchange.count_trader()?;
            exchange.invariant()?;
        }
        let trader = ctx.accounts.trader.key();
        emit(
            &ctx.accounts.event_authority,
            &TraderCreated {
                trader,
                owner,
                sub_id,
            },
        )?;
        Ok(())
    }
}
