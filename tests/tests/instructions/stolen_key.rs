//! What a thief of an authority's key can do with it. docs/GOVERNANCE.md states the rules, and
//! docs/SECURITY.md who can do what.

use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::instructions::admin::{self, StagedKeys};
use ballast_engine::risk::RiskParams;
use ballast_sandbox::{MarketConfig, PriceSource, Quote, Sandbox};
use ballast_state::error::BallastError;
use ballast_state::exchange::{Delays, Role, MAX_DELAY_SLOTS};
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::staged::Change;
use ballast_state::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::nonce::{execute, Nonce};
use crate::oracle_change::Switch;
use crate::staging::Governed;
use crate::support::{conserves, done, refused, refused_elsewhere, terms, Venue, START, USD};

/// The day on which changes of the admin are due.
const ADMIN_DELAY: u64 = Delays::DEFAULT.admin_slots;

fn to(role: Role, successor: &Keypair) -> Change {
    Change::Authority {
        role,
        successor: successor.pubkey(),
    }
}

fn stage(sandbox: &Sandbox, change: Change, market: Option<Pubkey>, by: &Keypair) -> Instruction {
    let stage = admin::StageChange {
        authority: by.pubkey(),
        payer: sandbox.payer(),
        market,
        change,
    };
    stage.instruction()
}

/// The same, with the signer's own lamports, for a transaction that nobody else signs.
fn stage_alone(change: Change, by: &Keypair) -> Instruction {
    let stage = admin::StageChange {
        authority: by.pubkey(),
        payer: by.pubkey(),
        market: None,
        change,
    };
    stage.instruction()
}

/// A market over a token that is worth nothing, whose price the thief makes.
fn false_market() -> Change {
    let config = MarketConfig::sol();
    Change::CreateMarket(CreateMarketArgs {
        name: *b"CVT-PERP\0\0\0\0\0\0\0\0",
        oracle: config.oracle(Pubkey::default()),
        risk: config.risk,
    })
}

/// A loss of April 2026: two approvals of the admin, kept by durable nonces, were sent four slots apart
/// weeks later; they made the thief the admin, who opened a market with a price of its own and took
/// what the venue held.
#[test]
fn approvals_kept_by_nonces_made_a_thief_the_admin() {
    let mut world = Governed::new();
    let s = &mut world.venue.sandbox;
    let (admin, thief) = (s.admin_keypair(), s.funded_keypair());
    let (first, second) = (Nonce::new(s), Nonce::new(s));
    let hand_over = to(Role::Admin, &thief);
    let stage_kept = [first.advance(), stage_alone(hand_over, &admin)];
    let stage_kept = first.sign(s, &stage_kept, &[&admin]);
    // Who wants the second step signed as well does not know the change's id: neither the slot nor
    // its hash has come.
    let address = ballast_client::addresses::hand_over(Role::Admin);
    let guessed = StagedKeys {
        address,
        id: [7; 32],
        payer: admin.pubkey(),
    };
    let accept = |staged: StagedKeys| {
        let successor = thief.pubkey();
        admin::AcceptAuthority { successor, staged }.instruction()
    };
    let accept_kept = [second.advance(), accept(guessed)];
    let accept_kept = second.sign(s, &accept_kept, &[&thief]);
    s.advance_slots(4_000_000);
    for kept in [stage_kept, accept_kept] {
        let error = execute(&mut s.fork(), kept).unwrap_err();
        assert!(error.name.is_some(), "{error}");
        assert!(!error.is("StagedMismatch"), "{error}");
    }
    assert!(s.staged(&address).is_none());
    // Signed afresh it goes no farther than to be seen.
    let staged = s.stage(hand_over, None).unwrap();
    for slots in [4, ADMIN_DELAY - 5] {
        s.advance_slots(slots);
        refused(s, BallastError::StagedTooEarly, |s| {
            s.accept_authority(&staged, &thief)
        });
    }
    done(s.cancel_staged(&staged, &world.guardian));
    s.advance_slots(ADMIN_DELAY);
    refused_by_nobody_staged(s, &accept(staged), &thief);
    assert_eq!(s.exchange().admin, admin.pubkey());
    // The market with the thief's price waits as well, and the guardian takes it back.
    let market = s.stage(false_market(), None).unwrap();
    done(s.cancel_staged(&market, &world.guardian));
    assert_eq!(s.exchange().market_count, 1);
    conserves(s);
}

#[track_caller]
fn refused_by_nobody_staged(sandbox: &mut Sandbox, accept: &Instruction, thief: &Keypair) {
    refused_elsewhere(sandbox, |s| s.send(std::slice::from_ref(accept), &[thief]));
}

/// Parameters with which a pair of one's own takes out what nobody can pay, as far as
/// `RiskParams::validate` lets them be.
fn generous(mut risk: RiskParams) -> RiskParams {
    // The younger prices have to be, the less margin has to cover.
    risk.price_age_seconds = 5;
    for tier in &mut risk.tiers {
        tier.initial_margin_bps = tier.initial_margin_bps.saturating_sub(1);
    }
    risk.taker_fee_bps = 0;
    risk
}

/// Hand-over of the role, new parameters and the theft fitted one transaction.
#[test]
fn hand_over_new_parameters_and_theft_were_one_transaction() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let params = world.venue.sandbox.market(&market).risk;
    let s = &mut world.venue.sandbox;
    let (admin, thief) = (s.admin_keypair(), s.funded_keypair());
    let change = Change::Risk(generous(params));
    let of = Some(market.keys.market);
    let (hand_over, theirs) = (to(Role::Risk, &thief), world.risk.insecure_clone());
    // The thief holds both keys and signs all of it, by whatever id it likes.
    let staged = |address| StagedKeys {
        address,
        id: [0; 32],
        payer: s.payer(),
    };
    let role = staged(ballast_client::addresses::hand_over(Role::Risk));
    let risk = staged(ballast_client::addresses::staged(0, &market.keys.market));
    let accept = admin::AcceptAuthority {
        successor: thief.pubkey(),
        staged: role,
    };
    let apply = Sandbox::application(&risk, Some(&market));
    let staging = stage(s, change, of, &theirs);
    let handing = stage(s, hand_over, None, &admin);
    for all in [
        vec![handing.clone(), accept.instruction()],
        vec![staging.clone(), apply.clone()],
        vec![
            handing.clone(),
            accept.instruction(),
            staging.clone(),
            apply,
        ],
    ] {
        let named = |key: &&Keypair| {
            let mut metas = all.iter().flat_map(|one| &one.accounts);
            metas.any(|meta| meta.is_signer && meta.pubkey == key.pubkey())
        };
        let signers: Vec<&Keypair> = [&admin, &theirs, &thief]
            .into_iter()
            .filter(named)
            .collect();
        refused(s, BallastError::StagedMismatch, |s| s.send(&all, &signers));
    }
    // Even with the right ids, in transactions of their own.
    let role = s.stage(hand_over, None).unwrap();
    let risk = s.stage_by(change, Some(&market), &theirs).unwrap();
    refused(s, BallastError::StagedTooEarly, |s| {
        s.accept_authority(&role, &thief)
    });
    refused(s, BallastError::StagedTooEarly, |s| {
        s.apply(&risk, Some(&market))
    });
    assert_eq!(s.market(&market).risk, params);
    assert_eq!(s.exchange().risk_authority, theirs.pubkey());
}

#[test]
fn a_stolen_risk_key_changes_nothing_that_guardian_or_admin_take_back() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let params = world.venue.sandbox.market(&market).risk;
    let staged = world.stage_risk(generous(params));
    let s = &mut world.venue.sandbox;
    let (admin, thief) = (s.admin_keypair(), &world.risk);
    // It stages nothing else, raises no delay, pauses nothing.
    for change in [
        to(Role::Risk, thief),
        Change::Treasury(thief.pubkey()),
        Change::Delays(Delays::default()),
        false_market(),
    ] {
        refused(s, BallastError::NotAdmin, |s| {
            s.send_staging(change, None, thief)
        });
    }
    s.advance_slots(Delays::DEFAULT.risk_slots - 1);
    for holder in [&world.guardian, &admin] {
        let mut fork = s.fork();
        done(fork.cancel_staged(&staged, holder));
        // What it stages again waits again.
        let change = Change::Risk(generous(params));
        let again = fork.stage_by(change, Some(&market), thief).unwrap();
        fork.advance_slots(1);
        refused(&mut fork, BallastError::StagedTooEarly, |s| {
            s.apply(&again, Some(&market))
        });
        assert_eq!(fork.market(&market).risk, params);
    }
}

/// Owner and thief both hold the admin's key. With the guardian the owner gets the role back, whatever
/// the thief does, and the thief gets nothing before.
#[test]
fn a_stolen_admin_key_is_replaced_whatever_the_thief_stages() {
    for raises in [false, true] {
        let mut world = Governed::new();
        let s = &mut world.venue.sandbox;
        let admin = s.admin_keypair();
        let (owner, thief) = (s.funded_keypair(), s.funded_keypair());
        // The thief is first with everything.
        let first = s.stage(to(Role::Admin, &thief), None).unwrap();
        let all: Vec<StagedKeys> = [
            to(Role::Guardian, &thief),
            to(Role::Risk, &thief),
            Change::Treasury(thief.pubkey()),
            Change::Delays(Delays::default()),
            false_market(),
        ]
        .into_iter()
        .map(|change| s.stage(change, None).unwrap())
        .collect();
        // Guardian and owner replace the hand-over in one transaction, with the owner's.
        let cancel = admin::CancelStaged {
            authority: world.guardian.pubkey(),
            staged: first,
        };
        let owners = stage(s, to(Role::Admin, &owner), None, &admin);
        done(s.send(&[cancel.instruction(), owners], &[&admin, &world.guardian]));
        let owners = s.staged_keys(&first.address);
        // The thief cannot cancel it, and only makes it wait for longer by raising the delays.
        refused(s, BallastError::MayNotCancel, |s| {
            s.cancel_staged(&owners, &admin)
        });
        let mut wait = ADMIN_DELAY;
        if raises {
            wait = MAX_DELAY_SLOTS;
            done(s.raise_delays(Delays {
                risk_slots: MAX_DELAY_SLOTS,
                admin_slots: MAX_DELAY_SLOTS,
            }));
        }
        s.advance_slots(wait);
        let guardians = &all[0];
        refused(s, BallastError::StagedTooEarly, |s| {
            s.accept_authority(guardians, &thief)
        });
        done(s.accept_authority(&owners, &owner));
        // All that the old key staged is void, and anybody clears it away.
        refused(s, BallastError::StagedStale, |s| {
            s.accept_authority(&all[1], &thief)
        });
        refused(s, BallastError::StagedStale, |s| s.apply(&all[2], None));
        refused(s, BallastError::StagedStale, |s| s.apply(&all[3], None));
        s.advance_slots(wait);
        refused(s, BallastError::StagedStale, |s| {
            s.accept_authority(guardians, &thief)
        });
        for staged in &all {
            done(s.cancel_staged(staged, &thief));
        }
        let exchange = s.exchange();
        assert_eq!(exchange.admin, owner.pubkey());
        assert_eq!(exchange.risk_authority, world.risk.pubkey());
        assert_eq!(exchange.guardian, world.guardian.pubkey());
        assert_eq!(exchange.treasury, Pubkey::default());
        conserves(s);
    }
}

#[test]
fn a_stolen_guardian_key_cannot_keep_its_place() {
    let mut world = Governed::new();
    let s = &mut world.venue.sandbox;
    let next = s.funded_keypair();
    let thief = world.guardian.insecure_clone();
    // It stages nothing.
    refused(s, BallastError::NotAdmin, |s| {
        s.send_staging(Change::Treasury(thief.pubkey()), None, &thief)
    });
    // It cancels whatever it likes, but not its own replacement.
    let treasury = s.stage(Change::Treasury(next.pubkey()), None).unwrap();
    done(s.cancel_staged(&treasury, &thief));
    let staged = s.stage(to(Role::Guardian, &next), None).unwrap();
    refused(s, BallastError::MayNotCancel, |s| {
        s.cancel_staged(&staged, &thief)
    });
    s.advance_slots(2 * ADMIN_DELAY);
    done(s.accept_authority(&staged, &next));
    assert_eq!(s.exchange().guardian, next.pubkey());
}

/// Without the guardian the other two together wait in the open, as each of them alone.
#[test]
fn all_keys_but_the_guardians_wait_together() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let params = world.venue.sandbox.market(&market).risk;
    let risk = world.stage_risk(generous(params));
    let s = &mut world.venue.sandbox;
    let thief = s.funded_keypair();
    let role = s.stage(to(Role::Admin, &thief), None).unwrap();
    let delays = s.stage(Change::Delays(Delays::default()), None).unwrap();
    refused(s, BallastError::DelayNotRaised, |s| {
        s.raise_delays(Delays::default())
    });
    // Replacing what waits only makes it wait anew, in the same slot too.
    let admin = s.admin_keypair();
    let cancel = admin::CancelStaged {
        authority: admin.pubkey(),
        staged: delays,
    };
    let again = stage(s, Change::Delays(Delays::default()), None, &admin);
    done(s.send(&[cancel.instruction(), again], &[&admin]));
    let delays = s.staged_keys(&delays.address);
    s.advance_slots(Delays::DEFAULT.risk_slots - 1);
    refused(s, BallastError::StagedTooEarly, |s| {
        s.apply(&risk, Some(&market))
    });
    s.advance_slots(ADMIN_DELAY - Delays::DEFAULT.risk_slots);
    refused(s, BallastError::StagedTooEarly, |s| {
        s.accept_authority(&role, &thief)
    });
    refused(s, BallastError::StagedTooEarly, |s| s.apply(&delays, None));
    done(s.cancel_staged(&role, &world.guardian));
    done(s.cancel_staged(&delays, &world.guardian));
}

/// Whoever holds the key of the treasury's owner spends what is paid there: a quarter of the fees a day.
#[test]
fn a_stolen_treasury_key_gets_a_quarter_of_the_fees_a_day() {
    let (mut venue, treasury) = Venue::earning(1_000 * USD);
    let market = venue.market.clone();
    assert_eq!(venue.pay_out(), 250 * USD);
    for _ in 0..3 {
        venue.price(START);
        refused(&mut venue.sandbox, BallastError::FeesPaidToday, |s| {
            s.withdraw_fees(&market)
        });
        venue.wait(20_000);
    }
    assert_eq!(venue.fees(), 750 * USD);
    assert_eq!(venue.sandbox.token_balance(&treasury.tokens), 250 * USD);
}

/// A thief of the admin's key who names another treasury waits for seven days in which the fees go to
/// the old one, and the guardian takes it back.
#[test]
fn a_stolen_admin_key_names_no_other_treasury_in_time() {
    let (mut venue, treasury) = Venue::earning(1_000 * USD);
    let guardian = venue.sandbox.funded_keypair();
    done(venue.sandbox.hand_over(Role::Guardian, &guardian));
    done(venue.sandbox.raise_delays(Delays::DEFAULT));
    let thief = venue.sandbox.create_wallet(0).unwrap();
    let change = Change::Treasury(thief.tokens);
    let staged = venue.sandbox.stage(change, None).unwrap();
    refused(&mut venue.sandbox, BallastError::StagedTooEarly, |s| {
        s.apply(&staged, None)
    });
    assert_eq!(venue.pay_out(), 250 * USD);
    done(venue.sandbox.cancel_staged(&staged, &guardian));
    venue.wait(86_400);
    assert_eq!(venue.pay_out(), 187_500_000);
    let paid = venue.sandbox.token_balance(&treasury.tokens);
    assert_eq!(
        (paid, venue.sandbox.token_balance(&thief.tokens)),
        (437_500_000, 0)
    );
}

/// A thief with the admin's key wants prices of its own. It chooses every look; it takes one of
/// somebody else's to void the change.
#[test]
fn a_false_price_source_is_refused_at_each_step() {
    let mut switch = Switch::new();
    let market = switch.venue.market.clone();
    let own = switch.other.clone();
    // An account that nobody but the thief writes is none of Pyth's.
    let mut forged = switch.venue.sandbox.account(&own.keys.price).unwrap();
    forged.owner = switch.venue.sandbox.admin();
    switch.venue.sandbox.set_account(&own.keys.price, forged);
    switch.refuses(BallastError::PriceWrongOwner, false);
    // Nor does one serve that too few guardians have signed.
    let admin = switch.venue.sandbox.admin_keypair();
    done(switch.venue.sandbox.cancel_staged(&switch.staged, &admin));
    let s = &mut switch.venue.sandbox;
    switch.other = s.other_source(&market, PriceSource::Pull, [7; 32]);
    switch.staged = s.stage_source(&switch.other).unwrap();
    let quote = Quote {
        ticks: START,
        conf_ticks: 0,
        ema_ticks: START,
        publish_time: s.time(),
    };
    let mut partial = switch.other.pyth_price(&quote, s.slot());
    partial.partial_signatures = Some(5);
    s.set_pyth_price(&switch.other, &partial);
    switch.refuses(BallastError::PriceNotVerified, false);
    // Another asset that happens to cost as much: whenever it does, the thief looks, and never
    // else.
    switch.agree(100);
    switch.publish(START, START * 90 / 100);
    let seen = event!(done(switch.witness()), OracleWitnessed);
    assert!(!seen.agree && seen.covered_slots > 0);
    switch.publish(START, START);
    switch.refuses_both(BallastError::StagedStale);
    // Staged again it waits for as long again, and the guardian takes it back.
    let s = &mut switch.venue.sandbox;
    done(s.cancel_staged(&switch.staged, &admin));
    switch.staged = s.stage_source(&switch.other).unwrap();
    switch.agree(167);
    switch.refuses(BallastError::StagedTooEarly, true);
    let s = &mut switch.venue.sandbox;
    done(s.cancel_staged(&switch.staged, &switch.guardian));
    assert_eq!(s.market(&market).oracle, market.source());
    switch.venue.price(START);
    let opening = terms(100, START, 2 * USD, 2 * USD);
    let (alice, bob) = (switch.venue.alice.clone(), switch.venue.bob.clone());
    let s = &mut switch.venue.sandbox;
    done(s.block_trade(&market, &alice, &bob, opening));
    conserves(s);
}
