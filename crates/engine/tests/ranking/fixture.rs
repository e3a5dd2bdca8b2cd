//! Queues in memory, and generators of positions and rounds.

use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::rank::{ClosePrice, Round};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side, MAX_LOTS, MAX_LOT_PRICE};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

pub const MARKET: [u8; 32] = [7; 32];

/// The same cases in every run.
pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        rng_seed: RngSeed::Fixed(0x00ba_11a5),
        failure_persistence: None,
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

/// Bytes of a queue, aligned to 8.
#[derive(Clone)]
pub struct Store(Vec<u64>);

impl Store {
    pub fn new(side: Side, capacity: usize) -> Self {
        let bytes = queue_size(capacity).expect("small");
        let mut store = Self(vec![0; bytes.div_ceil(8)]);
        Queue::create(store.bytes(), MARKET, side).expect("aligned");
        store
    }

    /// A queue of these positions, inserted in order.
    pub fn filled(side: Side, positions: &[Position]) -> Self {
        let mut store = Self::new(side, positions.len().max(1));
        for (number, position) in positions.iter().enumerate() {
            let index = store.queue().insert(trader(number), position);
            assert_eq!(index, Ok(u32::try_from(number).expect("small")));
        }
        store
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }

    pub fn queue(&mut self) -> Queue<'_> {
        Queue::new(self.bytes()).expect("a queue")
    }

    pub fn view(&self) -> QueueRef<'_> {
        QueueRef::new(bytemuck::cast_slice(&self.0)).expect("a queue")
    }
}

pub fn trader(number: usize) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&u64::try_from(number).expect("small").to_le_bytes());
    key
}

/// A position; `lots` and `entry` without sign.
pub fn position(side: Side, lots: u64, entry: u64, margin: i64, funding: i64) -> Position {
    let entry = i64::try_from(entry).expect("within range");
    Position {
        lots: Lots::on_side(side, lots).expect("within range"),
        entry_quote: Atoms::new(match side {
            Side::Long => entry,
            Side::Short => -entry,
        }),
        margin: Atoms::new(margin),
        funding_index: FundingIndex::new(funding),
    }
}

pub fn lot_price(atoms: u64) -> LotPrice {
    LotPrice::new(atoms).expect("within range")
}

pub fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

/// Sizes of numbers in a generated market.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub lots: u64,
    pub price: u64,
    pub funding: i64,
}

/// From a handful of lots at a handful of atoms, where ties abound, to the limits.
pub fn any_scale() -> impl Strategy<Value = Scale> {
    prop_oneof![
        Just(Scale {
            lots: 3,
            price: 6,
            funding: 2
        }),
        Just(Scale {
            lots: 40,
            price: 200,
            funding: 20
        }),
        Just(Scale {
            lots: 100_000,
            price: 300_000,
            funding: 5_000
        }),
        Just(Scale {
            lots: MAX_LOTS,
            price: MAX_LOT_PRICE,
            funding: 1_000_000
        }),
    ]
}

/// A position whose entry price is near `mark` or anywhere, and whose margin goes
/// from below nothing to several times its entry.
pub fn any_position(side: Side, scale: Scale, mark: u64) -> impl Strategy<Value = Position> {
    let lots = prop_oneof![1..=scale.lots, Just(1), Just(scale.lots)];
    let entry = prop_oneof![
        3 => 1..=scale.price,
        2 => (mark / 2).max(1)..=(mark.saturating_mul(2)).min(scale.price).max((mark / 2).max(1)),
        1 => Just(mark),
        1 => Just(1),
        1 => Just(scale.price),
    ];
    let margin_ppm = prop_oneof![
        4 => 1_000_i128..=300_000,
        2 => 0_i128..=1_000_000,
        1 => -200_000_i128..=0,
        1 => 900_000_i128..=1_900_000,
    ];
    (
        lots,
        entry,
        0_u64..=u64::MAX,
        margin_ppm,
        -3_i64..=3,
        -scale.funding..=scale.funding,
    )
        .prop_map(move |(lots, price, extra, ppm, odd, funding)| {
            let extra = if price < scale.price { extra % lots } else { 0 };
            let entry = lots * price + extra;
            let limit = i128::from(MAX_LOT_PRICE) * i128::from(lots) - i128::from(lots);
            let margin = i128::from(entry) * ppm / 1_000_000 + i128::from(odd);
            let paid = i128::from(lots) * i128::from(funding);
            // Keep the bankruptcy price within range, funding included, and the
            // margin what an account can hold.
            let most = limit - i128::from(entry) - paid.abs();
            let (margin, funding) = if most < 0 {
                (0, 0)
            } else {
                (margin.clamp(-most, most), funding)
            };
            position(
                side,
                lots,
                entry,
                i64::try_from(margin).expect("within range"),
                funding,
            )
        })
}

/// A round with a close price somewhere from the mark to far beyond it.
pub fn any_round(side: Side, scale: Scale) -> impl Strategy<Value = Round> {
    let bps = prop_oneof![Just(0_u32), Just(1), Just(500), 0_u32..=10_000];
    (
        1..=scale.price,
        1..=scale.lots,
        prop_oneof![
            Just(0_u64),
            0_u64..=1_000_000,
            0_u64..=100_000,
            0_u64..=3_000_000
        ],
        -scale.funding..=scale.funding,
        bps.clone(),
        bps,
        prop_oneof![Just(10_000_u32), 1_u32..=10_000],
        1_u32..=3,
    )
        .prop_map(
            move |(mark, lots, away_ppm, funding, profit, tolerance, cap, epoch)| {
                let worth = i128::from(mark * lots);
                let away = worth * i128::from(away_ppm) / 1_000_000;
                let quote = match side {
                    Side::Long => (worth - away).max(i128::from(i64::MIN)),
                    Side::Short => (worth + away).min(i128::from(i64::MAX)),
                };
                Round {
                    side,
                    mark: lot_price(mark),
                    close: ClosePrice {
                        quote: i64::try_from(quote).expect("within range"),
                        lots,
                    },
                    funding_index: FundingIndex::new(funding),
                    min_profit_bps: profit,
                    rank_tolerance_bps: tolerance,
                    max_close_bps: cap,
                    least_lots: 0,
                    epoch,
                }
            },
        )
}

/// A round and positions of its side.
pub fn any_market(most: usize) -> impl Strategy<Value = (Round, Vec<Position>)> {
    (any_side(), any_scale())
        .prop_flat_map(|(side, scale)| (any_round(side, scale), Just(scale)))
        .prop_flat_map(move |(round, scale)| {
            let one = any_position(round.side, scale, round.mark.get());
            (Just(round), prop::collection::vec(one, 0..=most))
        })
}

/// A small generator for the large tests.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Within `low..=high`.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }
}
