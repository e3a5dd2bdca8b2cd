//! Takes tokens out of a pool, for shares of it.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};
use ballast_engine::{
    settlement::Settlement,
    shares::{Exit, Holding},
};
use ballast_state::{
    error::BallastError,
    events::PoolWithdrawn,
    exchange::{Exchange, PAUSE_WITHDRAW},
    market::Market,
    pool::{Exiting, Pool},
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
    share::Share,
    trader::Trader,
};

use super::exiting::Valuation;
use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
    emit::emit,
    error::{require, OrBallast},
};

/// Accounts of `withdraw_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawPool<'info> {
    /// Owner of the shares.
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
    /// CHECK: the market's long queue, checked by `MarketQueues::load` where the pool has a position.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked like it.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter where the pool has a position.
    pub price: UncheckedAccount<'info>,
    /// Token account credited; any outside the exchange.
    #[account(
        mut,
        constraint = destination.mint == mint.key() @ BallastError::WrongTokenAccount,
        constraint = destination.owner != EXCHANGE_ADDRESS @ BallastError::VaultAsCounterparty,
    )]
    pub destination: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the exchange's vault, by address.
    #[account(mut, address = COLLATERAL_VAULT_ADDRESS @ BallastError::WrongCollateralVault)]
    pub collateral_vault: UncheckedAccount<'info>,
    /// CHECK: the exchange's quote currency, checked by `Exchange::require_collateral`.
    pub mint: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> WithdrawPool<'info> {
    /// Pays what was requested, once its delay is over: the lesser of what the shares were worth then
    /// and are worth now, as far as the pool's position needs no collateral; the rest stays requested. It
    /// pays `least_atoms` or nothing.
    ///
    /// In a market that has ended, from a pool that has been settled there, all shares are paid at once.
    ///
    /// # Errors
    /// `Paused`; `RequestMissing`, `RequestTooEarly`, `RequestLapsed`; `PoolUnhealthy`,
    /// `NothingPayable`, `ExitTooLittle`; `PoolHasPosition` and `SharesMissing` in a market that has
    /// ended; `WrongPool`, `NotOwner`; the `Price...` errors; `WrongMint`, `WrongTokenProgram`.
    pub fn handle(ctx: Context<Self>, least_atoms: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let clock = Clock::get()?;
        let (decimals, pauses) = {
            let exchange = accounts.exchange.current()?;
            let pauses = exchange.require_not_paused(PAUSE_WITHDRAW, clock.slot)?;
            let decimals = decimals(&exchange, &accounts.mint, &accounts.token_program)?;
            (decimals, pauses)
        };
        let mut settlement = Settlement::default();
        let event = accounts.leave(least_atoms, &clock, pauses, &mut settlement)?;
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: &accounts.collateral_vault,
            to: accounts.destination.to_account_info().as_ref(),
            authority: accounts.exchange.as_ref(),
        }
        .out_of_vault(event.amount, &mut settlement)?;
        settlement.close().or_ballast()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn leave(
        &self,
        least_atoms: u64,
        clock: &Clock,
        pauses: u32,
        settlement: &mut Settlement,
    ) -> Result<PoolWithdrawn> {
        let mut market = self.market.current_mut()?;
        let mut pool = self.pool.current_mut()?;
        let mut trader = self.pool_trader.current_mut()?;
        let mut share = self.share.current_mut()?;
        pool.require_of(self.market.as_ref().key, self.pool_trader.as_ref().key)?;
        share.require_of(self.pool.as_ref().key, self.owner.key)?;
        let before = share.holding(pool.epoch);
        let (found, exit) = if market.mode().has_ended() {
            self.last_exit(&mut market, &pool, &trader, &before, clock)?
        } else {
            let terms = pool.params.exit_terms();
            before.require_due(&terms, clock.slot).or_ballast()?;
            let found = self
                .valuation()
                .value(&mut market, &pool, &trader, clock, pauses)?;
            require!(found.healthy, BallastError::PoolUnhealthy);
            let exit = before.pay(&pool.fund(found.worth.low), found.payable);
            (found, exit.or_ballast()?)
        };
        require!(exit.atoms > 0, BallastError::NothingPayable);
        require!(exit.atoms >= least_atoms, BallastError::ExitTooLittle);
        pool.leave(&before, &exit)?;
        share.store(pool.epoch, &exit.left);
        settlement.trader_before(trader.free(), 0);
        trader.debit(exit.atoms)?;
        settlement.trader_after(trader.free(), 0);
        trader.invariant()?;
        pool.invariant()?;
        market.invariant()?;
        Ok(PoolWithdrawn {
            market: self.market.key(),
            pool: self.pool.key(),
            owner: self.owner.key(),
            destination: self.destination.key(),
            amount: exit.atoms,
            shares: exit.shares,
            owner_shares_after: exit.left.shares,
            requested_after: exit.left.requested,
            shares_after: pool.shares,
            worth_low: found.worth.low,
            shortfall_atoms: found.shortfall,
            inventory_lots: found.lots,
        })
    }

    /// All shares, of a market that has ended: neither request nor price is needed.
    fn last_exit(
        &self,
        market: &mut Market,
        pool: &Pool,
        trader: &Trader,
        before: &Holding,
        clock: &Clock,
    ) -> Result<(Exiting, Exit)> {
        let settled = trader.find(self.market.as_ref().key).is_none();
        require!(settled, BallastError::PoolHasPosition);
        let found = self.valuation().value(market, pool, trader, clock, 0)?;
        let exit = before.pay_all(&pool.fund(found.worth.low)).or_ballast()?;
        Ok((found, exit))
    }

    fn valuation(&self) -> Valuation<'_, 'info> {
        Valuation {
            queue_long: &self.queue_long,
            queue_short: &self.queue_short,
            price: &self.price,
        }
    }
}
