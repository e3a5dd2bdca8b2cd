//! A trade that a taker and a maker negotiated and both signed.

use anchor_lang::prelude::*;
use ballast_engine::{
    oracle::{Action, Now},
    position::Position,
    trade::{self, PartyInput, PartyOutcome, TradeOutcome, TradeTerms},
    units::{Atoms, Lots, Ticks},
};
use ballast_state::{
    error::BallastError,
    events::{BlockTraded, OrdersCancelled, PartyTraded},
    exchange::{Exchange, PAUSE_OPEN, PAUSE_TRADE},
    instructions::BlockTradeArgs,
    market::{Market, Touched},
    position_slot::PositionSlot,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::OrBallast,
    instructions::{
        orders::{cut_reduce_only, record},
        position_change::{Change, PositionChanges, Remembered},
        profit::Profits,
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::{now, touch},
};

/// Accounts of `block_trade`.
#[event_cpi]
#[derive(Accounts)]
pub struct BlockTrade<'info> {
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
}

impl BlockTrade<'_> {
    /// Trades at the agreed price. Either party may open, enlarge, reduce, close or flip.
    ///
    /// # Errors
    /// `Paused`, `NotTraderAuthority`, `DelegateMayNotBlockTrade`, `NoFreeSlot`, the `Price...` errors, the
    /// `Book...` errors,
    /// those of [`trade::block_trade`], `QueueFull`, `BankruptcyPriceOutOfRange`.
    pub fn handle(ctx: Context<Self>, args: BlockTradeArgs) -> Result<()> {
        let (event, cuts, profits) = ctx.accounts.trade(&args)?;
        emit(&ctx.accounts.event_authority, &*event)?;
        for cut in cuts {
            emit(&ctx.accounts.event_authority, &cut)?;
        }
        let parties = [&ctx.accounts.taker, &ctx.accounts.maker];
        profits.hold(&ctx.accounts.venue(&parties, &[]))
    }

    #[inline(never)]
    fn trade(
        &self,
        args: &BlockTradeArgs,
    ) -> Result<(Box<BlockTraded>, Vec<OrdersCancelled>, Profits)> {
        let lots = Lots::new(args.lots).or_ballast()?;
        let market_key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut taker = self.taker.current_mut()?;
        let mut maker = self.maker.current_mut()?;
        taker.require_block_authority(self.taker_authority.key)?;
        maker.require_block_authority(self.maker_authority.key)?;

        let positions = [
            taker.position_in(&market_key)?,
            maker.position_in(&market_key)?,
        ];
        let (touched, _) = touch_for(&mut market, &self.exchange, &self.price, &positions, lots)?;
        let taker_in = Party::load(&mut taker, &market_key, &market, args.taker_margin)?;
        let maker_in = Party::load(&mut maker, &market_key, &market, args.maker_margin)?;
        let outcome = decide(&market, &touched, args, lots, &taker_in.0, &maker_in.0)?;

        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let mut cuts = Cuts {
            market: &market,
            book: &book,
            made: Vec::new(),
        };
        let mut changes = PositionChanges::open(market_key, &market, &queues).priced(&touched);
        let taker_key = self.taker.key();
        let taker_event = taker_in.store(
            &mut taker,
            &taker_key,
            &market_key,
            &outcome.taker,
            &mut changes,
            &mut cuts,
        )?;
        let maker_key = self.maker.key();
        let maker_event = maker_in.store(
            &mut maker,
            &maker_key,
            &market_key,
            &outcome.maker,
            &mut changes,
            &mut cuts,
        )?;
        let cuts = cuts.made;
        market.book_fees(outcome.market_fees, outcome.insurance_fees)?;
        changes.traded_at(market.lot_price(args.price_ticks).or_ballast()?);
        changes.close(&mut market)?;
        market.invariant()?;
        let event = Box::new(BlockTraded {
            market: market_key,
            lots: args.lots,
            price_ticks: args.price_ticks,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            open_interest_after: market.open_interest_lots,
            taker: taker_event,
            maker: maker_event,
        });
        Ok((event, cuts, changes.profits()))
    }
}

/// Reads the price for what the trade of parties with these positions does: a trade that only reduces needs less
/// of it. With it the moment, and the exchange's flags in force.
///
/// # Errors
/// `Paused`, the `Price...` errors.
#[inline(never)]
pub fn touch_for(
    market: &mut Market,
    exchange: &AccountLoader<Exchange>,
    price: &AccountInfo,
    [taker, maker]: &[Position; 2],
    lots: Lots,
) -> Result<(Touched, (Now, u32))> {
    let action = trade::action(taker, maker, lots);
    let paused = match action {
        Action::Reduce => PAUSE_TRADE,
        _ => PAUSE_TRADE | PAUSE_OPEN,
    };
    let clock = Clock::get()?;
    let pauses = exchange.current()?.require_not_paused(paused, clock.slot)?;
    let touched = touch(market, price, action, &clock, pauses)?;
    Ok((touched, (now(&clock), pauses)))
}

/// A party before the trade.
pub struct Party(pub PartyInput);

impl Party {
    /// Claims a slot when there is none and settles funding.
    #[inline(never)]
    pub fn load(
        trader: &mut Trader,
        market_key: &Pubkey,
        market: &Market,
        margin_to_add: u64,
    ) -> Result<Self> {
        let free = trader.free();
        let slot = trader.slot_or_claim(market_key)?;
        Ok(Self(PartyInput {
            position: market.settled(slot)?,
            free,
            margin_to_add,
        }))
    }

    /// Writes the outcome to the trader account, the queues and the book.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    pub fn store(
        &self,
        trader: &mut Trader,
        key: &Pubkey,
        market_key: &Pubkey,
        outcome: &PartyOutcome,
        changes: &mut PositionChanges,
        cuts: &mut Cuts,
    ) -> Result<PartyTraded> {
        let before = &self.0.position;
        let free = trader.free();
        let slot = trader.slot_mut(market_key)?;
        let mut entered = changes.enter(free, slot.order_margin);
        let change = Change {
            trader: key,
            before,
            after: &outcome.position,
            remembered: Remembered::after_trade(outcome.reduced_only),
            stamp: None,
        };
        changes.apply(&mut entered, slot, &change)?;
        cuts.make(key, market_key, slot, outcome.position.lots, outcome.free)?;
        trader.free = outcome.free.get();
        changes.leave(key, trader, &entered, 0)?;
        Ok(PartyTraded {
            trader: *key,
            lots_before: before.lots.get(),
            lots_after: outcome.position.lots.get(),
            entry_quote_after: outcome.position.entry_quote.get(),
            margin_before: before.margin.get(),
            margin_after: outcome.position.margin.get(),
            free_before: self.0.free.get(),
            free_after: outcome.free.get(),
            realized: outcome.realized.get(),
            released: outcome.released.get(),
            margin_added: outcome.margin_added,
            fee: outcome.fee.get(),
        })
    }
}

/// What the parties' reduce-only orders lose because their positions became smaller.
pub struct Cuts<'a, 'info> {
    /// The market.
    pub market: &'a Market,
    /// Its book.
    pub book: &'a MarketBook<'a, 'info>,
    /// What was cut, to be announced.
    pub made: Vec<OrdersCancelled>,
}

impl Cuts<'_, '_> {
    /// Brings a party's reduce-only orders down to the `lots` of its position; `free` is its free collateral
    /// afterwards.
    ///
    /// # Errors
    /// Those of [`cut_reduce_only`].
    #[inline(never)]
    pub fn make(
        &mut self,
        key: &Pubkey,
        market_key: &Pubkey,
        slot: &mut PositionSlot,
        lots: Lots,
        free: Atoms,
    ) -> Result<()> {
        let mut orders = Vec::new();
        cut_reduce_only(self.book, slot, lots, |order| {
            orders.push(record(self.market, order));
        })?;
        if !orders.is_empty() {
            self.made.push(OrdersCancelled {
                market: *market_key,
                trader: *key,
                free_after: free.get(),
                orders,
            });
        }
        Ok(())
    }
}

#[inline(never)]
fn decide(
    market: &Market,
    touched: &Touched,
    args: &BlockTradeArgs,
    lots: Lots,
    taker: &PartyInput,
    maker: &PartyInput,
) -> Result<Box<TradeOutcome>> {
    let terms = TradeTerms {
        lots,
        price: Ticks::new(args.price_ticks),
    };
    let trade_market = market.trade_market(&touched.mark);
    let mark = &touched.mark;
    trade::block_trade(market.params(), mark, &trade_market, &terms, taker, maker)
        .map(Box::new)
        .or_ballast()
}
