//! A book as two sorted lists.

use ballast_engine::book::{BookRef, NewOrder, Order, OwnOrders, MAX_ORDERS};
use ballast_engine::units::{Side, MAX_LOTS};
use ballast_engine::EngineError;

use crate::fixture::trader;

/// A waiting order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    pub node: u32,
    pub id: u64,
    /// As it entered, with the lots and the margin it has left.
    pub order: NewOrder,
}

/// What the book must hold.
#[derive(Clone, Debug)]
pub struct Model {
    pub capacity: usize,
    pub next_id: u64,
    pub bids: Vec<Waiting>,
    pub asks: Vec<Waiting>,
}

impl Model {
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            next_id: 1,
            bids: Vec::new(),
            asks: Vec::new(),
        }
    }

    pub fn side(&self, side: Side) -> &[Waiting] {
        match side {
            Side::Long => &self.bids,
            Side::Short => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut Vec<Waiting> {
        match side {
            Side::Long => &mut self.bids,
            Side::Short => &mut self.asks,
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Waiting> {
        self.bids.iter().chain(&self.asks)
    }

    /// A trader's orders, the newest first.
    pub fn own(&self, trader: &[u8; 32]) -> Vec<Waiting> {
        let of_trader = |waiting: &&Waiting| &waiting.order.trader == trader;
        let mut own: Vec<Waiting> = self.all().filter(of_trader).copied().collect();
        own.sort_by_key(|waiting| std::cmp::Reverse(waiting.id));
        own
    }

    /// Those of them that are reduce-only.
    pub fn reducing(&self, trader: &[u8; 32]) -> Vec<Waiting> {
        let mut own = self.own(trader);
        own.retain(|waiting| waiting.order.reduce_only);
        own
    }

    pub fn by_node(&self, node: u32) -> Option<&Waiting> {
        self.all().find(|waiting| waiting.node == node)
    }

    /// Why the book must refuse an order.
    pub fn refusal(&self, order: &NewOrder) -> Option<EngineError> {
        let full = self.side(order.side).len() == self.capacity;
        if self.own(&order.trader).len() == usize::try_from(MAX_ORDERS).expect("small") {
            Some(EngineError::TooManyOrders)
        } else if order.reduce_only && self.reducing(&order.trader).len() == 4 {
            Some(EngineError::TooManyReduceOnly)
        } else if order.lots == 0 {
            Some(EngineError::ZeroLots)
        } else if order.lots > MAX_LOTS {
            Some(EngineError::SizeOutOfRange)
        } else if full {
            Some(EngineError::BookFull)
        } else {
            None
        }
    }

    pub fn insert(&mut self, node: u32, order: NewOrder) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let orders = self.side_mut(order.side);
        orders.push(Waiting { node, id, order });
        // Stable: of one price the older stays in front.
        orders.sort_by_key(|waiting| match order.side {
            Side::Long => u64::MAX - waiting.order.price.get(),
            Side::Short => waiting.order.price.get(),
        });
        id
    }

    pub fn remove(&mut self, node: u32) {
        self.bids.retain(|waiting| waiting.node != node);
        self.asks.retain(|waiting| waiting.node != node);
    }

    pub fn reduce(&mut self, node: u32, lots: u64, margin: u64) {
        for waiting in self.bids.iter_mut().chain(&mut self.asks) {
            if waiting.node == node {
                waiting.order.lots -= lots;
                waiting.order.margin -= margin;
            }
        }
    }
}

/// Compares everything that can be read of the book with the lists, and each trader's chain
/// with its orders.
pub fn check(book: &BookRef<'_>, model: &Model, chains: &[OwnOrders]) {
    assert_eq!(book.invariant(), Ok(()));
    assert_eq!(book.header().next_sequence, model.next_id);
    for side in [Side::Long, Side::Short] {
        check_side(book, side, model.side(side));
    }
    for (number, own) in chains.iter().enumerate() {
        let key = trader(u8::try_from(number).expect("few"));
        check_chain(book, &key, own, &model.own(&key));
    }
}

fn check_side(book: &BookRef<'_>, side: Side, expected: &[Waiting]) {
    let found: Vec<Waiting> = book
        .iter(side)
        .map(|step| step.expect("sound"))
        .map(|(node, order)| waiting(node, order))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(usize::try_from(book.len(side)), Ok(expected.len()));
    assert_eq!(book.is_empty(side), expected.is_empty());
    assert_eq!(book.best(side), Ok(expected.first().map(|best| best.node)));
    let depth = book.depth(side).expect("sound");
    let opening = expected.iter().filter(|waiting| !waiting.order.reduce_only);
    let lots: u64 = opening.clone().map(|waiting| waiting.order.lots).sum();
    let quote: u64 = opening.map(quote).sum();
    assert_eq!((depth.lots, depth.quote), (lots, quote));
}

fn check_chain(book: &BookRef<'_>, key: &[u8; 32], own: &OwnOrders, expected: &[Waiting]) {
    let chain: Vec<Waiting> = book
        .own(own)
        .map(|step| step.expect("sound"))
        .map(|(node, order)| waiting(node, order))
        .collect();
    assert_eq!(chain, expected);
    assert_eq!(usize::try_from(own.count), Ok(expected.len()));
    let reducing = expected.iter().filter(|own| own.order.reduce_only);
    assert_eq!(usize::try_from(own.reduce_only), Ok(reducing.count()));
    let margin: u64 = expected.iter().map(|waiting| waiting.order.margin).sum();
    assert_eq!(own.margin, margin);
    assert_eq!(book.own_invariant(key, own), Ok(()));
}

pub fn quote(waiting: &Waiting) -> u64 {
    waiting.order.lots * waiting.order.price.get()
}

pub fn waiting(node: u32, order: &Order) -> Waiting {
    Waiting {
        node,
        id: order.id(),
        order: NewOrder {
            trader: order.trader,
            side: order.side(),
            price: order.price(),
            lots: order.size(),
            margin: order.margin,
            client_id: order.client_id,
            expires_at: order.expires_at,
            reduce_only: order.is_reduce_only(),
        },
    }
}
