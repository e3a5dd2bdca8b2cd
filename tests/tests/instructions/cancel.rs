//! Orders leave the book: by their owner's will, and where a position is deleveraged.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::{anyone, orders};
use ballast_engine::book::{Book, NewOrder, OwnOrders};
use ballast_engine::selection::MAX_SELECTED;
use ballast_engine::units::{LotPrice, Side};
use ballast_sandbox::{MarketConfig, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::CancelledOrders;
use ballast_state::exchange::PAUSE_TRADE;
use ballast_state::instructions::OrderRef;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use bytemuck::Zeroable;
use solana_signer::Signer;

use crate::adl::crowd;
use crate::event;
use crate::support::{done, forge, quiet, refused, replaced, watched, Venue, START, TEN, USD};

/// A bid of 1 SOL at $150 that reserves $20.
const BID: (Side, u64, u64, u64) = (Side::Long, 150_000, 1_000, 20 * USD);
/// An ask of 2 SOL at $250 that reserves $40.
const ASK: (Side, u64, u64, u64) = (Side::Short, 250_000, 2_000, 40 * USD);

/// Lets an order of the trader rest in the book: side, price, lots and reserve. Returns its id.
fn rest(
    venue: &mut Venue,
    trader: &TraderCookie,
    order: (Side, u64, u64, u64),
    client_id: u64,
) -> u64 {
    rest_of(venue, &trader.address, order, client_id)
}

fn rest_of(
    venue: &mut Venue,
    trader: &Pubkey,
    terms: (Side, u64, u64, u64),
    client_id: u64,
) -> u64 {
    let (market, order) = (venue.market.keys.market, order_of(trader, terms, client_id));
    let mut account = venue.sandbox.trader(trader);
    account.debit(order.margin).unwrap();
    let slot = account.slot_or_claim(&market).unwrap();
    let mut own = slot.own_orders();
    let id = with_book(venue, |book| book.insert(&order, &mut own).unwrap().1);
    slot.store_own_orders(&own);
    forge::<Trader>(&mut venue.sandbox, trader, |trader| *trader = account);
    id
}

fn order_of(
    trader: &Pubkey,
    (side, price, lots, margin): (Side, u64, u64, u64),
    client_id: u64,
) -> NewOrder {
    NewOrder {
        trader: trader.to_bytes(),
        side,
        price: LotPrice::new(price).unwrap(),
        lots,
        margin,
        client_id,
        expires_at: 0,
        reduce_only: false,
    }
}

/// Writes to the book by another way than the program's instructions.
fn with_book<R>(venue: &mut Venue, body: impl FnOnce(&mut Book) -> R) -> R {
    let key = venue.market.keys.book;
    let mut account = venue.sandbox.account(&key).unwrap();
    let mut words = vec![0_u64; account.data.len() / 8 - 1];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    bytes.copy_from_slice(&account.data[8..]);
    let made = body(&mut Book::new(bytes).unwrap());
    account.data[8..].copy_from_slice(bytes);
    venue.sandbox.set_account(&key, account);
    made
}

/// Lets a bid of one lot rest that belongs to somebody without an account.
fn others_order(venue: &mut Venue, trader: Pubkey, price: u64) {
    let mut own = OwnOrders::EMPTY;
    with_book(venue, |book| {
        let order = order_of(&trader, (Side::Long, price, 1, 0), 0);
        book.insert(&order, &mut own).unwrap();
    });
}

fn slot(venue: &Venue, trader: &TraderCookie) -> PositionSlot {
    venue
        .sandbox
        .position(&venue.market, &trader.address)
        .unwrap_or(PositionSlot::zeroed())
}

/// Bids and asks in the book.
fn resting(venue: &Venue) -> (u32, u32) {
    let book = venue.sandbox.book(&venue.market);
    let book = book.book().unwrap();
    assert_eq!(book.invariant(), Ok(()));
    (book.len(Side::Long), book.len(Side::Short))
}

#[test]
pub fn an_order_is_cancelled_once() {
    let mut venue = Venue::new();
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let before = venue.sandbox.trader(&alice.address);
    let first = rest(&mut venue, &alice, BID, 7);
    let second = rest(&mut venue, &alice, ASK, 0);
    let foreign = rest(&mut venue, &bob, ASK, 9);
    venue.conserves();
    let sent = venue
        .sandbox
        .cancel_order(&venue.market, &alice, OrderRef::ClientId(7));
    let sent = done(sent);
    println!("{} compute units to cancel one of two", sent.compute_units);
    assert!(sent.compute_units <= 12_000, "{}", sent.compute_units);
    let event = event!(sent, OrdersCancelled);
    assert_eq!(
        (event.trader, event.market),
        (alice.address, venue.market.keys.market)
    );
    let free = venue.free(&alice);
    assert_eq!((event.free_after, event.orders.len()), (free, 1));
    let order = event.orders[0];
    assert_eq!((order.id, order.client_id), (first, 7));
    assert_eq!((order.side, order.price_ticks), (OrderSide::Bid, 150_000));
    assert_eq!((order.lots, order.margin_atoms), (1_000, 20 * USD));
    assert_eq!(slot(&venue, &alice).order_margin, 40 * USD);
    venue.conserves();

    let done_with = [
        OrderRef::ClientId(7),
        OrderRef::Id(first),
        OrderRef::Id(foreign),
        OrderRef::ClientId(0),
        OrderRef::ClientId(9),
    ];
    for order in done_with {
        refused(&mut venue.sandbox, BallastError::OrderNotFound, |s| {
            s.cancel_order(&venue.market, &alice, order)
        });
    }
    let by_id = OrderRef::Id(second);
    done(venue.sandbox.cancel_order(&venue.market, &alice, by_id));
    // Nothing is left of it.
    let after = venue.sandbox.trader(&alice.address);
    assert_eq!(bytemuck::bytes_of(&after), bytemuck::bytes_of(&before));
    assert_eq!(resting(&venue), (0, 1));
    refused(&mut venue.sandbox, BallastError::OrderNotFound, |s| {
        s.cancel_order(&venue.market, &alice, by_id)
    });
    venue.conserves();
}

#[test]
pub fn all_orders_of_a_side_or_of_both_are_cancelled() {
    let mut venue = Venue::open();
    let alice = venue.alice.clone();
    for _ in 0..8 {
        rest(&mut venue, &alice, BID, 0);
        rest(&mut venue, &alice, ASK, 0);
    }
    let free = venue.free(&alice);
    let cancel = |venue: &mut Venue, side| {
        done(
            venue
                .sandbox
                .cancel_all_orders(&venue.market, &venue.alice, side),
        )
    };
    let outcome = cancel(&mut venue, Some(OrderSide::Bid));
    let event = event!(outcome, OrdersCancelled);
    assert_eq!(event.orders.len(), 8);
    let newest_first = |pair: &[ballast_state::events::OrderCancelled]| pair[0].id > pair[1].id;
    assert!(event.orders.windows(2).all(newest_first));
    assert!(event
        .orders
        .iter()
        .all(|order| order.side == OrderSide::Bid));
    assert_eq!(event.free_after, free + (160 * USD).cast_signed());
    assert_eq!(resting(&venue), (0, 8));
    assert_eq!(slot(&venue, &alice).order_margin, 320 * USD);
    let outcome = cancel(&mut venue, None);
    println!("{} compute units to cancel 8", outcome.compute_units);
    assert_eq!(event!(outcome, OrdersCancelled).orders.len(), 8);
    assert_eq!(resting(&venue), (0, 0));
    assert_eq!(venue.position(&alice).lots, TEN, "the position stays");
    // None are left: nothing happens.
    let event = event!(cancel(&mut venue, None), OrdersCancelled);
    assert_eq!(
        (event.orders.len(), event.free_after),
        (0, venue.free(&alice))
    );
    venue.conserves();
}

#[test]
pub fn owner_and_delegate_alone_cancel() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let id = rest(&mut venue, &alice, BID, 0);
    let other = venue.sandbox.funded_keypair();
    let keys = venue.market.keys;
    let calls = [
        orders::CancelOrder {
            authority: other.pubkey(),
            keys,
            trader: alice.address,
            order: OrderRef::Id(id),
        }
        .instruction(),
        orders::CancelAllOrders {
            authority: other.pubkey(),
            keys,
            trader: alice.address,
            side: None,
        }
        .instruction(),
    ];
    for call in &calls {
        refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
            s.send(std::slice::from_ref(call), &[&other])
        });
    }
    done(venue.sandbox.set_delegate(&alice, Some(other.pubkey())));
    done(venue.sandbox.send(&calls, &[&other]));
    assert_eq!(resting(&venue), (0, 0));
}

#[test]
pub fn cancelling_needs_no_price_and_is_never_paused() {
    let mut venue = Venue::open_with(&MarketConfig::sol());
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let id = rest(&mut venue, &alice, BID, 0);
    rest(&mut venue, &bob, BID, 0);
    done(venue.sandbox.set_pause(PAUSE_TRADE));
    venue.sandbox.advance_seconds(86_400);
    let order = OrderRef::Id(id);
    done(venue.sandbox.cancel_order(&venue.market, &alice, order));
    done(venue.sandbox.cancel_all_orders(&venue.market, &bob, None));
    let funding = venue.sandbox.market(&venue.market).funding;
    assert_eq!(funding.last_timestamp, venue.sandbox.time());
    assert_eq!(resting(&venue), (0, 0));
}

#[test]
pub fn the_impact_prices_follow_the_orders_that_leave() {
    let mut config = quiet();
    config.risk.impact_notional_atoms = 100 * USD;
    config.risk.max_funding_rate_ppm = 1_000;
    config.book_capacity = 1_024;
    let mut venue = Venue::with(&config);
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let impact = |venue: &Venue| {
        let funding = venue.sandbox.market(&venue.market).funding;
        (funding.impact_bid, funding.impact_ask)
    };
    for place in 0..1_000 {
        let other = Pubkey::new_from_array([9; 32]);
        others_order(&mut venue, other, 140_000 - place);
    }
    let best = rest(&mut venue, &alice, (Side::Long, 160_000, 1_000, 0), 0);
    rest(&mut venue, &bob, BID, 0);
    rest(&mut venue, &bob, ASK, 0);
    assert_eq!(impact(&venue), (0, 0));
    // The market learns of orders that were not placed by the program's instructions.
    done(venue.sandbox.set_market_risk(&venue.market, config.risk));
    assert_eq!(impact(&venue), (160_000, 250_000));
    let by_id = OrderRef::Id(best);
    let outcome = done(venue.sandbox.cancel_order(&venue.market, &alice, by_id));
    println!("{} compute units in a deep book", outcome.compute_units);
    assert!(outcome.compute_units <= 12_000, "{}", outcome.compute_units);
    assert_eq!(impact(&venue), (150_000, 250_000));
    let bids = Some(OrderSide::Bid);
    done(venue.sandbox.cancel_all_orders(&venue.market, &bob, bids));
    // 715 lots, one an order, down from 140,000 atoms make the $100.
    let (bid, ask) = impact(&venue);
    assert!((139_000..140_000).contains(&bid), "{bid}");
    assert_eq!(ask, 250_000);
    done(venue.sandbox.cancel_all_orders(&venue.market, &bob, None));
    assert_eq!(impact(&venue), (bid, 0));
}

#[test]
pub fn the_book_is_the_markets() {
    let mut venue = Venue::bankrupt();
    let other = venue.second_market().keys.book;
    let (keys, bob) = (venue.market.keys, venue.bob.clone());
    let (signs, alice) = (bob.wallet.address(), venue.alice.address);
    let calls = [
        orders::CancelOrder {
            authority: signs,
            keys,
            trader: bob.address,
            order: OrderRef::Id(1),
        }
        .instruction(),
        orders::CancelAllOrders {
            authority: signs,
            keys,
            trader: bob.address,
            side: None,
        }
        .instruction(),
        anyone::AutoDeleverage {
            keeper: signs,
            keys,
            bankrupt: alice,
            reward_trader: bob.address,
            counterparties: &[bob.address],
        }
        .instruction(),
    ];
    for call in calls {
        refused(&mut venue.sandbox, BallastError::WrongBook, |s| {
            replaced(s, call, &keys.book, other, &[&bob.wallet.keypair])
        });
    }
}

#[test]
pub fn deleveraging_takes_the_orders_of_everybody_cut() {
    let mut venue = Venue::bankrupt();
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    rest(&mut venue, &alice, BID, 0);
    rest(&mut venue, &bob, BID, 0);
    rest(&mut venue, &bob, ASK, 0);
    rest(&mut venue, &carol, ASK, 0);
    let sent = venue.sandbox.auto_deleverage(
        &venue.market,
        &alice.address,
        &carol,
        &[carol.address, bob.address],
    );
    let event = event!(done(sent), AutoDeleveraged);
    // Carol has orders and no position: she is passed over.
    assert_eq!(event.cuts.len(), 1);
    assert_eq!(
        event.cancelled,
        Some(CancelledOrders {
            trader: alice.address,
            orders: 1,
            margin_atoms: 20 * USD,
        })
    );
    let cut = event.cuts[0];
    assert_eq!(
        (cut.cancelled_orders, cut.cancelled_margin_atoms),
        (2, 60 * USD)
    );
    assert_eq!(resting(&venue), (0, 1));
    assert_eq!(slot(&venue, &carol).order_count, 1);
    assert_eq!(slot(&venue, &bob).order_margin, 0);
    venue.conserves();
}

#[test]
pub fn a_full_list_with_orders_fits_in_one_call() {
    let (mut venue, mut list) = crowd(32);
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    for trader in list.iter().chain([&victim]) {
        for _ in 0..7 {
            rest_of(&mut venue, trader, (Side::Long, 150_000, 100, 0), 0);
            rest_of(&mut venue, trader, (Side::Short, 250_000, 100, 0), 0);
        }
    }
    by_session(&venue, &victim, list.len());
    list.truncate(32);
    let sent = venue
        .sandbox
        .auto_deleverage(&venue.market, &victim, &bob, &list);
    let outcome = done(sent);
    println!("{} compute units", outcome.compute_units);
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!(event.cuts.len(), 32);
    assert!(event.cuts.iter().all(|cut| cut.cancelled_orders == 14));
    assert_eq!(event.cancelled.map(|orders| orders.orders), Some(14));
    assert_eq!(resting(&venue), (0, 0));
    venue.conserves();
}

/// The same with a session, which selects fewer of the `ordered` counterparties.
fn by_session(venue: &Venue, victim: &Pubkey, ordered: usize) {
    let (mut sandbox, market) = (venue.sandbox.fork(), &venue.market);
    // Alice's go when it is opened.
    let opened = sandbox.open_adl_session(market, victim);
    let (session, _) = opened.unwrap();
    let advanced = done(sandbox.advance_adl_session(market, &session, 1_000, Vec::new()));
    assert!(event!(advanced, AdlSessionAdvanced).complete);
    let selected = sandbox.selected(market, &session);
    assert_eq!(selected.len(), MAX_SELECTED);
    let outcome = done(sandbox.execute_adl_session(market, &session, &venue.bob, &selected));
    println!("{} compute units by a session", outcome.compute_units);
    let book = sandbox.book(market);
    let book = book.book().unwrap();
    let left = u32::try_from(7 * (ordered - MAX_SELECTED)).unwrap();
    assert_eq!((book.len(Side::Long), book.len(Side::Short)), (left, left));
    crate::support::conserves(&sandbox);
}

#[test]
pub fn a_session_takes_the_orders_of_everybody_cut() {
    let mut venue = Venue::bankrupt();
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    rest(&mut venue, &alice, BID, 0);
    rest(&mut venue, &bob, ASK, 0);
    let market = venue.market.clone();
    let opened = venue.sandbox.open_adl_session(&market, &alice.address);
    let (session, outcome) = opened.unwrap();
    let event = event!(outcome, AdlSessionOpened);
    assert_eq!(event.cancelled.map(|orders| orders.orders), Some(1));
    assert_eq!(resting(&venue), (0, 1));
    let node = venue.position(&bob).queue_node;
    done(
        venue
            .sandbox
            .advance_adl_session(&market, &session, 10, vec![node]),
    );
    let listed = [bob.address];
    done(
        venue
            .sandbox
            .execute_adl_session(&market, &session, &bob, &listed),
    );
    assert_eq!(resting(&venue), (0, 0));
    venue.conserves();
}

#[test]
pub fn the_book_comes_before_deleveraging() {
    // Alice is long and bankrupt below $190.
    let bid = |price| (Side::Long, price, 1, USD);
    let deleverage = |s: &mut ballast_sandbox::Sandbox, venue: &Venue| {
        let (alice, bob) = (venue.alice.address, &venue.bob);
        s.auto_deleverage(&venue.market, &alice, bob, &[bob.address])
    };
    let mut venue = Venue::bankrupt();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let alice = venue.alice.clone();
    // An ask takes nothing of a long, and a bid of her own goes.
    rest(&mut venue, &carol, (Side::Short, 196_000, 1, USD), 0);
    rest(&mut venue, &alice, bid(195_000), 0);
    rest(&mut venue, &carol, bid(189_999), 0);
    done(deleverage(&mut venue.sandbox.fork(), &venue));
    rest(&mut venue, &carol, bid(190_000), 0);
    let mut sandbox = venue.sandbox.fork();
    refused(&mut sandbox, BallastError::BookCanAbsorb, |s| {
        deleverage(s, &venue)
    });
    done(sandbox.flag_bankruptcy(&venue.market, &alice.address));
    let grace = venue.market.config.risk.adl.grace_slots;
    watched(&mut sandbox, &venue.market, &alice.address, 189_000, grace);
    refused(&mut sandbox, BallastError::BookCanAbsorb, |s| {
        deleverage(s, &venue)
    });
    sandbox.advance_slots(1);
    sandbox.set_price(&venue.market, 189_000);
    done(deleverage(&mut sandbox, &venue));
}

#[test]
pub fn orders_alone_are_no_position() {
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    rest(&mut venue, &carol, BID, 0);
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    let calls: [&dyn Fn(&mut ballast_sandbox::Sandbox) -> ballast_sandbox::TxResult; 5] = [
        &|s| s.add_margin(&market, &carol, 1),
        &|s| s.remove_margin(&market, &carol, 1),
        &|s| s.flag_bankruptcy(&market, &carol.address),
        &|s| s.liquidate(&market, &carol.address, &bob, 0),
        &|s| s.auto_deleverage(&market, &carol.address, &bob, &[bob.address]),
    ];
    for call in calls {
        refused(&mut venue.sandbox, BallastError::NoPosition, |s| call(s));
    }
    let free = u64::try_from(venue.free(&carol)).unwrap();
    done(venue.sandbox.withdraw(&carol, free));
    refused(&mut venue.sandbox, BallastError::TraderNotEmpty, |s| {
        s.close_trader(&carol)
    });
    venue.price(START);
}
