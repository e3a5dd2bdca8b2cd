//! Impact prices against a walk along the sorted list.

use ballast_engine::book::{Changes, Impact, NewOrder, OwnOrders, Sampling};
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Side, MAX_LOTS, MAX_LOT_PRICE};
use proptest::prelude::*;

use crate::fixture::{any_side, cases, lot_price, order, trader, Store};

/// Takes whole orders while they do not suffice, and of the next one as many lots as do.
fn walked(side: Side, levels: &[(u64, u64)], notional: u64) -> Option<u64> {
    let (mut lots, mut quote) = (0_u128, 0_u128);
    let notional = u128::from(notional);
    if notional == 0 {
        return None;
    }
    for &(price, size) in levels {
        let (price, size) = (u128::from(price), u128::from(size));
        let taken = (notional - quote).div_ceil(price).min(size);
        lots += taken;
        quote += taken * price;
        if quote >= notional {
            let average = match side {
                Side::Long => quote / lots,
                Side::Short => quote.div_ceil(lots),
            };
            return Some(u64::try_from(average).expect("a price"));
        }
    }
    None
}

/// A book of one side with an order for each level, and the levels best first.
fn filled(side: Side, levels: &[(u64, u64)]) -> (Store, Vec<(u64, u64)>) {
    let mut store = Store::new(levels.len().max(1));
    let mut chains: Vec<OwnOrders> = Vec::new();
    for (number, &(price, lots)) in levels.iter().enumerate() {
        let owner = number / 16;
        if owner == chains.len() {
            chains.push(OwnOrders::EMPTY);
        }
        let mut order = order(side, price, lots);
        order.trader = trader(u8::try_from(owner).expect("few"));
        store.add(&order, &mut chains[owner]);
    }
    let mut sorted = levels.to_vec();
    sorted.sort_by_key(|&(price, _)| match side {
        Side::Long => u64::MAX - price,
        Side::Short => price,
    });
    (store, sorted)
}

fn of_notional(notional: u64) -> RiskParams {
    RiskParams {
        impact_notional_atoms: notional,
        price_band_bps: 1_000,
        ..RiskParams::default()
    }
}

/// At [`NOW`] and without a price.
fn sampling(params: &RiskParams) -> Sampling<'_> {
    Sampling {
        params,
        mark: None,
        now: NOW,
    }
}

const NOW: i64 = 1_760_128_200;

fn impact(store: &Store, side: Side, notional: u64) -> Option<u64> {
    let params = of_notional(notional);
    let price = store.view().impact_price(side, &sampling(&params));
    price.expect("sound").map(|price| price.get())
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn it_is_the_average_of_a_walk(
        side in any_side(),
        levels in prop::collection::vec((1_u64..40, 1_u64..30), 0..40),
        notional in 0_u64..6_000,
    ) {
        let (store, sorted) = filled(side, &levels);
        let total: u64 = sorted.iter().map(|(price, lots)| price * lots).sum();
        // The whole side, either side of it, and the ends of the best orders.
        let best = sorted.first().map_or(0, |(price, lots)| price * lots);
        let ends = [total, total + 1, total.saturating_sub(1), best, best + 1];
        for notional in ends.into_iter().chain([notional]) {
            prop_assert_eq!(impact(&store, side, notional), walked(side, &sorted, notional));
        }
    }

    #[test]
    fn it_holds_at_the_limits(
        side in any_side(),
        levels in prop::collection::vec(
            (1..=MAX_LOT_PRICE, prop_oneof![1..=MAX_LOTS / 64, Just(1)]),
            1..40,
        ),
        notional in prop_oneof![any::<u64>(), 1_u64..1_u64 << 40],
    ) {
        let (store, sorted) = filled(side, &levels);
        prop_assert_eq!(impact(&store, side, notional), walked(side, &sorted, notional));
    }
}

/// One change of a side: an order of this price and so many lots joins, or of the orders in the book
/// this one leaves or loses all lots but one.
#[derive(Clone, Debug)]
enum Change {
    Join(u64, u64),
    Leave(usize),
    Shrink(usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (1_u64..12, 1_u64..30).prop_map(|(price, lots)| Change::Join(price, lots)),
        1 => any::<usize>().prop_map(Change::Leave),
        1 => any::<usize>().prop_map(Change::Shrink),
    ]
}

/// Applies a change; every order has a trader of its own.
fn apply(
    store: &mut Store,
    side: Side,
    waiting: &mut Vec<(u32, OwnOrders)>,
    change: &Change,
) -> Changes {
    let mut book = store.book();
    let pick = |which: usize| which.checked_rem(waiting.len());
    match *change {
        Change::Join(price, lots) => {
            let mut own = OwnOrders::EMPTY;
            let (node, _) = book
                .insert(&order(side, price, lots), &mut own)
                .expect("room");
            waiting.push((node, own));
        }
        Change::Leave(which) => {
            if let Some(place) = pick(which) {
                let (node, mut own) = waiting.swap_remove(place);
                book.remove(node, &mut own).expect("in the book");
            }
        }
        Change::Shrink(which) => {
            if let Some((node, own)) = pick(which).map(|place| &mut waiting[place]) {
                let lots = book.as_ref().order(*node).expect("in the book").size();
                if lots > 1 {
                    book.reduce(*node, lots - 1, 0, own).expect("has lots");
                }
            }
        }
    }
    *book.changes()
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn changes_tell_when_it_stays(
        side in any_side(),
        steps in prop::collection::vec(prop::collection::vec(any_change(), 1..4), 1..40),
        notional in prop_oneof![4 => 1_u64..800, 1 => Just(0)],
    ) {
        let (mut store, mut waiting) = (Store::new(128), Vec::new());
        let mut known = None;
        for step in &steps {
            let changes = step.iter().fold(Changes::NONE, |changes, change| {
                changes.and(&apply(&mut store, side, &mut waiting, change))
            });
            let view = store.view();
            let params = of_notional(notional);
            let terms = sampling(&params);
            let after = |side| view.impact_after(&changes, side, &terms).expect("sound");
            prop_assert_eq!(after(side.opposite()), Impact::Unchanged);
            if let Impact::Now(price) = after(side) {
                known = price;
            }
            prop_assert_eq!(known, view.impact_price(side, &terms).expect("sound"));
        }
    }
}

#[test]
fn what_stands_behind_it_changes_nothing() {
    let (mut store, mut waiting) = (Store::new(8), Vec::new());
    let mut after = |change, notional| {
        let changes = apply(&mut store, Side::Short, &mut waiting, &change);
        let params = of_notional(notional);
        store
            .view()
            .impact_after(&changes, Side::Short, &sampling(&params))
    };
    let now = |price| Ok(Impact::Now(Some(lot_price(price))));
    assert_eq!(after(Change::Join(10, 5), 50), now(10));
    assert_eq!(after(Change::Join(11, 5), 50), Ok(Impact::Unchanged));
    assert_eq!(after(Change::Join(10, 5), 50), Ok(Impact::Unchanged));
    assert_eq!(after(Change::Join(9, 1), 50), now(10));
    assert_eq!(after(Change::Join(4, 20), 50), now(4));
}

#[test]
fn it_rounds_against_who_trades() {
    // Two lots at 10 and one at 11, or the other way round: 31 / 3 and 32 / 3.
    let (bids, _) = filled(Side::Long, &[(10, 5), (11, 1)]);
    assert_eq!(impact(&bids, Side::Long, 31), Some(10));
    let (asks, _) = filled(Side::Short, &[(10, 2), (11, 5)]);
    assert_eq!(impact(&asks, Side::Short, 31), Some(11));
    // One lot at the best price is exact.
    assert_eq!(impact(&asks, Side::Short, 1), Some(10));
    assert_eq!(impact(&asks, Side::Long, 1), None);
}

/// An order of one of the shapes that the impact price tells apart.
fn any_order() -> impl Strategy<Value = (u64, u64, i64, bool)> {
    let expiry = prop_oneof![
        3 => Just(0),
        1 => NOW - 100..NOW + 200,
        1 => prop::sample::select(vec![NOW, NOW + 59, NOW + 60, NOW + 61, i64::MAX]),
    ];
    (90_u64..111, 1_u64..30, expiry, prop::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn only_orders_that_open_live_on_and_lie_within_the_band_count(
        side in any_side(),
        orders in prop::collection::vec(any_order(), 0..90),
        share in 0_u64..110,
    ) {
        let mut store = Store::new(orders.len().max(1));
        let mut sorted = Vec::new();
        for (price, lots, expires_at, reduce_only) in orders {
            let order = NewOrder { expires_at, reduce_only, ..order(side, price, lots) };
            let mut own = OwnOrders::EMPTY;
            store.add(&order, &mut own);
            sorted.push(order);
        }
        sorted.sort_by_key(|order| match side {
            Side::Long => u64::MAX - order.price.get(),
            Side::Short => order.price.get(),
        });
        let opening = sorted.iter().filter(|order| !order.reduce_only);
        let all: u64 = opening.clone().map(|order| order.lots * order.price.get()).sum();
        prop_assert_eq!(store.view().depth(side).expect("sound").quote, all);
        let notional = (all * share / 100).max(1);
        let mut counted = Vec::new();
        let mut short_lived = 0;
        for order in opening {
            if order.expires_at == 0 || order.expires_at >= NOW + 60 {
                counted.push((order.price.get(), order.lots));
            } else {
                short_lived += 1;
                if short_lived > 32 {
                    break;
                }
            }
        }
        prop_assert_eq!(impact(&store, side, notional), walked(side, &counted, notional));
        // Ten per cent of 95 is 9.5: up to 104 and down to 86.
        let params = of_notional(notional);
        let terms = Sampling { mark: Some(lot_price(95)), ..sampling(&params) };
        let near = store.view().impact_price(side, &terms).expect("sound");
        let (mut quote, mut last) = (0, 0);
        for (price, lots) in &counted {
            if quote < notional {
                (quote, last) = (quote + price * lots, *price);
            }
        }
        let expected = walked(side, &counted, notional).filter(|_| (86..=104).contains(&last));
        prop_assert_eq!(near.map(|price| price.get()), expected);
    }
}

#[test]
fn a_reduce_only_order_moves_no_impact_price() {
    let (mut store, mut own) = (Store::new(4), OwnOrders::EMPTY);
    store.add(&order(Side::Short, 11, 5), &mut own);
    let mut book = store.book();
    let reducing = NewOrder {
        reduce_only: true,
        ..order(Side::Short, 10, 100)
    };
    let (node, _) = book.insert(&reducing, &mut own).expect("room");
    book.reduce(node, 1, 0, &mut own).expect("lots");
    book.remove(node, &mut own).expect("in the book");
    assert_eq!(*book.changes(), Changes::NONE);
    assert_eq!(impact(&store, Side::Short, 55), Some(11));
    assert_eq!(impact(&store, Side::Short, 56), None);
}

#[test]
fn thirty_two_short_lived_orders_are_searched_past_and_no_more() {
    for side in [Side::Long, Side::Short] {
        let mut store = Store::new(64);
        let mut own = OwnOrders::EMPTY;
        store.add(&order(side, 100, 5), &mut own);
        // Each better than the one before it.
        let better = |number: u64| match side {
            Side::Long => 110 + number,
            Side::Short => 90 - number,
        };
        for number in 0..33 {
            let found = impact(&store, side, 500);
            assert_eq!(found, Some(100), "{side:?} behind {number}");
            let short_lived = NewOrder {
                expires_at: NOW + 1,
                ..order(side, better(number), 9)
            };
            let mut other = OwnOrders::EMPTY;
            store.add(&short_lived, &mut other);
        }
        assert_eq!(impact(&store, side, 500), None);
    }
}
