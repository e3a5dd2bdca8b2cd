//! What block trades of legs may not do, and who may make them.

use anchor_lang::prelude::Pubkey;
use ballast_sandbox::{BlockTrade, MarketCookie, Sandbox, TraderCookie};
use ballast_state::cross::EnableCrossArgs;
use ballast_state::error::BallastError;
use ballast_state::exchange::{PAUSE_OPEN, PAUSE_TRADE};

use crate::among;
use crate::cross::{allowed, sound};
use crate::cross_block::{at, dollars, Desk, BOTH, MAKER, TAKER};
use crate::support::{done, quiet, refused, terms, START, USD};

#[test]
pub fn an_account_below_maintenance_may_only_make_its_legs_smaller() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let (first, second) = (desk.cross.first.clone(), desk.cross.second.clone());
    let agreed = terms(40_000, START, 0, 3_000 * USD);
    desk.traded(&first, [&alice, &bob], agreed, TAKER);
    // $496 less $320 of loss stand against $192.
    desk.cross.prices(192_000, START);
    let queues = desk.cross.queues();
    let below = BallastError::CrossBelowInitial;
    let sandbox = &mut desk.cross.venue.sandbox;
    refused(sandbox, below, |s| {
        s.block_trade_cross(&second, [&alice, &carol], at(1_000, START), BOTH, &queues)
    });
    let agreed = terms(-15_000, 192_000, 0, 1_000 * USD);
    let (_, legs) = desk.traded(&first, [&alice, &desk.dave.clone()], agreed, TAKER);
    assert!(legs[0].equity_atoms > i64::try_from(legs[0].requirement_atoms).unwrap());
    // Bankrupt it sells nothing at a price that leaves it as deep in proportion.
    desk.cross.prices(178_000, START);
    let refuses = |s: &mut Sandbox| {
        let agreed = terms(-5_000, 178_000, 0, 0);
        s.block_trade_cross(&first, [&alice, &bob], agreed, TAKER, &queues)
    };
    refused(&mut desk.cross.venue.sandbox, below, refuses);
}

#[test]
pub fn marks_of_other_legs_are_young_enough_for_what_is_done() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let (first, second) = (desk.cross.first.clone(), desk.cross.second.clone());
    let queues = desk.cross.queues();
    desk.traded(&first, [&alice, &carol], at(5_000, START), BOTH);
    let agreed = terms(5_000, START, 0, 200 * USD);
    desk.traded(&second, [&alice, &bob], agreed, TAKER);
    let sandbox = &mut desk.cross.venue.sandbox;
    let trades = |lots| {
        let (second, alice, queues, bob) = (&second, &alice, &queues, &bob);
        move |s: &mut Sandbox| {
            let agreed = terms(lots, START, 0, 50 * USD);
            s.block_trade_cross(second, [alice, bob], agreed, TAKER, queues)
        }
    };
    let (stale, frozen) = (BallastError::CrossMarkStale, BallastError::CrossMarkFrozen);
    sandbox.advance_slots(26);
    sandbox.set_price(&second, START);
    done(trades(100)(&mut sandbox.fork()));
    refused(sandbox, stale, trades(-100));
    sandbox.advance_slots(75);
    sandbox.set_price(&second, START);
    refused(sandbox, stale, trades(100));
    done(sandbox.freeze_mark(&first));
    refused(sandbox, frozen, trades(100));
    done(trades(-100)(sandbox));
    desk.cross.sound();
}

#[test]
pub fn an_old_price_lets_legs_out_but_not_far_from_it() {
    let mut desk = Desk::new();
    let (alice, carol) = (desk.alice(), desk.carol());
    let first = desk.cross.first.clone();
    let queues = desk.cross.queues();
    desk.traded(&first, [&alice, &carol], at(15_000, START), BOTH);
    // An hour without a price.
    desk.cross.venue.wait(3_600);
    let sandbox = &mut desk.cross.venue.sandbox;
    let trades = |lots, ticks| {
        let (first, alice, carol, queues) = (&first, &alice, &carol, &queues);
        move |s: &mut Sandbox| {
            s.block_trade_cross(first, [alice, carol], at(lots, ticks), BOTH, queues)
        }
    };
    let stale = BallastError::PriceStale;
    refused(sandbox, stale, trades(100, START));
    refused(sandbox, stale, trades(-20_000, START));
    // What is given away is judged by a price that holds.
    refused(sandbox, stale, trades(-5_000, 192_000));
    refused(sandbox, stale, trades(-5_000, 208_000));
    done(trades(-5_000, 199_000)(sandbox));
    // At a price of today it may be far away.
    sandbox.set_price(&first, START);
    done(trades(-5_000, 192_000)(sandbox));
    done(trades(-5_000, 208_000)(sandbox));
    assert_eq!(sandbox.market(&first).cross_legs, 0);
    desk.cross.sound();
}

#[test]
pub fn a_profit_that_the_market_lacks_stays_in_the_leg_and_is_held_of_the_isolated() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let first = desk.cross.first.clone();
    let queues = desk.cross.queues();
    // Erin is long 10 SOL with $100; alice is short of 6 as a leg, bob of 4 isolated.
    let sandbox = &mut desk.cross.venue.sandbox;
    let erin = sandbox.create_trader(1_000 * USD).unwrap();
    let agreed = terms(6_000, START, 60 * USD, 0);
    done(sandbox.block_trade_cross(&first, [&erin, &alice], agreed, MAKER, &queues));
    let agreed = terms(4_000, START, 40 * USD, 400 * USD);
    done(sandbox.block_trade_cross(&first, [&erin, &bob], agreed, [false; 2], &queues));
    // Erin lacks $40, and insurance has a few cents.
    sandbox.set_price(&first, 186_000);
    let held = BallastError::ProfitIsHeld;
    for (parties, lots) in [([&alice, &carol], 6_000), ([&carol, &alice], -6_000)] {
        refused(sandbox, held, |s| {
            s.block_trade_cross(&first, parties, at(lots, 186_000), BOTH, &queues)
        });
    }
    // Carol's leg takes over what bob gives back, and what he made is held.
    let closed =
        done(sandbox.block_trade_cross(&first, [&bob, &carol], at(4_000, 186_000), MAKER, &queues));
    let held = among!(closed, ProfitHeld);
    assert_eq!(held.parts[0].trader, bob.address);
    assert!(held.parts[0].held_atoms > 0);
    desk.cross.sound();
}

#[test]
pub fn legs_hold_no_more_lots_than_the_market_allows_but_pass_them_on() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let sandbox = &mut desk.cross.venue.sandbox;
    let third = sandbox.create_market(&quiet()).unwrap();
    let queues = sandbox.create_cross_queues(16).unwrap();
    let args = EnableCrossArgs {
        most_lots: 10_000,
        ..allowed()
    };
    done(sandbox.enable_cross(&third, &queues, args));
    let both = queues.both();
    let trades = |parties: [&TraderCookie; 2], lots, legs| {
        let (third, both, parties) = (third.clone(), both, parties.map(Clone::clone));
        move |s: &mut Sandbox| {
            let agreed = terms(lots, START, 300 * USD, 300 * USD);
            s.block_trade_cross(&third, [&parties[0], &parties[1]], agreed, legs, &both)
        }
    };
    let most = BallastError::OpenInterestLimit;
    refused(sandbox, most, trades([&alice, &bob], 10_001, TAKER));
    done(trades([&alice, &bob], 10_000, TAKER)(sandbox));
    // The side is full, and what passes from leg to leg is no more of it, whoever asks.
    refused(sandbox, most, trades([&carol, &bob], 100, TAKER));
    done(trades([&carol, &alice], 4_000, TAKER)(sandbox));
    done(trades([&alice, &carol], -6_000, [false; 2])(sandbox));
    assert_eq!(sandbox.leg(&third, &carol.address).unwrap().lots, 10_000);
    sound(sandbox, &third, &queues);
    // The other side counts by itself.
    done(trades([&alice, &bob], -10_000, TAKER)(sandbox));
    refused(sandbox, most, trades([&bob, &alice], 100, [false; 2]));
    sound(sandbox, &third, &queues);
    desk.cross.sound();
}

#[test]
pub fn one_owner_may_trade_between_two_accounts_at_no_gain() {
    let mut desk = Desk::new();
    let (alice, first) = (desk.alice(), desk.cross.first.clone());
    let second = desk.sandbox().create_trader_of(&alice.wallet, 1).unwrap();
    done(desk.sandbox().mint_to(&alice.wallet.tokens, 1_000 * USD));
    done(desk.sandbox().deposit(&second, 1_000 * USD));
    done(desk.sandbox().move_cross(&second, dollars(500), &[]));
    let before = desk.all_of(&alice) + desk.all_of(&second);
    desk.traded(&first, [&alice, &second], at(10_000, 208_000), BOTH);
    desk.traded(&first, [&second, &alice], at(10_000, 192_000), BOTH);
    let fees = 1_040_000 + 960_000;
    assert_eq!(desk.all_of(&alice) + desk.all_of(&second), before - fees);
}

#[test]
pub fn what_a_block_trade_of_a_leg_may_not_be_is_refused() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let (first, queues) = (desk.cross.first.clone(), desk.cross.queues());
    let third = desk.cross.venue.second_market();
    let one = desk.cross.one;
    let sandbox = &mut desk.cross.venue.sandbox;
    let trades = |agreed: BlockTrade, queues: &[Pubkey]| {
        let (first, alice, carol, queues) = (&first, &alice, &carol, queues.to_vec());
        move |s: &mut Sandbox| s.block_trade_cross(first, [alice, carol], agreed, BOTH, &queues)
    };
    refused(
        sandbox,
        BallastError::ZeroLots,
        trades(at(0, START), &queues),
    );
    let outside = BallastError::PriceOutsideBand;
    refused(sandbox, outside, trades(at(1_000, 2 * START), &queues));
    let none = BallastError::PriceOutOfRange;
    refused(sandbox, none, trades(at(1_000, 0), &queues));
    let small = BallastError::PositionTooSmall;
    refused(sandbox, small, trades(at(1, START), &queues));
    let large = BallastError::PositionTooLarge;
    refused(sandbox, large, trades(at(1_000_000_000, START), &queues));
    for queue in [one.long, one.short] {
        let missing = BallastError::CrossQueueMissing;
        refused(sandbox, missing, trades(at(1_000, START), &[queue]));
    }
    refused(sandbox, BallastError::TradersNotDistinct, |s| {
        s.block_trade_cross(&first, [&alice, &alice], at(1_000, START), BOTH, &queues)
    });
    refused(sandbox, BallastError::CrossDisabled, |s| {
        s.block_trade_cross(&third, [&alice, &carol], at(1_000, START), BOTH, &queues)
    });
    // Neither of them signs for the other.
    for stolen in [0, 1] {
        refused(sandbox, BallastError::NotTraderAuthority, |s| {
            let mut parties = [alice.clone(), carol.clone()];
            parties[stolen].wallet = bob.wallet.clone();
            let [taker, maker] = &parties;
            s.block_trade_cross(&first, [taker, maker], at(1_000, START), BOTH, &queues)
        });
    }
    done(sandbox.set_delegate(&alice, Some(bob.wallet.address())));
    refused(sandbox, BallastError::DelegateMayNotBlockTrade, |s| {
        let mut delegated = alice.clone();
        delegated.wallet = bob.wallet.clone();
        s.block_trade_cross(
            &first,
            [&delegated, &carol],
            at(1_000, START),
            BOTH,
            &queues,
        )
    });
    // Dust is left by neither.
    done(trades(at(1_000, START), &queues)(sandbox));
    refused(sandbox, small, trades(at(-999, START), &queues));
    for (pause, lots) in [(PAUSE_TRADE, -1_000), (PAUSE_OPEN, 100)] {
        let mut halted = sandbox.fork();
        done(halted.set_pause(pause));
        refused(
            &mut halted,
            BallastError::Paused,
            trades(at(lots, START), &queues),
        );
    }
    let mut halted = sandbox.fork();
    done(halted.set_pause(PAUSE_OPEN));
    done(trades(at(-1_000, START), &queues)(&mut halted));
    // A record that would flatter needs its queue: $100 are lost at once.
    let second = desk.cross.second.clone();
    done(sandbox.block_trade_cross(&second, [&alice, &carol], at(9_000, START), BOTH, &queues));
    refused(sandbox, BallastError::CrossRecordStale, |s| {
        let two = desk.cross.two.both();
        s.block_trade_cross(&second, [&alice, &carol], at(5_000, 209_000), BOTH, &two)
    });
    desk.cross.sound();
}

#[test]
pub fn an_account_has_a_leg_or_an_isolated_position_in_a_market() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let (first, queues) = (desk.cross.first.clone(), desk.cross.queues());
    let sandbox = &mut desk.cross.venue.sandbox;
    let agreed = terms(1_000, START, 100 * USD, 100 * USD);
    done(sandbox.block_trade(&first, &alice, &bob, agreed));
    let there = BallastError::CrossLegThere;
    for parties in [[&alice, &carol], [&carol, &alice]] {
        refused(sandbox, there, |s| {
            s.block_trade_cross(&first, parties, at(1_000, START), BOTH, &queues)
        });
    }
    // Isolated she trades with a leg all the same, and a leg does not trade as if it were isolated.
    done(sandbox.block_trade_cross(&first, [&alice, &carol], agreed, MAKER, &queues));
    assert_eq!(sandbox.leg(&first, &carol.address).unwrap().lots, -1_000);
    for (taker, maker) in [(&carol, &bob), (&bob, &carol)] {
        refused(sandbox, there, |s| {
            s.block_trade(&first, taker, maker, agreed)
        });
    }
    // Four legs are all that an account has.
    let open = |s: &mut Sandbox, market: &MarketCookie, queues: &[Pubkey]| {
        let agreed = terms(100, START, 0, 10 * USD);
        s.block_trade_cross(market, [&carol, &bob], agreed, TAKER, queues)
    };
    let mut listed = queues.clone();
    for number in 0..3 {
        let market = sandbox.create_market(&quiet()).unwrap();
        let queues = sandbox.create_cross_queues(16).unwrap();
        done(sandbox.enable_cross(&market, &queues, allowed()));
        listed.extend(queues.both());
        done(open(sandbox, &market, &listed));
        assert_eq!(sandbox.trader(&carol.address).cross_legs, number + 2);
    }
    let most = BallastError::CrossTooManyLegs;
    let second = desk.cross.second.clone();
    refused(sandbox, most, |s| open(s, &second, &listed));
    desk.cross.sound();
}
