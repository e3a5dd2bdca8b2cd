//! The ranking by the rules, in fractions of small integers.

use std::cmp::Ordering;

use ballast_engine::position::Position;
use ballast_engine::rank::Round;
use ballast_engine::units::Side;
use num_rational::Ratio;

type Fraction = Ratio<i128>;

fn whole(number: impl Into<i128>) -> Fraction {
    Fraction::from_integer(number.into())
}

/// A kind of position in a round.
#[derive(Clone, Debug)]
pub struct Rated {
    /// 2 winner, 1 other, 0 insolvent at the close price.
    pub class: u8,
    /// `None` is infinite.
    pub score: Option<Fraction>,
    /// Bankruptcy price, mirrored for shorts.
    pub nearness: Fraction,
    /// Entry price.
    pub entry: Fraction,
}

impl Rated {
    fn new(round: &Round, position: &Position) -> Self {
        let size = i128::from(position.size());
        let lots = i128::from(position.lots.get());
        let entry = Fraction::new(i128::from(position.entry_quote.get()), lots);
        let funding = lots * i128::from(round.funding_index.get());
        let margin = Fraction::new(i128::from(position.margin.get()) - funding, size);
        let mark = whole(round.mark.get());
        let close = Fraction::new(round.close.quote.into(), round.close.lots.into());
        // Profit, equity and solvency of one lot; a short's are a long's reversed.
        let sign = whole(if round.side == Side::Long { 1 } else { -1 });
        let zero = whole(0);
        let profit = sign * (mark - entry) / entry;
        let equity = sign * (mark - entry) + margin;
        let solvent = sign * (close - entry) + margin >= zero;
        let least = Fraction::new(round.min_profit_bps.into(), 10_000);
        let wins = sign * (close - entry) >= zero && profit > zero && profit >= least;
        let score = if profit <= zero {
            Some(profit * equity.max(zero) / mark)
        } else if equity > zero {
            Some(profit * mark / equity)
        } else {
            None
        };
        Self {
            class: if solvent { 1 + u8::from(wins) } else { 0 },
            score,
            nearness: sign * entry - margin,
            entry,
        }
    }

    fn compare_scores(&self, other: &Self) -> Ordering {
        match (&self.score, &other.score) {
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }

    /// Whether the score is above 1 + tolerance times the other's.
    fn beats(&self, last: &Self, tolerance_bps: u32) -> bool {
        let more = Fraction::new(i128::from(tolerance_bps) + 10_000, 10_000);
        let zero = whole(0);
        match (&self.score, &last.score) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(score), Some(last)) if *last >= zero => *score > more * last,
            (Some(score), Some(last)) => *score >= zero || score * more > *last,
        }
    }
}

/// All kinds in one round and how any two of them stand.
pub struct Rules {
    pub rated: Vec<Rated>,
    order: Vec<Vec<Ordering>>,
    beats: Vec<Vec<bool>>,
    exact: bool,
}

impl Rules {
    pub fn new(round: &Round, kinds: &[Position]) -> Self {
        let rated: Vec<Rated> = kinds.iter().map(|kind| Rated::new(round, kind)).collect();
        let order = |a: &Rated, b: &Rated| {
            let scores = a.class.cmp(&b.class).then(a.compare_scores(b));
            scores.then(a.nearness.cmp(&b.nearness))
        };
        let beats = |a: &Rated, b: &Rated| a.beats(b, round.rank_tolerance_bps);
        Self {
            order: table(&rated, order),
            beats: table(&rated, beats),
            exact: round.rank_tolerance_bps == 0,
            rated,
        }
    }

    pub fn eligible(&self, kind: usize) -> bool {
        self.rated[kind].class > 0
    }

    /// The total order of (kind, age): `Greater` is cut before. The smaller age is older.
    pub fn compare(&self, a: (usize, u64), b: (usize, u64)) -> Ordering {
        self.order[a.0][b.0].then(b.1.cmp(&a.1))
    }

    /// Whether leaving `a` out breaks the order when `last` was cut.
    pub fn passed_over(&self, a: (usize, u64), last: (usize, u64)) -> bool {
        let (mine, theirs) = (self.rated[a.0].class, self.rated[last.0].class);
        mine > 0
            && match mine.cmp(&theirs) {
                Ordering::Greater => true,
                Ordering::Less => false,
                Ordering::Equal if self.exact => self.compare(a, last) == Ordering::Greater,
                Ordering::Equal => self.beats[a.0][last.0],
            }
    }
}

fn table<T>(rated: &[Rated], of: impl Fn(&Rated, &Rated) -> T) -> Vec<Vec<T>> {
    rated
        .iter()
        .map(|a| rated.iter().map(|b| of(a, b)).collect())
        .collect()
}

/// What pairs of kinds the grid holds.
#[derive(Debug, Default)]
pub struct Census {
    pub winners: u32,
    pub losers: u32,
    pub insolvent: u32,
    pub infinite: u32,
    /// Equal score, entry and bankruptcy price.
    pub ties: u32,
    /// Equal score other than 0, different entry prices.
    pub iso_scores: u32,
    /// Scores less than 5% apart but not equal.
    pub near_ties: u32,
}

impl Census {
    pub fn add(&mut self, rules: &Rules) {
        let zero = whole(0);
        for (number, a) in rules.rated.iter().enumerate() {
            self.winners += u32::from(a.class == 2);
            self.losers += u32::from(a.score.is_some_and(|score| score < zero));
            self.insolvent += u32::from(a.class == 0);
            self.infinite += u32::from(a.score.is_none() && a.class > 0);
            for b in &rules.rated[..number] {
                let (Some(s), Some(t)) = (a.score, b.score) else {
                    continue;
                };
                if s == t && s != zero {
                    let same = a.entry == b.entry && a.nearness == b.nearness;
                    self.ties += u32::from(same);
                    self.iso_scores += u32::from(a.entry != b.entry);
                }
                let (low, high) = (s.min(t), s.max(t));
                let near = low > zero && high > low && high < low * Fraction::new(105, 100);
                self.near_ties += u32::from(near);
            }
        }
    }

    pub fn is_full(&self) -> bool {
        let counts = [
            self.winners,
            self.losers,
            self.insolvent,
            self.infinite,
            self.ties,
            self.iso_scores,
            self.near_ties,
        ];
        counts.iter().all(|count| *count > 0)
    }
}
