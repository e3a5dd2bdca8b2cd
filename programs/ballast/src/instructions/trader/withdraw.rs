//! Turns free collateral into tokens.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_state::{
    error::BallastError,
    events::Withdrawn,
    exchange::{Exchange, PAUSE_WITHDRAW},
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
    trader::Trader,
};

use crate::{collateral::Transfer, emit::emit, error::require};

/// Accounts of `withdraw`.
#[event_cpi]
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// Owner of the trader account.
    pub owner: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The trader account debited.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
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

impl Withdraw<'_> {
    /// Debits the trader and moves `amount` atoms from the vault to `destination`.
    ///
    /// # Errors
    /// `Paused`, `NotOwner`, `ZeroAmount`, `InsufficientCollateral`,
    /// `WrongMint`, `WrongTokenProgram`.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        require!(amount > 0, BallastError::ZeroAmount);
        let decimals = {
            let exchange = accounts.exchange.load()?;
            exchange.require_not_paused(PAUSE_WITHDRAW)?;
            exchange.require_collateral(
                accounts.mint.key,
                accounts.mint.owner,
                accounts.token_program.key,
            )?;
            exchange.mint_decimals
        };
        let free_after = {
            let mut trader = accounts.trader.load_mut()?;
            trader.require_owner(accounts.owner.key)?;
            trader.debit(amount)?;
            trader.invariant()?;
            trader.free
        };
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: &accounts.collateral_vault,
            to: accounts.destination.to_account_info().as_ref(),
            authority: accounts.exchange.as_ref(),
        }
        .by_exchange(amount)?;
        emit(
            &ctx.accounts.event_authority,
            &Withdrawn {
                trader: ctx.accounts.trader.key(),
                destination: ctx.accounts.destination.key(),
                amount,
                free_after,
            },
        )?;
        Ok(())
    }
}
