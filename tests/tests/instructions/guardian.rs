//! A stolen guardian's key: what its pauses cannot do. docs/SECURITY.md, pauses.

use ballast_client::instructions::{admin, trader};
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::risk::DEFAULT_DIVERGENCE_GRACE_SECONDS;
use ballast_sandbox::{Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::exchange::Role;
use ballast_state::pause::{
    LONGEST_EXIT_PAUSE_SLOTS, LONGEST_FORCE_PAUSE_SLOTS, LONGEST_PAUSE_SLOTS, PAUSE_ALL,
    PAUSE_DELEVERAGE, PAUSE_DEPOSIT, PAUSE_LIQUIDATE, PAUSE_OPEN, PAUSE_PERIOD_SLOTS,
    PAUSE_REMOVE_MARGIN, PAUSE_TRADE, PAUSE_WITHDRAW,
};
use ballast_state::staged::Change;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::adl::Crash;
use crate::event;
use crate::support::{done, refused, terms, watched, Venue, START, TEN, USD};

/// Hands the role to a key of its own.
fn stolen(sandbox: &mut Sandbox) -> Keypair {
    let key = sandbox.funded_keypair();
    done(sandbox.hand_over(Role::Guardian, &key));
    key
}

fn pause(sandbox: &mut Sandbox, key: &Keypair, flags: u32, slots: u64) -> TxResult {
    let instruction = admin::SetPause {
        authority: key.pubkey(),
        flags,
        slots,
    }
    .instruction();
    sandbox.send(&[instruction], &[key])
}

/// Lets slots and their time pass; the price is as before, and of now.
fn on(venue: &mut Venue, slots: u64) {
    let (slot, time) = (venue.sandbox.slot(), venue.sandbox.time());
    let seconds = i64::try_from(slots * 2 / 5).unwrap();
    venue.sandbox.set_clock(slot + slots, time + seconds);
    venue.price(START);
}

#[test]
pub fn a_pause_ends_by_itself() {
    let mut venue = Venue::open();
    let key = stolen(&mut venue.sandbox);
    let until = venue.sandbox.slot() + LONGEST_PAUSE_SLOTS;
    let outcome = done(pause(
        &mut venue.sandbox,
        &key,
        PAUSE_ALL,
        LONGEST_PAUSE_SLOTS,
    ));
    let event = event!(outcome, PauseSet);
    assert_eq!((event.flags_after, event.until_slot), (PAUSE_ALL, until));
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let closes = |venue: &mut Venue| venue.trade(-100, START, 0, 0);
    let opens = |venue: &mut Venue| venue.trade(100, START, 2 * USD, 2 * USD);
    let in_force = |venue: &Venue| venue.sandbox.exchange().pauses(venue.sandbox.slot());
    on(&mut venue, LONGEST_FORCE_PAUSE_SLOTS - 1);
    refused(&mut venue.sandbox, BallastError::Paused, |s| {
        s.liquidate(&market, &alice.address, &bob, 0)
    });
    on(&mut venue, 1);
    assert_eq!(
        in_force(&venue),
        PAUSE_ALL & !PAUSE_LIQUIDATE & !PAUSE_DELEVERAGE
    );
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&market, &alice.address, &bob, 0)
    });
    on(
        &mut venue,
        LONGEST_EXIT_PAUSE_SLOTS - LONGEST_FORCE_PAUSE_SLOTS - 1,
    );
    refused(&mut venue.sandbox, BallastError::Paused, |s| {
        s.withdraw(&alice, 1)
    });
    on(&mut venue, 1);
    // Whoever wants out is out after six hours.
    done(venue.sandbox.withdraw(&alice, 1));
    done(closes(&mut venue));
    assert_eq!(in_force(&venue), PAUSE_OPEN | PAUSE_REMOVE_MARGIN);
    on(
        &mut venue,
        LONGEST_PAUSE_SLOTS - LONGEST_EXIT_PAUSE_SLOTS - 1,
    );
    assert!(opens(&mut venue).is_err());
    on(&mut venue, 1);
    done(opens(&mut venue));
    assert_eq!(in_force(&venue), 0);
    venue.conserves();
}

#[test]
pub fn a_pause_is_not_longer_than_a_day() {
    let mut venue = Venue::new();
    let key = stolen(&mut venue.sandbox);
    for slots in [0, LONGEST_PAUSE_SLOTS + 1, u64::MAX] {
        refused(&mut venue.sandbox, BallastError::PauseTooLong, |s| {
            pause(s, &key, PAUSE_OPEN, slots)
        });
    }
}

#[test]
pub fn three_pauses_begin_in_seven_days() {
    let mut venue = Venue::new();
    let key = stolen(&mut venue.sandbox);
    let begun = venue.sandbox.slot();
    for _ in 0..3 {
        done(pause(
            &mut venue.sandbox,
            &key,
            PAUSE_WITHDRAW,
            LONGEST_PAUSE_SLOTS,
        ));
        venue.sandbox.advance_slots(LONGEST_EXIT_PAUSE_SLOTS);
        // Lifting it gives none back.
        done(pause(&mut venue.sandbox, &key, 0, 0));
    }
    let (slot, time) = (begun + PAUSE_PERIOD_SLOTS - 1, venue.sandbox.time());
    venue.sandbox.set_clock(slot, time);
    refused(&mut venue.sandbox, BallastError::TooManyPauses, |s| {
        pause(s, &key, PAUSE_WITHDRAW, 1)
    });
    venue.sandbox.set_clock(slot + 1, time);
    done(pause(&mut venue.sandbox, &key, PAUSE_WITHDRAW, 1));
    let again = pause(&mut venue.sandbox, &key, PAUSE_WITHDRAW, 1);
    assert!(again.is_err());
}

#[test]
pub fn a_guardian_touches_neither_parameters_nor_money_nor_the_pause_of_the_admin() {
    let mut venue = Venue::open();
    let key = stolen(&mut venue.sandbox);
    let thief = key.pubkey();
    let money = trader::Withdraw {
        owner: thief,
        trader: venue.alice.address,
        destination: venue.alice.wallet.tokens,
        collateral: venue.sandbox.collateral(),
        amount: 1,
    };
    refused(&mut venue.sandbox, BallastError::NotOwner, |s| {
        s.send(&[money.instruction()], &[&key])
    });
    let of = Some(&venue.market);
    let role = Change::Authority {
        role: Role::Guardian,
        successor: thief,
    };
    for (error, change, of) in [
        (
            BallastError::NotRiskAuthority,
            Change::Risk(sol_market()),
            of,
        ),
        (BallastError::NotAdmin, role, None),
        (BallastError::NotAdmin, Change::Treasury(thief), None),
    ] {
        refused(&mut venue.sandbox, error, |s| {
            s.send_staging(change, of, &key)
        });
    }
    let alice = venue.alice.clone();
    // What the admin paused stays paused, whatever the guardian sets; and the other way round.
    done(venue.sandbox.set_pause(PAUSE_WITHDRAW));
    done(pause(&mut venue.sandbox, &key, PAUSE_DEPOSIT, 10));
    done(pause(&mut venue.sandbox, &key, 0, 0));
    refused(&mut venue.sandbox, BallastError::Paused, |s| {
        s.withdraw(&alice, 1)
    });
    done(pause(&mut venue.sandbox, &key, PAUSE_TRADE, 10));
    done(venue.sandbox.set_pause(0));
    let slot = venue.sandbox.slot();
    assert_eq!(venue.sandbox.exchange().pauses(slot), PAUSE_TRADE);
    assert_eq!(
        venue.sandbox.exchange().paused_until(PAUSE_TRADE, slot),
        slot + 10
    );
    venue.conserves();
}

#[test]
pub fn while_nobody_is_liquidated_nobody_opens_and_everybody_may_close() {
    for flag in [PAUSE_LIQUIDATE, PAUSE_DELEVERAGE] {
        let mut venue = Venue::open();
        let key = stolen(&mut venue.sandbox);
        done(pause(&mut venue.sandbox, &key, flag, LONGEST_PAUSE_SLOTS));
        let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
        refused(&mut venue.sandbox, BallastError::Paused, |s| {
            s.block_trade(&market, &alice, &bob, terms(100, START, 2 * USD, 2 * USD))
        });
        refused(&mut venue.sandbox, BallastError::Paused, |s| {
            s.remove_margin(&market, &bob, 1)
        });
        done(venue.trade(-TEN, START, 0, 0));
        done(venue.sandbox.withdraw(&alice, 1));
    }
}

/// With a pair, a flag that is looked at all the time and a pause, a guardian would have the grace of
/// a bankruptcy run out while nobody may help: its winners would then be paid by insurance first.
#[test]
pub fn a_pause_lets_nobodys_grace_run_out() {
    for flag in [PAUSE_DELEVERAGE, PAUSE_LIQUIDATE] {
        let mut crash = Crash::new(10_000);
        let list = crash.list();
        let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
        let donor = crash.venue.sandbox.create_wallet(20 * USD).unwrap();
        done(
            crash
                .venue
                .sandbox
                .donate_insurance(&market, &donor, 20 * USD),
        );
        done(crash.venue.sandbox.flag_bankruptcy(&market, &alice));
        let key = stolen(&mut crash.venue.sandbox);
        done(pause(
            &mut crash.venue.sandbox,
            &key,
            flag,
            LONGEST_PAUSE_SLOTS,
        ));
        let before = crash.venue.sandbox.slot();
        watched(
            &mut crash.venue.sandbox,
            &market,
            &alice,
            189_000,
            LONGEST_FORCE_PAUSE_SLOTS,
        );
        let slot = crash.venue.position(&crash.venue.alice).distress();
        let aged = crash.venue.sandbox.slot() - slot.bankrupt_slot;
        // The last look comes as the pause ends, and counts.
        assert!(
            aged <= 50,
            "{aged} slots of {}",
            crash.venue.sandbox.slot() - before
        );
        crash.refuses(BallastError::InsuranceCanPay, &list);
        crash.venue.conserves();
    }
}

/// Prices far from their average force nobody out before they have lasted, and a pause in which
/// nobody can act is no time.
#[test]
pub fn a_pause_lets_no_wild_price_come_of_age() {
    let mut venue = Venue::open();
    let key = stolen(&mut venue.sandbox);
    let diverged = |venue: &mut Venue| {
        venue.wait(5);
        venue.quote(|quote| quote.ticks = 155_000);
        done(venue.sandbox.accrue_funding(&venue.market));
        venue.sandbox.market(&venue.market).price_clock.diverged_for
    };
    assert_eq!(diverged(&mut venue), 5);
    done(pause(
        &mut venue.sandbox,
        &key,
        PAUSE_LIQUIDATE,
        LONGEST_PAUSE_SLOTS,
    ));
    for _ in 0..DEFAULT_DIVERGENCE_GRACE_SECONDS {
        assert_eq!(diverged(&mut venue), 5);
    }
    done(pause(&mut venue.sandbox, &key, 0, 0));
    assert_eq!(diverged(&mut venue), 10);
}
