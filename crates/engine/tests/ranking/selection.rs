//! Selections over several calls choose the same positions as one walk, whatever
//! happens to the queue in between.

use ballast_engine::position::Position;
use ballast_engine::proof::BestFirst;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{compare, Class, Exposure, Ranked, Round};
use ballast_engine::selection::{Selection, MAX_SELECTED, MIN_STEP_NODES};
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_market, cases, position, trader, Dice, Store};
use crate::proof::plain_round;

const SESSION: [u8; 32] = [5; 32];

fn begin(store: &mut Store, round: &Round, wanted: u64) -> Selection {
    Selection::begin(&mut store.queue(), SESSION, round, wanted).expect("nothing under way")
}

fn nodes(selection: &Selection) -> Vec<u32> {
    selection
        .members()
        .iter()
        .map(|member| member.node)
        .collect()
}

/// The highest ranked positions that suffice, by one walk after another.
fn expected(store: &Store, round: &Round, wanted: u64) -> Vec<u32> {
    let mut left = wanted;
    BestFirst::new(store.view(), *round)
        .map(|step| step.expect("sound"))
        .take(MAX_SELECTED)
        .take_while(|(_, entry)| {
            let more = left > 0;
            let cap = round.cap_left(u64::from(entry.lots), entry.stamp());
            left = left.saturating_sub(cap.expect("in range"));
            more
        })
        .map(|(index, _)| index)
        .collect()
}

/// Positions that were there when the selection began, are not in it, and rank above
/// its last member; all that may be cut when it has not found enough.
fn passed_over(store: &Store, round: &Round, selection: &Selection) -> Vec<u32> {
    let view = store.view();
    let enough = selection.found >= selection.wanted || nodes(selection).len() == MAX_SELECTED;
    let last = selection.members().last().filter(|_| enough).map(|member| {
        let totals = ballast_engine::queue::Totals {
            lots: member.lots,
            entry: member.entry,
            bankruptcy: member.bankruptcy,
        };
        Exposure::of_totals(&totals, round.side, round.funding_index, member.sequence)
    });
    view.iter()
        .map(|step| step.expect("sound"))
        .filter(|(_, entry)| entry.sequence < view.header().watch.sequence_limit)
        .filter(|(index, entry)| {
            !selection
                .members()
                .iter()
                .any(|member| member.node == *index && member.sequence == entry.sequence)
        })
        .filter(|(_, entry)| {
            let found = Exposure::of_entry(entry, round.side, round.funding_index);
            let ranked = Ranked::new(round, &found).expect("in range");
            let cap = round.cap_left(u64::from(entry.lots), entry.stamp());
            cap.expect("in range") > 0
                && ranked.class > Class::Ineligible
                && last.as_ref().is_none_or(|last| {
                    compare(round, &found, last) == Ok(std::cmp::Ordering::Greater)
                })
        })
        .map(|(index, _)| index)
        .collect()
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn an_undisturbed_selection_is_the_top_of_the_ranking(
        (round, positions) in any_market(60),
        wanted in 1_u64..200,
        hints in prop::collection::vec(0_u32..70, 0..12),
        stamps in crate::order::any_stamps(60),
    ) {
        let round = Round { rank_tolerance_bps: 0, ..round };
        let mut store = Store::filled(round.side, &positions);
        while store.queue().open_pass(0).expect("few") < 4 {}
        for (number, stamp) in stamps.iter().enumerate().take(positions.len()) {
            let index = u32::try_from(number).expect("small");
            prop_assert_eq!(store.queue().stamp(index, *stamp), Ok(()));
        }
        let expected = expected(&store, &round, wanted);
        let mut selection = begin(&mut store, &round, wanted);
        for hint in hints {
            prop_assert!(selection.offer(&mut store.queue(), hint).is_ok());
        }
        while !selection.advance(&mut store.queue(), 0).expect("under way") {}
        prop_assert!(store.view().header().watch.is_complete());
        prop_assert_eq!(nodes(&selection), expected);
        prop_assert_eq!(store.view().invariant(), Ok(()));
        selection.end(&mut store.queue(), SESSION).expect("under way");
        prop_assert!(store.view().iter().all(|step| !step.expect("sound").1.is_selected()));
        prop_assert!(!store.view().header().watch.is_active());
    }
}

/// A position close to one line of equal scores: bounds help little, ranks and keys
/// are unrelated.
fn near_one_score(dice: &mut Dice, side: Side) -> Position {
    let (lots, gain) = (dice.within(1, 50), dice.within(10, 500));
    let price = match side {
        Side::Long => 1_000 - gain,
        Side::Short => 1_000 + gain,
    };
    let equity = lots * gain * 1_000_000 / price / dice.within(1_900, 2_100);
    let signed = |atoms: u64| i64::try_from(atoms).expect("small");
    let margin = signed(equity) - signed(lots * gain);
    position(side, lots, lots * price, margin, 0)
}

/// Changes of every kind between the steps: positions grow, shrink, move, leave and
/// join, members among them.
#[test]
fn no_change_between_steps_hides_anybody() {
    let (mut rewound, mut missed_members) = (0_u32, 0_u32);
    for seed in 0..50 {
        let mut dice = Dice(seed);
        let side = if seed % 2 == 0 {
            Side::Long
        } else {
            Side::Short
        };
        let positions: Vec<_> = (0..3_000)
            .map(|_| near_one_score(&mut dice, side))
            .collect();
        let mut store = Store::filled(side, &positions);
        let mut round = plain_round(side, 1_000);
        round.max_close_bps = 5_000;
        let mut selection = begin(&mut store, &round, 300);
        let mut steps = 0;
        while !selection
            .advance(&mut store.queue(), MIN_STEP_NODES)
            .expect("under way")
        {
            steps += 1;
            assert!(steps < 2_000, "the selection comes to an end");
            if steps > 60 {
                continue;
            }
            for _ in 0..40 {
                rewound += u32::from(disturb(&mut dice, &mut store, side, &nodes(&selection)));
            }
        }
        assert!(steps > 3, "{steps} steps");
        assert_eq!(passed_over(&store, &round, &selection), Vec::<u32>::new());
        let view = store.view();
        missed_members += selection
            .members()
            .iter()
            .map(|member| u32::from(!member.is_in(&view)))
            .sum::<u32>();
        assert_eq!(view.invariant(), Ok(()));
    }
    assert!(rewound > 50, "{rewound} changes moved the cursor back");
    assert!(missed_members > 0, "members left as well");
}

/// One random change, one in eight of a member; whether it moved the cursor back.
fn disturb(dice: &mut Dice, store: &mut Store, side: Side, members: &[u32]) -> bool {
    let before = store.view().header().watch;
    let any = u32::try_from(dice.within(0, 2_999)).expect("small");
    let index = match members.first() {
        Some(_) if any.is_multiple_of(8) => members[any as usize / 8 % members.len()],
        _ => any,
    };
    let alive = store.view().entry(index).is_ok();
    let position = near_one_score(dice, side);
    match dice.within(0, 5) {
        0 if alive => store.queue().remove(index).expect("live"),
        1 if !alive => drop(store.queue().insert(trader(7), &position)),
        _ if alive => store.queue().update(index, &position).expect("live"),
        _ => {}
    }
    store.view().header().watch != before
}

/// A position the walk has passed and that then rises is found again; a member may
/// change as it likes without costing the walk a step.
#[test]
fn a_riser_brings_the_cursor_back_and_a_member_does_not() {
    let side = Side::Long;
    let line = |price: u64, margin: i64| position(side, 10, 10 * price, margin, 0);
    let mut positions: Vec<_> = (0..600).map(|step| line(500 + step / 2, 4_000)).collect();
    positions[599] = line(799, 200);
    let mut store = Store::filled(side, &positions);
    let round = plain_round(side, 1_000);
    let mut selection = begin(&mut store, &round, 10);
    assert_eq!(selection.offer(&mut store.queue(), 599), Ok(true));
    while !selection.advance(&mut store.queue(), 0).expect("under way") {}
    let end = store.view().header().watch;
    assert!(end.is_complete());

    store.queue().update(599, &line(600, 150)).expect("live");
    assert_eq!(store.view().header().watch, end, "a member");
    store.queue().update(3, &line(501, 3_900)).expect("live");
    assert_eq!(store.view().header().watch, end, "not high enough");
    store
        .queue()
        .insert(trader(9), &line(900, 10))
        .expect_err("no room");
    store.queue().update(3, &line(501, -3_900)).expect("live");
    assert!(!store.view().header().watch.is_complete());
    while !selection.advance(&mut store.queue(), 0).expect("under way") {}
    assert_eq!(nodes(&selection), [3]);
    assert!(!store.view().entry(599).expect("live").is_selected());
}

/// A member that rises and is then let go, because better ones suffice by its rank as
/// it was, is judged again by its rank as it is.
#[test]
fn a_member_that_rose_and_was_let_go_is_met_again() {
    let line = |price: u64, margin: i64| position(Side::Long, 10, 10 * price, margin, 0);
    // By falling rank: the third, the second, the first.
    let positions = [line(600, 3_000), line(700, 1_000), line(800, 100)];
    let mut store = Store::filled(Side::Long, &positions);
    let round = plain_round(Side::Long, 1_000);
    let mut selection = begin(&mut store, &round, 10);
    assert_eq!(selection.offer(&mut store.queue(), 0), Ok(true));
    while !selection.advance(&mut store.queue(), 0).expect("under way") {}
    let best = nodes(&selection);
    assert_eq!(best.len(), 1);
    let member = best[0];
    let others: Vec<u32> = (0..3).filter(|node| *node != member).collect();
    // The member rises above everybody, then another rises above what it was.
    store
        .queue()
        .update(member, &line(500, -4_950))
        .expect("live");
    assert!(store.view().header().watch.is_complete());
    store
        .queue()
        .update(others[0], &line(510, -4_500))
        .expect("live");
    while !selection.advance(&mut store.queue(), 0).expect("under way") {}
    assert_eq!(passed_over(&store, &round, &selection), Vec::<u32>::new());
    assert_eq!(nodes(&selection), [member]);
}

/// Who joins later stands outside, at the top of the ranking or not.
#[test]
fn newcomers_stand_outside() {
    let side = Side::Short;
    let line = |price: u64, margin: i64| position(side, 10, 10 * price, margin, 0);
    let positions: Vec<_> = (0..20).map(|step| line(1_100 + step, 2_000)).collect();
    let mut store = Store::filled(side, &positions);
    store.queue().remove(0).expect("live");
    let round = plain_round(side, 1_000);
    let mut selection = begin(&mut store, &round, 10);
    let newcomer = store.queue().insert(trader(9), &line(1_500, -4_900));
    let newcomer = newcomer.expect("a freed node");
    assert_eq!(selection.offer(&mut store.queue(), newcomer), Ok(false));
    while !selection.advance(&mut store.queue(), 0).expect("under way") {}
    assert_eq!(nodes(&selection), [19]);
}

#[test]
fn one_selection_at_a_time_and_only_while_it_lasts() {
    let mut store = Store::filled(Side::Long, &[position(Side::Long, 1, 900, 100, 0)]);
    let round = plain_round(Side::Long, 1_000);
    let mut queue = store.queue();
    assert_eq!(
        Selection::begin(&mut queue, SESSION, &round, 0),
        Err(EngineError::ZeroLots)
    );
    assert_eq!(
        Selection::begin(&mut queue, SESSION, &plain_round(Side::Short, 1_000), 1),
        Err(EngineError::WrongSide)
    );
    let mut selection = Selection::begin(&mut queue, SESSION, &round, 1).expect("the first");
    assert_eq!(
        Selection::begin(&mut queue, [6; 32], &round, 1),
        Err(EngineError::SelectionUnderWay)
    );
    assert_eq!(selection.end(&mut queue, [6; 32]), Ok(()));
    assert!(queue.as_ref().header().watch.is_active(), "not its own");
    assert_eq!(selection.end(&mut queue, SESSION), Ok(()));
    assert_eq!(
        selection.advance(&mut queue, 0),
        Err(EngineError::NoSelection)
    );
    assert_eq!(
        selection.offer(&mut queue, 0),
        Err(EngineError::NoSelection)
    );
    assert_eq!(queue.stamp(0, CutStamp::default()), Ok(()));
}
