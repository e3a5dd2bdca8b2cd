//! The order book of a market: one sorted list a side.

use ballast_state::error::BallastError;

use super::number::{ceil, floor, part, ratio, ONE};
use super::refusal::{require, unsigned, Verdict};
use super::state::{side, Model};

/// Most orders of one trader in a market, both sides together.
pub const MOST_ORDERS: usize = 16;
/// Most of them that are reduce-only.
pub const MOST_REDUCE_ONLY: usize = 4;
/// Orders at the end of a full side of which one may give way.
const LAST: usize = 8;
/// Seconds that an order must have left to count for the impact price.
const LIFE: i128 = 60;
/// Orders with less left that may stand in front of those that make the price.
const MOST_SHORT_LIVED: usize = 32;

/// By what the impact price is measured.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// What is traded, atoms.
    pub notional: i128,
    /// Price, and the band around it, basis points.
    pub band: (i128, i128),
    /// Unix seconds.
    pub now: i128,
}

/// An order that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whose.
    pub trader: usize,
    /// Number, counted over both sides.
    pub id: u64,
    /// Number its trader gave it; 0 none.
    pub client_id: u64,
    /// 1 a bid, -1 an ask.
    pub sign: i128,
    /// Atoms per lot.
    pub price: i128,
    /// Lots left.
    pub lots: i128,
    /// Collateral reserved for them.
    pub margin: i128,
    /// Unix seconds; 0 never.
    pub expires_at: i64,
    /// Only ever makes a position smaller.
    pub reduce_only: bool,
}

impl Order {
    /// Whether its time is over.
    pub fn has_expired(&self, now: i128) -> bool {
        self.expires_at != 0 && i128::from(self.expires_at) <= now
    }

    /// What is reserved for some of its lots: nothing is left over with the last.
    pub fn share(&self, lots: i128) -> i128 {
        floor(&part(self.margin, lots, self.lots))
    }

    /// Whether somebody who accepts this price trades with it.
    pub fn crosses(&self, price: i128) -> bool {
        (self.price - price) * self.sign >= 0
    }

    /// Whether it counts for the impact price at this time.
    fn lives(&self, now: i128) -> bool {
        self.expires_at == 0 || i128::from(self.expires_at) >= now + LIFE
    }

    /// The better the smaller, and the older.
    pub fn rank(&self) -> (i128, u64) {
        (-self.sign * self.price, self.id)
    }
}

/// Orders that wait, the best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Bids, then asks.
    pub sides: [Vec<Order>; 2],
    /// Number of the next order.
    pub next_id: u64,
    /// Orders a side has room for.
    pub capacity: usize,
}

impl Book {
    /// An empty one.
    pub fn new(capacity: usize) -> Self {
        Self {
            sides: [Vec::new(), Vec::new()],
            next_id: 1,
            capacity,
        }
    }

    /// The best bid (1) or ask (-1).
    pub fn best(&self, sign: i128) -> Option<&Order> {
        self.sides[side(sign)].first()
    }

    /// All orders.
    pub fn all(&self) -> impl Iterator<Item = &Order> {
        self.sides.iter().flatten()
    }

    /// A trader's orders, the newest first.
    pub fn orders_of(&self, trader: usize) -> Vec<Order> {
        let own = self.all().filter(|order| order.trader == trader);
        let mut own: Vec<Order> = own.copied().collect();
        own.sort_by_key(|order| std::cmp::Reverse(order.id));
        own
    }

    /// What a trader's orders reserve.
    pub fn reserved(&self, trader: usize) -> i128 {
        self.orders_of(trader).iter().map(|own| own.margin).sum()
    }

    /// Adds an order behind those of its price.
    pub fn insert(&mut self, order: Order) -> Verdict<()> {
        let few = self.orders_of(order.trader).len() < MOST_ORDERS;
        require(few, BallastError::TooManyOrders)?;
        let reducing = |order: &&Order| order.reduce_only;
        let own = self.orders_of(order.trader);
        let few = !order.reduce_only || own.iter().filter(reducing).count() < MOST_REDUCE_ONLY;
        require(few, BallastError::TooManyReduceOnly)?;
        let orders = &mut self.sides[side(order.sign)];
        let room = orders.len() < self.capacity;
        require(room, BallastError::BookFull)?;
        let opening = orders.iter().chain([&order]).filter(|one| !one.reduce_only);
        unsigned(opening.map(|order| order.lots * order.price).sum::<i128>())?;
        let id = self.next_id;
        self.next_id += 1;
        orders.push(Order { id, ..order });
        orders.sort_by_key(Order::rank);
        Ok(())
    }

    /// Takes an order out.
    pub fn remove(&mut self, id: u64) -> Order {
        for orders in &mut self.sides {
            if let Some(place) = orders.iter().position(|order| order.id == id) {
                return orders.remove(place);
            }
        }
        panic!("order {id} is not in the book")
    }

    /// Takes lots and what is reserved for them off an order, which goes with the last.
    pub fn reduce(&mut self, id: u64, lots: i128) {
        for orders in &mut self.sides {
            for order in orders.iter_mut().filter(|order| order.id == id) {
                order.margin -= order.share(lots);
                order.lots -= lots;
            }
            orders.retain(|order| order.lots > 0);
        }
    }

    /// Average price of trading the notional into the bids (1) or asks (-1) that count, rounded away
    /// from the other side, 0 where there is less or the last of them is outside the band; and the
    /// place of that last one, where there is enough.
    pub fn impact_price(&self, sign: i128, measure: &Measure) -> (i128, Option<(i128, u64)>) {
        let (mut quote, mut lots, mut short_lived) = (0, 0, 0);
        let opening = self.sides[side(sign)].iter().filter(|one| !one.reduce_only);
        for order in opening.filter(|_| measure.notional > 0) {
            if !order.lives(measure.now) {
                short_lived += 1;
                if short_lived > MOST_SHORT_LIVED {
                    break;
                }
                continue;
            }
            let wanted = ceil(&ratio(measure.notional - quote, order.price));
            let taken = wanted.min(order.lots);
            quote += taken * order.price;
            lots += taken;
            if quote >= measure.notional {
                let average = ratio(quote, lots);
                let average = if sign > 0 {
                    floor(&average)
                } else {
                    ceil(&average)
                };
                let near = is_near(measure.band, order.price);
                return (if near { average } else { 0 }, Some(order.rank()));
            }
        }
        (0, None)
    }

    /// The order that gives way to another on a full side, if one does.
    pub fn giving_way(&self, order: &Order, listed: impl Fn(usize) -> bool) -> Option<Order> {
        let last = self.sides[side(order.sign)].iter().rev().take(LAST);
        let worse = last.take_while(|one| (order.price - one.price) * order.sign > 0);
        let mut may = worse.filter(|one| {
            one.lots <= order.lots
                && (one.reduce_only || !order.reduce_only)
                && one.trader != order.trader
                && listed(one.trader)
        });
        may.next().copied()
    }

    /// Lots of a trader's reduce-only orders.
    pub fn reducing(&self, trader: usize) -> i128 {
        let own = self.orders_of(trader);
        let own = own.iter().filter(|own| own.reduce_only);
        own.map(|own| own.lots).sum()
    }
}

/// Whether a price lies within the band around another.
pub fn is_near((mark, bps): (i128, i128), price: i128) -> bool {
    (price - mark).abs() * ONE <= mark * bps
}

impl Model {
    /// The book of a market.
    pub fn book(&self, market: usize) -> &Book {
        &self.markets[market].book
    }

    /// Whether anything of the trader's is in the market.
    pub fn uses(&self, market: usize, trader: usize) -> bool {
        let holds = self.trader(trader).claims[market].shares > 0;
        holds
            || self.owned(market, trader).is_some()
            || !self.book(market).orders_of(trader).is_empty()
    }

    /// Takes an order out and gives its trader back what it reserved.
    pub fn release(&mut self, market: usize, id: u64) -> Order {
        let order = self.markets[market].book.remove(id);
        self.trader_mut(order.trader).free += order.margin;
        order
    }

    /// Takes all orders of a trader out, or those of one side.
    pub fn release_all(&mut self, market: usize, trader: usize, sign: Option<i128>) {
        for order in self.book(market).orders_of(trader) {
            if sign.is_none_or(|sign| sign == order.sign) {
                self.release(market, order.id);
            }
        }
    }

    /// Takes lots off a trader's reduce-only orders until they close no more than it holds: the
    /// newest first, and all of them without a position on the other side. Each with what it lost.
    pub fn cut_reduce_only(
        &mut self,
        market: usize,
        trader: usize,
        lots: i128,
    ) -> Vec<(u64, i128)> {
        let own = self.book(market).orders_of(trader);
        let own: Vec<Order> = own.into_iter().filter(|own| own.reduce_only).collect();
        let total: i128 = own.iter().map(|own| own.lots).sum();
        let opposite = own.iter().all(|own| own.sign == -lots.signum());
        let mut excess = total - if opposite { lots.abs() } else { 0 };
        let mut cut = Vec::new();
        for order in own {
            let lost = order.lots.min(excess);
            if lost > 0 {
                self.markets[market].book.reduce(order.id, lost);
                cut.push((order.id, lost));
                excess -= lost;
            }
        }
        cut
    }

    /// Impact prices of bids and asks as recorded, 0 where the book was too thin.
    pub fn impact_prices(&self, market: usize) -> (i128, i128) {
        let [bid, ask] = self.markets[market].impact;
        (bid, ask)
    }

    /// Records the impact price of each side whose orders that open have changed since `before`,
    /// unless they changed only behind those that make the price.
    pub fn record_impacts(&mut self, before: &[Book]) {
        for (number, before) in before.iter().enumerate() {
            let market = self.markets[number].clone();
            let measure = Measure {
                notional: i128::from(market.params.impact_notional_atoms),
                band: (
                    i128::from(market.used.ticks) * market.atoms_per_tick,
                    i128::from(market.params.price_band_bps),
                ),
                now: market.funding.until,
            };
            for sign in [1, -1] {
                let place = side(sign);
                let Some(first) = changed(&before.sides[place], &market.book.sides[place]) else {
                    continue;
                };
                let (price, last) = market.book.impact_price(sign, &measure);
                if last.is_none_or(|last| first <= last) {
                    self.markets[number].impact[place] = price;
                }
            }
        }
    }
}

/// The best place at which two lists differ in orders that open.
fn changed(before: &[Order], after: &[Order]) -> Option<(i128, u64)> {
    let missing = |of: &[Order], from: &[Order]| {
        let opening = of.iter().filter(|one| !one.reduce_only);
        let gone = opening.filter(|one| !from.contains(one)).map(Order::rank);
        gone.min()
    };
    let all = [missing(before, after), missing(after, before)];
    all.into_iter().flatten().min()
}
