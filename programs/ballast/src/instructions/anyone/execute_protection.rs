//! Executes a protective step below whose margin ratio a position has fallen.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::ProtectionExecuted,
    exchange::Exchange,
    market::Market,
    protection::{Due, Protection},
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    instructions::{
        firing::{Firing, Seen},
        matching::Listed,
    },
};

/// Accounts of `execute_protection`. The remaining accounts are the makers' trader accounts, writable,
/// in the order of the book; before them, where legs have orders among those,
/// the board and, writable, their cross queues.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteProtection<'info> {
    /// Whoever executes it.
    pub keeper: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose steps they are.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// The steps.
    pub protection: AccountLoader<'info, Protection>,
    /// The trader account that receives the reward; any.
    #[account(mut)]
    pub reward_trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
}

impl<'info> ExecuteProtection<'info> {
    /// Closes what the last step reached does not keep open, against the book within the steps' slip from
    /// the mark, reduce-only. What the listed makers do not take may be closed by another call while the
    /// margin ratio is still below the step.
    ///
    /// # Errors
    /// `WrongProtection`, `NoPosition`, `ProtectionEnded`, `ProtectionNotReached`; those of
    /// [`Firing::fire`].
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let (market, trader) = (accounts.market.key(), accounts.trader.key());
        let listed = Listed::of(ctx.remaining_accounts)?;
        let protection = accounts.protection.current()?;
        protection.require_of(&trader, &market)?;
        let firing = Firing {
            exchange: &accounts.exchange,
            market: &accounts.market,
            trader: &accounts.trader,
            reward_trader: &accounts.reward_trader,
            book: &accounts.book,
            queue_long: &accounts.queue_long,
            queue_short: &accounts.queue_short,
            price: &accounts.price,
            listed,
        };
        let mut step = None;
        let mut find = |seen: &Seen| {
            let due = due(seen, &market, &protection)?;
            step = Some(due.step);
            Ok(due.trigger)
        };
        let fired = firing.fire(&mut find, &|_, _| Ok(()))?;
        let event = Box::new(ProtectionExecuted {
            market,
            trader,
            keeper: accounts.keeper.key(),
            step: step.ok_or_else(|| error!(BallastError::ProtectionNotReached))?,
            worst_ticks: fired.trigger.worst_ticks,
            mark_ticks: fired.mark_ticks,
            funding_index: fired.funding_index,
            filled_lots: fired.filled_lots,
            left_lots: fired.left_lots,
            reward_atoms: fired.reward_atoms,
            open_interest_after: fired.open_interest_after,
            taker: fired.taker,
            cancelled: fired.cancelled,
            fills: fired.fills,
            removed: fired.removed,
            kept_orders: fired.kept_orders,
        });
        emit(&accounts.event_authority, &*event)?;
        let named = [&accounts.trader];
        fired.profits.hold(&accounts.venue(&named, listed.makers))
    }
}

/// What the steps ask for of the position that they were set for.
fn due(seen: &Seen, market: &Pubkey, protection: &Protection) -> Result<Due> {
    let slot = seen.trader.slot(market)?;
    let position = seen.market.settled(slot)?;
    let side = position
        .side()
        .ok_or_else(|| error!(BallastError::NoPosition))?;
    let same = seen.queues.read(side, |queue| {
        let entry = queue.entry(slot.queue_node).or_ballast()?;
        Ok(protection.is_for(side, entry))
    })?;
    require!(same, BallastError::ProtectionEnded);
    let price = &seen.touched.price;
    let mark = seen.touched.mark.price;
    let due = protection.due(&position, price.price, mark, seen.market.params())?;
    due.ok_or_else(|| error!(BallastError::ProtectionNotReached))
}
