//! Pays a market's fees to the exchange's treasury.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{TokenAccount, TokenInterface};

use ballast_engine::{
    oracle::Action, payout::require_calm, settlement::Settlement, wind_down::MarketMode,
};
use ballast_state::{
    error::BallastError,
    events::FeesWithdrawn,
    exchange::{Exchange, PAUSE_WITHDRAW},
    market::{Market, Touched},
    seeds::{COLLATERAL_VAULT_ADDRESS, EXCHANGE_ADDRESS},
};

use crate::loaders::current::Current;
use crate::{
    collateral::{decimals, Transfer},
    emit::emit,
    error::OrBallast,
    loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// Accounts of `withdraw_fees`.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawFees<'info> {
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
    /// CHECK: the exchange's vault, by address.
    #[account(mut, address = COLLATERAL_VAULT_ADDRESS @ BallastError::WrongCollateralVault)]
    pub collateral_vault: UncheckedAccount<'info>,
    /// CHECK: the market's queue of longs, checked against its stored key; not read once it is closed.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked like it.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter; not read once the market has
    /// ended.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the exchange's quote currency, checked by `Exchange::require_collateral`.
    pub mint: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
}

impl WithdrawFees<'_> {
    /// Pays what is due of the market's fees to the treasury: how much and whether is the engine's,
    /// nobody chooses it. Anyone may call it.
    ///
    /// # Errors
    /// `Paused`; `FeesPaidToday`, `FeesReserved`; `InsuranceDrawn`, `MarketInsolvent`; the `Price...`
    /// errors; `MarketEnded` while an end has come that has not begun; `WrongMint`,
    /// `WrongTokenProgram`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let mut settlement = Settlement::default();
        let mut event = accounts.book(&mut settlement)?;
        let decimals = {
            let exchange = accounts.exchange.current()?;
            decimals(&exchange, &accounts.mint, &accounts.token_program)?
        };
        Transfer {
            token_program: &accounts.token_program,
            mint: &accounts.mint,
            decimals,
            from: &accounts.collateral_vault,
            to: accounts.treasury.to_account_info().as_ref(),
            authority: accounts.exchange.as_ref(),
        }
        .out_of_vault(event.amount, &mut settlement)?;
        settlement.close().or_ballast()?;
        event.treasury = accounts.treasury.key();
        emit(&ctx.accounts.event_authority, &event)
    }

    /// Takes what is due out of the fee bucket, and posts it.
    #[inline(never)]
    fn book(&self, settlement: &mut Settlement) -> Result<FeesWithdrawn> {
        let clock = Clock::get()?;
        let pauses = self.exchange.current()?;
        let pauses = pauses.require_not_paused(PAUSE_WITHDRAW, clock.slot)?;
        let mut market = self.market.current_mut()?;
        let mark_ticks = match market.mode() {
            MarketMode::Settled => u64::from(market.final_ticks),
            MarketMode::Settling => {
                let last = market.at_final_price()?;
                self.require_calm(&market, &last, clock.slot)?
            }
            MarketMode::Active | MarketMode::ReduceOnly => {
                let action = Action::RemoveMargin;
                let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
                self.require_calm(&market, &touched, clock.slot)?
            }
        };
        settlement.market_before(market.fees_atoms, market.insurance.balance);
        let amount = market.pay_out_fees(clock.unix_timestamp)?;
        settlement.market_after(market.fees_atoms, market.insurance.balance);
        market.invariant()?;
        Ok(FeesWithdrawn {
            market: self.market.key(),
            treasury: Pubkey::default(),
            amount,
            fees_after_atoms: market.fees_atoms,
            mark_ticks,
        })
    }

    /// Fails while the market may need its fees. The mark, ticks.
    #[inline(never)]
    fn require_calm(&self, market: &Market, touched: &Touched, slot: u64) -> Result<u64> {
        let queues = MarketQueues::load(market, &self.queue_long, &self.queue_short)?;
        let at = (touched.mark.price, touched.funding_index);
        queues.read_both(|long, short| {
            let both = (long, short);
            require_calm(market.params(), &market.insurance_fund(), slot, both, at).or_ballast()
        })?;
        Ok(touched.price.price.get())
    }
}
