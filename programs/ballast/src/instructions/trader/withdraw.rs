//! Turns free collateral into tokens.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_engine::settlement::Settlement;
use ballast_state::{
    error::BallastError,
    events::Withdrawn,
    exchange::{Exchange, PAUSE_WITHDRAW},
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, require_not_paused, Transfer},
    emit::emit,
    error::{require, OrBallast},
};

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
            let exchange = accounts.exchange.current()?;
            require_not_paused(&exchange, PAUSE_WITHDRAW)?;
            decimals(&exchange, &accounts.mint, &accounts.token_program)?
        };
        let mut settlement = Settlement::default();
        let free_after = {
            let mut trader = accounts.trader.current_mut()?;
            trader.require_owner(accounts.owner.key)?;
            debit(&mut trader, amount, &mut settlement)?
        };
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: &accounts.collateral_vault,
            to: accounts.destination.to_account_info().as_ref(),
            authority: accounts.exchange.as_ref(),
        }
        .out_of_vault(amount, &mut settlement)?;
        settlement.close().or_ballast()?;
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

/// Takes `amount` atoms from a trader, and posts them. Its free collateral afterwards.
fn debit(trader: &mut Trader, amount: u64, settlement: &mut Settlement) -> Result<i64> {
    settlement.trader_before(trader.free(), 0);
    trader.debit(amount)?;
    settlement.trader_after(trader.free(), 0);
    trader.invariant()?;
    Ok(trader.free)
}

#[cfg(test)]
mod tests {
    use ballast_state::trader::TRADER_VERSION;
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn nothing_leaves_that_nobody_was_debited_with() {
        let settled = |left: u64, amount: u64| {
            let mut trader = Trader {
                version: TRADER_VERSION,
                free: 107,
                ..Trader::zeroed()
            };
            let mut settlement = Settlement::default();
            debit(&mut trader, amount, &mut settlement)?;
            settlement.tokens_out(left);
            settlement.close().or_ballast()
        };
        assert_eq!(settled(100, 100), Ok(()));
        for (left, amount) in [(99, 100), (101, 100), (100, 99), (100, 101), (0, 100)] {
            let refused = Err(BallastError::Unbalanced.into());
            assert_eq!(settled(left, amount), refused, "{left} {amount}");
        }
    }
}
