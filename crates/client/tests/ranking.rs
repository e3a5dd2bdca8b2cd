//! A queue read back: positions to the atom, the ranking in the engine's order.

use core::cmp::Ordering;

use ballast_client::ranking::{position_of, ranking};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::rank::{compare, Class, ClosePrice, Exposure, Round};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};
use ballast_state::Pubkey;

const PRESENT: FundingIndex = FundingIndex::new(7);

fn position(side: Side, n: u64) -> Position {
    let sign = if side == Side::Long { 1 } else { -1 };
    let size = 1_000 + n * 37 % 911;
    let quote = i64::try_from(size * (180_000 + n * 7_919 % 40_000)).unwrap();
    Position {
        lots: Lots::on_side(side, size).unwrap(),
        entry_quote: Atoms::new(sign * (quote + 1)),
        margin: Atoms::new(quote / (1 + i64::try_from(n % 19).unwrap()) - 3),
        funding_index: FundingIndex::new(i64::try_from(n % 5).unwrap() - 2),
    }
}

fn queue_of(side: Side, positions: &[Position]) -> Vec<u64> {
    let mut words = vec![0_u64; queue_size(positions.len()).unwrap().div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Queue::create(bytes, [1; 32], side).unwrap();
    let mut queue = Queue::new(bytes).unwrap();
    for (n, position) in (0_u8..).zip(positions) {
        queue.insert([n; 32], position).unwrap();
    }
    words
}

#[test]
fn positions_come_back_settled_and_the_ranking_is_the_engines() {
    for side in [Side::Long, Side::Short] {
        let positions: Vec<_> = (0..150).map(|n| position(side, n)).collect();
        let words = queue_of(side, &positions);
        let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
        for (node, entry) in queue.iter().map(Result::unwrap) {
            let expected = positions[usize::from(entry.trader[0])].settle(PRESENT);
            assert_eq!(position_of(entry, side, PRESENT), expected, "node {node}");
        }

        let round = Round {
            side,
            mark: LotPrice::new(200_000).unwrap(),
            close: ClosePrice {
                quote: 200_000,
                lots: 1,
            },
            funding_index: PRESENT,
            min_profit_bps: 10,
            rank_tolerance_bps: 0,
            max_close_bps: 5_000,
            least_lots: 0,
            epoch: 1,
        };
        let ranked = ranking(&queue, &round).unwrap();
        assert_eq!(ranked.len(), positions.len());
        let exposure = |n: usize| {
            let entry = ranked[n];
            Exposure::of_position(&entry.position, PRESENT, entry.sequence).unwrap()
        };
        for n in 1..ranked.len() {
            let order = compare(&round, &exposure(n - 1), &exposure(n));
            assert_eq!(order, Ok(Ordering::Greater), "place {n}");
            assert!(ranked[n - 1].light >= ranked[n].light);
        }
        assert_eq!(ranked[0].light, 5);
        assert_eq!(ranked[0].class, Class::Winner);
        let node = queue.entry(ranked[0].node).unwrap();
        assert_eq!(Pubkey::new_from_array(node.trader), ranked[0].trader);
    }
}
