//! How the price moves: drawn by a seed around a centre, or read from a file; and jumps on demand.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use ballast_risk::prices::Prices;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// One tick of the market, 1e-9 dollars.
const TICK_NANO: i64 = 1_000_000;
/// Largest step of a drawn price, basis points.
const STEP_BPS: i64 = 8;
/// Of the distance to the centre a step takes back one part in so many.
const PULL: i64 = 20;
/// How far a jump goes, basis points.
const JUMP_BPS: i64 = 1_000;
/// Between these a price stays, ticks: the market's instructions take no others.
const BOUNDS: (i64, i64) = (10_000, 2_000_000);
const BPS: i64 = 10_000;

/// A jump that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A tenth down at once.
    Crash,
    /// A tenth up at once.
    Rally,
}

impl Move {
    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "crash" => Some(Self::Crash),
            "rally" => Some(Self::Rally),
            _ => None,
        }
    }
}

/// The price, step by step.
pub struct Walk {
    rng: ChaCha8Rng,
    /// Drawn prices stay about it.
    centre: i64,
    now: i64,
    /// Prices of a file that are left, the next last.
    recorded: Vec<i64>,
}

impl Walk {
    /// Begins at `ticks`, or at the first price of the file.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn new(seed: u64, ticks: u64, file: Option<&Path>) -> Result<Self> {
        let mut recorded = match file {
            Some(file) => in_ticks(&Prices::load(file)?)?,
            None => Vec::new(),
        };
        recorded.reverse();
        let first = recorded.pop().map_or_else(|| i64::try_from(ticks), Ok)?;
        Ok(Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            centre: first,
            now: first,
            recorded,
        })
    }

    /// The price, ticks.
    pub fn ticks(&self) -> u64 {
        self.now.unsigned_abs()
    }

    /// The next price, ticks. After a jump a recorded price no longer means anything, and drawn ones follow.
    pub fn step(&mut self) -> u64 {
        if let Some(next) = self.recorded.pop() {
            (self.now, self.centre) = (next, next);
            return self.ticks();
        }
        let most = (self.now * STEP_BPS / BPS).max(1);
        let drawn = self.rng.gen_range(-most..=most);
        self.set(self.now + drawn + (self.centre - self.now) / PULL);
        self.ticks()
    }

    /// The price after a jump, about which it stays from now on.
    pub fn jump(&mut self, wanted: Move) -> u64 {
        let far = self.now * JUMP_BPS / BPS;
        self.set(match wanted {
            Move::Crash => self.now - far,
            Move::Rally => self.now + far,
        });
        self.centre = self.now;
        self.recorded.clear();
        self.ticks()
    }

    fn set(&mut self, ticks: i64) {
        self.now = ticks.clamp(BOUNDS.0, BOUNDS.1);
    }
}

fn in_ticks(prices: &Prices) -> Result<Vec<i64>> {
    let points = prices.points().iter();
    let ticks: Vec<i64> = points.map(|it| it.price_nano / TICK_NANO).collect();
    let (least, most) = BOUNDS;
    let all = ticks.iter().all(|one| (least..=most).contains(one));
    ensure!(
        all,
        "a price of the file is not between ${} and ${}",
        least / 1_000,
        most / 1_000
    );
    ticks.first().context("the file has no price")?;
    Ok(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_the_price_stays_about_its_centre() {
        let path = |seed| -> Vec<u64> {
            let mut walk = Walk::new(seed, 200_000, None).unwrap();
            (0..2_000).map(|_| walk.step()).collect()
        };
        assert_eq!(path(1), path(1));
        assert_ne!(path(1), path(2));
        assert!(path(1)
            .iter()
            .all(|ticks| (195_000..205_000).contains(ticks)));
        assert!(path(1).windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_jump_is_a_tenth_and_stays_within_bounds() {
        let mut walk = Walk::new(1, 200_000, None).unwrap();
        assert_eq!(walk.jump(Move::Crash), 180_000);
        assert_eq!(walk.jump(Move::Rally), 198_000);
        for _ in 0..100 {
            walk.jump(Move::Crash);
        }
        assert_eq!(walk.ticks(), 10_000);
        assert!(walk.step() >= 10_000);
    }

    #[test]
    fn a_recorded_path_is_played_until_somebody_jumps() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "timestamp,price\n1,206\n2,205.5\n3,204\n").unwrap();
        let mut walk = Walk::new(1, 200_000, Some(file.path())).unwrap();
        assert_eq!((walk.ticks(), walk.step()), (206_000, 205_500));
        assert_eq!(walk.jump(Move::Crash), 184_950);
        assert!((184_000..186_000).contains(&walk.step()));
        std::fs::write(file.path(), "timestamp,price\n1,206\n2,0.5\n").unwrap();
        let refused = Walk::new(1, 200_000, Some(file.path())).map(|_| ());
        assert!(refused.unwrap_err().to_string().contains("between $10"));
    }
}
