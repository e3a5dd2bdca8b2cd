//! Every walk and every order of every queue.

use ballast_engine::proof::{best_below, first_skipped, BestFirst, Threshold};
use ballast_engine::queue::{CutStamp, QueueRef};
use ballast_engine::rank::{Exposure, Round};
use ballast_engine::units::Side;

use crate::grid::{for_each_queue, index, kinds, place, rounds, Store, MOST};
use crate::rules::{Census, Rules};

/// A queue of the grid in one round.
struct Case<'a> {
    view: QueueRef<'a>,
    round: &'a Round,
    rules: &'a Rules,
    /// Kinds by index, which is also the age.
    chosen: &'a [usize],
    /// Whether each may be cut.
    cuttable: &'a [bool],
}

impl Case<'_> {
    fn aged(&self, at: usize) -> (usize, u64) {
        (self.chosen[at], u64::try_from(at).expect("small"))
    }

    /// One walk: it names somebody exactly when somebody was passed over, and one of those.
    fn walk(&self, last: Option<(Exposure, (usize, u64))>, ignore: Option<usize>) {
        let over = |at: usize| {
            let above = last.is_none_or(|(_, last)| self.rules.passed_over(self.aged(at), last));
            self.cuttable[at] && Some(at) != ignore && above
        };
        let threshold = last.map_or(Threshold::Everyone, |(last, _)| Threshold::Beyond(last));
        let walk = first_skipped(&self.view, self.round, &threshold, ignore.map(index));
        let walk = walk.expect("sound");
        let right = match walk.skipped {
            Some(found) => over(place(found)),
            None => !(0..self.chosen.len()).any(over),
        };
        assert!(
            right && place(walk.visited) <= self.chosen.len(),
            "{walk:?} of {:?} beyond {last:?} without {ignore:?}: {:?}",
            self.chosen,
            self.round
        );
    }

    /// To the end, to each member with and without its node, and to kinds that have
    /// left, where there was room for one more.
    fn walks(&self, kinds: &[Exposure]) -> u64 {
        self.walk(None, None);
        let members = self.chosen.len();
        for at in 0..members {
            let (kind, age) = self.aged(at);
            let mut exposure = kinds[kind];
            exposure.sequence = age;
            let last = Some((exposure, (kind, age)));
            self.walk(None, Some(at));
            self.walk(last, None);
            self.walk(last, Some(at));
        }
        let left = if members < MOST { kinds } else { &[] };
        for (kind, exposure) in left.iter().enumerate() {
            let mut last = *exposure;
            last.sequence = 1;
            self.walk(Some((last, (kind, 1))), None);
        }
        u64::try_from(1 + 3 * members + left.len()).expect("small")
    }

    fn ranking(&self) -> Vec<u32> {
        let mut places: Vec<usize> = (0..self.chosen.len())
            .filter(|at| self.cuttable[*at])
            .collect();
        places.sort_by(|a, b| self.rules.compare(self.aged(*b), self.aged(*a)));
        places.into_iter().map(index).collect()
    }

    /// Best first is a sort of everybody; below each kind comes the next of it.
    fn order(&self, kinds: &[Exposure]) {
        let ranking = self.ranking();
        let found: Result<Vec<u32>, _> = BestFirst::new(self.view, *self.round)
            .map(|step| step.map(|(index, _)| index))
            .collect();
        assert_eq!(found.as_ref(), Ok(&ranking), "{:?}", self.chosen);
        let left = if ranking.len() < MOST { kinds } else { &[] };
        for (kind, exposure) in left.iter().enumerate() {
            let mut after = *exposure;
            after.sequence = 1;
            let expected = ranking.iter().copied().find(|at| {
                let order = self.rules.compare(self.aged(place(*at)), (kind, 1));
                order == std::cmp::Ordering::Less
            });
            let below = best_below(&self.view, self.round, Some(&after));
            assert_eq!(below, Ok(expected), "{:?} {:?}", self.chosen, self.round);
        }
    }
}

fn check_side(side: Side) {
    let kinds = kinds(side);
    let rounds: Vec<_> = rounds(side)
        .into_iter()
        .map(|round| {
            let exposures: Vec<Exposure> = kinds
                .iter()
                .map(|kind| Exposure::of_position(kind, round.funding_index, 0).expect("small"))
                .collect();
            (round, Rules::new(&round, &kinds), exposures)
        })
        .collect();
    let mut census = Census::default();
    for (_, rules, _) in &rounds {
        census.add(rules);
    }
    assert!(census.is_full(), "{census:?}");
    let (mut queues, mut walks) = (0_u64, 0_u64);
    let mut store = Store::new();
    for_each_queue(kinds.len(), MOST, |chosen| {
        store.fill(side, &kinds, chosen);
        assert_eq!(store.view().invariant(), Ok(()));
        for (round, rules, exposures) in &rounds {
            let cuttable: Vec<bool> = chosen.iter().map(|kind| rules.eligible(*kind)).collect();
            let case = Case {
                view: store.view(),
                round,
                rules,
                chosen,
                cuttable: &cuttable,
            };
            walks += case.walks(exposures);
            case.order(exposures);
        }
        queues += 1;
    });
    println!("{side:?}: {queues} queues, {walks} walks, {census:?}");
}

#[test]
fn every_small_queue_of_longs() {
    check_side(Side::Long);
}

#[test]
fn every_small_queue_of_shorts() {
    check_side(Side::Short);
}

/// Never cut, cut in part in this pass, cut to the cap, cut to the cap of an earlier pass.
fn stamps() -> [CutStamp; 4] {
    let stamp = |epoch, lots, capped_epoch| CutStamp {
        epoch,
        lots,
        capped_epoch,
    };
    [
        stamp(0, 0, 0),
        stamp(2, 1, 0),
        stamp(2, 1, 2),
        stamp(1, 1, 1),
    ]
}

/// With a cap of half, rounded up.
fn may_be_cut(lots: u64, stamp: CutStamp) -> bool {
    let cut = if stamp.epoch >= 2 {
        u64::from(stamp.lots)
    } else {
        0
    };
    stamp.capped_epoch < 2 && cut < (lots + cut).div_ceil(2)
}

#[test]
fn every_stamp_of_every_queue_of_two() {
    let mut walks = 0;
    for side in [Side::Long, Side::Short] {
        let kinds = kinds(side);
        let rounds: Vec<Round> = rounds(side)
            .into_iter()
            .step_by(5)
            .map(|round| Round {
                max_close_bps: 5_000,
                epoch: 2,
                ..round
            })
            .collect();
        for round in &rounds {
            let rules = Rules::new(round, &kinds);
            let exposures: Vec<Exposure> = kinds
                .iter()
                .map(|kind| Exposure::of_position(kind, round.funding_index, 0).expect("small"))
                .collect();
            let mut store = Store::new();
            for_each_queue(kinds.len(), 2, |chosen| {
                for code in 0..4_usize.pow(2) {
                    store.fill(side, &kinds, chosen);
                    store.queue().open_pass(0).expect("the second");
                    let mut cuttable = Vec::new();
                    for (at, kind) in chosen.iter().enumerate() {
                        let stamp = stamps()[(code >> (2 * at)) % 4];
                        store.queue().stamp(index(at), stamp).expect("live");
                        let free = may_be_cut(kinds[*kind].size(), stamp);
                        cuttable.push(free && rules.eligible(*kind));
                    }
                    let case = Case {
                        view: store.view(),
                        round,
                        rules: &rules,
                        chosen,
                        cuttable: &cuttable,
                    };
                    walks += case.walks(&exposures);
                    case.order(&exposures);
                }
            });
        }
    }
    println!("{walks} walks of stamped queues");
    assert!(walks > 100_000);
}
