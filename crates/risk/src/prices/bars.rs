//! Bars of equal length.

use super::PricePoint;

const NANO: f64 = 1e9;

/// What a price did in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// When it begins, unix seconds, a multiple of the step.
    pub time: i64,
    /// The price when it begins, US dollars: the close of the bar before, or the first price after a gap.
    pub open: f64,
    /// The highest price, US dollars.
    pub high: f64,
    /// The lowest price, US dollars.
    pub low: f64,
    /// The last price, US dollars.
    pub close: f64,
}

/// Where prices are missing: two of them, between which a whole bar has none, and that are twice as far
/// apart as prices usually are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last price before, unix seconds.
    pub after: i64,
    /// The first price behind, unix seconds.
    pub before: i64,
}

/// Bars of one step. No bar spans a gap, and no return is taken across one.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Seconds of a bar.
    pub step: i64,
    /// Bars that follow each other without a hole, in order of time; none is empty.
    pub segments: Vec<Vec<Bar>>,
    /// What lies between the segments.
    pub gaps: Vec<Gap>,
}

impl Bars {
    /// Bars of prices that usually follow each other within so many seconds.
    pub(super) fn of(points: &[PricePoint], step: i64, usual: i64) -> Self {
        let is_gap = |last: &PricePoint, point: &PricePoint| {
            let bars = point.timestamp.div_euclid(step) - last.timestamp.div_euclid(step);
            bars > 1 && point.timestamp - last.timestamp >= 2 * usual
        };
        let (mut segments, mut gaps) = (Vec::new(), Vec::new());
        let mut current: Vec<Bar> = Vec::new();
        let mut last: Option<PricePoint> = None;
        for point in points {
            if let Some(last) = last.filter(|last| is_gap(last, point)) {
                gaps.push(Gap {
                    after: last.timestamp,
                    before: point.timestamp,
                });
                segments.push(std::mem::take(&mut current));
            }
            add(&mut current, *point, step);
            last = Some(*point);
        }
        segments.push(current);
        segments.retain(|segment| !segment.is_empty());
        Self {
            step,
            segments,
            gaps,
        }
    }

    /// How many bars there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.segments.iter().map(Vec::len).sum()
    }

    /// All bars, in order of time.
    pub fn iter(&self) -> impl Iterator<Item = &Bar> {
        self.segments.iter().flatten()
    }
}

/// A price into the bar it falls into. A bar without a price of its own that is no gap stands at the price
/// before.
fn add(bars: &mut Vec<Bar>, point: PricePoint, step: i64) {
    let time = point.timestamp.div_euclid(step) * step;
    let price = point.price_nano as f64 / NANO;
    let flat = |time, price| Bar {
        time,
        open: price,
        high: price,
        low: price,
        close: price,
    };
    while let Some(last) = bars.last().copied().filter(|last| last.time < time) {
        bars.push(flat(last.time + step, last.close));
    }
    match bars.last_mut() {
        None => bars.push(flat(time, price)),
        Some(bar) => {
            bar.high = bar.high.max(price);
            bar.low = bar.low.min(price);
            bar.close = price;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(points: &[(i64, i64)], step: i64) -> Bars {
        let point = |(timestamp, usd): &(i64, i64)| PricePoint {
            timestamp: *timestamp,
            price_nano: usd * 1_000_000_000,
        };
        let points: Vec<PricePoint> = points.iter().map(point).collect();
        Bars::of(&points, step, 60)
    }

    #[test]
    fn a_bar_begins_where_the_one_before_ended() {
        let bars = bars(&[(60, 10), (80, 12), (119, 11), (121, 9)], 60);
        assert_eq!(bars.count(), 2);
        let [first, second] = bars.segments[0][..] else {
            panic!("two bars");
        };
        assert_eq!(
            (first.open, first.high, first.low, first.close),
            (10., 12., 10., 11.)
        );
        assert_eq!(
            (second.open, second.high, second.low, second.close),
            (11., 11., 9., 9.)
        );
        assert_eq!((first.time, second.time), (60, 120));
    }

    #[test]
    fn a_gap_is_named_and_not_bridged() {
        let bars = bars(&[(0, 10), (60, 11), (180, 20), (240, 21)], 60);
        assert_eq!(
            bars.gaps,
            [Gap {
                after: 60,
                before: 180
            }]
        );
        let lengths: Vec<usize> = bars.segments.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 2]);
        assert_eq!(
            bars.segments[1][0].open, 20.,
            "not the price before the gap"
        );
    }

    #[test]
    fn prices_that_are_late_leave_no_gap() {
        let bars = bars(&[(59, 10), (121, 11)], 60);
        assert!(bars.gaps.is_empty());
        let closes: Vec<f64> = bars.iter().map(|bar| bar.close).collect();
        assert_eq!(closes, [10., 10., 11.]);
    }
}
