//! Orders of legs that waited: a leg alone makes as an isolated position with the pool for margin, and no account is
//! worse off against the mark than by the price and the fee.

use ballast_engine::book::{book_size, Book, NewOrder, Order, OwnOrders};
use ballast_engine::cross::{may_grow, meet_leg, Account, Leg, LegFill, LegMaker};
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::matching::{meet, Maker, Match, RemoveReason, Taking};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, LotPrice, Side};

use crate::fixture::{
    pool_for, position, requirement, some_account, some_market, some_position, Dice, Market,
};

/// An order of the book.
fn waiting(side: Side, at: LotPrice, lots: u64, (margin, reduce_only): (u64, bool)) -> Order {
    let mut words = vec![0_u64; book_size(1).unwrap() / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    Book::create(bytes, [1; 32]).unwrap();
    let mut book = Book::new(bytes).unwrap();
    let order = NewOrder {
        trader: [7; 32],
        side,
        price: at,
        lots,
        margin: if reduce_only { 0 } else { margin },
        client_id: 0,
        expires_at: 0,
        reduce_only,
    };
    let (node, _) = book.insert(&order, &mut OwnOrders::EMPTY.clone()).unwrap();
    *book.as_ref().order(node).unwrap()
}

/// One of up to twice the position at a price within 3% of the mark.
fn some_order(dice: &mut Dice, market: &Market, held: u64) -> Order {
    let lots = dice.magnitude(1, 2 * held.max(5));
    let at = market.mark.price.get();
    let at = LotPrice::new(dice.within((at * 97 / 100).max(1), at * 103 / 100)).unwrap();
    let side = if dice.once_in(2) {
        Side::Long
    } else {
        Side::Short
    };
    let margin = at.get() * lots / dice.within(5, 40);
    waiting(side, at, lots, (margin, dice.once_in(3)))
}

/// One with which the account has up to three times its requirement, or lacks as much.
fn some_pool(dice: &mut Dice, legs: &[Leg<'_>]) -> Atoms {
    let equity = dice.signed(3 * requirement(legs).max(1_000_000));
    pool_for(legs, equity)
}

fn taking(market: &Market) -> Taking<'_> {
    Taking {
        params: &market.params,
        mark: market.mark,
        earlier: Some(market.mark.price),
        now: 1,
        charged: true,
    }
}

fn maker<'a>(account: &'a Account<'a>, place: usize, room: u64) -> LegMaker<'a> {
    let values = account.values().unwrap();
    let beside = (Atoms::new(50), room, true);
    account.maker(&values, place, beside).unwrap()
}

#[test]
fn a_leg_alone_makes_as_an_isolated_position_with_the_pool_for_margin() {
    let mut dice = Dice(61);
    let (mut filled, mut reduced, mut removed) = (0, 0, 0);
    for _ in 0..30_000 {
        let market = some_market(&mut dice);
        let held = match dice.once_in(4) {
            true => Position::default(),
            false => some_position(&mut dice, &market),
        };
        let legs = [market.leg(held)];
        let pool = some_pool(&mut dice, &legs);
        let order = some_order(&mut dice, &market, held.size());
        let most = dice.magnitude(1, 2 * order.size());
        let account = Account { pool, legs: &legs };
        let Ok(alone) = (Position {
            margin: pool,
            ..held
        })
        .settle(market.funding) else {
            continue;
        };
        let isolated = Maker {
            position: alone,
            free: Atoms::new(50),
            has_room: true,
        };
        let Ok(values) = account.values() else {
            continue;
        };
        let Ok(leg) = account.maker(&values, 0, (Atoms::new(50), u64::MAX, true)) else {
            continue;
        };
        let taking = taking(&market);
        let made = (
            meet(&taking, &isolated, &order, most),
            meet_leg(&taking, &leg, &order, most).unwrap(),
        );
        match made {
            (Ok(Match::Fill(isolated)), Match::Fill(LegFill { fill, .. })) => {
                filled += 1;
                reduced += u64::from(fill.reduced_only);
                assert_eq!(
                    (
                        isolated.lots,
                        isolated.notional,
                        isolated.taker_fee,
                        isolated.done
                    ),
                    (fill.lots, fill.notional, fill.taker_fee, fill.done)
                );
                assert_eq!(isolated.margin_used, fill.margin_used);
                // What is short of the fee of a reduction an isolated maker keeps.
                if isolated.fee == fill.fee {
                    let out = isolated.free.get() - 50;
                    let margin = isolated.position.margin.get();
                    assert_eq!(fill.free.get(), margin + out);
                }
                let leg = Position {
                    margin: isolated.position.margin,
                    ..fill.position
                };
                assert_eq!(leg, isolated.position);
            }
            (Ok(Match::Remove(isolated)), Match::Remove(leg)) => {
                removed += 1;
                assert_eq!(isolated, leg);
            }
            // A leg makes smaller only where its account is no less healthy, or far from the mark opens.
            (Ok(Match::Fill(fill)), _) => assert!(fill.reduced_only),
            // What an isolated one that turns round gets back is free collateral, and of a leg's it is margin.
            (Ok(_), Match::Fill(leg)) => {
                let turned = !held.is_empty() && held.side() != leg.fill.position.side();
                assert!(leg.fill.reduced_only || turned);
            }
            _ => {}
        }
    }
    assert!(
        filled > 5_000 && reduced > 1_500 && removed > 1_000,
        "{filled} {reduced} {removed}"
    );
}

#[test]
fn nothing_but_price_fee_and_reserve_changes_what_an_account_is_worth() {
    let mut dice = Dice(62);
    let (mut opened, mut reduced, mut refused) = (0, 0, 0);
    for _ in 0..20_000 {
        let (markets, positions) = some_account(&mut dice);
        let place = usize::try_from(dice.within(0, markets.len() as u64 - 1)).unwrap();
        let legs: Vec<_> = markets
            .iter()
            .zip(&positions)
            .map(|(market, position)| market.leg(*position))
            .collect();
        let account = Account {
            pool: some_pool(&mut dice, &legs),
            legs: &legs,
        };
        let Ok(was) = account.values() else {
            continue;
        };
        let market = &markets[place];
        let order = some_order(&mut dice, market, positions[place].size());
        let leg = maker(&account, place, u64::MAX);
        let taking = taking(market);
        let Match::Fill(leg) = meet_leg(&taking, &leg, &order, u64::MAX).unwrap() else {
            refused += 1;
            continue;
        };
        let mut after = legs.clone();
        after[place].position = leg.fill.position;
        let after = Account {
            pool: leg.fill.free,
            legs: &after,
        };
        let is = after.values().unwrap();
        assert_eq!((is.equity, is.requirement), (leg.equity, leg.requirement));
        let sign = if order.side() == Side::Long { 1 } else { -1 };
        let better = i128::from(market.mark.price.get()) - i128::from(order.price().get());
        let change = sign * better * i128::from(leg.fill.lots) + i128::from(leg.fill.margin_used)
            - i128::from(leg.fill.fee.get());
        let found = i128::from(is.equity.get()) - i128::from(was.equity.get());
        assert_eq!(found, change);
        // Whoever opens has maintenance margin then; whoever reduces is no less healthy.
        match leg.fill.reduced_only {
            true => assert!(is.no_less_healthy(&was)),
            false => assert!(is.is_healthy()),
        }
        opened += u64::from(!leg.fill.reduced_only);
        reduced += u64::from(leg.fill.reduced_only);
    }
    assert!(
        opened > 2_000 && reduced > 1_000 && refused > 1_000,
        "{opened} {reduced} {refused}"
    );
}

#[test]
fn lots_beyond_what_legs_may_hold_and_deep_reductions_without_margin_are_not_filled() {
    let market = Market::new(sol_market(), 200_000, 0);
    let at = market.mark.price;
    let legs = [market.leg(position(100, at.get(), 0, 0))];
    let account = Account {
        pool: Atoms::new(1 << 40),
        legs: &legs,
    };
    let taking = taking(&market);
    let bid = waiting(Side::Long, at, 40, (at.get() * 40, false));
    assert!(may_grow(&legs[0].position, &bid, 40));
    let met = |room| meet_leg(&taking, &maker(&account, 0, room), &bid, 40).unwrap();
    assert!(matches!(met(40), Match::Fill(_)));
    let Match::Remove(removal) = met(39) else {
        panic!("there is no room");
    };
    assert_eq!((removal.reason, removal.fee), (RemoveReason::NoRoom, 0));
    let ask = waiting(Side::Short, at, 40, (0, true));
    assert!(!may_grow(&legs[0].position, &ask, 40));
    assert!(may_grow(
        &legs[0].position,
        &waiting(Side::Short, at, 101, (1, false)),
        101
    ));

    // A long that sells far below the mark needs initial margin at least, and young marks.
    let low = LotPrice::new(at.get() * 90 / 100).unwrap();
    let ask = waiting(Side::Short, low, 40, (0, true));
    let fills = |pool: i64, may_open| {
        let account = Account {
            pool: Atoms::new(pool),
            legs: &legs,
        };
        let values = account.values().unwrap();
        let leg = account
            .maker(&values, 0, (Atoms::ZERO, 0, may_open))
            .unwrap();
        matches!(meet_leg(&taking, &leg, &ask, 40).unwrap(), Match::Fill(_))
    };
    let rich = i64::try_from(at.get() * 100).unwrap();
    assert!(fills(rich, true));
    assert!(!fills(rich, false), "another mark is frozen");
    let loss = i64::try_from((at.get() - low.get()) * 40).unwrap();
    assert!(!fills(loss, true), "nothing is left for initial margin");
}
