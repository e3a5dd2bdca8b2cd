//! Which positions become which jobs.

use ballast_engine::oracle::PriceFault;
use ballast_engine::units::Ticks;
use ballast_engine::wind_down::MarketMode;
use ballast_keeper::evaluate::{evaluate, Conditions, Task};
use ballast_keeper::market::Unready;
use ballast_state::exchange::{PAUSE_DELEVERAGE, PAUSE_LIQUIDATE, PAUSE_TRADE};
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use ballast_state::trigger::{Trigger, TriggerKind};
use bytemuck::Zeroable;

use crate::synthetic::{key, Synthetic, CALM, SLOT, TIME};

/// 100 lots at 1,000; at that price maintenance is 5,000.
const ENTRY: u64 = 1_000;

fn tasks(synthetic: &Synthetic, conditions: &Conditions) -> Vec<(Task, u8)> {
    let jobs = synthetic.evaluate_under(conditions).jobs;
    jobs.iter()
        .map(|job| (job.task, job.trader.to_bytes()[0]))
        .collect()
}

#[test]
fn the_healthy_need_nothing() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 5_000))
        .hold(2, (-100, ENTRY, 5_000));
    let evaluation = market.evaluate();
    assert_eq!(evaluation.jobs, []);
    assert_eq!(evaluation.counts.positions, 2);
    assert_eq!(evaluation.counts.below_maintenance, 0);
    assert_eq!(evaluation.blocked, None);
}

#[test]
fn the_worst_health_comes_first() {
    let mut market = Synthetic::at(ENTRY);
    market
        .insure(1_000)
        .hold(1, (100, ENTRY, 4_999))
        .hold(2, (100, ENTRY, -500))
        .hold(3, (-100, ENTRY, 100))
        // Equity is twice as much as that of 3, but so is maintenance four times as much.
        .hold(4, (400, ENTRY, 200))
        .hold(5, (100, ENTRY, -2_000));
    let expected = [
        (Task::Deleverage, 5),
        (Task::Liquidate, 2),
        (Task::Liquidate, 4),
        (Task::Liquidate, 3),
        (Task::Liquidate, 1),
    ];
    assert_eq!(tasks(&market, &CALM), expected);
    let evaluation = market.evaluate();
    assert_eq!(evaluation.jobs[0].ratio_bps(), -4_000);
    assert_eq!(evaluation.jobs[4].ratio_bps(), 9_998);
    assert_eq!(evaluation.counts.bankrupt, 2);
    assert_eq!(evaluation.counts.below_maintenance, 3);
    assert_eq!(evaluation.counts.deficit_atoms, 2_500);
}

#[test]
fn funding_counts_up_to_the_moment() {
    let mut market = Synthetic::at(ENTRY);
    market.state.market.risk.funding_rate_ppm_per_hour = 10_000;
    market.state.market.last_price.ticks = ENTRY;
    market.hold(1, (100, ENTRY, 5_500));
    assert_eq!(market.evaluate().jobs, []);
    // An hour at 1%: 10 atoms a lot.
    market.clock.unix_timestamp = TIME + 3_600;
    market.price(ENTRY, ENTRY);
    let expected = [(Task::Liquidate, 1), (Task::AccrueFunding, 0)];
    assert_eq!(tasks(&market, &CALM), expected);
    assert_eq!(market.evaluate().jobs[0].equity_atoms, 4_500);
}

#[test]
fn the_ladders_interval_is_waited_for() {
    let step = |slot: &mut PositionSlot| {
        slot.flagged_slot = SLOT - 5;
        slot.last_step_slot = SLOT - 5;
    };
    let mut market = Synthetic::at(ENTRY);
    market.hold_with(1, (100, ENTRY, 4_000), step);
    let evaluation = market.evaluate();
    assert_eq!(evaluation.jobs, []);
    assert_eq!(evaluation.counts.waiting, 1);
    // What is left of a step need not wait, nor does who has fallen below the ladder.
    market.hold_with(2, (100, ENTRY, 4_000), |slot| {
        step(slot);
        slot.step_left = 3;
    });
    market.hold_with(3, (100, ENTRY, 1_000), step);
    let expected = [(Task::Liquidate, 3), (Task::Liquidate, 2)];
    assert_eq!(tasks(&market, &CALM), expected);
    market.clock.slot = SLOT + 5;
    assert_eq!(tasks(&market, &CALM).len(), 3);
}

#[test]
fn after_the_grace_period_insurance_no_longer_delays() {
    let mut market = Synthetic::at(ENTRY);
    let flagged = |slot: &mut PositionSlot| {
        slot.flagged_slot = SLOT;
        slot.bankrupt_slot = SLOT;
    };
    market
        .insure(1_000)
        .hold_with(1, (100, ENTRY, -500), flagged);
    assert_eq!(tasks(&market, &CALM), [(Task::Liquidate, 1)]);
    // Slots that nobody looked at do not count.
    market.clock.slot = SLOT + 151;
    assert_eq!(tasks(&market, &CALM), [(Task::Liquidate, 1)]);
    market.hold_with(1, (100, ENTRY, -500), |slot| {
        flagged(slot);
        slot.seen_slot = SLOT + 101;
    });
    assert_eq!(tasks(&market, &CALM), [(Task::Deleverage, 1)]);
}

#[test]
fn flags_that_are_no_longer_true_are_brought_level() {
    let mut market = Synthetic::at(ENTRY);
    market.hold_with(1, (100, ENTRY, 9_000), |slot| slot.flagged_slot = 7);
    assert_eq!(tasks(&market, &CALM), [(Task::Unflag, 1)]);
    // Distress that the flags know of already needs no flag; one that they do not know does.
    market.hold(2, (100, ENTRY, 4_000));
    market.hold_with(3, (100, ENTRY, 3_000), |slot| slot.flagged_slot = SLOT - 49);
    let due: Vec<_> = market.evaluate().jobs;
    let due: Vec<_> = due.iter().map(|job| (job.task, job.flag_due)).collect();
    let liquidate = Task::Liquidate;
    assert_eq!(
        due,
        [(liquidate, false), (liquidate, true), (Task::Unflag, true)]
    );
    // Fifty slots on, a look counts as many as it ever will.
    market.hold_with(3, (100, ENTRY, 3_000), |slot| slot.flagged_slot = SLOT - 50);
    assert_eq!(
        market
            .evaluate()
            .jobs
            .iter()
            .filter(|job| job.flag_due)
            .count(),
        3
    );
}

#[test]
fn what_is_paused_is_left_alone() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, -500))
        .hold_with(2, (100, ENTRY, 4_000), |slot| slot.flagged_slot = SLOT)
        .hold_with(3, (100, ENTRY, 9_000), |slot| slot.take_profit = set(900));
    let paused = |pause_flags| Conditions {
        pause_flags,
        ..CALM
    };
    let trigger = (Task::Trigger(TriggerKind::TakeProfit), 3);
    assert_eq!(
        tasks(&market, &paused(PAUSE_LIQUIDATE)),
        [(Task::Deleverage, 1), trigger]
    );
    assert_eq!(
        tasks(&market, &paused(PAUSE_DELEVERAGE)),
        [(Task::Liquidate, 1), (Task::Liquidate, 2), trigger]
    );
    assert_eq!(
        tasks(&market, &paused(PAUSE_LIQUIDATE | PAUSE_DELEVERAGE)),
        [(Task::Flag, 1), trigger]
    );
    assert_eq!(
        tasks(&market, &paused(PAUSE_TRADE)),
        [(Task::Deleverage, 1), (Task::Liquidate, 2)]
    );
}

fn set(price_ticks: u64) -> Trigger {
    Trigger {
        price_ticks,
        lots: 10,
        placed_lots: 10,
        ..Trigger::default()
    }
}

#[test]
fn triggers_fire_at_their_price_unless_the_position_is_bankrupt() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold_with(1, (100, ENTRY, 9_000), |slot| slot.stop_loss = set(ENTRY))
        .hold_with(2, (100, ENTRY, 9_000), |slot| {
            slot.stop_loss = set(ENTRY - 1)
        })
        .hold_with(3, (100, ENTRY, -500), |slot| slot.stop_loss = set(ENTRY));
    let stop = Task::Trigger(TriggerKind::StopLoss);
    assert_eq!(tasks(&market, &CALM), [(Task::Deleverage, 3), (stop, 1)]);
}

#[test]
fn protective_steps_are_executed_below_their_ratio_unless_the_position_is_bankrupt() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 9_000))
        .hold(2, (100, ENTRY, 9_000))
        .hold(3, (100, ENTRY, -500))
        .hold(4, (-100, ENTRY, 9_000));
    let ratio = market.ratio_bps(1);
    market
        .protect(1, ratio + 1, 100)
        .protect(2, ratio, 100)
        .protect(3, ratio, 100)
        .protect(4, ratio + 1, 100)
        .protect(5, ratio + 1, 100);
    let steps = (Task::Protection, 1);
    assert_eq!(tasks(&market, &CALM), [(Task::Deleverage, 3), steps]);
    let paused = Conditions {
        pause_flags: PAUSE_TRADE,
        ..CALM
    };
    assert_eq!(tasks(&market, &paused), [(Task::Deleverage, 3)]);
    // What stays open of what it was is open.
    market.hold(1, (40, ENTRY, 3_600));
    assert_eq!(tasks(&market, &CALM), [(Task::Deleverage, 3)]);
}

#[test]
fn a_price_far_from_its_average_only_flags_and_is_recorded() {
    let mut market = Synthetic::at(ENTRY);
    market.hold(1, (100, ENTRY, -500));
    market.clock.unix_timestamp = TIME + 60;
    market.price(ENTRY, ENTRY * 2);
    let evaluation = market.evaluate();
    assert_eq!(evaluation.blocked, Some(PriceFault::Diverged));
    assert_eq!(evaluation.counts.bankrupt, 1);
    let recorded = (Task::AccrueFunding, 0);
    assert_eq!(tasks(&market, &CALM), [(Task::Flag, 1), recorded]);
    // Five seconds of it count, and funding is not due for as long.
    market.state.market.last_price.publish_time = TIME + 56;
    market.state.market.funding.last_timestamp = TIME + 56;
    assert_eq!(tasks(&market, &CALM), [(Task::Flag, 1)]);
    market.state.market.last_price.publish_time = TIME + 55;
    assert_eq!(tasks(&market, &CALM), [(Task::Flag, 1), recorded]);
    // After thirty it serves for everything.
    market.state.market.price_clock.diverged_for = 25;
    let evaluation = market.evaluate();
    assert_eq!(evaluation.blocked, None);
    // A stale price does not even accrue.
    market.clock.unix_timestamp += 31;
    let evaluation = market.evaluate();
    assert_eq!(evaluation.blocked, Some(PriceFault::Stale));
    assert_eq!(evaluation.jobs, []);
}

#[test]
fn without_a_price_nothing_is_judged() {
    let mut market = Synthetic::at(ENTRY);
    market.state.price = None;
    let refused = evaluate(&market.state, &market.clock, &CALM);
    assert_eq!(refused.err(), Some(Unready::NoPrice));
}

#[test]
fn in_a_market_that_has_ended_the_bankrupt_are_deleveraged_at_its_last_price() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 100))
        .hold(2, (100, ENTRY, -500))
        .hold(3, (-100, ENTRY, 9_000));
    market.state.price = None;
    market.state.market.mode = MarketMode::Settling.number();
    market.state.market.final_ticks = 1_000;
    // Nobody is liquidated, and no price account has to be there.
    assert_eq!(tasks(&market, &CALM), [(Task::Deleverage, 2)]);
    let evaluation = market.evaluate();
    assert_eq!(evaluation.jobs[0].equity_atoms, -500);
    assert!(!evaluation.jobs[0].flag_due);
    assert_eq!((evaluation.counts.bankrupt, evaluation.blocked), (1, None));
    let paused = Conditions {
        pause_flags: PAUSE_DELEVERAGE,
        ..CALM
    };
    assert_eq!(tasks(&market, &paused), []);
}

#[test]
fn an_older_price_does_not_replace_a_newer_one() {
    let mut market = Synthetic::at(ENTRY);
    let mut older = market.state.price.unwrap().price;
    older.price = Ticks::new(1);
    assert!(!market.state.apply_price(older, SLOT - 1));
    assert_eq!(market.state.price.unwrap().price.price, Ticks::new(ENTRY));
}

#[test]
fn numbers_that_do_not_compute_are_counted_and_do_not_hide_the_others() {
    let mut market = Synthetic::at(ENTRY);
    market.hold(2, (100, ENTRY, 100));
    let mut corrupt = Trader::zeroed();
    let slot = &mut corrupt.positions[0];
    slot.market = market.state.address;
    (slot.lots, slot.entry_quote, slot.margin) = (1, 1, i64::MAX);
    market.state.apply_trader(&key(1), &corrupt).unwrap();
    market
        .state
        .apply_trader(&key(3), &Trader::zeroed())
        .unwrap();
    let evaluation = market.evaluate();
    assert_eq!(evaluation.counts.faulty, 1);
    assert_eq!(tasks(&market, &CALM), [(Task::Liquidate, 2)]);
    assert_eq!(evaluation.jobs[0].trader, key(2));
}
