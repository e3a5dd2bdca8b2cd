//! Stop-loss and take-profit, set and cleared.

use ballast_client::instructions::orders;
use ballast_state::error::BallastError;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::trigger::{Trigger, TriggerKind};
use solana_signer::Signer;

use crate::event;
use crate::support::{done, refused, Venue, START, TEN, USD};

/// A stop-loss at $190 for 4 SOL, at $185 or better.
const STOP: PlaceTriggerArgs = PlaceTriggerArgs {
    kind: TriggerKind::StopLoss,
    price_ticks: 190_000,
    worst_ticks: 185_000,
    lots: 4_000,
};

/// A take-profit at $250 for the whole position, at any price within the band.
const TAKE: PlaceTriggerArgs = PlaceTriggerArgs {
    kind: TriggerKind::TakeProfit,
    price_ticks: 250_000,
    worst_ticks: 0,
    lots: u64::MAX,
};

#[track_caller]
fn place(venue: &mut Venue, args: PlaceTriggerArgs) {
    done(
        venue
            .sandbox
            .place_trigger(&venue.market, &venue.alice, args),
    );
}

/// Stop-loss and take-profit of alice.
fn triggers(venue: &Venue) -> (Trigger, Trigger) {
    let slot = venue.position(&venue.alice);
    (slot.stop_loss, slot.take_profit)
}

#[test]
pub fn each_kind_has_one_trigger_and_the_last_counts() {
    let mut venue = Venue::open();
    place(&mut venue, TAKE);
    place(
        &mut venue,
        PlaceTriggerArgs {
            lots: 20_000,
            ..STOP
        },
    );
    let sent = venue
        .sandbox
        .place_trigger(&venue.market, &venue.alice, STOP);
    let event = event!(done(sent), TriggerPlaced);
    assert_eq!(
        (event.trader, event.market, event.kind),
        (
            venue.alice.address,
            venue.market.keys.market,
            TriggerKind::StopLoss
        )
    );
    assert_eq!(
        (event.price_ticks, event.worst_ticks, event.lots),
        (190_000, 185_000, 4_000)
    );
    let stop = Trigger {
        price_ticks: 190_000,
        worst_ticks: 185_000,
        lots: 4_000,
        placed_lots: 4_000,
    };
    let take = Trigger {
        price_ticks: 250_000,
        worst_ticks: 0,
        lots: 10_000,
        placed_lots: 10_000,
    };
    assert_eq!(triggers(&venue), (stop, take));
    venue.conserves();
}

#[test]
pub fn a_trigger_is_cancelled_once() {
    let mut venue = Venue::open();
    place(&mut venue, STOP);
    place(&mut venue, TAKE);
    let cancel = |s: &mut ballast_sandbox::Sandbox, venue: &Venue| {
        s.cancel_trigger(&venue.market, &venue.alice, TriggerKind::StopLoss)
    };
    let mut sandbox = venue.sandbox.fork();
    let event = event!(done(cancel(&mut sandbox, &venue)), TriggerCancelled);
    assert_eq!(
        (event.kind, event.price_ticks, event.lots),
        (TriggerKind::StopLoss, 190_000, 4_000)
    );
    refused(&mut sandbox, BallastError::NoTrigger, |s| cancel(s, &venue));
    venue.sandbox = sandbox;
    let (stop, take) = triggers(&venue);
    assert_eq!((stop, take.price_ticks), (Trigger::default(), 250_000));
    // Nor without a position.
    let carol = venue.sandbox.create_trader(0).unwrap();
    refused(&mut venue.sandbox, BallastError::NoTrigger, |s| {
        s.cancel_trigger(&venue.market, &carol, TriggerKind::TakeProfit)
    });
}

#[test]
pub fn a_trigger_needs_a_position_a_price_and_lots() {
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(USD).unwrap();
    let mut refuse = |error, trader: &_, args| {
        refused(&mut venue.sandbox, error, |s| {
            s.place_trigger(&venue.market, trader, args)
        });
    };
    refuse(BallastError::NoPosition, &carol, STOP);
    for (price_ticks, worst_ticks) in [(0, 0), (1 << 31, 0), (190_000, 1 << 31)] {
        let args = PlaceTriggerArgs {
            price_ticks,
            worst_ticks,
            ..STOP
        };
        refuse(BallastError::PriceOutOfRange, &venue.alice, args);
    }
    let none = PlaceTriggerArgs { lots: 0, ..STOP };
    refuse(BallastError::ZeroLots, &venue.alice, none);
}

#[test]
pub fn owner_and_delegate_alone_set_and_clear_triggers() {
    let mut venue = Venue::open();
    place(&mut venue, TAKE);
    let other = venue.sandbox.funded_keypair();
    let (market, alice) = (venue.market.keys.market, venue.alice.address);
    let calls = [
        orders::PlaceTrigger {
            authority: other.pubkey(),
            market,
            trader: alice,
            args: STOP,
        }
        .instruction(),
        orders::CancelTrigger {
            authority: other.pubkey(),
            market,
            trader: alice,
            kind: TriggerKind::TakeProfit,
        }
        .instruction(),
    ];
    for call in &calls {
        refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
            s.send(std::slice::from_ref(call), &[&other])
        });
    }
    done(
        venue
            .sandbox
            .set_delegate(&venue.alice, Some(other.pubkey())),
    );
    done(venue.sandbox.send(&calls, &[&other]));
    let (stop, take) = triggers(&venue);
    assert_eq!((stop.lots, take), (4_000, Trigger::default()));
}

#[test]
pub fn triggers_go_when_the_position_closes_or_changes_side() {
    let mut venue = Venue::open();
    place(&mut venue, STOP);
    place(&mut venue, TAKE);
    done(venue.trade(-TEN / 2, START, 0, 0));
    assert_eq!(
        triggers(&venue).1.lots,
        10_000,
        "kept by a smaller position"
    );
    done(venue.trade(-TEN, START, 100 * USD, 100 * USD));
    assert_eq!(triggers(&venue), Default::default());
    venue.conserves();
}
