//! The order book of a market: one sorted list a side.

use ballast_state::error::BallastError;

use super::number::{ceil, floor, part, ratio};
use super::refusal::{require, unsigned, Verdict};
use super::state::{side, Model};

/// Most orders of one trader in a market, both sides together.
pub const MOST_ORDERS: usize = 16;

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

    /// The better the smaller, and the older.
    fn rank(&self) -> (i128, u64) {
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
        let orders = &mut self.sides[side(order.sign)];
        let room = orders.len() < self.capacity;
        require(room, BallastError::BookFull)?;
        let worth = orders.iter().map(|order| order.lots * order.price);
        unsigned(worth.sum::<i128>() + order.lots * order.price)?;
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

    /// Average price of trading `notional` atoms into the bids (1) or asks (-1), rounded away from
    /// the other side; 0 where there is less.
    pub fn impact_price(&self, sign: i128, notional: i128) -> i128 {
        let (mut quote, mut lots) = (0, 0);
        if notional == 0 {
            return 0;
        }
        for order in &self.sides[side(sign)] {
            let wanted = ceil(&ratio(notional - quote, order.price));
            let taken = wanted.min(order.lots);
            quote += taken * order.price;
            lots += taken;
            if quote >= notional {
                let average = ratio(quote, lots);
                return if sign > 0 {
                    floor(&average)
                } else {
                    ceil(&average)
                };
            }
        }
        0
    }
}

impl Model {
    /// The book of a market.
    pub fn book(&self, market: usize) -> &Book {
        &self.markets[market].book
    }

    /// Whether anything of the trader's is in the market.
    pub fn uses(&self, market: usize, trader: usize) -> bool {
        self.owned(market, trader).is_some() || !self.book(market).orders_of(trader).is_empty()
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

    /// Impact prices of bids and asks, 0 where the book is too thin.
    pub fn impact_prices(&self, market: usize) -> (i128, i128) {
        let notional = i128::from(self.markets[market].params.impact_notional_atoms);
        let book = self.book(market);
        let price = |sign| book.impact_price(sign, notional);
        (price(1), price(-1))
    }
}
