//! The book while a previewed order goes down it.

use ballast_engine::book::{Book, Order, OwnOrders};
use ballast_engine::descent::{BestOrder, Makers, MakersAndOwn, Met};
use ballast_engine::matching::{leaves, meet, Budget, Maker, MakerFill, Match, Taken, Taking};
use ballast_engine::position::Position;
use ballast_engine::trade::open_interest_after;
use ballast_engine::units::{Atoms, Side};
use ballast_engine::EngineError;
use ballast_state::error::BallastError;
use ballast_state::market::{Market, Touched};
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::desk::{LegDesk, LegOrder};
use super::Scene;

/// The orders of a book while somebody takes them.
pub struct Play<'a> {
    /// The book.
    pub book: Book<'a>,
    /// The taker's orders in it.
    pub own: OwnOrders,
    /// The taker's free collateral, atoms.
    pub free: Atoms,
    /// What the fills add up to.
    pub taken: Taken,
    /// Sum of long lots after the makers' fills.
    pub open_interest: u64,
    market: Pubkey,
    taker: Pubkey,
    makers: Vec<(Pubkey, Trader)>,
    /// Whether the queues of longs and of shorts have room.
    room: [bool; 2],
    taking: Taking<'a>,
    touched: &'a Touched,
    legs: Option<LegDesk<'a>>,
    slot: u64,
    budget: Budget,
    /// The last order that was passed over and stays.
    skipped: Option<u32>,
}

impl<'a> Play<'a> {
    /// Before the first order is met, by a taker with these orders and so much free collateral.
    pub fn new(
        scene: &Scene<'a>,
        (market, touched): (&'a Market, &'a Touched),
        book: Book<'a>,
        (taker, own, free): (Pubkey, OwnOrders, Atoms),
    ) -> Self {
        let room = |queue: &crate::accounts::QueueSnapshot| {
            queue.queue().is_ok_and(|queue| queue.has_room())
        };
        let [long, short] = scene.queues;
        Self {
            book,
            own,
            free,
            taken: Taken::default(),
            open_interest: market.open_interest_lots,
            market: scene.key,
            taker,
            makers: scene.makers.to_vec(),
            room: [room(long), room(short)],
            taking: Taking {
                params: market.params(),
                mark: touched.mark,
                earlier: touched.earlier,
                now: scene.now.unix_timestamp,
                charged: true,
            },
            touched,
            legs: scene.legs,
            slot: scene.now.slot,
            budget: Budget::CALL,
            skipped: None,
        }
    }

    /// Unix seconds.
    pub const fn now(&self) -> i64 {
        self.taking.now
    }

    /// Takes the filled lots off the book and counts them; `before` is the maker's position.
    fn filled(
        &mut self,
        at: usize,
        node: u32,
        before: &Position,
        fill: &MakerFill,
    ) -> Result<(), BallastError> {
        let market = self.market;
        let mut own = self.maker(at)?.any_mut(&market)?.own_orders();
        if fill.done {
            self.book.remove(node, &mut own)?;
        } else {
            self.book
                .reduce(node, fill.lots, fill.margin_used, &mut own)?;
        }
        self.book
            .cut_reduce_only(&mut own, fill.position.lots, |_| {})?;
        self.maker(at)?.any_mut(&market)?.store_own_orders(&own);
        let change = [(before.lots, fill.position.lots)];
        self.open_interest = open_interest_after(self.open_interest, &change)?;
        Ok(self.taken.add(fill)?)
    }

    fn maker(&mut self, at: usize) -> Result<&mut Trader, BallastError> {
        let maker = self.makers.get_mut(at);
        maker
            .map(|(_, trader)| trader)
            .ok_or(BallastError::MakerForeign)
    }

    /// What becomes of an order of this maker, whose position is `held`, funding paid.
    fn decide(
        &self,
        trader: &Trader,
        held: Position,
        order: &Order,
        most: u64,
    ) -> Result<Match, BallastError> {
        let [long, short] = self.room;
        let room = match order.side() {
            Side::Long => long,
            Side::Short => short,
        };
        let maker = Maker {
            position: held,
            free: trader.free(),
            has_room: held.side() == Some(order.side()) || room,
        };
        Ok(meet(&self.taking, &maker, order, most)?)
    }

    /// The same of an order of a leg.
    fn decide_leg(&self, trader: &Trader, order: &Order, most: u64) -> Result<Match, BallastError> {
        let desk = self.legs.ok_or(BallastError::WrongBoard)?;
        desk.meet(&LegOrder {
            market: &self.market,
            touched: self.touched,
            taking: &self.taking,
            slot: self.slot,
            trader,
            order,
            most,
        })
    }

    fn fill(
        &mut self,
        (at, node): (usize, u32),
        held: &Position,
        fill: &MakerFill,
        desk: Option<LegDesk<'_>>,
    ) -> Result<Met, BallastError> {
        self.filled(at, node, held, fill)?;
        let market = self.market;
        let trader = self.maker(at)?;
        match desk {
            Some(desk) => desk.store(trader, &market, fill)?,
            None => {
                trader.free = fill.free.get();
                trader.slot_mut(&market)?.store(&fill.position);
            }
        }
        Ok(Met::Filled(fill.lots))
    }
}

impl Makers for Play<'_> {
    type Error = BallastError;

    fn refused(error: EngineError) -> BallastError {
        error.into()
    }

    fn best(&mut self, side: Side) -> Result<Option<BestOrder>, BallastError> {
        let book = self.book.as_ref();
        let node = match self.skipped {
            None => book.best(side)?,
            Some(skipped) => book.next_after(skipped)?,
        };
        let Some(node) = node else {
            return Ok(None);
        };
        let order = book.order(node)?;
        Ok(Some(BestOrder {
            node,
            price: order.price(),
            lots: order.size(),
            own: order.trader == self.taker.to_bytes(),
            expired: order.has_expired(self.taking.now),
        }))
    }

    fn meet(&mut self, node: u32, most: u64) -> Result<Met, BallastError> {
        let order = *self.book.as_ref().order(node)?;
        let listed = |(key, _): &(Pubkey, Trader)| key.to_bytes() == order.trader;
        let Some(at) = self.makers.iter().position(listed) else {
            return Ok(Met::ListEnded);
        };
        let mut trader = *self.maker(at)?;
        let slot = trader.any_mut(&self.market)?;
        let (cross, stored) = (slot.is_cross(), slot.position()?);
        let mut own = slot.own_orders();
        let held = stored.settle(self.touched.funding_index)?;
        let valued = cross && leaves(&order, &held, self.now()).is_none();
        let met = match valued {
            true => self.decide_leg(&trader, &order, most)?,
            false => self.decide(&trader, held, &order, most)?,
        };
        if !self.budget.take(!matches!(met, Match::Fill(_))) {
            return Ok(Met::ListEnded);
        }
        match met {
            Match::Fill(fill) => {
                let desk = self.legs.filter(|_| cross);
                self.fill((at, node), &held, &fill, desk)
            }
            Match::Remove(removal) => {
                self.book.remove(node, &mut own)?;
                let market = self.market;
                let trader = self.maker(at)?;
                trader.any_mut(&market)?.store_own_orders(&own);
                trader.free = removal.free.get();
                self.free = self.free.try_add_unsigned(removal.fee)?;
                Ok(Met::Removed)
            }
            Match::Keep => {
                self.skipped = Some(node);
                Ok(Met::Skipped)
            }
        }
    }
}

impl MakersAndOwn for Play<'_> {
    fn cancel_own(&mut self, node: u32, lots: Option<u64>) -> Result<(), BallastError> {
        let order = *self.book.as_ref().order(node)?;
        let margin = match lots {
            None => self.book.remove(node, &mut self.own)?.margin,
            Some(lots) => {
                let margin = order.margin_of(lots)?;
                self.book.reduce(node, lots, margin, &mut self.own)?;
                margin
            }
        };
        self.free = self.free.try_add_unsigned(margin)?;
        Ok(())
    }
}
