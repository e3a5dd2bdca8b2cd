//! Legs that are flagged, liquidated, deleveraged and parted with.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_engine::units::Side;
use ballast_sandbox::{Sandbox, TraderCookie};
use ballast_state::error::BallastError;
use ballast_state::position_slot::{CROSS_LEG, CROSS_WEAK};
use solana_account::Account;

use crate::among;
use crate::cross::Cross;
use crate::support::{conserves, done, quiet, refused, terms, START, TEN, USD};

fn usd(units: i64) -> i64 {
    units * 1_000_000
}

/// Alice's long has lost $150 and her short $10: $40 are left for a requirement of $96.50.
fn below_maintenance() -> Cross {
    let mut cross = Cross::hedged();
    cross.venue.wait(20);
    cross.prices(185_000, 201_000);
    cross
}

/// The long has lost $300, the short $50: $150 are missing.
fn bankrupt() -> Cross {
    let mut cross = Cross::hedged();
    cross.venue.wait(20);
    cross.prices(170_000, 205_000);
    cross
}

#[test]
pub fn the_account_decides_how_a_leg_is_flagged() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.address;
    let (first, second) = (cross.first.clone(), cross.second.clone());
    cross.venue.wait(20);
    // The long alone would be bankrupt; the short has won as much.
    cross.prices(180_000, 180_000);
    let sandbox = &mut cross.venue.sandbox;
    for market in [&first, &second] {
        refused(sandbox, BallastError::Healthy, |s| {
            s.flag_leg(market, &alice)
        });
    }
    let mut cross = bankrupt();
    let sandbox = &mut cross.venue.sandbox;
    let outcome = done(sandbox.flag_leg(&first, &alice));
    let (flagged, forced) = (among!(outcome, PositionFlagged), among!(outcome, LegForced));
    assert_eq!(forced.equity_atoms, usd(-150));
    // 2.5% of $1,700 and of $2,050.
    assert_eq!(forced.requirement_atoms, 93_750_000);
    // Its share: 150 * 42.5 / 93.75, and the account of the other leg says the rest.
    assert_eq!(flagged.deficit_atoms, 68_000_000);
    assert!(flagged.bankrupt_slot > 0);
    let outcome = done(sandbox.flag_leg(&second, &alice));
    assert_eq!(among!(outcome, PositionFlagged).deficit_atoms, 82_000_000);
    cross.sound();
}

#[test]
pub fn a_forced_leg_needs_young_marks_of_the_others_or_frozen_ones() {
    let mut cross = below_maintenance();
    let alice = cross.venue.alice.address;
    let first = cross.first.clone();
    let sandbox = &mut cross.venue.sandbox;
    sandbox.advance_slots(26);
    sandbox.set_price(&first, 185_000);
    let stale = BallastError::CrossMarkStale;
    refused(sandbox, stale, |s| s.flag_leg(&first, &alice));
    sandbox.advance_slots(75);
    sandbox.set_price(&first, 185_000);
    done(sandbox.record_marks(&[&first]));
    refused(sandbox, stale, |s| s.flag_leg(&first, &alice));
    done(sandbox.freeze_mark(&cross.second));
    done(sandbox.flag_leg(&first, &alice));
    cross.sound();
}

#[test]
pub fn the_largest_leg_is_liquidated_first_as_far_as_it_takes_to_restore_the_account() {
    let mut cross = Cross::hedged();
    cross.venue.wait(20);
    // $90 are left for a requirement of $97.30.
    cross.prices(189_100, 200_100);
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let offer = Takeover::with_margin(300 * USD);
    refused(sandbox, BallastError::CrossLegOrder, |s| {
        s.liquidate_leg(&first, &alice.address, &bob, offer, &queues, &[])
    });
    refused(sandbox, BallastError::CrossQueueMissing, |s| {
        let others = cross.one.both();
        s.liquidate_leg(&second, &alice.address, &bob, offer, &others, &[])
    });
    let before = sandbox.trader(&alice.address).cross_pool;
    let outcome = done(sandbox.liquidate_leg(&second, &alice.address, &bob, offer, &queues, &[]));
    let step = among!(outcome, PositionLiquidated);
    let forced = among!(outcome, LegForced);
    assert_eq!(forced.equity_atoms, usd(90));
    // Its share: 90 * 50.025 / 97.3.
    assert_eq!(step.equity_before_atoms, 46_271_839);
    assert!(step.lots > 0 && step.lots < TEN, "{}", step.lots);
    // The pool bears what the closed lots lost, the discount and the fee.
    let sold = step.quote_atoms - step.lots * 200_000;
    let fee = i64::try_from(step.insurance_fee_atoms).unwrap();
    assert_eq!(forced.pool_after, before - sold - fee);
    assert_eq!(cross.pool(&alice), forced.pool_after);
    let left = cross.leg(&second, &alice);
    assert_eq!(left.lots, step.lots - TEN);
    // Maintenance and its buffer hold now.
    let notional = 189_100 * 10_000 + 200_100 * (TEN - step.lots);
    let needed = notional * 25 / 1_000 * 11 / 10;
    let worth = cross.pool(&alice) + usd(-109) - (TEN - step.lots) * 100;
    assert!(worth >= needed, "{worth} {needed}");
    let sandbox = &mut cross.venue.sandbox;
    refused(sandbox, BallastError::Healthy, |s| {
        s.liquidate_leg(&second, &alice.address, &bob, offer, &queues, &[])
    });
    cross.sound();
}

#[test]
pub fn after_its_ramp_any_leg_may_be_liquidated() {
    let mut cross = below_maintenance();
    let (alice, carol) = (cross.venue.alice.clone(), cross.carol.clone());
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    let ramp = cross.venue.sandbox.market(&first).risk.discount_ramp_slots;
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.flag_leg(&first, &alice.address));
    let mut left = ramp + 1;
    while left > 0 {
        let step = left.min(20);
        sandbox.advance_slots(step);
        sandbox.set_price(&first, 185_000);
        sandbox.set_price(&second, 201_000);
        done(sandbox.record_marks(&[&first, &second]));
        done(sandbox.flag_leg(&first, &alice.address));
        left -= step;
    }
    let offer = Takeover::with_margin(300 * USD);
    let outcome = done(sandbox.liquidate_leg(&first, &alice.address, &carol, offer, &queues, &[]));
    assert!(among!(outcome, PositionLiquidated).lots < 0);
    cross.sound();
}

/// Rounds over both markets in this order leave the account with nothing at all.
fn closes(cross: &mut Cross, first_then_second: bool) -> [u64; 2] {
    let (alice, bob, carol) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let queues = cross.queues();
    let rounds = [(cross.first.clone(), bob), (cross.second.clone(), carol)];
    let mut gave = [0, 0];
    let order = if first_then_second { [0, 1] } else { [1, 0] };
    for at in order {
        let (market, winner) = &rounds[at];
        let list = [winner.address];
        let sandbox = &mut cross.venue.sandbox;
        let call = |s: &mut Sandbox, queues: &[Pubkey], list: &[Pubkey]| {
            s.auto_deleverage_cross(market, &alice.address, winner, queues, list)
        };
        refused(sandbox, BallastError::CrossQueueMissing, |s| {
            call(s, &[], &list)
        });
        refused(sandbox, BallastError::AdlNothingCut, |s| {
            call(s, &queues, &[])
        });
        let outcome = done(call(sandbox, &queues, &list));
        let round = among!(outcome, AutoDeleveraged);
        assert_eq!(round.lots_after, 0);
        let lost = round.insurance_paid_atoms + round.held_paid_atoms + round.gave_up_atoms;
        assert_eq!(round.deficit_before_atoms, lost);
        let forced = among!(outcome, LegForced);
        let deficit = forced.equity_atoms + i64::try_from(lost).unwrap();
        // With the last leg nothing is left.
        if sandbox.trader(&alice.address).cross_legs == 0 {
            assert_eq!((forced.pool_after, deficit), (0, 0));
        }
        gave[at] = lost;
        cross.sound();
    }
    let account = cross.venue.sandbox.trader(&alice.address);
    assert_eq!((account.cross_pool, account.cross_legs), (0, 0));
    gave
}

#[test]
pub fn a_bankrupt_account_is_closed_to_exactly_nothing_in_any_order() {
    let one = closes(&mut bankrupt(), true);
    let other = closes(&mut bankrupt(), false);
    assert_eq!(one, [68_000_000, 82_000_000]);
    assert_eq!(one, other);
}

#[test]
pub fn where_legs_stand_the_calls_for_isolated_positions_alone_do_not_deleverage() {
    let mut cross = bankrupt();
    let (alice, bob) = (cross.venue.alice.address, cross.venue.bob.clone());
    let first = cross.first.clone();
    let sandbox = &mut cross.venue.sandbox;
    let ranked = BallastError::CrossRanked;
    refused(sandbox, ranked, |s| {
        s.auto_deleverage(&first, &alice, &bob, &[bob.address])
    });
    let refusal = sandbox.open_adl_session(&first, &alice).err().unwrap();
    assert!(refusal.is("CrossRanked"));
}

/// A market in which alice is long 10 SOL against bob's and carol's shorts of 5 each, which have this margin,
/// as legs or not; at $189 alice is bankrupt by $10.
fn ranked(cross_bob: bool, cross_carol: bool) -> Cross {
    let mut cross = Cross::with(&quiet());
    let (alice, bob, carol) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let first = cross.first.clone();
    let sandbox = &mut cross.venue.sandbox;
    for (short, margin, leg) in [(&bob, 60, cross_bob), (&carol, 200, cross_carol)] {
        let terms = terms(5_000, START, 50 * USD, margin * USD);
        done(sandbox.block_trade(&first, &alice, short, terms));
        if leg {
            done(sandbox.to_cross(&first, short, &cross.one.both()));
        }
    }
    cross.venue.wait(20);
    cross.prices(189_000, START);
    cross
}

fn round(cross: &mut Cross, list: &[&TraderCookie]) -> ballast_sandbox::TxResult {
    let list: Vec<_> = list.iter().map(|trader| trader.address).collect();
    let (alice, queues) = (cross.venue.alice.address, cross.queues());
    let keeper = cross.carol.clone();
    let first = cross.first.clone();
    let sandbox = &mut cross.venue.sandbox;
    sandbox.auto_deleverage_cross(&first, &alice, &keeper, &queues, &list)
}

#[test]
pub fn legs_and_isolated_positions_are_cut_in_one_order_to_the_atom() {
    let mut seen = Vec::new();
    for (cross_bob, cross_carol) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut cross = ranked(cross_bob, cross_carol);
        let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
        let outcome = done(round(&mut cross, &[&bob, &carol]));
        let event = among!(outcome, AutoDeleveraged);
        let legs = among!(outcome, CrossRound);
        assert_eq!(
            legs.legs.len(),
            usize::from(cross_bob) + usize::from(cross_carol)
        );
        let cuts: Vec<_> = event
            .cuts
            .iter()
            .map(|cut| {
                (
                    cut.lots_closed,
                    cut.quote_atoms,
                    cut.gave_up_atoms,
                    cut.margin_before,
                )
            })
            .collect();
        let owned = |trader: &TraderCookie| {
            let account = cross.venue.sandbox.trader(&trader.address);
            let isolated = account.slot(&cross.first.keys.market);
            account.free + account.cross_pool + isolated.map_or(0, |slot| slot.margin)
        };
        seen.push((cuts, event.close_quote_atoms, owned(&bob), owned(&carol)));
        cross.sound();
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[test]
pub fn who_is_left_out_of_a_list_is_named_whichever_queue_it_stands_in() {
    let mut cross = ranked(true, true);
    let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
    let stale = BallastError::AdlStaleCounterparty;
    let before = cross.venue.sandbox.fork();
    let refusal = round(&mut cross, &[&carol]).expect_err("bob ranks above");
    assert!(refusal.is(stale.name()), "{refusal}");
    let named = format!("Skipped trader: {}", bob.address);
    assert!(refusal.logs.iter().any(|line| line.contains(&named)));
    let refusal = round(&mut cross, &[&carol, &bob]).expect_err("out of order");
    assert!(refusal.is("AdlListOutOfOrder"), "{refusal}");
    cross.venue.sandbox = before;
    let list = [carol.address];
    let (alice, queues) = (cross.venue.alice.address, cross.queues());
    let first = cross.first.clone();
    refused(&mut cross.venue.sandbox, stale, |s| {
        s.auto_deleverage_cross(&first, &alice, &carol, &queues, &list)
    });

    let mut cross = ranked(false, true);
    let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
    let refusal = round(&mut cross, &[&carol]).expect_err("bob ranks above");
    assert!(refusal.is("AdlSkippedCounterparty"), "{refusal}");
    done(round(&mut cross, &[&bob, &carol]));
    cross.sound();
}

/// Alice is long 10 SOL against bob's and carol's shorts of 5; bob's is a leg, and so is a long of 5 SOL in the
/// second market, over $160. Carol has $200.
fn outweighed() -> Cross {
    let mut cross = Cross::with(&quiet());
    let (alice, bob, carol) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let dave = sandbox.create_trader(1_000 * USD).unwrap();
    // Bob is short in the first market and long in the second, over $160.
    let opening = terms(5_000, START, 50 * USD, 60 * USD);
    done(sandbox.block_trade(&first, &alice, &bob, opening));
    done(sandbox.to_cross(&first, &bob, &queues));
    let opening = terms(5_000, START, 100 * USD, 500 * USD);
    done(sandbox.block_trade(&second, &bob, &dave, opening));
    done(sandbox.to_cross(&second, &bob, &queues));
    let opening = terms(5_000, START, 50 * USD, 200 * USD);
    done(sandbox.block_trade(&first, &alice, &carol, opening));
    cross.venue.wait(20);
    cross
}

#[test]
pub fn a_weak_account_is_witnessed_and_asked_for_no_more_until_it_is_written() {
    let mut cross = outweighed();
    let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
    let first = cross.first.clone();
    let queues = cross.queues();
    // He wins $55 there and loses $200 here: $15 are left, below the maintenance of both.
    cross.prices(189_000, 160_000);
    let refusal = round(&mut cross, &[&carol]).expect_err("bob's record ranks above");
    assert!(refusal.is("AdlStaleCounterparty"), "{refusal}");
    let sandbox = &mut cross.venue.sandbox;
    let outcome = done(sandbox.refresh_ranks(&first, &queues, &[bob.address]));
    assert!(among!(outcome, RanksRefreshed).traders[0].weak);
    let leg = cross.leg(&first, &bob);
    assert_eq!(leg.cross, CROSS_LEG | CROSS_WEAK);
    cross.sound();
    // A write without the queue would keep the witness: it is refused.
    let sandbox = &mut cross.venue.sandbox;
    refused(sandbox, BallastError::CrossRecordStale, |s| {
        s.move_cross(&bob, usd(300), &cross.two.both())
    });
    let rounds = cross.venue.sandbox.fork();
    done(round(&mut cross, &[&carol]));
    cross.sound();
    // Once he has collateral again he is asked for.
    cross.venue.sandbox = rounds;
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.move_cross(&bob, usd(5), &queues));
    assert_eq!(cross.leg(&first, &bob).cross, CROSS_LEG);
    let refusal = round(&mut cross, &[&carol]).expect_err("nobody says any more that he is weak");
    assert!(refusal.is("AdlStaleCounterparty"), "{refusal}");
}

/// Accounts like bob's, of which there may be more than a list can name: above maintenance, first in the ranking
/// by any record, and unable to bear the cut of a lot at the close price.
#[test]
pub fn who_could_not_bear_a_lot_is_witnessed_for_rounds_at_that_price() {
    let mut cross = outweighed();
    let (alice, bob, carol) = (
        cross.venue.alice.address,
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let first = cross.first.clone();
    let queues = cross.queues();
    // Alice closes at $190. Bob holds $0.001 more than maintenance, and would lose $40 a SOL.
    cross.prices(150_000, 124_872);
    let sandbox = &mut cross.venue.sandbox;
    refused(sandbox, BallastError::NoPosition, |s| {
        s.witness_ranks(&first, &alice, &queues, &[carol.address])
    });
    refused(sandbox, BallastError::NotBankrupt, |s| {
        s.witness_ranks(&first, &carol.address, &queues, &[bob.address])
    });
    let outcome = done(sandbox.refresh_ranks(&first, &queues, &[bob.address]));
    assert!(!among!(outcome, RanksRefreshed).traders[0].weak);
    let refusal = round(&mut cross, &[&carol]).expect_err("recorded anew he ranks above");
    assert!(refusal.is("AdlStaleCounterparty"), "{refusal}");
    let mut listed = cross.venue.sandbox.fork();
    std::mem::swap(&mut listed, &mut cross.venue.sandbox);
    let event = among!(done(round(&mut cross, &[&bob, &carol])), AutoDeleveraged);
    assert_eq!(event.cuts.len(), 1);
    assert_eq!(event.cuts[0].trader, carol.address);
    cross.venue.sandbox = listed;
    let sandbox = &mut cross.venue.sandbox;
    let outcome = done(sandbox.witness_ranks(&first, &alice, &queues, &[bob.address]));
    assert!(among!(outcome, RanksRefreshed).traders[0].weak);
    cross.sound();
    done(round(&mut cross, &[&carol]));
    cross.sound();
}

#[test]
pub fn legs_of_a_market_that_has_ended_are_parted_with_before_anybody_is_paid() {
    let mut cross = bankrupt();
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    refused(sandbox, BallastError::MarketTrades, |s| {
        s.part_leg(&first, &alice.address, &queues)
    });
    sandbox.set_account(&first.keys.price, Account::default());
    cross.venue.end();
    let sandbox = &mut cross.venue.sandbox;
    let open = BallastError::CrossLegsOpen;
    refused(sandbox, open, |s| s.settle_position(&first, &bob.address));
    refused(sandbox, open, |s| {
        s.auto_deleverage_cross(&first, &alice.address, &bob, &queues, &[bob.address])
    });
    sandbox.set_price(&second, 205_000);
    done(sandbox.record_marks(&[&second]));
    let outcome = done(sandbox.part_leg(&first, &alice.address, &queues));
    let forced = among!(outcome, LegForced);
    assert_eq!(forced.equity_atoms, usd(-150));
    let parted = sandbox.position(&first, &alice.address).unwrap();
    // Its share of the deficit is the isolated position's: 68 of $300 lost.
    assert_eq!(parted.margin, usd(300 - 68));
    assert_eq!(forced.pool_after, usd(200 - 232));
    assert_eq!(sandbox.market(&first).cross_legs, 0);
    conserves(sandbox);
    // The bankrupt is deleveraged as every other, and all are paid.
    done(sandbox.auto_deleverage(&first, &alice.address, &bob, &[bob.address]));
    cross.sound();
}

#[test]
pub fn insurance_pays_a_part_of_its_window_for_legs() {
    let mut cross = Cross::hedged();
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let first = cross.first.clone();
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let donor = sandbox.create_wallet(100 * USD).unwrap();
    done(sandbox.donate_insurance(&first, &donor, 100 * USD));
    cross.venue.wait(20);
    cross.prices(170_000, 205_000);
    let sandbox = &mut cross.venue.sandbox;
    let market = sandbox.market(&first);
    let whole = market.insurance_available(sandbox.slot()).unwrap();
    let list = [bob.address];
    let outcome = done(sandbox.auto_deleverage_cross(&first, &alice.address, &bob, &queues, &list));
    let round = among!(outcome, AutoDeleveraged);
    let cap = market
        .insurance_fund()
        .draw_cap(&market.risk, sandbox.slot());
    assert_eq!(round.insurance_paid_atoms, cap.unwrap() / 4);
    assert!(round.insurance_paid_atoms < whole);
    let queue = sandbox.cross_queue(&cross.one.long);
    let drawn = queue.queue().unwrap().header().draws.window.total();
    assert_eq!(drawn, Ok(round.insurance_paid_atoms));
    assert_eq!(
        sandbox
            .cross_queue(&cross.one.of(Side::Short))
            .queue()
            .unwrap()
            .len(),
        0
    );
    cross.sound();
}
