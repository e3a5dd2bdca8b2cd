//! Bankrupt positions that can be closed against nobody: what is written off, and who bears it.
//!
//! While a market is short it holds the profit of who leaves, so that such a deadlock needs money to
//! vanish: here insurance seems rich while the winner leaves, and is not.

use ballast_client::instructions::adl_session::SessionKeys;
use ballast_client::instructions::wind_down::WriteOffBankrupt;
use ballast_sandbox::TraderCookie;
use ballast_state::error::BallastError;
use ballast_state::events::{BallastEvent, BankruptWrittenOff};
use ballast_state::market::{Market, CLAIMS_COUNTED};
use ballast_state::trader::Trader;

use crate::adl::Crash;
use crate::event;
use crate::support::{done, forge, quiet, refused, refused_with, terms, Venue, START, TEN, USD};

const CRASHED: u64 = 150_000;

/// Alice is long 10 SOL and bankrupt at $190, at $150. The short that she lost to has left, and no
/// counterparty is solvent at her close price: carol's shorts of 10 SOL are bankrupt at $158, erin's
/// of 20 at $160. Dave is long the 20.
pub struct Deadlock {
    pub venue: Venue,
    pub carol: TraderCookie,
    pub dave: TraderCookie,
    pub erin: TraderCookie,
}

impl Deadlock {
    pub fn new() -> Self {
        Self::with(Venue::with(&quiet()))
    }

    pub fn with(mut venue: Venue) -> Self {
        venue.trade(TEN, START, 100 * USD, 500 * USD).unwrap();
        let mut trader = || venue.sandbox.create_trader(2_000 * USD).unwrap();
        let (carol, dave, erin) = (trader(), trader(), trader());
        venue.wait(10);
        venue.price(CRASHED);
        let market = venue.market.clone();
        let insurance = |venue: &mut Venue, change: fn(u64) -> u64| {
            forge::<Market>(&mut venue.sandbox, &market.keys.market, |market| {
                market.insurance.balance = change(market.insurance.balance);
            });
        };
        insurance(&mut venue, |atoms| atoms + 1_000_000 * USD);
        let bob = venue.bob.clone();
        for (long, short, lots, margins) in [
            (&bob, &carol, TEN, (0, 80 * USD)),
            (&dave, &erin, 2 * TEN, (1_000 * USD, 200 * USD)),
        ] {
            let terms = terms(lots, CRASHED, margins.0, margins.1);
            done(venue.sandbox.block_trade(&market, long, short, terms));
        }
        insurance(&mut venue, |atoms| atoms - 1_000_000 * USD);
        assert_eq!(venue.sandbox.market(&market).held.atoms, 0);
        venue.conserves();
        Self {
            venue,
            carol,
            dave,
            erin,
        }
    }

    /// Opens a session for a trader and walks it to its end.
    #[track_caller]
    pub fn session(&mut self, bankrupt: &TraderCookie) -> SessionKeys {
        let market = self.venue.market.clone();
        let sandbox = &mut self.venue.sandbox;
        let opened = sandbox.open_adl_session(&market, &bankrupt.address);
        let session = opened.unwrap_or_else(|error| panic!("{error}")).0;
        let walked = done(sandbox.advance_adl_session(&market, &session, 100_000, Vec::new()));
        assert!(event!(walked, AdlSessionAdvanced).complete);
        session
    }

    /// Writes a trader's position off.
    #[track_caller]
    pub fn write_off(&mut self, bankrupt: &TraderCookie) -> BankruptWrittenOff {
        let (market, session) = (self.venue.market.clone(), self.session(bankrupt));
        let outcome = done(self.venue.sandbox.write_off_bankrupt(&market, &session));
        self.venue.conserves();
        match outcome.events.as_slice() {
            [BallastEvent::BankruptWrittenOff(event), BallastEvent::AdlSessionClosed(closed)] => {
                assert_eq!((closed.session, closed.executed), (session.session, false));
                event.as_ref().clone()
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn everybody(&self) -> [TraderCookie; 5] {
        let venue = &self.venue;
        [
            &venue.alice,
            &venue.bob,
            &self.carol,
            &self.dave,
            &self.erin,
        ]
        .map(Clone::clone)
    }
}

/// A venue whose market ends while nobody is looking, at the price that is published.
fn ended(mut deadlock: Deadlock) -> Deadlock {
    let market = deadlock.venue.market.clone();
    done(deadlock.venue.sandbox.accrue_funding(&market));
    assert_eq!(u64::from(deadlock.venue.end().final_ticks), CRASHED);
    deadlock
}

#[test]
pub fn what_nobody_can_bear_is_borne_by_all_in_proportion() {
    let mut it = ended(Deadlock::new());
    let market = it.venue.market.clone();
    let [alice, _, carol, dave, erin] = it.everybody();
    // The proven order selects nobody.
    refused(&mut it.venue.sandbox, BallastError::AdlNothingCut, |s| {
        let list = [carol.address, erin.address];
        s.auto_deleverage(&market, &alice.address, &dave, &list)
    });
    refused(&mut it.venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.settle_position(&market, &dave.address)
    });
    let sandbox = &mut it.venue.sandbox;
    let early = sandbox.open_adl_session(&market, &alice.address).unwrap().0;
    refused(sandbox, BallastError::AdlSessionIncomplete, |s| {
        s.write_off_bankrupt(&market, &early)
    });
    done(sandbox.advance_adl_session(&market, &early, 100, Vec::new()));
    refused(sandbox, BallastError::AdlNothingCut, |s| {
        let list = [carol.address, erin.address];
        s.execute_adl_session(&market, &early, &dave, &list)
    });
    done(sandbox.close_adl_session(&market, &early));

    let insurance = it.venue.sandbox.market(&market).insurance.balance;
    let event = it.write_off(&alice);
    // Bought at $200 with $100, $150 now.
    assert_eq!((event.lots, event.deficit_atoms), (TEN, 400 * USD));
    assert_eq!(event.insurance_paid_atoms, insurance);
    assert_eq!(
        event.written_off_atoms,
        400 * USD - insurance - event.held_paid_atoms
    );
    assert!(it.venue.sandbox.position(&market, &alice.address).is_none());
    assert_eq!(it.venue.sandbox.market(&market).wind_down.settled_lots, TEN);

    refused(&mut it.venue.sandbox, BallastError::ClaimsNotCounted, |s| {
        s.settle_position(&market, &dave.address)
    });
    refused(
        &mut it.venue.sandbox,
        BallastError::MarginAfterWriteOff,
        |s| s.add_margin(&market, &dave, USD),
    );
    // Node by node, the one that alice has left too.
    for _ in 0..3 {
        let counted = event!(
            done(it.venue.sandbox.count_claims(&market, 1)),
            ClaimsCounted
        );
        assert!(!counted.complete);
        refused(&mut it.venue.sandbox, BallastError::ClaimsNotCounted, |s| {
            s.settle_position(&market, &dave.address)
        });
    }
    let counted = event!(
        done(it.venue.sandbox.count_claims(&market, 1)),
        ClaimsCounted
    );
    let claims = [80, 1_000, 200].map(|dollars| dollars * USD);
    assert_eq!(counted.claims_atoms, claims.iter().sum::<u64>());
    assert_eq!((counted.complete, counted.made_good_atoms), (true, 0));
    assert_eq!(it.venue.sandbox.market(&market).claims_node, CLAIMS_COUNTED);
    refused(&mut it.venue.sandbox, BallastError::NothingToCount, |s| {
        s.count_claims(&market, 1)
    });

    // Whoever comes first, everybody gets the same.
    let covered = counted.claims_atoms - event.written_off_atoms;
    let part = |claim: u64| {
        let product = u128::from(claim) * u128::from(covered);
        u64::try_from(product / u128::from(counted.claims_atoms)).unwrap()
    };
    let whose = [&carol, &dave, &erin];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut venue = it.venue.copy();
        for place in order {
            let settled = venue.settle(whose[place]);
            assert_eq!(settled.paid_atoms, part(claims[place]), "{order:?}");
        }
        let rest = covered - claims.map(part).iter().sum::<u64>();
        let state = venue.sandbox.market(&market);
        assert_eq!((state.insurance.balance, state.uncovered()), (rest, Ok(0)));
        let everybody = it.everybody();
        venue.is_spent(&everybody.iter().collect::<Vec<_>>());
        done(venue.sandbox.close_market(&market));
    }
}

#[test]
pub fn nothing_is_written_off_while_somebody_can_be_cut() {
    let Crash {
        mut venue, keeper, ..
    } = Crash::new(5_000);
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    done(venue.sandbox.accrue_funding(&market));
    let before = venue
        .sandbox
        .open_adl_session(&market, &alice.address)
        .unwrap()
        .0;
    refused(&mut venue.sandbox, BallastError::MarketTrades, |s| {
        s.write_off_bankrupt(&market, &before)
    });
    venue.end();
    refused(&mut venue.sandbox, BallastError::NothingToCount, |s| {
        s.count_claims(&market, 1)
    });
    // The session of before the end has expired; its queue is free once it is closed.
    done(venue.sandbox.close_adl_session(&market, &before));
    let (session, _) = venue
        .sandbox
        .open_adl_session(&market, &alice.address)
        .unwrap();
    done(
        venue
            .sandbox
            .advance_adl_session(&market, &session, 100, Vec::new()),
    );
    refused(
        &mut venue.sandbox,
        BallastError::CounterpartyCanBeCut,
        |s| s.write_off_bankrupt(&market, &session),
    );
    let selected = venue.sandbox.selected(&market, &session);
    assert_eq!(selected.len(), 3);
    done(
        venue
            .sandbox
            .execute_adl_session(&market, &session, &keeper, &selected),
    );
    venue.conserves();
}

#[test]
fn a_session_of_before_the_end_proves_nothing_after_it() {
    let mut it = Deadlock::new();
    let market = it.venue.market.clone();
    done(it.venue.sandbox.accrue_funding(&market));
    let alice = it.venue.alice.clone();
    let session = it.session(&alice);
    forge::<Market>(&mut it.venue.sandbox, &market.keys.market, |market| {
        market.mode = 2;
        market.final_ticks = u32::try_from(CRASHED).unwrap();
    });
    refused(&mut it.venue.sandbox, BallastError::AdlSessionStale, |s| {
        s.write_off_bankrupt(&market, &session)
    });
}

#[test]
fn gifts_pay_before_the_claims_are_counted_and_change_nothing_after() {
    let mut it = ended(Deadlock::new());
    let (market, alice) = (it.venue.market.clone(), it.venue.alice.clone());
    let written_off = it.write_off(&alice).written_off_atoms;
    let give = |venue: &mut Venue, dollars: u64| {
        let wallet = venue.sandbox.create_wallet(dollars * USD).unwrap();
        done(
            venue
                .sandbox
                .donate_insurance(&market, &wallet, dollars * USD),
        );
    };
    // More than is missing: everybody is paid whole.
    let mut rich = it.venue.copy();
    give(&mut rich, 500);
    let counted = event!(done(rich.sandbox.count_claims(&market, 100)), ClaimsCounted);
    assert_eq!(
        (counted.made_good_atoms, counted.written_off_atoms),
        (written_off, 0)
    );
    assert_eq!(rich.settle(&it.dave).paid_atoms, 1_000 * USD);

    give(&mut it.venue, 100);
    let counted = event!(
        done(it.venue.sandbox.count_claims(&market, 100)),
        ClaimsCounted
    );
    assert_eq!(counted.made_good_atoms, 100 * USD);
    let mut late = it.venue.copy();
    give(&mut late, 100);
    let paid = |venue: &mut Venue, who: &TraderCookie| venue.settle(who).paid_atoms;
    let dave = paid(&mut it.venue, &it.dave.clone());
    assert_eq!(paid(&mut late, &it.dave), dave);
    assert!(dave < 1_000 * USD);
    let covered = 1_280 * USD - counted.written_off_atoms;
    assert_eq!(dave, covered * 1_000 / 1_280);
}

/// Holds this much of a trader's free collateral, as profit that it took out.
fn hold(venue: &mut Venue, trader: &TraderCookie, atoms: u64) {
    let key = venue.market.keys.market;
    let market = venue.sandbox.market(&venue.market.clone());
    let claim = venue
        .sandbox
        .position(&venue.market, &trader.address)
        .unwrap()
        .held_claim();
    let (held, claim) = market.held.hold(&claim, atoms, 1).unwrap();
    forge::<Market>(&mut venue.sandbox, &key, |market| market.held = held);
    forge::<Trader>(&mut venue.sandbox, &trader.address, |trader| {
        trader.free -= i64::try_from(atoms).unwrap();
        trader.slot_mut(&key).unwrap().store_held_claim(&claim);
    });
    venue.conserves();
}

#[test]
fn a_gift_to_insurance_left_held_profit_that_stopped_every_payout() {
    let mut it = ended(Deadlock::new());
    let [alice, bob, carol, dave, erin] = it.everybody();
    hold(&mut it.venue, &dave, 50 * USD);
    let (market, session) = (it.venue.market.clone(), it.session(&alice));
    let insurance = it.venue.sandbox.market(&market).insurance.balance;
    let wallet = it.venue.sandbox.create_wallet(20 * USD).unwrap();
    done(
        it.venue
            .sandbox
            .donate_insurance(&market, &wallet, 20 * USD),
    );
    let outcome = done(it.venue.sandbox.write_off_bankrupt(&market, &session));
    let written_off = match outcome.events.first() {
        Some(BallastEvent::BankruptWrittenOff(event)) => event.as_ref().clone(),
        other => panic!("{other:?}"),
    };
    // All there is pays before anything is written off.
    assert_eq!(written_off.insurance_paid_atoms, insurance + 20 * USD);
    assert_eq!(written_off.held_paid_atoms, 50 * USD);
    let held = it.venue.sandbox.market(&market).held;
    assert_eq!((held.atoms, held.shares), (0, 0));
    done(it.venue.sandbox.count_claims(&market, 100));
    for order in [
        [&carol, &dave, &erin],
        [&erin, &dave, &carol],
        [&dave, &carol, &erin],
    ] {
        let mut venue = it.venue.copy();
        for trader in order {
            assert_eq!(venue.settle(trader).held_atoms, 0);
        }
        venue.is_spent(&[&alice, &bob, &carol, &dave, &erin]);
        done(venue.sandbox.close_market(&market));
    }
}

#[test]
pub fn the_farthest_beyond_the_last_price_comes_first() {
    let mut venue = Venue::with(&quiet());
    let mut trader = || venue.sandbox.create_trader(2_000 * USD).unwrap();
    let (carol, dave) = (trader(), trader());
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    // Alice is bankrupt at $190, carol at $189, bob and dave are rich.
    for (long, short, margin) in [(&alice, &bob, 100 * USD), (&carol, &dave, 110 * USD)] {
        let terms = terms(TEN, START, margin, 600 * USD);
        done(venue.sandbox.block_trade(&market, long, short, terms));
    }
    venue.wait(10);
    venue.price(180_000);
    done(venue.sandbox.accrue_funding(&market));
    venue.end();
    let list = [bob.address, dave.address];
    refused(&mut venue.sandbox, BallastError::NotFarthestBankrupt, |s| {
        s.auto_deleverage(&market, &carol.address, &bob, &list)
    });
    let opened = venue.sandbox.open_adl_session(&market, &carol.address);
    assert_eq!(
        opened.map(|_| ()).unwrap_err().number,
        Some(u32::from(BallastError::NotFarthestBankrupt))
    );
    for (bankrupt, short) in [(&alice, &bob), (&carol, &dave)] {
        let outcome = venue
            .sandbox
            .auto_deleverage(&market, &bankrupt.address, &bob, &list);
        let event = event!(done(outcome), AutoDeleveraged);
        assert_eq!(
            (event.lots_closed, event.cuts[0].trader),
            (10_000, short.address)
        );
    }
    venue.is_spent(&[&alice, &bob, &carol, &dave]);
}

#[test]
fn a_session_closes_whom_insurance_pays_for_whole() {
    let Crash {
        mut venue,
        keeper,
        shorts,
        ..
    } = Crash::new(5_000);
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    let wallet = venue.sandbox.create_wallet(20 * USD).unwrap();
    done(venue.sandbox.donate_insurance(&market, &wallet, 20 * USD));
    done(venue.sandbox.accrue_funding(&market));
    venue.end();
    let (session, _) = venue
        .sandbox
        .open_adl_session(&market, &alice.address)
        .unwrap();
    done(
        venue
            .sandbox
            .advance_adl_session(&market, &session, 100, Vec::new()),
    );
    let selected = venue.sandbox.selected(&market, &session);
    let outcome = done(
        venue
            .sandbox
            .execute_adl_session(&market, &session, &keeper, &selected),
    );
    let Some(BallastEvent::AutoDeleveraged(event)) = outcome.events.first() else {
        panic!("{:?}", outcome.events);
    };
    assert_eq!((event.lots_closed, event.gave_up_atoms), (10_000, 0));
    assert_eq!(event.insurance_paid_atoms, 10 * USD);
    assert_eq!(venue.free(&shorts[0]), 1_000_000_000 + 4_000 * 11_000);
    venue.conserves();
}

#[test]
fn whom_insurance_covers_is_taken_over_where_every_counterparty_is_bankrupt_too() {
    let mut it = Deadlock::new();
    let market = it.venue.market.clone();
    let wallet = it.venue.sandbox.create_wallet(1_000 * USD).unwrap();
    done(
        it.venue
            .sandbox
            .donate_insurance(&market, &wallet, 1_000 * USD),
    );
    // At $165 carol and erin are bankrupt as well.
    it.venue.wait(10);
    it.venue.price(165_000);
    done(it.venue.sandbox.accrue_funding(&market));
    it.venue.end();
    let [alice, _, carol, dave, erin] = it.everybody();
    let event = it.write_off(&alice);
    assert_eq!(
        (event.deficit_atoms, event.written_off_atoms),
        (250 * USD, 0)
    );
    assert_eq!(event.insurance_paid_atoms, 250 * USD);
    // Carol lacks $7 a SOL, erin $5; dave takes no part.
    for (bankrupt, lots, lacks) in [(&carol, 10_000, 70), (&erin, 10_000, 100)] {
        let outcome =
            it.venue
                .sandbox
                .auto_deleverage(&market, &bankrupt.address, &dave, &[dave.address]);
        let event = event!(done(outcome), AutoDeleveraged);
        assert_eq!(
            (event.lots_closed, event.deficit_before_atoms),
            (lots, lacks * USD)
        );
    }
    // Half of erin's has no counterparty left but the market, which has alice's lots.
    assert_eq!(it.write_off(&erin).written_off_atoms, 0);
    it.venue
        .is_spent(&it.everybody().iter().collect::<Vec<_>>());
}

#[test]
fn margin_that_ends_no_bankruptcy_delays_nobody() {
    let mut it = ended(Deadlock::new());
    let (market, alice) = (it.venue.market.clone(), it.venue.alice.clone());
    refused(&mut it.venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.add_margin(&market, &alice, 1)
    });
    done(it.venue.sandbox.add_margin(&market, &alice, 400 * USD));
    assert_eq!(it.venue.settle(&alice).paid_atoms, 0);
}

#[test]
fn no_account_of_a_write_off_is_replaced() {
    let mut it = ended(Deadlock::new());
    let (market, alice) = (it.venue.market.clone(), it.venue.alice.clone());
    let other = it.venue.second_market();
    let session = it.session(&alice);
    let write_off = WriteOffBankrupt {
        keys: market.keys,
        session,
    }
    .instruction();
    let stand_ins = [
        other.keys.market,
        other.keys.queue_long,
        other.keys.queue_short,
        other.keys.book,
        market.keys.queue_long,
        market.keys.queue_short,
        it.carol.address,
        it.dave.address,
        ballast_client::addresses::exchange(),
        it.venue.sandbox.payer(),
    ];
    for (place, meta) in write_off.accounts.iter().enumerate() {
        for stand_in in stand_ins.iter().filter(|key| **key != meta.pubkey) {
            let mut forged = write_off.clone();
            forged.accounts[place].pubkey = *stand_in;
            let what = format!("account {place} replaced by {stand_in}");
            refused_with(&mut it.venue.sandbox, &what, |s| s.send(&[forged], &[]));
        }
        if meta.is_writable && meta.pubkey != session.payer {
            let mut forged = write_off.clone();
            forged.accounts[place].is_writable = false;
            let what = format!("account {place} not writable");
            refused_with(&mut it.venue.sandbox, &what, |s| s.send(&[forged], &[]));
        }
    }
    done(it.venue.sandbox.send(&[write_off], &[]));
}
