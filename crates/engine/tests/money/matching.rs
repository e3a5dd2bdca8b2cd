//! Orders of the book against a taker, one by one, and what taker and maker become.

use ballast_engine::book::{book_size, Book, NewOrder, Order, OwnOrders};
use ballast_engine::margin::{initial_margin, maintenance_margin, MarginScale};
use ballast_engine::matching::{
    meet, settle_taker, Budget, Maker, MakerFill, Match, RemoveReason, Taken, Taking,
};
use ballast_engine::oracle::Mark;
use ballast_engine::order::{
    check, least_position, order_margin, OrderKind, OrderRequest, OrderRules,
};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::trade::PartyInput;
use ballast_engine::units::{Atoms, LotPrice, Side, Ticks};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_params, cases, mark, params, position, price};
use crate::liquidation::any_side;

const NOW: i64 = 1_000_000;

/// An order as a book has it.
fn waiting(order: &NewOrder) -> Order {
    let mut words = vec![0_u64; book_size(1).unwrap() / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    Book::create(bytes, [7; 32]).unwrap();
    let mut book = Book::new(bytes).unwrap();
    let (node, _) = book.insert(order, &mut OwnOrders::EMPTY.clone()).unwrap();
    *book.as_ref().order(node).unwrap()
}

fn new_order(side: Side, at: LotPrice, lots: u64, margin: u64) -> NewOrder {
    NewOrder {
        trader: [1; 32],
        side,
        price: at,
        lots,
        margin,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
    }
}

fn wealth(position: &Position, free: Atoms) -> i128 {
    i128::from(free.get()) + i128::from(position.margin.get())
        - i128::from(position.entry_quote.get())
}

fn sign(side: Side) -> i128 {
    if side == Side::Long {
        1
    } else {
        -1
    }
}

/// Flat, long or short, with some margin.
fn any_position() -> impl Strategy<Value = Position> {
    (-300_i64..300, 90_000_u64..110_000, -100_000_i64..3_000_000).prop_map(
        |(size, entry, margin)| {
            if size == 0 {
                Position::default()
            } else {
                position(size, entry, margin)
            }
        },
    )
}

fn taking<'a>(params: &'a RiskParams, mark: &Mark, charged: bool) -> Taking<'a> {
    Taking {
        params,
        mark: *mark,
        earlier: Some(mark.price),
        now: NOW,
        charged,
    }
}

proptest! {
    #![proptest_config(cases(6_000))]

    #[test]
    fn an_order_trades_soundly_or_leaves(
        (side, at, lots, margin) in (any_side(), 80_000_u64..120_000, 1_u64..300, 0_u64..2_000_000),
        (held, free, most) in (any_position(), 0_i64..500_000, 1_u64..400),
        (reduce_only, charged, fee_bps, keeper_fee) in (any::<bool>(), any::<bool>(), -5_i32..5, 0_u64..200_000),
    ) {
        let params = RiskParams { maker_fee_bps: fee_bps, keeper_fee_atoms: keeper_fee, ..params() };
        let margin = if reduce_only { 0 } else { margin };
        let order = waiting(&NewOrder { reduce_only, ..new_order(side, price(at), lots, margin) });
        let maker = Maker { position: held, free: Atoms::new(free), has_room: true };
        let mark = mark(100_000, 50);
        let before = wealth(&held, maker.free) + i128::from(margin);
        match meet(&taking(&params, &mark, charged), &maker, &order, most).unwrap() {
            Match::Fill(fill) => {
                prop_assert!(fill.lots > 0 && fill.lots <= most.min(lots));
                prop_assert_eq!(fill.notional, fill.lots * at);
                let quote = sign(side) * i128::from(fill.notional);
                let after = wealth(&fill.position, fill.free) + i128::from(margin - fill.margin_used);
                prop_assert_eq!(after + quote + i128::from(fill.fee.get()), before);
                prop_assert!(!fill.free.is_negative());
                prop_assert!(i128::from(fill.fee.get()) >= -i128::from(fill.taker_fee));
                let moved = i128::from(fill.position.lots.get()) - i128::from(held.lots.get());
                prop_assert_eq!(moved, sign(side) * i128::from(fill.lots));
                fill.position.invariant().unwrap();
                if fill.reduced_only {
                    prop_assert!(fill.position.size() < held.size());
                } else {
                    prop_assert!(!reduce_only);
                    let opened = fill.position.size() + lots - fill.lots;
                    prop_assert!(opened >= params.min_position_lots);
                    let equity = fill.position.equity(mark.price).unwrap();
                    let needed = maintenance_margin(&params, fill.position.notional(mark.price).unwrap());
                    prop_assert!(equity.positive_part() >= needed.unwrap());
                }
                let gone = fill.lots == lots || (reduce_only && fill.position.is_empty());
                prop_assert_eq!(fill.done, gone);
            }
            Match::Remove(removal) => {
                prop_assert!(removal.fee <= keeper_fee);
                prop_assert!(!removal.free.is_negative());
                let after = wealth(&held, removal.free);
                prop_assert_eq!(after + i128::from(removal.fee), before);
                let least = if reduce_only { maker.free } else { maker.free.min(removal.free) };
                prop_assert_eq!(least.min(maker.free), least);
                let void = reduce_only && held.side() != Some(side.opposite());
                prop_assert_eq!(removal.reason == RemoveReason::NothingToReduce, void);
            }
            Match::Keep => return Err(TestCaseError::fail("the earlier price is the same")),
        }
    }

    #[test]
    fn a_taker_ends_with_initial_margin_or_smaller(
        side in any_side(), held in any_position(), free in 0_i64..30_000_000,
        fills in proptest::collection::vec((95_000_u64..105_000, 1_u64..100), 1..5), least in 0_u64..1_000_000,
    ) {
        let params = RiskParams { min_position_lots: 1, ..params() };
        let mark = mark(100_000, 50);
        let mut taken = Taken::default();
        for (at, lots) in &fills {
            let order = waiting(&new_order(side.opposite(), price(*at), *lots, 100_000_000));
            let maker = Maker { position: Position::default(), free: Atoms::ZERO, has_room: true };
            let Match::Fill(fill) = meet(&taking(&params, &mark, true), &maker, &order, *lots).unwrap() else {
                return Err(TestCaseError::fail("a maker with plenty"));
            };
            taken.add(&fill).unwrap();
        }
        let party = PartyInput { position: held, free: Atoms::new(free), margin_to_add: least };
        let done = match settle_taker(&params, &mark, &party, side, &taken) {
            Ok(done) => done,
            Err(error) => {
                let known = [EngineError::InsufficientCollateral, EngineError::PositionTooLarge];
                prop_assert!(known.contains(&error), "{error:?}");
                return Ok(());
            }
        };
        prop_assert!(!done.free.is_negative());
        prop_assert_eq!(done.fee, Atoms::from_unsigned(taken.fee).unwrap());
        let quote = sign(side) * i128::from(taken.notional);
        let (before, after) = (wealth(&held, party.free), wealth(&done.position, done.free));
        prop_assert_eq!(after + quote + i128::from(taken.fee), before);
        if !done.reduced_only {
            prop_assert!(done.margin_added >= least);
            let held_side = done.position.side().unwrap();
            let worst = mark.worsened(held_side).unwrap();
            let notional = done.position.notional(worst.max(mark.price)).unwrap();
            let equity = done.position.equity(worst).unwrap();
            prop_assert!(equity.positive_part() >= initial_margin(&params, &MarginScale::NONE, notional).unwrap());
            // Not an atom more than asked for or needed.
            prop_assert!(done.margin_added == least || equity.positive_part() == initial_margin(&params, &MarginScale::NONE, notional).unwrap());
        }
    }

    #[test]
    fn what_an_order_reserves_opens_its_position(
        params in any_params(), side in any_side(), at in 1_u64..1 << 20, from in 0_u64..1 << 20,
        confidence in 0_u64..1_000, lots in 1_u64..2_000, fee_bps in -2_i32..50,
    ) {
        let params = RiskParams { maker_fee_bps: fee_bps, taker_fee_bps: 2, ..params };
        let mark = mark(from + confidence + 1, confidence);
        let reserve = order_margin(&params, &mark, side, lots, price(at)).unwrap();
        let order = waiting(&new_order(side, price(at), lots, reserve));
        let maker = Maker { position: Position::default(), free: Atoms::ZERO, has_room: true };
        let limits = RiskParams { max_position_lots: 1 << 32, min_position_lots: 1, ..params };
        let Match::Fill(fill) = meet(&taking(&limits, &mark, false), &maker, &order, lots).unwrap() else {
            let limit = params.active_tiers().unwrap().last().unwrap().notional_limit_atoms;
            prop_assert!(lots * mark.price.get() > limit, "unhealthy at once");
            return Ok(());
        };
        // Whole, it holds initial margin at the worsened mark; no atom of it comes from elsewhere.
        prop_assert_eq!(fill.free, Atoms::ZERO);
        let worst = mark.worsened(side).unwrap();
        let notional = fill.position.notional(worst.max(mark.price)).unwrap();
        let equity = fill.position.equity(worst).unwrap();
        prop_assert!(equity.positive_part() >= initial_margin(&params, &MarginScale::NONE, notional).unwrap());
    }

    #[test]
    fn shares_of_a_reserve_never_exceed_it(lots in 2_u64..500, margin in 0_u64..1 << 40, first in 1_u64..500) {
        let order = waiting(&new_order(Side::Long, price(100), lots, margin));
        let first = first % (lots - 1) + 1;
        let share = order.margin_of(first).unwrap();
        prop_assert_eq!(u128::from(share), u128::from(margin) * u128::from(first) / u128::from(lots));
        prop_assert_eq!(order.margin_of(lots), Ok(margin));
    }
}

fn request(kind: OrderKind, side: Side, ticks: u64, lots: u64) -> OrderRequest {
    OrderRequest {
        side,
        kind,
        price: Ticks::new(ticks),
        lots,
        expires_at: 0,
        reduce_only: false,
    }
}

#[test]
fn the_least_position_is_worth_a_fifth_of_the_least_order() {
    let mut params = params();
    (params.min_position_lots, params.max_position_lots) = (10, 1_000);
    let least = |worth, price| least_position(&params, worth, LotPrice::new(price).unwrap());
    // $20 at $0.20, a lot less or more than whole, at $2, at less than two cents.
    assert_eq!(least(100_000_000, 200_000), 100);
    assert_eq!(least(100_000_001, 200_000), 101);
    assert_eq!(least(99_500_000, 200_000), 100);
    assert_eq!(least(99_499_995, 200_000), 100);
    assert_eq!(least(99_000_000, 200_000), 99);
    assert_eq!(least(100_000_000, 2_000_000), 10);
    assert_eq!(least(100_000_000, 2_000_001), 10);
    assert_eq!(least(100_000_000, 20_000), 1_000);
    assert_eq!(least(100_000_000, 19_999), 1_000);
    assert_eq!(least(u64::MAX, 1), 1_000);
    assert_eq!((least(0, 1), least(1, 1)), (10, 10));
}

#[test]
fn orders_are_checked_against_band_time_and_size() {
    let (params, mark) = (params(), mark(100_000, 50));
    let flat = Position::default();
    let rules = OrderRules {
        params: &params,
        mark,
        atoms_per_lot_tick: 1,
        least_worth: 0,
        least_lots: params.min_position_lots,
        now: NOW,
    };
    let asked = |request: &OrderRequest, held: &Position| {
        check(&rules, held, request).map(|terms| (terms.limit.get(), terms.lots))
    };
    let limit = |side, ticks| request(OrderKind::Limit, side, ticks, 5);
    // 5% of band either way where it may wait, on the side that would hurt where it may not.
    assert_eq!(asked(&limit(Side::Long, 105_000), &flat), Ok((105_000, 5)));
    assert_eq!(
        asked(&limit(Side::Long, 105_001), &flat),
        Err(EngineError::PriceOutsideBand)
    );
    for kind in [OrderKind::Limit, OrderKind::PostOnly] {
        let far = |ticks| request(kind, Side::Short, ticks, 5);
        assert_eq!(asked(&far(105_000), &flat), Ok((105_000, 5)));
        let refused = Err(EngineError::PriceOutsideBand);
        assert_eq!(asked(&far(105_001), &flat), refused);
        let far = request(kind, Side::Long, 94_999, 5);
        assert_eq!(asked(&far, &flat), refused);
    }
    let taking = request(OrderKind::ImmediateOrCancel, Side::Long, 1, 5);
    assert_eq!(asked(&taking, &flat), Ok((1, 5)));
    // Worth less than $0.48 where it may wait.
    let worth = OrderRules {
        least_worth: 480_000,
        ..rules
    };
    let worth = |kind, ticks| {
        let asked = request(kind, Side::Long, ticks, 5);
        check(&worth, &flat, &asked).map(|terms| terms.limit.get())
    };
    assert_eq!(worth(OrderKind::Limit, 96_000), Ok(96_000));
    let little = worth(OrderKind::Limit, 95_999);
    assert_eq!(little, Err(EngineError::OrderTooSmall));
    assert_eq!(worth(OrderKind::FillOrKill, 95_999), Ok(95_999));
    assert_eq!(asked(&limit(Side::Short, 95_000), &flat), Ok((95_000, 5)));
    assert_eq!(
        asked(&limit(Side::Short, 94_999), &flat),
        Err(EngineError::PriceOutsideBand)
    );
    let market = |side, ticks| request(OrderKind::Market, side, ticks, 5);
    assert_eq!(asked(&market(Side::Long, 0), &flat), Ok((105_000, 5)));
    assert_eq!(asked(&market(Side::Short, 1), &flat), Ok((95_000, 5)));
    assert_eq!(asked(&market(Side::Short, 99_000), &flat), Ok((99_000, 5)));
    assert_eq!(
        asked(&limit(Side::Long, 0), &flat),
        Err(EngineError::PriceOutOfRange)
    );
    let late = OrderRequest {
        expires_at: NOW,
        ..limit(Side::Long, 100_000)
    };
    assert_eq!(asked(&late, &flat), Err(EngineError::OrderExpired));
    for (ahead, refused) in [(316_224_000, false), (316_224_001, true)] {
        let far = OrderRequest {
            expires_at: NOW + ahead,
            ..late
        };
        let error = Some(EngineError::ExpiryTooFar).filter(|_| refused);
        assert_eq!(asked(&far, &flat).err(), error);
    }
    let small = request(OrderKind::Limit, Side::Long, 100_000, 4);
    assert_eq!(asked(&small, &flat), Err(EngineError::OrderTooSmall));
    let reducing = |side, lots| OrderRequest {
        reduce_only: true,
        ..request(OrderKind::Limit, side, 100_000, lots)
    };
    let long = position(3, 100_000, 0);
    assert_eq!(asked(&reducing(Side::Short, 9), &long), Ok((100_000, 3)));
    assert_eq!(
        asked(&reducing(Side::Long, 9), &long),
        Err(EngineError::NothingToReduce)
    );
    assert_eq!(
        asked(&reducing(Side::Short, 9), &flat),
        Err(EngineError::NothingToReduce)
    );
}

#[test]
fn expired_orders_are_removed_for_a_fee() {
    let params = RiskParams {
        keeper_fee_atoms: 700,
        ..params()
    };
    let mark = mark(100_000, 0);
    let maker = Maker {
        position: Position::default(),
        free: Atoms::new(10),
        has_room: true,
    };
    let order = |expires_at, margin| {
        waiting(&NewOrder {
            expires_at,
            ..new_order(Side::Long, price(100_000), 10, margin)
        })
    };
    let met =
        |maker: &Maker, order: &Order| match meet(&taking(&params, &mark, true), maker, order, 10)
            .unwrap()
        {
            Match::Remove(removal) => Some((removal.reason, removal.fee, removal.free.get())),
            Match::Fill(_) | Match::Keep => None,
        };
    assert_eq!(
        met(&maker, &order(NOW, 600_000)),
        Some((RemoveReason::Expired, 700, 599_310))
    );
    // No more than it reserves.
    assert_eq!(
        met(&maker, &order(NOW, 300)),
        Some((RemoveReason::Expired, 300, 10))
    );
    assert_eq!(met(&maker, &order(NOW + 1, 600_000)), None);
    // A full queue is nobody's fault, and only stops what would join it.
    let crowded = Maker {
        has_room: false,
        ..maker
    };
    assert_eq!(
        met(&crowded, &order(0, 600_000)),
        Some((RemoveReason::NoRoom, 0, 600_010))
    );
    let held = |size| Maker {
        position: position(size, 100_000, 100_000),
        ..crowded
    };
    assert_eq!(met(&held(1), &order(0, 600_000)), None);
    assert_eq!(met(&held(-10), &order(0, 600_000)), None);
    assert_eq!(
        met(&held(-5), &order(0, 600_000)).map(|removed| removed.0),
        Some(RemoveReason::NoRoom)
    );
}

#[test]
fn a_maker_who_would_become_too_large_is_removed() {
    let params = RiskParams {
        max_position_lots: 100,
        ..params()
    };
    let meets = |held: Position, lots: u64| {
        let order = waiting(&new_order(Side::Long, price(100_000), lots, 1_000_000_000));
        let maker = Maker {
            position: held,
            free: Atoms::ZERO,
            has_room: true,
        };
        match meet(
            &taking(&params, &mark(100_000, 0), true),
            &maker,
            &order,
            lots,
        ) {
            Ok(Match::Fill(fill)) => Ok(fill.position.lots.get()),
            Ok(Match::Remove(removal)) => Err(removal.reason),
            Ok(Match::Keep) => panic!("the earlier price is the same"),
            Err(error) => panic!("{error}"),
        }
    };
    let long = position(60, 100_000, 1_000_000);
    assert_eq!(meets(Position::default(), 100), Ok(100));
    assert_eq!(meets(long, 40), Ok(100));
    let removed = Err(RemoveReason::Unhealthy);
    assert_eq!(meets(Position::default(), 101), removed);
    assert_eq!(meets(long, 41), removed);
}

#[test]
fn an_order_out_of_reach_at_one_price_alone_is_kept() {
    let params = params();
    let order = waiting(&new_order(Side::Long, price(100_000), 10, 100_000));
    let empty = Maker {
        position: Position::default(),
        free: Atoms::ZERO,
        has_room: true,
    };
    let met = |maker: &Maker, at: u64, earlier: Option<u64>, average: Option<u64>| {
        let mut mark = mark(at, 0);
        mark.average = average.map(price);
        let mut taking = taking(&params, &mark, true);
        taking.earlier = earlier.map(price);
        match meet(&taking, maker, &order, 10).unwrap() {
            Match::Fill(_) => "filled",
            Match::Remove(_) => "removed",
            Match::Keep => "kept",
        }
    };
    // Ten lots with a hundred thousand atoms: nothing is left of them at 90,000.
    assert_eq!(met(&empty, 100_000, None, None), "filled");
    assert_eq!(met(&empty, 90_000, None, None), "kept");
    assert_eq!(met(&empty, 90_000, Some(100_000), None), "kept");
    assert_eq!(met(&empty, 90_000, Some(90_000), None), "removed");
    assert_eq!(met(&empty, 100_000, Some(90_000), None), "filled");
    // The average counts for who opens, where it is worse.
    assert_eq!(met(&empty, 100_000, None, Some(90_000)), "kept");
    assert_eq!(met(&empty, 100_000, None, Some(110_000)), "filled");
}

#[test]
fn a_taker_may_not_become_too_large() {
    let mark = mark(100_000, 0);
    let taken = |lots: u64| Taken {
        lots,
        notional: lots * 100_000,
        ..Taken::default()
    };
    let settled = |params: &RiskParams, held: Position, side, lots| {
        let party = PartyInput {
            position: held,
            free: Atoms::new(i64::MAX / 2),
            margin_to_add: 0,
        };
        settle_taker(params, &mark, &party, side, &taken(lots)).map(|done| done.position.lots.get())
    };
    let params = RiskParams {
        max_position_lots: 100,
        ..params()
    };
    let too_large = Err(EngineError::PositionTooLarge);
    let flat = Position::default();
    assert_eq!(settled(&params, flat, Side::Long, 100), Ok(100));
    assert_eq!(settled(&params, flat, Side::Long, 101), too_large);
    let long = position(60, 100_000, 1_000_000);
    assert_eq!(settled(&params, long, Side::Long, 40), Ok(100));
    assert_eq!(settled(&params, long, Side::Long, 41), too_large);
    assert_eq!(settled(&params, long, Side::Short, 161), too_large);
    // Who is too large already may become smaller.
    let huge = position(500, 100_000, 10_000_000);
    assert_eq!(settled(&params, huge, Side::Short, 10), Ok(490));
}

#[test]
fn fees_of_all_makers_are_counted() {
    let fill = |fee, taker_fee| MakerFill {
        lots: 3,
        notional: 300,
        position: Position::default(),
        free: Atoms::ZERO,
        margin_used: 0,
        fee: Atoms::new(fee),
        taker_fee,
        reduced_only: false,
        done: true,
    };
    let mut taken = Taken::default();
    for (fee, taker_fee) in [(7, 11), (-2, 13), (5, 17)] {
        taken.add(&fill(fee, taker_fee)).unwrap();
    }
    assert_eq!((taken.lots, taken.notional, taken.fee), (9, 900, 41));
    assert_eq!(taken.maker_fees, Atoms::new(10));
    assert_eq!(taken.paid(), Ok(Atoms::new(51)));
}

#[test]
fn who_closes_pays_the_fee_as_far_as_the_close_leaves_and_no_less_than_the_rebates() {
    let (params, mark) = (params(), mark(100_000, 0));
    let settled = |free, maker_fees| {
        let party = PartyInput {
            position: position(10, 100_000, 300),
            free: Atoms::new(free),
            margin_to_add: 0,
        };
        let taken = Taken {
            lots: 10,
            notional: 1_000_000,
            fee: 500,
            maker_fees: Atoms::new(maker_fees),
        };
        settle_taker(&params, &mark, &party, Side::Short, &taken)
            .map(|done| (done.fee.get(), done.free.get()))
    };
    assert_eq!(settled(200, 0), Ok((500, 0)));
    assert_eq!(settled(199, 0), Ok((499, 0)));
    assert_eq!(settled(0, 70), Ok((300, 0)));
    assert_eq!(settled(0, -300), Ok((300, 0)));
    assert_eq!(settled(0, -301), Err(EngineError::InsufficientCollateral));
}

#[test]
fn fills_and_removals_are_counted_apart() {
    let mut budget = Budget::CALL;
    for _ in 0..32 {
        assert!(budget.take(true));
    }
    assert!(!budget.take(true));
    for _ in 0..32 {
        assert!(budget.take(false));
    }
    assert!(!budget.take(false));
}

#[test]
fn the_filled_part_of_a_margin_is_rounded_down() {
    let taken = Taken {
        lots: 3,
        ..Taken::default()
    };
    assert_eq!(taken.share_of(100, 7), Ok(42));
    assert_eq!(taken.share_of(700, 7), Ok(300));
    assert_eq!(taken.share_of(100, 3), Ok(100));
    assert_eq!(Taken::default().share_of(100, 7), Ok(0));
}
