//! Brings an insurance vault level with its ledger.

use core::cmp::Ordering;

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_engine::{insurance::VaultTotal, settlement::Settlement};
use ballast_state::{
    error::BallastError,
    events::{InsuranceSwept, StrayTokensCredited},
    exchange::Exchange,
    market::Market,
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
    emit::emit,
    error::OrBallast,
};

/// Accounts of `sweep_insurance`.
#[event_cpi]
#[derive(Accounts)]
pub struct SweepInsurance<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the exchange's vault, by address.
    #[account(mut, address = COLLATERAL_VAULT_ADDRESS @ BallastError::WrongCollateralVault)]
    pub collateral_vault: UncheckedAccount<'info>,
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

impl SweepInsurance<'_> {
    /// Gives insurance what others have sent straight to its vault, and then moves the difference
    /// between the vault and the ledger, either way; nothing when level.
    ///
    /// # Errors
    /// `WrongMint`, `WrongTokenProgram`, `Unbalanced`, `Overflow`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let decimals = {
            let exchange = accounts.exchange.current()?;
            decimals(&exchange, &accounts.mint, &accounts.token_program)?
        };
        let vault_before = accounts.insurance_vault.amount;
        let (stray, ledger) = level(&mut *accounts.market.current_mut()?, vault_before)?;
        if stray > 0 {
            emit(
                &accounts.event_authority,
                &StrayTokensCredited {
                    market: accounts.market.key(),
                    amount: stray,
                    balance_after: ledger,
                },
            )?;
        }
        let insurance = accounts.insurance_vault.to_account_info();
        let collateral: &AccountInfo = &accounts.collateral_vault;
        let (from, to) = match vault_before.cmp(&ledger) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => (collateral, &insurance),
            Ordering::Greater => (&insurance, collateral),
        };
        let mut settlement = Settlement::default();
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from,
            to,
            authority: accounts.exchange.as_ref(),
        }
        .between_vaults(vault_before.abs_diff(ledger), &mut settlement)?;
        settlement.close().or_ballast()?;
        emit(
            &ctx.accounts.event_authority,
            &InsuranceSwept {
                market: ctx.accounts.market.key(),
                vault_before,
                vault_after: ledger,
            },
        )?;
        Ok(())
    }
}

/// Credits insurance with what a vault of `vault` atoms holds that nobody's ledger has, and records
/// what it holds once it is level. The stray atoms, and the ledger.
fn level(market: &mut Market, vault: u64) -> Result<(u64, u64)> {
    let stray = market.credit_stray(vault)?;
    let ledger = market.insurance.balance;
    market.store_vault_total(VaultTotal::of_atoms(ledger).or_ballast()?);
    market.invariant()?;
    Ok((stray, ledger))
}
