//! A leg takes orders of the book: it is opened, enlarged, made smaller, turned round or closed.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::Book,
    cross::{LegTerms, LegTrade, Values},
    descent::{take, BestOrder, Makers, MakersAndOwn, Met},
    distress::Distress,
    oracle::Action,
    order::{check, OrderKind, SelfTrade},
    position::Position,
    units::{Atoms, Side},
    EngineError,
};
use ballast_state::{
    cross::Scene,
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
        matching::{check_makers, Matched, Matching},
        position_change::PositionChanges,
        profit::{require_not_held, Profits},
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
        let trade = taker.decide(&market, &trader, &leg, &matched, side)?;
        let profit = trade.profit().or_ballast()?;
        let changes = &mut matched.changes;
        let traded = taker.settle(&mut market, &mut trader, &leg, changes, &trade)?;
        matched.book(&mut market, &book)?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        let profits = matched.changes.profits();
        require_not_held(&market, &positions, &profits, profit, clock.slot)?;
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
pub struct LegBefore {
    /// Index of its slot.
    pub index: usize,
    /// What it claims, funding as stored.
    pub position: Position,
    /// How the account stands.
    pub values: Values,
}

/// Whose leg trades, and where.
pub struct LegTaker<'a, 'info> {
    /// The trader account.
    pub trader: Pubkey,
    /// The cross queues that are listed.
    pub queues: &'a CrossQueues<'info>,
    /// The market.
    pub scene: Scene<'a>,
}

impl LegTaker<'_, '_> {
    /// The leg, claimed where there is none.
    #[inline(never)]
    pub fn leg(&self, trader: &mut Trader) -> Result<Box<LegBefore>> {
        let index = trader.leg_or_claim(&self.scene.key)?;
        let values = self.scene.valued(trader)?.account().values();
        let slot = trader.positions.get(index);
        let slot = slot.ok_or_else(|| error!(BallastError::NoFreeSlot))?;
        Ok(Box::new(LegBefore {
            index,
            position: slot.leg_claim()?,
            values: values.or_ballast()?,
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

    /// Writes what a trade makes of the leg and the pool, and checks whether the account may stand.
    #[inline(never)]
    pub fn settle(
        &self,
        market: &mut Market,
        trader: &mut Trader,
        leg: &LegBefore,
        changes: &mut PositionChanges,
        trade: &LegTrade,
    ) -> Result<Box<LegTraded>> {
        let pool = trader.cross_pool;
        let (before, index) = (&leg.position, leg.index);
        changes.enter_pool(pool);
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
        let written = store(
            changes,
            market,
            &self.scene.key,
            trader,
            self.queues,
            &change,
        )?;
        changes.leave_pool(trader.cross_pool);
        let values = self
            .scene
            .check_traded(trader, written.index, &leg.values, trade)?;
        renew(
            &self.trader,
            trader,
            self.scene.board,
            self.queues,
            written,
            self.scene.slot,
        )?;
        Ok(Box::new(LegTraded {
            market: self.scene.key,
            trader: self.trader,
            lots_before: before.lots.get(),
            lots_after: trade.position.lots.get(),
            entry_quote_after: trade.position.entry_quote.get(),
            realized: trade.realized.get(),
            funding: trade.funding.get(),
            fee: Atoms::from_unsigned(trade.fee).or_ballast()?.get(),
            pool_before: pool,
            pool_after: trader.cross_pool,
            equity_atoms: values.equity.get(),
            requirement_atoms: values.requirement,
        }))
    }

    /// What the fills make of the leg and the pool, within the limits of the market.
    #[inline(never)]
    fn decide(
        &self,
        market: &Market,
        trader: &Trader,
        leg: &LegBefore,
        matched: &Matched,
        side: Side,
    ) -> Result<Box<LegTrade>> {
        let open = matched.changes.open_interest();
        let trade = self.scene.taken(
            market,
            trader,
            leg.index,
            side,
            &matched.taken,
            (matched.collected, open),
        )?;
        let after = &trade.position;
        let (board, queues) = (self.scene.board, self.queues);
        check_interest(board, market, &self.scene.key, queues, &leg.position, after)?;
        Ok(trade)
    }
}

/// The orders of the book; none is the taker's own, who has a leg in the market.
struct Orders<'s, 'b, 'a, 'q, 'info> {
    trader: &'s Pubkey,
    book: &'s mut Book<'b>,
    matching: &'s mut Matching<'a, 'q, 'info>,
}

impl Makers for Orders<'_, '_, '_, '_, '_> {
    type Error = Error;

    fn refused(error: EngineError) -> Error {
        BallastError::from(error).into()
    }

    fn best(&mut self, side: Side) -> Result<Option<BestOrder>> {
        self.matching.best(self.book, side, self.trader)
    }

    fn meet(&mut self, node: u32, most: u64) -> Result<Met> {
        self.matching.meet(self.book, node, most)
    }
}

impl MakersAndOwn for Orders<'_, '_, '_, '_, '_> {
    fn cancel_own(&mut self, _node: u32, _lots: Option<u64>) -> Result<()> {
        Err(error!(BallastError::SelfTrade))
    }
}
