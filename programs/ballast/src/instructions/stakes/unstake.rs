//! Pays who leaves the stakes behind a market's insurance.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};
use ballast_engine::{oracle::Action, settlement::Settlement, wind_down::MarketMode};
use ballast_state::{
    error::BallastError,
    events::Unstaked,
    exchange::{Exchange, PAUSE_WITHDRAW},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    share::Share,
    stakes::Stakes,
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
    emit::emit,
    error::{require, OrBallast},
    instructions::profit::lacking_beyond,
    loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// Accounts of `unstake`.
#[event_cpi]
#[derive(Accounts)]
pub struct Unstake<'info> {
    /// Owns the shares.
    pub owner: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Its stakes.
    #[account(mut)]
    pub stakes: AccountLoader<'info, Stakes>,
    /// The owner's shares.
    #[account(mut)]
    pub share: AccountLoader<'info, Share>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`; not read once it is closed.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked like it.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter; not read once the market is
    /// closed.
    pub price: UncheckedAccount<'info>,
    /// Token account credited; any outside the exchange.
    #[account(
        mut,
        constraint = destination.mint == mint.key() @ BallastError::WrongTokenAccount,
        constraint = destination.owner != EXCHANGE_ADDRESS @ BallastError::VaultAsCounterparty,
    )]
    pub destination: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's insurance vault.
    #[account(
        mut,
        address = market.current()?.insurance_vault @ BallastError::WrongInsuranceVault,
    )]
    pub insurance_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the exchange's quote currency, checked by `Exchange::require_collateral`.
    pub mint: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
}

impl Unstake<'_> {
    /// Pays what was asked for and is due, the lesser of what it was worth then and is worth now, but no
    /// less than `least_atoms`. What positions lack and nobody has paid yet counts as paid. Of a market
    /// that is closed all shares are paid at once.
    ///
    /// # Errors
    /// `Paused`; `WrongStakes`, `NotOwner`; `RequestMissing`, `RequestTooEarly`, `RequestLapsed`;
    /// `StakeFloor`; `ExitTooLittle`; `InsuranceNotLevel`; the `Price...` errors; `MarketEnded` until an
    /// ended market is closed; `SharesMissing`; `WrongMint`, `WrongTokenProgram`.
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
        let event = accounts.leave(&clock, pauses, &mut settlement)?;
        require!(event.amount >= least_atoms, BallastError::ExitTooLittle);
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: accounts.insurance_vault.to_account_info().as_ref(),
            to: accounts.destination.to_account_info().as_ref(),
            authority: accounts.exchange.as_ref(),
        }
        .out_of_vault(event.amount, &mut settlement)?;
        settlement.close().or_ballast()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn leave(&self, clock: &Clock, pauses: u32, settlement: &mut Settlement) -> Result<Unstaked> {
        let mut market = self.market.current_mut()?;
        let mut stakes = self.stakes.current_mut()?;
        let mut share = self.share.current_mut()?;
        stakes.require_of(self.market.as_ref().key)?;
        share.require_of(self.stakes.as_ref().key, self.owner.key)?;
        let holding = share.holding(stakes.epoch);
        settlement.market_before(market.fees_atoms, market.insurance.balance);
        let closed = market.mode() == MarketMode::Settled;
        let (exit, beyond_own) = if closed {
            let exit = stakes.leave_closed(&mut market, &holding, clock.slot)?;
            (exit, 0)
        } else {
            let beyond = self.known_losses(&mut market, clock, pauses)?;
            let exit = stakes.leave(&mut market, &holding, beyond, clock.slot)?;
            (exit, beyond)
        };
        market.leave_vault(self.insurance_vault.amount, exit.atoms)?;
        settlement.market_after(market.fees_atoms, market.insurance.balance);
        share.store(stakes.epoch, &exit.left);
        stakes.invariant()?;
        market.invariant()?;
        Ok(Unstaked {
            market: self.market.key(),
            owner: self.owner.key(),
            amount: exit.atoms,
            shares: exit.shares,
            owner_shares_after: exit.left.shares,
            shares_after: stakes.shares,
            staked_after_atoms: market.staked_atoms,
            insurance_after_atoms: market.insurance.balance,
            known_losses_atoms: beyond_own,
        })
    }

    /// What the positions lack beyond what nobody staked, at the worse of mark, confidence and average
    /// for each side, atoms.
    #[inline(never)]
    fn known_losses(&self, market: &mut Market, clock: &Clock, pauses: u32) -> Result<u64> {
        let action = Action::RemoveMargin;
        let touched = touch(market, &self.price, action, clock, pauses)?;
        let prices = market.cautious_prices(&touched).or_ballast()?;
        let queues = MarketQueues::load(market, &self.queue_long, &self.queue_short)?;
        lacking_beyond(market, &queues, prices, market.insurance_fund().own())
    }
}
