//! Lots of a position that anybody may close against the book, at the trader's own wish: by a stop-loss, a
//! take-profit or a protective step. Of a leg the call lists the board and the cross queues that `trade_leg` would.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{LegTerms, LegTrade},
    oracle::Action,
    reward::keeper_reward,
    units::Side,
};
use ballast_state::{
    book_account::OrderSide,
    cross::Scene,
    error::BallastError,
    events::{LegTraded, OrderCancelled, OrderFilled, OrderRemoved, PartyTraded},
    exchange::{Exchange, PAUSE_TRADE},
    market::{Market, Touched},
    position_slot::PositionSlot,
    trader::Trader,
    trigger::Trigger,
};

use super::{
    cross::leg_taker::LegTaker,
    matching::{Listed, Matched, Matching},
    position_change::pay,
    profit::{require_not_held, Profits},
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

/// The market in which lots are closed.
pub struct Site<'a, 'q, 'info> {
    /// The market, its price recorded and its funding accrued.
    pub market: &'a Market,
    /// Its key.
    pub key: Pubkey,
    /// What the price made of it.
    pub touched: &'a Touched,
    /// Its queues.
    pub queues: &'a MarketQueues<'q, 'info>,
    /// The makers and, of a leg, the board and cross queues.
    pub listed: Listed<'a, 'info>,
    /// The present slot.
    pub slot: u64,
}

/// What is asked before anything is closed.
pub struct Seen<'a, 'q, 'info> {
    /// The market.
    pub site: &'a Site<'a, 'q, 'info>,
    /// The trader.
    pub trader: &'a Trader,
}

impl Site<'_, '_, '_> {
    /// Runs `body` on the market with the board.
    ///
    /// # Errors
    /// `WrongBoard` where the board is not listed, `CrossDisabled`; those of `body`.
    pub fn with_scene<R>(&self, body: impl FnOnce(&Scene) -> Result<R>) -> Result<R> {
        let board = self.listed.board()?;
        board.place(self.market)?;
        let terms = LegTerms::of(self.market.params());
        body(&Scene {
            key: self.key,
            touched: self.touched,
            terms: &terms,
            board: &board,
            slot: self.slot,
        })
    }
}

/// What the fills have made of the trader, and how the book and the others stand.
struct Closed<'q, 'info> {
    side: Side,
    matched: Matched<'q, 'info>,
    taker: Box<Taker>,
    party: Option<PartyTraded>,
    leg: Option<(Box<LegTrade>, Box<LegTraded>)>,
    reward: u64,
}

/// What was closed.
pub struct Fired {
    /// The trigger, as it was.
    pub trigger: Trigger,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Side of the order that it became.
    pub side: OrderSide,
    /// Lots closed.
    pub filled_lots: u64,
    /// Lots that it still has to close.
    pub left_lots: u64,
    /// Paid to the keeper.
    pub reward_atoms: u64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the fills made of the trader; `None` of a leg.
    pub taker: Option<PartyTraded>,
    /// What they made of a leg.
    pub leg: Option<Box<LegTraded>>,
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
    /// `QueueFull`, `MakerForeign`; of a leg `WrongBoard` and those of `trade_leg` about marks, records and what the
    /// account may stand; those of `find` and `use_up`.
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
        let site = Site {
            market: &market,
            key,
            touched: &touched,
            queues: &queues,
            listed: self.listed,
            slot: clock.slot,
        };
        let trigger = find(&Seen {
            site: &site,
            trader: &trader,
        })?;
        let book = MarketBook::load(&market, self.book)?;
        let matching = Matching::new(key, &market, &queues, self.listed, &touched, &clock, true);
        let work = Work {
            site: &site,
            book: &book,
            trigger: &trigger,
        };
        let leg = trader.any(&key)?.is_leg();
        let closed = match leg {
            true => self.close_leg(&work, &mut trader, matching)?,
            false => self.close_isolated(&work, &mut trader, matching)?,
        };
        let Closed {
            side,
            mut matched,
            mut taker,
            party,
            leg,
            reward,
        } = *closed;
        if let Ok(slot) = trader.any_mut(&key) {
            if slot.lots != 0 {
                use_up(slot, taker.filled)?;
            }
        }
        matched.book(&mut market, &book)?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        let profits = matched.changes.profits();
        if let Some((trade, _)) = &leg {
            let profit = trade.profit().or_ballast()?;
            require_not_held(&market, &queues, &profits, profit, clock.slot)?;
        }
        Ok(Box::new(Fired {
            trigger,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            side: side.into(),
            filled_lots: taker.filled,
            left_lots: u64::from(trigger.lots).wrapping_sub(taker.filled),
            reward_atoms: reward,
            open_interest_after: matched.changes.open_interest(),
            taker: party,
            leg: leg.map(|(_, traded)| traded),
            cancelled: core::mem::take(&mut taker.cancelled),
            profits,
            fills: matched.fills,
            removed: matched.removed,
            kept_orders: matched.kept,
        }))
    }

    #[inline(never)]
    fn close_isolated<'q>(
        &self,
        work: &Work,
        trader: &mut Trader,
        mut matching: Box<Matching<'_, 'q, 'info>>,
    ) -> Result<Box<Closed<'q, 'info>>> {
        let (key, market, touched) = (&work.site.key, work.site.market, work.site.touched);
        let mut taker = Taker::load(trader, self.trader.key(), key, market)?;
        let order = work.order(&taker)?;
        work.book
            .write(|book| taker.work(book, market, touched, &mut matching, &order))?;
        let mut matched = matching.done();
        let reward = work.reward(&mut taker, &mut matched)?;
        let party = taker.store(trader, key, &mut matched.changes)?;
        Ok(Box::new(Closed {
            side: order.request.side,
            matched,
            taker,
            party,
            leg: None,
            reward,
        }))
    }

    #[inline(never)]
    fn close_leg<'q>(
        &self,
        work: &Work,
        trader: &mut Trader,
        matching: Box<Matching<'_, 'q, 'info>>,
    ) -> Result<Box<Closed<'q, 'info>>> {
        work.site.with_scene(|scene| {
            let leg_taker = LegTaker {
                queues: &work.site.listed.queues,
                scene: *scene,
            };
            let leg = scene.leg_before(trader)?;
            let mut taker = leg_taker.taker(self.trader.key(), trader, &leg)?;
            let order = work.order(&taker)?;
            let (market, book) = (work.site.market, work.book);
            let (mut matched, trade) =
                leg_taker.match_book(market, book, &leg, matching, &mut taker, &order)?;
            let reward = work.reward(&mut taker, &mut matched)?;
            let traded = leg_taker.store(trader, &leg, &taker, &trade, &mut matched)?;
            Ok(Box::new(Closed {
                side: order.request.side,
                matched,
                taker,
                party: None,
                leg: trade.zip(traded),
                reward,
            }))
        })
    }
}

/// What is worked off, and where.
struct Work<'a, 'q, 'info> {
    site: &'a Site<'a, 'q, 'info>,
    book: &'a MarketBook<'a, 'info>,
    trigger: &'a Trigger,
}

impl Work<'_, '_, '_> {
    /// The order that the trigger of the taker's position becomes.
    fn order(&self, taker: &Taker) -> Result<TakerOrder> {
        let side = taker.before.side();
        let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
        Ok(TakerOrder {
            request: self.trigger.order(side),
            self_trade: Trigger::SELF_TRADE,
            margin: 0,
            client_id: 0,
        })
    }

    /// Takes the reward's share for the filled lots, of which there must be some, from the trader's free collateral,
    /// as far as that reaches.
    fn reward(&self, taker: &mut Taker, matched: &mut Matched) -> Result<u64> {
        require!(taker.filled > 0, BallastError::NothingFilled);
        let reward = keeper_reward(
            self.site.market.params().keeper_fee_atoms,
            taker.free.positive_part(),
            taker.filled,
            u64::from(self.trigger.placed_lots),
        )
        .or_ballast()?;
        taker.free = taker.free.try_sub_unsigned(reward).or_ballast()?;
        matched.changes.owe(reward);
        Ok(reward)
    }
}
