//! The list of makers for an order: long enough, and no longer.

use ballast_client::makers::{order_makers, trigger_makers, TakerView, MAX_MAKERS};
use ballast_engine::book::{book_size, Book, BookRef, NewOrder, OwnOrders};
use ballast_engine::oracle::OraclePrice;
use ballast_engine::order::{OrderKind, OrderRequest, SelfTrade};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, LotPrice, Lots, Side, Ticks};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::oracle_config::ORACLE_PULL;
use ballast_state::trigger::Trigger;
use ballast_state::Pubkey;
use bytemuck::Zeroable;

const NOW: i64 = 1_000;
/// Quote atoms of a lot at a tick.
const TICK: u64 = 10;
const TAKER: u8 = 200;

/// An ask or bid: trader, price in ticks, lots, expiry.
type Row = (u8, u64, u64, i64);

fn key(trader: u8) -> Pubkey {
    Pubkey::new_from_array([trader; 32])
}

fn book(side: Side, rows: &[Row]) -> Vec<u64> {
    let mut words = vec![0_u64; book_size(64).unwrap().div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Book::create(bytes, [1; 32]).unwrap();
    let mut book = Book::new(bytes).unwrap();
    let mut chains = vec![OwnOrders::EMPTY; 256];
    for (trader, ticks, lots, expires_at) in rows.iter().copied() {
        let order = NewOrder {
            trader: [trader; 32],
            side,
            price: LotPrice::new(ticks * TICK).unwrap(),
            lots,
            margin: 1,
            client_id: 0,
            expires_at,
            reduce_only: false,
        };
        let own = &mut chains[usize::from(trader)];
        book.insert(&order, own).unwrap();
    }
    words
}

/// A market at 1,000 ticks with a band of 5%.
fn market() -> Market {
    let mut market = Market::zeroed();
    market.oracle.kind = ORACLE_PULL;
    market.oracle.atoms_per_lot_tick = TICK;
    market.risk.price_band_bps = 500;
    market.risk.min_position_lots = 1;
    market
}

fn view(market: &Market, held: i64) -> TakerView<'_> {
    TakerView {
        market,
        price: OraclePrice {
            price: Ticks::new(1_000),
            confidence: Ticks::new(1),
            ema: Ticks::new(1_000),
            publish_time: NOW,
            below_tick: false,
        },
        now: NOW,
        trader: key(TAKER),
        position: Position {
            lots: Lots::new(held).unwrap(),
            entry_quote: Atoms::new(held * 10_000),
            ..Position::default()
        },
    }
}

fn buy(kind: OrderKind, ticks: u64, lots: u64) -> OrderRequest {
    OrderRequest {
        side: Side::Long,
        kind,
        price: Ticks::new(ticks),
        lots,
        expires_at: 0,
        reduce_only: false,
    }
}

fn listed(rows: &[Row], request: &OrderRequest, mode: SelfTrade, spares: usize) -> Vec<u8> {
    let words = book(request.side.opposite(), rows);
    let book = BookRef::new(bytemuck::cast_slice(&words)).unwrap();
    let market = market();
    let makers = order_makers(&book, &view(&market, 0), request, mode, spares).unwrap();
    makers.iter().map(|maker| maker.to_bytes()[0]).collect()
}

const ASKS: [Row; 6] = [
    (1, 1_001, 5, 0),
    (2, 1_002, 5, NOW),
    (TAKER, 1_003, 4, 0),
    (1, 1_004, 5, 0),
    (3, 1_005, 5, NOW + 1),
    (4, 1_060, 5, 0),
];

#[test]
fn an_order_lists_the_makers_it_needs_for_its_lots() {
    let list = |lots, spares| {
        let order = buy(OrderKind::Limit, 1_050, lots);
        listed(&ASKS, &order, SelfTrade::CancelProvide, spares)
    };
    assert_eq!(list(5, 0), [1]);
    // The expired order fills nothing, but is in the way.
    assert_eq!(list(6, 0), [1, 2]);
    assert_eq!(list(10, 0), [1, 2]);
    assert_eq!(list(11, 0), [1, 2, 3]);
    assert_eq!(list(5, 1), [1, 2]);
    assert_eq!(list(5, 2), [1, 2]);
    assert_eq!(list(5, 3), [1, 2, 3]);
    assert_eq!(list(5, 99), [1, 2, 3], "no spare beyond the limit");
}

#[test]
fn prices_beyond_the_limit_or_the_band_are_not_met() {
    let limit = buy(OrderKind::ImmediateOrCancel, 1_004, 99);
    let abort = SelfTrade::CancelProvide;
    assert_eq!(listed(&ASKS, &limit, abort, 9), [1, 2]);
    for worst in [0, 2_000] {
        let market = buy(OrderKind::Market, worst, 99);
        assert_eq!(listed(&ASKS, &market, abort, 9), [1, 2, 3]);
    }
    let words = book(Side::Short, &ASKS);
    let book = BookRef::new(bytemuck::cast_slice(&words)).unwrap();
    let (market, beyond) = (market(), buy(OrderKind::Limit, 1_051, 1));
    let refused = order_makers(&book, &view(&market, 0), &beyond, abort, 0);
    assert_eq!(refused, Err(EngineError::PriceOutsideBand));
}

#[test]
fn own_orders_are_met_as_the_order_says() {
    let order = buy(OrderKind::Limit, 1_050, 14);
    let list = |mode| listed(&ASKS, &order, mode, 0);
    assert_eq!(list(SelfTrade::CancelProvide), [1, 2, 3]);
    // Four of the fourteen go with the own order.
    assert_eq!(list(SelfTrade::DecrementAndCancel), [1, 2]);
    assert_eq!(list(SelfTrade::Abort), [1, 2]);
}

#[test]
fn a_post_only_order_lists_the_expired_in_its_way() {
    let order = buy(OrderKind::PostOnly, 1_002, 1);
    let mode = SelfTrade::CancelProvide;
    assert!(listed(&ASKS, &order, mode, 9).is_empty());
    let asks = [(2, 1_001, 5, NOW), (3, 1_002, 5, NOW - 1), (4, 1_003, 5, 1)];
    assert_eq!(listed(&asks, &order, mode, 0), [2, 3]);
}

#[test]
fn reduce_only_orders_and_triggers_reach_as_far_as_the_position() {
    let bids: Vec<Row> = (1..9).map(|n| (n, 1_000 - u64::from(n), 2, 0)).collect();
    let words = book(Side::Long, &bids);
    let book = BookRef::new(bytemuck::cast_slice(&words)).unwrap();
    let market = market();
    let held = view(&market, 5);
    let sell = OrderRequest {
        side: Side::Short,
        kind: OrderKind::Market,
        price: Ticks::new(0),
        lots: 99,
        expires_at: 0,
        reduce_only: true,
    };
    let makers = order_makers(&book, &held, &sell, SelfTrade::Abort, 0).unwrap();
    assert_eq!(makers, [key(1), key(2), key(3)]);

    let trigger = Trigger {
        price_ticks: 1_000,
        worst_ticks: 998,
        lots: 99,
        placed_lots: 99,
    };
    assert_eq!(
        trigger_makers(&book, &held, &trigger, 0).unwrap(),
        [key(1), key(2)]
    );
    let flat = trigger_makers(&book, &view(&market, 0), &trigger, 0);
    assert_eq!(flat, Err(EngineError::NothingToReduce));
}

#[test]
fn a_list_is_as_long_as_a_call_takes() {
    let many: Vec<Row> = (1..=40).map(|n| (n, 1_001, 1, 0)).collect();
    let order = buy(OrderKind::Limit, 1_010, 40);
    let makers = listed(&many, &order, SelfTrade::Abort, 8);
    assert_eq!(makers.len(), MAX_MAKERS);
    // One maker of all that a call works off, another behind them.
    let mut mixed: Vec<Row> = vec![(1, 1_001, 1, 0); 16];
    mixed.extend(vec![(2, 1_002, 1, 0); 16]);
    mixed.push((3, 1_003, 1, 0));
    assert_eq!(listed(&mixed, &order, SelfTrade::Abort, 0), [1, 2]);
    assert_eq!(listed(&mixed, &order, SelfTrade::Abort, 1), [1, 2, 3]);
}
