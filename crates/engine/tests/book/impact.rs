//! Impact prices against a walk along the sorted list.

use ballast_engine::book::OwnOrders;
use ballast_engine::units::{Side, MAX_LOTS, MAX_LOT_PRICE};
use proptest::prelude::*;

use crate::fixture::{any_side, cases, order, trader, Store};

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

fn impact(store: &Store, side: Side, notional: u64) -> Option<u64> {
    let price = store.view().impact_price(side, notional).expect("sound");
    price.map(|price| price.get())
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
