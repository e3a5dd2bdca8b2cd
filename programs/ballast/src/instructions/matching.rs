//! Trades with the orders of the book: the makers' accounts checked, filled or removed.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::{Book, NewOrder, Order},
    cross::LegFill,
    descent::{BestOrder, Makers, MakersAndOwn, Met},
    fees::split,
    matching::{
        leaves, meet, Budget, Maker, MakerFill, Match, Removal, RemoveReason, Taken, Taking,
    },
    position::Position,
    units::{Atoms, Side},
    EngineError,
};
use ballast_state::{
    error::BallastError,
    events::{OrderFilled, OrderPlaced, OrderRemoved, RemovalReason},
    market::{Market, Touched},
    position_slot::PositionSlot,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    error::{error, OrBallast},
    instructions::{
        orders,
        position_change::{Change, Entered, PositionChanges, Remembered},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

mod legs;

pub use legs::Listed;

/// The orders of a book while somebody takes them.
pub struct Matching<'a, 'q, 'info> {
    market: Pubkey,
    venue: &'a Market,
    touched: &'a Touched,
    slot: u64,
    queues: &'q MarketQueues<'q, 'info>,
    listed: Listed<'q, 'info>,
    taking: Taking<'a>,
    budget: Budget,
    /// The last order that was passed over and stays.
    skipped: Option<u32>,
    /// What the fills do to the makers' positions.
    pub changes: PositionChanges<'q, 'info>,
    /// What the fills add up to for the taker.
    pub taken: Taken,
    /// Fees of removed orders, atoms.
    pub collected: u64,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Removed orders, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept: u32,
}

impl<'a, 'q, 'info> Matching<'a, 'q, 'info> {
    /// Prepares to take orders of `market`. `charged` says whether the taker pays a fee.
    pub fn new(
        key: Pubkey,
        market: &'a Market,
        queues: &'q MarketQueues<'q, 'info>,
        listed: Listed<'q, 'info>,
        touched: &'a Touched,
        clock: &Clock,
        charged: bool,
    ) -> Box<Self> {
        Box::new(Self {
            market: key,
            venue: market,
            touched,
            slot: clock.slot,
            queues,
            listed,
            taking: Taking {
                params: market.params(),
                mark: touched.mark,
                earlier: touched.earlier,
                now: clock.unix_timestamp,
                charged,
            },
            budget: Budget::CALL,
            skipped: None,
            changes: PositionChanges::open(key, market, queues).priced(touched),
            taken: Taken::default(),
            collected: 0,
            fills: Vec::new(),
            removed: Vec::new(),
            kept: 0,
        })
    }

    /// What was done, in the end.
    pub fn done(self) -> Matched<'q, 'info> {
        Matched {
            changes: self.changes,
            taken: self.taken,
            collected: self.collected,
            fills: self.fills,
            removed: self.removed,
            kept: self.kept,
        }
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.taking.now
    }

    /// Fills the order at `node` with up to `most` lots, removes it or passes it over.
    ///
    /// # Errors
    /// `MakerForeign` for an account that is no trader account of the program; `QueueFull`,
    /// `QueuesMissing`; of an order of a leg `WrongBoard`, `CrossQueueMissing`, `CrossMarkStale`, `CrossRecordStale`.
    #[inline(never)]
    pub fn meet(&mut self, book: &mut Book, node: u32, most: u64) -> Result<Met> {
        let order = *book.as_ref().order(node).or_ballast()?;
        let Some(account) = self.listed(&order) else {
            return Ok(Met::ListEnded);
        };
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::MakerForeign))?;
        let mut trader = loader.current_mut()?;
        let free = trader.free();
        let slot = trader.any_mut(&self.market)?;
        let reserve = slot.order_margin;
        let (cross, stored) = (slot.is_cross(), slot.position()?);
        let index = self.touched.funding_index;
        let position = stored.settle(index).or_ballast()?;
        let decided = match cross && leaves(&order, &position, self.taking.now).is_none() {
            true => self.decide_leg(&trader, &order, most)?,
            false => {
                let maker = Maker {
                    position,
                    free,
                    // Without queues nothing can open: the order may only be removed for its own reasons.
                    has_room: position.side() == Some(order.side())
                        || !self.queues.are_given()
                        || self.queues.has_room(order.side())?,
                };
                self.decide(&maker, &order, most)?
            }
        };
        let unfit = matches!(decided, Decided::Remove(_) | Decided::Keep);
        if !self.budget.take(unfit) {
            return Ok(Met::ListEnded);
        }
        let mut entered = self.changes.enter(free, reserve);
        let met = match decided {
            Decided::Fill(fill) => {
                self.fill(
                    &mut entered,
                    &mut trader,
                    account.key,
                    book,
                    node,
                    &order,
                    &position,
                    &fill,
                )?;
                Met::Filled(fill.lots)
            }
            Decided::Leg(leg) => {
                self.fill_leg(&mut trader, account.key, book, node, &order, &leg)?;
                return Ok(Met::Filled(leg.fill.lots));
            }
            Decided::Remove(removal) => {
                let left = (removal.free, removal.fee);
                let reason = reason(removal.reason);
                self.remove(&mut trader, account.key, book, node, &order, reason, left)?;
                Met::Removed
            }
            Decided::Keep => {
                self.skipped = Some(node);
                self.kept = self.kept.wrapping_add(1);
                Met::Skipped
            }
        };
        self.changes.leave(account.key, &mut trader, &entered, 0)?;
        Ok(met)
    }

    /// Makes room for an order on its side where that is full: takes out the one that gives way, if
    /// its trader is listed. Its reserve goes back whole.
    ///
    /// # Errors
    /// `MakerForeign`, `TreeCorrupt`.
    #[inline(never)]
    pub fn make_room(&mut self, book: &mut Book, order: &NewOrder) -> Result<()> {
        if !book.as_ref().is_full(order.side) {
            return Ok(());
        }
        let listed = |trader: &[u8; 32]| {
            let mut keys = self
                .listed
                .makers
                .iter()
                .map(|account| account.key.as_array());
            keys.any(|key| key == trader)
        };
        let node = book.as_ref().giving_way(order, listed).or_ballast()?;
        let Some(node) = node else {
            return Ok(());
        };
        let order = *book.as_ref().order(node).or_ballast()?;
        let Some(account) = self.listed(&order) else {
            return Ok(());
        };
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::MakerForeign))?;
        let mut trader = loader.current_mut()?;
        let free = trader.free();
        let reserve = trader.any_mut(&self.market)?.order_margin;
        let entered = self.changes.enter(free, reserve);
        let free = free.try_add_unsigned(order.margin);
        let left = (free.or_ballast()?, 0);
        let reason = RemovalReason::Evicted;
        self.remove(&mut trader, account.key, book, node, &order, reason, left)?;
        self.changes.leave(account.key, &mut trader, &entered, 0)
    }

    /// The best order left on `side` that has not been passed over; `taker` is whose own it may be.
    ///
    /// # Errors
    /// `TreeCorrupt`.
    pub fn best(&self, book: &Book, side: Side, taker: &Pubkey) -> Result<Option<BestOrder>> {
        let book = book.as_ref();
        let node = match self.skipped {
            None => book.best(side),
            Some(skipped) => book.next_after(skipped),
        };
        let Some(node) = node.or_ballast()? else {
            return Ok(None);
        };
        let order = book.order(node).or_ballast()?;
        Ok(Some(BestOrder {
            node,
            price: order.price(),
            lots: order.size(),
            own: order.trader == *taker.as_array(),
            expired: order.has_expired(self.taking.now),
        }))
    }

    fn listed(&self, order: &Order) -> Option<&'info AccountInfo<'info>> {
        self.listed
            .makers
            .iter()
            .find(|account| account.key.as_array() == &order.trader)
    }

    #[inline(never)]
    fn decide(&self, maker: &Maker, order: &Order, most: u64) -> Result<Decided> {
        Ok(match meet(&self.taking, maker, order, most).or_ballast()? {
            Match::Fill(fill) => Decided::Fill(Box::new(fill)),
            Match::Remove(removal) => Decided::Remove(removal),
            Match::Keep => Decided::Keep,
        })
    }

    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn fill(
        &mut self,
        entered: &mut Entered,
        trader: &mut Trader,
        key: &Pubkey,
        book: &mut Book,
        node: u32,
        order: &Order,
        before: &Position,
        fill: &MakerFill,
    ) -> Result<()> {
        let slot = trader.slot_mut(&self.market)?;
        self.take_off(slot, key, book, node, fill)?;
        let change = Change {
            trader: key,
            before,
            after: &fill.position,
            remembered: Remembered::after_trade(fill.reduced_only),
            stamp: None,
        };
        self.changes.apply(entered, slot, &change)?;
        trader.free = fill.free.get();
        self.filled(key, order, fill)
    }

    /// Takes the filled lots off the book, and reduce-only orders of their maker that have nothing left to reduce.
    pub(super) fn take_off(
        &mut self,
        slot: &mut PositionSlot,
        key: &Pubkey,
        book: &mut Book,
        node: u32,
        fill: &MakerFill,
    ) -> Result<()> {
        let mut own = slot.own_orders();
        if fill.done {
            book.remove(node, &mut own).or_ballast()?;
        } else {
            book.reduce(node, fill.lots, fill.margin_used, &mut own)
                .or_ballast()?;
        }
        let (removed, tick) = (&mut self.removed, self.venue.oracle.atoms_per_lot_tick);
        book.cut_reduce_only(&mut own, fill.position.lots, |order| {
            removed.push(orders::removed(key, order, tick, RemovalReason::Reduced, 0));
        })
        .or_ballast()?;
        slot.store_own_orders(&own);
        Ok(())
    }

    /// Counts a fill that has been written.
    pub(super) fn filled(&mut self, key: &Pubkey, order: &Order, fill: &MakerFill) -> Result<()> {
        self.changes.traded_at(order.price());
        self.taken.add(fill).or_ballast()?;
        self.fills.push(OrderFilled {
            maker: *key,
            order_id: order.id(),
            price_ticks: self.ticks(order),
            lots: fill.lots,
            taker_fee: fill.taker_fee,
            maker_fee: fill.fee.get(),
            maker_lots_after: fill.position.lots.get(),
            maker_margin_after: fill.position.margin.get(),
            order_left: if fill.done {
                0
            } else {
                order.size().wrapping_sub(fill.lots)
            },
        });
        Ok(())
    }

    /// Takes an order out; `left` is its trader's free collateral afterwards and the fee in it.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn remove(
        &mut self,
        trader: &mut Trader,
        key: &Pubkey,
        book: &mut Book,
        node: u32,
        order: &Order,
        reason: RemovalReason,
        left: (Atoms, u64),
    ) -> Result<()> {
        let slot = trader.any_mut(&self.market)?;
        let mut own = slot.own_orders();
        book.remove(node, &mut own).or_ballast()?;
        slot.store_own_orders(&own);
        let (free, fee) = left;
        trader.free = free.get();
        let collected = self.collected.checked_add(fee);
        self.collected = collected.ok_or_else(|| error!(BallastError::Overflow))?;
        let tick = self.venue.oracle.atoms_per_lot_tick;
        self.removed
            .push(orders::removed(key, order, tick, reason, fee));
        Ok(())
    }

    fn ticks(&self, order: &Order) -> u64 {
        let tick = self.venue.oracle.atoms_per_lot_tick;
        let ticks = order.price().get().checked_div(tick);
        ticks.unwrap_or(0)
    }
}

/// The orders of a book as somebody meets them who has none in it.
pub struct Orders<'s, 'b, 'a, 'q, 'info> {
    /// The trader account that meets them.
    pub trader: &'s Pubkey,
    /// The book.
    pub book: &'s mut Book<'b>,
    /// What is done with them.
    pub matching: &'s mut Matching<'a, 'q, 'info>,
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

/// What a call did with the book, once the market may be written again.
pub struct Matched<'q, 'info> {
    /// What the fills did to the makers' positions.
    pub changes: PositionChanges<'q, 'info>,
    /// What the fills add up to for the taker.
    pub taken: Taken,
    /// Fees of removed orders, atoms.
    pub collected: u64,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Removed orders, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept: u32,
}

impl Matched<'_, '_> {
    /// What is announced of an order of `trader` that did this: the market, its price and the makers.
    pub fn placed(self, market: Pubkey, trader: Pubkey, touched: &Touched) -> OrderPlaced {
        OrderPlaced {
            market,
            trader,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            open_interest_after: self.changes.open_interest(),
            collected_atoms: self.collected,
            fills: self.fills,
            removed: self.removed,
            kept_orders: self.kept,
            ..OrderPlaced::default()
        }
    }

    /// Books the fees and records the book's impact prices.
    ///
    /// # Errors
    /// `Overflow`, `BookLayout`.
    #[inline(never)]
    pub fn book(&self, market: &mut Market, book: &MarketBook) -> Result<()> {
        let paid = self.taken.paid().or_ballast()?;
        if paid != Atoms::ZERO {
            let fees = split(market.params(), paid).or_ballast()?;
            market.book_fees(fees.market, fees.insurance)?;
        }
        book.refresh_impact(market)
    }
}

/// Why an order leaves the book, as an event has it.
const fn reason(reason: RemoveReason) -> RemovalReason {
    match reason {
        RemoveReason::Expired => RemovalReason::Expired,
        RemoveReason::Unhealthy => RemovalReason::Unhealthy,
        RemoveReason::NothingToReduce => RemovalReason::NothingToReduce,
        RemoveReason::NoRoom => RemovalReason::NoRoom,
        RemoveReason::ProfitIsHeld => RemovalReason::ProfitIsHeld,
    }
}

enum Decided {
    Fill(Box<MakerFill>),
    Leg(Box<LegFill>),
    Remove(Removal),
    Keep,
}
