//! What somebody could do to a book for little: orders without a position or a reserve behind them,
//! a side filled with orders that nobody can meet, dead orders in the way.

use ballast_client::makers::{order_makers, TakerView};
use ballast_engine::units::Side;
use ballast_sandbox::{MarketConfig, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::{BallastEvent, OrdersCancelled, RemovalReason};
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::trigger::TriggerKind;

use crate::event;
use crate::orders::{ask, bid, ioc, listed, of_kind, reducing};
use crate::support::{done, quiet, refused, terms, Venue, START, USD};

fn expiring(expires_at: i64, args: PlaceOrderArgs) -> PlaceOrderArgs {
    PlaceOrderArgs { expires_at, ..args }
}

/// The open venue in which alice, long 10 SOL, offers 4, 3 and 3 of them at $201, $202 and $203.
fn offered() -> Venue {
    let mut venue = Venue::open();
    let alice = venue.alice.clone();
    for (price, lots) in [(201_000, 4_000), (202_000, 3_000), (203_000, 3_000)] {
        venue.place(&alice, reducing(ask(price, lots)), &[]);
    }
    venue
}

/// Lots of the asks, the best first.
fn asks(venue: &Venue) -> Vec<u64> {
    let resting = venue.resting(OrderSide::Ask);
    resting.into_iter().map(|(_, lots)| lots).collect()
}

/// Orders that a transaction took out or cut down, with the lots they lost.
fn cuts(events: &[BallastEvent]) -> Vec<OrdersCancelled> {
    let cancelled = events.iter().filter_map(|event| match event {
        BallastEvent::OrdersCancelled(event) => Some(event.as_ref().clone()),
        _ => None,
    });
    cancelled.collect()
}

#[test]
pub fn reduce_only_orders_stayed_when_position_and_collateral_were_gone() {
    let mut venue = offered();
    let (alice, bob) = venue.two();
    // Four at most, and together no more than the position.
    let more = reducing(ask(204_000, 1_000));
    venue.refuse(BallastError::NothingToReduce, &alice, more, &[]);
    let outcome = done(venue.trade(-7_000, START, 0, 0));
    let cut = cuts(&outcome.events);
    let lost: Vec<_> = cut[0].orders.iter().map(|order| order.lots).collect();
    // The newest first: 3 SOL are left of the position.
    assert_eq!(
        (cut.len(), cut[0].trader, lost),
        (1, alice.address, vec![3_000, 3_000, 1_000])
    );
    assert_eq!(asks(&venue), [3_000]);
    venue.sound();
    // With the position the last one goes, and the account can be emptied and closed.
    let outcome = done(venue.trade(-3_000, START, 0, 0));
    assert_eq!(cuts(&outcome.events)[0].orders[0].lots, 3_000);
    assert!(asks(&venue).is_empty());
    assert!(venue
        .sandbox
        .position(&venue.market, &alice.address)
        .is_none());
    let all = venue.free(&alice).unsigned_abs();
    done(venue.sandbox.withdraw(&alice, all));
    done(venue.sandbox.close_trader(&alice));
    // Nobody trades with what is not there.
    let event = venue.place(&bob, ioc(bid(203_000, 10_000)), &[&alice]);
    assert_eq!((event.filled_lots, event.removed.len()), (0, 0));
}

#[test]
pub fn a_trader_has_four_reduce_only_orders_a_market() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    for number in 1..=4 {
        venue.place(&alice, reducing(ask(START + number, 1_000)), &[]);
    }
    let fifth = reducing(ask(START + 9, 1_000));
    venue.refuse(BallastError::TooManyReduceOnly, &alice, fifth, &[]);
    // What opens, or does not wait, is not among them; the next may come when one has gone.
    venue.place(&alice, ask(START + 9, 1_000), &[]);
    venue.place(&bob, bid(START, 500), &[]);
    venue.place(&alice, ioc(reducing(ask(START, 500))), &[&bob]);
    venue.place(&bob, bid(START + 1, 1_000), &[&alice]);
    venue.place(&alice, fifth, &[]);
    assert_eq!(venue.slot(&alice).reduce_only_count, 4);
}

#[test]
pub fn a_reduce_only_order_waits_with_what_the_others_leave() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&alice, reducing(ask(201_000, 7_000)), &[]);
    let event = venue.place(&alice, reducing(ask(202_000, 7_000)), &[]);
    assert_eq!(
        (event.lots, event.resting_lots, event.dropped_lots),
        (7_000, 3_000, 4_000)
    );
    // It closes the whole position all the same, and the others go with it.
    venue.place(&bob, bid(START, 6_000), &[]);
    let event = venue.place(&alice, reducing(ask(START, 10_000)), &[&bob]);
    assert_eq!(
        (event.filled_lots, event.resting_lots, event.dropped_lots),
        (6_000, 0, 4_000)
    );
    let lost: Vec<_> = event.cancelled.iter().map(|order| order.lots).collect();
    assert_eq!(lost, [3_000, 3_000]);
    assert_eq!(asks(&venue), [4_000]);
}

#[test]
pub fn reduce_only_orders_go_with_a_position_that_a_fill_turns() {
    let mut venue = offered();
    let alice = venue.alice.clone();
    let carol = venue.trader(1_000);
    // Her own order to sell 12 SOL is met: 2 SOL short afterwards.
    venue.place(&alice, ask(START + 1, 12_000), &[]);
    let event = venue.place(&carol, ioc(bid(START + 1, 12_000)), &[&alice]);
    assert_eq!(event.fills[0].maker_lots_after, -2_000);
    let removed: Vec<_> = event
        .removed
        .iter()
        .map(|order| (order.maker, order.reason, order.lots, order.fee_atoms))
        .collect();
    let gone = |lots| (alice.address, RemovalReason::Reduced, lots, 0);
    assert_eq!(removed, [gone(3_000), gone(3_000), gone(4_000)]);
    assert!(asks(&venue).is_empty());
    assert_eq!(venue.slot(&alice).reduce_only_count, 0);
}

#[test]
pub fn reduce_only_orders_shrink_when_a_trigger_fires() {
    let mut venue = offered();
    let (alice, bob) = venue.two();
    let stop = PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks: 199_000,
        worst_ticks: 0,
        lots: 5_000,
    };
    done(venue.sandbox.place_trigger(&venue.market, &alice, stop));
    venue.place(&bob, bid(198_000, 5_000), &[]);
    venue.price(199_000);
    let makers = [bob.address];
    let fired = venue.sandbox.execute_trigger(
        &venue.market,
        &alice.address,
        &bob,
        TriggerKind::StopLoss,
        &makers,
    );
    let event = event!(done(fired), TriggerExecuted);
    let lost: Vec<_> = event.cancelled.iter().map(|order| order.lots).collect();
    assert_eq!((event.filled_lots, lost), (5_000, vec![3_000, 2_000]));
    assert_eq!(asks(&venue), [4_000, 1_000]);
    venue.sound();
}

#[test]
pub fn reduce_only_orders_shrink_when_a_liquidator_takes_over() {
    let mut venue = Venue::open();
    let keeper = venue.trader(10_000);
    let carol = venue.trader(10_000);
    // The keeper is short 5 SOL and bids for all of them.
    let short = terms(-5_000, START, 500 * USD, 500 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &keeper, &carol, short),
    );
    venue.place(&keeper, reducing(bid(190_500, 5_000)), &[]);
    venue.price(194_000);
    let victim = venue.alice.address;
    let outcome = done(venue.sandbox.liquidate(&venue.market, &victim, &keeper, 0));
    let event = event!(outcome, PositionLiquidated);
    // A step of 2 SOL leaves 3 SOL short.
    assert_eq!((event.lots, event.removed.len()), (-2_000, 1));
    let removed = event.removed[0];
    assert_eq!(
        (removed.maker, removed.reason),
        (keeper.address, RemovalReason::Reduced)
    );
    assert_eq!((removed.lots, removed.fee_atoms), (2_000, 0));
    assert_eq!(venue.resting(OrderSide::Bid), [(190_500, 3_000)]);
    venue.sound();
}

/// Base rate 0, at most 2,000 ppm either way, sampled at $100.
fn sampled() -> MarketConfig {
    let mut config = quiet();
    config.risk.impact_notional_atoms = 100 * USD;
    config.risk.max_funding_rate_ppm = 2_000;
    config
}

/// Impact prices as recorded.
fn impact(venue: &Venue) -> (u32, u32) {
    let funding = venue.sandbox.market(&venue.market).funding;
    (funding.impact_bid, funding.impact_ask)
}

#[test]
pub fn orders_without_a_reserve_set_the_funding_rate_to_its_maximum() {
    let mut venue = Venue::open_with(&sampled());
    let alice = venue.alice.clone();
    let carol = venue.trader(1_000);
    venue.place(&carol, bid(199_900, 1_000), &[]);
    for number in 0..4 {
        venue.place(&alice, reducing(ask(209_000 + number, 2_500)), &[]);
    }
    assert_eq!(impact(&venue), (199_900, 0));
    let depth = |venue: &Venue, side| {
        let book = venue.sandbox.book(&venue.market);
        book.book().unwrap().depth(side).unwrap().lots
    };
    assert_eq!(
        (depth(&venue, Side::Long), depth(&venue, Side::Short)),
        (1_000, 0)
    );
    let sample = |venue: &mut Venue| {
        venue.sandbox.advance_seconds(2);
        venue.price(START);
        event!(
            done(venue.sandbox.accrue_funding(&venue.market)),
            FundingAccrued
        )
        .sample_ppm
    };
    assert_eq!(sample(&mut venue), 0);
    // An order that opens counts, in front of them or behind.
    venue.place(&carol, ask(209_500, 1_000), &[]);
    assert_eq!(impact(&venue), (199_900, 209_500));
    assert_eq!(sample(&mut venue), 2_000);
}

#[test]
pub fn orders_about_to_expire_made_the_impact_price() {
    let mut venue = Venue::open_with(&sampled());
    let carol = venue.trader(1_000);
    let now = venue.sandbox.time();
    venue.place(&carol, ask(201_000, 1_000), &[]);
    venue.place(&carol, expiring(now + 59, ask(200_100, 1_000)), &[]);
    assert_eq!(impact(&venue).1, 201_000);
    venue.place(&carol, expiring(now + 60, ask(200_200, 1_000)), &[]);
    assert_eq!(impact(&venue).1, 200_200);
    // With less than a minute left it counts no more once the side changes.
    venue.sandbox.advance_seconds(2);
    venue.price(START);
    venue.place(&carol, ask(200_900, 400), &[]);
    // $80.36 at $200.900 and 98 lots at $201: $100.058 for 498 lots.
    assert_eq!(impact(&venue).1, 200_920);
    venue.sound();
}

#[test]
pub fn orders_outside_the_band_made_the_impact_price() {
    let mut venue = Venue::open_with(&sampled());
    let carol = venue.trader(1_000);
    venue.place(&carol, bid(190_000, 1_000), &[]);
    venue.place(&carol, ask(200_100, 1_000), &[]);
    assert_eq!(impact(&venue), (190_000, 200_100));
    // Five per cent below $200.001 is $190.00095.
    venue.sandbox.advance_seconds(2);
    venue.price(200_001);
    let accrued = event!(
        done(venue.sandbox.accrue_funding(&venue.market)),
        FundingAccrued
    );
    assert_eq!(accrued.sample_ppm, 0);
    venue.place(&carol, bid(190_001, 499), &[]);
    assert_eq!(impact(&venue), (0, 200_100));
    venue.place(&carol, bid(190_001, 100), &[]);
    assert_eq!(impact(&venue), (190_001, 200_100));
    venue.sound();
}

/// A market with room for 16 orders a side, in which sixteen traders bid $100 each near the far edge
/// of the band.
fn full() -> (Venue, Vec<TraderCookie>) {
    let mut config = quiet();
    config.risk.min_order_atoms = 0;
    config.book_capacity = 16;
    let mut venue = Venue::with(&config);
    let crowd: Vec<TraderCookie> = (0..16).map(|_| venue.trader(10)).collect();
    for (number, trader) in (0..).zip(&crowd) {
        venue.place(trader, bid(190_000 + number, 527), &[]);
    }
    (venue, crowd)
}

#[test]
pub fn sixteen_accounts_filled_a_side_of_the_book_for_little() {
    let (mut venue, crowd) = full();
    let alice = venue.alice.clone();
    // What they did it with: far away, and worth next to nothing.
    let far = BallastError::PriceOutsideBand;
    venue.refuse(far, &alice, bid(1, 1_000_000), &[]);
    venue.refuse(far, &alice, bid(189_999, 1_000), &[]);
    venue.refuse(far, &alice, ask(210_001, 1_000), &[]);
    let little = BallastError::OrderTooSmall;
    venue.refuse(little, &alice, bid(190_000, 526), &[]);
    venue.place(&alice, ioc(bid(190_000, 526)), &[]);
    // Who offers no more is refused, however good the price; so is who lists nobody.
    let full = BallastError::BookFull;
    venue.refuse(full, &alice, bid(START, 526), &[&crowd[0]]);
    venue.refuse(full, &alice, bid(START, 527), &[]);
    venue.refuse(full, &alice, bid(190_000, 600), &[&crowd[0]]);
    venue.refuse(full, &alice, bid(START, 600), &[&crowd[8]]);
    // The worst listed of the last eight gives way and has its reserve back.
    let event = venue.place(&alice, bid(START, 527), &[&crowd[7], &crowd[2]]);
    assert_eq!((event.resting_lots, event.removed.len()), (527, 1));
    let gone = event.removed[0];
    assert_eq!(
        (gone.maker, gone.reason),
        (crowd[2].address, RemovalReason::Evicted)
    );
    assert_eq!(
        (gone.price_ticks, gone.lots, gone.fee_atoms),
        (190_002, 527, 0)
    );
    assert_eq!(venue.free(&crowd[2]), 10_000_000);
    assert!(venue
        .sandbox
        .position(&venue.market, &crowd[2].address)
        .is_none());
    assert_eq!(venue.resting(OrderSide::Bid).len(), 16);
    // A client lists whom it takes.
    let market = venue.sandbox.market(&venue.market);
    let quote = ballast_engine::oracle::OraclePrice {
        price: ballast_engine::units::Ticks::new(START),
        ema: ballast_engine::units::Ticks::new(START),
        publish_time: venue.sandbox.time(),
        ..Default::default()
    };
    let view = TakerView {
        market: &market,
        price: quote,
        now: venue.sandbox.time(),
        trader: alice.address,
        position: Default::default(),
    };
    let next = bid(START - 1, 600);
    let snapshot = venue.sandbox.book(&venue.market);
    let book = snapshot.book().unwrap();
    let wanted = order_makers(&book, &view, &next.request(), next.self_trade.into(), 0);
    assert_eq!(wanted, Ok(listed(&[&crowd[0]])));
    venue.place(&alice, next, &[&crowd[0]]);
}

#[test]
pub fn what_is_left_of_an_order_is_dropped_where_it_is_worth_too_little() {
    let mut config = quiet();
    config.risk.min_order_atoms = 100 * USD;
    let mut venue = Venue::with(&config);
    let (alice, bob) = venue.two();
    for (left, rests) in [(500, 500), (499, 0)] {
        venue.place(&bob, ask(START, 600), &[]);
        let event = venue.place(&alice, bid(START, 600 + left), &[&bob]);
        assert_eq!((event.filled_lots, event.resting_lots), (600, rests));
        done(venue.sandbox.cancel_all_orders(&venue.market, &alice, None));
    }
}

#[test]
pub fn a_removal_cost_a_fee_although_only_the_mark_had_moved() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 1_000), &[]);
    // $5.121 of equity where maintenance is $5.12198.
    venue.wait(2);
    venue.price_twice(204_879);
    let event = venue.place(&alice, ioc(bid(START, 1_000)), &[&bob]);
    let removed = event.removed[0];
    assert_eq!(
        (removed.reason, removed.fee_atoms),
        (RemovalReason::Unhealthy, 0)
    );
    assert_eq!(event.collected_atoms, 0);
    assert_eq!(
        (venue.free(&alice), venue.free(&bob)),
        (1_000_000_000, 1_000_000_000)
    );
}

#[test]
pub fn dead_orders_used_up_the_matches_of_a_call() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let expires_at = venue.sandbox.time() + 2;
    let dead = [venue.trader(100), venue.trader(100)];
    let live = [venue.trader(100), venue.trader(100)];
    for trader in &dead {
        for _ in 0..16 {
            venue.place(trader, expiring(expires_at, ask(START, 10)), &[]);
        }
    }
    for trader in &live {
        for _ in 0..16 {
            venue.place(trader, ask(START + 1, 10), &[]);
        }
    }
    venue.sandbox.advance_seconds(2);
    venue.price(START);
    let makers = [&dead[0], &dead[1], &live[0], &live[1]];
    let all = of_kind(OrderKind::FillOrKill, bid(START + 1, 320));
    let event = venue.place(&alice, all, &makers);
    assert_eq!((event.fills.len(), event.removed.len()), (32, 32));
    assert_eq!(event.filled_lots, 320);
    assert_eq!(venue.resting(OrderSide::Ask).len(), 0);
}

#[test]
pub fn a_thirty_third_fill_or_removal_ends_a_call() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let expires_at = venue.sandbox.time() + 2;
    let makers = [venue.trader(100), venue.trader(100), venue.trader(100)];
    for trader in &makers {
        for _ in 0..11 {
            venue.place(trader, expiring(expires_at, ask(START, 10)), &[]);
        }
    }
    let all: Vec<&TraderCookie> = makers.iter().collect();
    let mut other = Venue {
        sandbox: venue.sandbox.fork(),
        market: venue.market.clone(),
        alice: alice.clone(),
        bob: venue.bob.clone(),
    };
    let event = other.place(&alice, ioc(bid(START, 330)), &all);
    assert_eq!((event.fills.len(), event.dropped_lots), (32, 10));
    venue.sandbox.advance_seconds(2);
    venue.price(START);
    let event = venue.place(&alice, bid(START, 330), &all);
    assert_eq!((event.removed.len(), event.resting_lots), (32, 0));
}

#[test]
pub fn milliseconds_were_taken_for_seconds() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let now = venue.sandbox.time();
    let far = BallastError::ExpiryTooFar;
    for expires_at in [1_795_867_893_000, now * 1_000, now + 316_224_001, i64::MAX] {
        for args in [bid(START, 10), ioc(bid(START, 10))] {
            venue.refuse(far, &alice, expiring(expires_at, args), &[]);
        }
    }
    venue.place(&alice, expiring(now + 316_224_000, bid(START, 10)), &[]);
}

#[test]
pub fn a_stop_that_can_never_fill_was_accepted() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    let stop = |price_ticks, worst_ticks| PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks,
        worst_ticks,
        lots: 1_000,
    };
    let never = BallastError::TriggerNeverFills;
    for (trader, beyond, at) in [
        (&alice, stop(190_000, 190_001), stop(190_000, 190_000)),
        (&bob, stop(210_000, 209_999), stop(210_000, 210_000)),
    ] {
        refused(&mut venue.sandbox, never, |s| {
            s.place_trigger(&venue.market, trader, beyond)
        });
        let takes = PlaceTriggerArgs {
            kind: TriggerKind::TakeProfit,
            ..beyond
        };
        for args in [at, takes] {
            done(venue.sandbox.place_trigger(&venue.market, trader, args));
        }
    }
}

#[test]
pub fn the_book_refused_a_close_whose_equity_was_below_the_fee() {
    let mut venue = Venue::open();
    let alice = venue.alice.clone();
    let carol = venue.trader(1_000);
    let free = venue.free(&alice).unsigned_abs();
    done(venue.sandbox.withdraw(&alice, free));
    venue.price(190_500);
    venue.place(&carol, bid(190_010, 10_000), &[]);
    // Closing at $190.01 leaves $0.10, and the fee is $0.95.
    let event = venue.place(&alice, ioc(reducing(ask(190_010, 10_000))), &[&carol]);
    assert_eq!(
        (event.filled_lots, event.taker.unwrap().fee),
        (10_000, 100_000)
    );
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(market.fees_atoms + market.insurance.balance, 1_100_000);
    assert_eq!(venue.free(&alice), 0);
}

#[test]
pub fn prices_below_a_hundred_thousandth_of_a_dollar_were_refused() {
    let mut config = quiet();
    // Ticks of a billionth of a dollar, lots of a million: $0.0000094 is $9.40 a lot.
    config.tick_nano = 1;
    config.lot_nano = 1_000_000_000_000_000;
    config.atoms_per_lot_tick = 1_000;
    config.start_price_ticks = 9_403;
    let mut venue = Venue::with(&config);
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(market.least_order_atoms(), 1);
    assert_eq!(market.oracle.quote_unit_atoms(), USD);
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(9_403, 100), &[]);
    let event = venue.place(&alice, bid(9_403, 100), &[&bob]);
    assert_eq!((event.filled_lots, event.mark_ticks), (100, 9_403));
    // $940.30 at 20x.
    assert_eq!(venue.holds(&alice).1, 47_015_000);
    venue.sandbox.advance_seconds(1);
    venue.price(9_399);
    let event = venue.place(&alice, ioc(reducing(ask(9_399, 100))), &[]);
    assert_eq!((event.mark_ticks, event.dropped_lots), (9_399, 100));
}
