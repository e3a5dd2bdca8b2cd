//! Synthetic prices: GARCH(1,1) with Student's t.

use ballast_risk::prices::{PricePoint, Prices};
use ballast_risk::random::Stream;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// When every series begins, unix seconds.
pub const BEGIN: i64 = 1_600_000_000;

/// How returns come about.
#[derive(Clone, Copy, Debug)]
pub struct Garch {
    /// Long-run volatility of a step.
    pub volatility: f64,
    /// Weight of the last squared return.
    pub alpha: f64,
    /// Weight of the variance before.
    pub beta: f64,
    /// Degrees of freedom.
    pub freedom: f64,
}

impl Garch {
    /// What hours of a large coin look like.
    pub const HOURS: Self = Self {
        volatility: 0.008,
        alpha: 0.05,
        beta: 0.92,
        freedom: 5.,
    };

    /// What minutes of one look like.
    pub const MINUTES: Self = Self {
        volatility: 0.000_8,
        ..Self::HOURS
    };

    /// Log returns.
    pub fn returns(&self, seed: u64, count: usize) -> Vec<f64> {
        let shocks = StudentsT::new(0., 1., self.freedom).expect("a distribution");
        let unit = (self.freedom / (self.freedom - 2.)).sqrt();
        let long_run = self.volatility.powi(2);
        let own = long_run * (1. - self.alpha - self.beta);
        let mut stream = Stream::new(seed, 0);
        let mut variance = long_run;
        let mut next = |_| {
            let shock = shocks.inverse_cdf(stream.unit()) / unit;
            let step = variance.sqrt() * shock;
            variance = own + self.alpha * step * step + self.beta * variance;
            step
        };
        (0..count).map(&mut next).collect()
    }
}

/// GARCH minutes of a seed.
pub fn minutes(seed: u64, count: usize, first_usd: f64) -> Prices {
    prices(&Garch::MINUTES.returns(seed, count), 60, first_usd)
}

/// Prices as a file has them, in tenths of a cent.
pub fn csv(prices: &Prices) -> String {
    let mut text = "timestamp,price\n".to_owned();
    for point in prices.points() {
        let mils = (point.price_nano + 500_000) / 1_000_000;
        text += &format!("{},{}.{:03}\n", point.timestamp, mils / 1_000, mils % 1_000);
    }
    text
}

/// Prices that returns lead to, so many seconds apart.
pub fn prices(returns: &[f64], step: i64, first_usd: f64) -> Prices {
    let mut level = first_usd.ln();
    let points = (0_i64..).zip(returns).map(|(place, one)| {
        level += one;
        PricePoint {
            timestamp: BEGIN - BEGIN % step + place * step,
            price_nano: (level.exp() * 1e9).round() as i64,
        }
    });
    Prices::new(points.collect()).expect("prices")
}
