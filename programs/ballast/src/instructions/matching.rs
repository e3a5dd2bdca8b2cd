//! Trades with the orders of the book: the makers' accounts checked, filled or removed.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::{Book, Order},
    descent::{BestOrder, Met},
    fees::split,
    matching::{meet, Maker, MakerFill, Match, Removal, RemoveReason, Taken, Taking, MAX_MATCHES},
    position::Position,
    units::{Atoms, FundingIndex, Side},
};
use ballast_state::{
    error::BallastError,
    events::{OrderFilled, OrderRemoved, RemovalReason},
    instructions::MAX_MAKERS,
    market::{Market, Touched},
    trader::Trader,
};

use crate::{
    error::{error, require, OrBallast},
    instructions::position_change::{Change, PositionChanges, Remembered},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// The orders of a book while somebody takes them.
pub struct Matching<'a, 'q, 'info> {
    market: Pubkey,
    queues: &'q MarketQueues<'q, 'info>,
    makers: &'info [AccountInfo<'info>],
    taking: Taking<'a>,
    funding_index: FundingIndex,
    atoms_per_lot_tick: u64,
    matches: u32,
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
}

impl<'a, 'q, 'info> Matching<'a, 'q, 'info> {
    /// Prepares to take orders of `market`. `charged` says whether the taker pays a fee.
    pub fn new(
        key: Pubkey,
        market: &'a Market,
        queues: &'q MarketQueues<'q, 'info>,
        makers: &'info [AccountInfo<'info>],
        touched: &Touched,
        now: i64,
        charged: bool,
    ) -> Box<Self> {
        Box::new(Self {
            market: key,
            queues,
            makers,
            taking: Taking {
                params: market.params(),
                mark: touched.mark,
                now,
                charged,
            },
            funding_index: touched.funding_index,
            atoms_per_lot_tick: market.oracle.atoms_per_lot_tick,
            matches: 0,
            changes: PositionChanges::open(key, market, queues),
            taken: Taken::default(),
            collected: 0,
            fills: Vec::new(),
            removed: Vec::new(),
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
        }
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.taking.now
    }

    /// Fills the order at `node` with up to `most` lots, or removes it.
    ///
    /// # Errors
    /// `MakerForeign` for an account that is no trader account of the program; `QueueFull`.
    #[inline(never)]
    pub fn meet(&mut self, book: &mut Book, node: u32, most: u64) -> Result<Met> {
        let order = *book.as_ref().order(node).or_ballast()?;
        let Some(account) = self.listed(&order) else {
            return Ok(Met::ListEnded);
        };
        if self.matches >= MAX_MATCHES {
            return Ok(Met::ListEnded);
        }
        self.matches = self.matches.wrapping_add(1);
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::MakerForeign))?;
        let mut trader = loader.load_mut()?;
        let free = trader.free();
        let slot = trader.slot_mut(&self.market)?;
        self.changes.enter(free, slot.order_margin);
        let position = slot.position()?.settle(self.funding_index).or_ballast()?;
        let maker = Maker {
            position,
            free,
            has_room: position.side() == Some(order.side())
                || self.queues.has_room(order.side())?,
        };
        let met = match self.decide(&maker, &order, most)? {
            Decided::Fill(fill) => {
                self.fill(
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
            Decided::Remove(removal) => {
                self.remove(&mut trader, account.key, book, node, &order, &removal)?;
                Met::Removed
            }
        };
        self.changes.leave(&mut trader)?;
        Ok(met)
    }

    /// The best order left on `side`; `taker` is whose own it may be.
    ///
    /// # Errors
    /// `TreeCorrupt`.
    pub fn best(&self, book: &Book, side: Side, taker: &Pubkey) -> Result<Option<BestOrder>> {
        let Some(node) = book.as_ref().best(side).or_ballast()? else {
            return Ok(None);
        };
        let order = book.as_ref().order(node).or_ballast()?;
        Ok(Some(BestOrder {
            node,
            price: order.price(),
            lots: order.size(),
            own: order.trader == *taker.as_array(),
            expired: order.has_expired(self.taking.now),
        }))
    }

    fn listed(&self, order: &Order) -> Option<&'info AccountInfo<'info>> {
        self.makers
            .iter()
            .find(|account| account.key.as_array() == &order.trader)
    }

    #[inline(never)]
    fn decide(&self, maker: &Maker, order: &Order, most: u64) -> Result<Decided> {
        Ok(match meet(&self.taking, maker, order, most).or_ballast()? {
            Match::Fill(fill) => Decided::Fill(Box::new(fill)),
            Match::Remove(removal) => Decided::Remove(removal),
        })
    }

    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn fill(
        &mut self,
        trader: &mut Trader,
        key: &Pubkey,
        book: &mut Book,
        node: u32,
        order: &Order,
        before: &Position,
        fill: &MakerFill,
    ) -> Result<()> {
        let slot = trader.slot_mut(&self.market)?;
        let mut own = slot.own_orders();
        if fill.done {
            book.remove(node, &mut own).or_ballast()?;
        } else {
            book.reduce(node, fill.lots, fill.margin_used, &mut own)
                .or_ballast()?;
        }
        slot.store_own_orders(&own);
        let change = Change {
            trader: key,
            before,
            after: &fill.position,
            remembered: Remembered::after_trade(fill.reduced_only),
            stamp: None,
        };
        self.changes.apply(slot, &change)?;
        trader.free = fill.free.get();
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

    #[inline(never)]
    fn remove(
        &mut self,
        trader: &mut Trader,
        key: &Pubkey,
        book: &mut Book,
        node: u32,
        order: &Order,
        removal: &Removal,
    ) -> Result<()> {
        let slot = trader.slot_mut(&self.market)?;
        let mut own = slot.own_orders();
        book.remove(node, &mut own).or_ballast()?;
        slot.store_own_orders(&own);
        trader.free = removal.free.get();
        let collected = self.collected.checked_add(removal.fee);
        self.collected = collected.ok_or_else(|| error!(BallastError::Overflow))?;
        self.removed.push(OrderRemoved {
            maker: *key,
            order_id: order.id(),
            reason: match removal.reason {
                RemoveReason::Expired => RemovalReason::Expired,
                RemoveReason::Unhealthy => RemovalReason::Unhealthy,
                RemoveReason::NothingToReduce => RemovalReason::NothingToReduce,
                RemoveReason::NoRoom => RemovalReason::NoRoom,
            },
            price_ticks: self.ticks(order),
            lots: order.size(),
            fee_atoms: removal.fee,
        });
        Ok(())
    }

    fn ticks(&self, order: &Order) -> u64 {
        let ticks = order.price().get().checked_div(self.atoms_per_lot_tick);
        ticks.unwrap_or(0)
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
}

impl Matched<'_, '_> {
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

enum Decided {
    Fill(Box<MakerFill>),
    Remove(Removal),
}

/// Fails with `TooManyMakers` beyond [`MAX_MAKERS`].
///
/// # Errors
/// `TooManyMakers`.
pub fn check_makers(makers: &[AccountInfo]) -> Result<()> {
    require!(makers.len() <= MAX_MAKERS, BallastError::TooManyMakers);
    Ok(())
}
