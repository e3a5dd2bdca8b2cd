//! A trader who was deleveraged in part, recovered, and takes lots over as a liquidator.

use ballast_sandbox::{TraderCookie, TxResult};

use crate::event;
use crate::support::{done, quiet, terms, Venue, START, TEN, USD};

/// Alice was bankrupt at $189 and 0.1 of her 10 SOL have been closed against eve, who had taken them
/// from bob. The price is $200 again, and nobody has touched alice's position since.
fn recovered() -> (Venue, TraderCookie) {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 10_000;
    let mut venue = Venue::open_with(&config);
    let [keeper, eve] = [0; 2].map(|_| venue.sandbox.create_trader(1_000 * USD).unwrap());
    let bob = venue.bob.clone();
    let part = terms(-100, START, USD, 0);
    done(venue.sandbox.block_trade(&venue.market, &eve, &bob, part));
    venue.price(189_000);
    let list = keeper_list(&[&eve]);
    let outcome = done(deleverage(&mut venue, &keeper, &list));
    assert_eq!(event!(outcome, AutoDeleveraged).reward_atoms, 10_000);
    let slot = venue.position(&venue.alice);
    assert_eq!(
        (slot.lots, slot.bankrupt_lots, slot.pass_epoch),
        (9_900, 10_000, 1)
    );
    venue.price(START);
    (venue, keeper)
}

/// The counterparties named.
fn keeper_list(traders: &[&TraderCookie]) -> Vec<anchor_lang::prelude::Pubkey> {
    traders.iter().map(|trader| trader.address).collect()
}

fn deleverage(
    venue: &mut Venue,
    keeper: &TraderCookie,
    list: &[anchor_lang::prelude::Pubkey],
) -> TxResult {
    let victim = venue.alice.address;
    venue
        .sandbox
        .auto_deleverage(&venue.market, &victim, keeper, list)
}

#[test]
fn its_next_bankruptcy_on_the_other_side_is_resolved() {
    let (mut venue, keeper) = recovered();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let opening = terms(-20_000, START, 200 * USD, 900 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &dave, opening),
    );
    // Carol's short of 20 SOL is liquidated, and alice goes from 9.9 long to 10.1 short.
    venue.price(209_000);
    let alice = venue.alice.clone();
    done(
        venue
            .sandbox
            .liquidate(&venue.market, &carol.address, &alice, 150 * USD),
    );
    assert_eq!(venue.position(&alice).lots, -10_100);
    // Bankrupt as a short, she is closed against dave.
    venue.price(230_000);
    let outcome = done(deleverage(&mut venue, &keeper, &[dave.address]));
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!((event.lots_closed, event.lots_after), (10_100, 0));
    venue.conserves();
}

#[test]
fn the_reward_of_its_next_bankruptcy_is_no_more_than_one() {
    let (mut venue, keeper) = recovered();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(10_000 * USD).unwrap();
    let opening = terms(3 * TEN, START, 300 * USD, 5_000 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &dave, opening),
    );
    // Most of carol's long of 30 SOL is liquidated, which alice takes over.
    venue.price(191_500);
    let alice = venue.alice.clone();
    done(
        venue
            .sandbox
            .liquidate(&venue.market, &carol.address, &alice, 500 * USD),
    );
    let lots = venue.position(&alice).lots.unsigned_abs();
    assert_eq!(lots, 39_401);
    assert!(venue.sandbox.market(&venue.market).fees_atoms > 3 * USD);
    venue.price(177_000);
    let list = keeper_list(&[&venue.bob.clone(), &dave]);
    let outcome = done(deleverage(&mut venue, &keeper, &list));
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!((event.lots_closed, event.reward_atoms), (lots, USD));
    venue.conserves();
}

#[test]
fn a_liquidator_that_was_flagged_is_flagged_no_longer() {
    let (mut venue, _) = recovered();
    venue.price(189_000);
    done(
        venue
            .sandbox
            .flag_bankruptcy(&venue.market, &venue.alice.address),
    );
    assert_ne!(venue.position(&venue.alice).bankrupt_slot, 0);
    venue.price(START);
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(10_000 * USD).unwrap();
    let opening = terms(3 * TEN, START, 300 * USD, 5_000 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &dave, opening),
    );
    venue.price(191_500);
    let alice = venue.alice.clone();
    // It holds initial margin afterwards.
    done(
        venue
            .sandbox
            .liquidate(&venue.market, &carol.address, &alice, 500 * USD),
    );
    assert_eq!(venue.position(&alice).bankrupt_slot, 0);
    done(venue.sandbox.withdraw(&venue.bob, 1));
    venue.conserves();
}
