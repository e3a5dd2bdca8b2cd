//! A market's parameters and generators shared by the properties.

pub use ballast_engine::fixtures::risk::small_market as params;
use ballast_engine::fixtures::risk::tier;
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::risk::{gap_bps, RiskParams, MOST_LIQUIDATION_COST_BPS};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases in every run.
pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        rng_seed: RngSeed::Fixed(0x00ba_11a5),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// No impact notional: funding at `rate_ppm` an hour.
pub fn base_rate(rate_ppm: i32) -> RiskParams {
    RiskParams {
        funding_rate_ppm_per_hour: rate_ppm,
        ..params()
    }
}

pub fn price(atoms_per_lot: u64) -> LotPrice {
    LotPrice::new(atoms_per_lot).unwrap()
}

pub fn lots(lots: i64) -> Lots {
    Lots::new(lots).unwrap()
}

pub fn mark(atoms_per_lot: u64, confidence: u64) -> Mark {
    Mark {
        price: price(atoms_per_lot),
        confidence,
        average: None,
        scale: MarginScale::NONE,
    }
}

/// A position of `size` lots entered at `entry` atoms a lot.
pub fn position(size: i64, entry: u64, margin: i64) -> Position {
    Position {
        lots: lots(size),
        entry_quote: Atoms::new(size * i64::try_from(entry).unwrap()),
        margin: Atoms::new(margin),
        funding_index: FundingIndex::ZERO,
    }
}

/// Numbers of every magnitude up to `max`, small ones as often as large ones.
pub fn any_magnitude(max: u64) -> impl Strategy<Value = u64> + Clone {
    (0..=max.ilog2(), any::<u64>()).prop_map(move |(bits, raw)| {
        let floor = 1_u64 << bits;
        let top = if bits == max.ilog2() {
            max
        } else {
            2 * floor - 1
        };
        floor + raw % (top - floor + 1)
    })
}

/// Tiers, buffer and charges of every shape that validation accepts.
pub fn any_params() -> impl Strategy<Value = RiskParams> {
    let tiers =
        proptest::collection::vec((any_magnitude(1 << 40), 0_u32..2_500, 0_u32..1_200), 1..=4);
    let charges = (0_u32..10_000, 0_u32..10_000, 0_u32..10_000, 0_u32..=10_000);
    (tiers, charges, 1_u64..20).prop_map(|(tiers, (first, last, fee, buffer), least)| {
        let mut params = params();
        let mut limit = 0;
        let gap = gap_bps(params.price_age());
        let (mut initial, mut maintenance) = (0, gap);
        params.tiers = Default::default();
        for (slot, (span, up, add)) in params.tiers.iter_mut().zip(&tiers) {
            limit += span;
            maintenance = (maintenance + add).min(5_000);
            initial = (initial + up).max(maintenance + gap).min(10_000);
            *slot = tier(limit, initial, maintenance);
        }
        params.tier_count = u32::try_from(tiers.len()).unwrap();
        let room = (params.tiers[0].maintenance_margin_bps / 2).min(MOST_LIQUIDATION_COST_BPS);
        params.liquidation_fee_bps = fee % (room + 1);
        params.liquidation_discount_max_bps = last % (room - params.liquidation_fee_bps + 1);
        params.liquidation_discount_bps = first % (params.liquidation_discount_max_bps + 1);
        params.liquidation_buffer_bps = buffer;
        params.min_position_lots = least;
        params.check(None).unwrap();
        params
    })
}
