//! Turns tokens into free collateral.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_state::{
    error::BallastError,
    events::Deposited,
    exchange::{Exchange, PAUSE_DEPOSIT},
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
    trader::Trader,
};

use crate::{collateral::Transfer, emit::emit, error::require};

/// Accounts of `deposit`.
#[event_cpi]
#[derive(Accounts)]
pub struct Deposit<'info> {
    /// Pays; anyone may deposit to any trader account.
    pub depositor: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The trader account credited.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// The depositor's token account.
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

impl Deposit<'_> {
    /// Moves `amount` atoms from `source` to the vault and credits the trader.
    ///
    /// # Errors
    /// `Paused`, `ZeroAmount`, `WrongMint`, `WrongTokenProgram`, `Overflow`.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        require!(amount > 0, BallastError::ZeroAmount);
        let decimals = {
            let exchange = accounts.exchange.load()?;
            exchange.require_not_paused(PAUSE_DEPOSIT)?;
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
            to: &accounts.collateral_vault,
            authority: &accounts.depositor,
        }
        .by_signer(amount)?;
        let free_after = {
            let mut trader = accounts.trader.load_mut()?;
            trader.credit(amount)?;
            trader.invariant()?;
            trader.free
        };
        emit(
            &ctx.accounts.event_authority,
            &Deposited {
                trader: ctx.accounts.trader.key(),
                depositor: ctx.accounts.depositor.key(),
                amount,
                free_after,
            },
        )?;
        Ok(())
    }
}
