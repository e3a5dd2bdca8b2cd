//! An order of a leg: it takes orders of the book, by which the leg is opened, enlarged, made smaller, turned round or
//! closed, and waits in the book with what is left.

use anchor_lang::prelude::*;
use ballast_engine::{cross::LegTerms, oracle::Action};
use ballast_state::{
    cross::Scene,
    error::BallastError,
    events::{LegTraded, OrderPlaced},
    exchange::{Exchange, PAUSE_OPEN, PAUSE_TRADE},
    market::Market,
    order_args::PlaceOrderArgs,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::leg_taker::LegTaker;
use crate::loaders::{
    board_account::BoardAccount, book_account::MarketBook, current::Current,
    queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{require, OrBallast},
    instructions::{
        matching::{Listed, Matching},
        profit::{require_not_held, Profits},
        taker::TakerOrder,
    },
    oracle::touch,
};

/// Accounts of `trade_leg`. The remaining accounts are cross queues, writable: those of the leg's side before and
/// after, and those of the account's other legs whose records have to be renewed; then the makers as for
/// `place_order`.
#[event_cpi]
#[derive(Accounts)]
pub struct TradeLeg<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the leg.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> TradeLeg<'info> {
    /// Trades with the orders of the listed makers, best first, and leaves the rest of a limit order in the book. The
    /// pool takes what the trade realises and pays the fee. Who opens, enlarges or turns round a leg holds what
    /// opening needs afterwards; who makes it smaller is no less healthy than before, and at a price worse than a
    /// liquidation's holds what opening needs. What an order reserves is free collateral, and what that lacks comes
    /// out of the pool, which then holds what opening needs.
    ///
    /// # Errors
    /// Those of `place_order`; `CrossDisabled`, `CrossTooManyLegs`, `CrossLegThere` beside an isolated position,
    /// `NothingFilled` where nothing waits either, `CrossBelowInitial`, `CrossDepositStays`, `CrossMarkStale`,
    /// `CrossMarkFrozen`, `CrossQueueMissing`, `CrossRecordStale`; `ProfitIsHeld` for a profit in a market that is
    /// short.
    pub fn handle(ctx: Context<'info, Self>, args: PlaceOrderArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        let listed = Listed::beside(&accounts.board, ctx.remaining_accounts)?;
        let (placed, traded, profits) = accounts.trade(listed, &args)?;
        emit(&accounts.event_authority, &*placed)?;
        if let Some(traded) = traded {
            emit(&accounts.event_authority, &*traded)?;
        }
        profits.hold(&accounts.venue(&[], listed.makers))
    }

    #[inline(never)]
    fn trade(
        &self,
        listed: Listed<'_, 'info>,
        args: &PlaceOrderArgs,
    ) -> Result<(Box<OrderPlaced>, Option<Box<LegTraded>>, Profits)> {
        let clock = Clock::get()?;
        let paused = if args.reduce_only {
            PAUSE_TRADE
        } else {
            PAUSE_TRADE | PAUSE_OPEN
        };
        let exchange = self.exchange.current()?;
        let pauses = exchange.require_not_paused(paused, clock.slot)?;
        listed.check_makers()?;
        let board = BoardAccount::load(&self.board)?.read()?;
        let (key, mut market) = (self.market.key(), self.market.current_mut()?);
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        board.place(&market)?;
        let touched = touch(&mut market, &self.price, Action::Open, &clock, pauses)?;
        let positions = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let terms = LegTerms::of(market.params());
        let leg_taker = LegTaker {
            queues: &listed.queues,
            scene: Scene {
                key,
                touched: &touched,
                terms: &terms,
                board: &board,
                slot: clock.slot,
            },
        };
        let leg = leg_taker.scene.leg_before(&mut trader)?;
        let mut taker = leg_taker.taker(self.trader.key(), &trader, &leg)?;
        let matching = Matching::new(key, &market, &positions, listed, &touched, &clock, true);
        let order = TakerOrder::of(args);
        let (mut matched, trade) =
            leg_taker.match_book(&market, &book, &leg, matching, &mut taker, &order)?;
        let done = taker.filled > 0 || taker.resting > 0;
        require!(done, BallastError::NothingFilled);
        let traded = leg_taker.store(&mut trader, &leg, &taker, &trade, &mut matched)?;
        matched.book(&mut market, &book)?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        let profits = matched.changes.profits();
        if let Some(trade) = &trade {
            let profit = trade.profit().or_ballast()?;
            require_not_held(&market, &positions, &profits, profit, clock.slot)?;
        }
        let matched = matched.placed(key, taker.trader, &touched);
        Ok((taker.placed(args, None, matched), traded, profits))
    }
}
