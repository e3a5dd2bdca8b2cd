//! Random orders, cancellations, fills and searches of several traders.

use ballast_engine::book::{NewOrder, OwnOrders};
use ballast_engine::units::{Side, MAX_LOTS, MAX_LOT_PRICE};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_side, cases, lot_price, trader, Store};
use crate::model::{check, waiting, Model, Waiting};

const TRADERS: u8 = 4;

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, NewOrder),
    /// Of the orders in the book, this one.
    Remove(usize),
    /// Of the orders in the book, this one loses that share of its lots, in 1/1000.
    Reduce(usize, u64),
    /// This trader looks for the id or client id.
    Find(u8, u64),
    /// A trader tries to touch another's order.
    Foreign(u8, usize),
}

/// Bids from 1 to 50 and asks from 51 to 100, so that the book never crosses.
fn any_order() -> impl Strategy<Value = NewOrder> {
    let price = prop_oneof![4 => 1_u64..=5, 2 => 1_u64..=50];
    let lots =
        prop_oneof![8 => 1_u64..=20, 1 => Just(MAX_LOTS), 1 => Just(0), 1 => Just(MAX_LOTS + 1)];
    let margin = prop_oneof![3 => 0_u64..1_000, 1 => Just(u64::MAX / 32)];
    let rest = (0_u64..4, -2_i64..3, any::<bool>());
    (any_side(), price, lots, margin, rest).prop_map(|(side, price, lots, margin, rest)| {
        let (client_id, expires_at, reduce_only) = rest;
        let price = match side {
            Side::Long => 51 - price,
            Side::Short => 50 + price,
        };
        NewOrder {
            trader: trader(0),
            side,
            price: lot_price(price),
            lots,
            margin,
            client_id,
            expires_at,
            reduce_only,
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    // The first trader places most, so that it reaches the most orders it may have.
    let who = prop_oneof![4 => Just(0), 3 => 1..TRADERS];
    prop_oneof![
        8 => (who, any_order()).prop_map(|(who, order)| {
            Step::Insert(who, NewOrder { trader: trader(who), ..order })
        }),
        3 => any::<usize>().prop_map(Step::Remove),
        3 => (any::<usize>(), 0_u64..=1_000).prop_map(|(which, share)| Step::Reduce(which, share)),
        1 => (0..TRADERS, 0_u64..80).prop_map(|(who, id)| Step::Find(who, id)),
        1 => (0..TRADERS, any::<usize>()).prop_map(|(who, which)| Step::Foreign(who, which)),
    ]
}

struct Run {
    store: Store,
    model: Model,
    chains: Vec<OwnOrders>,
}

impl Run {
    fn new(capacity: usize) -> Self {
        Self {
            store: Store::new(capacity),
            model: Model::new(capacity),
            chains: vec![OwnOrders::EMPTY; usize::from(TRADERS)],
        }
    }

    fn pick(&self, which: usize) -> Option<Waiting> {
        let all: Vec<Waiting> = self.model.all().copied().collect();
        let place = which.checked_rem(all.len())?;
        Some(all[place])
    }

    fn chain_of(&self, waiting: &Waiting) -> usize {
        usize::from(waiting.order.trader[0] - 1)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Insert(who, order) => self.insert(usize::from(who), order),
            Step::Remove(which) => {
                if let Some(chosen) = self.pick(which) {
                    self.remove(&chosen);
                }
            }
            Step::Reduce(which, share) => {
                if let Some(chosen) = self.pick(which) {
                    self.reduce(&chosen, share);
                }
            }
            Step::Find(who, id) => self.find(who, id),
            Step::Foreign(who, which) => {
                if let Some(chosen) = self.pick(which) {
                    self.touch_foreign(usize::from(who), &chosen);
                }
            }
        }
        check(&self.store.view(), &self.model, &self.chains);
    }

    fn insert(&mut self, who: usize, order: NewOrder) {
        let (store, own) = (self.store.clone(), self.chains[who]);
        let placed = self.store.book().insert(&order, &mut self.chains[who]);
        match (self.model.refusal(&order), placed) {
            (None, Ok((node, id))) => {
                assert!(self.model.by_node(node).is_none(), "a node in use");
                assert_eq!(self.model.insert(node, order), id);
            }
            (Some(why), Err(error)) => {
                assert_eq!(error, why);
                assert_eq!((&self.store, self.chains[who]), (&store, own));
            }
            (expected, placed) => panic!("{placed:?} instead of {expected:?}"),
        }
    }

    fn remove(&mut self, chosen: &Waiting) {
        let who = self.chain_of(chosen);
        let removed = self.store.book().remove(chosen.node, &mut self.chains[who]);
        let removed = removed.expect("in the book");
        assert_eq!(waiting(chosen.node, &removed), *chosen);
        self.model.remove(chosen.node);
        let again = self.store.book().remove(chosen.node, &mut self.chains[who]);
        assert_eq!(again, Err(EngineError::OrderNotFound));
        let gone = self.store.view().order(chosen.node).map(|order| order.id());
        assert_eq!(gone, Err(EngineError::OrderNotFound));
    }

    fn reduce(&mut self, chosen: &Waiting, share: u64) {
        let who = self.chain_of(chosen);
        let lots = chosen.order.lots * share / 1_000;
        let order = *self.store.view().order(chosen.node).expect("in the book");
        let margin = order.margin_of(lots).expect("has lots");
        let (store, own) = (self.store.clone(), self.chains[who]);
        let reduced = self
            .store
            .book()
            .reduce(chosen.node, lots, margin, &mut self.chains[who]);
        if 0 < lots && lots < chosen.order.lots {
            assert_eq!(reduced, Ok(()));
            self.model.reduce(chosen.node, lots, margin);
        } else {
            let why = if lots == 0 {
                EngineError::ZeroLots
            } else {
                EngineError::SizeOutOfRange
            };
            assert_eq!(reduced, Err(why));
            assert_eq!((&self.store, self.chains[who]), (&store, own));
        }
    }

    fn find(&self, who: u8, id: u64) {
        let (view, own) = (self.store.view(), &self.chains[usize::from(who)]);
        let orders = self.model.own(&trader(who));
        let node_where = |matches: &dyn Fn(&Waiting) -> bool| {
            let found = orders.iter().find(|waiting| matches(waiting));
            found.map(|waiting| waiting.node)
        };
        let by_id = node_where(&|waiting| waiting.id == id);
        assert_eq!(view.find_id(own, id), Ok(by_id));
        let client_id = id % 5;
        let by_client =
            node_where(&|waiting| client_id != 0 && waiting.order.client_id == client_id);
        assert_eq!(view.find_client(own, client_id), Ok(by_client));
    }

    fn touch_foreign(&mut self, who: usize, chosen: &Waiting) {
        if self.chain_of(chosen) == who {
            return;
        }
        let (store, own) = (self.store.clone(), self.chains[who]);
        let (mut book, chain) = (self.store.book(), &mut self.chains[who]);
        let removed = book.remove(chosen.node, chain);
        let reduced = if chosen.order.lots > 1 {
            book.reduce(chosen.node, 1, 0, chain)
        } else {
            Err(EngineError::OrderNotFound)
        };
        assert_eq!(removed, Err(EngineError::OrderNotFound));
        assert_eq!(reduced, Err(EngineError::OrderNotFound));
        assert_eq!((&self.store, self.chains[who]), (&store, own));
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_book_is_the_sorted_list_of_its_orders(
        capacity in prop_oneof![Just(3_usize), Just(16), Just(64)],
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        let mut run = Run::new(capacity);
        for step in &steps {
            run.step(step);
        }
    }
}

/// The most orders a trader may have is a number of both sides together, and one that leaves
/// makes room.
#[test]
fn a_trader_has_at_most_sixteen_orders() {
    let mut run = Run::new(64);
    for number in 0..40_u64 {
        let (side, price) = if number % 2 == 0 {
            (Side::Long, 10)
        } else {
            (Side::Short, 20)
        };
        let order = crate::fixture::order(side, price, 1);
        run.step(&Step::Insert(0, order));
        run.step(&Step::Insert(
            1,
            NewOrder {
                trader: trader(1),
                ..order
            },
        ));
    }
    assert_eq!((run.chains[0].count, run.chains[1].count), (16, 16));
    run.step(&Step::Remove(3));
    run.step(&Step::Insert(0, crate::fixture::order(Side::Short, 20, 1)));
    run.step(&Step::Insert(
        1,
        NewOrder {
            trader: trader(1),
            ..crate::fixture::order(Side::Short, 20, 1)
        },
    ));
    assert_eq!((run.chains[0].count, run.chains[1].count), (16, 16));
}

/// The extremes of price are ordered like any others.
#[test]
fn prices_at_the_limits_are_ordered() {
    for (side, prices) in [
        (Side::Long, [MAX_LOT_PRICE, MAX_LOT_PRICE - 1, 2, 1]),
        (Side::Short, [1, 2, MAX_LOT_PRICE - 1, MAX_LOT_PRICE]),
    ] {
        let (mut store, mut own) = (Store::new(4), OwnOrders::EMPTY);
        for at in [2_usize, 0, 3, 1] {
            store.add(&crate::fixture::order(side, prices[at], 1), &mut own);
        }
        let found: Vec<u64> = store
            .view()
            .iter(side)
            .map(|step| step.expect("sound").1.price().get())
            .collect();
        assert_eq!(found, prices);
        assert_eq!(store.view().invariant(), Ok(()));
    }
}
