//! The bound is attained, so that nothing of it can be rounded the other way or left out.

use ballast_engine::cross::drift::{Drift, PriceMap, ENDLESS_PPM};
use ballast_engine::cross::record::{is_floored, record};
use ballast_engine::math::mul_div_floor;
use ballast_engine::queue::Totals;
use ballast_engine::units::{Side, MAX_LOT_PRICE};

use crate::fixture::{position, price, Dice};

/// An account exactly at maintenance whose other leg has lost all that its way allows: the bound is its
/// equity. Rounded up anywhere, it would claim an atom that is not there.
#[test]
fn it_is_attained_at_maintenance_and_claims_no_atom_more() {
    let mut dice = Dice(61);
    let (mut attained, mut wrong) = (0, 0);
    for _ in 0..20_000 {
        let kappa = u32::try_from(dice.within(1, 20_000_000)).unwrap();
        let own = dice.magnitude(1, 1 << 40);
        // The other leg's maintenance makes its loss whole: K m atoms.
        let other = dice.magnitude(1, 1 << 20) * 1_000_000;
        let lost = other / 1_000_000 * u64::from(kappa);
        let (equity, recorded) = (own + other, own + other + lost);
        let drift = Drift::new(kappa, 0).unwrap();
        let least = drift.least_equity(recorded, own);
        assert!(least <= equity, "{kappa} {own} {other}");
        attained += u64::from(least + 2 + (equity >> 20) >= equity);
        // Both factors rounded up, and the sum.
        let all = 1_000_000 + u128::from(kappa);
        let a = ((1_u128 << 32) * 1_000_000).div_ceil(all);
        let b = (a * u128::from(kappa)).div_ceil(1_000_000);
        let up = (u128::from(recorded) * a + u128::from(own) * b).div_ceil(1 << 32);
        wrong += u64::from(up > u128::from(equity));
    }
    assert!(attained > 15_000, "{attained}");
    assert!(wrong > 15_000, "{wrong}");
}

#[test]
fn the_map_is_monotone_and_at_least_a_lot_s_maintenance() {
    let mut dice = Dice(62);
    for side in [Side::Long, Side::Short] {
        for _ in 0..20_000 {
            let at = dice.magnitude(100, MAX_LOT_PRICE >> 2);
            let bps = u32::try_from(dice.within(1, 5_000)).unwrap();
            let kappa = match dice.within(0, 4) {
                0 => 0,
                1 => ENDLESS_PPM,
                _ => u32::try_from(dice.magnitude(1, 1 << 30)).unwrap(),
            };
            let slack = dice.within(0, 20);
            let drift = Drift::new(kappa, slack).unwrap();
            let pivot = i64::try_from(at << 32).unwrap() - (dice.signed(1 << 20) << 32);
            let map = PriceMap::new(&drift, side, price(at), pivot, bps).unwrap();
            let least = (u128::from(at) << 32) * u128::from(bps) / 10_000;
            let spread = dice.magnitude(1, 1 << 62);
            let one = pivot.saturating_add(dice.signed(spread));
            let two = pivot.saturating_add(dice.signed(spread));
            let (low, high) = (map.nearest(one.min(two)), map.nearest(one.max(two)));
            assert!(low <= high);
            for (recorded, nearest) in [(one.min(two), low), (one.max(two), high)] {
                if nearest == i64::MIN || nearest == i64::MAX {
                    // The end of what a price can be is nearer than the bound.
                    continue;
                }
                let off = i128::from(nearest) - i128::from(pivot);
                let distance = if side == Side::Long { -off } else { off };
                assert!(distance >= i128::try_from(least).unwrap());
                // In whole lots it says what the map of equities says, but for the rounding.
                let equity = i128::from(pivot) - i128::from(recorded);
                let equity = if side == Side::Long { equity } else { -equity };
                if is_floored(side, recorded) {
                    assert_eq!(distance, i128::try_from(least).unwrap());
                    continue;
                }
                let equity = u64::try_from(equity.max(0)).unwrap();
                let mapped = drift.least_equity(equity, u64::try_from(least).unwrap());
                assert!((0..=1).contains(&(i128::from(mapped) - distance)));
            }
        }
    }
}

#[test]
fn nothing_of_an_endless_way_is_left_and_no_way_takes_nothing() {
    let endless = Drift::new(ENDLESS_PPM, 10).unwrap();
    assert_eq!(endless.least_equity(u64::MAX, 7), 7);
    assert_eq!(Drift::new(0, 0).unwrap().least_equity(1_000, 7), 1_000);
    assert_eq!(Drift::NONE.least_equity(u64::MAX, 7), u64::MAX);
    // A slack of a tenth alone.
    let slack = Drift::new(0, 10).unwrap().least_equity(1_100_000, 7);
    assert_eq!(slack, mul_div_floor(1_100_000, 10, 11).unwrap() - 1);
    assert!(Drift::new(0, 101).is_err());
}

/// One lot of a rich account, and one of a deep deficit: without the clamp no node holds them; taken at
/// its word, a clamped deficit would be equity where mark less funding is beyond 2^31.
#[test]
fn a_clamped_record_says_nothing_by_value() {
    for (size, side) in [(1, Side::Long), (-1, Side::Short)] {
        let held = position(size, 1_000, 0, 0);
        let unclamped = |rest: i64| {
            let stored = position(size, 1_000, rest, 0);
            Totals::of(&stored, side).unwrap().check_range()
        };
        assert!(unclamped(1 << 40).is_err() && unclamped(-(1 << 40)).is_err());
        let rich = Totals::of(&record(&held, 1 << 40).unwrap(), side).unwrap();
        assert_eq!(rich.check_range(), Ok(()));
        let poor = Totals::of(&record(&held, -(1 << 40)).unwrap(), side).unwrap();
        assert_eq!(poor.check_range(), Ok(()));
        let toward = if side == Side::Long { 1 } else { -1 };
        let stored = poor.bankruptcy << 32;
        assert!(is_floored(side, stored));
        // A mark less funding of 2^31 + 1,000 atoms, or its mirror.
        let drift = Drift::new(0, 10).unwrap();
        let pivot = i64::MAX - (5 << 32);
        let pivot = if side == Side::Long { pivot } else { -pivot };
        let map = PriceMap::new(&drift, side, price(1_000), pivot, 250).unwrap();
        let nearest = map.nearest(stored);
        assert_eq!((pivot - nearest) * toward, 25 << 32);
    }
}
