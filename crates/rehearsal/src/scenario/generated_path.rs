//! The default price path: public facts of 2025-10-10 joined by seeded noise.

use ballast_risk::prices::PricePoint;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::prices::{PricePath, PriceSource};

/// 2025-10-10 20:50:00 UTC.
const START: i64 = 1_760_129_400;
/// Seconds between prices.
const STEP: i64 = 20;
const STEPS_PER_MINUTE: usize = 3;
const NANO_PER_CENT: i64 = 10_000_000;
/// One tenth of a cent: generated prices are multiples of it.
const GRAIN: i64 = 1_000_000;

/// Minutes after the start, price in cents, largest step of noise in cents.
/// Minute 0, 39 (the low) and the ten minutes from 19 to 29 (-12 %) are the public facts.
const ANCHORS: [(usize, i64, i64); 10] = [
    (0, 20_600, 0),
    (10, 20_360, 12),
    (19, 19_960, 15),
    (29, 17_565, 30),
    (32, 18_100, 25),
    (36, 17_750, 25),
    (39, 17_200, 20),
    (50, 18_300, 25),
    (60, 18_850, 20),
    (70, 19_100, 20),
];

/// The path of one seed: 211 prices, 20 seconds apart.
///
/// Falls are uneven: most steps are small and a few carry most of the way, as in a cascade.
pub fn generate(seed: u64) -> PricePath {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5032_3032_3531_3031);
    let mut prices = vec![ANCHORS[0].1 * NANO_PER_CENT];
    for pair in ANCHORS.windows(2) {
        let [(from_minute, from, _), (to_minute, to, noise)] = [pair[0], pair[1]];
        let steps = (to_minute - from_minute) * STEPS_PER_MINUTE;
        prices.extend(leg(
            &mut rng,
            from * NANO_PER_CENT,
            to * NANO_PER_CENT,
            steps,
            noise * NANO_PER_CENT,
        ));
    }
    let low = ANCHORS.iter().map(|anchor| anchor.1).min().unwrap_or(1) * NANO_PER_CENT;
    let low_at = prices.iter().position(|price| *price == low);
    let points = prices
        .iter()
        .enumerate()
        .map(|(index, price)| PricePoint {
            timestamp: START + STEP * i64::try_from(index).unwrap_or(0),
            price_nano: if Some(index) == low_at {
                low
            } else {
                grain(*price).max(low + 10 * NANO_PER_CENT)
            },
        })
        .collect();
    PricePath {
        source: PriceSource::Generated,
        points,
    }
}

fn grain(price: i64) -> i64 {
    price / GRAIN * GRAIN
}

/// Prices after `from`, ending at `to` exactly.
fn leg(rng: &mut ChaCha8Rng, from: i64, to: i64, steps: usize, noise: i64) -> Vec<i64> {
    let count = i64::try_from(steps).unwrap_or(1);
    let weights: Vec<i64> = (0..steps).map(|_| heavy_tailed(rng)).collect();
    let all: i64 = weights.iter().sum();
    let kicks: Vec<i64> = (0..steps).map(|_| rng.gen_range(-noise..=noise)).collect();
    let drift: i64 = kicks.iter().sum();
    let (mut weight, mut wander) = (0, 0);
    (1..=count)
        .zip(weights.iter().zip(&kicks))
        .map(|(step, (share, kick))| {
            weight += share;
            wander += kick;
            from + (to - from) / all * weight
                + if step == count {
                    (to - from) % all
                } else {
                    wander - drift * step / count
                }
        })
        .collect()
}

/// From 1 to 101, mostly small.
fn heavy_tailed(rng: &mut ChaCha8Rng) -> i64 {
    let draw: i64 = rng.gen_range(0..=100);
    1 + draw.pow(5) / 100_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS_IN_TEN_MINUTES: usize = 10 * STEPS_PER_MINUTE;

    #[test]
    fn the_public_facts_hold_for_every_seed() {
        for seed in 0..=50 {
            let path = generate(seed);
            assert_eq!(path.points.len(), 211);
            assert_eq!(
                path.first().map(|point| point.price_nano),
                Some(206_000_000_000)
            );
            let low = path.low().expect("not empty");
            assert_eq!(
                (low.price_nano, low.timestamp - START),
                (172_000_000_000, 39 * 60),
                "seed {seed}"
            );
            let worst = path
                .points
                .windows(STEPS_IN_TEN_MINUTES + 1)
                .map(|window| {
                    window[STEPS_IN_TEN_MINUTES].price_nano * 10_000 / window[0].price_nano - 10_000
                })
                .min()
                .expect("long enough");
            assert!(
                (-1_350..=-1_150).contains(&worst),
                "seed {seed}: worst ten minutes {worst} bps"
            );
            let last = path.points[210].price_nano;
            assert!(
                (185_000_000_000..200_000_000_000).contains(&last),
                "seed {seed}: {last}"
            );
        }
    }

    #[test]
    fn time_rises_and_the_seed_decides() {
        let path = generate(7);
        assert!(path
            .points
            .windows(2)
            .all(|pair| pair[1].timestamp == pair[0].timestamp + STEP));
        assert_eq!(path, generate(7));
        assert_ne!(path, generate(8));
        assert_eq!(path.source, PriceSource::Generated);
    }
}
