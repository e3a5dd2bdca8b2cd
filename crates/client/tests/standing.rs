//! A trader's standing is its line of the whole ranking.

use ballast_client::moment::Moment;
use ballast_client::ranking::ranking;
use ballast_client::standing::{band_around, first_at, round_at, standing};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, CutStamp, Queue, QueueRef, PASS_SLOTS};
use ballast_engine::standing::Band;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side, Ticks};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use bytemuck::Zeroable;

/// Quote atoms of a lot at a tick.
const TICK: u64 = 10;
const SLOT: u64 = 77;

fn queue_of(side: Side, count: u64) -> Vec<u64> {
    let mut words = vec![0_u64; queue_size(200).unwrap().div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Queue::create(bytes, [1; 32], side).unwrap();
    let mut queue = Queue::new(bytes).unwrap();
    let sign = if side == Side::Long { 1 } else { -1 };
    for n in 0..count {
        let lots = i64::try_from(1 + n * 37 % 91).unwrap();
        let entry = i64::try_from(8_000 + n * 7_919 % 4_000).unwrap() * lots;
        let position = Position {
            lots: Lots::new(sign * lots).unwrap(),
            entry_quote: Atoms::new(sign * entry),
            margin: Atoms::new(entry / (1 + i64::try_from(n % 19).unwrap())),
            funding_index: FundingIndex::ZERO,
        };
        queue.insert([5; 32], &position).unwrap();
    }
    words
}

fn market() -> Market {
    let mut market = Market::zeroed();
    market.oracle.atoms_per_lot_tick = TICK;
    market.risk.adl.max_close_bps = 5_000;
    market.risk.adl.min_profit_bps = 10;
    market
}

fn at(price_ticks: u64, slot: u64) -> Moment {
    Moment {
        slot,
        unix_timestamp: 0,
        price_ticks,
    }
}

#[test]
fn a_standing_is_a_line_of_the_ranking() {
    let market = market();
    let moment = at(1_000, SLOT);
    for side in [Side::Long, Side::Short] {
        let words = queue_of(side, 150);
        let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
        let round = round_at(&market, &queue, &moment).unwrap();
        let (mut lots, mut lights) = (0, [false; 6]);
        for (rank, line) in (0_u32..).zip(ranking(&queue, &round).unwrap()) {
            let found = standing(&market, &queue, &moment, line.node).unwrap();
            let place = found.standing;
            assert_eq!((place.rank, place.light), (rank, line.light));
            assert_eq!(place.ranked.class, line.class);
            assert_eq!((place.lots_ahead, found.score_q32), (lots, line.score_q32));
            assert_eq!(place.notional_ahead, u128::from(lots * 1_000 * TICK));
            assert_eq!(
                (found.position, found.cap_left),
                (line.position, line.cap_left)
            );
            lots += line.position.size();
            lights[usize::from(line.light)] = true;
        }
        assert_eq!(lights, [true; 6], "{side:?}: every indicator occurs");
        let none = standing(&market, &queue, &moment, 190);
        assert_eq!(none.err(), Some(EngineError::NodeNotFound));
    }
}

#[test]
fn at_the_price_to_be_first_a_trader_is_first() {
    let market = market();
    let present = at(1_000, SLOT);
    let (mut found, mut never) = (0, 0);
    for side in [Side::Long, Side::Short] {
        let words = queue_of(side, 40);
        let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
        for node in 0..40 {
            let rank = |ticks| {
                let there = standing(&market, &queue, &at(ticks, SLOT), node).unwrap();
                (there.standing.rank, there.standing.light)
            };
            let band = band_around(1_000, 2);
            let Some(ticks) = first_at(&market, &queue, &present, node, band).unwrap() else {
                never += 1;
                continue;
            };
            assert_eq!(rank(ticks), (0, 5), "{side:?} {node} at {ticks}");
            let nearer = if ticks > 1_000 { ticks - 1 } else { ticks + 1 };
            assert!(ticks == 1_000 || rank(nearer).0 > 0 || rank(nearer).1 == 0);
            found += 1;
        }
    }
    assert!(found > 4 && never > 4, "{found} {never}");
}

/// Cuts of a pass that still lasts count, those of an older one do not.
#[test]
fn caps_are_those_of_the_pass_a_bankruptcy_would_join() {
    let market = market();
    let mut words = queue_of(Side::Long, 1);
    let mut queue = Queue::new(bytemuck::cast_slice_mut(&mut words)).unwrap();
    let epoch = queue.open_pass(SLOT).unwrap();
    let capped = CutStamp {
        epoch,
        lots: 1,
        capped_epoch: epoch,
    };
    queue.stamp(0, capped).unwrap();
    let left = |slot| {
        let moment = at(1_000, slot);
        let found = standing(&market, &queue.as_ref(), &moment, 0).unwrap();
        (found.standing.rank, found.cap_left)
    };
    assert_eq!(left(SLOT + PASS_SLOTS), (0, 0));
    assert_eq!(left(SLOT + PASS_SLOTS + 1), (0, 1));
}

#[test]
fn a_band_is_by_how_many_times_the_price_may_move() {
    let band = |lowest, highest| Band {
        lowest: Ticks::new(lowest),
        highest: Ticks::new(highest),
    };
    assert_eq!(band_around(1_000, 4), band(250, 4_000));
    assert_eq!(band_around(3, 4), band(1, 12));
    assert_eq!(band_around(3, 0), Band::ALL);
}
