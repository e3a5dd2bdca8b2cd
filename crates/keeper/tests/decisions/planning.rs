//! What jobs become.

use anchor_lang::prelude::Pubkey;
use anchor_lang::InstructionData;
use ballast_engine::units::{Atoms, Lots, Side};
use ballast_keeper::evaluate::Task;
use ballast_keeper::plan::fit::{size, MAX_TRANSACTION_BYTES};
use ballast_keeper::plan::{Effect, Fill, Idle, Lists, Plan, PlanError, Planned, TakeOver};
use ballast_state::position_slot::PositionSlot;
use ballast_state::trigger::{Trigger, TriggerKind};

use crate::synthetic::{key, own_address, Synthetic, SLOT};

const ENTRY: u64 = 1_000;

#[track_caller]
fn sent(planned: Planned) -> Plan {
    match planned {
        Planned::Send(plan) => *plan,
        Planned::Nothing(why) => panic!("{why:?}"),
    }
}

/// A flag that is up to date, so that nothing falls back to it.
fn known(slot: &mut PositionSlot) {
    slot.flagged_slot = SLOT;
}

#[test]
fn the_book_comes_first_and_the_keeper_takes_the_rest() {
    let mut market = Synthetic::at(ENTRY);
    // A fifth may go: 20 lots at 990 or better, of which 12 are bid for.
    market
        .hold(1, (100, ENTRY, 4_000))
        .order(11, Side::Long, 995, 5)
        .order(12, Side::Long, 991, 7)
        .order(13, Side::Long, 989, 50);
    let plan = sent(market.plan(&market.job()));
    assert_eq!(plan.task, Task::Liquidate);
    assert_eq!(plan.listed, [key(11), key(12)]);
    assert_eq!(plan.reads.book, Some(Side::Long));
    let Effect::Liquidation {
        book_lots, taken, ..
    } = plan.effect
    else {
        panic!("{:?}", plan.effect);
    };
    assert_eq!((book_lots, taken.lots.size()), (12, 8));
    // A quarter of 8 lots at the mark.
    assert_eq!(taken.margin, 2_000);
    let writable = plan.writable();
    assert!([key(1), key(11), key(12), own_address()]
        .iter()
        .all(|account| writable.contains(account)));
    let data = ballast::instruction::Liquidate {
        liquidator_margin: 2_000,
        take_over_lots: u64::MAX,
    };
    assert_eq!(plan.instructions[0].data, data.data());
}

#[test]
fn who_cannot_afford_it_all_takes_over_what_it_can() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 4_000))
        .order(11, Side::Long, 995, 12);
    // Of the 8 lots the book leaves, halved until a quarter of them at the mark is there.
    for (free, taken, margin) in [(1_999, 4, 1_000), (999, 2, 500), (250, 1, 250)] {
        market.own.free = free;
        let plan = sent(market.plan(&market.job()));
        let Effect::Liquidation {
            book_lots,
            taken: fill,
            ..
        } = plan.effect
        else {
            panic!("{:?}", plan.effect);
        };
        assert_eq!(book_lots, 12);
        assert_eq!((fill.lots.size(), fill.margin), (taken, margin));
        let data = ballast::instruction::Liquidate {
            liquidator_margin: margin,
            take_over_lots: taken,
        };
        assert_eq!(plan.instructions[0].data, data.data());
    }
}

#[test]
fn what_is_about_to_be_taken_over_has_to_be_backed_too() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 4_000))
        .order(11, Side::Long, 995, 12);
    let margin = |market: &Synthetic| sent(market.plan(&market.job())).effect.taken().margin;
    assert_eq!(margin(&market), 2_000);
    let mut fill = Fill {
        lots: Lots::new(40).unwrap(),
        quote: Atoms::new(40_000),
        margin: 10_000,
    };
    market.promised = vec![fill];
    assert_eq!(margin(&market), 2_000, "it stands by itself");
    fill.margin = 0;
    market.promised = vec![fill];
    assert!(margin(&market) > 4_800, "a tenth of 48 lots");
}

#[test]
fn who_cannot_afford_a_lot_liquidates_into_the_book_alone() {
    let mut market = Synthetic::at(ENTRY);
    market.own.free = 249;
    market
        .hold(1, (100, ENTRY, 4_000))
        .order(11, Side::Long, 995, 12);
    let plan = sent(market.plan(&market.job()));
    assert!(matches!(
        plan.effect,
        Effect::Liquidation {
            book_lots: 12,
            taken: Fill::NOTHING,
            ..
        }
    ));
    let data = ballast::instruction::Liquidate {
        liquidator_margin: 0,
        take_over_lots: 0,
    };
    assert_eq!(plan.instructions[0].data, data.data());
    // So does one that is told not to take anything over.
    market.own.free = 1_000_000;
    market.options.take_over = TakeOver::Nothing;
    assert_eq!(sent(market.plan(&market.job())), plan);
}

#[test]
fn after_orders_that_could_not_trade_the_whole_step_is_backed() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 4_000))
        .order(11, Side::Long, 995, 12);
    let margin = |market: &Synthetic| match sent(market.plan(&market.job())).effect {
        Effect::Liquidation { taken, .. } => taken.margin,
        other => panic!("{other:?}"),
    };
    assert_eq!(margin(&market), 2_000);
    market.options.take_over = market.options.take_over.after_poor();
    assert_eq!(margin(&market), 5_000);
    market.options.take_over = market.options.take_over.after_poor();
    assert_eq!(margin(&market), 0);
    assert_eq!(market.options.take_over, TakeOver::Nothing);
}

#[test]
fn what_nobody_takes_is_flagged_once() {
    let mut market = Synthetic::at(ENTRY);
    market.own.free = 0;
    market.hold(1, (100, ENTRY, 4_000));
    let plan = sent(market.plan(&market.job()));
    assert_eq!((plan.task, plan.effect), (Task::Flag, Effect::Flags));
    let mut market = Synthetic::at(ENTRY);
    market.own.free = 0;
    market.hold_with(1, (100, ENTRY, 4_000), known);
    let idle = market.plan(&market.job());
    assert_eq!(idle, Planned::Nothing(Idle::NoTaker));
}

#[test]
fn a_keeper_with_sixteen_markets_has_no_room_for_another() {
    let mut market = Synthetic::at(ENTRY);
    market.hold_with(1, (100, ENTRY, 4_000), known);
    for (slot, number) in market.own.positions.iter_mut().zip(100..) {
        slot.market = key(number);
    }
    let idle = market.plan(&market.job());
    assert_eq!(idle, Planned::Nothing(Idle::NoTaker));
    market.own.positions[3].market = market.state.address;
    assert!(matches!(market.plan(&market.job()), Planned::Send(_)));
}

#[test]
fn a_keeper_does_not_handle_its_own_position() {
    let own = own_address().to_bytes()[0];
    for margin in [4_000, -500] {
        let mut market = Synthetic::at(ENTRY);
        market.hold(own, (100, ENTRY, margin));
        let plan = sent(market.plan(&market.job()));
        assert_eq!(plan.task, Task::Flag);
    }
    let mut market = Synthetic::at(ENTRY);
    market.hold_with(own, (100, ENTRY, 4_000), known);
    let idle = market.plan(&market.job());
    assert_eq!(idle, Planned::Nothing(Idle::OwnPosition));
}

/// A long of 100 lots with a deficit of 500, which is 1,005 a lot, and winners against it.
fn bankruptcy() -> Synthetic {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, -500))
        .hold(2, (-80, 1_100, 4_000))
        .hold(3, (-80, 1_050, 4_000))
        .hold(4, (-80, 1_020, 9_000));
    market
}

#[test]
fn the_highest_ranked_are_listed_and_a_whole_close_needs_no_flag() {
    let market = bankruptcy();
    let plan = sent(market.plan(&market.job()));
    assert_eq!(plan.task, Task::Deleverage);
    assert_eq!(plan.instructions.len(), 1);
    // Half of each may go; the fourth is a spare that is not there.
    assert_eq!(plan.listed, [key(2), key(3), key(4)]);
    assert_eq!(plan.reads.queue, Some(Side::Short));
    let effect = Effect::Deleveraging {
        lots: 100,
        of_lots: 100,
        cuts: 3,
        insurance_atoms: 0,
    };
    assert_eq!(plan.effect, effect);
}

#[test]
fn a_round_that_leaves_lots_takes_the_flag_along() {
    let mut market = bankruptcy();
    market.options.max_counterparties = 1;
    let plan = sent(market.plan(&market.job()));
    assert_eq!(plan.instructions.len(), 2);
    let flag = ballast::instruction::FlagBankruptcy {};
    assert_eq!(plan.instructions[0].data, flag.data());
    assert_eq!(plan.listed, [key(2)]);
    assert!(matches!(
        plan.effect,
        Effect::Deleveraging {
            lots: 40,
            of_lots: 100,
            cuts: 1,
            ..
        }
    ));
}

#[test]
fn the_book_comes_before_a_round_until_the_grace_period_is_over() {
    let mut market = bankruptcy();
    market.order(11, Side::Long, 1_005, 30);
    let plan = sent(market.plan(&market.job()));
    assert_eq!(plan.task, Task::Liquidate);
    assert!(matches!(
        plan.effect,
        Effect::Liquidation {
            book_lots: 30,
            taken: Fill::NOTHING,
            ..
        }
    ));
    // Below the bankruptcy price it takes nothing.
    let mut market = bankruptcy();
    market.order(11, Side::Long, 1_004, 30);
    assert_eq!(sent(market.plan(&market.job())).task, Task::Deleverage);
    // The bankrupt's own order is cancelled and takes nothing either.
    let mut market = bankruptcy();
    market.order(1, Side::Long, 1_006, 30);
    assert_eq!(sent(market.plan(&market.job())).task, Task::Deleverage);

    let mut market = bankruptcy();
    market.order(11, Side::Long, 1_005, 30);
    market.hold_with(1, (100, ENTRY, -500), |slot| {
        slot.flagged_slot = SLOT - 151;
        slot.bankrupt_slot = SLOT - 151;
        slot.seen_slot = SLOT;
    });
    assert_eq!(sent(market.plan(&market.job())).task, Task::Deleverage);
}

#[test]
fn a_bankruptcy_that_nobody_can_bear_is_flagged() {
    let mut market = Synthetic::at(ENTRY);
    // Insolvent at 1,005.
    market
        .hold(1, (100, ENTRY, -500))
        .hold(2, (-100, ENTRY, 300));
    let jobs = market.evaluate().jobs;
    assert_eq!(jobs[0].task, Task::Deleverage);
    assert_eq!(sent(market.plan(&jobs[0])).task, Task::Flag);
}

#[test]
fn a_trigger_lists_the_makers_within_its_worst_price() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold_with(1, (100, ENTRY, 9_000), |slot| {
            slot.stop_loss = Trigger {
                price_ticks: ENTRY,
                worst_ticks: 980,
                lots: 60,
                placed_lots: 60,
            };
        })
        .order(11, Side::Long, 995, 25)
        .order(12, Side::Long, 980, 10)
        .order(13, Side::Long, 979, 50);
    let job = market.job();
    let plan = sent(market.plan(&job));
    assert_eq!(plan.task, Task::Trigger(TriggerKind::StopLoss));
    assert_eq!(plan.listed, [key(11), key(12)]);
    assert_eq!(plan.effect, Effect::Trigger { lots: 35 });
    market.price(ENTRY + 1, ENTRY);
    assert_eq!(market.plan(&job), Planned::Nothing(Idle::Gone));
}

#[test]
fn a_protective_step_lists_the_makers_within_its_slip() {
    let mut market = Synthetic::at(ENTRY);
    market
        .hold(1, (100, ENTRY, 9_000))
        .order(11, Side::Long, 995, 25)
        .order(12, Side::Long, 980, 10)
        .order(13, Side::Long, 979, 50);
    let ratio = market.ratio_bps(1);
    market.protect(1, ratio + 1, 100);
    let job = market.job();
    let plan = sent(market.plan(&job));
    assert_eq!(plan.task, Task::Protection);
    assert_eq!(plan.listed, [key(11), key(12)]);
    let effect = Effect::Protection {
        lots: 35,
        sequence: 77,
    };
    assert_eq!(plan.effect, effect);
    market.price(ENTRY + 1, ENTRY);
    assert_eq!(market.plan(&job), Planned::Nothing(Idle::Gone));
}

#[test]
fn jobs_whose_position_has_gone_come_to_nothing() {
    let mut market = bankruptcy();
    let job = market.job();
    assert!(market.state.remove_trader(&key(1)));
    assert_eq!(market.plan(&job), Planned::Nothing(Idle::Gone));
    market.hold(1, (100, ENTRY, 9_000));
    assert_eq!(market.plan(&job), Planned::Nothing(Idle::Gone));
}

#[test]
fn a_list_that_is_missing_is_asked_for() {
    let market = bankruptcy();
    let job = market.job();
    let missing = market.try_plan(&job, &Lists::default());
    assert_eq!(missing, Err(PlanError::Missing("the book")));
    let book = Lists {
        book: market.lists().book,
        ..Lists::default()
    };
    let missing = market.try_plan(&job, &book);
    let queue = "the queue of the counterparties";
    assert_eq!(missing, Err(PlanError::Missing(queue)));
}

#[test]
fn a_list_is_as_long_as_the_transaction_has_room() {
    let mut market = Synthetic::at(ENTRY);
    market.options.max_counterparties = 32;
    market.hold(1, (1_000, ENTRY, -5_000));
    for number in 0..32 {
        market.hold(100 + number, (-10, 1_100, 1_000));
    }
    let jobs = market.evaluate().jobs;
    let plan = sent(market.plan(&jobs[0]));
    let fits = |listed: &[Pubkey]| {
        let mut longer = plan.instructions.clone();
        let last = longer.last_mut().unwrap();
        let meta = last.accounts.last().unwrap().clone();
        for trader in listed {
            last.accounts.push(solana_instruction::AccountMeta {
                pubkey: *trader,
                ..meta.clone()
            });
        }
        size(&longer, &key(251), &[]).unwrap()
    };
    assert!(plan.listed.len() > 10 && plan.listed.len() < 32);
    assert!(fits(&[]).fits());
    let longer = fits(&[key(99)]);
    assert!(longer.bytes > MAX_TRANSACTION_BYTES, "{longer:?}");
    assert!(matches!(
        plan.effect,
        Effect::Deleveraging { cuts, lots, .. }
            if cuts == plan.listed.len() && lots == 5 * u64::try_from(cuts).unwrap()
    ));
}
