//! Every list a keeper could submit for every queue of up to three positions.

use std::cmp::Ordering;

use ballast_engine::adl::{Bankruptcy, Cut, CutDone, Deleveraging};
use ballast_engine::position::Position;
use ballast_engine::proof::first_skipped;
use ballast_engine::queue::CutStamp;
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, Bps, FundingIndex, LotPrice, Lots, Side};
use ballast_engine::EngineError;

use crate::grid::{for_each_queue, index, kinds, place, Store};
use crate::rules::Rules;

/// A bankruptcy of the grid.
#[derive(Clone, Copy, Debug)]
struct Scene {
    side: Side,
    mark: LotPrice,
    funding: FundingIndex,
    lots: u64,
    deficit: u64,
    params: AdlParams,
}

impl Scene {
    fn begin(&self) -> Deleveraging {
        let worth = i64::try_from(self.mark.notional(self.lots).expect("small")).expect("small");
        let deficit = i64::try_from(self.deficit).expect("small");
        let bankrupt_side = self.side.opposite();
        let position = Position {
            lots: Lots::on_side(bankrupt_side, self.lots).expect("few"),
            entry_quote: Atoms::new(if bankrupt_side == Side::Long {
                worth
            } else {
                -worth
            }),
            margin: Atoms::new(-deficit),
            funding_index: self.funding,
        };
        Deleveraging::begin(&Bankruptcy {
            position,
            mark: self.mark,
            funding_index: self.funding,
            insurance_available: 0,
            past_grace: false,
            taker: None,
            max_lots: u64::MAX,
            least_lots: 0,
            params: &self.params,
            epoch: 1,
            passes: 1,
        })
        .expect("a bankruptcy")
    }

    /// What the first `lots` close at in total, by the rule: rounded once, in the
    /// counterparties' favour.
    fn quote(&self, lots: u64) -> i64 {
        let (lots, all) = (i64::try_from(lots).expect("few"), self.lots);
        let all = i64::try_from(all).expect("few");
        let deficit = i64::try_from(self.deficit).expect("small");
        let worth = i64::try_from(self.mark.get()).expect("small") * lots;
        // The part of the deficit is rounded down: longs receive and shorts pay the rest.
        let part = (deficit * lots).div_euclid(all);
        match self.side {
            Side::Long => worth - part,
            Side::Short => worth + part,
        }
    }
}

fn scenes(side: Side) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (mark, funding) in [(4, 0), (5, 0), (5, 1), (6, -1)] {
        for (lots, deficit) in [(1, 1), (2, 1), (3, 2), (5, 7), (200, 100)] {
            for (max_close_bps, rank_tolerance_bps) in [(10_000, 0), (5_000, 0), (5_000, 500)] {
                scenes.push(Scene {
                    side,
                    mark: LotPrice::new(mark).expect("small"),
                    funding: FundingIndex::new(funding),
                    lots,
                    deficit,
                    params: AdlParams {
                        rank_tolerance_bps,
                        max_close_bps,
                        ..AdlParams::default()
                    },
                });
            }
        }
    }
    scenes
}

/// One call under way, next to what the rules expect of it.
struct Call<'a> {
    scene: &'a Scene,
    kinds: &'a [Position],
    chosen: &'a [usize],
    engine: Deleveraging,
    store: &'a mut Store,
    cut: Vec<usize>,
    closed: u64,
}

impl Call<'_> {
    fn position(&self, at: usize) -> &Position {
        &self.kinds[self.chosen[at]]
    }

    fn cut(&mut self, at: usize) -> Result<Cut, EngineError> {
        let sequence = u64::try_from(at).expect("small");
        let position = *self.position(at);
        self.engine.cut(&position, sequence, CutStamp::default())
    }

    /// Cuts as deep as the rules say, and follows it in the queue.
    fn apply(&mut self, at: usize, done: &CutDone) {
        let held = self.position(at).size();
        let cap = Bps::new(self.scene.params.max_close_bps).ceil_of(held);
        let lots = cap.expect("few").min(self.scene.lots - self.closed);
        assert_eq!(done.lots, lots);
        let quote = self.scene.quote(self.closed + lots) - self.scene.quote(self.closed);
        assert_eq!(done.quote.get(), quote);
        self.closed += lots;
        self.cut.push(at);
        let after = &done.position_after;
        assert_eq!(after.size() + lots, held);
        assert!(!after.equity(self.scene.mark).expect("small").is_negative());
        // Nothing is made: margin and payout are the old margin, less funding, plus the result.
        let before = self.position(at).settle(self.scene.funding).expect("small");
        let paid = if self.scene.side == Side::Long {
            -quote
        } else {
            quote
        };
        let wealth = |position: &Position| position.margin.get() - position.entry_quote.get();
        let gained = wealth(after) + done.payout.get() - wealth(&before);
        assert_eq!(gained, -paid, "{:?}", self.scene);
        let mut queue = self.store.queue();
        if after.is_empty() {
            queue.remove(index(at)).expect("live");
        } else {
            queue
                .update_cut(index(at), after, done.stamp)
                .expect("live");
        }
    }

    /// The walk after the cuts finds somebody exactly when the rules do.
    fn prove(&self, rules: &Rules) -> bool {
        let Some(last) = self.cut.last() else {
            return false;
        };
        let aged = |at: usize| (self.chosen[at], u64::try_from(at).expect("small"));
        let over = |at: usize| !self.cut.contains(&at) && rules.passed_over(aged(at), aged(*last));
        let view = self.store.view();
        let ignore = view.entry(index(*last)).is_ok().then(|| index(*last));
        let threshold = self.engine.threshold();
        let walk = first_skipped(&view, self.engine.round(), &threshold, ignore).expect("sound");
        let expected = (0..self.chosen.len()).any(over);
        match walk.skipped {
            Some(found) => assert!(over(place(found)), "{:?}", self.scene),
            None => assert!(!expected, "{:?} {:?}", self.scene, self.chosen),
        }
        expected
    }
}

#[derive(Debug, Default)]
struct Tally {
    accepted: u32,
    skipped_somebody: u32,
    out_of_order: u32,
    closed_all: u32,
}

/// Runs one list and sorts it by what became of it.
fn run(call: &mut Call<'_>, rules: &Rules, list: &[usize], tally: &mut Tally) {
    let aged = |at: usize, chosen: &[usize]| (chosen[at], u64::try_from(at).expect("small"));
    let mut last: Option<usize> = None;
    for at in list {
        let outcome = call.cut(*at);
        let mine = aged(*at, call.chosen);
        if !rules.eligible(mine.0) || call.closed == call.scene.lots {
            assert!(matches!(outcome, Ok(Cut::Skipped(_))), "{outcome:?}");
            continue;
        }
        let below =
            last.is_none_or(|last| rules.compare(mine, aged(last, call.chosen)) == Ordering::Less);
        match outcome {
            Ok(Cut::Done(done)) if below => call.apply(*at, &done),
            Err(EngineError::AdlOutOfOrder) if !below => {
                tally.out_of_order += 1;
                return;
            }
            other => panic!("{other:?} for {:?} of {:?}", list, call.scene),
        }
        last = Some(*at);
    }
    let summary = call.engine.finish().expect("no overshoot");
    assert_eq!(summary.lots, call.closed);
    assert_eq!(
        summary.gave_up,
        call.scene.deficit * call.closed / call.scene.lots
    );
    if call.prove(rules) {
        tally.skipped_somebody += 1;
    } else {
        tally.accepted += 1;
    }
    if call.closed == call.scene.lots {
        assert_eq!(call.engine.bankrupt_after(), Ok(emptied(call.scene)));
        tally.closed_all += 1;
    }
}

fn emptied(scene: &Scene) -> Position {
    Position {
        funding_index: scene.funding,
        ..Position::default()
    }
}

/// Every ordered choice of distinct places below `count`.
fn lists(count: usize) -> Vec<Vec<usize>> {
    let mut lists = vec![vec![]];
    let mut from = 0;
    while from < lists.len() {
        let list = lists[from].clone();
        from += 1;
        for at in (0..count).filter(|at| !list.contains(at)) {
            let mut longer = list.clone();
            longer.push(at);
            lists.push(longer);
        }
    }
    lists
}

fn check_side(side: Side) {
    let kinds = kinds(side);
    let lists: Vec<_> = (0..=3).map(lists).collect();
    let mut tally = Tally::default();
    let mut store = Store::new();
    for scene in scenes(side) {
        let rules = Rules::new(scene.begin().round(), &kinds);
        for_each_queue(kinds.len(), 3, |chosen| {
            for list in &lists[chosen.len()] {
                store.fill(side, &kinds, chosen);
                let mut call = Call {
                    scene: &scene,
                    kinds: &kinds,
                    chosen,
                    engine: scene.begin(),
                    store: &mut store,
                    cut: Vec::new(),
                    closed: 0,
                };
                run(&mut call, &rules, list, &mut tally);
            }
        });
    }
    println!("{side:?}: {tally:?}");
    let counts = [
        tally.accepted,
        tally.skipped_somebody,
        tally.out_of_order,
        tally.closed_all,
    ];
    assert!(counts.iter().all(|count| *count > 1_000), "{tally:?}");
}

#[test]
fn every_list_over_longs() {
    check_side(Side::Long);
}

#[test]
fn every_list_over_shorts() {
    check_side(Side::Short);
}
