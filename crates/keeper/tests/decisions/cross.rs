//! The board of cross margin, and legs, which are no positions.

use anchor_lang::prelude::Pubkey;
use ballast_engine::cross::CrossDraws;
use ballast_keeper::cross::{evaluate, Floor};
use ballast_keeper::evaluate::{Job, Task};
use ballast_state::cross::{report, CrossBoard, EnableCrossArgs, BOARD_VERSION};
use ballast_state::market::Touched;
use ballast_state::position_slot::CROSS_LEG;
use bytemuck::Zeroable;

use crate::synthetic::{key, Synthetic, CALM, SLOT};

/// The price at which the mark was recorded.
const MARK: u64 = 1_000;

/// A market with legs, and the board with its mark of [`SLOT`], which serves for 100 slots.
fn with_board() -> (Synthetic, Box<CrossBoard>) {
    let mut synthetic = Synthetic::at(MARK);
    let touched = {
        let present = synthetic.state.at(&synthetic.clock).unwrap();
        Touched {
            price: present.price,
            mark: present.mark,
            earlier: None,
            funding_index: present.funding_index,
        }
    };
    let mut board = Box::new(CrossBoard::zeroed());
    board.version = BOARD_VERSION;
    let allowed = EnableCrossArgs {
        most_lots: 1_000,
        draw_cap_bps: 2_500,
        max_age_slots: 100,
    };
    let state = &mut synthetic.state;
    let first = report(&state.market, &touched, SLOT);
    let queues = [key(206), key(207)];
    board
        .enable(&state.address, queues, &allowed, &first)
        .unwrap();
    (state.market.cross, state.market.cross_legs) = (1, 1);
    (synthetic, board)
}

/// What the board needs once so many slots have passed, each worth 400 ms, and the price is this.
fn needed(slots: u64, ticks: Option<u64>) -> Vec<Task> {
    let (mut synthetic, board) = with_board();
    synthetic.clock.slot += slots;
    synthetic.clock.unix_timestamp += i64::try_from(slots * 2 / 5).unwrap();
    match ticks {
        Some(ticks) => synthetic.price(ticks, ticks),
        None => synthetic.state.price = None,
    }
    let floor = Floor::new([&synthetic.state], &board, &synthetic.clock).unwrap();
    let draws = |_: &Pubkey| CrossDraws::default();
    let found = evaluate(&floor, [], &draws, &CALM);
    let task = |(market, job): &(Pubkey, Job)| {
        assert_eq!((*market, job.trader), (key(201), Pubkey::default()));
        job.task
    };
    found.jobs.iter().map(task).collect()
}

#[test]
fn a_mark_is_recorded_when_it_has_moved_by_a_tenth_of_maintenance_or_is_old() {
    // A tenth of 5%.
    assert_eq!(needed(1, Some(MARK + 4)), []);
    assert_eq!(needed(1, Some(MARK + 5)), [Task::RecordMarks]);
    assert_eq!(needed(1, Some(MARK - 5)), [Task::RecordMarks]);
    assert_eq!(needed(24, Some(MARK)), []);
    assert_eq!(needed(25, Some(MARK)), [Task::RecordMarks]);
}

#[test]
fn a_mark_is_frozen_once_it_is_too_old_and_no_price_may_take_its_place() {
    assert_eq!(needed(100, None), []);
    assert_eq!(needed(101, None), [Task::FreezeMark]);
    assert_eq!(needed(101, Some(MARK)), [Task::RecordMarks]);
}

#[test]
fn without_legs_nobody_keeps_the_board() {
    let (mut synthetic, board) = with_board();
    synthetic.state.market.cross_legs = 0;
    synthetic.clock.slot += 101;
    let floor = Floor::new([&synthetic.state], &board, &synthetic.clock).unwrap();
    let found = evaluate(&floor, [], &|_| CrossDraws::default(), &CALM);
    assert_eq!(found.jobs, []);
}

#[test]
fn what_a_leg_has_for_a_margin_is_no_money() {
    // As an isolated position it would be bankrupt.
    let held = (10, MARK, -5_000);
    let mut synthetic = Synthetic::at(MARK);
    synthetic.hold(1, held);
    assert_eq!(synthetic.job().task, Task::Deleverage);
    let mut synthetic = Synthetic::at(MARK);
    synthetic.hold_with(1, held, |slot| slot.cross = CROSS_LEG);
    assert!(synthetic.state.positions.is_empty() && synthetic.state.others.is_empty());
    assert_eq!(synthetic.evaluate().jobs, []);
}
