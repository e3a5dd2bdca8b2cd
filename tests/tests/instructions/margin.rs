//! Margin in and out of a position.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::trader;
use ballast_engine::units::Side;
use ballast_sandbox::{MarketCookie, TraderCookie};
use ballast_state::error::BallastError;
use solana_signer::Signer;

use crate::event;
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

fn usd(amount: u64) -> i64 {
    i64::try_from(amount * USD).unwrap()
}

/// The bankruptcy price of a trader's queue node, whole atoms per lot.
fn bankruptcy_price(venue: &Venue, trader: &TraderCookie, side: Side) -> i64 {
    let snapshot = venue.sandbox.queue(&venue.market, side);
    let node = venue.position(trader).queue_node;
    let queue = snapshot.queue().unwrap();
    let entry = queue.entry(node).unwrap();
    assert_eq!(entry.trader, trader.address.to_bytes());
    entry.bankruptcy_q32 >> 32
}

#[test]
pub fn margin_moves_between_free_collateral_and_the_position() {
    let mut venue = Venue::open();
    assert_eq!(bankruptcy_price(&venue, &venue.alice, Side::Long), 190_000);
    let outcome = done(
        venue
            .sandbox
            .add_margin(&venue.market, &venue.alice, 50 * USD),
    );
    let event = event!(outcome, MarginAdded);
    assert_eq!(
        (event.amount, event.margin_after, event.free_after),
        (50 * USD, usd(150), usd(849))
    );
    assert_eq!(venue.position(&venue.alice).margin, usd(150));
    assert_eq!(venue.free(&venue.alice), usd(849));
    // The queue knows at once.
    assert_eq!(bankruptcy_price(&venue, &venue.alice, Side::Long), 185_000);
    let outcome = done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 50 * USD),
    );
    let event = event!(outcome, MarginRemoved);
    assert_eq!(
        (event.amount, event.margin_after, event.free_after),
        (50 * USD, usd(100), usd(899))
    );
    assert_eq!(bankruptcy_price(&venue, &venue.alice, Side::Long), 190_000);
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.bob, 100 * USD),
    );
    assert_eq!(bankruptcy_price(&venue, &venue.bob, Side::Short), 240_000);
    venue.conserves();
}

#[test]
pub fn initial_margin_stays() {
    let mut venue = Venue::open();
    // Alice has exactly the initial margin, 5% of $2,000.
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&venue.market, &venue.alice, 1)
    });
    // A profit counts: at $201 she has $110 against $100.50.
    venue.price(201_000);
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&venue.market, &venue.alice, 9_500_001)
    });
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 9_500_000),
    );
    venue.conserves();
}

#[test]
pub fn the_price_is_worsened_by_its_confidence() {
    let mut venue = Venue::open();
    done(
        venue
            .sandbox
            .add_margin(&venue.market, &venue.alice, 20 * USD),
    );
    venue.quote(|quote| quote.conf_ticks = 1_000);
    // At $199 she has $110, and needs the margin of the notional at the higher price: $100.
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&venue.market, &venue.alice, 10 * USD + 1)
    });
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 10 * USD),
    );
    // A short is worse off above: at $201 bob has $490 and needs $100.50.
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&venue.market, &venue.bob, 389_500_001)
    });
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.bob, 389_500_000),
    );
    venue.conserves();
}

#[test]
pub fn margin_is_not_taken_below_zero_against_a_profit() {
    let mut venue = Venue::open();
    venue.price(230_000);
    refused(&mut venue.sandbox, BallastError::MarginBelowZero, |s| {
        s.remove_margin(&venue.market, &venue.alice, 100 * USD + 1)
    });
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 100 * USD),
    );
    assert_eq!(venue.position(&venue.alice).margin, 0);
    venue.conserves();
}

#[test]
pub fn no_more_is_added_than_is_free() {
    let mut venue = Venue::open();
    for amount in [899 * USD + 1, u64::MAX / 2] {
        refused(
            &mut venue.sandbox,
            BallastError::InsufficientCollateral,
            |s| s.add_margin(&venue.market, &venue.alice, amount),
        );
    }
    refused(&mut venue.sandbox, BallastError::Overflow, |s| {
        s.add_margin(&venue.market, &venue.alice, u64::MAX)
    });
    refused(&mut venue.sandbox, BallastError::Overflow, |s| {
        s.remove_margin(&venue.market, &venue.alice, u64::MAX)
    });
}

#[test]
pub fn there_must_be_a_position() {
    let mut venue = Venue::new();
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.remove_margin(&venue.market, &venue.alice, 1)
    });
    // One in another market is none here.
    let mut venue = Venue::open();
    let other = venue.second_market();
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.add_margin(&other, &venue.alice, 1)
    });
}

#[test]
pub fn strangers_do_not_move_margin() {
    let mut venue = Venue::open();
    let (keys, thief) = (venue.market.keys, venue.bob.wallet.keypair.insecure_clone());
    for instruction in [
        trader::AddMargin {
            authority: thief.pubkey(),
            keys,
            trader: venue.alice.address,
            amount: 1,
        }
        .instruction(),
        trader::RemoveMargin {
            authority: thief.pubkey(),
            keys,
            trader: venue.alice.address,
            amount: 1,
        }
        .instruction(),
    ] {
        refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
            s.send(&[instruction], &[&thief])
        });
    }
}

#[test]
pub fn margin_has_a_ceiling_of_the_bankruptcy_price() {
    // 10 lots may hold 2^31 atoms a lot and the entry besides.
    let mut venue = Venue::with(&quiet());
    let whale = venue.sandbox.create_trader(100_000 * USD).unwrap();
    let s = &mut venue.sandbox;
    done(s.block_trade(
        &venue.market,
        &whale,
        &venue.bob,
        terms(10, START, USD, USD),
    ));
    let ceiling = 10 * (1_u64 << 31) + 10 * START - USD;
    refused(s, BallastError::BankruptcyPriceOutOfRange, |s| {
        s.add_margin(&venue.market, &whale, ceiling + 1)
    });
    done(s.add_margin(&venue.market, &whale, ceiling - 10));
    venue.conserves();
}

#[test]
pub fn adding_margin_needs_no_price_and_rescues() {
    let mut venue = Venue::bankrupt();
    venue.sandbox.advance_seconds(3_600);
    done(
        venue
            .sandbox
            .add_margin(&venue.market, &venue.alice, 200 * USD),
    );
    venue.price(189_000);
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &venue.bob, 0)
    });
    venue.conserves();
}

fn swapped(market: &MarketCookie) -> [(Pubkey, Pubkey); 3] {
    let keys = market.keys;
    [
        (keys.queue_short, keys.queue_long),
        (keys.queue_long, keys.queue_long),
        (keys.queue_short, keys.queue_short),
    ]
}

#[test]
pub fn queues_are_not_swapped_doubled_or_borrowed() {
    let mut venue = Venue::open();
    let other = venue.second_market();
    let mut pairs = swapped(&venue.market).to_vec();
    pairs.push((other.keys.queue_long, venue.market.keys.queue_short));
    pairs.push((venue.market.keys.queue_long, other.keys.queue_short));
    pairs.push((venue.market.keys.market, venue.market.keys.queue_short));
    for (long, short) in pairs {
        let mut keys = venue.market.keys;
        (keys.queue_long, keys.queue_short) = (long, short);
        let alice = &venue.alice;
        let owner = alice.wallet.address();
        for instruction in [
            trader::AddMargin {
                authority: owner,
                keys,
                trader: alice.address,
                amount: USD,
            }
            .instruction(),
            trader::RemoveMargin {
                authority: owner,
                keys,
                trader: alice.address,
                amount: USD,
            }
            .instruction(),
        ] {
            refused(&mut venue.sandbox, BallastError::WrongQueue, |s| {
                s.send(&[instruction], &[&alice.wallet.keypair])
            });
        }
        let args = terms(-TEN, START, 0, 0).args();
        let trade = trader::BlockTrade {
            keys,
            taker: alice.party(),
            maker: venue.bob.party(),
            args,
        }
        .instruction();
        refused(&mut venue.sandbox, BallastError::WrongQueue, |s| {
            s.send(
                &[trade],
                &[&alice.wallet.keypair, &venue.bob.wallet.keypair],
            )
        });
    }
}
