//! Executes a stop-loss or take-profit whose price the oracle has reached.

use anchor_lang::prelude::*;
use ballast_engine::{oracle::Action, reward::keeper_reward};
use ballast_state::{
    error::BallastError,
    events::TriggerExecuted,
    exchange::{Exchange, PAUSE_TRADE},
    market::{Market, Touched},
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
    trigger::{Trigger, TriggerKind},
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    instructions::{
        matching::{check_makers, Matched, Matching},
        position_change::pay,
        profit::Profits,
        taker::{Taker, TakerOrder},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch,
};

/// Accounts of `execute_trigger`. The remaining accounts are the makers' trader accounts, writable,
/// in the order of the book.
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
    /// `Paused`, `TooManyMakers`, the `Price...` errors, `NoPosition`,
    /// `NoTrigger`, `TriggerNotReached`, `NothingFilled`, `InsufficientCollateral`, `QueueFull`,
    /// `MakerForeign`.
    pub fn handle(ctx: Context<'info, Self>, kind: TriggerKind) -> Result<()> {
        let listed = ctx.remaining_accounts;
        let (event, profits) = ctx.accounts.execute(listed, kind)?;
        let accounts = &ctx.accounts;
        if event.reward_atoms > 0 {
            pay(&accounts.reward_trader, &event.market, event.reward_atoms)?;
        }
        emit(&ctx.accounts.event_authority, &*event)?;
        profits.hold(&accounts.venue(&[&accounts.trader], listed))
    }

    #[inline(never)]
    fn execute(
        &self,
        makers: &'info [AccountInfo<'info>],
        kind: TriggerKind,
    ) -> Result<(Box<TriggerExecuted>, Profits)> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_TRADE, clock.slot)?;
        check_makers(makers)?;
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        let action = Action::Force {
            flagged_slot: trader.flagged_slot(&key, clock.slot),
        };
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let trigger = reached(&trader, &key, kind, &touched)?;
        let mut taker = Taker::load(&mut trader, self.trader.key(), &key, &market)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let now = clock.unix_timestamp;
        let matching = Matching::new(key, &market, &queues, makers, &touched, now, true);
        let mut fired = fire(&market, &book, &mut taker, matching, &trigger, &touched)?;

        let reward = reward(&market, &trigger, &mut taker)?;
        fired.changes.owe(reward);
        let party = taker.store(&mut trader, &key, &mut fired.changes)?;
        let party = party.ok_or_else(|| error!(BallastError::NothingFilled))?;
        if let Some(index) = trader.find(&key) {
            if let Some(slot) = trader.positions.get_mut(index) {
                if slot.lots != 0 {
                    slot.trigger_mut(kind).use_up(taker.filled)?;
                }
            }
        }
        fired.book(&mut market, &book)?;
        fired.changes.close(&mut market)?;
        market.invariant()?;
        let profits = fired.changes.profits();
        let event = Box::new(TriggerExecuted {
            market: key,
            trader: self.trader.key(),
            keeper: self.keeper.key(),
            kind,
            trigger_ticks: trigger.price_ticks,
            worst_ticks: trigger.worst_ticks,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            filled_lots: taker.filled,
            left_lots: u64::from(trigger.lots).wrapping_sub(taker.filled),
            reward_atoms: reward,
            open_interest_after: fired.changes.open_interest(),
            taker: party,
            cancelled: core::mem::take(&mut taker.cancelled),
            fills: fired.fills,
            removed: fired.removed,
            kept_orders: fired.kept,
        });
        Ok((event, profits))
    }
}

/// The trigger, whose price the oracle has reached.
fn reached(
    trader: &Trader,
    market: &Pubkey,
    kind: TriggerKind,
    touched: &Touched,
) -> Result<Trigger> {
    let slot = trader.slot(market)?;
    let position = slot.position()?;
    let side = position
        .side()
        .ok_or_else(|| error!(BallastError::NoPosition))?;
    let trigger = *slot.trigger(kind);
    require!(!trigger.is_unset(), BallastError::NoTrigger);
    let mark = touched.price.price.get();
    let reached = trigger.is_reached(kind, side, mark);
    require!(reached, BallastError::TriggerNotReached);
    Ok(trigger)
}

#[inline(never)]
fn fire<'q, 'info>(
    market: &Market,
    book: &MarketBook,
    taker: &mut Taker,
    mut matching: Box<Matching<'_, 'q, 'info>>,
    trigger: &Trigger,
    touched: &Touched,
) -> Result<Matched<'q, 'info>> {
    let side = taker.before.side();
    let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
    let order = TakerOrder {
        request: trigger.order(side),
        self_trade: Trigger::SELF_TRADE,
        margin: 0,
        client_id: 0,
    };
    book.write(|book| taker.work(book, market, touched, &mut matching, &order))?;
    require!(taker.filled > 0, BallastError::NothingFilled);
    Ok(matching.done())
}

/// Takes the reward's share for the filled lots from the trader's free collateral, as far as that
/// reaches.
fn reward(market: &Market, trigger: &Trigger, taker: &mut Taker) -> Result<u64> {
    let reward = keeper_reward(
        market.params().keeper_fee_atoms,
        taker.free.positive_part(),
        taker.filled,
        u64::from(trigger.placed_lots),
    )
    .or_ballast()?;
    taker.free = taker.free.try_sub_unsigned(reward).or_ballast()?;
    Ok(reward)
}
