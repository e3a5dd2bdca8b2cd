//! The ranking as the rules state it, in rational arithmetic.

use std::cmp::Ordering;

use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::Round;
use ballast_engine::units::Side;
use num_bigint::BigInt;
use num_rational::BigRational;

pub fn integer(number: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(number.into())
}

pub fn fraction(number: impl Into<BigInt>, of: impl Into<BigInt>) -> BigRational {
    BigRational::new(number.into(), of.into())
}

/// A counterparty as the rules see it.
#[derive(Clone, Debug)]
pub struct Rated {
    pub number: usize,
    /// 2 winner, 1 other, 0 insolvent at the close price.
    pub class: u8,
    /// `None` is infinite.
    pub score: Option<BigRational>,
    /// Bankruptcy price, mirrored for shorts: the larger comes first.
    pub nearness: BigRational,
    /// Neither insolvent nor at its cap.
    pub cuttable: bool,
}

impl Rated {
    pub fn new(round: &Round, number: usize, position: &Position, stamp: CutStamp) -> Self {
        let size = BigInt::from(position.size());
        let entry = fraction(position.entry_quote.get().unsigned_abs(), size.clone());
        let unpaid = BigInt::from(position.lots.get())
            * (BigInt::from(round.funding_index.get())
                - BigInt::from(position.funding_index.get()));
        let margin = BigInt::from(position.margin.get()) - unpaid;
        let per_lot = fraction(margin, size);
        let mark = integer(round.mark.get());
        let close = fraction(round.close.quote, round.close.lots);
        // Mirrored, every difference of a short is that of a long.
        let sign = match round.side {
            Side::Long => integer(1),
            Side::Short => integer(-1),
        };
        let bankruptcy = &entry - &sign * per_lot;
        let gain = &sign * (&mark - &entry) / &entry;
        let equity = &sign * (&mark - &bankruptcy);
        let zero = integer(0);
        let solvent = &sign * (&close - &bankruptcy) >= zero;
        let profit = &sign * (&close - &entry) >= zero
            && gain > zero
            && &gain * integer(10_000) >= integer(round.min_profit_bps);
        let score = if gain > zero {
            (equity > zero).then(|| &gain * &mark / &equity)
        } else if equity > zero {
            Some(&gain * &equity / &mark)
        } else {
            Some(zero)
        };
        Self {
            number,
            class: if !solvent {
                0
            } else if profit {
                2
            } else {
                1
            },
            score,
            nearness: sign * bankruptcy,
            cuttable: solvent && !at_cap(round, position.size(), stamp),
        }
    }

    /// `Greater` is cut before. Numbers are ages.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.class
            .cmp(&other.class)
            .then_with(|| self.compare_scores(other))
            .then_with(|| self.nearness.cmp(&other.nearness))
            .then_with(|| other.number.cmp(&self.number))
    }

    pub fn compare_scores(&self, other: &Self) -> Ordering {
        match (&self.score, &other.score) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        }
    }

    /// Whether leaving this one out breaks the order when `last` was cut.
    pub fn passed_over(&self, last: &Self, tolerance_bps: u32) -> bool {
        if !self.cuttable {
            return false;
        }
        if self.class != last.class {
            return self.class > last.class;
        }
        if tolerance_bps == 0 {
            return self.compare(last) == Ordering::Greater;
        }
        let Some(last) = &last.score else {
            return false;
        };
        let Some(score) = &self.score else {
            return true;
        };
        let more = fraction(u64::from(tolerance_bps) + 10_000, 10_000);
        let zero = integer(0);
        if *last >= zero {
            *score > more * last
        } else {
            *score >= zero || score * more > *last
        }
    }
}

fn at_cap(round: &Round, lots: u64, stamp: CutStamp) -> bool {
    if stamp.capped_epoch >= round.epoch {
        return true;
    }
    let cut = if stamp.epoch >= round.epoch {
        u64::from(stamp.lots)
    } else {
        0
    };
    let cap = fraction(lots + cut, 10_000) * integer(round.max_close_bps);
    integer(cut) >= cap.ceil()
}

/// Everybody who may be cut, the first to be cut first.
pub fn ranking(round: &Round, positions: &[(usize, Position, CutStamp)]) -> Vec<Rated> {
    let mut rated: Vec<_> = positions
        .iter()
        .map(|(number, position, stamp)| Rated::new(round, *number, position, *stamp))
        .filter(|rated| rated.cuttable)
        .collect();
    rated.sort_by(|a, b| b.compare(a));
    rated
}
