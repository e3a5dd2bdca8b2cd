//! Lots of a position that anybody may close against the book, at the trader's own wish: by a stop-loss, a
//! take-profit or a protective step.

use anchor_lang::prelude::*;
use ballast_engine::{oracle::Action, reward::keeper_reward};
use ballast_state::{
    error::BallastError,
    events::{OrderCancelled, OrderFilled, OrderRemoved, PartyTraded},
    exchange::{Exchange, PAUSE_TRADE},
    market::{Market, Touched},
    position_slot::PositionSlot,
    trader::Trader,
    trigger::Trigger,
};

use super::{
    matching::{Listed, Matched, Matching},
    position_change::pay,
    profit::Profits,
    taker::{Taker, TakerOrder},
};
use crate::loaders::current::Current;
use crate::{
    error::{error, require, OrBallast},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch,
};

/// The accounts of an instruction that closes such lots.
pub struct Firing<'a, 'info> {
    /// The exchange.
    pub exchange: &'a AccountLoader<'info, Exchange>,
    /// The market.
    pub market: &'a AccountLoader<'info, Market>,
    /// The trader whose lots are closed.
    pub trader: &'a AccountLoader<'info, Trader>,
    /// The trader account that gets the reward.
    pub reward_trader: &'a AccountLoader<'info, Trader>,
    /// The market's book.
    pub book: &'a AccountInfo<'info>,
    /// The market's queue of longs.
    pub queue_long: &'a AccountInfo<'info>,
    /// The market's queue of shorts.
    pub queue_short: &'a AccountInfo<'info>,
    /// The market's price.
    pub price: &'a AccountInfo<'info>,
    /// The makers.
    pub listed: Listed<'a, 'info>,
}

/// What is asked before anything is closed.
pub struct Seen<'a, 'q, 'info> {
    /// The market, its price recorded and its funding accrued.
    pub market: &'a Market,
    /// The trader.
    pub trader: &'a Trader,
    /// The market's queues.
    pub queues: &'a MarketQueues<'q, 'info>,
    /// What the price made of the market.
    pub touched: &'a Touched,
}

/// What was closed.
pub struct Fired {
    /// The trigger, as it was.
    pub trigger: Trigger,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Lots closed.
    pub filled_lots: u64,
    /// Lots that it still has to close.
    pub left_lots: u64,
    /// Paid to the keeper.
    pub reward_atoms: u64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the fills made of the trader.
    pub taker: PartyTraded,
    /// The trader's own orders that it met.
    pub cancelled: Vec<OrderCancelled>,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Orders removed, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept_orders: u32,
    /// Profit that was taken out of positions.
    pub profits: Profits,
}

impl<'info> Firing<'_, 'info> {
    /// Closes the lots of the trigger that `find` returns against the book at its worst price or better,
    /// reduce-only; `use_up` takes them off where the position remains. Pays the keeper.
    ///
    /// # Errors
    /// `Paused`, `TooManyMakers`, the `Price...` errors, `NothingFilled`, `InsufficientCollateral`,
    /// `QueueFull`, `MakerForeign`; those of `find` and `use_up`.
    pub fn fire(
        &self,
        find: &mut dyn FnMut(&Seen) -> Result<Trigger>,
        use_up: &dyn Fn(&mut PositionSlot, u64) -> Result<()>,
    ) -> Result<Box<Fired>> {
        let fired = self.close(find, use_up)?;
        if fired.reward_atoms > 0 {
            pay(self.reward_trader, &self.market.key(), fired.reward_atoms)?;
        }
        Ok(fired)
    }

    #[inline(never)]
    fn close(
        &self,
        find: &mut dyn FnMut(&Seen) -> Result<Trigger>,
        use_up: &dyn Fn(&mut PositionSlot, u64) -> Result<()>,
    ) -> Result<Box<Fired>> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_TRADE, clock.slot)?;
        self.listed.check_makers()?;
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        let action = Action::Force {
            flagged_slot: trader.flagged_slot(&key, clock.slot),
        };
        let touched = touch(&mut market, self.price, action, &clock, pauses)?;
        let queues = MarketQueues::load(&market, self.queue_long, self.queue_short)?;
        let trigger = find(&Seen {
            market: &market,
            trader: &trader,
            queues: &queues,
            touched: &touched,
        })?;
        let mut taker = Taker::load(&mut trader, self.trader.key(), &key, &market)?;
        let book = MarketBook::load(&market, self.book)?;
        let matching = Matching::new(key, &market, &queues, self.listed, &touched, &clock, true);
        let mut matched = work(&market, &book, &mut taker, matching, &trigger, &touched)?;

        let reward = reward(&market, &trigger, &mut taker)?;
        matched.changes.owe(reward);
        let party = taker.store(&mut trader, &key, &mut matched.changes)?;
        let party = party.ok_or_else(|| error!(BallastError::NothingFilled))?;
        if let Some(index) = trader.find(&key) {
            if let Some(slot) = trader.positions.get_mut(index) {
                if slot.lots != 0 {
                    use_up(slot, taker.filled)?;
                }
            }
        }
        matched.book(&mut market, &book)?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        Ok(Box::new(Fired {
            trigger,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            filled_lots: taker.filled,
            left_lots: u64::from(trigger.lots).wrapping_sub(taker.filled),
            reward_atoms: reward,
            open_interest_after: matched.changes.open_interest(),
            taker: party,
            cancelled: core::mem::take(&mut taker.cancelled),
            profits: matched.changes.profits(),
            fills: matched.fills,
            removed: matched.removed,
            kept_orders: matched.kept,
        }))
    }
}

#[inline(never)]
fn work<'q, 'info>(
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
