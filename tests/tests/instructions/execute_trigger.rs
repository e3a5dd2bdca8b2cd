//! Stop-loss and take-profit, executed against the book.

use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::TriggerExecuted;
use ballast_state::exchange::{PAUSE_OPEN, PAUSE_TRADE};
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trigger::{Trigger, TriggerKind};

use crate::event;
use crate::orders::{ask, bid, ioc, listed};
use crate::support::{done, refused, Venue, START, TEN};

use TriggerKind::{StopLoss, TakeProfit};

/// Alice is long and bob short 10 SOL at $200; carol waits in the book, a keeper executes.
struct Fire {
    venue: Venue,
    alice: TraderCookie,
    bob: TraderCookie,
    carol: TraderCookie,
    keeper: TraderCookie,
}

impl Fire {
    fn new() -> Self {
        let mut venue = Venue::open();
        let (alice, bob) = venue.two();
        let (carol, keeper) = (venue.trader(1_000), venue.trader(0));
        Self {
            venue,
            alice,
            bob,
            carol,
            keeper,
        }
    }

    /// Sets a trigger of this trader; `worst_ticks` 0 is the band.
    fn set(&mut self, trader: &TraderCookie, kind: TriggerKind, price: u64, worst: u64, lots: u64) {
        let args = PlaceTriggerArgs {
            kind,
            price_ticks: price,
            worst_ticks: worst,
            lots,
        };
        let market = &self.venue.market;
        done(self.venue.sandbox.place_trigger(market, trader, args));
    }

    fn call(
        &mut self,
        trader: &TraderCookie,
        kind: TriggerKind,
        makers: &[&TraderCookie],
    ) -> TxResult {
        self.venue.sandbox.execute_trigger(
            &self.venue.market,
            &trader.address,
            &self.keeper,
            kind,
            &listed(makers),
        )
    }

    #[track_caller]
    fn execute(
        &mut self,
        trader: &TraderCookie,
        kind: TriggerKind,
        makers: &[&TraderCookie],
    ) -> TriggerExecuted {
        let outcome = done(self.call(trader, kind, makers));
        self.venue.sound();
        event!(outcome, TriggerExecuted)
    }

    #[track_caller]
    fn refuse(
        &mut self,
        error: BallastError,
        trader: &TraderCookie,
        kind: TriggerKind,
        makers: &[&TraderCookie],
    ) {
        let (market, keeper) = (&self.venue.market, &self.keeper);
        let makers = listed(makers);
        refused(&mut self.venue.sandbox, error, |s| {
            s.execute_trigger(market, &trader.address, keeper, kind, &makers)
        });
    }
}

#[test]
pub fn a_stop_loss_closes_at_its_price_or_better() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, 196_000, 195_000, 4_000);
    fire.venue.place(&carol, bid(195_000, 10_000), &[]);
    fire.venue.price(196_001);
    let early = BallastError::TriggerNotReached;
    fire.refuse(early, &alice, StopLoss, &[&carol]);
    fire.venue.price(196_000);
    let event = fire.execute(&alice, StopLoss, &[&carol]);
    assert_eq!(
        (event.market, event.trader),
        (fire.venue.market.keys.market, alice.address)
    );
    assert_eq!(
        (event.keeper, event.kind),
        (fire.keeper.wallet.address(), StopLoss)
    );
    assert_eq!(
        (event.trigger_ticks, event.worst_ticks, event.mark_ticks),
        (196_000, 195_000, 196_000)
    );
    assert_eq!((event.filled_lots, event.left_lots), (4_000, 0));
    assert_eq!(event.reward_atoms, 100_000);
    assert_eq!(
        (event.open_interest_after, event.funding_index),
        (10_000, 0)
    );
    let fill = event.fills[0];
    assert_eq!(
        (fill.maker, fill.price_ticks, fill.lots),
        (carol.address, 195_000, 4_000)
    );
    // 5 bps of $780.
    assert_eq!(
        (fill.taker_fee, event.taker.unwrap().fee),
        (390_000, 390_000)
    );
    assert_eq!(
        (
            event.taker.unwrap().lots_after,
            event.taker.unwrap().released
        ),
        (6_000, 40_000_000)
    );
    assert_eq!(event.taker.unwrap().realized, -20_000_000);
    // Two fifths of her margin, less $20 lost, fee and reward.
    let free = 899_000_000 + 40_000_000 - 20_000_000 - 390_000 - 100_000;
    assert_eq!(
        (fire.venue.free(&alice), event.taker.unwrap().free_after),
        (free, free)
    );
    assert_eq!(fire.venue.free(&fire.keeper), 100_000);
    assert_eq!(fire.venue.slot(&alice).stop_loss, Trigger::default());
    fire.refuse(BallastError::NoTrigger, &alice, StopLoss, &[&carol]);
    let market = fire.venue.sandbox.market(&fire.venue.market);
    assert_eq!(market.fees_atoms, 800_000 + 312_000);
}

#[test]
pub fn each_kind_on_each_side_has_its_direction() {
    let rows = [
        (true, StopLoss, 199_000, 199_001, 198_999),
        (true, TakeProfit, 201_000, 200_999, 201_001),
        (false, StopLoss, 201_000, 200_999, 201_001),
        (false, TakeProfit, 199_000, 199_001, 198_999),
    ];
    for (long, kind, price, before, beyond) in rows {
        let mut fire = Fire::new();
        let carol = fire.carol.clone();
        let (trader, order) = if long {
            (fire.alice.clone(), bid(198_000, 500))
        } else {
            (fire.bob.clone(), ask(202_000, 500))
        };
        fire.set(&trader, kind, price, 0, 500);
        fire.venue.place(&carol, order, &[]);
        fire.venue.price(before);
        fire.refuse(BallastError::TriggerNotReached, &trader, kind, &[&carol]);
        for mark in [price, beyond] {
            let sandbox = fire.venue.sandbox.fork();
            fire.venue.price(mark);
            let event = fire.execute(&trader, kind, &[&carol]);
            assert_eq!((event.filled_lots, event.mark_ticks), (500, mark));
            let side = if long { 1 } else { -1 };
            assert_eq!(event.taker.unwrap().lots_before, side * TEN);
            assert_eq!(event.taker.unwrap().lots_after, side * (TEN - 500));
            fire.venue.sandbox = sandbox;
        }
    }
}

#[test]
pub fn no_worse_price_than_the_triggers_or_the_bands() {
    // Mark $196: the band ends at $186.200.
    for (worst, price, filled) in [
        (195_000, 194_999, false),
        (195_000, 195_000, true),
        (0, 186_199, false),
        (0, 186_200, true),
        (1, 186_199, false),
        (1, 186_200, true),
    ] {
        let mut fire = Fire::new();
        let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
        fire.set(&alice, StopLoss, 196_000, worst, 100);
        fire.venue.price(190_000);
        fire.venue.place(&carol, bid(price, 100), &[]);
        fire.venue.price(196_000);
        if filled {
            let event = fire.execute(&alice, StopLoss, &[&carol]);
            assert_eq!(event.fills[0].price_ticks, price);
            assert_eq!(event.worst_ticks, worst);
        } else {
            fire.refuse(BallastError::NothingFilled, &alice, StopLoss, &[&carol]);
        }
    }
}

#[test]
pub fn what_the_book_does_not_take_stays_and_the_reward_is_shared() {
    let mut fire = Fire::new();
    let (alice, carol, bob) = (fire.alice.clone(), fire.carol.clone(), fire.bob.clone());
    fire.set(&alice, TakeProfit, START, 0, 3_000);
    fire.refuse(BallastError::NothingFilled, &alice, TakeProfit, &[&carol]);
    fire.venue.place(&carol, bid(START, 1_000), &[]);
    fire.venue.place(&bob, bid(START, 5_000), &[]);
    fire.refuse(BallastError::NothingFilled, &alice, TakeProfit, &[&bob]);
    let event = fire.execute(&alice, TakeProfit, &[&carol]);
    assert_eq!((event.filled_lots, event.left_lots), (1_000, 2_000));
    // A third, rounded down.
    assert_eq!(event.reward_atoms, 33_333);
    let trigger = fire.venue.slot(&alice).take_profit;
    assert_eq!((trigger.lots, trigger.placed_lots), (2_000, 3_000));
    let event = fire.execute(&alice, TakeProfit, &[&bob]);
    assert_eq!((event.filled_lots, event.left_lots), (2_000, 0));
    assert_eq!(event.reward_atoms, 66_666);
    assert_eq!(fire.venue.free(&fire.keeper), 99_999);
    assert_eq!(fire.venue.slot(&alice).take_profit, Trigger::default());
}

#[test]
pub fn the_reward_is_no_more_than_the_trader_has() {
    // A tenth is closed $10 a SOL below its entry, all that its margin is worth; the fee is
    // 95,000.
    for (left, reward) in [(195_000, 100_000), (194_999, 99_999), (95_000, 0)] {
        let mut fire = Fire::new();
        let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
        fire.set(&alice, StopLoss, 191_000, 0, 1_000);
        let free = fire.venue.free(&alice).unsigned_abs();
        done(fire.venue.sandbox.withdraw(&alice, free - left));
        fire.venue.price(191_000);
        fire.venue.place(&carol, bid(190_000, 1_000), &[]);
        let event = fire.execute(&alice, StopLoss, &[&carol]);
        assert_eq!(event.reward_atoms, reward);
        assert_eq!(
            fire.venue.free(&alice).unsigned_abs(),
            left - 95_000 - reward
        );
    }
    // Without the fee itself it pays what the close leaves.
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, 191_000, 0, 1_000);
    let free = fire.venue.free(&alice).unsigned_abs();
    done(fire.venue.sandbox.withdraw(&alice, free - 94_999));
    fire.venue.price(191_000);
    fire.venue.place(&carol, bid(190_000, 1_000), &[]);
    let event = fire.execute(&alice, StopLoss, &[&carol]);
    assert_eq!((event.taker.unwrap().fee, event.reward_atoms), (94_999, 0));
    assert_eq!(fire.venue.free(&alice), 0);
}

#[test]
pub fn a_trigger_larger_than_the_position_closes_it() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, START, 0, 8_000);
    fire.set(&alice, TakeProfit, 250_000, 0, 8_000);
    done(fire.venue.trade(-5_000, START, 0, 0));
    fire.venue.place(&carol, bid(START, 9_000), &[]);
    let event = fire.execute(&alice, StopLoss, &[&carol]);
    assert_eq!(
        (event.filled_lots, event.taker.unwrap().lots_after),
        (5_000, 0)
    );
    // 5,000 of the 8,000 lots it was placed for.
    assert_eq!(event.reward_atoms, 62_500);
    assert!(fire
        .venue
        .sandbox
        .position(&fire.venue.market, &alice.address)
        .is_none());
    assert_eq!(fire.venue.resting(OrderSide::Bid), [(START, 4_000)]);
}

#[test]
pub fn triggers_go_with_the_position_through_the_book() {
    // Closed and opened again by orders, and turned by one.
    for (lots, after) in [(10_000, 0), (12_000, -2_000)] {
        let mut fire = Fire::new();
        let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
        fire.set(&alice, StopLoss, 250_000, 0, 1_000);
        fire.set(&alice, TakeProfit, 1, 0, 1_000);
        fire.venue.place(&carol, bid(START, 20_000), &[]);
        fire.venue.place(&alice, ioc(ask(START, lots)), &[&carol]);
        let slot = fire.venue.slot(&alice);
        assert_eq!(slot.lots, after);
        assert_eq!(
            (slot.stop_loss, slot.take_profit),
            (Trigger::default(), Trigger::default())
        );
        let error = if after == 0 {
            BallastError::NoPosition
        } else {
            BallastError::NoTrigger
        };
        fire.refuse(error, &alice, StopLoss, &[&carol]);
        fire.refuse(error, &alice, TakeProfit, &[&carol]);
    }
    // As a maker too: her ask of 10,000 is filled while another order waits.
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, 250_000, 0, 1_000);
    fire.venue.place(&alice, ask(START, 10_000), &[]);
    fire.venue.place(&alice, ask(209_000, 10), &[]);
    fire.venue.place(&carol, ioc(bid(START, 10_000)), &[&alice]);
    let slot = fire.venue.slot(&alice);
    assert_eq!((slot.lots, slot.order_count), (0, 1));
    assert_eq!(slot.stop_loss, Trigger::default());
    fire.refuse(BallastError::NoPosition, &alice, StopLoss, &[&carol]);
}

#[test]
pub fn the_traders_own_orders_make_way() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.venue.place(&alice, bid(START, 100), &[]);
    fire.venue.place(&carol, bid(START, 1_000), &[]);
    fire.set(&alice, StopLoss, START, 0, 500);
    let event = fire.execute(&alice, StopLoss, &[&carol]);
    assert_eq!((event.cancelled.len(), event.cancelled[0].lots), (1, 100));
    assert_eq!(event.fills[0].maker, carol.address);
    assert_eq!(fire.venue.slot(&alice).order_count, 0);
}

#[test]
pub fn fees_of_removed_orders_are_the_traders() {
    let mut fire = Fire::new();
    let (alice, bob, carol) = (fire.alice.clone(), fire.bob.clone(), fire.carol.clone());
    let brief = PlaceOrderArgs {
        expires_at: fire.venue.sandbox.time() + 2,
        ..bid(START, 1_000)
    };
    fire.venue.place(&carol, brief, &[]);
    fire.venue.sandbox.advance_seconds(2);
    fire.venue.price(194_500);
    fire.venue.place(&bob, bid(194_500, 1_000), &[]);
    fire.set(&alice, StopLoss, 195_000, 0, 1_000);
    let before = fire.venue.free(&alice);
    let event = fire.execute(&alice, StopLoss, &[&carol, &bob]);
    assert_eq!((event.removed.len(), event.fills.len()), (1, 1));
    assert_eq!(event.removed[0].fee_atoms, 100_000);
    // A tenth of her margin less $5.50 and 97,250 of fee; the reward is what was collected.
    assert_eq!(
        fire.venue.free(&alice) - before,
        10_000_000 - 5_500_000 - 97_250
    );
    assert_eq!(fire.venue.free(&fire.keeper), 100_000);
}

#[test]
pub fn a_trigger_needs_a_position_that_may_trade() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.refuse(BallastError::NoPosition, &carol, StopLoss, &[]);
    fire.venue.place(&carol, bid(190_000, 1_000), &[]);
    fire.refuse(BallastError::NoPosition, &carol, StopLoss, &[]);
    fire.refuse(BallastError::NoTrigger, &alice, StopLoss, &[&carol]);
    fire.set(&alice, StopLoss, 195_000, 0, 1_000);
    fire.refuse(BallastError::NoTrigger, &alice, TakeProfit, &[&carol]);
    fire.venue.price(189_000);
    let market = fire.venue.market.clone();
    let mut unflagged = fire.venue.sandbox.fork();
    // A stale price triggers nothing.
    unflagged.advance_seconds(32);
    refused(&mut unflagged, BallastError::PriceStale, |s| {
        s.execute_trigger(&market, &alice.address, &fire.keeper, StopLoss, &[])
    });
}

#[test]
pub fn pausing_trade_pauses_triggers_and_pausing_openings_does_not() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, START, 0, 500);
    fire.venue.place(&carol, bid(START, 1_000), &[]);
    done(fire.venue.sandbox.set_pause(PAUSE_TRADE));
    fire.refuse(BallastError::Paused, &alice, StopLoss, &[&carol]);
    done(fire.venue.sandbox.set_pause(PAUSE_OPEN));
    fire.execute(&alice, StopLoss, &[&carol]);
}

#[test]
pub fn the_owner_may_execute_its_own_trigger() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, START, 0, 500);
    fire.venue.place(&carol, bid(START, 1_000), &[]);
    fire.keeper = alice.clone();
    let event = fire.execute(&alice, StopLoss, &[&carol]);
    // The reward comes back; half of a tenth of her margin is free.
    assert_eq!(event.reward_atoms, 100_000);
    assert_eq!(fire.venue.free(&alice), 899_000_000 + 5_000_000 - 50_000);
    assert_eq!(fire.venue.slot(&alice).lots, 9_500);
}

#[test]
pub fn a_shorts_worst_price_is_its_highest() {
    // Mark $204: the band ends at $214.200.
    for (worst, price, filled) in [
        (205_000, 205_001, false),
        (205_000, 205_000, true),
        (0, 214_201, false),
        (0, 214_200, true),
        (1 << 30, 214_201, false),
    ] {
        let mut fire = Fire::new();
        let (bob, carol) = (fire.bob.clone(), fire.carol.clone());
        fire.set(&bob, StopLoss, 204_000, worst, 100);
        fire.venue.price(210_000);
        fire.venue.place(&carol, ask(price, 100), &[]);
        fire.venue.price(204_000);
        if filled {
            let event = fire.execute(&bob, StopLoss, &[&carol]);
            assert_eq!(event.fills[0].price_ticks, price);
            assert_eq!(event.taker.unwrap().lots_after, 100 - TEN);
        } else {
            fire.refuse(BallastError::NothingFilled, &bob, StopLoss, &[&carol]);
        }
    }
}

#[test]
pub fn a_maker_may_execute_the_trigger_it_fills() {
    let mut fire = Fire::new();
    let (alice, carol) = (fire.alice.clone(), fire.carol.clone());
    fire.set(&alice, StopLoss, START, 0, 500);
    fire.venue.place(&carol, bid(START, 1_000), &[]);
    fire.keeper = carol.clone();
    let event = fire.execute(&alice, StopLoss, &[&carol]);
    assert_eq!((event.filled_lots, event.reward_atoms), (500, 100_000));
    assert_eq!(fire.venue.free(&carol), 990_000_000 + 100_000);
    assert_eq!(fire.venue.holds(&carol), (500, 5_000_000, 5_000_000));
}
