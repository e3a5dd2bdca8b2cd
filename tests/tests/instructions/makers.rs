//! Whose orders an order meets, which the list of makers does not decide; and orders that cannot
//! trade.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::{anyone::Takeover, orders};
use ballast_sandbox::{Sandbox, TraderCookie, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::{OrderPlaced, RemovalReason};
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::trigger::TriggerKind;

use crate::event;
use crate::orders::{ask, bid, ioc, listed, of_kind, reducing};
use crate::support::{
    done, quiet, refused, refused_by_anchor, refused_forged, terms, Venue, START, USD,
};

/// Bob, carol and dave ask in this order: bob 50 lots at $200.010, carol and dave 50 at $200, bob
/// 30 at $199.990.
fn three() -> (Venue, [TraderCookie; 3]) {
    let mut venue = Venue::new();
    let makers = [venue.bob.clone(), venue.trader(100), venue.trader(100)];
    let [bob, carol, dave] = &makers;
    venue.place(bob, ask(START + 10, 50), &[]);
    venue.place(carol, ask(START, 50), &[]);
    venue.place(dave, ask(START, 50), &[]);
    venue.place(bob, ask(START - 10, 30), &[]);
    (venue, makers)
}

/// Id, price and lots of each fill.
fn fills(event: &OrderPlaced) -> Vec<(u64, u64, u64)> {
    let fill =
        |fill: &ballast_state::events::OrderFilled| (fill.order_id, fill.price_ticks, fill.lots);
    event.fills.iter().map(fill).collect()
}

#[test]
pub fn the_best_price_comes_first_and_then_the_oldest_order() {
    let (mut venue, [bob, carol, dave]) = three();
    let alice = venue.alice.clone();
    let event = venue.place(&alice, bid(START + 10, 150), &[&bob, &carol, &dave]);
    assert_eq!(
        fills(&event),
        [
            (4, START - 10, 30),
            (2, START, 50),
            (3, START, 50),
            (1, START + 10, 20)
        ]
    );
    assert_eq!(venue.resting(OrderSide::Ask), [(START + 10, 30)]);
    let lots = [&bob, &carol, &dave].map(|maker| venue.slot(maker).lots);
    assert_eq!(lots, [-50, -50, -50]);
    assert_eq!(venue.slot(&alice).lots, 150);
}

#[test]
pub fn the_order_of_the_list_and_further_accounts_change_nothing() {
    let (mut venue, [bob, carol, dave]) = three();
    let erin = venue.trader(0);
    let alice = venue.alice.clone();
    let lists = [
        listed(&[&bob, &carol, &dave]),
        listed(&[&dave, &bob, &carol]),
        listed(&[&erin, &carol, &alice, &dave, &bob, &bob]),
        // Accounts that are nobody's.
        [
            listed(&[&dave, &carol, &bob]),
            vec![Pubkey::new_unique(); 2],
        ]
        .concat(),
    ];
    for list in lists {
        let mut sandbox = venue.sandbox.fork();
        let args = bid(START + 10, 150);
        let outcome = sandbox.place_order(&venue.market, &alice, args, &list);
        let event = event!(done(outcome), OrderPlaced);
        let lots: Vec<u64> = event.fills.iter().map(|fill| fill.lots).collect();
        assert_eq!(lots, [30, 50, 50, 20]);
        assert_eq!(event.taker.unwrap().entry_quote_after, 29_999_900);
        assert!(sandbox.conservation().holds());
    }
}

#[test]
pub fn a_list_without_the_next_maker_ends_the_trade() {
    let (venue, [bob, carol, dave]) = three();
    let alice = venue.alice.clone();
    let lists: [(&[&TraderCookie], u64); 4] = [
        (&[&bob], 30),
        (&[&bob, &dave], 30),
        (&[&bob, &carol], 80),
        (&[&carol, &dave], 0),
    ];
    for (makers, filled) in lists {
        for kind in [
            OrderKind::Limit,
            OrderKind::ImmediateOrCancel,
            OrderKind::Market,
        ] {
            let mut fork = venue.sandbox.fork();
            let args = of_kind(kind, bid(START + 10, 150));
            let outcome = fork.place_order(&venue.market, &alice, args, &listed(makers));
            let event = event!(done(outcome), OrderPlaced);
            // What is left would cross the book, so it does not wait either.
            assert_eq!(
                (event.filled_lots, event.resting_lots, event.dropped_lots),
                (filled, 0, 150 - filled)
            );
            assert_eq!(event.order_id, 0);
            let orders = fork.position(&venue.market, &alice.address);
            assert_eq!(orders.map_or(0, |slot| slot.order_count), 0);
            assert!(fork.conservation().holds());
        }
    }
}

#[test]
pub fn one_call_fills_or_removes_32_orders() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let (carol, dave) = (venue.trader(100), venue.trader(100));
    for maker in [&bob, &carol] {
        for _ in 0..16 {
            done(venue.order(maker, ask(START, 10), &[]));
        }
    }
    venue.place(&dave, ask(START, 10), &[]);
    let outcome = done(venue.order(&alice, bid(START, 400), &[&bob, &carol, &dave]));
    println!("{} compute units for 32 fills", outcome.compute_units);
    venue.sound();
    let event = event!(outcome, OrderPlaced);
    assert_eq!((event.fills.len(), event.filled_lots), (32, 320));
    assert_eq!((event.resting_lots, event.dropped_lots), (0, 80));
    assert_eq!(venue.resting(OrderSide::Ask), [(START, 10)]);
}

#[test]
pub fn a_list_has_room_for_32_makers() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let mut list: Vec<Pubkey> = (0..32).map(|_| Pubkey::new_unique()).collect();
    let (market, args) = (venue.market.clone(), ioc(bid(START, 10)));
    done(venue.sandbox.place_order(&market, &alice, args, &list));
    list.push(Pubkey::new_unique());
    let (bob, offer) = (venue.bob.clone(), Takeover::none());
    let calls: [&dyn Fn(&mut Sandbox) -> TxResult; 4] = [
        &|s| s.place_order(&market, &alice, args, &list),
        &|s| s.replace_order(&market, &alice, OrderRef::Id(1), args, &list),
        &|s| s.liquidate_into_book(&market, &bob.address, &alice, offer, &list),
        &|s| s.execute_trigger(&market, &bob.address, &alice, TriggerKind::StopLoss, &list),
    ];
    for call in calls {
        refused(&mut venue.sandbox, BallastError::TooManyMakers, |s| call(s));
    }
}

#[test]
pub fn a_maker_is_an_account_of_the_program_and_writable() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 10), &[]);
    let mut call = orders::PlaceOrder {
        authority: alice.wallet.address(),
        keys: venue.market.keys,
        trader: alice.address,
        args: bid(START, 10),
        makers: &[bob.address],
    }
    .instruction();
    let genuine = call.clone();
    call.accounts.last_mut().unwrap().is_writable = false;
    let sandbox = &mut venue.sandbox;
    refused_by_anchor(sandbox, ErrorCode::AccountNotMutable, |s| {
        s.send(&[call], &[&alice.wallet.keypair])
    });
    let mut account = sandbox.account(&bob.address).unwrap();
    account.owner = Pubkey::new_unique();
    sandbox.set_account(&bob.address, account);
    refused_forged(sandbox, BallastError::MakerForeign, |s| {
        s.send(&[genuine], &[&alice.wallet.keypair])
    });
}

#[test]
pub fn an_expired_order_is_removed_for_a_fee() {
    let mut config = quiet();
    config.risk.keeper_fee_atoms = 150_000;
    let mut venue = Venue::with(&config);
    let (alice, bob) = venue.two();
    let carol = venue.trader(100);
    let expires_at = venue.sandbox.time() + 2;
    let brief = |lots| PlaceOrderArgs {
        expires_at,
        ..ask(START, lots)
    };
    venue.place(&bob, brief(100), &[]);
    // Ten lots reserve $0.10, less than the fee.
    venue.place(&bob, brief(10), &[]);
    venue.place(&carol, ask(START, 20), &[]);
    venue.sandbox.advance_seconds(2);
    venue.price(START);
    let event = venue.place(&alice, ioc(bid(START, 20)), &[&bob, &carol]);
    assert_eq!((event.filled_lots, event.collected_atoms), (20, 250_000));
    let fees: Vec<_> = event
        .removed
        .iter()
        .map(|order| (order.order_id, order.reason, order.fee_atoms))
        .collect();
    assert_eq!(
        fees,
        [
            (1, RemovalReason::Expired, 150_000),
            (2, RemovalReason::Expired, 100_000)
        ]
    );
    assert_eq!(venue.free(&bob), 1_000_000_000 - 250_000);
    assert!(venue
        .sandbox
        .position(&venue.market, &bob.address)
        .is_none());
    // $4 of notional: 20 cents of margin and 2,000 atoms of fee.
    assert_eq!(venue.free(&alice), 1_000_250_000 - 200_000 - 2_000);
    assert_eq!(event.taker.unwrap().free_before, 1_000_000_000);
}

#[test]
pub fn an_order_whose_maker_would_miss_maintenance_is_removed() {
    // 1 SOL sold at $200 with $10: at $204.878 there are $5.122, and maintenance is $5.12195.
    for (mark, filled) in [(204_878, 1_000), (204_879, 0)] {
        let mut venue = Venue::new();
        let (alice, bob) = venue.two();
        venue.place(&bob, ask(START, 1_000), &[]);
        venue.wait(2);
        venue.price_twice(mark);
        let event = venue.place(&alice, ioc(bid(START, 1_000)), &[&bob]);
        assert_eq!(event.filled_lots, filled);
        if filled > 0 {
            assert_eq!(venue.holds(&bob), (-1_000, 10_000_000, 0));
            continue;
        }
        assert_eq!(event.removed[0].reason, RemovalReason::Unhealthy);
        assert_eq!(event.collected_atoms, 0);
        assert_eq!(venue.free(&bob), 1_000_000_000);
        assert_eq!(venue.free(&alice), 1_000_000_000);
        assert!(venue
            .sandbox
            .position(&venue.market, &alice.address)
            .is_none());
    }
}

#[test]
pub fn who_waits_beside_a_position_in_trouble_is_unhealthy() {
    // Alice is long 10 SOL with $100 of margin; a bid would make her larger.
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&alice, bid(192_000, 1_000), &[]);
    let lots = venue.slot(&alice).lots;
    venue.wait(2);
    venue.price_twice(192_000);
    let event = venue.place(&bob, ioc(ask(192_000, 1_000)), &[&alice]);
    assert_eq!((event.filled_lots, event.removed.len()), (0, 1));
    assert_eq!(event.removed[0].reason, RemovalReason::Unhealthy);
    assert_eq!(venue.slot(&alice).lots, lots);
    // What makes it smaller trades whatever the health.
    venue.place(&alice, ask(192_000, 1_000), &[]);
    let event = venue.place(&bob, ioc(bid(192_000, 1_000)), &[&alice]);
    assert_eq!((event.filled_lots, event.removed.len()), (1_000, 0));
}

#[test]
pub fn a_bankrupt_closes_and_opens_like_everybody() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&alice, ask(START, 100), &[]);
    venue.price(189_000);
    done(venue.sandbox.flag_bankruptcy(&venue.market, &alice.address));
    // She lacks $10: what she closes she pays for, $0.10 beside the $1 of margin of 100 lots,
    venue.place(&bob, bid(189_000, 100), &[]);
    let free = venue.free(&alice);
    let event = venue.place(&alice, ioc(reducing(ask(189_000, 100))), &[&bob]);
    assert_eq!(event.filled_lots, 100);
    assert!(venue.free(&alice) < free - 100_000);
    // and what she opens takes the margin of all she holds: 5% of $1,890 beside the $109.90 lost.
    venue.place(&bob, ask(189_000, 100), &[]);
    let event = venue.place(&alice, ioc(bid(189_000, 100)), &[&bob]);
    assert_eq!(event.taker.unwrap().margin_after, 94_500_000 + 108_900_000);
    venue.conserves();
}

#[test]
pub fn an_order_without_room_in_the_queue_is_removed_for_nothing() {
    let mut config = quiet();
    config.queue_capacity = 16;
    let mut venue = Venue::with(&config);
    let (alice, bob) = venue.two();
    let (carol, long) = (venue.trader(100), venue.trader(100));
    venue.place(&carol, bid(START, 100), &[]);
    venue.place(&long, bid(START, 300), &[]);
    // Sixteen longs are all there is room for; one of them waits behind carol.
    let terms = terms(100, START, 2 * USD, 2 * USD);
    let mut longs: Vec<TraderCookie> = (0..15).map(|_| venue.trader(100)).collect();
    longs.push(long.clone());
    for long in &longs {
        let market = &venue.market;
        done(venue.sandbox.block_trade(market, long, &bob, terms));
    }
    let event = venue.place(&alice, ioc(ask(START, 200)), &[&carol, &long]);
    assert_eq!((event.filled_lots, event.removed.len()), (200, 1));
    let removed = event.removed[0];
    assert_eq!(
        (removed.maker, removed.reason, removed.fee_atoms),
        (carol.address, RemovalReason::NoRoom, 0)
    );
    assert_eq!(
        (venue.free(&carol), event.collected_atoms),
        (100_000_000, 0)
    );
    assert_eq!(venue.slot(&long).lots, 300);
    // A taker who has no room is told so.
    venue.place(&bob, ask(START + 1, 100), &[]);
    let args = ioc(bid(START + 1, 100));
    venue.refuse(BallastError::QueueFull, &carol, args, &[&bob]);
}
