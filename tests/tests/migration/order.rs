//! In whatever order, and however often: the accounts end the same.

use ballast_client::migration::{is_outdated, Migrations};
use ballast_client::{accounts, addresses};
use ballast_state::events::BallastEvent;
use ballast_state::Pubkey;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::snapshot::{Old, Outdated};

/// Migrates in a random order, the book a few nodes at a time; what must wait for the book comes
/// again.
fn migrate_in_random_order(old: &mut Old, random: &mut ChaCha8Rng) {
    let mut waiting = old.outdated();
    waiting.shuffle(random);
    let mut calls = 0;
    while let Some(account) = waiting.pop() {
        calls += 1;
        assert!(calls < 2_000, "it ends");
        let nodes = random.gen_range(1..40);
        let done = match old.migrate_by(account, nodes) {
            Ok(outcome) => match &outcome.events[..] {
                [BallastEvent::AccountMigrated(event)] => {
                    event.version_after != event.version_before
                }
                other => panic!("{other:?}"),
            },
            Err(error) => {
                let waits = matches!(account, Outdated::Trader(_)) && error.is("AccountOutdated");
                assert!(waits, "{account:?}: {error}");
                false
            }
        };
        if !done {
            let place = random.gen_range(0..=waiting.len());
            waiting.insert(place, account);
        }
    }
}

#[test]
fn the_final_state_is_independent_of_the_order() {
    let old = Old::load();
    let mut first = old.fork();
    first.migrate_all();
    let expected = first.comparable();
    for seed in 0..12 {
        let mut other = old.fork();
        migrate_in_random_order(&mut other, &mut ChaCha8Rng::seed_from_u64(seed));
        assert!(other.comparable() == expected, "seed {seed}");
    }
}

/// What `ballast migrate --all` finds in the accounts as they are.
fn found(old: &Old) -> Migrations {
    let sandbox = &old.sandbox;
    let keys = old.market.keys;
    let data = |address: &Pubkey| sandbox.account(address).expect("an account").data;
    let exchange = accounts::exchange(&data(&addresses::exchange())).expect("an exchange");
    let market = accounts::market(&data(&keys.market)).expect("a market");
    let outdated = [keys.queue_long, keys.queue_short, keys.book]
        .into_iter()
        .filter(|address| is_outdated(&data(address)))
        .collect();
    let traders: Vec<_> = old
        .traders
        .iter()
        .map(|trader| trader.address)
        .map(|address| {
            (
                address,
                accounts::trader(&data(&address)).expect("a trader"),
            )
        })
        .collect();
    Migrations::of(&exchange, &[(keys.market, market)], &outdated, &traders)
}

#[test]
fn what_the_client_finds_outdated_is_migrated_by_what_it_sends_and_nothing_is_left() {
    let mut old = Old::load();
    let mut other = old.fork();
    other.migrate_all();
    let first = found(&old);
    assert_eq!(first.count(), old.outdated().len());
    // One call reaches the end of this book.
    let books = first.books.iter().map(|book| book.instruction());
    for call in first.shared.into_iter().chain(books).chain(first.traders) {
        old.sandbox.send(&[call], &[]).expect("migrated");
    }
    assert_eq!(found(&old).count(), 0);
    assert!(old.comparable() == other.comparable());
}

#[test]
fn what_is_migrated_is_not_migrated_again() {
    let mut old = Old::load();
    old.migrate_all();
    old.sandbox.advance_seconds(600);
    let before = old.state();
    old.migrate_all();
    assert!(before == old.state());
}

#[test]
fn queues_keep_their_order_and_books_are_sound() {
    use ballast_engine::units::Side;

    let mut old = Old::load();
    // Nodes behind the header, of which a migration writes nothing.
    let nodes = |old: &Old, account| {
        old.sandbox.account(&old.address(account)).unwrap().data[8 + 256..].to_vec()
    };
    let before = [Outdated::QueueLong, Outdated::QueueShort].map(|queue| nodes(&old, queue));
    old.migrate_all();
    let after = [Outdated::QueueLong, Outdated::QueueShort].map(|queue| nodes(&old, queue));
    assert_eq!(before, after);
    for side in [Side::Long, Side::Short] {
        let snapshot = old.sandbox.queue(&old.market, side);
        assert_eq!(snapshot.queue().unwrap().invariant(), Ok(()));
    }
    let snapshot = old.sandbox.book(&old.market);
    let book = snapshot.book().unwrap();
    assert_eq!(book.invariant(), Ok(()));
    for trader in &old.traders {
        if let Some(slot) = old.sandbox.position(&old.market, &trader.address) {
            let own = book.own_invariant(trader.address.as_array(), &slot.own_orders());
            assert_eq!(own, Ok(()));
        }
    }
    // The market has the impact prices that its book makes.
    let mut market = old.sandbox.market(&old.market);
    let recorded = (market.funding.impact_bid, market.funding.impact_ask);
    for side in [Side::Long, Side::Short] {
        let price = book
            .impact_price(side, &market.sampling().unwrap())
            .unwrap();
        market.store_impact(side, price);
    }
    assert_eq!(
        recorded,
        (market.funding.impact_bid, market.funding.impact_ask)
    );
    let conservation = old.sandbox.conservation();
    assert!(conservation.holds(), "{conservation:?}");
}
