//! Every type of order against the book.

use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use ballast_client::instructions::orders;
use ballast_sandbox::TxOutcome;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::{OrderFilled, RemovalReason};
use ballast_state::exchange::{
    PAUSE_ALL, PAUSE_DEPOSIT, PAUSE_OPEN, PAUSE_REMOVE_MARGIN, PAUSE_TRADE, PAUSE_WITHDRAW,
};
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};

use solana_signer::Signer;

use crate::event;
use crate::orders::{ask, bid, ioc, of_kind, reducing};
use crate::support::{done, refused, Venue, START, USD};

#[test]
pub fn a_limit_order_waits_and_is_taken_in_part() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let args = PlaceOrderArgs {
        client_id: 5,
        ..ask(START, 1_000)
    };
    let event = venue.place(&bob, args, &[]);
    assert_eq!(
        (event.market, event.trader),
        (venue.market.keys.market, bob.address)
    );
    assert_eq!((event.order_id, event.client_id), (1, 5));
    assert_eq!((event.side, event.kind), (OrderSide::Ask, OrderKind::Limit));
    assert_eq!(
        (event.price_ticks, event.expires_at, event.reduce_only),
        (START, 0, false)
    );
    assert_eq!(
        (
            event.lots,
            event.filled_lots,
            event.resting_lots,
            event.dropped_lots
        ),
        (1_000, 0, 1_000, 0)
    );
    // 5% of $200.
    assert_eq!(event.reserved_atoms, 10 * USD);
    assert_eq!((event.mark_ticks, event.funding_index), (START, 0));
    assert_eq!((event.open_interest_after, event.collected_atoms), (0, 0));
    assert!(event.taker.is_none() && event.cancelled.is_empty());
    assert!(event.fills.is_empty() && event.removed.is_empty());
    assert_eq!(venue.holds(&bob), (0, 0, 10 * USD));
    assert_eq!(venue.free(&bob), 990_000_000);

    // Alice would pay more, and pays the price of the order.
    let event = venue.place(&alice, bid(START + 100, 600), &[&bob]);
    assert_eq!(
        event.fills,
        [OrderFilled {
            maker: bob.address,
            order_id: 1,
            price_ticks: START,
            lots: 600,
            taker_fee: 60_000,
            maker_fee: 0,
            maker_lots_after: -600,
            maker_margin_after: 6_000_000,
            order_left: 400,
        }]
    );
    assert_eq!(
        (event.order_id, event.filled_lots, event.open_interest_after),
        (0, 600, 600)
    );
    let taker = event.taker.unwrap();
    assert_eq!((taker.trader, taker.lots_before), (alice.address, 0));
    assert_eq!(
        (taker.lots_after, taker.entry_quote_after),
        (600, 120_000_000)
    );
    assert_eq!((taker.margin_before, taker.margin_after), (0, 6_000_000));
    assert_eq!(
        (taker.free_before, taker.free_after),
        (1_000_000_000, 993_940_000)
    );
    assert_eq!(
        (
            taker.realized,
            taker.released,
            taker.margin_added,
            taker.fee
        ),
        (0, 0, 6_000_000, 60_000)
    );
    assert_eq!(venue.holds(&bob), (-600, 6_000_000, 4 * USD));
    assert_eq!(
        venue.free(&bob),
        990_000_000,
        "a maker pays out of its reserve"
    );
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(
        (market.insurance.balance, market.fees_atoms),
        (12_000, 48_000)
    );

    // The next takes the rest of it and waits itself.
    let event = venue.place(&alice, bid(START + 100, 1_000), &[&bob]);
    assert_eq!(
        (event.filled_lots, event.resting_lots, event.order_id),
        (400, 600, 2)
    );
    // 5% of $120.06, and $0.06 above the mark.
    assert_eq!(event.reserved_atoms, 6_063_000);
    assert_eq!(venue.holds(&alice), (1_000, 10_000_000, 6_063_000));
    assert_eq!(venue.holds(&bob), (-1_000, 10_000_000, 0));
    assert_eq!(venue.resting(OrderSide::Bid), [(START + 100, 600)]);
    assert_eq!(venue.resting(OrderSide::Ask), []);
}

#[test]
pub fn an_order_at_a_worse_price_waits_beside_the_book() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START + 1, 100), &[]);
    let event = venue.place(&alice, bid(START, 100), &[&bob]);
    assert_eq!((event.filled_lots, event.resting_lots), (0, 100));
    assert_eq!(venue.resting(OrderSide::Bid), [(START, 100)]);
    assert_eq!(venue.resting(OrderSide::Ask), [(START + 1, 100)]);
}

#[test]
pub fn immediate_or_cancel_drops_the_rest() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    // Nothing to fill is no failure and leaves nothing behind.
    let event = venue.place(&alice, ioc(bid(START, 100)), &[&bob]);
    assert_eq!(
        (event.filled_lots, event.resting_lots, event.dropped_lots),
        (0, 0, 100)
    );
    assert!(event.taker.is_none());
    assert!(venue
        .sandbox
        .position(&venue.market, &alice.address)
        .is_none());
    assert_eq!(venue.free(&alice), 1_000_000_000);

    venue.place(&bob, ask(START, 60), &[]);
    let event = venue.place(&alice, ioc(bid(START, 100)), &[&bob]);
    assert_eq!(
        (event.filled_lots, event.resting_lots, event.dropped_lots),
        (60, 0, 40)
    );
    assert_eq!((event.order_id, event.reserved_atoms), (0, 0));
    assert_eq!(venue.resting(OrderSide::Bid), []);
    assert_eq!(venue.holds(&alice), (60, 600_000, 0));
}

#[test]
pub fn fill_or_kill_is_whole_or_nothing() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let carol = venue.trader(100);
    venue.place(&bob, ask(START, 60), &[]);
    venue.place(&carol, ask(START + 10, 40), &[]);
    let kill = |args| of_kind(OrderKind::FillOrKill, args);
    let error = BallastError::NotFilled;
    // Too many lots, too low a price, too short a list.
    venue.refuse(error, &alice, kill(bid(START + 10, 101)), &[&bob, &carol]);
    venue.refuse(error, &alice, kill(bid(START + 9, 100)), &[&bob, &carol]);
    venue.refuse(error, &alice, kill(bid(START + 10, 100)), &[&bob]);
    let event = venue.place(&alice, kill(bid(START + 10, 100)), &[&bob, &carol]);
    assert_eq!((event.filled_lots, event.dropped_lots), (100, 0));
    assert_eq!(event.taker.unwrap().entry_quote_after, 20_000_400);
    // Every fill rounds up.
    assert_eq!(event.fills[0].taker_fee, 6_000);
    assert_eq!(event.fills[1].taker_fee, 4_001);
    assert_eq!(event.taker.unwrap().fee, 10_001);
}

#[test]
pub fn post_only_waits_or_fails() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let post = |args| of_kind(OrderKind::PostOnly, args);
    venue.place(&bob, ask(START, 100), &[]);
    for price in [START, START + 1] {
        let crosses = BallastError::PostOnlyCrosses;
        venue.refuse(crosses, &alice, post(bid(price, 100)), &[&bob]);
        venue.refuse(crosses, &alice, post(bid(price, 100)), &[]);
    }
    let event = venue.place(&alice, post(bid(START - 1, 100)), &[&bob]);
    assert_eq!((event.filled_lots, event.resting_lots), (0, 100));
    assert_eq!(event.kind, OrderKind::PostOnly);
    // Its own order is in the way as well, whatever its self-trade mode.
    for self_trade in [
        SelfTrade::CancelProvide,
        SelfTrade::DecrementAndCancel,
        SelfTrade::Abort,
    ] {
        let args = PlaceOrderArgs {
            self_trade,
            ..post(ask(START - 1, 100))
        };
        venue.refuse(BallastError::PostOnlyCrosses, &alice, args, &[]);
    }
}

#[test]
pub fn post_only_alone_goes_without_queues() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let (keys, signer) = (venue.market.keys, &alice.wallet.keypair);
    venue.place(&bob, ask(START, 100), &[]);
    let call = |kind, replaced: Option<u64>| {
        let (authority, trader) = (alice.wallet.address(), alice.address);
        let (args, makers) = (of_kind(kind, bid(START - 1, 100)), &[][..]);
        match replaced {
            None => orders::PlaceOrder {
                authority,
                keys,
                trader,
                args,
                makers,
            }
            .instruction(),
            Some(id) => {
                let replaced = OrderRef::Id(id);
                orders::ReplaceOrder {
                    authority,
                    keys,
                    trader,
                    replaced,
                    args,
                    makers,
                }
                .instruction()
            }
        }
    };
    let queues = |call: &Instruction| {
        let named = |key| call.accounts.iter().any(|meta| meta.pubkey == key);
        [named(keys.queue_long), named(keys.queue_short)]
    };
    let post = call(OrderKind::PostOnly, None);
    assert_eq!(queues(&post), [false, false]);
    let place = post
        .accounts
        .iter()
        .position(|meta| meta.pubkey == ballast_state::ID);
    let place = place.unwrap();
    let without = |mut call: Instruction| {
        assert_eq!(queues(&call), [true, true]);
        let none = AccountMeta::new_readonly(ballast_state::ID, false);
        call.accounts[place..place + 2].fill(none);
        call
    };
    let id = |outcome: TxOutcome| event!(outcome, OrderPlaced).order_id;
    let first = id(done(venue.sandbox.send(&[post], &[signer])));
    let second = id(done(
        venue
            .sandbox
            .send(&[call(OrderKind::PostOnly, Some(first))], &[signer]),
    ));
    venue.sound();
    assert_eq!(venue.slot(&alice).order_count, 1);
    for kind in [
        OrderKind::Limit,
        OrderKind::ImmediateOrCancel,
        OrderKind::FillOrKill,
        OrderKind::Market,
    ] {
        for replaced in [None, Some(second)] {
            let refused_call = without(call(kind, replaced));
            refused(&mut venue.sandbox, BallastError::QueuesMissing, |s| {
                s.send(&[refused_call], &[signer])
            });
        }
    }
    // One of them is none, and with both it goes as well.
    let mut both = call(OrderKind::Limit, None).accounts;
    let mut one = call(OrderKind::PostOnly, None);
    one.accounts[place] = both[place].clone();
    refused(&mut venue.sandbox, BallastError::QueuesMissing, |s| {
        s.send(&[one.clone()], &[signer])
    });
    std::mem::swap(&mut one.accounts, &mut both);
    done(venue.sandbox.send(&[one], &[signer]));
    venue.sound();
    assert_eq!(venue.slot(&alice).order_count, 2);
}

#[test]
pub fn post_only_clears_an_expired_order_out_of_its_way() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let expires_at = venue.sandbox.time() + 10;
    let short_lived = PlaceOrderArgs {
        expires_at,
        ..ask(START, 100)
    };
    assert_eq!(venue.place(&bob, short_lived, &[]).expires_at, expires_at);
    let args = of_kind(OrderKind::PostOnly, bid(START, 100));
    venue.sandbox.advance_seconds(8);
    venue.price(START);
    venue.refuse(BallastError::PostOnlyCrosses, &alice, args, &[&bob]);
    venue.sandbox.advance_seconds(2);
    venue.price(START);
    // It needs its maker's account for that.
    venue.refuse(BallastError::PostOnlyCrosses, &alice, args, &[]);
    let event = venue.place(&alice, args, &[&bob]);
    assert_eq!((event.resting_lots, event.collected_atoms), (100, 100_000));
    assert_eq!(event.removed.len(), 1);
    let removed = event.removed[0];
    assert_eq!(
        (removed.maker, removed.order_id, removed.reason),
        (bob.address, 1, RemovalReason::Expired)
    );
    assert_eq!(
        (removed.price_ticks, removed.lots, removed.fee_atoms),
        (START, 100, 100_000)
    );
    assert_eq!(venue.free(&bob), 999_900_000);
    assert_eq!(venue.free(&alice), 1_000_100_000 - 1_000_000);
}

#[test]
pub fn a_market_order_trades_down_to_its_worst_price_or_the_band() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    // The last waits beyond the band once the price has moved.
    venue.price(205_000);
    for price in [START, 205_000, 210_000, 210_001] {
        venue.place(&bob, ask(price, 100), &[]);
    }
    venue.price(START);
    let market = |args| of_kind(OrderKind::Market, args);
    let mut fork = venue.sandbox.fork();
    let outcome = fork.place_order(
        &venue.market,
        &alice,
        market(bid(204_999, 400)),
        &[bob.address],
    );
    let event = event!(done(outcome), OrderPlaced);
    assert_eq!((event.filled_lots, event.dropped_lots), (100, 300));
    // Without a worst price, or with one beyond the band, the band is the limit.
    for price in [0, 1 << 30] {
        let mut fork = venue.sandbox.fork();
        let args = market(bid(price, 400));
        let outcome = fork.place_order(&venue.market, &alice, args, &[bob.address]);
        let event = event!(done(outcome), OrderPlaced);
        assert_eq!((event.filled_lots, event.dropped_lots), (300, 100));
        assert_eq!(event.price_ticks, price);
        let prices: Vec<u64> = event.fills.iter().map(|fill| fill.price_ticks).collect();
        assert_eq!(prices, [START, 205_000, 210_000]);
    }
}

#[test]
pub fn a_market_order_to_sell_mirrors() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.price(195_000);
    for price in [START, 190_000, 189_999] {
        venue.place(&bob, bid(price, 100), &[]);
    }
    venue.price(START);
    let market = of_kind(OrderKind::Market, ask(0, 300));
    let event = venue.place(&alice, market, &[&bob]);
    assert_eq!((event.filled_lots, event.dropped_lots), (200, 100));
    assert_eq!(venue.resting(OrderSide::Bid), [(189_999, 100)]);
    let last = of_kind(OrderKind::Market, ask(1, 100));
    assert_eq!(venue.place(&alice, last, &[&bob]).filled_lots, 0);
}

#[test]
pub fn an_order_has_lots_a_price_and_time() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let now = venue.sandbox.time();
    use BallastError as E;
    venue.refuse(E::ZeroLots, &alice, bid(START, 0), &[]);
    venue.refuse(E::SizeOutOfRange, &alice, bid(START, 1 << 32), &[]);
    for price in [0, 1 << 31, u64::MAX] {
        venue.refuse(E::PriceOutOfRange, &alice, bid(price, 10), &[]);
    }
    let market = of_kind(OrderKind::Market, bid(1 << 31, 10));
    venue.refuse(E::PriceOutOfRange, &alice, market, &[]);
    for kind in [
        OrderKind::Limit,
        OrderKind::ImmediateOrCancel,
        OrderKind::FillOrKill,
        OrderKind::PostOnly,
    ] {
        for args in [bid(210_001, 10), ask(189_999, 10)] {
            venue.refuse(E::PriceOutsideBand, &alice, of_kind(kind, args), &[]);
        }
    }
    for expires_at in [now, now - 1, -1] {
        let args = PlaceOrderArgs {
            expires_at,
            ..bid(START, 10)
        };
        venue.refuse(E::OrderExpired, &alice, args, &[]);
    }
    venue.refuse(E::OrderTooSmall, &alice, bid(START, 9), &[]);
    venue.refuse(E::NothingToReduce, &alice, reducing(bid(START, 10)), &[]);
    venue.place(&alice, bid(210_000, 10), &[]);
    venue.place(&alice, bid(190_000, 10), &[]);
    // Where it waits it may not lie on the far side either.
    for args in [bid(1, 10), ask(1 << 30, 10)] {
        for kind in [OrderKind::Limit, OrderKind::PostOnly] {
            venue.refuse(E::PriceOutsideBand, &alice, of_kind(kind, args), &[]);
        }
        venue.place(&alice, ioc(args), &[]);
    }
}

#[test]
pub fn owner_and_delegate_alone_place_orders() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 100), &[]);
    let other = venue.sandbox.funded_keypair();
    let call = orders::PlaceOrder {
        authority: other.pubkey(),
        keys: venue.market.keys,
        trader: alice.address,
        args: bid(START, 100),
        makers: &[bob.address],
    }
    .instruction();
    refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
        s.send(std::slice::from_ref(&call), &[&other])
    });
    done(venue.sandbox.set_delegate(&alice, Some(other.pubkey())));
    done(venue.sandbox.send(&[call], &[&other]));
    venue.sound();
    assert_eq!(venue.slot(&alice).lots, 100);
}

#[test]
pub fn pause_flags_stop_orders() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 100), &[]);
    venue.place(&alice, bid(START, 50), &[&bob]);
    venue.place(&bob, bid(START - 1, 100), &[]);
    let (open, close) = (bid(START, 10), ioc(reducing(ask(START - 1, 10))));
    done(venue.sandbox.set_pause(PAUSE_TRADE));
    venue.refuse(BallastError::Paused, &alice, open, &[&bob]);
    venue.refuse(BallastError::Paused, &alice, close, &[&bob]);
    done(venue.sandbox.set_pause(PAUSE_OPEN));
    venue.refuse(BallastError::Paused, &alice, open, &[&bob]);
    assert_eq!(venue.place(&alice, close, &[&bob]).filled_lots, 10);
    done(
        venue
            .sandbox
            .set_pause(PAUSE_DEPOSIT | PAUSE_WITHDRAW | PAUSE_REMOVE_MARGIN),
    );
    assert_eq!(venue.place(&alice, open, &[&bob]).filled_lots, 10);
}

#[test]
pub fn an_unfit_price_stops_orders() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    venue.sandbox.advance_seconds(32);
    venue.refuse(BallastError::PriceStale, &alice, bid(START, 10), &[]);
    venue.quote(|quote| quote.conf_ticks = 4_002);
    venue.refuse(
        BallastError::PriceWideConfidence,
        &alice,
        bid(START, 10),
        &[],
    );
    // Far from its average it opens nothing; orders may wait.
    let bob = venue.bob.clone();
    venue.quote(|quote| quote.ema_ticks = 100_000);
    venue.place(&bob, ask(START, 10), &[]);
    let diverged = BallastError::PriceDiverged;
    let backed = PlaceOrderArgs {
        margin: 2 * USD,
        ..bid(START, 10)
    };
    venue.refuse(diverged, &alice, backed, &[&bob]);
    venue.price(START);
    venue.place(&alice, bid(START, 10), &[&bob]);
}

#[test]
pub fn the_first_failure_in_order_is_the_one_told() {
    use BallastError as E;
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let now = venue.sandbox.time();
    venue.place(&bob, ask(START, 10), &[]);
    let numbered = |args| PlaceOrderArgs {
        client_id: 4,
        ..args
    };
    venue.place(&alice, numbered(bid(START - 1, 10)), &[]);
    let expired = |args| PlaceOrderArgs {
        expires_at: now,
        ..args
    };
    let post = |args| of_kind(OrderKind::PostOnly, args);
    let rows = [
        (E::ZeroLots, bid(0, 0)),
        (E::SizeOutOfRange, bid(0, 1 << 32)),
        (E::PriceOutOfRange, expired(bid(0, 9))),
        (E::PriceOutsideBand, expired(bid(210_001, 9))),
        (E::OrderExpired, expired(reducing(bid(START, 9)))),
        (E::NothingToReduce, numbered(reducing(bid(START, 9)))),
        (E::OrderTooSmall, numbered(post(bid(START, 9)))),
        (E::DuplicateClientId, numbered(post(bid(START, 10)))),
        (E::PostOnlyCrosses, post(bid(START, 100_000_000))),
        (
            E::NotFilled,
            of_kind(OrderKind::FillOrKill, bid(START, 100_000_000)),
        ),
        (E::InsufficientCollateral, bid(START, 100_000_000)),
    ];
    for (error, args) in rows {
        venue.refuse(error, &alice, args, &[&bob]);
    }
    // Before any of them: who, whether at all, with how many, and the price.
    let zero = bid(0, 0);
    venue.sandbox.advance_seconds(32);
    venue.refuse(E::PriceStale, &alice, zero, &[&bob]);
    let many = [&bob; 33];
    venue.refuse(E::TooManyMakers, &alice, zero, &many);
    done(venue.sandbox.set_pause(PAUSE_ALL));
    venue.refuse(E::Paused, &alice, zero, &many);
    let call = orders::PlaceOrder {
        authority: bob.wallet.address(),
        keys: venue.market.keys,
        trader: alice.address,
        args: zero,
        makers: &[bob.address],
    }
    .instruction();
    refused(&mut venue.sandbox, E::NotTraderAuthority, |s| {
        s.send(&[call], &[&bob.wallet.keypair])
    });
}
