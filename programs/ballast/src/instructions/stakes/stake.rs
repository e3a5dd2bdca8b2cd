//! Puts tokens behind a market's insurance, for shares of the stakes.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};
use ballast_engine::{oracle::Action, settlement::Settlement};
use ballast_state::{
    error::BallastError,
    events::{Staked, StakesRenewed},
    exchange::{Exchange, PAUSE_DEPOSIT},
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
    instructions::anyone::settle_position::require_solvent,
    loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// Accounts of `stake`.
#[event_cpi]
#[derive(Accounts)]
pub struct Stake<'info> {
    /// Pays, and owns the shares.
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
    /// CHECK: the market's insurance vault, by stored key.
    #[account(
        mut,
        address = market.current()?.insurance_vault @ BallastError::WrongInsuranceVault,
    )]
    pub insurance_vault: UncheckedAccount<'info>,
    /// CHECK: the exchange's quote currency, checked by `Exchange::require_collateral`.
    pub mint: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
}

impl Stake<'_> {
    /// Moves `amount` atoms to the insurance vault and stakes them, for shares at what the stakes are
    /// worth. Where those there were have become worthless, new ones are begun.
    ///
    /// # Errors
    /// `Paused`; `DepositTooSmall`; `WrongStakes`, `NotOwner`; `InsuranceLimited`; `MarketEnded`,
    /// `MarketInsolvent`; the `Price...` errors; `FundFull`; `WrongMint`, `WrongTokenProgram`.
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
            to: &accounts.insurance_vault,
            authority: &accounts.owner,
        }
        .into_vault(amount, &mut settlement)?;
        let (renewed, event) = accounts.join(amount, &clock, pauses, settlement)?;
        if let Some(renewed) = renewed {
            emit(&ctx.accounts.event_authority, &renewed)?;
        }
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn join(
        &self,
        amount: u64,
        clock: &Clock,
        pauses: u32,
        mut settlement: Settlement,
    ) -> Result<(Option<StakesRenewed>, Staked)> {
        let mut market = self.market.current_mut()?;
        let mut stakes = self.stakes.current_mut()?;
        let mut share = self.share.current_mut()?;
        stakes.require_of(self.market.as_ref().key)?;
        share.require_of(self.stakes.as_ref().key, self.owner.key)?;
        let least = market.oracle.quote_unit_atoms();
        require!(amount >= least, BallastError::DepositTooSmall);
        let action = Action::RemoveMargin;
        let touched = touch(&mut market, &self.price, action, clock, pauses)?;
        let insurance = market.insurance_fund();
        let now = insurance.at(&market.risk, clock.slot).or_ballast()?;
        require!(!now.limited, BallastError::InsuranceLimited);
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        require_solvent(&market, &queues, touched.mark.price)?;
        settlement.market_before(market.fees_atoms, market.insurance.balance);
        let rest = stakes.renew(&mut market)?;
        let epoch = stakes.epoch;
        let (holding, shares) = stakes.join(&mut market, amount, &share.holding(epoch))?;
        share.store(epoch, &holding);
        settlement.market_after(market.fees_atoms, market.insurance.balance);
        settlement.close().or_ballast()?;
        stakes.invariant()?;
        market.invariant()?;
        let renewed = rest.map(|rest_atoms| StakesRenewed {
            market: self.market.key(),
            epoch,
            rest_atoms,
        });
        let event = Staked {
            market: self.market.key(),
            owner: self.owner.key(),
            amount,
            shares,
            owner_shares_after: holding.shares,
            shares_after: stakes.shares,
            staked_after_atoms: market.staked_atoms,
            insurance_after_atoms: market.insurance.balance,
            mark_ticks: touched.price.price.get(),
        };
        Ok((renewed, event))
    }
}
