//! Gives to a market's insurance.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_state::{
    error::BallastError, events::InsuranceDonated, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::{
    collateral::Transfer,
    emit::emit,
    error::{require, OrBallast},
};

/// Accounts of `donate_insurance`.
#[event_cpi]
#[derive(Accounts)]
pub struct DonateInsurance<'info> {
    /// Gives.
    pub donor: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The donor's token account.
    #[account(mut, constraint = source.mint == mint.key() @ BallastError::WrongTokenAccount)]
    pub source: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the market's insurance vault, by stored key.
    #[account(
        mut,
        address = market.load()?.insurance_vault @ BallastError::WrongInsuranceVault,
    )]
    pub insurance_vault: UncheckedAccount<'info>,
    /// CHECK: the exchange's quote currency, checked by `Exchange::require_collateral`.
    pub mint: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
}

impl DonateInsurance<'_> {
    /// Moves `amount` atoms to the insurance vault and credits the ledger. There is no way back.
    ///
    /// # Errors
    /// `ZeroAmount`, `WrongMint`, `WrongTokenProgram`, `Overflow`.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        require!(amount > 0, BallastError::ZeroAmount);
        let decimals = {
            let exchange = accounts.exchange.load()?;
            exchange.require_collateral(
                accounts.mint.key,
                accounts.mint.owner,
                accounts.token_program.key,
            )?;
            exchange.mint_decimals
        };
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: accounts.source.to_account_info().as_ref(),
            to: &accounts.insurance_vault,
            authority: &accounts.donor,
        }
        .by_signer(amount)?;
        let balance_after = {
            let mut market = accounts.market.load_mut()?;
            let credited = market.insurance.credit(amount).or_ballast()?;
            market.insurance = credited;
            market.invariant()?;
            market.insurance.balance
        };
        emit(
            &ctx.accounts.event_authority,
            &InsuranceDonated {
                market: ctx.accounts.market.key(),
                donor: ctx.accounts.donor.key(),
                amount,
                balance_after,
            },
        )?;
        Ok(())
    }
}
