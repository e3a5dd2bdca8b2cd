//! An order of a leg: it takes orders of the book, by which the leg is opened, enlarged, made smaller, turned round or
//! closed, and waits in the book with what is left.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{LegTerms, LegTrade, Values},
    distress::Distress,
    oracle::Action,
    position::Position,
    trade::PartyOutcome,
    units::{Atoms, Side},
};
use ballast_state::{
    cross::{Legs, Scene},
    error::BallastError,
    events::{LegTraded, OrderPlaced},
    exchange::{Exchange, PAUSE_OPEN, PAUSE_TRADE},
    market::Market,
    order_args::PlaceOrderArgs,
    position_slot::PositionSlot,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::records::{check_interest, renew, store, LegChange, Written};
use crate::loaders::{
    board_account::BoardAccount, book_account::MarketBook, cross_queues::CrossQueues,
    current::Current, queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    instructions::{
        matching::{Listed, Matched, Matching},
        position_change::PositionChanges,
        profit::{require_not_held, Profits},
        taker::{Taker, TakerOrder},
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
        let leg = leg_taker.leg(&mut trader)?;
        let mut taker = leg_taker.taker(self.trader.key(), &trader, &leg)?;
        let matching = Matching::new(key, &market, &positions, listed, &touched, &clock, true);
        let (mut matched, trade) =
            leg_taker.match_book(&market, &book, &leg, matching, &mut taker, args)?;
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

/// A leg before it trades.
pub struct LegBefore<'a> {
    /// Index of its slot.
    pub index: usize,
    /// The account's legs.
    pub legs: Legs<'a>,
    /// The place of this one among them.
    pub place: usize,
    /// The leg, funding as stored.
    pub position: Position,
    /// How the account stands.
    pub values: Values,
}

/// Where a leg trades.
pub struct LegTaker<'a, 'info> {
    /// The cross queues that are listed.
    pub queues: &'a CrossQueues<'info>,
    /// The market.
    pub scene: Scene<'a>,
}

impl<'a> LegTaker<'a, '_> {
    /// The leg, claimed where there is none.
    ///
    /// # Errors
    /// Those of [`Trader::leg_or_claim`] and [`Scene::valued`].
    #[inline(never)]
    pub fn leg(&self, trader: &mut Trader) -> Result<Box<LegBefore<'a>>> {
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

    fn taker(&self, key: Pubkey, trader: &Trader, leg: &LegBefore) -> Result<Box<Taker>> {
        let slot = trader.positions.get(leg.index);
        let slot = slot.ok_or_else(|| error!(BallastError::NoPosition))?;
        let mut taker = Taker::new(key, trader.free(), slot, leg.position);
        taker.pool_backs = true;
        Ok(taker)
    }

    /// Works the order off; what was done, and what the fills make of the leg.
    #[inline(never)]
    fn match_book<'q, 'i>(
        &self,
        market: &Market,
        book: &MarketBook,
        leg: &LegBefore,
        mut matching: Box<Matching<'_, 'q, 'i>>,
        taker: &mut Taker,
        args: &PlaceOrderArgs,
    ) -> Result<(Matched<'q, 'i>, Option<Box<LegTrade>>)> {
        let order = TakerOrder::of(args);
        let touched = self.scene.touched;
        let mut trade = None;
        let settle = &mut |taker: &mut Taker, matching: &mut Matching| {
            let made = self.decide(market, leg, matching, order.request.side)?;
            taker.party = Some(PartyOutcome {
                position: made.position,
                free: taker.free,
                fee: Atoms::ZERO,
                realized: made.realized,
                released: Atoms::ZERO,
                margin_added: 0,
                reduced_only: made.reduced_only,
            });
            trade = Some(made);
            Ok(())
        };
        book.write(|book| taker.work_with(book, market, touched, &mut matching, &order, settle))?;
        let done = taker.filled > 0 || taker.resting > 0;
        require!(done, BallastError::NothingFilled);
        Ok((matching.done(), trade))
    }

    /// Writes what became of the leg, its orders, the pool, free collateral and the records, where the account may
    /// stand then.
    #[inline(never)]
    fn store(
        &self,
        trader: &mut Trader,
        leg: &LegBefore,
        taker: &Taker,
        trade: &Option<Box<LegTrade>>,
        matched: &mut Matched,
    ) -> Result<Option<Box<LegTraded>>> {
        let (scene, pool) = (&self.scene, trader.cross_pool);
        let _ = matched
            .changes
            .enter(trader.free(), trader.reserve_in(&scene.key));
        matched.changes.enter_pool(pool);
        trader.any_mut(&scene.key)?.store_own_orders(&taker.own);
        trader.free = taker.free.get();
        let (written, event) = match trade {
            Some(trade) => {
                trader.cross_pool = trade.pool.get();
                trader.pool_out(taker.from_pool, scene.slot)?;
                let changes = &mut matched.changes;
                let (written, event) = self.store_trade(trader, leg, trade, changes, pool)?;
                (Some(written), Some(event))
            }
            None if taker.from_pool > 0 => {
                trader.pool_out(taker.from_pool, scene.slot)?;
                (Some(Written::NONE), None)
            }
            None => (None, None),
        };
        if taker.from_pool > 0 {
            scene.check_opening(trader)?;
        }
        if let Some(written) = written {
            let (board, slot) = (scene.board, scene.slot);
            renew(&taker.trader, trader, board, self.queues, written, slot)?;
        }
        matched.changes.leave_leg(trader)?;
        Ok(event.map(|event| {
            Box::new(LegTraded {
                trader: taker.trader,
                ..event
            })
        }))
    }

    /// Writes the leg, where its account, whose pool was `pool` and is written, may stand. Whose it is the event
    /// does not say.
    ///
    /// # Errors
    /// Those of [`store`] and [`Scene::check_traded`].
    #[inline(never)]
    pub fn store_trade(
        &self,
        trader: &mut Trader,
        leg: &LegBefore,
        trade: &LegTrade,
        changes: &mut PositionChanges,
        pool: i64,
    ) -> Result<(Written, LegTraded)> {
        let scene = &self.scene;
        let slot = trader.positions.get(leg.index);
        let distress = match trade.reduced_only {
            true => slot.map_or(Distress::NONE, PositionSlot::distress),
            false => Distress::NONE,
        };
        let change = LegChange {
            index: leg.index,
            after: &trade.position,
            funding_index: scene.touched.funding_index,
            distress,
        };
        let written = store(changes, &scene.key, trader, self.queues, &change)?;
        let values = scene.check_traded(trader, written.index, &leg.values, trade)?;
        let event = LegTraded {
            market: scene.key,
            trader: Pubkey::default(),
            lots_before: leg.position.lots.get(),
            lots_after: trade.position.lots.get(),
            entry_quote_after: trade.position.entry_quote.get(),
            realized: trade.realized.get(),
            funding: trade.funding.get(),
            fee: Atoms::from_unsigned(trade.fee).or_ballast()?.get(),
            pool_before: pool,
            pool_after: trader.cross_pool,
            equity_atoms: values.equity.get(),
            requirement_atoms: values.requirement,
        };
        Ok((written, event))
    }

    /// What the fills make of the leg and the pool, within the limits of the market.
    #[inline(never)]
    fn decide(
        &self,
        market: &Market,
        leg: &LegBefore,
        matching: &Matching,
        side: Side,
    ) -> Result<Box<LegTrade>> {
        let at = (&leg.legs, leg.place);
        let open_interest = matching.changes.open_interest();
        let taken = &matching.taken;
        let trade = self.scene.taken(market, at, side, taken, open_interest)?;
        let after = &trade.position;
        let (board, queues) = (self.scene.board, self.queues);
        check_interest(board, market, &self.scene.key, queues, &leg.position, after)?;
        Ok(trade)
    }
}
