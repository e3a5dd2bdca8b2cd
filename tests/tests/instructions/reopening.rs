//! A reduce-only market is opened again by a change that waits, and not at all once its end is
//! foreseen.

use ballast_client::instructions::wind_down::SetReduceOnly;
use ballast_state::error::BallastError;
use ballast_state::exchange::{Delays, Role};
use ballast_state::staged::Change;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::support::{done, refused, terms, Venue, START, USD};

/// An open venue whose changes wait as `deploy` has it, and its guardian.
fn governed() -> (Venue, Keypair) {
    let mut venue = Venue::open();
    let guardian = venue.sandbox.funded_keypair();
    done(venue.sandbox.hand_over(Role::Guardian, &guardian));
    done(venue.sandbox.raise_delays(Delays::DEFAULT));
    (venue, guardian)
}

#[test]
pub fn an_opening_waits_whoever_made_the_market_reduce_only() {
    let (mut venue, guardian) = governed();
    let market = venue.market.clone();
    let admin = venue.sandbox.admin_keypair();
    // Nothing is opened ahead of the guardian.
    refused(&mut venue.sandbox, BallastError::MarketNotReduceOnly, |s| {
        s.send_staging(Change::Reopen, Some(&market), &admin)
    });
    for holder in [&guardian, &admin] {
        let mut venue = venue.copy();
        let s = &mut venue.sandbox;
        let make = SetReduceOnly {
            authority: holder.pubkey(),
            market: market.keys.market,
        };
        done(s.send(&[make.instruction()], &[holder]));
        refused(s, BallastError::NotAdmin, |s| {
            s.send_staging(Change::Reopen, Some(&market), &guardian)
        });
        let staged = s.stage(Change::Reopen, Some(&market)).unwrap();
        s.advance_slots(Delays::DEFAULT.admin_slots - 1);
        refused(s, BallastError::StagedTooEarly, |s| {
            s.apply(&staged, Some(&market))
        });
        // The guardian takes it back as long as it stands.
        let mut cancelled = s.fork();
        done(cancelled.cancel_staged(&staged, &guardian));
        assert_eq!(cancelled.market(&market).mode, 1);
        s.advance_slots(1);
        let opened = event!(done(s.apply(&staged, Some(&market))), ReduceOnlySet);
        assert_eq!((opened.before, opened.after), (true, false));
        assert_eq!(opened.by, admin.pubkey());
        venue.price(START);
        let opening = terms(100, START, 500 * USD, 500 * USD);
        done(
            venue
                .sandbox
                .block_trade(&market, &venue.alice, &venue.bob, opening),
        );
        venue.conserves();
    }
}

/// Who opens late in the hour whose average is the last price knows most of that average, and
/// trades against those who still have orders out.
#[test]
pub fn a_thief_reopened_a_delisted_market_in_its_last_hour() {
    let (mut venue, _) = governed();
    let market = venue.market.clone();
    let admin = venue.sandbox.admin_keypair();
    // The thief stages the opening in time for it to be due in the hour.
    done(venue.sandbox.set_reduce_only(&market));
    let opening = venue.sandbox.stage(Change::Reopen, Some(&market)).unwrap();
    venue.delist();
    venue.minutes(55, |_| 198_000);
    venue.price(198_000);
    refused(&mut venue.sandbox, BallastError::MarketEnding, |s| {
        s.apply(&opening, Some(&market))
    });
    done(venue.sandbox.cancel_staged(&opening, &admin));
    refused(&mut venue.sandbox, BallastError::MarketEnding, |s| {
        s.send_staging(Change::Reopen, Some(&market), &admin)
    });
    // Nor does the call open it that makes it reduce-only, whatever follows its first bytes.
    let mut opens = SetReduceOnly {
        authority: admin.pubkey(),
        market: market.keys.market,
    }
    .instruction();
    opens.data.push(0);
    let _ = venue.sandbox.send(&[opens], &[&admin]);
    assert_eq!(venue.sandbox.market(&market).mode, 1);
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    refused(&mut venue.sandbox, BallastError::MarketReduceOnly, |s| {
        let opening = terms(100, 198_000, 500 * USD, 500 * USD);
        s.block_trade(&market, &alice, &bob, opening)
    });
    venue.minutes(5, |_| 198_000);
    let begun = done(venue.sandbox.begin_settlement(&market));
    assert_eq!(event!(begun, SettlementBegun).final_ticks, 198_000);
    venue.settle(&bob);
    venue.settle(&alice);
    venue.conserves();
}

#[test]
fn an_opening_that_waits_survives_no_end_and_no_death() {
    let (mut venue, _) = governed();
    let market = venue.market.clone();
    let admin = venue.sandbox.admin_keypair();
    done(venue.sandbox.set_reduce_only(&market));
    let opening = venue.sandbox.stage(Change::Reopen, Some(&market)).unwrap();
    venue.wait(8 * 86_400);
    done(venue.sandbox.declare_dead(&market));
    refused(&mut venue.sandbox, BallastError::MarketEnding, |s| {
        s.apply(&opening, Some(&market))
    });
    let mut ended = venue.copy();
    ended.wait(86_400);
    done(ended.sandbox.begin_settlement(&market));
    refused(&mut ended.sandbox, BallastError::MarketEnded, |s| {
        s.apply(&opening, Some(&market))
    });
    done(ended.sandbox.cancel_staged(&opening, &admin));
    refused(&mut ended.sandbox, BallastError::MarketEnded, |s| {
        s.send_staging(Change::Reopen, Some(&market), &admin)
    });
    // A price calls the death off.
    venue.price(START);
    venue.record();
    done(venue.sandbox.apply(&opening, Some(&market)));
    assert_eq!(venue.sandbox.market(&market).mode, 0);
}
