//! A leg takes orders of the book: it is opened, enlarged, made smaller, turned round or closed.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{LegTerms, LegTrade, Values},
    descent::take,
    distress::Distress,
    oracle::Action,
    order::{check, OrderKind, SelfTrade},
    position::Position,
    units::Side,
};
use ballast_state::{
    cross::{Legs, Scene},
    error::BallastError,
    events::{LegTraded, OrderPlaced},
    exchange::{Exchange, PAUSE_OPEN, PAUSE_TRADE},
    market::Market,
    order_args::TradeLegArgs,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::records::{check_interest, renew, store, LegChange};
use crate::loaders::{
    board_account::BoardAccount, book_account::MarketBook, cross_queues::CrossQueues,
    current::Current, queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    instructions::{
        matching::{check_makers, Matched, Matching, Orders},
        profit::{market_shortfall, Profits},
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
    /// Trades with the orders of the listed makers, best first; what they do not take is dropped. The pool takes
    /// what the trade realises and pays the fee. Who opens, enlarges or turns round a leg holds what opening
    /// needs afterwards; who makes it smaller is no less healthy than before, and at a price worse than a
    /// liquidation's holds what opening needs.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `Paused`, `TooManyMakers`, `CrossDisabled`, `CrossTooManyLegs`, `CrossLegThere` beside
    /// an isolated position, the `Price...` errors, those of [`check`], `NotFilled`, `PositionTooLarge`,
    /// `PositionTooSmall`, `NothingFilled`, `OpenInterestLimit`, `CrossBelowInitial`, `CrossMarkStale`, `CrossMarkFrozen`,
    /// `CrossQueueMissing`, `CrossRecordStale`, `QueueFull`, `MakerForeign`; `ProfitIsHeld` for a profit in a
    /// market that is short.
    pub fn handle(ctx: Context<'info, Self>, args: TradeLegArgs) -> Result<()> {
        let (queues, makers) = CrossQueues::split(ctx.remaining_accounts)?;
        let accounts = &ctx.accounts;
        let (placed, traded, profits) = accounts.trade(&queues, makers, &args)?;
        emit(&accounts.event_authority, &*placed)?;
        emit(&accounts.event_authority, &*traded)?;
        profits.hold(&accounts.venue(&[], makers))
    }

    #[inline(never)]
    fn trade(
        &self,
        queues: &CrossQueues<'info>,
        makers: &'info [AccountInfo<'info>],
        args: &TradeLegArgs,
    ) -> Result<(Box<OrderPlaced>, Box<LegTraded>, Profits)> {
        let clock = Clock::get()?;
        let paused = if args.reduce_only {
            PAUSE_TRADE
        } else {
            PAUSE_TRADE | PAUSE_OPEN
        };
        let exchange = self.exchange.current()?;
        let pauses = exchange.require_not_paused(paused, clock.slot)?;
        check_makers(makers)?;
        let board = BoardAccount::load(&self.board)?.read()?;
        let (key, mut market) = (self.market.key(), self.market.current_mut()?);
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        board.place(&market)?;
        let touched = touch(&mut market, &self.price, Action::Open, &clock, pauses)?;
        let positions = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let terms = LegTerms::of(market.params());
        let taker = LegTaker {
            trader: self.trader.key(),
            queues,
            scene: Scene {
                key,
                touched: &touched,
                terms: &terms,
                board: &board,
                slot: clock.slot,
            },
        };
        let leg = taker.leg(&mut trader)?;
        let now = clock.unix_timestamp;
        let matching = Matching::new(key, &market, &positions, makers, &touched, now, true);
        let (mut matched, lots) = taker.match_book(&market, &book, &leg, matching, args)?;
        let filled = matched.taken.lots;
        require!(filled > 0, BallastError::NothingFilled);
        let side = args.side.into();
        let (traded, profit) = taker.settle(&mut market, &mut trader, &leg, &mut matched, side)?;
        matched.book(&mut market, &book)?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        let profits = matched.changes.profits();
        taker.require_not_held(&market, &positions, &profits, profit)?;
        let placed = OrderPlaced {
            side: args.side,
            kind: args.kind.into(),
            reduce_only: args.reduce_only,
            price_ticks: args.price_ticks,
            lots,
            filled_lots: filled,
            dropped_lots: lots.wrapping_sub(filled),
            ..matched.placed(key, taker.trader, &touched)
        };
        Ok((Box::new(placed), traded, profits))
    }
}

/// A leg before it trades.
struct LegBefore<'a> {
    /// Index of its slot.
    index: usize,
    /// The account's legs, and the place of this one among them.
    legs: Legs<'a>,
    place: usize,
    /// The leg, funding as stored.
    position: Position,
    /// How the account stands.
    values: Values,
}

/// Whose leg trades, and where.
struct LegTaker<'a, 'info> {
    trader: Pubkey,
    queues: &'a CrossQueues<'info>,
    scene: Scene<'a>,
}

impl<'a> LegTaker<'a, '_> {
    /// The leg, claimed where there is none.
    #[inline(never)]
    fn leg(&self, trader: &mut Trader) -> Result<Box<LegBefore<'a>>> {
        let index = trader.leg_or_claim(&self.scene.key)?;
        let legs = self.scene.valued(trader)?;
        let place = legs.place_of(index)?;
        let account = legs.account();
        let leg = account.legs.get(place);
        let leg = leg.ok_or_else(|| error!(BallastError::NoPosition))?;
        Ok(Box::new(LegBefore {
            index,
            place,
            position: leg.position,
            values: account.values().or_ballast()?,
            legs,
        }))
    }

    /// Works the order off; what was done, and the order's lots.
    #[inline(never)]
    fn match_book<'q, 'i>(
        &self,
        market: &Market,
        book: &MarketBook,
        leg: &LegBefore,
        mut matching: Box<Matching<'_, 'q, 'i>>,
        args: &TradeLegArgs,
    ) -> Result<(Matched<'q, 'i>, u64)> {
        let request = args.request();
        let rules = market.order_rules(&self.scene.touched.mark, matching.now());
        let terms = check(&rules, &leg.position, &request).or_ballast()?;
        let taken = book.write(|book| {
            let mut orders = Orders {
                trader: &self.trader,
                book,
                matching: &mut matching,
            };
            take(&request, &terms, SelfTrade::Abort, &mut orders)
        })?;
        let whole = taken.left == 0 || request.kind != OrderKind::FillOrKill;
        require!(whole, BallastError::NotFilled);
        Ok((matching.done(), terms.lots))
    }

    /// Settles the fills: the leg, the pool, the queues, and whether the account may stand. The profit, atoms.
    #[inline(never)]
    fn settle(
        &self,
        market: &mut Market,
        trader: &mut Trader,
        leg: &LegBefore,
        matched: &mut Matched,
        side: Side,
    ) -> Result<(Box<LegTraded>, u64)> {
        let pool = trader.cross_pool;
        let (before, index) = (&leg.position, leg.index);
        let trade = self.decide(market, leg, matched, side)?;
        matched.changes.enter_pool(pool);
        trader.cross_pool = trade.pool.get();
        let distress = match trade.reduced_only {
            true => trader.leg(&self.scene.key)?.distress(),
            false => Distress::NONE,
        };
        let change = LegChange {
            index,
            after: &trade.position,
            funding_index: self.scene.touched.funding_index,
            distress,
        };
        let (changes, queues) = (&mut matched.changes, self.queues);
        let written = store(changes, market, &self.scene.key, trader, queues, &change)?;
        matched.changes.leave_pool(trader.cross_pool);
        let values = self
            .scene
            .check_traded(trader, written.index, &leg.values, &trade)?;
        renew(
            &self.trader,
            trader,
            self.scene.board,
            queues,
            written,
            self.scene.slot,
        )?;
        let event = LegTraded {
            market: self.scene.key,
            trader: self.trader,
            lots_before: before.lots.get(),
            lots_after: trade.position.lots.get(),
            entry_quote_after: trade.position.entry_quote.get(),
            realized: trade.realized.get(),
            funding: trade.funding.get(),
            fee: trade.fee,
            pool_before: pool,
            pool_after: trader.cross_pool,
            equity_atoms: values.equity.get(),
            requirement_atoms: values.requirement,
        };
        Ok((Box::new(event), trade.profit().or_ballast()?))
    }

    /// What the fills make of the leg and the pool, within the limits of the market.
    #[inline(never)]
    fn decide(
        &self,
        market: &Market,
        leg: &LegBefore,
        matched: &Matched,
        side: Side,
    ) -> Result<Box<LegTrade>> {
        let at = (&leg.legs, leg.place);
        let gained = (matched.collected, matched.changes.open_interest());
        let taken = &matched.taken;
        let trade = self.scene.taken(market, at, side, taken, gained)?;
        let after = &trade.position;
        let (board, queues) = (self.scene.board, self.queues);
        check_interest(board, market, &self.scene.key, queues, &leg.position, after)?;
        Ok(trade)
    }

    /// A profit that the market could not pay out stays where it is: the pool cannot hold it back.
    #[inline(never)]
    fn require_not_held(
        &self,
        market: &Market,
        queues: &MarketQueues,
        profits: &Profits,
        profit: u64,
    ) -> Result<()> {
        let Some(prices) = profits.prices.filter(|_| profit > 0) else {
            return Ok(());
        };
        let short_of = market_shortfall(market, queues, prices, self.scene.slot)?;
        require!(short_of == 0, BallastError::ProfitIsHeld);
        Ok(())
    }
}
