//! A descent through a copy of the book: the program's way down, with makers of whom only the
//! orders are known. An order that has not expired is taken to trade.

use ballast_engine::book::{BookRef, Order};
use ballast_engine::descent::{BestOrder, Makers, MakersAndOwn, Met};
use ballast_engine::matching::Budget;
use ballast_engine::units::{LotPrice, Side};
use ballast_engine::EngineError;
use ballast_state::instructions::MAX_MAKERS;
use ballast_state::Pubkey;

/// What happens to the orders of the trader who descends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// They have been taken out of the book before.
    Cancelled,
    /// They are met like the others.
    InBook,
}

/// One side of a book on the way down, and the makers met.
pub struct Foreseen<'a, I> {
    orders: I,
    /// The best order that is left, and how many lots of it.
    best: Option<(u32, &'a Order, u64)>,
    trader: Pubkey,
    own: Own,
    now: Option<i64>,
    listed: Option<&'a [Pubkey]>,
    makers: Vec<Pubkey>,
    budget: Budget,
    filled: u64,
    gone: u64,
}

/// The orders of `side` as `trader` meets them, every maker listed.
pub fn foreseen<'a>(
    book: &BookRef<'a>,
    side: Side,
    trader: &Pubkey,
    own: Own,
) -> Foreseen<'a, impl Iterator<Item = Result<(u32, &'a Order), EngineError>> + 'a> {
    Foreseen {
        orders: book.iter(side),
        best: None,
        trader: *trader,
        own,
        now: None,
        listed: None,
        makers: Vec::new(),
        budget: Budget::CALL,
        filled: 0,
        gone: 0,
    }
}

impl<'a, I: Iterator<Item = Result<(u32, &'a Order), EngineError>>> Foreseen<'a, I> {
    /// At a time, unix seconds: what has expired by then does not trade.
    #[must_use]
    pub fn at(mut self, now: i64) -> Self {
        self.now = Some(now);
        self
    }

    /// With these makers listed and no others.
    #[must_use]
    pub fn listing(mut self, listed: &'a [Pubkey]) -> Self {
        self.listed = Some(listed);
        self
    }

    /// After a call that filled the first `lots` of it.
    #[must_use]
    pub fn after(mut self, lots: u64) -> Self {
        self.gone = lots;
        self
    }

    /// Lots filled so far.
    pub const fn filled(&self) -> u64 {
        self.filled
    }

    /// The distinct makers met so far, and those of `spares` orders more as far as `takes` accepts
    /// their prices; at most [`MAX_MAKERS`].
    pub fn makers_and_spares(
        mut self,
        spares: usize,
        takes: impl Fn(LotPrice) -> bool,
    ) -> Result<Vec<Pubkey>, EngineError> {
        let mut spares = spares;
        while spares > 0 {
            let Some((_, order, _)) = self.next_order()? else {
                break;
            };
            if !takes(order.price()) {
                break;
            }
            if !self.is_own(order) {
                if !self.note(order) {
                    break;
                }
                spares -= 1;
            }
            self.best = None;
        }
        Ok(self.makers)
    }

    fn next_order(&mut self) -> Result<Option<(u32, &'a Order, u64)>, EngineError> {
        while self.best.is_none() {
            let Some(step) = self.orders.next() else {
                return Ok(None);
            };
            let (node, order) = step?;
            if self.own == Own::Cancelled && self.is_own(order) {
                continue;
            }
            let gone = self.gone.min(order.size());
            self.gone -= gone;
            let left = order.size() - gone;
            self.best = (left > 0).then_some((node, order, left));
        }
        Ok(self.best)
    }

    fn is_own(&self, order: &Order) -> bool {
        order.trader == self.trader.to_bytes()
    }

    /// Lists the maker of an order; whether there was room.
    fn note(&mut self, order: &Order) -> bool {
        let maker = Pubkey::new_from_array(order.trader);
        let known = self.makers.contains(&maker);
        let room = known || self.makers.len() < MAX_MAKERS;
        if room && !known {
            self.makers.push(maker);
        }
        room
    }
}

impl<'a, I: Iterator<Item = Result<(u32, &'a Order), EngineError>>> Makers for Foreseen<'a, I> {
    type Error = EngineError;

    fn refused(error: EngineError) -> EngineError {
        error
    }

    fn best(&mut self, _side: Side) -> Result<Option<BestOrder>, EngineError> {
        let best = self.next_order()?;
        Ok(best.map(|(node, order, left)| BestOrder {
            node,
            price: order.price(),
            lots: left,
            own: self.is_own(order),
            expired: self.now.is_some_and(|now| order.has_expired(now)),
        }))
    }

    fn meet(&mut self, _node: u32, most: u64) -> Result<Met, EngineError> {
        let (_, order, left) = self.best.ok_or(EngineError::OrderNotFound)?;
        let maker = Pubkey::new_from_array(order.trader);
        let listed = self.listed.is_none_or(|listed| listed.contains(&maker));
        let expired = self.now.is_some_and(|now| order.has_expired(now));
        if !listed || !self.budget.take(expired) || !self.note(order) {
            return Ok(Met::ListEnded);
        }
        self.best = None;
        if expired {
            return Ok(Met::Removed);
        }
        let lots = most.min(left);
        self.filled += lots;
        Ok(Met::Filled(lots))
    }
}

impl<'a, I: Iterator<Item = Result<(u32, &'a Order), EngineError>>> MakersAndOwn
    for Foreseen<'a, I>
{
    fn cancel_own(&mut self, _node: u32, _lots: Option<u64>) -> Result<(), EngineError> {
        self.best = None;
        Ok(())
    }
}
