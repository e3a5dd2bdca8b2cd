//! Shapes of hostile queues and how they are changed.

use ballast_engine::position::Position;
use ballast_engine::rank::{ClosePrice, Round};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};

/// Atoms per lot: large, so that prices can lie close together.
pub const MARK: f64 = 200_000_000.0;
const LOTS: f64 = 7.0;

/// Numbers that look random.
pub struct Dice(pub u64);

impl Dice {
    /// Within 0 to 1.
    pub fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits");
        f64::from(bits) / f64::from(u32::MAX)
    }
}

/// A queue as lines of equal score with entry prices on rungs, whose profit (or loss)
/// ratios grow by a factor.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Whether all positions are in loss.
    pub losing: bool,
    /// Ratio of the first rung.
    pub low: f64,
    /// Ratio of the last rung at most.
    pub high: f64,
    /// Factor from rung to rung; 1 spreads all positions evenly instead.
    pub factor: f64,
    /// Atoms per lot from one position of a rung to the next; 0 is a mass of ties.
    pub tick: f64,
    /// Lines of equal score.
    pub lines: f64,
    /// How much lower each line scores, as a part.
    pub apart: f64,
    /// Part of the positions strewn over scores far below.
    pub strewn: f64,
    /// Order of joining, 0 to 1: sorted to shuffled.
    pub shuffled: f64,
    /// Score, times the mark.
    pub score: f64,
    /// Positions an honest keeper has cut.
    pub cut: usize,
    /// Whether those were cut to their cap and stay in the queue.
    pub stay: bool,
}

impl Shape {
    /// One line of equal score, ratios spread evenly.
    pub fn even_line() -> Self {
        Self {
            losing: false,
            low: 0.0011,
            high: 8.0,
            factor: 1.0,
            tick: 0.0,
            lines: 1.0,
            apart: 0.0,
            strewn: 0.0,
            shuffled: 1.0,
            score: 2.0,
            cut: 1,
            stay: false,
        }
    }

    /// Where the search begins. `step` is 1 plus the tolerance.
    pub fn first(step: f64) -> Vec<(&'static str, Self)> {
        let line = Self::even_line();
        let ladder = Self {
            factor: step * 1.000_01,
            ..line
        };
        let lines = Self {
            lines: 4.0,
            apart: 0.002,
            ..line
        };
        let losing = |shape: Self| Self {
            losing: true,
            high: 0.9,
            score: 0.005,
            ..shape
        };
        vec![
            ("one line", line),
            ("four lines", lines),
            (
                "lines a tolerance apart",
                Self {
                    apart: step - 1.0,
                    ..lines
                },
            ),
            ("ladder of ties", ladder),
            (
                "ladder of ticks",
                Self {
                    tick: 1.0,
                    ..ladder
                },
            ),
            (
                "ladder, sorted",
                Self {
                    shuffled: 0.0,
                    ..ladder
                },
            ),
            (
                "next to the largest b",
                Self {
                    score: 1_000.0,
                    ..ladder
                },
            ),
            (
                "one tick apart",
                Self {
                    low: 0.0011,
                    high: 0.0012,
                    tick: 1.0,
                    ..ladder
                },
            ),
            (
                "more margin than worth",
                Self {
                    low: 0.3,
                    high: 0.8,
                    score: 0.1,
                    ..line
                },
            ),
            (
                "entered far from the mark",
                Self {
                    low: 0.7,
                    high: 20.0,
                    ..line
                },
            ),
            (
                "strewn",
                Self {
                    strewn: 0.9,
                    ..ladder
                },
            ),
            (
                "two hundred and more at their cap",
                Self {
                    strewn: 0.99,
                    cut: 260,
                    stay: true,
                    ..ladder
                },
            ),
            (
                "a thousand cut",
                Self {
                    cut: 1_000,
                    ..lines
                },
            ),
            ("losers, one line", losing(line)),
            ("losers, ladder of ties", losing(ladder)),
            ("losers, four lines", losing(lines)),
        ]
    }

    /// The shape with one property changed.
    pub fn changed(&self, dice: &mut Dice, step: f64) -> Self {
        let mut next = *self;
        let part = dice.part();
        match usize_of(dice.part() * 10.0) {
            0 => next.factor = step.powf(0.25 + 2.0 * part),
            1 => next.factor = step * (1.0 + part * part * 0.01),
            2 => next.tick = (part * 4.0).floor(),
            3 => next.lines = 1.0 + (part * 6.0).floor(),
            4 => next.apart = part * part * (step - 1.0) * 2.0,
            5 => next.strewn = part * 0.9,
            6 => next.shuffled = if part < 0.5 { part } else { 1.0 },
            7 => next.low = 0.001 * (1.02 + part * part * 3.0),
            8 => next.stay = part < 0.5,
            _ => next.cut = 1 + usize_of(part * part * 200.0),
        }
        next
    }

    /// Closing one atom beyond the mark, with a least profit of 0.1%.
    pub fn round(&self, side: Side, rank_tolerance_bps: u32) -> Round {
        let mark = integer(MARK);
        Round {
            side,
            mark: LotPrice::new(u64::try_from(mark).expect("positive")).expect("within range"),
            close: ClosePrice {
                quote: match side {
                    Side::Long => mark - 1,
                    Side::Short => mark + 1,
                },
                lots: 1,
            },
            funding_index: FundingIndex::ZERO,
            min_profit_bps: 10,
            rank_tolerance_bps,
            max_close_bps: 10_000,
            least_lots: 0,
            epoch: 1,
        }
    }

    /// The positions in order of joining.
    pub fn positions(&self, side: Side, count: usize) -> Vec<Position> {
        let mut dice = Dice(7);
        let mut placed: Vec<(f64, Position)> = (0..count)
            .map(|number| {
                let part = float(number) / float(count);
                let place = if dice.part() < self.shuffled {
                    dice.part()
                } else {
                    part
                };
                (place, self.position(side, part, float(number), &mut dice))
            })
            .collect();
        placed.sort_by(|a, b| a.0.total_cmp(&b.0));
        placed.into_iter().map(|(_, position)| position).collect()
    }

    fn position(&self, side: Side, part: f64, number: f64, dice: &mut Dice) -> Position {
        // Shorts cannot gain, nor longs lose, their whole entry.
        let bounded = (side == Side::Long) == self.losing;
        let high = if bounded {
            self.high.min(0.9)
        } else {
            self.high
        };
        let span = (high / self.low).ln();
        let rung = if self.factor > 1.0 {
            let rungs = (span / self.factor.ln()).floor().max(1.0);
            (part * rungs).floor() * self.factor.ln()
        } else {
            part * span
        };
        let ratio = self.low * rung.exp();
        let line = (number % self.lines).floor();
        let strewn = if dice.part() < self.strewn {
            0.3 + dice.part()
        } else {
            0.0
        };
        let score = self.score * (1.0 - self.apart).powf(line) * (-strewn).exp();
        let up = (side == Side::Long) != self.losing;
        let exact = if up {
            MARK / (1.0 + ratio)
        } else {
            MARK / (1.0 - ratio)
        };
        let entry = exact + self.tick * (number % 16.0);
        self.held(side, entry, score)
    }

    /// A position with this entry price whose bankruptcy price gives it this score.
    fn held(&self, side: Side, entry: f64, score: f64) -> Position {
        let total = (entry * LOTS).round();
        let price = total / LOTS;
        let ratio = (MARK - price).abs() / price;
        // Profit: ratio * mark / d; loss: ratio * d / mark.
        let distance = if self.losing {
            (score * MARK / ratio).min(9.0 * MARK)
        } else {
            (ratio * MARK / score).clamp(1.0, 9.0 * MARK)
        };
        let pnl = match side {
            Side::Long => MARK - price,
            Side::Short => price - MARK,
        };
        // Less score, never more, by rounding.
        let margin = (LOTS * (distance - pnl)).ceil();
        let (entry, lots) = (integer(total), integer(LOTS));
        let sign = if side == Side::Long { 1 } else { -1 };
        Position {
            lots: Lots::new(sign * lots).expect("few"),
            entry_quote: Atoms::new(sign * entry),
            margin: Atoms::new(integer(margin)),
            funding_index: FundingIndex::ZERO,
        }
    }
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("fits"))
}

/// Rounds towards zero.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)]
fn integer(number: f64) -> i64 {
    number as i64
}

fn usize_of(number: f64) -> usize {
    usize::try_from(integer(number)).expect("not negative")
}
