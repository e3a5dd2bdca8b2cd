//! A trader who takes orders of the book: an order on its way, or a trigger that fires.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::{Book, NewOrder, OwnOrders},
    descent::{take, BestOrder, Makers, MakersAndOwn, Met, Taken},
    matching::settle_taker,
    order::{check, reserve, resting, OrderKind, OrderRequest, OrderTerms, SelfTrade},
    position::Position,
    trade::{check_opened, PartyInput, PartyOutcome},
    units::{Atoms, Side},
    EngineError,
};
use ballast_state::{
    error::BallastError,
    events::{OrderCancelled, OrderPlaced, PartyTraded},
    market::{Market, Touched},
    order_args::PlaceOrderArgs,
    position_slot::PositionSlot,
    trader::Trader,
};

use super::matching::Matching;
use crate::{
    error::{error, require, OrBallast},
    instructions::{
        orders::record,
        position_change::{Change, PositionChanges, Remembered},
    },
};

/// An order and what goes with it.
pub struct TakerOrder {
    /// What it asks for.
    pub request: OrderRequest,
    /// What happens when it meets the trader's own orders.
    pub self_trade: SelfTrade,
    /// Least collateral for all of its lots, atoms.
    pub margin: u64,
    /// The trader's number for it; 0 none.
    pub client_id: u64,
}

impl TakerOrder {
    /// That of `place_order` and of `trade_leg`.
    pub fn of(args: &PlaceOrderArgs) -> Self {
        Self {
            request: args.request(),
            self_trade: args.self_trade.into(),
            margin: args.margin,
            client_id: args.client_id,
        }
    }
}

/// The trader while its order is worked off. Nothing is written to its account before
/// [`Self::store`].
pub struct Taker {
    /// The trader account.
    pub trader: Pubkey,
    /// Its position before, funding paid.
    pub before: Position,
    /// Its free collateral before, atoms.
    pub free_before: Atoms,
    /// Its free collateral, atoms.
    pub free: Atoms,
    /// Its orders in the market.
    pub own: OwnOrders,
    /// Its own orders that it met, with the lots they lost.
    pub cancelled: Vec<OrderCancelled>,
    /// What its fills made of it; `None` without any. Of a leg, whose margin is the pool, without margin and fee.
    pub party: Option<PartyOutcome>,
    /// Whether the pool gives what free collateral lacks for an order to reserve.
    pub pool_backs: bool,
    /// What it gave, atoms.
    pub from_pool: u64,
    /// Lots of the order, a reduce-only one cut to the position.
    pub lots: u64,
    /// Lots filled.
    pub filled: u64,
    /// Lots that wait in the book.
    pub resting: u64,
    /// Id of the order that waits in the book; 0 when none does.
    pub order_id: u64,
    /// What that order reserves, atoms.
    pub reserved: u64,
    /// Fees of removed orders that it earned, atoms.
    collected: u64,
}

impl Taker {
    /// Claims a slot when there is none and settles funding.
    ///
    /// # Errors
    /// `NoFreeSlot`.
    #[inline(never)]
    pub fn load(
        trader: &mut Trader,
        key: Pubkey,
        market_key: &Pubkey,
        market: &Market,
    ) -> Result<Box<Self>> {
        let free = trader.free();
        let slot = trader.slot_or_claim(market_key)?;
        let before = market.settled(slot)?;
        Ok(Self::new(key, free, slot, before))
    }

    /// With so much free collateral, the orders of `slot`, and the position `before`.
    pub fn new(trader: Pubkey, free: Atoms, slot: &PositionSlot, before: Position) -> Box<Self> {
        Box::new(Self {
            trader,
            before,
            free_before: free,
            free,
            own: slot.own_orders(),
            cancelled: Vec::new(),
            party: None,
            pool_backs: false,
            from_pool: 0,
            lots: 0,
            filled: 0,
            resting: 0,
            order_id: 0,
            reserved: 0,
            collected: 0,
        })
    }

    /// Takes one of the trader's own orders out of the book.
    ///
    /// # Errors
    /// `OrderNotFound`.
    pub fn cancel(&mut self, market: &Market, book: &mut Book, node: u32) -> Result<()> {
        let order = book.remove(node, &mut self.own).or_ballast()?;
        self.free = self.free.try_add_unsigned(order.margin).or_ballast()?;
        self.cancelled.push(record(market, &order));
        Ok(())
    }

    /// Works an order off: trades, settles, and leaves the rest in the book where it may wait.
    ///
    /// # Errors
    /// Those of [`check`] and [`settle_taker`], `DuplicateClientId`, `PostOnlyCrosses`,
    /// `SelfTrade`, `NotFilled`, `TooManyOrders`, `TooManyReduceOnly`, `BookFull`; those of the descent through the book.
    pub fn work(
        &mut self,
        book: &mut Book,
        market: &Market,
        touched: &Touched,
        matching: &mut Matching,
        order: &TakerOrder,
    ) -> Result<()> {
        let settle = &mut |taker: &mut Self, matching: &mut Matching| {
            taker.settle(market, touched, order, matching)
        };
        self.work_with(book, market, touched, matching, order, settle)
    }

    /// The same where `settle` decides what the fills, of which there are some, make of the trader.
    ///
    /// # Errors
    /// Those of [`Self::work`] and of `settle`.
    #[inline(never)]
    pub fn work_with(
        &mut self,
        book: &mut Book,
        market: &Market,
        touched: &Touched,
        matching: &mut Matching,
        order: &TakerOrder,
        settle: &mut dyn FnMut(&mut Self, &mut Matching) -> Result<()>,
    ) -> Result<()> {
        let now = matching.now();
        let request = &order.request;
        let rules = market.order_rules(&touched.mark, now);
        let terms = check(&rules, &self.before, request).or_ballast()?;
        if request.kind.rests() && order.client_id != 0 {
            let known = book.as_ref().find_client(&self.own, order.client_id);
            require!(
                known.or_ballast()?.is_none(),
                BallastError::DuplicateClientId
            );
        }
        self.lots = terms.lots;
        let mut orders = Orders {
            taker: self,
            market,
            book,
            matching,
        };
        let Taken { left, list_ended } = take(request, &terms, order.self_trade, &mut orders)?;
        let whole = left == 0 || request.kind != OrderKind::FillOrKill;
        require!(whole, BallastError::NotFilled);
        self.filled = matching.taken.lots;
        self.collected = matching.collected;
        self.free = self.free.try_add_unsigned(self.collected).or_ballast()?;
        let mut used = 0;
        if self.filled > 0 {
            let taken = &matching.taken;
            used = taken.share_of(order.margin, self.lots).or_ballast()?;
            settle(self, matching)?;
        }
        self.cut_reduce_only(market, book)?;
        if left > 0 && request.kind.rests() && !list_ended {
            let margin = order.margin.checked_sub(used);
            let margin = margin.ok_or_else(|| error!(BallastError::Overflow))?;
            let least = rules.least_worth;
            let lots = self.may_rest(book, request, &terms, left, least)?;
            self.rest(book, market, touched, matching, order, &terms, lots, margin)?;
        }
        match &self.party {
            Some(party) => {
                let (after, reduced) = (&party.position, party.reduced_only);
                check_opened(rules.least_lots, after, reduced, self.resting).or_ballast()
            }
            None => Ok(()),
        }
    }

    /// Settles the fills of an isolated position.
    #[inline(never)]
    fn settle(
        &mut self,
        market: &Market,
        touched: &Touched,
        order: &TakerOrder,
        matching: &mut Matching,
    ) -> Result<()> {
        let share = matching
            .taken
            .share_of(order.margin, self.lots)
            .or_ballast()?;
        let input = PartyInput {
            position: self.before,
            free: self.free,
            margin_to_add: share,
        };
        let side = order.request.side;
        let party = settle_taker(
            market.params(),
            &touched.mark,
            &input,
            side,
            &matching.taken,
        )
        .or_ballast()?;
        matching.taken.fee = party.fee.positive_part();
        self.free = party.free;
        self.party = Some(party);
        Ok(())
    }

    /// Brings the trader's waiting reduce-only orders down to what its fills left of the position.
    fn cut_reduce_only(&mut self, market: &Market, book: &mut Book) -> Result<()> {
        if self.own.reduce_only == 0 {
            return Ok(());
        }
        let Some(party) = &self.party else {
            return Ok(());
        };
        let cancelled = &mut self.cancelled;
        book.cut_reduce_only(&mut self.own, party.position.lots, |order| {
            cancelled.push(record(market, order));
        })
        .or_ballast()
    }

    /// Lots that may wait of those that are left.
    ///
    /// # Errors
    /// Those of [`resting`].
    #[inline(never)]
    fn may_rest(
        &self,
        book: &Book,
        request: &OrderRequest,
        terms: &OrderTerms,
        left: u64,
        least: u64,
    ) -> Result<u64> {
        let position = self.party.as_ref().map(|party| &party.position);
        let position = position.unwrap_or(&self.before);
        let waiting = match request.reduce_only {
            true => book.as_ref().reduce_only_lots(&self.own).or_ballast()?,
            false => 0,
        };
        let held = (position, waiting);
        resting(request, terms, left, least, held, self.filled > 0).or_ballast()
    }

    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn rest(
        &mut self,
        book: &mut Book,
        market: &Market,
        touched: &Touched,
        matching: &mut Matching,
        order: &TakerOrder,
        terms: &OrderTerms,
        lots: u64,
        margin: u64,
    ) -> Result<()> {
        if lots == 0 {
            return Ok(());
        }
        let request = &order.request;
        let (params, mark) = (market.params(), &touched.mark);
        self.reserved = reserve(params, mark, request, terms, lots, margin).or_ballast()?;
        self.free = self.free.try_sub_unsigned(self.reserved).or_ballast()?;
        if self.free.is_negative() {
            require!(self.pool_backs, BallastError::InsufficientCollateral);
            self.from_pool = self.free.get().unsigned_abs();
            self.free = Atoms::ZERO;
        }
        let rest = NewOrder {
            trader: self.trader.to_bytes(),
            side: request.side,
            price: terms.limit,
            lots,
            margin: self.reserved,
            client_id: order.client_id,
            expires_at: request.expires_at,
            reduce_only: request.reduce_only,
        };
        matching.make_room(book, &rest)?;
        let (_, id) = book.insert(&rest, &mut self.own).or_ballast()?;
        self.order_id = id;
        self.resting = lots;
        Ok(())
    }

    /// What is announced of an order with these `args`, beside what `matched` says.
    #[inline(never)]
    pub fn placed(
        &self,
        args: &PlaceOrderArgs,
        party: Option<PartyTraded>,
        matched: OrderPlaced,
    ) -> Box<OrderPlaced> {
        Box::new(OrderPlaced {
            order_id: self.order_id,
            client_id: args.client_id,
            side: args.side,
            kind: args.kind,
            reduce_only: args.reduce_only,
            price_ticks: args.price_ticks,
            expires_at: args.expires_at,
            lots: self.lots,
            filled_lots: self.filled,
            resting_lots: self.resting,
            dropped_lots: self.dropped(),
            reserved_atoms: self.reserved,
            taker: party,
            cancelled: self.cancelled.clone(),
            ..matched
        })
    }

    /// Lots that neither traded nor wait in the book.
    pub const fn dropped(&self) -> u64 {
        // Both are parts of the whole.
        self.lots
            .wrapping_sub(self.filled)
            .wrapping_sub(self.resting)
    }

    /// Sum of long lots once [`Self::store`] has written the trader's position.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn open_interest(&self, changes: &PositionChanges) -> Result<u64> {
        match &self.party {
            Some(party) => changes.open_interest_after(&self.before, &party.position),
            None => Ok(changes.open_interest()),
        }
    }

    /// Writes what became of the trader to its account and the queues.
    ///
    /// # Errors
    /// `QueueFull`, `BankruptcyPriceOutOfRange`.
    #[inline(never)]
    pub fn store(
        &self,
        trader: &mut Trader,
        market_key: &Pubkey,
        changes: &mut PositionChanges,
    ) -> Result<Option<PartyTraded>> {
        let free = trader.free();
        let slot = trader.slot_mut(market_key)?;
        let mut entered = changes.enter(free, slot.order_margin);
        slot.store_own_orders(&self.own);
        let party = self.party.as_ref();
        if let Some(party) = party {
            let change = Change {
                trader: &self.trader,
                before: &self.before,
                after: &party.position,
                remembered: Remembered::after_trade(party.reduced_only),
                stamp: None,
            };
            changes.apply(&mut entered, slot, &change)?;
        }
        trader.free = self.free.get();
        changes.leave(&self.trader, trader, &entered, self.collected)?;
        Ok(party.map(|party| self.traded(party)))
    }

    fn traded(&self, party: &PartyOutcome) -> PartyTraded {
        PartyTraded {
            trader: self.trader,
            lots_before: self.before.lots.get(),
            lots_after: party.position.lots.get(),
            entry_quote_after: party.position.entry_quote.get(),
            margin_before: self.before.margin.get(),
            margin_after: party.position.margin.get(),
            free_before: self.free_before.get(),
            free_after: self.free.get(),
            realized: party.realized.get(),
            released: party.released.get(),
            margin_added: party.margin_added,
            fee: party.fee.get(),
        }
    }
}

/// The orders of the book, some of them perhaps the taker's own.
struct Orders<'s, 'b, 'a, 'q, 'info> {
    taker: &'s mut Taker,
    market: &'s Market,
    book: &'s mut Book<'b>,
    matching: &'s mut Matching<'a, 'q, 'info>,
}

impl Makers for Orders<'_, '_, '_, '_, '_> {
    type Error = Error;

    fn refused(error: EngineError) -> Error {
        BallastError::from(error).into()
    }

    fn best(&mut self, side: Side) -> Result<Option<BestOrder>> {
        self.matching.best(self.book, side, &self.taker.trader)
    }

    fn meet(&mut self, node: u32, most: u64) -> Result<Met> {
        self.matching.meet(self.book, node, most)
    }
}

impl MakersAndOwn for Orders<'_, '_, '_, '_, '_> {
    #[inline(never)]
    fn cancel_own(&mut self, node: u32, lots: Option<u64>) -> Result<()> {
        let Some(lots) = lots else {
            return self.taker.cancel(self.market, self.book, node);
        };
        let mut lost = *self.book.as_ref().order(node).or_ballast()?;
        lost.margin = lost.margin_of(lots).or_ballast()?;
        lost.lots = u32::try_from(lots).map_err(|_| error!(BallastError::Overflow))?;
        let taker = &mut *self.taker;
        self.book
            .reduce(node, lots, lost.margin, &mut taker.own)
            .or_ballast()?;
        taker.free = taker.free.try_add_unsigned(lost.margin).or_ballast()?;
        taker.cancelled.push(record(self.market, &lost));
        Ok(())
    }
}
