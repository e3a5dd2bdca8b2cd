//! Books in memory.

use ballast_engine::book::{book_size, Book, BookRef, NewOrder, OwnOrders, BOOK_HEADER_SIZE};
use ballast_engine::units::{LotPrice, Side};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

pub const MARKET: [u8; 32] = [7; 32];

/// The same cases in every run.
pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        rng_seed: RngSeed::Fixed(0x00ba_11a5),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Bytes of a book, aligned to 8.
#[derive(Clone, Debug, PartialEq)]
pub struct Store(Vec<u64>);

impl Store {
    pub fn new(orders_a_side: usize) -> Self {
        let bytes = book_size(orders_a_side).expect("small");
        let mut store = Self(vec![0; bytes.div_ceil(8)]);
        Book::create(store.bytes(), MARKET).expect("aligned");
        store
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }

    pub fn book(&mut self) -> Book<'_> {
        Book::new(self.bytes()).expect("a book")
    }

    pub fn view(&self) -> BookRef<'_> {
        BookRef::new(bytemuck::cast_slice(&self.0)).expect("a book")
    }

    /// Adds an order of no margin to a new chain or to `own`.
    pub fn add(&mut self, order: &NewOrder, own: &mut OwnOrders) -> u32 {
        self.book().insert(order, own).expect("room").0
    }

    /// The bytes of a field of a node.
    pub fn field(&mut self, node: u32, offset: usize, size: usize) -> &mut [u8] {
        let at = BOOK_HEADER_SIZE
            + usize::try_from(node).expect("small") * ballast_engine::book::ORDER_SIZE
            + offset;
        &mut self.bytes()[at..at + size]
    }
}

pub fn trader(number: u8) -> [u8; 32] {
    [number + 1; 32]
}

pub fn order(side: Side, price: u64, lots: u64) -> NewOrder {
    NewOrder {
        trader: trader(0),
        side,
        price: lot_price(price),
        lots,
        margin: 0,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
    }
}

pub fn lot_price(atoms: u64) -> LotPrice {
    LotPrice::new(atoms).expect("within range")
}

pub fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}
