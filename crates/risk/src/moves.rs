//! How far prices moved within a horizon, from every step at which one begins.

use std::collections::VecDeque;

use crate::filter::Filter;
use crate::returns::Return;

/// Against whom a move goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A fall, against longs.
    Long,
    /// A rise, against shorts.
    Short,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Long, Self::Short];

    /// The word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }

    /// The part of its notional that a position loses in a move of that logarithm against it.
    #[must_use]
    pub fn loss(self, log_move: f64) -> f64 {
        match self {
            Self::Long => -(-log_move).exp_m1(),
            Self::Short => log_move.exp_m1(),
        }
    }
}

/// A horizon from one step on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Number of the step at which it begins, over all stretches.
    pub place: usize,
    /// Volatility of a step that was known then; `None` where too little was.
    pub sigma: Option<f64>,
    /// How far the lowest price fell below the first, a logarithm of 0 or more.
    pub fall: f64,
    /// How far the highest price rose above it.
    pub rise: f64,
}

impl Window {
    /// The move against a side, a logarithm of 0 or more.
    #[must_use]
    pub const fn against(&self, side: Side) -> f64 {
        match side {
            Side::Long => self.fall,
            Side::Short => self.rise,
        }
    }
}

/// All windows of so many steps that lie within a stretch; they overlap.
#[must_use]
pub fn windows(history: &[Vec<Return>], filter: &Filter, steps: usize) -> Vec<Window> {
    let mut all = Vec::new();
    let mut begin = 0;
    for (stretch, sigmas) in history.iter().zip(filter.sigmas()) {
        let alone = core::slice::from_ref(stretch);
        let [falls, rises] = Side::BOTH.map(|side| against(alone, steps, side));
        for (at, (fall, rise)) in falls.into_iter().zip(rises).enumerate() {
            all.push(Window {
                place: begin + at,
                sigma: sigmas[at],
                fall,
                rise,
            });
        }
        begin += stretch.len();
    }
    all
}

/// The moves against a side within so many steps, logarithms of 0 or more, of every window that lies within a
/// stretch.
#[must_use]
pub fn against(history: &[Vec<Return>], steps: usize, side: Side) -> Vec<f64> {
    let of = |stretch: &Vec<Return>| match side {
        Side::Long => lowest(stretch.iter().map(|one| (one.low, one.close)), steps),
        Side::Short => lowest(stretch.iter().map(|one| (-one.high, -one.close)), steps),
    };
    let all = history.iter().flat_map(of);
    all.map(|lowest| (-lowest).max(0.)).collect()
}

/// For each step the lowest that is reached within `steps` of it, from extremes and closes of steps.
fn lowest(moves: impl Iterator<Item = (f64, f64)>, steps: usize) -> Vec<f64> {
    // Where each step begins, and its lowest, both from the beginning of the stretch.
    let (mut begins, mut lows) = (Vec::new(), Vec::new());
    let mut level = 0.;
    for (low, close) in moves {
        begins.push(level);
        lows.push(level + low);
        level += close;
    }
    let mut found = Vec::new();
    let mut candidates: VecDeque<usize> = VecDeque::new();
    for (at, low) in lows.iter().enumerate() {
        while candidates.back().is_some_and(|last| lows[*last] >= *low) {
            candidates.pop_back();
        }
        candidates.push_back(at);
        let Some(begin) = (at + 1).checked_sub(steps.max(1)) else {
            continue;
        };
        while candidates.front().is_some_and(|first| *first < begin) {
            candidates.pop_front();
        }
        found.extend(candidates.front().map(|first| lows[*first] - begins[begin]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Settings;
    use crate::random::Stream;

    fn history(steps: usize) -> Vec<Vec<Return>> {
        let mut stream = Stream::new(1, 0);
        let one = |_| {
            let close = 0.01 * (stream.unit() - 0.5);
            Return {
                high: close.max(0.) + 0.001 * stream.unit(),
                low: close.min(0.) - 0.001 * stream.unit(),
                close,
            }
        };
        vec![(0..steps).map(one).collect()]
    }

    #[test]
    fn windows_hold_the_extremes_within() {
        let history = history(200);
        let filter = Filter::fit(&history, 60, Settings::default()).expect("moves");
        for steps in [1, 2, 7, 50] {
            let found = windows(&history, &filter, steps);
            assert_eq!(found.len(), 200 - steps + 1);
            for window in &found {
                let (mut level, mut low, mut high) = (0., 0., 0.);
                for one in &history[0][window.place..window.place + steps] {
                    low = f64::min(low, level + one.low);
                    high = f64::max(high, level + one.high);
                    level += one.close;
                }
                assert!((window.fall + low).abs() < 1e-12, "{window:?}");
                assert!((window.rise - high).abs() < 1e-12, "{window:?}");
            }
        }
    }

    #[test]
    fn no_window_spans_a_gap() {
        let mut two = history(100);
        two.extend(history(100));
        let filter = Filter::fit(&two, 60, Settings::default()).expect("moves");
        let found = windows(&two, &filter, 10);
        assert_eq!(found.len(), 2 * 91);
        assert_eq!(found[91].place, 100);
        assert_eq!(found[91].fall, found[0].fall);
    }

    #[test]
    fn a_loss_is_a_part_of_the_notional() {
        assert!((Side::Long.loss(0.5_f64.recip().ln()) - 0.5).abs() < 1e-12);
        assert!((Side::Short.loss(2_f64.ln()) - 1.).abs() < 1e-12);
    }
}
