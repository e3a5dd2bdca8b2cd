//! Pays what the insurance of a closed market has left to the exchange's treasury.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_engine::settlement::Settlement;
use ballast_state::{
    error::BallastError,
    events::InsuranceWithdrawn,
    exchange::{Exchange, PAUSE_WITHDRAW},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
    emit::emit,
    error::OrBallast,
};

/// Accounts of `withdraw_insurance`.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawInsurance<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The treasury: the token account that the exchange stores, outside the exchange.
    #[account(
        mut,
        address = exchange.current()?.treasury @ BallastError::WrongTreasury,
        constraint = treasury.mint == mint.key() @ BallastError::WrongTokenAccount,
        constraint = treasury.owner != EXCHANGE_ADDRESS @ BallastError::VaultAsCounterparty,
    )]
    pub treasury: Box<InterfaceAccount<'info, TokenAccount>>,
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

impl WithdrawInsurance<'_> {
    /// Pays all of the insurance ledger of a market that is closed and ended 30 days ago. Anyone may
    /// call it; nobody chooses how much or to whom.
    ///
    /// # Errors
    /// `InsuranceRestNotDue`; `ZeroAmount`; `InsuranceNotLevel`; `Paused`; `WrongTreasury`, `WrongMint`,
    /// `WrongTokenProgram`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let clock = Clock::get()?;
        let decimals = {
            let exchange = accounts.exchange.current()?;
            exchange.require_not_paused(PAUSE_WITHDRAW, clock.slot)?;
            decimals(&exchange, &accounts.mint, &accounts.token_program)?
        };
        let mut settlement = Settlement::default();
        let amount = {
            let mut market = accounts.market.current_mut()?;
            settlement.market_before(market.fees_atoms, market.insurance.balance);
            let vault = accounts.insurance_vault.amount;
            let amount = market.pay_out_insurance(vault, clock.unix_timestamp)?;
            settlement.market_after(market.fees_atoms, market.insurance.balance);
            market.invariant()?;
            amount
        };
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: accounts.insurance_vault.to_account_info().as_ref(),
            to: accounts.treasury.to_account_info().as_ref(),
            authority: accounts.exchange.as_ref(),
        }
        .out_of_vault(amount, &mut settlement)?;
        settlement.close().or_ballast()?;
        emit(
            &ctx.accounts.event_authority,
            &InsuranceWithdrawn {
                market: accounts.market.key(),
                treasury: accounts.treasury.key(),
                amount,
            },
        )
    }
}
