//! Turns tokens into free collateral.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_engine::settlement::Settlement;
use ballast_state::{
    error::BallastError,
    events::Deposited,
    exchange::{Exchange, PAUSE_DEPOSIT},
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, require_not_paused, Transfer},
    emit::emit,
    error::{require, OrBallast},
};

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
            let exchange = accounts.exchange.current()?;
            require_not_paused(&exchange, PAUSE_DEPOSIT)?;
            decimals(&exchange, &accounts.mint, &accounts.token_program)?
        };
        let mut settlement = Settlement::default();
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: accounts.source.to_account_info().as_ref(),
            to: &accounts.collateral_vault,
            authority: &accounts.depositor,
        }
        .into_vault(amount, &mut settlement)?;
        let free_after = credit(&mut *accounts.trader.current_mut()?, amount, settlement)?;
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

/// Credits a trader with `amount` atoms, which must be what `settlement` saw arrive. Its free
/// collateral afterwards.
fn credit(trader: &mut Trader, amount: u64, mut settlement: Settlement) -> Result<i64> {
    settlement.trader_before(trader.free(), 0);
    trader.credit(amount)?;
    settlement.trader_after(trader.free(), 0);
    settlement.close().or_ballast()?;
    trader.invariant()?;
    Ok(trader.free)
}

#[cfg(test)]
mod tests {
    use ballast_state::trader::TRADER_VERSION;
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn nobody_is_credited_with_what_did_not_arrive() {
        let after = |arrived: u64, amount: u64| {
            let mut trader = Trader {
                version: TRADER_VERSION,
                free: 7,
                ..Trader::zeroed()
            };
            let mut settlement = Settlement::default();
            settlement.tokens_in(arrived);
            credit(&mut trader, amount, settlement)
        };
        assert_eq!(after(100, 100), Ok(107));
        for (arrived, amount) in [(99, 100), (101, 100), (100, 99), (100, 101), (0, 100)] {
            let refused = Err(BallastError::Unbalanced.into());
            assert_eq!(after(arrived, amount), refused, "{arrived} {amount}");
        }
    }
}
