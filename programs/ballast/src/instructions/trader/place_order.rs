//! An order: trades with the book at once, and waits in it with what is left.

use anchor_lang::prelude::*;
use ballast_engine::{oracle::Action, trade::check_open_interest};
use ballast_state::{
    error::BallastError,
    events::OrderPlaced,
    exchange::{Exchange, PAUSE_OPEN, PAUSE_TRADE},
    instructions::OrderRef,
    market::{Market, Touched},
    order_args::{OrderKind, PlaceOrderArgs},
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, OrBallast},
    instructions::{
        matching::{Listed, Matched, Matching},
        profit::{Profits, Venue},
        taker::{Taker, TakerOrder},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch,
};

/// Accounts of `place_order` and `replace_order`. The remaining accounts are the makers' trader
/// accounts, writable, in the order of the book; before them, where legs have orders among those, the board and, writable,
/// their cross queues. A post-only order, which never trades, may go without
/// the two queues.
#[event_cpi]
#[derive(Accounts)]
pub struct PlaceOrder<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: Option<UncheckedAccount<'info>>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: Option<UncheckedAccount<'info>>,
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
}

impl<'info> PlaceOrder<'info> {
    /// Trades with the orders of the listed makers, best first, and leaves the rest of a limit
    /// order in the book. The list only supplies accounts: with which orders, how much and at what
    /// price follows from the book.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `Paused`, `TooManyMakers`, the `Price...` errors, `NoFreeSlot`,
    /// those of [`ballast_engine::order::check`], `DuplicateClientId`,
    /// `PostOnlyCrosses`, `SelfTrade`, `NotFilled`, `InsufficientCollateral`, `PositionTooLarge`,
    /// `TooManyOrders`, `BookFull`, `OpenInterestLimit`, `QueueFull`, `QueuesMissing`, `MakerForeign`; `CrossLegThere`
    /// of a leg; `WrongBoard`, `CrossQueueMissing`, `CrossMarkStale`, `CrossRecordStale` where an order of a leg is met.
    pub fn handle(ctx: Context<'info, Self>, args: PlaceOrderArgs) -> Result<()> {
        let listed = Listed::of(ctx.remaining_accounts)?;
        let (event, profits) = ctx.accounts.place(listed, None, &args)?;
        emit(&ctx.accounts.event_authority, &*event)?;
        profits.hold(&ctx.accounts.venue(&[&ctx.accounts.trader], listed.makers))
    }

    /// Cancels the order `replaced` and places another in its stead.
    ///
    /// # Errors
    /// `OrderNotFound` when it has been filled or cancelled; those of [`Self::handle`].
    pub fn handle_replace(
        ctx: Context<'info, Self>,
        replaced: OrderRef,
        args: PlaceOrderArgs,
    ) -> Result<()> {
        let listed = Listed::of(ctx.remaining_accounts)?;
        let (event, profits) = ctx.accounts.place(listed, Some(replaced), &args)?;
        emit(&ctx.accounts.event_authority, &*event)?;
        profits.hold(&ctx.accounts.venue(&[&ctx.accounts.trader], listed.makers))
    }

    #[inline(never)]
    fn place(
        &self,
        listed: Listed<'_, 'info>,
        replaced: Option<OrderRef>,
        args: &PlaceOrderArgs,
    ) -> Result<(Box<OrderPlaced>, Profits)> {
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let paused = if args.reduce_only {
            PAUSE_TRADE
        } else {
            PAUSE_TRADE | PAUSE_OPEN
        };
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(paused, clock.slot)?;
        listed.check_makers()?;
        let touched = touch(&mut market, &self.price, Action::Open, &clock, pauses)?;
        let mut taker = Taker::load(&mut trader, self.trader.key(), &key, &market)?;
        let queues = self.queues(&market, args)?;
        let book = MarketBook::load(&market, &self.book)?;
        let matching = Matching::new(key, &market, &queues, listed, &touched, &clock, true);
        let mut matched = self.work(
            &market, &book, &mut taker, matching, replaced, args, &touched,
        )?;

        let party = taker.store(&mut trader, &key, &mut matched.changes)?;
        matched.book(&mut market, &book)?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        let profits = matched.changes.profits();
        let matched = matched.placed(key, self.trader.key(), &touched);
        Ok((taker.placed(args, party, matched), profits))
    }

    /// The market's queues; none where a post-only order goes without.
    fn queues(&self, market: &Market, args: &PlaceOrderArgs) -> Result<MarketQueues<'_, 'info>> {
        match (&self.queue_long, &self.queue_short) {
            (Some(long), Some(short)) => MarketQueues::load(market, long, short),
            (None, None) if args.kind == OrderKind::PostOnly => Ok(MarketQueues::NONE),
            _ => Err(error!(BallastError::QueuesMissing)),
        }
    }

    /// The accounts that holding profit needs.
    fn venue<'a>(
        &'a self,
        named: &'a [&'a AccountLoader<'info, Trader>],
        listed: &'info [AccountInfo<'info>],
    ) -> Venue<'a, 'info> {
        Venue {
            market: &self.market,
            queues: self.queue_long.as_deref().zip(self.queue_short.as_deref()),
            named,
            listed,
            event_authority: &self.event_authority,
        }
    }

    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn work<'q>(
        &self,
        market: &Market,
        book: &MarketBook,
        taker: &mut Taker,
        mut matching: Box<Matching<'_, 'q, 'info>>,
        replaced: Option<OrderRef>,
        args: &PlaceOrderArgs,
        touched: &Touched,
    ) -> Result<Matched<'q, 'info>> {
        let order = TakerOrder::of(args);
        book.write(|book| {
            if let Some(replaced) = replaced {
                let node = replaced.find(&book.as_ref(), &taker.own)?;
                taker.cancel(market, book, node)?;
            }
            taker.work(book, market, touched, &mut matching, &order)
        })?;
        let (before, after) = (
            market.open_interest_lots,
            taker.open_interest(&matching.changes)?,
        );
        let (params, mode) = (market.params(), market.mode());
        check_open_interest(params, &touched.mark, mode, before, after).or_ballast()?;
        Ok(matching.done())
    }
}
