//! Puts tokens into a pool, for shares of it.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};
use ballast_engine::{oracle::Action, settlement::Settlement, wind_down::MarketAction};
use ballast_state::{
    error::BallastError,
    events::PoolDeposited,
    exchange::{Exchange, PAUSE_DEPOSIT},
    market::Market,
    pool::Pool,
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
    share::Share,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
    emit::emit,
    error::{require, OrBallast},
    instructions::anyone::settle_position::require_solvent,
    loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// Accounts of `deposit_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct DepositPool<'info> {
    /// Pays, and owns the shares.
    pub owner: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Its pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The pool's trader account.
    #[account(mut)]
    pub pool_trader: AccountLoader<'info, Trader>,
    /// The owner's shares.
    #[account(mut)]
    pub share: AccountLoader<'info, Share>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
    /// The owner's token account.
    #[account(mut, constraint = source.mint == mint.key() @ BallastError::WrongTokenAccount)]
    pub source: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the exchange's vault, by address.
    #[account(mut, address = COLLATERAL_VAULT_ADDRESS @ BallastError::WrongCollateralVault)]
    pub collateral_vault: UncheckedAccount<'info>,
    /// CHECK: the exchange's quote currency, checked by `Exchange::require_collateral`.
    pub mint: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
}

impl DepositPool<'_> {
    /// Moves `amount` atoms to the vault and to the pool's free collateral, for shares at what the pool
    /// is worth to who joins.
    ///
    /// # Errors
    /// `Paused`; `DepositTooSmall`; `PoolClosed`, `WrongPool`, `NotOwner`; `MarketReduceOnly`,
    /// `MarketEnded`, `MarketInsolvent`; the `Price...` errors; `FundSpent`, `FundFull`; `WrongMint`,
    /// `WrongTokenProgram`.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let clock = Clock::get()?;
        let (decimals, pauses) = {
            let exchange = accounts.exchange.current()?;
            let pauses = exchange.require_not_paused(PAUSE_DEPOSIT, clock.slot)?;
            let decimals = decimals(&exchange, &accounts.mint, &accounts.token_program)?;
            (decimals, pauses)
        };
        let mut settlement = Settlement::default();
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: accounts.source.to_account_info().as_ref(),
            to: &accounts.collateral_vault,
            authority: &accounts.owner,
        }
        .into_vault(amount, &mut settlement)?;
        let event = accounts.join(amount, &clock, pauses, settlement)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn join(
        &self,
        amount: u64,
        clock: &Clock,
        pauses: u32,
        mut settlement: Settlement,
    ) -> Result<PoolDeposited> {
        let mut market = self.market.current_mut()?;
        let mut pool = self.pool.current_mut()?;
        let mut trader = self.pool_trader.current_mut()?;
        let mut share = self.share.current_mut()?;
        pool.require_of(self.market.as_ref().key, self.pool_trader.as_ref().key)?;
        share.require_of(self.pool.as_ref().key, self.owner.key)?;
        market.require(MarketAction::RaiseOpenInterest)?;
        let least = market.oracle.quote_unit_atoms();
        require!(amount >= least, BallastError::DepositTooSmall);
        let touched = touch(&mut market, &self.price, Action::Open, clock, pauses)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        require_solvent(&market, &queues, touched.mark.price)?;
        let assets = pool.assets(&market, &trader)?;
        let worth = pool.worth(&assets, &market, &touched, 0)?;
        let epoch = pool.epoch;
        let (holding, shares) = pool.join(amount, worth.high, &share.holding(epoch))?;
        share.store(epoch, &holding);
        settlement.trader_before(trader.free(), 0);
        trader.credit(amount)?;
        settlement.trader_after(trader.free(), 0);
        settlement.close().or_ballast()?;
        trader.invariant()?;
        pool.invariant()?;
        market.invariant()?;
        Ok(PoolDeposited {
            market: self.market.key(),
            pool: self.pool.key(),
            owner: self.owner.key(),
            amount,
            shares,
            owner_shares_after: holding.shares,
            shares_after: pool.shares,
            worth_low: worth.low,
            worth_high: worth.high,
            inventory_lots: assets.position.lots.get(),
            mark_ticks: touched.price.price.get(),
        })
    }
}
