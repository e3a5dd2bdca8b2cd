//! Reduce-only markets: who makes them so, and what goes on in them.

use ballast_client::instructions::wind_down::SetReduceOnly;
use ballast_sandbox::{Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::exchange::Exchange;
use ballast_state::staged::Change;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::orders::{ask, bid, ioc};
use crate::support::{done, forge, refused, terms, Venue, START, TEN, USD};

#[test]
pub fn open_interest_does_not_rise_in_a_reduce_only_market_and_everything_else_goes_on() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let (carol, dave) = (venue.trader(1_000), venue.trader(1_000));
    done(venue.sandbox.set_reduce_only(&market));
    let opening = terms(100, START, 500 * USD, 500 * USD);
    let reduce_only = BallastError::MarketReduceOnly;
    refused(&mut venue.sandbox, reduce_only, |s| {
        s.block_trade(&market, &carol, &dave, opening)
    });
    // Orders that open wait, and meet whoever closes; open interest stays what it is.
    venue.place(&carol, bid(START, 1_000), &[]);
    venue.refuse(reduce_only, &dave, ioc(ask(START, 100)), &[&carol]);
    venue.place(&alice, ioc(ask(START, 1_000)), &[&carol]);
    assert_eq!(venue.position(&carol).lots, 1_000);
    let open_interest = venue.sandbox.market(&market).open_interest_lots;
    assert_eq!(open_interest, TEN.unsigned_abs());
    // Both close.
    venue.wait(1);
    done(venue.trade(-1_000, START, 0, 0));
    assert_eq!(
        venue.sandbox.market(&market).open_interest_lots,
        open_interest - 1_000
    );
    // Margin goes in and out, liquidations and take-overs go on, and so does deleveraging.
    done(venue.sandbox.add_margin(&market, &bob, USD));
    done(venue.sandbox.remove_margin(&market, &bob, USD));
    venue.price_twice(194_000);
    done(venue.sandbox.flag_bankruptcy(&market, &alice.address));
    done(
        venue
            .sandbox
            .liquidate(&market, &alice.address, &dave, 400 * USD),
    );
    assert!(venue.position(&dave).lots > 0);
    venue.wait(10);
    venue.price_twice(180_000);
    done(
        venue
            .sandbox
            .auto_deleverage(&market, &alice.address, &dave, &[bob.address]),
    );
    venue.conserves();
    // Until it opens again.
    done(venue.sandbox.change(Change::Reopen, Some(&market)));
    let opening = terms(100, 180_000, 200 * USD, 200 * USD);
    done(venue.sandbox.block_trade(&market, &carol, &dave, opening));
    venue.conserves();
}

fn set(sandbox: &mut Sandbox, venue: &Venue, by: &Keypair) -> TxResult {
    let instruction = SetReduceOnly {
        authority: by.pubkey(),
        market: venue.market.keys.market,
    };
    sandbox.send(&[instruction.instruction()], &[by])
}

#[test]
fn the_guardian_or_the_admin_makes_a_market_reduce_only() {
    let venue = Venue::open();
    let mut sandbox = venue.sandbox.fork();
    let (guardian, stranger) = (sandbox.funded_keypair(), sandbox.funded_keypair());
    forge::<Exchange>(&mut sandbox, &ballast_client::addresses::exchange(), |it| {
        it.guardian = guardian.pubkey();
        it.risk_authority = stranger.pubkey();
    });
    refused(&mut sandbox, BallastError::NotGuardian, |s| {
        set(s, &venue, &stranger)
    });
    for holder in [guardian, sandbox.admin_keypair()] {
        let mut fork = sandbox.fork();
        let made = event!(done(set(&mut fork, &venue, &holder)), ReduceOnlySet);
        assert_eq!((made.before, made.after), (false, true));
        let again = event!(done(set(&mut fork, &venue, &holder)), ReduceOnlySet);
        assert_eq!((again.before, again.by), (true, holder.pubkey()));
    }
}
