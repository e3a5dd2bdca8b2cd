//! Deleveraging over several transactions: the same counterparties as one walk would give, whoever
//! drives it and whatever happens in between.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::adl_session::{OpenAdlSession, SessionKeys, SESSION_SPACE};
use ballast_engine::units::Side;
use ballast_sandbox::{Sandbox, TraderCookie, TxOutcome};
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::exchange::{PAUSE_ALL, PAUSE_DELEVERAGE};

use crate::adl::{Crash, ALL};
use crate::event;
use crate::support::{conserves, done, refused, refused_forged, terms, START, USD};

const NODES: u32 = 10_000;

fn open(crash: &mut Crash) -> SessionKeys {
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
    let opened = crash.venue.sandbox.open_adl_session(&market, &alice);
    opened.unwrap_or_else(|error| panic!("{error}")).0
}

fn advance(crash: &mut Crash, session: &SessionKeys) -> bool {
    let market = crash.venue.market.clone();
    let outcome = done(crash.venue.sandbox.advance_adl_session(
        &market,
        session,
        NODES,
        Vec::new(),
    ));
    event!(outcome, AdlSessionAdvanced).complete
}

fn execute(crash: &mut Crash, session: &SessionKeys) -> TxOutcome {
    let market = crash.venue.market.clone();
    let selected = crash.venue.sandbox.selected(&market, session);
    done(
        crash
            .venue
            .sandbox
            .execute_adl_session(&market, session, &crash.keeper, &selected),
    )
}

#[track_caller]
fn execute_refused(crash: &mut Crash, error: BallastError, session: &SessionKeys, list: &[Pubkey]) {
    let (market, keeper) = (&crash.venue.market, &crash.keeper);
    refused(&mut crash.venue.sandbox, error, |s| {
        s.execute_adl_session(market, session, keeper, list)
    });
}

fn deleveraged(outcome: &TxOutcome) -> &ballast_state::events::AutoDeleveraged {
    match outcome.events.as_slice() {
        [BallastEvent::AutoDeleveraged(event), BallastEvent::AdlSessionClosed(closed)] => {
            assert!(closed.executed);
            event
        }
        other => panic!("{other:?}"),
    }
}

/// A position and the free collateral of everybody, and what insurance and fees hold.
fn books(sandbox: &Sandbox, crash: &Crash) -> (Vec<(i64, i64, i64)>, u64, u64) {
    let traders = crash.shorts.iter().chain([
        &crash.venue.alice,
        &crash.venue.bob,
        &crash.dave,
        &crash.keeper,
    ]);
    let market = sandbox.market(&crash.venue.market);
    let of = |trader: &TraderCookie| {
        let slot = sandbox.position(&crash.venue.market, &trader.address);
        let (lots, margin) = slot.map_or((0, 0), |slot| (slot.lots, slot.margin));
        (sandbox.trader(&trader.address).free, lots, margin)
    };
    (
        traders.map(of).collect(),
        market.insurance.balance,
        market.fees_atoms,
    )
}

#[test]
fn a_session_does_what_one_call_would() {
    for cap in [2_500, 5_000, 10_000] {
        let mut crash = Crash::new(cap);
        let mut at_once = crash.venue.sandbox.fork();
        let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
        let rent = crash.venue.sandbox.account(&crash.venue.sandbox.payer());

        let session = open(&mut crash);
        conserves(&crash.venue.sandbox);
        assert!(advance(&mut crash, &session));
        let outcome = execute(&mut crash, &session);
        let event = deleveraged(&outcome);
        assert_eq!(event.session, session.session);
        assert_eq!(
            (event.rank_tolerance_bps, event.insurance_paid_atoms),
            (0, 202_000 * event.lots_closed / ALL)
        );
        conserves(&crash.venue.sandbox);

        let mut list = crash.list();
        list.push(crash.venue.bob.address);
        list.truncate(event.cuts.len());
        let reference = at_once.auto_deleverage(&market, &alice, &crash.keeper, &list);
        let reference = event!(done(reference), AutoDeleveraged);
        assert_eq!(event.cuts, reference.cuts);
        assert_eq!(books(&crash.venue.sandbox, &crash), books(&at_once, &crash));

        // The account is gone, its rent is back, and the queue watches no more.
        let sandbox = &crash.venue.sandbox;
        let left = sandbox.account(&session.session);
        assert!(left.is_none_or(|account| account.lamports == 0 && account.data.is_empty()));
        let paid = |account: Option<solana_account::Account>| account.map(|a| a.lamports);
        let fees = paid(rent).unwrap() - paid(sandbox.account(&sandbox.payer())).unwrap();
        assert!(fees < 1_000_000, "{fees} lamports are fees, not rent");
        let queue = sandbox.queue(&market, Side::Short);
        assert!(!queue.queue().unwrap().header().watch.is_active());
    }
}

/// Whoever drives the session, with whatever hints, cannot decide whom it selects.
#[test]
fn hints_do_not_choose() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    let sandbox = &crash.venue.sandbox;
    let worst = [&crash.venue.bob, &crash.shorts[2], &crash.shorts[1]].map(|trader| {
        sandbox
            .position(&market, &trader.address)
            .unwrap()
            .queue_node
    });
    let mut hints = worst.to_vec();
    hints.extend([worst[0], 77, u32::MAX]);
    let outcome = crash
        .venue
        .sandbox
        .advance_adl_session(&market, &session, 1, hints);
    assert!(event!(done(outcome), AdlSessionAdvanced).complete);
    let selected = crash.venue.sandbox.selected(&market, &session);
    assert_eq!(selected, crash.list());
}

#[test]
pub fn a_session_account_has_one_size() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let sandbox = &mut crash.venue.sandbox;
    for space in [SESSION_SPACE - 1, SESSION_SPACE + 8, 16] {
        let session = sandbox.create_program_account(space).unwrap();
        let session = SessionKeys {
            session,
            payer: sandbox.payer(),
            bankrupt: crash.venue.alice.address,
        };
        let open = OpenAdlSession {
            keys: market.keys,
            session,
        };
        refused(sandbox, BallastError::AdlSessionSize, |s| {
            s.send(&[open.instruction()], &[])
        });
    }
}

#[test]
pub fn one_session_at_a_time() {
    let mut crash = Crash::new(10_000);
    open(&mut crash);
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionUnderWay,
        |s| s.open_adl_session(&market, &alice).map(|(_, done)| done),
    );
}

#[test]
pub fn a_riser_must_be_seen_before_the_execution() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    let list = crash.list();
    execute_refused(
        &mut crash,
        BallastError::AdlSessionIncomplete,
        &session,
        &list,
    );
    assert!(advance(&mut crash, &session));
    // The last of the shorts takes margin out until it ranks above the first.
    let riser = crash.venue.bob.clone();
    done(
        crash
            .venue
            .sandbox
            .remove_margin(&market, &riser, 899_800_000),
    );
    execute_refused(
        &mut crash,
        BallastError::AdlSessionIncomplete,
        &session,
        &list,
    );
    assert!(advance(&mut crash, &session));
    let outcome = execute(&mut crash, &session);
    let cuts: Vec<_> = deleveraged(&outcome)
        .cuts
        .iter()
        .map(|cut| (cut.trader, cut.lots_closed))
        .collect();
    let [first, second, third] = [list[0], list[1], list[2]];
    assert_eq!(
        cuts,
        [
            (riser.address, 100),
            (first, 4_000),
            (second, 3_000),
            (third, 2_900)
        ]
    );
    conserves(&crash.venue.sandbox);
}

/// Those selected may change as they like: they are cut where they stood, as far as they still
/// stand.
#[test]
fn those_selected_do_not_hold_the_session_up() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let [first, second, third] = [0, 1, 2].map(|place| crash.shorts[place].clone());
    let sandbox = &mut crash.venue.sandbox;
    // The first falls behind in rank, the second leaves, the third shrinks.
    done(sandbox.add_margin(&market, &first, 500 * USD));
    let dave = crash.dave.clone();
    let buy = |lots| terms(lots, 189_000, 0, 100 * USD);
    done(sandbox.block_trade(&market, &second, &dave, buy(3_000)));
    done(sandbox.block_trade(&market, &third, &dave, buy(1_000)));
    let outcome = execute(&mut crash, &session);
    let cuts: Vec<_> = deleveraged(&outcome)
        .cuts
        .iter()
        .map(|cut| (cut.trader, cut.lots_closed))
        .collect();
    assert_eq!(cuts, [(first.address, 4_000), (third.address, 2_000)]);
    assert_eq!(crash.venue.position(&crash.venue.alice).lots, 4_000);
    crash.venue.conserves();
}

#[test]
fn a_newcomer_stands_outside() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    let newcomer = crash.venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = crash.dave.clone();
    let sell = terms(-100, 189_000, 2 * USD, 100 * USD);
    done(
        crash
            .venue
            .sandbox
            .block_trade(&market, &newcomer, &dave, sell),
    );
    assert!(advance(&mut crash, &session));
    execute(&mut crash, &session);
    assert_eq!(crash.venue.position(&newcomer).lots, -100);
}

#[test]
pub fn a_session_is_for_one_position() {
    let mut crash = Crash::new(10_000);
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let list = crash.list();
    let other = SessionKeys {
        bankrupt: crash.dave.address,
        ..session
    };
    execute_refused(&mut crash, BallastError::AdlSessionMismatch, &other, &list);
    let other = SessionKeys {
        payer: crash.dave.address,
        ..session
    };
    execute_refused(&mut crash, BallastError::AdlSessionMismatch, &other, &list);
    let second = crash.venue.second_market();
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionMismatch,
        |s| s.advance_adl_session(&second, &session, NODES, Vec::new()),
    );
    let foreign = crash.venue.market.clone();
    let keys = SessionKeys {
        bankrupt: crash.dave.address,
        ..session
    };
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionMismatch,
        |s| s.close_adl_session(&foreign, &keys),
    );
}

#[test]
pub fn the_accounts_are_those_selected() {
    let mut crash = Crash::new(10_000);
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let list = crash.list();
    let bob = crash.venue.bob.address;
    let error = BallastError::AdlNotSelected;
    execute_refused(&mut crash, error, &session, &list[..2]);
    execute_refused(&mut crash, error, &session, &list[1..]);
    execute_refused(&mut crash, error, &session, &[list[1], list[0], list[2]]);
    execute_refused(
        &mut crash,
        error,
        &session,
        &[list[0], list[1], list[2], bob],
    );
    execute_refused(&mut crash, error, &session, &[list[0], list[1], bob]);
    execute_refused(&mut crash, error, &session, &[]);
    execute(&mut crash, &session);
}

#[test]
pub fn a_session_expires_and_is_then_closed() {
    let mut crash = Crash::new(10_000);
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    crash.venue.sandbox.advance_slots(150);
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionLive,
        |s| s.close_adl_session(&market, &session),
    );
    crash.venue.sandbox.advance_slots(1);
    crash.venue.price(189_000);
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionExpired,
        |s| s.advance_adl_session(&market, &session, NODES, Vec::new()),
    );
    let list = crash.list();
    execute_refused(&mut crash, BallastError::AdlSessionExpired, &session, &list);
    let outcome = done(crash.venue.sandbox.close_adl_session(&market, &session));
    let closed = event!(outcome, AdlSessionClosed);
    assert_eq!((closed.bankrupt, closed.executed), (alice, false));
    let queue = crash.venue.sandbox.queue(&market, Side::Short);
    let selected = queue.queue().unwrap().iter().filter(|step| {
        let (_, entry) = step.as_ref().unwrap();
        entry.is_selected()
    });
    assert_eq!(selected.count(), 0);
    // Nothing has been paid; another session goes to the end.
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let outcome = execute(&mut crash, &session);
    assert_eq!(deleveraged(&outcome).lots_after, 0);
    crash.venue.conserves();
}

#[test]
pub fn a_change_of_the_bankrupt_ends_the_session() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let list = crash.list();
    done(crash.call(&list[..1]));
    execute_refused(&mut crash, BallastError::AdlSessionStale, &session, &list);
    let outcome = done(crash.venue.sandbox.close_adl_session(&market, &session));
    assert!(!event!(outcome, AdlSessionClosed).executed);
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    execute(&mut crash, &session);
    crash.venue.conserves();
}

#[test]
fn a_session_waits_for_no_recovery() {
    let mut crash = Crash::new(10_000);
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let list = crash.list();
    crash.venue.price(START);
    execute_refused(&mut crash, BallastError::NotBankrupt, &session, &list);
    // At another price at which the position is bankrupt, the frozen round stands.
    crash.venue.price(188_000);
    let outcome = execute(&mut crash, &session);
    assert_eq!(deleveraged(&outcome).mark_ticks, 189_000);
    crash.venue.conserves();
}

#[test]
pub fn a_session_the_queue_does_not_watch_for_is_refused() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    let mut queue = crash
        .venue
        .sandbox
        .account(&market.keys.queue_short)
        .unwrap();
    // The first byte of the watched session's key.
    queue.data[8 + 72] ^= 1;
    crash
        .venue
        .sandbox
        .set_account(&market.keys.queue_short, queue);
    refused_forged(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionGone,
        |s| s.advance_adl_session(&market, &session, NODES, Vec::new()),
    );
    let keeper = crash.keeper.clone();
    refused_forged(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionGone,
        |s| s.execute_adl_session(&market, &session, &keeper, &[]),
    );
    done(crash.venue.sandbox.close_adl_session(&market, &session));
}

/// With everybody at the cap a session finds nobody, and its execution opens the next pass.
#[test]
fn an_empty_session_opens_the_next_pass() {
    let mut crash = Crash::new(5_000);
    let mut list = crash.list();
    list.push(crash.venue.bob.address);
    done(crash.call(&list));
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    // The list shows that somebody waits for the pass.
    execute_refused(&mut crash, BallastError::AdlNothingCut, &session, &[]);
    let keeper = crash.keeper.clone();
    let waiting = crash.venue.sandbox.selected(&market, &session);
    let executed = crash
        .venue
        .sandbox
        .execute_adl_session(&market, &session, &keeper, &waiting);
    let closed = event!(done(executed), AdlSessionClosed);
    assert_eq!((closed.executed, closed.pass_opened), (false, true));
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let outcome = execute(&mut crash, &session);
    let cuts: Vec<u64> = deleveraged(&outcome)
        .cuts
        .iter()
        .map(|cut| cut.lots_closed)
        .collect();
    assert_eq!(cuts, [1_000, 750, 750, 25]);
    crash.venue.conserves();
}

#[test]
fn nobody_opens_a_session_without_need() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let (alice, dave) = (crash.venue.alice.address, crash.dave.address);
    let mut refuse = |error, trader: Pubkey| {
        refused(&mut crash.venue.sandbox, error, |s| {
            let opened = s.open_adl_session(&market, &trader);
            opened.map(|(_, outcome)| outcome)
        });
    };
    refuse(BallastError::NotBankrupt, dave);
    let donor = crash.venue.sandbox.create_wallet(20 * USD).unwrap();
    done(
        crash
            .venue
            .sandbox
            .donate_insurance(&market, &donor, 20 * USD),
    );
    let mut refuse = |error, trader: Pubkey| {
        refused(&mut crash.venue.sandbox, error, |s| {
            let opened = s.open_adl_session(&market, &trader);
            opened.map(|(_, outcome)| outcome)
        });
    };
    refuse(BallastError::InsuranceCanPay, alice);
}

#[test]
fn the_flag_for_deleveraging_pauses_sessions() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = open(&mut crash);
    assert!(advance(&mut crash, &session));
    let list = crash.list();
    done(crash.venue.sandbox.set_pause(PAUSE_DELEVERAGE));
    execute_refused(&mut crash, BallastError::Paused, &session, &list);
    refused(&mut crash.venue.sandbox, BallastError::Paused, |s| {
        s.advance_adl_session(&market, &session, NODES, Vec::new())
    });
    done(crash.venue.sandbox.set_pause(PAUSE_ALL - PAUSE_DELEVERAGE));
    execute(&mut crash, &session);
}
