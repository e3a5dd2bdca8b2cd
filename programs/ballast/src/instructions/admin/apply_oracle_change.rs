//! Applies a staged change of a market's price source.

use anchor_lang::prelude::*;
use ballast_engine::oracle::Comparison;
use ballast_state::{
    error::BallastError, events::OracleChanged, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS, staged::Staged,
};

use crate::instructions::anyone::witness_oracle::Sources;
use crate::loaders::current::Current;
use crate::{emit::emit, error::err, oracle::now};

/// Accounts of `apply_oracle_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyOracleChange<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The staged change.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
    /// CHECK: a price of the market's source, checked by `read_price`.
    pub price: UncheckedAccount<'info>,
    /// CHECK: a price of the source that is staged, checked by `read_price`.
    pub new_price: UncheckedAccount<'info>,
}

impl ApplyOracleChange<'_> {
    /// Puts the staged price source of this `id` in force. Anyone may call it once it is due, has been
    /// witnessed for long enough and both sources agree at this moment.
    ///
    /// Funding up to now accrues at the price that stood; the price of the new source is recorded. What
    /// the market remembers of earlier prices stays: it is in the same ticks.
    ///
    /// # Errors
    /// Those of `Staged::due`; `StagedMismatch` for a change that another instruction applies; those of
    /// `read_price` and `compare`; `OraclesUndecided`, `OraclesApart`, `OracleNotWitnessed`; those of
    /// `Market::change_source`.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let event = ctx.accounts.apply(&id)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn apply(&self, id: &[u8; 32]) -> Result<OracleChanged> {
        let clock = Clock::get()?;
        let exchange = self.exchange.current()?;
        let mut market = self.market.current_mut()?;
        let staged = self.staged.current()?;
        let of = (self.market.as_ref().key, &*market);
        let after = staged.due_oracle(id, &exchange, of, clock.slot)?;
        let seen = Sources {
            market: &market,
            after: &after,
            price: &self.price,
            new_price: &self.new_price,
        }
        .compare(&clock)?;
        match seen.said {
            Comparison::Agree => {}
            Comparison::Apart => return err!(BallastError::OraclesApart),
            Comparison::Undecided => return err!(BallastError::OraclesUndecided),
        }
        staged.require_witnessed(&exchange, clock.slot)?;
        let before = market.oracle;
        let pauses = exchange.pauses(clock.slot);
        market.change_source(&after, seen.new_price, now(&clock), pauses)?;
        market.invariant()?;
        Ok(OracleChanged {
            market: self.market.key(),
            before,
            after,
            ticks: seen.price.price.get(),
            new_ticks: seen.new_price.price.get(),
        })
    }
}
