//! Gives traders back what the market held of their profit, once it is not short of it any more.

use anchor_lang::prelude::*;
use ballast_engine::{held::PriceRange, oracle::Action};
use ballast_state::{
    error::BallastError,
    events::{ProfitReleased, ReleasedPart},
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    instructions::profit::{market_shortfall, store},
    loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// Accounts of `release_profit`. The remaining accounts are trader accounts, writable.
#[event_cpi]
#[derive(Accounts)]
pub struct ReleaseProfit<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

impl<'info> ReleaseProfit<'info> {
    /// Moves held profit of the listed traders to their free collateral, as far as the market is not
    /// short of it at a price that it recorded first in a slot after the one in which profit was held
    /// for the trader last. Anyone may call it. Whoever is due nothing is passed by.
    ///
    /// # Errors
    /// `ProfitNotDue` when nothing is released; `NoPosition` for an account without a slot of the
    /// market; the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let event = ctx.accounts.release(ctx.remaining_accounts)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn release(&self, listed: &'info [AccountInfo<'info>]) -> Result<ProfitReleased> {
        let clock = Clock::get()?;
        let mut market = self.market.current_mut()?;
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let action = Action::RemoveMargin;
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let prices = PriceRange::at(touched.mark.price);
        let short_of = market_shortfall(&market, &queues, prices, clock.slot)?;
        let mut event = ProfitReleased {
            market: self.market.key(),
            mark_ticks: touched.price.price.get(),
            shortfall_atoms: short_of,
            parts: Vec::new(),
            held_after_atoms: 0,
        };
        for account in listed {
            let loader = AccountLoader::<Trader>::try_from(account)?;
            let mut trader = loader.current_mut()?;
            let atoms = release(&mut market, &mut trader, &event.market, short_of)?;
            if let Some(atoms) = atoms {
                event.parts.push(ReleasedPart {
                    trader: account.key(),
                    atoms,
                });
            }
        }
        require!(!event.parts.is_empty(), BallastError::ProfitNotDue);
        event.held_after_atoms = market.held.atoms;
        market.invariant()?;
        Ok(event)
    }
}

/// Releases what is due to one trader. How much, atoms; `None` when nothing changes. Of what an ended
/// ledger held nothing is left.
#[inline(never)]
fn release(
    market: &mut Market,
    trader: &mut Trader,
    key: &Pubkey,
    short_of: u64,
) -> Result<Option<u64>> {
    let before = trader.slot(key)?.held_claim();
    // The price of the call is the newest that was recorded.
    let recorded = market.price_clock.recorded_slot;
    let released = market.held.release(&before, short_of, recorded);
    let (held, claim, atoms) = released.or_ballast()?;
    store(market, trader, key, (held, claim), |trader| {
        Ok(trader.credit(atoms)?)
    })?;
    trader.finish(key)?;
    Ok((claim != before).then_some(atoms))
}
