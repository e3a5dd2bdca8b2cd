//! How many of the paths something happens on, and what that says of its probability.

/// Two sides of 95 %.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Paths on which something happened, of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those.
    pub hits: u32,
    /// All.
    pub paths: u32,
}

impl Share {
    /// So many of so many.
    #[must_use]
    pub const fn new(hits: u32, paths: u32) -> Self {
        Self { hits, paths }
    }

    /// Those of a list for which something holds.
    pub(super) fn of<T>(list: &[T], holds: impl Fn(&T) -> bool, paths: u32) -> Self {
        let hits = list.iter().filter(|one| holds(one)).count();
        Self::new(u32::try_from(hits).unwrap_or(u32::MAX), paths)
    }

    /// The probability: the part of the paths, and where it is nothing, half a path, since so few paths
    /// say no more than that it is below that; see [`Self::is_below`].
    #[must_use]
    pub fn probability(&self) -> f64 {
        let least = 0.5 / f64::from(self.paths.max(1));
        (f64::from(self.hits) / f64::from(self.paths.max(1))).max(least)
    }

    /// Whether the probability is only known to be below [`Self::probability`].
    #[must_use]
    pub const fn is_below(&self) -> bool {
        self.hits == 0
    }

    /// The interval that holds the probability in 95 of 100 cases, after Wilson (1927), "Probable
    /// inference, the law of succession, and statistical inference".
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        let n = f64::from(self.paths.max(1));
        let (p, z) = (f64::from(self.hits) / n, NORMAL_95);
        let (weight, middle) = (1.0 + z * z / n, p + z * z / (2.0 * n));
        let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let low = if self.hits == 0 {
            0.0
        } else {
            (middle - half) / weight
        };
        let high = if self.hits == self.paths {
            1.0
        } else {
            (middle + half) / weight
        };
        (low, high)
    }

    /// Standard error of the probability.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let (p, n) = (self.probability(), f64::from(self.paths.max(1)));
        (p * (1.0 - p) / n).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        // Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (hits, paths, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
            (29, 29, 0.8830, 1.0),
        ] {
            let found = Share::new(hits, paths).interval();
            assert!(
                (found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5,
                "{found:?}"
            );
        }
    }

    #[test]
    fn none_of_the_paths_is_below_half_a_path() {
        let none = Share::new(0, 1_000);
        assert!(none.is_below() && (none.probability() - 0.000_5).abs() < 1e-12);
        let one = Share::new(1, 1_000);
        assert!(!one.is_below() && (one.probability() - 0.001).abs() < 1e-12);
    }
}
