//! The book along a path: one account quotes for all market makers, by the rule of [`crate::makers`].
//!
//! Each price the part of the makers that answers it quotes anew, and the orders of the others stay where
//! they are until they expire: so depth that was taken comes back, slower and thinner the more the price
//! has moved. What is bought or sold stays with the account, which stands in no queue and is not cut.

use std::collections::VecDeque;

use ballast_engine::descent::{BestOrder, Makers, Met};
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_engine::EngineError;

use super::levels::side_of;
use super::snapshot::{of, part};
use crate::makers::{capacity, ladder, miss_percent, MakerStyle, Stress, View, GOOD_FOR};

/// Who makes a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// How all makers together quote when calm.
    pub style: MakerStyle,
    /// What they are worth together, atoms.
    pub worth: u64,
    /// Signed lots that they hold together.
    pub inventory: i64,
}

/// Lots that wait at a price.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    price: LotPrice,
    lots: u64,
    expires_at: i64,
}

/// The book at a price of a path.
#[derive(Clone, Debug)]
pub(super) struct BookAt {
    depth: Depth,
    tick: u64,
    stress: Stress,
    /// Signed lots bought since the beginning.
    pub bought: i64,
    /// Atoms paid for them, less those got.
    pub paid: i128,
    /// Bids and asks, the best first.
    waiting: [Vec<Waiting>; 2],
    /// Prices to which the makers have not answered yet, as nobody has looked into the book since, and when
    /// they were.
    unanswered: VecDeque<(LotPrice, i64)>,
}

impl BookAt {
    /// The book of a market with ticks of `tick` atoms as its makers quote at `mark`, at a time.
    pub fn new(depth: Depth, tick: u64, mark: LotPrice, now: i64) -> Self {
        let mut book = Self {
            depth,
            tick,
            stress: Stress::default(),
            bought: 0,
            paid: 0,
            waiting: [Vec::new(), Vec::new()],
            unanswered: VecDeque::new(),
        };
        book.stress.see(mark.get() / tick);
        book.show(mark, now, 100);
        book
    }

    /// The next price, to which the makers answer before anybody looks into the book. What they would have
    /// answered to one whose orders have expired since is left out.
    pub fn see(&mut self, mark: LotPrice, now: i64) {
        let gone = |then: &(LotPrice, i64)| then.1 + GOOD_FOR <= now;
        while let Some((price, _)) = self.unanswered.pop_front_if(|then| gone(then)) {
            self.stress.see(price.get() / self.tick);
        }
        self.unanswered.push_back((mark, now));
    }

    /// The makers answer.
    fn catch_up(&mut self) {
        while let Some((mark, now)) = self.unanswered.pop_front() {
            self.quote(mark, now);
        }
    }

    fn quote(&mut self, mark: LotPrice, now: i64) {
        self.stress.see(mark.get() / self.tick);
        let missing = miss_percent(self.stress.bps());
        for waiting in &mut self.waiting {
            for one in waiting.iter_mut() {
                one.lots = one.lots * missing / 100;
            }
            waiting.retain(|one| one.lots > 0 && one.expires_at > now);
        }
        self.show(mark, now, 100 - missing);
    }

    /// The best price of a side: the highest bid for longs, whose lots are sold into it, the lowest ask for
    /// shorts.
    pub fn best_price(&mut self, side: Side) -> Option<LotPrice> {
        self.catch_up();
        side_of(&self.waiting, side).first().map(|one| one.price)
    }

    /// Adds `percent` of the makers' ladder.
    fn show(&mut self, mark: LotPrice, now: i64, percent: u64) {
        let profit = i128::from(self.bought) * i128::from(mark.get()) - self.paid;
        let worth = (i128::from(self.depth.worth) + profit).max(0);
        let view = View {
            mark_ticks: mark.get() / self.tick,
            stress_bps: self.stress.bps(),
            inventory: self.depth.inventory + self.bought,
            capacity: capacity(u64::try_from(worth).unwrap_or(u64::MAX), mark.get()),
        };
        for quote in ladder(&self.depth.style, &view) {
            let Ok(price) = Ticks::new(quote.price_ticks).lot_price(self.tick) else {
                continue;
            };
            let lots = part(quote.lots, percent * 100);
            if lots > 0 {
                self.waiting[of(quote.side)].push(Waiting {
                    price,
                    lots,
                    expires_at: now + GOOD_FOR,
                });
            }
        }
        let [bids, asks] = &mut self.waiting;
        bids.sort_by_key(|one| core::cmp::Reverse(one.price));
        asks.sort_by_key(|one| one.price);
    }

    /// What the makers have gained since the beginning at `mark`, atoms.
    pub fn gained(&self, mark: LotPrice) -> i128 {
        i128::from(self.bought) * i128::from(mark.get()) - self.paid
    }
}

impl Makers for BookAt {
    type Error = EngineError;

    fn refused(error: EngineError) -> EngineError {
        error
    }

    fn best(&mut self, side: Side) -> Result<Option<BestOrder>, EngineError> {
        self.catch_up();
        let best = side_of(&self.waiting, side).first();
        Ok(best.map(|one| BestOrder {
            node: u32::from(side == Side::Short),
            price: one.price,
            lots: one.lots,
            own: false,
            expired: false,
        }))
    }

    fn meet(&mut self, node: u32, most: u64) -> Result<Met, EngineError> {
        let asks = node == 1;
        let waiting = &mut self.waiting[usize::from(asks)];
        let one = waiting.first_mut().ok_or(EngineError::OrderNotFound)?;
        let lots = one.lots.min(most);
        let quote = i128::from(one.price.notional(lots)?);
        let signed = i64::try_from(lots).map_err(|_| EngineError::Overflow)?;
        one.lots -= lots;
        if one.lots == 0 {
            waiting.remove(0);
        }
        let (bought, paid) = if asks {
            (-signed, -quote)
        } else {
            (signed, quote)
        };
        self.bought += bought;
        self.paid += paid;
        Ok(Met::Filled(lots))
    }
}
