//! Small scopes: every pair of accounts of two legs, every mark of the grid. No walk lets a healthy account
//! pass that ranks above the last one cut, and one over fresh records refuses nobody but for them.

use core::cmp::Ordering;

use ballast_engine::cross::board::{Drifts, Report};
use ballast_engine::cross::entry::{Moment, Weakness};
use ballast_engine::cross::record::record;
use ballast_engine::cross::walk::{first_skipped_account, Evidence};
use ballast_engine::cross::{Account, Board, Slack, Values, SLACK};
use ballast_engine::fixtures::risk::{small_market, tier};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{ClosePrice, Exposure, Ranked, Round};
use ballast_engine::units::{Atoms, FundingIndex, Side};
use bytemuck::Zeroable;

use crate::fixture::{legs, mark, position, Market};
use crate::structure::Store;

const BPS: u32 = 500;
/// Records that flatter by nothing.
const NONE: Slack = Slack {
    percent: 0,
    fresh_percent: 0,
};

const fn moment(slot: u64) -> Moment {
    Moment { base: 0, slot }
}

fn market(atoms: u64) -> Market {
    let mut params = small_market();
    params.tiers[0] = tier(1 << 40, 2 * BPS, BPS);
    params.tier_count = 1;
    Market::new(params, atoms, 0)
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    own: Position,
    other: Position,
    pool: i64,
}

/// Every account of the grid: a leg on `side` and one on either side of another market.
fn kinds(side: Side) -> Vec<Kind> {
    let sign = if side == Side::Long { 1 } else { -1 };
    let mut kinds = Vec::new();
    for (size, entry) in [(1, 80), (1, 100), (3, 90), (3, 120)] {
        for other in [-4, 2, 4] {
            for pool in [5, 25, 60, 150, 400] {
                kinds.push(Kind {
                    own: position(sign * size, entry, 0, 0),
                    other: position(other, 100, 0, 0),
                    pool,
                });
            }
        }
    }
    kinds
}

impl Kind {
    fn values(&self, markets: &[Market; 2]) -> (Values, Position) {
        let legs = legs(markets, &[self.own, self.other]);
        let account = Account {
            pool: Atoms::new(self.pool),
            legs: &legs,
        };
        let values = account.values().expect("small");
        (values, account.with_everything(&values, 0).expect("a leg"))
    }

    fn recorded(&self, markets: &[Market; 2]) -> Position {
        let rest = self.values(markets).0.rest(0).expect("a leg");
        record(&self.own, rest).expect("small")
    }
}

fn report(market: &Market, slot: u64) -> Report {
    Report {
        terms: market.terms,
        mark: market.mark,
        funding_index: market.funding,
        publish_time: 0,
        slot,
    }
}

fn round(side: Side, at: u64, beyond: i64, rank_tolerance_bps: u32) -> Round {
    let worth = 2 * i64::try_from(at).expect("small");
    let quote = match side {
        Side::Long => worth - beyond,
        Side::Short => worth + beyond,
    };
    Round {
        side,
        mark: mark(at, 0).price,
        close: ClosePrice { quote, lots: 2 },
        funding_index: FundingIndex::ZERO,
        min_profit_bps: 100,
        rank_tolerance_bps,
        max_close_bps: 10_000,
        least_lots: 0,
        epoch: 1,
    }
}

/// What the rule says of `found`, by exact rank.
fn above(round: &Round, found: &Ranked, last: &Ranked) -> bool {
    match found.class.cmp(&last.class) {
        Ordering::Equal if round.rank_tolerance_bps == 0 => {
            found.compare(last).expect("small") == Ordering::Greater
        }
        Ordering::Equal => found
            .score
            .beats(&last.score, round.rank_tolerance_bps)
            .expect("small"),
        order => order == Ordering::Greater,
    }
}

struct Scope {
    side: Side,
    before: [Market; 2],
    now: [Market; 2],
    drifts: Drifts,
}

impl Scope {
    /// Records made at 100 in both markets; then both have moved.
    fn new(side: Side, at: [u64; 2], slack: Slack) -> Self {
        let before = [market(100), market(100)];
        let now = [market(at[0]), market(at[1])];
        let mut board = Board::zeroed();
        for (place, market) in before.iter().enumerate() {
            let key = [u8::try_from(place).unwrap(); 32];
            board.add(key, 0, 100, &report(market, 1)).unwrap();
        }
        board.record(1, &report(&now[1], 2)).unwrap();
        board.conclude().unwrap();
        let drifts = board
            .drifts(0, now[0].mark.price, now[0].funding, BPS, slack)
            .unwrap();
        Self {
            side,
            before,
            now,
            drifts,
        }
    }

    /// The second of two was cut or, where `last` is `None`, nobody: whether a walk that knows only the
    /// second asks for the first.
    fn asks(&self, pair: [&Kind; 2], round: &Round, last: Option<&Ranked>) -> bool {
        let mut store = Store::new(self.side, 2);
        for kind in pair {
            let stored = kind.recorded(&self.before);
            store
                .queue()
                .insert([1; 32], &stored, moment(1))
                .expect("room");
        }
        let evidence = Evidence::Health {
            drifts: &self.drifts,
            maintenance_bps: BPS,
        };
        let walk = first_skipped_account(&store.view(), round, last, &evidence, &[1], 5);
        let walk = walk.expect("sound");
        assert!(walk.visited <= 2 && walk.skipped != Some(1));
        walk.skipped.is_some()
    }

    fn ranked(&self, kind: &Kind, round: &Round, sequence: u64) -> (Values, Ranked) {
        let (values, position) = kind.values(&self.now);
        let exposure = Exposure::of_position(&position, FundingIndex::ZERO, sequence).unwrap();
        (values, Ranked::of_account(round, &exposure).unwrap())
    }
}

fn each_scope(visit: impl Fn(Side, [u64; 2])) {
    for side in [Side::Long, Side::Short] {
        for own in [90, 100, 110] {
            for other in [92, 100, 108] {
                visit(side, [own, other]);
            }
        }
    }
}

#[test]
fn nobody_healthy_is_passed_over_whatever_the_records_say() {
    let counts = core::cell::Cell::new((0_u64, 0_u64, 0_u64));
    each_scope(|side, at| {
        let scope = Scope::new(side, at, SLACK);
        let kinds = kinds(side);
        for (beyond, tolerance) in [(0, 500), (5, 100), (24, 500)] {
            let round = round(side, at[0], beyond, tolerance);
            for last in &kinds {
                let (_, cut) = scope.ranked(last, &round, 2);
                for kind in &kinds {
                    let (values, exact) = scope.ranked(kind, &round, 1);
                    let asks = scope.asks([kind, last], &round, Some(&cut));
                    let wanted = values.is_healthy() && above(&round, &exact, &cut);
                    assert!(asks || !wanted, "{kind:?} {last:?} {round:?} {at:?}");
                    let (walks, asked, needed) = counts.get();
                    counts.set((
                        walks + 1,
                        asked + u64::from(asks),
                        needed + u64::from(wanted),
                    ));
                }
            }
        }
    });
    let (walks, asked, needed) = counts.get();
    println!("{walks} walks: {needed} had to ask, {asked} asked");
    assert!(walks > 150_000 && needed > 20_000 && asked < walks);
}

#[test]
fn over_fresh_records_a_walk_asks_exactly_for_those_who_rank_above() {
    let counts = core::cell::Cell::new((0_u64, 0_u64));
    each_scope(|side, at| {
        let scope = Scope {
            before: [market(at[0]), market(at[1])],
            ..Scope::new(side, at, NONE)
        };
        let scope = Scope {
            drifts: fresh(at),
            ..scope
        };
        let kinds = kinds(side);
        for (beyond, tolerance) in [(5, 100), (24, 0)] {
            let round = round(side, at[0], beyond, tolerance);
            for last in &kinds {
                let (_, cut) = scope.ranked(last, &round, 2);
                for kind in &kinds {
                    let (values, exact) = scope.ranked(kind, &round, 1);
                    if !values.is_healthy() {
                        continue;
                    }
                    let asks = scope.asks([kind, last], &round, Some(&cut));
                    let wanted = above(&round, &exact, &cut);
                    let equal = exact.score.compare(&cut.score) == Ordering::Equal;
                    // Ages tell equals apart in a tree, not in this comparison of kinds.
                    if tolerance > 0 || !equal {
                        assert_eq!(asks, wanted, "{kind:?} {last:?} {round:?}");
                    }
                    let (walks, asked) = counts.get();
                    counts.set((walks + 1, asked + u64::from(asks)));
                }
            }
        }
    });
    let (walks, asked) = counts.get();
    println!("{walks} walks, {asked} asked");
    assert!(asked > 10_000 && walks > 2 * asked);
}

/// Nothing has moved since the records, and no slack.
fn fresh(at: [u64; 2]) -> Drifts {
    let mut board = Board::zeroed();
    for (place, at) in at.into_iter().enumerate() {
        let key = [u8::try_from(place).unwrap(); 32];
        board.add(key, 0, 100, &report(&market(at), 1)).unwrap();
    }
    let funding = FundingIndex::ZERO;
    board
        .drifts(0, mark(at[0], 0).price, funding, BPS, NONE)
        .unwrap()
}

/// A queue of one leg of one account, in a round that nobody was cut in.
fn alone(kind: &Kind, side: Side) -> (Store, Scope, Round) {
    let scope = Scope::new(side, [100, 100], SLACK);
    let mut store = Store::new(side, 1);
    let stored = kind.recorded(&scope.before);
    store
        .queue()
        .insert([1; 32], &stored, moment(1))
        .expect("room");
    (store, scope, round(side, 100, 5, 500))
}

#[test]
fn to_the_end_everybody_is_asked_for_but_the_capped_the_known_and_the_witnessed() {
    for side in [Side::Long, Side::Short] {
        for kind in kinds(side) {
            let (mut store, scope, round) = alone(&kind, side);
            let health = Evidence::Health {
                drifts: &scope.drifts,
                maintenance_bps: BPS,
            };
            let asks = |store: &Store, evidence: &Evidence<'_>, known: &[u32], slot| {
                let view = store.view();
                let walk = first_skipped_account(&view, &round, None, evidence, known, slot);
                walk.expect("sound").skipped.is_some()
            };
            assert!(asks(&store, &health, &[], 100));
            assert!(!asks(&store, &health, &[0], 100));
            // As recorded, those without equity are passed over.
            let (values, _) = kind.values(&scope.before);
            let has_equity = values.equity.positive_part() > 0;
            assert_eq!(asks(&store, &Evidence::Record, &[], 100), has_equity);
            let stored = kind.recorded(&scope.before);
            let below = Weakness::BelowMaintenance;
            store
                .queue()
                .witness(0, &stored, moment(100), below)
                .unwrap();
            assert!(!asks(&store, &health, &[], 125));
            assert!(asks(&store, &health, &[], 126));
            store.queue().record(0, &stored, moment(100)).unwrap();
            assert!(asks(&store, &health, &[], 125));
            let stamp = CutStamp {
                epoch: 1,
                lots: 1,
                capped_epoch: 1,
            };
            store
                .queue()
                .record_cut(0, &stored, moment(100), stamp)
                .unwrap();
            assert!(!asks(&store, &health, &[], 125));
            let view = store.view();
            let wrong = Round {
                side: side.opposite(),
                ..crate::completeness::round(side.opposite(), 100, 5, 500)
            };
            let refused = first_skipped_account(&view, &wrong, None, &health, &[], 1);
            assert!(refused.is_err());
        }
    }
}
