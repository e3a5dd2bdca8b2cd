//! The bound of docs/ADL.md, computed from the queue itself.

use ballast_engine::queue::{QueueEntry, QueueRef};
use ballast_engine::rank::{Class, Exposure, Ranked, Round};
use ballast_engine::slab::NIL;
use ballast_engine::units::Side;

/// The most nodes a walk may look at.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub visited: u32,
    pub height: u32,
    /// `B`: how often 1 + tolerance fits between the least and the largest ratio.
    pub spans: f64,
    /// `k`: positions on the threshold's side that score above it and may not be cut.
    pub others: f64,
}

/// Prices of a position, per lot; distances are from the mark.
struct Prices {
    /// `(p-e)/e`, or reversed for shorts: positive in profit.
    gain: f64,
    /// `|p-b|` with `b` held back at the close price.
    distance: f64,
    /// Whether it would win if it were solvent.
    wins: bool,
}

impl Prices {
    fn of(round: &Round, entry: &QueueEntry) -> Self {
        let exposure = Exposure::of_entry(entry, round.side, round.funding_index);
        let lots = float(i128::from(exposure.lots));
        let sign = if round.side == Side::Long { 1.0 } else { -1.0 };
        let mark = float(i128::from(round.mark.get()));
        let close = float(i128::from(round.close.quote)) / float(i128::from(round.close.lots));
        let price = float(i128::from(exposure.entry)) / lots;
        let bankruptcy = float(exposure.bankruptcy) / lots;
        let far = Exposure {
            bankruptcy: if round.side == Side::Long {
                -(1 << 90)
            } else {
                1 << 90
            },
            ..exposure
        };
        Self {
            gain: sign * (mark - price) / price,
            distance: (sign * (mark - bankruptcy)).max(sign * (mark - close)),
            wins: far.class(round) == Ok(Class::Winner),
        }
    }

    /// The score, times the mark in profit and divided by it in loss left out.
    fn score(&self) -> f64 {
        if self.gain > 0.0 {
            self.gain / self.distance
        } else {
            self.gain * self.distance
        }
    }
}

impl Bound {
    pub fn of(queue: &QueueRef<'_>, round: &Round, last: &Ranked) -> Self {
        let tolerance = f64::from(round.rank_tolerance_bps) / 10_000.0;
        let winners = last.class == Class::Winner;
        let threshold = score(last);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        let (mut nearest, mut others) = (f64::INFINITY, 0.0);
        for step in queue.iter() {
            let prices = Prices::of(round, step.expect("sound").1);
            let on_side = if winners { prices.wins } else { !prices.wins };
            let losing = threshold < 0.0;
            // For a threshold in loss, all in profit would rank above it.
            if !on_side || (!losing && prices.gain <= 0.0) {
                others += f64::from(u8::from(!winners && prices.wins));
                continue;
            }
            if prices.score() > threshold + threshold.abs() * 1e-9 || prices.gain == 0.0 {
                others += 1.0;
                continue;
            }
            least = least.min(prices.gain.abs());
            most = most.max(prices.gain.abs());
            nearest = nearest.min(prices.distance);
        }
        let spans = if most > 0.0 {
            let mark = float(i128::from(round.mark.get()));
            let lost = slack(least, nearest, mark);
            let step = ((1.0 + tolerance) * (1.0 - lost)).max(1.0).ln();
            ((most / least).ln() / step + 1e-9).floor()
        } else {
            0.0
        };
        let height = height(queue, queue.header().tree.root);
        let mut entered = 0.0;
        for level in 0..height {
            let nodes = 2.0_f64.powi(i32::try_from(level).expect("low"));
            entered += nodes.min(spans + 1.0 + others);
        }
        let all = float(i128::from(queue.len()));
        Self {
            visited: whole((1.0 + 2.0 * entered).min(all)),
            height,
            spans,
            others,
        }
    }
}

/// What rounding takes off the tolerance: see docs/ADL.md.
fn slack(ratio: f64, distance: f64, mark: f64) -> f64 {
    2.0_f64.powi(-18) + 2.0_f64.powi(-28) * (1.0 / ratio + mark / distance)
}

fn score(last: &Ranked) -> f64 {
    let (n, d) = (last.score.numerator, last.score.denominator);
    let size = wide(n) / wide(d);
    if last.score.loss {
        -size
    } else {
        size
    }
}

fn height(queue: &QueueRef<'_>, index: u32) -> u32 {
    if index == NIL {
        return 0;
    }
    let node = queue.entry(index).expect("live");
    1 + height(queue, node.left()).max(height(queue, node.right()))
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)]
fn float(number: i128) -> f64 {
    number as f64
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)]
fn wide(number: u128) -> f64 {
    number as f64
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn whole(number: f64) -> u32 {
    number as u32
}
