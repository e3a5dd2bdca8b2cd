//! A trade that a taker and a maker negotiated and both signed, of whom one or both trade a leg.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{limits, LegTerms, LegTrade},
    oracle::Now,
    trade::TradeTerms,
    units::{Lots, Side, Ticks},
};
use ballast_state::{
    cross::{BlockDone, BlockOutcome, BlockParty, CrossBoard, LegBefore, Scene},
    error::BallastError,
    events::{CrossBlockTraded, LegTraded, OrdersCancelled, PartyTraded},
    exchange::Exchange,
    instructions::BlockTradeCrossArgs,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::{leg_taker::LegTaker, records::renew};
use crate::loaders::{
    board_account::BoardAccount, book_account::MarketBook, cross_queues::CrossQueues,
    current::Current, queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{error, OrBallast},
    instructions::{
        position_change::PositionChanges,
        profit::{require_not_held, Profits},
        trader::block_trade::{touch_for, Cuts, Party},
    },
};

/// Accounts of `block_trade_cross`. The remaining accounts are cross queues, writable: those of the sides of the
/// parties' legs before and after, and those of their other legs whose records have to be renewed.
#[event_cpi]
#[derive(Accounts)]
pub struct BlockTradeCross<'info> {
    /// Owner of the taker, or its delegate where that may block-trade.
    pub taker_authority: Signer<'info>,
    /// Owner of the maker, or its delegate where that may block-trade.
    pub maker_authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The taker.
    #[account(mut)]
    pub taker: AccountLoader<'info, Trader>,
    /// The maker.
    #[account(mut, constraint = maker.key() != taker.key() @ BallastError::TradersNotDistinct)]
    pub maker: AccountLoader<'info, Trader>,
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
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> BlockTradeCross<'info> {
    /// Trades at the agreed price as `block_trade` does, but that a party with a leg in the market, or whose
    /// arguments say so, trades that: its pool takes what is realised and pays the fee, in full, and afterwards
    /// the account holds what it must after a trade with the book.
    ///
    /// # Errors
    /// Those of [`BlockTrade::handle`](crate::BlockTrade::handle); `CrossDisabled`, `CrossLegThere` for a leg
    /// beside an isolated position, `CrossTooManyLegs`, `CrossBelowInitial`, `CrossMarkStale`, `CrossMarkFrozen`,
    /// `CrossQueueMissing`, `CrossRecordStale`; `ProfitIsHeld` for a leg's profit in a market that is short.
    pub fn handle(ctx: Context<'info, Self>, args: BlockTradeCrossArgs) -> Result<()> {
        let (queues, _) = CrossQueues::split(ctx.remaining_accounts)?;
        let accounts = &ctx.accounts;
        let (written, event) = accounts.trade(&queues, &args)?;
        emit(&accounts.event_authority, &*event)?;
        for leg in written.legs {
            emit(&accounts.event_authority, &leg)?;
        }
        for cut in written.cuts {
            emit(&accounts.event_authority, &cut)?;
        }
        let parties = [&accounts.taker, &accounts.maker];
        written.profits.hold(&accounts.venue(&parties, &[]))
    }

    #[inline(never)]
    fn trade(
        &self,
        queues: &CrossQueues<'info>,
        args: &BlockTradeCrossArgs,
    ) -> Result<(Written, Box<CrossBlockTraded>)> {
        let terms = TradeTerms {
            lots: Lots::new(args.trade.lots).or_ballast()?,
            price: Ticks::new(args.trade.price_ticks),
        };
        let board = BoardAccount::load(&self.board)?.read()?;
        let (key, mut market) = (self.market.key(), self.market.current_mut()?);
        let mut taker = self.taker.current_mut()?;
        let mut maker = self.maker.current_mut()?;
        taker.require_block_authority(self.taker_authority.key)?;
        maker.require_block_authority(self.maker_authority.key)?;
        board.place(&market)?;
        let before = [taker.held_in(&key)?, maker.held_in(&key)?];
        let (touched, moment) = touch_for(
            &mut market,
            &self.exchange,
            &self.price,
            &before,
            terms.lots,
        )?;
        let floor = Floor {
            scene: Scene {
                key,
                touched: &touched,
                terms: &LegTerms::of(market.params()),
                board: &board,
                slot: moment.0.slot,
            },
            queues,
            positions: &MarketQueues::load(&market, &self.queue_long, &self.queue_short)?,
            book: &MarketBook::load(&market, &self.book)?,
        };
        let keys = [self.taker.key(), self.maker.key()];
        let leg = [args.taker_leg, args.maker_leg];
        let margin = [args.trade.taker_margin, args.trade.maker_margin];
        let parties = [
            floor.enter(&market, &mut taker, leg[0], margin[0])?,
            floor.enter(&market, &mut maker, leg[1], margin[1])?,
        ];
        let done = floor.decide(&market, &parties, &terms, moment)?;
        let traders = [&mut *taker, &mut *maker];
        let written = floor.write(&mut market, traders, &keys, &parties, &done, &terms)?;
        let event = Box::new(CrossBlockTraded {
            market: key,
            taker: keys[0],
            maker: keys[1],
            lots: args.trade.lots,
            price_ticks: args.trade.price_ticks,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            open_interest_after: market.open_interest_lots,
            taker_fee: done.taker.fee().get(),
            maker_fee: done.maker.fee().get(),
            isolated: written.isolated.clone(),
        });
        Ok((written, event))
    }
}

/// A party before the trade.
enum Before<'a> {
    /// Isolated.
    Isolated(Box<Party>),
    /// A leg.
    Leg(Box<LegBefore<'a>>),
}

/// What was written, to be announced.
#[derive(Default)]
struct Written {
    isolated: Vec<PartyTraded>,
    legs: Vec<LegTraded>,
    cuts: Vec<OrdersCancelled>,
    profits: Profits,
}

/// Where the trade takes place.
struct Floor<'a, 'info> {
    scene: Scene<'a>,
    queues: &'a CrossQueues<'info>,
    positions: &'a MarketQueues<'a, 'info>,
    book: &'a MarketBook<'a, 'info>,
}

impl<'a, 'info> Floor<'a, 'info> {
    /// A party as the call finds it, with a slot in the market; `leg` says that it trades one where it has nothing.
    #[inline(never)]
    fn enter(
        &self,
        market: &Market,
        trader: &mut Trader,
        leg: bool,
        margin: u64,
    ) -> Result<Before<'a>> {
        let market_key = &self.scene.key;
        if leg || trader.find_cross(market_key).is_some() {
            return Ok(Before::Leg(self.scene.leg_before(trader)?));
        }
        let party = Party::load(trader, market_key, market, margin)?;
        Ok(Before::Isolated(Box::new(party)))
    }

    const fn legs(&self) -> LegTaker<'a, 'info> {
        LegTaker {
            queues: self.queues,
            scene: self.scene,
        }
    }

    #[inline(never)]
    fn decide(
        &self,
        market: &Market,
        [taker, maker]: &[Before; 2],
        terms: &TradeTerms,
        moment: (Now, u32),
    ) -> Result<Box<BlockDone>> {
        let parties = (&taker.party(), &maker.party());
        let done = self.scene.block_trade(market, terms, parties, moment);
        done.or_ballast()
    }

    /// Writes both parties, the market and its queues.
    #[inline(never)]
    fn write(
        &self,
        market: &mut Market,
        [taker, maker]: [&mut Trader; 2],
        keys: &[Pubkey; 2],
        [taken, made]: &[Before; 2],
        done: &BlockDone,
        terms: &TradeTerms,
    ) -> Result<Written> {
        let (scene, mut written) = (&self.scene, Written::default());
        let held = self.held()?;
        let mut changes = PositionChanges::open(scene.key, market, self.positions);
        changes = changes.priced(scene.touched);
        let profits = [
            self.store(
                market,
                taker,
                &keys[0],
                taken,
                &done.taker,
                &mut changes,
                &mut written,
            )?,
            self.store(
                market,
                maker,
                &keys[1],
                made,
                &done.maker,
                &mut changes,
                &mut written,
            )?,
        ];
        self.check_interest(market, held)?;
        market.book_fees(done.fees.market, done.fees.insurance)?;
        let price = terms.price.lot_price(market.oracle.atoms_per_lot_tick);
        changes.traded_at(price.or_ballast()?);
        changes.close(market)?;
        market.invariant()?;
        written.profits = changes.profits();
        for profit in profits {
            require_not_held(market, self.positions, &written.profits, profit, scene.slot)?;
        }
        Ok(written)
    }

    /// Writes a party; the profit of a leg, atoms.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn store(
        &self,
        market: &Market,
        trader: &mut Trader,
        key: &Pubkey,
        before: &Before,
        after: &BlockOutcome,
        changes: &mut PositionChanges,
        written: &mut Written,
    ) -> Result<u64> {
        let mut cuts = Cuts {
            market,
            book: self.book,
            made: core::mem::take(&mut written.cuts),
        };
        let profit = match (before, after) {
            (Before::Isolated(party), BlockOutcome::Isolated(outcome)) => {
                let market_key = &self.scene.key;
                let traded = party.store(trader, key, market_key, outcome, changes, &mut cuts)?;
                written.isolated.push(traded);
                0
            }
            (Before::Leg(leg), BlockOutcome::Leg(trade, fee)) => {
                let mut traded = self.store_leg(trader, key, leg, trade, changes, &mut cuts)?;
                traded.fee = fee.get();
                written.legs.push(*traded);
                trade.profit().or_ballast()?
            }
            _ => return Err(error!(BallastError::TraderInvariant)),
        };
        written.cuts = cuts.made;
        Ok(profit)
    }

    /// Writes what became of a leg, its reduce-only orders, the pool and the records, where the account may stand
    /// then.
    #[inline(never)]
    fn store_leg(
        &self,
        trader: &mut Trader,
        key: &Pubkey,
        leg: &LegBefore,
        trade: &LegTrade,
        changes: &mut PositionChanges,
        cuts: &mut Cuts,
    ) -> Result<Box<LegTraded>> {
        let (scene, pool, free) = (&self.scene, trader.cross_pool, trader.free());
        let _ = changes.enter(free, trader.reserve_in(&scene.key));
        changes.enter_pool(pool);
        // Before the slot of a closed leg is freed.
        let slot = trader.any_mut(&scene.key)?;
        cuts.make(key, &scene.key, slot, trade.position.lots, free)?;
        trader.cross_pool = trade.pool.get();
        let (written, event) = self.legs().store_trade(trader, leg, trade, changes, pool)?;
        renew(key, trader, scene.board, self.queues, written, scene.slot)?;
        changes.leave_leg(trader)?;
        Ok(Box::new(LegTraded {
            trader: *key,
            ..event
        }))
    }

    /// Lots that legs hold on either side, where its queue is there: no other side grows.
    #[inline(never)]
    fn held(&self) -> Result<[u64; 2]> {
        let mut held = [0; 2];
        for (held, side) in held.iter_mut().zip([Side::Long, Side::Short]) {
            let key = &self.scene.key;
            if self.queues.has(key, side)? {
                *held = self
                    .queues
                    .read(key, side, |queue| Ok(queue.header().lots))?;
            }
        }
        Ok(held)
    }

    /// Fails where the legs of a side hold more than before the trade, and more than the market allows them.
    #[inline(never)]
    fn check_interest(&self, market: &Market, before: [u64; 2]) -> Result<()> {
        let board: &CrossBoard = self.scene.board;
        let most = board.market(board.place(market)?)?.most_lots;
        for (before, after) in before.into_iter().zip(self.held()?) {
            limits::check_interest(most, before, after).or_ballast()?;
        }
        Ok(())
    }
}

impl Before<'_> {
    /// The party as the engine takes it.
    const fn party(&self) -> BlockParty<'_> {
        match self {
            Self::Isolated(party) => BlockParty::Isolated(party.0),
            Self::Leg(leg) => BlockParty::Leg(&leg.legs, leg.place),
        }
    }
}
