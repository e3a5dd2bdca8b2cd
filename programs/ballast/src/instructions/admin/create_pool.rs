//! Gives a market a pool.

use anchor_lang::prelude::*;
use ballast_engine::{pool::PoolParams, wind_down::MarketAction};
use ballast_state::{
    error::BallastError,
    events::PoolCreated,
    exchange::Exchange,
    market::Market,
    pool::{Pool, POOL_SUB_ID, POOL_VERSION},
    seeds::{EXCHANGE_ADDRESS, POOL_SEED, TRADER_SEED},
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{emit::emit, error::OrBallast, nonce::refuse_nonce};

/// Accounts of `create_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreatePool<'info> {
    /// The admin.
    pub admin: Signer<'info>,
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The pool.
    #[account(
        init,
        payer = payer,
        space = Pool::SPACE,
        seeds = [POOL_SEED, market.key().as_ref()],
        bump,
    )]
    pub pool: AccountLoader<'info, Pool>,
    /// Its trader account. Its owner is the pool's address, which signs nothing.
    #[account(
        init,
        payer = payer,
        space = Trader::SPACE,
        seeds = [TRADER_SEED, pool.key().as_ref(), &POOL_SUB_ID.to_le_bytes()],
        bump,
    )]
    pub pool_trader: AccountLoader<'info, Trader>,
    /// System program.
    pub system_program: Program<'info, System>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl CreatePool<'_> {
    /// Creates the pool, empty. It does not wait, since nobody has anything in it: later changes of
    /// its parameters do.
    ///
    /// # Errors
    /// `NotAdmin`, `PoolParams`, `MarketEnded`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>, params: PoolParams) -> Result<()> {
        let accounts = &ctx.accounts;
        refuse_nonce(&accounts.instructions)?;
        let (market, pool, trader) = (
            accounts.market.key(),
            accounts.pool.key(),
            accounts.pool_trader.key(),
        );
        accounts.check(&params)?;
        {
            let mut created = accounts.pool.load_init()?;
            created.version = POOL_VERSION;
            created.bump = ctx.bumps.pool;
            (created.market, created.trader) = (market, trader);
            created.params = params;
            created.invariant()?;
            let mut account = accounts.pool_trader.load_init()?;
            account.begin(pool, POOL_SUB_ID, ctx.bumps.pool_trader)?;
        }
        emit(
            &ctx.accounts.event_authority,
            &PoolCreated {
                market,
                pool,
                trader,
                params,
            },
        )
    }

    /// Who signs, and for what; counts the trader account.
    #[inline(never)]
    fn check(&self, params: &PoolParams) -> Result<()> {
        let mut exchange = self.exchange.current_mut()?;
        exchange.require_admin(self.admin.key)?;
        let market = self.market.current()?;
        market.require(MarketAction::ChangeParameters)?;
        params.validate(market.params()).or_ballast()?;
        exchange.count_trader()?;
        exchange.invariant().or_ballast()
    }
}
