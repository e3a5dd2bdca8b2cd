//! Changes that wait: what is staged, when it is applied, who takes it back.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_client::instructions::admin::{self, StagedKeys};
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::risk::RiskParams;
use ballast_sandbox::{MarketConfig, Sandbox};
use ballast_state::error::BallastError;
use ballast_state::exchange::{Delays, Exchange, Role, MAX_DELAY_SLOTS};
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::market::Market;
use ballast_state::staged::{Change, Staged, HAND_OVER_WINDOW_SLOTS, WINDOW_SLOTS};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::support::{
    done, forge, refused, refused_by_anchor, refused_elsewhere, refused_forged, replaced, Venue,
};

/// A venue whose changes wait as on an exchange that `deploy` has set up, and whose roles are
/// three keys: the sandbox's admin, and these.
pub struct Governed {
    pub venue: Venue,
    pub risk: Keypair,
    pub guardian: Keypair,
}

impl Governed {
    pub fn new() -> Self {
        let mut venue = Venue::new();
        let s = &mut venue.sandbox;
        let (risk, guardian) = (s.funded_keypair(), s.funded_keypair());
        done(s.hand_over(Role::Risk, &risk));
        done(s.hand_over(Role::Guardian, &guardian));
        done(s.raise_delays(Delays::DEFAULT));
        Self {
            venue,
            risk,
            guardian,
        }
    }

    pub fn stage_risk(&mut self, risk: RiskParams) -> StagedKeys {
        let Venue {
            sandbox, market, ..
        } = &mut self.venue;
        let change = Change::Risk(risk);
        sandbox.stage_by(change, Some(market), &self.risk).unwrap()
    }

    /// The market's new parameters are refused.
    #[track_caller]
    pub fn risk_refused(&mut self, staged: &StagedKeys, error: BallastError) {
        let Venue {
            sandbox, market, ..
        } = &mut self.venue;
        refused(sandbox, error, |s| s.apply(staged, Some(market)));
    }
}

fn other_fee(bps: u32) -> RiskParams {
    RiskParams {
        taker_fee_bps: bps,
        ..sol_market()
    }
}

fn to(role: Role, successor: &Keypair) -> Change {
    Change::Authority {
        role,
        successor: successor.pubkey(),
    }
}

#[test]
pub fn risk_parameters_wait_two_days_and_for_nobody_longer_than_nine() {
    let mut world = Governed::new();
    let now = world.venue.sandbox.slot();
    let before = world.venue.sandbox.accounts_of(&ballast_state::ID);
    let staged = world.stage_risk(other_fee(7));
    let held = world.venue.sandbox.staged(&staged.address).unwrap();
    assert_eq!(held.change(), Ok(Change::Risk(other_fee(7))));
    assert_eq!(held.target, world.venue.market.keys.market);
    assert_eq!(held.proposer, world.risk.pubkey());
    assert_eq!((held.staged_slot, held.eta_slot), (now, now + 432_000));
    assert_eq!(held.expires_slot, held.eta_slot + WINDOW_SLOTS);
    // Not a slot too early, whoever asks.
    world.risk_refused(&staged, BallastError::StagedTooEarly);
    let start = world.venue.sandbox.time();
    world.venue.sandbox.set_clock(held.eta_slot - 1, start);
    world.risk_refused(&staged, BallastError::StagedTooEarly);
    // Nor too late.
    let mut late = world.venue.sandbox.fork();
    late.set_clock(held.expires_slot + 1, start);
    refused(&mut late, BallastError::StagedExpired, |s| {
        s.apply(&staged, Some(&world.venue.market))
    });
    let stranger = late.funded_keypair();
    done(late.cancel_staged(&staged, &stranger));
    for slot in [held.eta_slot, held.expires_slot] {
        let mut due = world.venue.sandbox.fork();
        due.set_clock(slot, start);
        let outcome = done(due.apply(&staged, Some(&world.venue.market)));
        assert_eq!(event!(outcome, MarketRiskUpdated).after, other_fee(7));
        assert_eq!(due.market(&world.venue.market).risk, other_fee(7));
        // Once, and nothing is left of it.
        assert!(due.staged(&staged.address).is_none());
        let market = Some(&world.venue.market);
        refused_by_anchor(&mut due, ErrorCode::AccountOwnedByWrongProgram, |s| {
            s.apply(&staged, market)
        });
        assert_eq!(due.accounts_of(&ballast_state::ID).len(), before.len());
    }
}

#[test]
pub fn whoever_paid_the_rent_gets_it_back() {
    let mut world = Governed::new();
    let s = &mut world.venue.sandbox;
    let (payer, stranger) = (s.funded_keypair(), s.funded_keypair());
    let admin = s.admin_keypair();
    let stage = admin::StageChange {
        authority: admin.pubkey(),
        payer: payer.pubkey(),
        market: None,
        change: Change::Treasury(stranger.pubkey()),
    };
    let lamports = |s: &Sandbox| s.account(&payer.pubkey()).unwrap().lamports;
    let before = lamports(s);
    // Lamports that somebody has sent there go to the payer as well.
    s.fund(&stage.address(), 1_000);
    done(s.send(&[stage.instruction()], &[&admin, &payer]));
    let staged = s.staged_keys(&stage.address());
    assert!(lamports(s) < before);
    let mut robbed = staged;
    robbed.payer = stranger.pubkey();
    refused(s, BallastError::StagedMismatch, |s| {
        s.cancel_staged(&robbed, &admin)
    });
    done(s.cancel_staged(&staged, &admin));
    assert_eq!(lamports(s), before + 1_000);
}

#[test]
pub fn a_change_is_named_by_what_nobody_knows_before_it_is_staged() {
    let mut world = Governed::new();
    let first = world.stage_risk(other_fee(7));
    let mut other = world.venue.sandbox.fork();
    done(other.cancel_staged(&first, &world.risk));
    // The same change a slot later, of the same base: another id.
    other.advance_slots(1);
    let market = Some(&world.venue.market);
    let change = Change::Risk(other_fee(7));
    let second = other.stage_by(change, market, &world.risk).unwrap();
    assert_eq!(first.address, second.address);
    assert_ne!(first.id, second.id);
    // And so under another slot hash in the same slot.
    let mut fork = world.venue.sandbox.fork();
    done(fork.cancel_staged(&first, &world.risk));
    fork.set_clock(fork.slot(), fork.time());
    let third = fork.stage_by(change, market, &world.risk).unwrap();
    assert_ne!(first.id, third.id);
    // Neither applies or cancels the other.
    other.advance_slots(432_000);
    refused(&mut other, BallastError::StagedMismatch, |s| {
        s.apply(&first, market)
    });
    refused(&mut other, BallastError::StagedMismatch, |s| {
        s.cancel_staged(&first, &world.guardian)
    });
    done(other.apply(&second, market));
}

#[test]
pub fn a_change_is_replaced_by_one_whose_delay_begins_anew() {
    let mut world = Governed::new();
    let first = world.stage_risk(other_fee(7));
    let market = world.venue.market.clone();
    world.venue.sandbox.advance_slots(431_999);
    let s = &mut world.venue.sandbox;
    refused(s, BallastError::StagedExists, |s| {
        s.send_staging(Change::Risk(other_fee(8)), Some(&market), &world.risk)
    });
    let cancel = admin::CancelStaged {
        authority: world.risk.pubkey(),
        staged: first,
    };
    let stage = admin::StageChange {
        authority: world.risk.pubkey(),
        payer: s.payer(),
        market: Some(market.keys.market),
        change: Change::Risk(other_fee(8)),
    };
    // In one transaction.
    let both = [cancel.instruction(), stage.instruction()];
    done(s.send(&both, &[&world.risk]));
    let second = s.staged_keys(&first.address);
    s.advance_slots(1);
    refused(s, BallastError::StagedTooEarly, |s| {
        s.apply(&second, Some(&market))
    });
    s.advance_slots(431_999);
    done(s.apply(&second, Some(&market)));
    assert_eq!(s.market(&market).risk.taker_fee_bps, 8);
}

#[test]
pub fn a_change_of_the_base_voids_what_was_staged() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let staged = world.stage_risk(other_fee(7));
    let s = &mut world.venue.sandbox;
    s.advance_slots(432_000);
    // The market's parameters, its price source.
    let spoils: [fn(&mut Market); 2] = [
        |market| market.risk.taker_fee_bps += 1,
        |market| market.oracle.feed_id[0] ^= 1,
    ];
    for spoil in spoils {
        let mut fork = s.fork();
        forge::<Market>(&mut fork, &market.keys.market, spoil);
        refused_forged(&mut fork, BallastError::StagedStale, |s| {
            s.apply(&staged, Some(&market))
        });
    }
    // A migration since: what was staged against the layout before of the exchange, of the market.
    let (now, of) = (s.exchange(), s.market(&market));
    let exchange = Exchange {
        version: now.version - 1,
        ..now
    };
    let older = Market {
        version: of.version - 1,
        ..of
    };
    let change = Change::Risk(other_fee(7));
    for base in [
        change.base(&exchange, Some(&of)),
        change.base(&now, Some(&older)),
    ] {
        let mut fork = s.fork();
        forge::<Staged>(&mut fork, &staged.address, |staged| {
            staged.base = base.unwrap();
        });
        refused_forged(&mut fork, BallastError::StagedStale, |s| {
            s.apply(&staged, Some(&market))
        });
    }
    // Delays that have been raised since void a staged decrease.
    let lower = Change::Delays(Delays::default());
    let lower = s.stage(lower, None).unwrap();
    let raised = Delays {
        risk_slots: 500_000,
        ..Delays::DEFAULT
    };
    done(s.raise_delays(raised));
    s.advance_slots(1_512_000);
    refused(s, BallastError::StagedStale, |s| s.apply(&lower, None));
}

#[test]
pub fn a_hand_over_voids_what_the_former_holder_staged() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let staged = world.stage_risk(other_fee(7));
    let s = &mut world.venue.sandbox;
    let next = s.funded_keypair();
    let handed = s.stage_successor(Role::Risk, next.pubkey()).unwrap();
    s.advance_slots(1_512_000);
    let mut fork = s.fork();
    done(fork.apply(&staged, Some(&market)));
    done(s.accept_authority(&handed, &next));
    refused(s, BallastError::StagedStale, |s| {
        s.apply(&staged, Some(&market))
    });
    // Anybody clears it away, so that the next one is not in the former one's hands.
    let stranger = s.funded_keypair();
    done(s.cancel_staged(&staged, &stranger));
}

#[test]
pub fn a_change_is_applied_to_its_target_by_its_own_instruction() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let other = world.venue.second_market_after_its_delay();
    let staged = world.stage_risk(other_fee(7));
    let s = &mut world.venue.sandbox;
    let lower = s.stage(Change::Delays(Delays::default()), None).unwrap();
    s.advance_slots(1_512_000);
    refused(s, BallastError::StagedMismatch, |s| {
        s.apply(&staged, Some(&other))
    });
    refused(s, BallastError::StagedMismatch, |s| s.apply(&staged, None));
    refused(s, BallastError::StagedMismatch, |s| {
        s.apply(&lower, Some(&market))
    });
    // A market is named where one is changed, and nowhere else; the account is that of the change.
    let admin = s.admin_keypair();
    refused(s, BallastError::StagedMismatch, |s| {
        s.send_staging(Change::Treasury(admin.pubkey()), Some(&market), &admin)
    });
    refused(s, BallastError::StagedMismatch, |s| {
        s.send_staging(Change::Risk(other_fee(9)), None, &world.risk)
    });
    let stage = admin::StageChange {
        authority: admin.pubkey(),
        payer: s.payer(),
        market: None,
        change: Change::Treasury(admin.pubkey()),
    };
    let elsewhere = addresses::staged(3, &admin.pubkey());
    refused(s, BallastError::StagedMismatch, |s| {
        let stage_there = stage.instruction();
        replaced(s, stage_there, &stage.address(), elsewhere, &[&admin])
    });
    done(s.apply(&staged, Some(&market)));
    done(s.apply(&lower, None));
    assert_eq!(s.exchange().delays(), Delays::default());
}

#[test]
pub fn delays_rise_at_once_and_fall_after_themselves() {
    let mut sandbox = Venue::new().sandbox;
    let stranger = sandbox.funded_keypair();
    let raise = admin::RaiseDelays {
        admin: stranger.pubkey(),
        delays: Delays::DEFAULT,
    };
    refused(&mut sandbox, BallastError::NotAdmin, |s| {
        s.send(&[raise.instruction()], &[&stranger])
    });
    let delays = |risk_slots, admin_slots| Delays {
        risk_slots,
        admin_slots,
    };
    for out_of_range in [delays(2, 1), delays(0, MAX_DELAY_SLOTS + 1)] {
        refused(&mut sandbox, BallastError::DelayOutOfRange, |s| {
            s.raise_delays(out_of_range)
        });
        let admin = sandbox.admin_keypair();
        refused(&mut sandbox, BallastError::DelayOutOfRange, |s| {
            s.send_staging(Change::Delays(out_of_range), None, &admin)
        });
    }
    let outcome = done(sandbox.raise_delays(Delays::DEFAULT));
    let event = event!(outcome, DelaysChanged);
    assert_eq!((event.before, event.after), (delays(0, 0), Delays::DEFAULT));
    for not_raised in [
        delays(0, 1_512_000),
        delays(432_000, 1_511_999),
        Delays::DEFAULT,
    ] {
        refused(&mut sandbox, BallastError::DelayNotRaised, |s| {
            s.raise_delays(not_raised)
        });
    }
    // The shorter delay of the two waits for the longer one.
    let staged = sandbox
        .stage(Change::Delays(delays(0, 1_512_000)), None)
        .unwrap();
    sandbox.advance_slots(1_511_999);
    refused(&mut sandbox, BallastError::StagedTooEarly, |s| {
        s.apply(&staged, None)
    });
    sandbox.advance_slots(1);
    done(sandbox.apply(&staged, None));
    assert_eq!(sandbox.exchange().delays(), delays(0, 1_512_000));
}

#[test]
pub fn a_raised_delay_holds_for_what_is_staged_already() {
    // Set up without delays, a change could have been put aside and kept for later.
    let mut venue = Venue::new();
    let market = venue.market.clone();
    let s = &mut venue.sandbox;
    let staged = s.stage(Change::Risk(other_fee(7)), Some(&market)).unwrap();
    done(s.raise_delays(Delays::DEFAULT));
    s.advance_slots(431_999);
    refused(s, BallastError::StagedTooEarly, |s| {
        s.apply(&staged, Some(&market))
    });
    s.advance_slots(1);
    done(s.fork().apply(&staged, Some(&market)));
    // One raised to beyond its expiry ends it.
    done(s.raise_delays(Delays {
        risk_slots: MAX_DELAY_SLOTS,
        admin_slots: MAX_DELAY_SLOTS,
    }));
    s.advance_slots(WINDOW_SLOTS);
    refused(s, BallastError::StagedExpired, |s| {
        s.apply(&staged, Some(&market))
    });
}

#[test]
pub fn a_lowered_delay_does_not_hold_for_what_is_staged_already() {
    let mut world = Governed::new();
    let market = world.venue.market.clone();
    let s = &mut world.venue.sandbox;
    let lower = s.stage(Change::Delays(Delays::default()), None).unwrap();
    s.advance_slots(1_512_000 - 1);
    let staged = world.stage_risk(other_fee(7));
    let s = &mut world.venue.sandbox;
    s.advance_slots(1);
    done(s.apply(&lower, None));
    refused(s, BallastError::StagedTooEarly, |s| {
        s.apply(&staged, Some(&market))
    });
    s.advance_slots(432_000 - 1);
    done(s.apply(&staged, Some(&market)));
}

#[test]
pub fn the_guardian_the_admin_and_the_proposer_cancel() {
    let mut world = Governed::new();
    let staged = world.stage_risk(other_fee(7));
    let s = &mut world.venue.sandbox;
    let (admin, stranger) = (s.admin_keypair(), s.funded_keypair());
    refused(s, BallastError::MayNotCancel, |s| {
        s.cancel_staged(&staged, &stranger)
    });
    for authority in [&world.guardian, &admin, &world.risk] {
        let mut fork = s.fork();
        let outcome = done(fork.cancel_staged(&staged, authority));
        let event = event!(outcome, ChangeCancelled);
        assert_eq!((event.id, event.by), (staged.id, authority.pubkey()));
        assert!(fork.staged(&staged.address).is_none());
    }
    // What the admin stages the holder of the risk role leaves alone.
    let treasury = s.stage(Change::Treasury(stranger.pubkey()), None).unwrap();
    refused(s, BallastError::MayNotCancel, |s| {
        s.cancel_staged(&treasury, &world.risk)
    });
    done(s.fork().cancel_staged(&treasury, &world.guardian));
}

#[test]
pub fn the_guardian_decides_who_is_the_next_admin_and_the_admin_who_is_the_next_guardian() {
    let mut world = Governed::new();
    let s = &mut world.venue.sandbox;
    let (admin, next) = (s.admin_keypair(), s.funded_keypair());
    let of_admin = s.stage(to(Role::Admin, &next), None).unwrap();
    let of_guardian = s.stage(to(Role::Guardian, &next), None).unwrap();
    let of_risk = s.stage(to(Role::Risk, &next), None).unwrap();
    refused(s, BallastError::MayNotCancel, |s| {
        s.cancel_staged(&of_admin, &admin)
    });
    refused(s, BallastError::MayNotCancel, |s| {
        s.cancel_staged(&of_guardian, &world.guardian)
    });
    done(s.fork().cancel_staged(&of_admin, &world.guardian));
    done(s.fork().cancel_staged(&of_guardian, &admin));
    done(s.fork().cancel_staged(&of_risk, &world.guardian));
    // The guardian's hand-over waits twice as long, so that a thief of the admin's key is not the
    // guardian before the guardian has seen to the next admin.
    s.advance_slots(1_512_000);
    refused(s, BallastError::StagedTooEarly, |s| {
        s.accept_authority(&of_guardian, &next)
    });
    done(s.fork().accept_authority(&of_admin, &next));
    done(s.fork().accept_authority(&of_risk, &next));
    s.advance_slots(1_512_000);
    done(s.fork().accept_authority(&of_guardian, &next));
    // A hand-over stays open for long, because nobody but the successor can apply it.
    s.advance_slots(HAND_OVER_WINDOW_SLOTS);
    done(s.fork().accept_authority(&of_guardian, &next));
    s.advance_slots(1);
    refused(s, BallastError::StagedExpired, |s| {
        s.accept_authority(&of_guardian, &next)
    });
}

#[test]
pub fn one_change_of_a_kind_waits_for_each_target() {
    let mut world = Governed::new();
    world.stage_risk(other_fee(7));
    let s = &mut world.venue.sandbox;
    let (admin, next) = (s.admin_keypair(), s.funded_keypair());
    let named = |name: &[u8; 16]| {
        let config = MarketConfig::sol();
        Change::CreateMarket(CreateMarketArgs {
            name: *name,
            oracle: config.oracle(Pubkey::default()),
            risk: config.risk,
        })
    };
    for change in [
        to(Role::Admin, &next),
        to(Role::Risk, &next),
        to(Role::Guardian, &next),
        Change::Treasury(next.pubkey()),
        Change::Delays(Delays::default()),
        named(b"BTC-PERP\0\0\0\0\0\0\0\0"),
        named(b"ETH-PERP\0\0\0\0\0\0\0\0"),
    ] {
        let outcome = done(s.send_staging(change, None, &admin));
        let event = event!(outcome, ChangeStaged);
        let held = s.staged(&event.staged).unwrap();
        assert_eq!((held.id, held.target), (event.id, event.target));
        assert_eq!((held.kind, held.change()), (change.kind(), Ok(change)));
        refused(s, BallastError::StagedExists, |s| {
            s.send_staging(change, None, &admin)
        });
    }
    assert_eq!(
        s.accounts_of(&ballast_state::ID)
            .values()
            .filter(is_staged)
            .count(),
        8
    );
}

fn is_staged(account: &&solana_account::Account) -> bool {
    ballast_client::accounts::staged(&account.data).is_ok()
}

#[test]
pub fn a_treasury_is_named_and_is_no_vault() {
    let mut sandbox = Venue::new().sandbox;
    let (admin, key) = (sandbox.admin_keypair(), Pubkey::new_unique());
    for (named, error) in [
        (Pubkey::default(), BallastError::AuthorityUnset),
        (
            addresses::collateral_vault(),
            BallastError::VaultAsCounterparty,
        ),
    ] {
        refused(&mut sandbox, error, |s| {
            s.send_staging(Change::Treasury(named), None, &admin)
        });
    }
    let outcome = done(sandbox.change(Change::Treasury(key), None));
    let event = event!(outcome, TreasuryChanged);
    assert_eq!((event.before, event.after), (Pubkey::default(), key));
    assert_eq!(sandbox.exchange().treasury, key);
}

#[test]
pub fn a_market_waits_seven_days() {
    let mut world = Governed::new();
    let mut config = MarketConfig::sol();
    config.name = *b"BTC-PERP\0\0\0\0\0\0\0\0";
    let market = world.venue.sandbox.create_market(&config);
    assert!(market.unwrap_err().is("StagedTooEarly"));
    let other = world.venue.second_market_after_its_delay();
    assert_eq!(other.index, 1);
}

#[test]
pub fn a_closed_change_cannot_be_kept_alive() {
    // Lamports sent to it in the transaction that applies it do not leave a change behind.
    let mut venue = Venue::new();
    let market = venue.market.clone();
    let s = &mut venue.sandbox;
    let staged = s.stage(Change::Risk(other_fee(7)), Some(&market)).unwrap();
    let rich = s.funded_keypair();
    let gift = anchor_lang::solana_program::system_instruction::transfer(
        &rich.pubkey(),
        &staged.address,
        10_000_000,
    );
    let apply = Sandbox::application(&staged, Some(&market));
    done(s.send(&[apply.clone(), gift], &[&rich]));
    refused_elsewhere(s, |s| s.send(&[apply], &[]));
    assert!(s.staged(&staged.address).is_none());
    // The address serves again.
    done(s.set_market_risk(&market, other_fee(8)));
}
