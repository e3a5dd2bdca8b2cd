//! Scores that differ by nothing, or by one atom in 2^63: far below the 2^-32 of
//! the bounds.

use ballast_engine::fixtures::ranking::Rated;
use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, Threshold};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{ClosePrice, Exposure, Round};
use ballast_engine::units::Side;
use proptest::prelude::*;

use crate::fixture::{any_side, cases, position, Store};
use crate::proof::plain_round;

/// Whether the first of two positions is found beyond the second, and whether the
/// rules say so. `None` when the second may not be cut at all.
fn found(round: &Round, pair: [Position; 2]) -> Option<(bool, bool)> {
    let fresh = CutStamp::default();
    let first = Rated::new(round, 0, &pair[0], fresh);
    let second = Rated::new(round, 1, &pair[1], fresh);
    if second.class == 0 {
        return None;
    }
    let store = Store::filled(round.side, &pair);
    let last = Exposure::of_position(&pair[1], round.funding_index, 1).expect("within range");
    let walk = first_skipped(&store.view(), round, &Threshold::Beyond(last), Some(1));
    let skipped = walk.expect("sound").skipped;
    Some((
        skipped == Some(0),
        first.passed_over(&second, round.rank_tolerance_bps),
    ))
}

fn check(round: &Round, pair: [Position; 2]) {
    if let Some((found, expected)) = found(round, pair) {
        assert_eq!(found, expected, "{round:?} {pair:?}");
    }
}

/// The furthest close price at which a position may still be solvent.
fn close_at(round: &mut Round, position: &Position) {
    let margin = position.margin.get();
    let (entry, lots) = (position.entry_quote.get(), position.size());
    let bankruptcy = match round.side {
        Side::Long => entry - margin,
        Side::Short => margin - entry,
    };
    let worth = i64::try_from(round.mark.get() * lots).expect("within range");
    round.close = ClosePrice {
        quote: match round.side {
            Side::Long => bankruptcy.min(worth),
            Side::Short => bankruptcy.max(worth),
        },
        lots,
    };
}

proptest! {
    #![proptest_config(cases(20_000))]

    /// Equal prices in different sizes tie exactly, and the older is first.
    #[test]
    fn equal_prices_tie_at_any_size(
        side in any_side(),
        mark in 1_u64..12,
        (lots, price, extra) in (2_u64..10, 1_u64..12, 0_u64..9),
        margin in -5_i64..60,
        (a, b) in (1_u64..6, 1_u64..6),
        at_limit in any::<bool>(),
    ) {
        let scaled = |by: u64| {
            let margin = margin * i64::try_from(by).expect("small");
            position(side, lots * by, (lots * price + extra % lots) * by, margin, 0)
        };
        let pair = [scaled(a), scaled(b)];
        let mut round = plain_round(side, mark);
        if at_limit {
            close_at(&mut round, &pair[0]);
        }
        check(&round, pair);
    }

    /// One atom more or less of entry or margin decides, at any tolerance.
    #[test]
    fn one_atom_decides(
        side in any_side(),
        mark in prop_oneof![1_u64..30, 1_u64..300_000, 1_u64..1 << 31],
        lots in (1_u64 << 24)..(1 << 32),
        entry_ppm in prop_oneof![100_000_u64..1_900_000, 990_000_u64..1_010_000],
        margin_ppm in prop_oneof![Just(0_i64), 0_i64..1_000_000, 0_i64..30_000],
        odd in any::<u64>(),
        (entry_off, margin_off) in (-1_i64..=1, -1_i64..=1),
        at_limit in any::<bool>(),
        profit in prop_oneof![Just(0_u32), 0_u32..3_000],
    ) {
        let worth = u128::from(lots * mark);
        let entry = u64::try_from(worth * u128::from(entry_ppm) / 1_000_000).expect("small");
        let entry = (entry.saturating_sub(odd % lots)).clamp(lots + 1, lots * ((1 << 31) - 1) - 1);
        let margin = i128::from(entry) * i128::from(margin_ppm) / 1_000_000;
        let Ok(margin) = i64::try_from(margin) else { return Ok(()) };
        let other_entry = entry.checked_add_signed(entry_off).expect("within range");
        let pair = [
            position(side, lots, other_entry, margin - margin_off, 0),
            position(side, lots, entry, margin, 0),
        ];
        let limit = i128::from(lots) << 31;
        prop_assume!(i128::from(entry) + i128::from(margin) + 2 < limit);
        let mut round = plain_round(side, mark);
        round.min_profit_bps = profit;
        if at_limit {
            close_at(&mut round, &pair[usize::from(odd % 2 == 0)]);
        }
        check(&round, pair);
    }

    /// A score one atom beyond `1 + tolerance` times the last one is found, one at
    /// or before it is not.
    #[test]
    fn one_atom_beyond_the_tolerance_decides(
        side in any_side(),
        lots in (1_u64 << 20)..(1 << 24),
        mark in 3_u64..5_000,
        gain in 1_u64..4_000,
        tolerance in 1_u32..=10_000,
        off in -2_i64..=2,
        losing in any::<bool>(),
    ) {
        // Entry prices equal, equity of one side 1 + tolerance times the other's.
        let up = (side == Side::Long) != losing;
        let gain = gain.min(mark - 2);
        let price = if up { mark - gain } else { mark + gain };
        let pnl = i64::try_from(lots * gain).expect("small");
        let pnl = if losing { -pnl } else { pnl };
        let base = i64::try_from(lots * mark / 7 / 20_000).expect("small") + 1;
        let (small, large) = (base * 10_000, base * (10_000 + i64::from(tolerance)));
        let pair = [
            position(side, lots, lots * price, small - pnl + off, 0),
            position(side, lots, lots * price, large - pnl, 0),
        ];
        let mut round = plain_round(side, mark);
        round.rank_tolerance_bps = tolerance;
        // Less equity is more leverage: a higher score in profit and in loss.
        let result = found(&round, pair);
        prop_assert_eq!(result, Some((off < 0, off < 0)));
    }
}
