//! Executes a stop-loss or take-profit whose price the oracle has reached.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::TriggerExecuted,
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
    trigger::{Trigger, TriggerKind},
};

use crate::{
    emit::emit,
    error::{error, require},
    instructions::{
        firing::{Firing, Seen},
        matching::Listed,
    },
};

/// Accounts of `execute_trigger`. The remaining accounts are the makers' trader accounts, writable,
/// in the order of the book; before them, where legs have orders among those,
/// the board and, writable, their cross queues.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteTrigger<'info> {
    /// Whoever executes it.
    pub keeper: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose trigger it is.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
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

impl<'info> ExecuteTrigger<'info> {
    /// Closes the trigger's lots against the book at its worst price or better, reduce-only. What
    /// the listed makers do not take stays in the trigger.
    ///
    /// # Errors
    /// `NoPosition`, `NoTrigger`, `TriggerNotReached`; those of [`Firing::fire`].
    pub fn handle(ctx: Context<'info, Self>, kind: TriggerKind) -> Result<()> {
        let accounts = &ctx.accounts;
        let market = accounts.market.key();
        let listed = Listed::of(ctx.remaining_accounts)?;
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
        let fired = firing.fire(&mut |seen| reached(seen, &market, kind), &|slot, lots| {
            Ok(slot.trigger_mut(kind).use_up(lots)?)
        })?;
        let event = Box::new(TriggerExecuted {
            market,
            trader: accounts.trader.key(),
            keeper: accounts.keeper.key(),
            kind,
            trigger_ticks: fired.trigger.price_ticks,
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

/// The trigger, whose price the oracle has reached.
fn reached(seen: &Seen, market: &Pubkey, kind: TriggerKind) -> Result<Trigger> {
    let slot = seen.trader.slot(market)?;
    let position = slot.position()?;
    let side = position
        .side()
        .ok_or_else(|| error!(BallastError::NoPosition))?;
    let trigger = *slot.trigger(kind);
    require!(!trigger.is_unset(), BallastError::NoTrigger);
    let mark = seen.touched.price.price.get();
    let reached = trigger.is_reached(kind, side, mark);
    require!(reached, BallastError::TriggerNotReached);
    Ok(trigger)
}
