//! Gives to a market's insurance.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_engine::settlement::Settlement;
use ballast_state::{
    error::BallastError, events::InsuranceDonated, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
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
        address = market.current()?.insurance_vault @ BallastError::WrongInsuranceVault,
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
            let exchange = accounts.exchange.current()?;
            decimals(&exchange, &accounts.mint, &accounts.token_program)?
        };
        let mut settlement = Settlement::default();
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: accounts.source.to_account_info().as_ref(),
            to: &accounts.insurance_vault,
            authority: &accounts.donor,
        }
        .into_vault(amount, &mut settlement)?;
        let balance_after = credit(&mut *accounts.market.current_mut()?, amount, settlement)?;
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

/// Credits insurance with `amount` atoms, which must be what `settlement` saw arrive. Its balance
/// afterwards.
fn credit(market: &mut Market, amount: u64, mut settlement: Settlement) -> Result<u64> {
    settlement.market_before(market.fees_atoms, market.insurance.balance);
    market.insurance = market.insurance.credit(amount).or_ballast()?;
    settlement.market_after(market.fees_atoms, market.insurance.balance);
    settlement.close().or_ballast()?;
    let total = market.vault_total().with(amount).or_ballast()?;
    market.store_vault_total(total);
    market.invariant()?;
    Ok(market.insurance.balance)
}

#[cfg(test)]
mod tests {
    use ballast_state::market::MARKET_VERSION;

    use super::*;
    use crate::loaders::queue_account::test_queues;

    #[test]
    fn insurance_is_not_credited_with_what_did_not_arrive() {
        let after = |arrived: u64, amount: u64| {
            let mut market = Market {
                version: MARKET_VERSION,
                fees_atoms: 3,
                ..test_queues::market()
            };
            market.insurance.balance = 7;
            let mut settlement = Settlement::default();
            settlement.tokens_in(arrived);
            credit(&mut market, amount, settlement)
        };
        assert_eq!(after(100, 100), Ok(107));
        for (arrived, amount) in [(99, 100), (101, 100), (100, 99), (100, 101), (0, 100)] {
            let refused = Err(BallastError::Unbalanced.into());
            assert_eq!(after(arrived, amount), refused, "{arrived} {amount}");
        }
    }
}
