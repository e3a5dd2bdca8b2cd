//! Who trades against the book: takers at random, and stop-losses of the population.

use ballast_report::traders::Direction;
use ballast_risk::makers::miss_percent;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::population::Member;

const ONE: u64 = 10_000;
/// One price in so many brings an order of a taker.
const PATIENCE: u32 = 3;

/// Draws of everything that happens at the book.
#[derive(Clone, Debug)]
pub struct Flow {
    rng: ChaCha8Rng,
}

/// What a taker wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whether it sells.
    pub sells: bool,
    /// Lots, unsigned.
    pub lots: u64,
}

impl Flow {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x424f_4f4b),
        }
    }

    /// Whether a maker misses a price and leaves its orders as they are.
    pub fn misses(&mut self, stress_bps: u64) -> bool {
        self.rng.gen_range(0..100) < miss_percent(stress_bps)
    }

    /// What a taker does at one price: mostly nothing; otherwise it sells the more likely the
    /// further the price fell. Sizes double up to `most`.
    pub fn wish(&mut self, fall_bps: i64, least: u64, most: u64) -> Option<Wish> {
        if self.rng.gen_range(0..PATIENCE) > 0 || most < least {
            return None;
        }
        let selling = (50 + fall_bps / 4).clamp(10, 90);
        let octaves = (most / least.max(1)).max(1).ilog2() + 1;
        let floor = least << self.rng.gen_range(0..octaves);
        Some(Wish {
            sells: self.rng.gen_range(0..100) < selling,
            lots: self.rng.gen_range(floor..2 * floor).min(most),
        })
    }

    /// The trigger price of a member's stop-loss, if it has one: at 20 to 80 % of the way to
    /// where its margin is used up.
    pub fn stop_loss(&mut self, member: &Member, percent: u64, price_ticks: u64) -> Option<u64> {
        if self.rng.gen_range(0..100) >= percent {
            return None;
        }
        // A tenth of leverage loses its margin after 100,000 bps.
        let ruin_bps = 100_000 / member.leverage_tenths.max(10);
        let away = ruin_bps * self.rng.gen_range(20..=80) / 100;
        let step = u128::from(price_ticks) * u128::from(away) / u128::from(ONE);
        let step = u64::try_from(step).ok()?;
        match member.direction {
            Direction::Long => price_ticks.checked_sub(step).filter(|ticks| *ticks > 0),
            Direction::Short => price_ticks.checked_add(step),
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_report::traders::Kind;

    use super::*;

    #[test]
    fn the_seed_decides() {
        let draw = |seed| {
            let mut flow = Flow::new(seed);
            let wishes: Vec<Option<Wish>> = (0..50).map(|_| flow.wish(0, 50, 5_000)).collect();
            wishes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn sizes_keep_within_their_bounds_and_falls_bring_sellers() {
        let mut flow = Flow::new(3);
        let mut sold = |fall| {
            let wishes: Vec<Wish> = (0..600)
                .filter_map(|_| flow.wish(fall, 50, 4_321))
                .collect();
            assert!(wishes.len() > 100);
            for wish in &wishes {
                assert!((50..=4_321).contains(&wish.lots), "{wish:?}");
            }
            wishes.iter().filter(|wish| wish.sells).count() * 100 / wishes.len()
        };
        let (rising, calm, falling) = (sold(-1_000), sold(0), sold(1_000));
        assert!(rising < 25 && (35..65).contains(&calm) && falling > 75);
        assert_eq!(flow.wish(0, 50, 49), None);
    }

    #[test]
    fn stop_losses_lie_before_ruin() {
        let mut flow = Flow::new(4);
        let mut member = Member {
            owner: 0,
            sub_id: 0,
            kind: Kind::Regular,
            direction: Direction::Long,
            lots: 100,
            leverage_tenths: 100,
        };
        for _ in 0..50 {
            let ticks = flow.stop_loss(&member, 100, 200_000).expect("always");
            assert!((184_000..=196_000).contains(&ticks), "{ticks}");
        }
        member.direction = Direction::Short;
        let ticks = flow.stop_loss(&member, 100, 200_000).expect("always");
        assert!((204_000..=216_000).contains(&ticks), "{ticks}");
        assert_eq!(flow.stop_loss(&member, 0, 200_000), None);
    }
}
