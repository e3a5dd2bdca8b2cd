//! Stop-losses, take-profits and protective steps of legs.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::listed_firing;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::units::Side;
use ballast_sandbox::{MarketCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::trigger::TriggerKind;
use std::collections::BTreeMap;

use crate::among;
use crate::cross::Cross;
use crate::cross_trade::{market_order, reducing};
use crate::orders::bid;
use crate::support::{done, refused, terms, START, TEN, USD};

fn usd(amount: u64) -> i64 {
    i64::try_from(amount * USD).unwrap()
}

const fn stop(price_ticks: u64, worst_ticks: u64, lots: u64) -> PlaceTriggerArgs {
    PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks,
        worst_ticks,
        lots,
    }
}

/// Below 150 % of what the account needs half of the leg stays, below 120 % nothing, at half a percent from the mark.
fn steps() -> SetProtectionArgs {
    let step = |ratio_bps, keep_bps| ProtectiveStep {
        ratio_bps,
        keep_bps,
    };
    SetProtectionArgs {
        steps: vec![step(15_000, 5_000), step(12_000, 0)],
        slip_bps: 50,
    }
}

impl Cross {
    /// Alice, with $500 in her pool and $500 free, is long so many lots of the first market.
    fn long(lots: u64) -> Self {
        let mut cross = Self::with_pool();
        let (first, queues) = (cross.first.clone(), cross.queues());
        let lots = i64::try_from(lots).unwrap();
        done(cross.leg_trades(&first, START, market_order(lots), &queues));
        cross.venue.wait(20);
        cross.prices(START, START);
        cross
    }

    /// What a call lists that fires something of alice's leg against orders of bob.
    fn firing(&self, market: &MarketCookie) -> Vec<Pubkey> {
        let sandbox = &self.venue.sandbox;
        let (alice, bob) = (self.venue.alice.address, self.venue.bob.address);
        let makers = [bob];
        let known: BTreeMap<_, _> = makers
            .iter()
            .map(|key| (*key, sandbox.trader(key)))
            .collect();
        let at = (&market.keys.market, &sandbox.market(market));
        let (trader, board) = (sandbox.trader(&alice), sandbox.board());
        listed_firing(&trader, &makers, Side::Long, &known, at, Some(&board)).unwrap()
    }

    /// Bob waits with a bid of so many lots.
    fn bids(&mut self, market: &MarketCookie, ticks: u64, lots: u64) {
        let bob = self.venue.bob.clone();
        done(
            self.venue
                .sandbox
                .place_order(market, &bob, bid(ticks, lots), &[]),
        );
    }

    fn fire(&mut self, market: &MarketCookie, kind: TriggerKind, listed: &[Pubkey]) -> TxResult {
        let (alice, carol) = (self.venue.alice.address, self.carol.clone());
        let sandbox = &mut self.venue.sandbox;
        sandbox.execute_trigger(market, &alice, &carol, kind, listed)
    }

    fn step(&mut self, market: &MarketCookie, listed: &[Pubkey]) -> TxResult {
        let (alice, carol) = (self.venue.alice.address, self.carol.clone());
        let sandbox = &mut self.venue.sandbox;
        sandbox.execute_protection(market, &alice, &carol, listed)
    }
}

#[test]
pub fn a_stop_loss_of_a_leg_closes_lots_of_it_through_the_pool() {
    let mut cross = Cross::long(10_000);
    let (alice, carol, first) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.first.clone(),
    );
    let placed = done(cross.venue.sandbox.place_trigger(
        &first,
        &alice,
        stop(195_000, 190_000, 4_000),
    ));
    assert_eq!(among!(placed, TriggerPlaced).lots, 4_000);
    cross.bids(&first, 194_000, 10_000);
    let listed = cross.firing(&first);
    let kind = TriggerKind::StopLoss;
    refused(
        &mut cross.venue.sandbox,
        BallastError::TriggerNotReached,
        |s| s.execute_trigger(&first, &alice.address, &carol, kind, &listed),
    );
    cross.prices(195_000, START);
    let makers = [cross.venue.bob.address];
    refused(&mut cross.venue.sandbox, BallastError::WrongBoard, |s| {
        s.execute_trigger(&first, &alice.address, &carol, kind, &makers)
    });
    let before = cross.venue.sandbox.trader(&alice.address);
    let fired = done(cross.fire(&first, kind, &listed));
    let (event, leg) = (among!(fired, TriggerExecuted), among!(fired, LegTraded));
    assert!(event.taker.is_none(), "the pool holds the margin");
    assert_eq!((event.filled_lots, event.left_lots), (4_000, 0));
    assert_eq!((leg.lots_before, leg.lots_after), (10_000, 6_000));
    // $6 lost on each of 4 SOL, and 5 bps of $776.
    assert_eq!((leg.realized, leg.fee), (-usd(24), 388_000));
    assert_eq!(leg.pool_after, before.cross_pool - usd(24) - 388_000);
    // A keeper is paid out of free collateral, as for an isolated position.
    assert!(event.reward_atoms > 0);
    let after = cross.venue.sandbox.trader(&alice.address);
    let reward = i64::try_from(event.reward_atoms).unwrap();
    assert_eq!(after.free, before.free - reward);
    let slot = cross.leg(&first, &alice);
    assert!(slot.has_no_triggers());
    cross.sound();
}

#[test]
pub fn a_take_profit_of_a_leg_is_filled_in_parts_and_ends_with_its_side() {
    let mut cross = Cross::long(10_000);
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let take = PlaceTriggerArgs {
        kind: TriggerKind::TakeProfit,
        price_ticks: 210_000,
        worst_ticks: 209_000,
        lots: 8_000,
    };
    done(cross.venue.sandbox.place_trigger(&first, &alice, take));
    cross.prices(210_000, START);
    cross.bids(&first, 210_000, 3_000);
    let listed = cross.firing(&first);
    let fired = done(cross.fire(&first, TriggerKind::TakeProfit, &listed));
    let (event, leg) = (among!(fired, TriggerExecuted), among!(fired, LegTraded));
    assert_eq!((event.filled_lots, event.left_lots), (3_000, 5_000));
    assert_eq!((leg.lots_after, leg.realized), (7_000, usd(30)));
    assert_eq!(cross.leg(&first, &alice).take_profit.lots, 5_000);
    // What is left goes when the leg turns round.
    let queues = cross.queues();
    done(cross.leg_trades(&first, 210_000, market_order(-9_000), &queues));
    let slot = cross.leg(&first, &alice);
    assert_eq!(slot.lots, -2_000);
    assert!(slot.has_no_triggers());
    cross.sound();
}

#[test]
pub fn a_leg_with_a_trigger_stays_a_leg_and_cancelling_it_sets_it_free() {
    let mut cross = Cross::long(10_000);
    let (alice, first, queues) = (
        cross.venue.alice.clone(),
        cross.first.clone(),
        cross.queues(),
    );
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_trigger(&first, &alice, stop(195_000, 0, 4_000)));
    let leaves =
        |s: &mut ballast_sandbox::Sandbox| s.to_isolated(&first, &alice, 200 * USD, &queues);
    refused(sandbox, BallastError::CrossHasOrders, leaves);
    done(sandbox.cancel_trigger(&first, &alice, TriggerKind::StopLoss));
    done(leaves(sandbox));
    cross.sound();
}

#[test]
pub fn no_stop_loss_gives_lots_away_against_a_profit_that_does_not_count() {
    let mut cross = Cross::long(25_000);
    let (alice, carol, second) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.second.clone(),
    );
    let queues = cross.queues();
    done(cross.leg_trades(&second, START, market_order(20_000), &queues));
    // The first market is pumped: $1,250 of profit on paper. 5% below the mark of the second her stop-loss would sell
    // to an account of her own what others would have to make good.
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_trigger(&second, &alice, stop(START, 0, 20_000)));
    cross.prices(250_000, START);
    cross.bids(&second, 190_500, 20_000);
    let listed = cross.firing(&second);
    let kind = TriggerKind::StopLoss;
    refused(
        &mut cross.venue.sandbox,
        BallastError::CrossBelowInitial,
        |s| s.execute_trigger(&second, &alice.address, &carol, kind, &listed),
    );
    // At a liquidation's discount it fires.
    cross.bids(&second, 199_000, 20_000);
    let fired = done(cross.fire(&second, kind, &listed));
    assert_eq!(among!(fired, LegTraded).realized, -usd(20));
    cross.sound();
}

#[test]
pub fn a_protective_step_goes_by_the_margin_ratio_of_the_whole_account() {
    let mut cross = Cross::long(10_000);
    let (alice, carol, first, second) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.first.clone(),
        cross.second.clone(),
    );
    let queues = cross.queues();
    done(cross.leg_trades(&second, START, market_order(10_000), &queues));
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.create_protection(&first, &alice));
    done(sandbox.set_protection(&first, &alice, steps()));
    cross.venue.wait(20);
    cross.prices(START, START);
    cross.bids(&first, 199_500, 10_000);
    let listed = cross.firing(&first);
    // $498 for the $100 that two legs of $2,000 need.
    refused(
        &mut cross.venue.sandbox,
        BallastError::ProtectionNotReached,
        |s| s.execute_protection(&first, &alice.address, &carol, &listed),
    );
    // The second market alone falls, by 18 %: $138 are left, where the legs need $91.
    cross.prices(START, 164_000);
    refused(
        &mut cross.venue.sandbox,
        BallastError::ProtectionNotReached,
        |s| s.execute_protection(&first, &alice.address, &carol, &listed),
    );
    cross.prices(START, 163_500);
    let missing = [&listed[..1], &listed[3..]].concat();
    refused(
        &mut cross.venue.sandbox,
        BallastError::CrossQueueMissing,
        |s| s.execute_protection(&first, &alice.address, &carol, &missing),
    );
    let stepped = done(cross.step(&first, &listed));
    let (event, leg) = (
        among!(stepped, ProtectionExecuted),
        among!(stepped, LegTraded),
    );
    assert!(event.taker.is_none());
    assert_eq!((event.step.ratio_bps, event.filled_lots), (15_000, 5_000));
    assert_eq!((leg.lots_before, leg.lots_after), (10_000, 5_000));
    cross.sound();
    // Half a leg is what this step leaves, however often it is called.
    let again = cross.firing(&first);
    refused(
        &mut cross.venue.sandbox,
        BallastError::ProtectionNotReached,
        |s| s.execute_protection(&first, &alice.address, &carol, &again),
    );
}

#[test]
pub fn protective_steps_end_with_the_leg_they_were_set_for() {
    let mut cross = Cross::long(10_000);
    let (alice, carol, first, queues) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.first.clone(),
        cross.queues(),
    );
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.create_protection(&first, &alice));
    done(sandbox.set_protection(&first, &alice, steps()));
    done(cross.leg_trades(&first, START, reducing(-10_000), &queues));
    cross.venue.wait(20);
    cross.prices(START, START);
    done(cross.leg_trades(&first, START, market_order(40_000), &queues));
    cross.venue.wait(20);
    cross.prices(195_000, START);
    cross.bids(&first, 195_000, 40_000);
    let listed = cross.firing(&first);
    refused(
        &mut cross.venue.sandbox,
        BallastError::ProtectionEnded,
        |s| s.execute_protection(&first, &alice.address, &carol, &listed),
    );
}

#[test]
pub fn steps_of_a_leg_are_set_beside_its_cross_queue_alone() {
    let mut cross = Cross::long(10_000);
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.create_protection(&first, &alice));
    let (queue_long, wallet) = (first.keys.queue_long, alice.wallet.clone());
    for queue in [queue_long, cross.one.both()[1]] {
        let set = ballast_client::instructions::protection::SetProtection {
            authority: wallet.address(),
            market: first.keys.market,
            trader: alice.address,
            queue,
            args: steps(),
        };
        refused(
            &mut cross.venue.sandbox,
            BallastError::CrossQueueMissing,
            |s| s.send(&[set.instruction()], &[&wallet.keypair]),
        );
    }
    // An isolated position in the same market goes by its own queue and its own margin.
    let sandbox = &mut cross.venue.sandbox;
    let carol = cross.carol.clone();
    done(sandbox.block_trade(
        &first,
        &carol,
        &bob,
        terms(TEN, START, 100 * USD, 500 * USD),
    ));
    done(sandbox.create_protection(&first, &carol));
    done(sandbox.set_protection(&first, &carol, steps()));
    done(sandbox.set_protection(&first, &alice, steps()));
    cross.sound();
}

#[test]
pub fn old_marks_of_other_legs_let_nobody_fire() {
    let mut cross = Cross::long(10_000);
    let (alice, carol, first, second) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.first.clone(),
        cross.second.clone(),
    );
    let queues = cross.queues();
    done(cross.leg_trades(&second, START, market_order(10_000), &queues));
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_trigger(&first, &alice, stop(195_000, 190_000, 4_000)));
    cross.bids(&first, 194_000, 10_000);
    let listed = cross.firing(&first);
    // The price of the first market is young; the board's mark of the second is not.
    cross.venue.wait(200);
    cross.venue.sandbox.set_price(&first, 195_000);
    refused(
        &mut cross.venue.sandbox,
        BallastError::CrossMarkStale,
        |s| {
            s.execute_trigger(
                &first,
                &alice.address,
                &carol,
                TriggerKind::StopLoss,
                &listed,
            )
        },
    );
    cross.prices(195_000, START);
    done(cross.fire(&first, TriggerKind::StopLoss, &listed));
    cross.sound();
}

#[test]
pub fn an_order_of_another_leg_takes_what_a_stop_loss_sells() {
    let mut cross = Cross::long(10_000);
    let (alice, carol, first) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.first.clone(),
    );
    let (queues, bob) = (cross.queues(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_trigger(&first, &alice, stop(195_000, 190_000, 4_000)));
    done(sandbox.move_cross(&carol, usd(500), &[]));
    done(sandbox.trade_leg(&first, &carol, bid(194_000, 4_000), &queues, &[]));
    cross.prices(195_000, START);
    let sandbox = &mut cross.venue.sandbox;
    let known: BTreeMap<_, _> = [(carol.address, sandbox.trader(&carol.address))].into();
    let at = (&first.keys.market, &sandbox.market(&first));
    let trader = sandbox.trader(&alice.address);
    let board = sandbox.board();
    let listed = listed_firing(
        &trader,
        &[carol.address],
        Side::Long,
        &known,
        at,
        Some(&board),
    );
    let kind = TriggerKind::StopLoss;
    let fired = sandbox.execute_trigger(&first, &alice.address, &bob, kind, &listed.unwrap());
    let fired = done(fired);
    assert_eq!(among!(fired, LegTraded).lots_after, 6_000);
    assert_eq!(among!(fired, LegsMade).legs[0].maker, carol.address);
    assert_eq!(cross.leg(&first, &carol).lots, 4_000);
    cross.sound();
}
