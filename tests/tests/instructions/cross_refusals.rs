//! What the instructions of cross margin refuse.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_client::instructions::cross::{ConvertMargin, MoveCross};
use ballast_sandbox::Sandbox;
use ballast_state::cross::{CrossBoard, EnableCrossArgs};
use ballast_state::error::BallastError;
use ballast_state::staged::Change;

use crate::cross::{allowed, enabled, Cross};
use crate::support::{
    copy_of, done, forge, quiet, refused, refused_forged, replaced, terms, Venue, START, USD,
};

#[test]
pub fn a_market_without_cross_margin_has_no_legs_and_no_mark() {
    let mut cross = Cross::new();
    let third = cross.venue.second_market();
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    let opening = terms(1_000, START, 100 * USD, 100 * USD);
    done(sandbox.block_trade(&third, &alice, &bob, opening));
    let disabled = BallastError::CrossDisabled;
    refused(sandbox, disabled, |s| s.to_cross(&third, &alice, &[]));
    refused(sandbox, disabled, |s| s.record_marks(&[&third]));
    refused(sandbox, disabled, |s| s.freeze_mark(&third));
}

#[test]
pub fn limits_and_tolerance_are_within_their_bounds() {
    let mut venue = Venue::new();
    done(venue.sandbox.create_board());
    let market = venue.market.clone();
    let queues = venue.sandbox.create_cross_queues(64).unwrap();
    let good = allowed();
    for args in [
        EnableCrossArgs {
            most_lots: 0,
            ..good
        },
        EnableCrossArgs {
            draw_cap_bps: 10_001,
            ..good
        },
        EnableCrossArgs {
            max_age_slots: 0,
            ..good
        },
        EnableCrossArgs {
            max_age_slots: 101,
            ..good
        },
    ] {
        refused(&mut venue.sandbox, BallastError::CrossLimits, |s| {
            s.enable_cross(&market, &queues, args)
        });
    }
    let mut config = quiet();
    config.risk.adl.rank_tolerance_bps = 199;
    let narrow = venue.sandbox.create_market(&config).unwrap();
    refused(&mut venue.sandbox, BallastError::CrossTolerance, |s| {
        s.enable_cross(&narrow, &queues, good)
    });
    done(venue.sandbox.enable_cross(&market, &queues, good));
    // Nor does its ranking become finer afterwards.
    let mut risk = config.risk;
    let narrower = venue.sandbox.stage(Change::Risk(risk), Some(&market));
    let narrower = narrower.unwrap();
    refused(&mut venue.sandbox, BallastError::CrossTolerance, |s| {
        s.apply(&narrower, Some(&market))
    });
    let admin = venue.sandbox.admin_keypair();
    done(venue.sandbox.cancel_staged(&narrower, &admin));
    risk.adl.rank_tolerance_bps = 200;
    done(venue.sandbox.set_market_risk(&market, risk));
    // The same queues serve no second market, and two are no one.
    let other = venue.second_market();
    refused(&mut venue.sandbox, BallastError::WrongCrossQueue, |s| {
        s.enable_cross(&other, &queues, good)
    });
    let small = venue
        .sandbox
        .create_program_account(addresses::cross_queue_space(15));
    let mut queues = venue.sandbox.create_cross_queues(64).unwrap();
    queues.short = small.unwrap();
    refused(&mut venue.sandbox, BallastError::WrongCrossQueue, |s| {
        s.enable_cross(&other, &queues, good)
    });
    queues.short = queues.long;
    refused(&mut venue.sandbox, BallastError::WrongCrossQueue, |s| {
        s.enable_cross(&other, &queues, good)
    });
}

#[test]
pub fn the_board_has_room_for_eight_markets_and_an_account_for_four_legs() {
    let mut cross = Cross::new();
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let mut markets = vec![
        (cross.first.clone(), cross.one),
        (cross.second.clone(), cross.two),
    ];
    while markets.len() < 8 {
        let market = cross.venue.second_market();
        let queues = enabled(&mut cross.venue.sandbox, &market);
        markets.push((market, queues));
    }
    let ninth = cross.venue.second_market();
    let sandbox = &mut cross.venue.sandbox;
    let queues = sandbox.create_cross_queues(16).unwrap();
    refused(sandbox, BallastError::BoardFull, |s| {
        s.enable_cross(&ninth, &queues, allowed())
    });
    let mut all: Vec<Pubkey> = Vec::new();
    for (market, queues) in &markets[..4] {
        let opening = terms(1_000, START, 20 * USD, 100 * USD);
        done(sandbox.block_trade(market, &alice, &bob, opening));
        all.extend(queues.both());
        done(sandbox.to_cross(market, &alice, &all));
    }
    let (fifth, queues) = &markets[4];
    let opening = terms(1_000, START, 20 * USD, 100 * USD);
    done(sandbox.block_trade(fifth, &alice, &bob, opening));
    refused(sandbox, BallastError::CrossTooManyLegs, |s| {
        s.to_cross(fifth, &alice, &queues.both())
    });
    cross.sound();
}

#[test]
pub fn legs_hold_no_more_lots_than_the_market_allows_them() {
    let mut venue = Venue::open();
    done(venue.sandbox.create_board());
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    let queues = venue.sandbox.create_cross_queues(16).unwrap();
    let args = EnableCrossArgs {
        most_lots: 9_999,
        ..allowed()
    };
    done(venue.sandbox.enable_cross(&market, &queues, args));
    refused(&mut venue.sandbox, BallastError::OpenInterestLimit, |s| {
        s.to_cross(&market, &alice, &queues.both())
    });
}

#[test]
pub fn another_board_is_not_the_board_and_another_version_is_not_read() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.clone();
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let copy = copy_of(sandbox, &addresses::board());
    let instruction = MoveCross {
        authority: alice.wallet.address(),
        trader: alice.address,
        amount: 1,
        queues: &queues,
    }
    .instruction();
    refused(sandbox, BallastError::WrongBoard, |s| {
        let signers = [&alice.wallet.keypair];
        replaced(s, instruction.clone(), &addresses::board(), copy, &signers)
    });
    forge(sandbox, &addresses::board(), |board: &mut CrossBoard| {
        board.version = 2;
    });
    refused_forged(sandbox, BallastError::BoardLayout, |s| {
        s.move_cross(&alice, 1, &queues)
    });
}

#[test]
pub fn a_forged_or_foreign_queue_is_none_of_the_market() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.clone();
    let first = cross.first.clone();
    cross.venue.wait(20);
    cross.prices(START, START);
    let sandbox = &mut cross.venue.sandbox;
    // That of the other side, that of the other market, and a queue of isolated positions.
    for queue in [cross.one.short, cross.two.long, first.keys.queue_long] {
        refused(sandbox, BallastError::CrossQueueMissing, |s| {
            s.to_isolated(&first, &alice, 100 * USD, &[queue])
        });
    }
    // A copy that another program owns.
    let copy = copy_of(sandbox, &cross.one.long);
    let mut account = sandbox.account(&copy).unwrap();
    account.owner = Pubkey::new_unique();
    sandbox.set_account(&copy, account);
    refused(sandbox, BallastError::CrossQueueMissing, |s| {
        s.to_isolated(&first, &alice, 100 * USD, &[copy])
    });
    // Not writable.
    let mut instruction = ConvertMargin {
        authority: alice.wallet.address(),
        keys: first.keys,
        trader: alice.address,
        to_cross: false,
        margin: 100 * USD,
        queues: &[cross.one.long],
    }
    .instruction();
    if let Some(last) = instruction.accounts.last_mut() {
        last.is_writable = false;
    }
    refused(sandbox, BallastError::CrossQueueMissing, |s| {
        s.send(&[instruction.clone()], &[&alice.wallet.keypair])
    });
}

#[test]
pub fn strangers_neither_move_the_pool_nor_convert() {
    let mut cross = Cross::hedged();
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let queues = cross.queues();
    let mut stranger = alice.clone();
    stranger.wallet = bob.wallet.clone();
    let sandbox = &mut cross.venue.sandbox;
    let refusal = BallastError::NotTraderAuthority;
    refused(sandbox, refusal, |s| s.move_cross(&stranger, 1, &queues));
    refused(sandbox, refusal, |s| {
        s.to_isolated(&cross.first, &stranger, 1, &queues)
    });
    // Who is not the admin creates no board.
    let mut venue = Venue::new();
    let create = |s: &mut Sandbox| {
        let admin = s.payer();
        let instruction = ballast_client::instructions::cross::CreateBoard {
            admin,
            payer: admin,
        };
        s.send(&[instruction.instruction()], &[])
    };
    refused(&mut venue.sandbox, BallastError::NotAdmin, create);
}
