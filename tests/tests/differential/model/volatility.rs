//! How much more than usual a market moves, and the margin that it then takes to open.

use ballast_engine::risk::RiskParams;
use num_bigint::BigInt;
use num_rational::BigRational;

use super::number::{ceil, floor, part, ratio, whole, ONE};
use super::oracle::Quoted;
use super::trade::{margin_due, Rate};

/// A multiplier of one.
pub const TIMES_ONE: i128 = 1_000_000;
/// The averages count 65,536ths.
const FRACTION: i128 = 65_536;

/// What is remembered of the moves of a market's price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volatility {
    /// Fast average of squared millionths a second, 65,536ths.
    pub fast: i128,
    /// Slow one.
    pub slow: i128,
    /// The last price that counted, ticks; 0 none.
    pub ticks: i128,
    /// What margin is multiplied by, millionths.
    pub multiplier: i128,
    /// When that price was published.
    pub counted: i128,
    /// When the first was.
    pub since: i128,
}

impl Volatility {
    /// Counts a price that is recorded, once a minute has passed since the last one that counted.
    pub fn count(&mut self, params: &RiskParams, quoted: &Quoted) {
        let most = i128::from(params.margin_multiplier_max_bps) * 100;
        let (ticks, time) = (i128::from(quoted.ticks), i128::from(quoted.time));
        if most == 0 {
            return;
        }
        if self.ticks == 0 {
            *self = Self {
                ticks,
                multiplier: TIMES_ONE,
                counted: time,
                since: time,
                ..*self
            };
            return;
        }
        let seconds = time - self.counted;
        if seconds < 60 {
            return;
        }
        let moved = floor(&part((ticks - self.ticks).abs(), 1_000_000, self.ticks)).min(200_000);
        let age = time - self.since;
        let after = |value: i128, mean: i128| {
            let over = seconds.max(age.min(mean));
            whole(value) + ratio(moved * moved * FRACTION - value * seconds, over)
        };
        self.fast = ceil(&after(self.fast, 62_324));
        self.slow = floor(&after(self.slow, 7_478_931));
        self.ticks = ticks;
        self.counted = time;
        let target = self.ratio().clamp(TIMES_ONE, most);
        let rises = floor(&part(250_000, seconds, 3_600));
        let falls = floor(&part(20_000, seconds, 3_600));
        let reached = target.clamp(self.multiplier - falls, self.multiplier + rises);
        self.multiplier = reached.clamp(TIMES_ONE, most);
    }

    /// The root of fast by slow, millionths, down to a basis point; neither below ten.
    fn ratio(&self) -> i128 {
        let least = 10 * FRACTION;
        let squared = part(self.fast.max(least), ONE * ONE, self.slow.max(least));
        floor(&squared).isqrt() * 100
    }

    /// What margin is multiplied by under `params`.
    pub fn in_force(&self, params: &RiskParams) -> i128 {
        let most = i128::from(params.margin_multiplier_max_bps) * 100;
        self.multiplier.min(most).max(TIMES_ONE)
    }
}

/// What scales the margin to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Volatility, millionths.
    pub multiplier: i128,
    /// Open interest before the call, lots.
    pub open: i128,
}

/// Margin to open so much of notional by a change of `lots`, which count as new to the market.
pub fn initial_due(params: &RiskParams, scale: &Scale, lots: i128, notional: i128) -> i128 {
    let brackets = margin_due(params, notional, Rate::Initial);
    let times = ceil(&part(brackets, scale.multiplier, TIMES_ONE)).min(notional);
    if params.open_interest_upper_bps == 0 {
        return times;
    }
    let limit = i128::from(params.max_open_interest_lots);
    let full = part(scale.open + lots, ONE, limit);
    let (lower, upper) = (
        i128::from(params.open_interest_lower_bps),
        i128::from(params.open_interest_upper_bps),
    );
    let above: BigRational = (full - whole(lower)) / BigInt::from(upper - lower);
    let share = above.clamp(whole(0), whole(1));
    times + ceil(&(share * BigInt::from(notional - times)))
}
