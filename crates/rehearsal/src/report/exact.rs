//! The rules of the ranking in exact fractions, and how numbers of a report are read for them.
//!
//! Nothing of the engine, the program or the report's own types is used here.

use std::cmp::{Ordering, Reverse};

use anyhow::{Context, Result};
use num_bigint::BigInt;
use num_rational::BigRational;
use serde_json::Value;

/// A score; a counterparty at its own bankruptcy price scores without bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Score {
    Finite(BigRational),
    Infinite,
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(one), Self::Finite(two)) => one.cmp(two),
            (Self::Infinite, Self::Infinite) => Ordering::Equal,
            (Self::Infinite, Self::Finite(_)) => Ordering::Greater,
            (Self::Finite(_), Self::Infinite) => Ordering::Less,
        }
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Order of the queue; the least is cut first: winners before others, then higher score, then
/// nearer to bankruptcy, then older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    class: u8,
    score: Reverse<Score>,
    bankruptcy: Reverse<BigRational>,
    sequence: BigInt,
}

/// What every counterparty of a round is ranked by.
pub struct Terms<'a> {
    /// +1 when the counterparties are long, -1 when short.
    pub sign: &'a BigInt,
    /// Atoms per lot.
    pub mark: &'a BigInt,
    /// Atoms per lot.
    pub close: &'a BigRational,
    /// Least profit of a winner at the mark, basis points.
    pub min_profit_bps: &'a BigInt,
}

/// How a counterparty stands.
pub struct Standing {
    /// Whether it is in profit at the close price, with the least profit at the mark.
    pub wins: bool,
    /// Whether its own margin lasts to the close price.
    pub solvent: bool,
    score: Score,
    bankruptcy: BigRational,
}

impl Terms<'_> {
    /// That of `lots` that cost `entry`, both without sign, over `margin`.
    pub fn standing(&self, lots: &BigInt, entry: &BigInt, margin: &BigInt) -> Standing {
        let price = |quote: BigInt| BigRational::new(quote, lots.clone());
        // Everything as if long: `ahead` is positive when `one` is better than `two`.
        let ahead = |one: &BigRational, two: &BigRational| {
            (one - two) * BigRational::from(self.sign.clone())
        };
        let zero = BigRational::from(BigInt::from(0));
        let mark = BigRational::from(self.mark.clone());
        let entry_price = price(entry.clone());
        let bankruptcy = price(entry - self.sign * margin);
        let profit = ahead(&mark, &entry_price) / &entry_price;
        let cushion = ahead(&mark, &bankruptcy);
        let least = BigRational::new(self.min_profit_bps.clone(), BigInt::from(10_000));
        let wins = ahead(self.close, &entry_price) >= zero && profit > zero && profit >= least;
        let score = if profit > zero && cushion == zero {
            Score::Infinite
        } else if profit > zero {
            Score::Finite(&profit * &mark / &cushion)
        } else {
            Score::Finite(&profit * &cushion / &mark)
        };
        Standing {
            wins,
            solvent: ahead(self.close, &bankruptcy) >= zero,
            score,
            bankruptcy,
        }
    }
}

impl Standing {
    /// Its place in the order.
    pub fn rank(self, sign: &BigInt, sequence: BigInt) -> Rank {
        Rank {
            class: u8::from(!self.wins),
            score: Reverse(self.score),
            bankruptcy: Reverse(self.bankruptcy * BigRational::from(sign.clone())),
            sequence,
        }
    }
}

/// What one pass may cut of a position.
pub struct Cap<'a> {
    /// Basis points.
    pub max_close_bps: &'a BigInt,
    /// Smallest position that may be left open, lots.
    pub least_lots: &'a BigInt,
}

impl Cap<'_> {
    /// Lots that may still be cut of `lots`, of which the pass has cut `already`.
    pub fn left(&self, lots: &BigInt, already: &BigInt, at_cap: bool) -> BigInt {
        let base = lots + already;
        let cap: BigInt = if at_cap {
            already.clone()
        } else {
            (self.max_close_bps * base + 9_999) / 10_000
        };
        let left = (cap - already).min(lots.clone());
        // A rest below the least position goes along.
        if left > BigInt::from(0) && lots - &left < *self.least_lots {
            return lots.clone();
        }
        left
    }
}

/// Whether sparing `rank` while cutting `last` breaks the rule.
pub fn skipped(rank: &Rank, last: &Rank, tolerance_bps: &BigInt) -> bool {
    if rank.class != last.class || *tolerance_bps == BigInt::from(0) {
        return rank < last;
    }
    let zero = BigRational::from(BigInt::from(0));
    let more = BigRational::new(tolerance_bps + 10_000, BigInt::from(10_000));
    match (&rank.score.0, &last.score.0) {
        (Score::Infinite, Score::Finite(_)) => true,
        (_, Score::Infinite) => false,
        (Score::Finite(spared), Score::Finite(cut)) if *cut >= zero => *spared > cut * more,
        (Score::Finite(spared), Score::Finite(cut)) => spared * more > *cut,
    }
}

/// `whole * part / all`, rounded up or down.
pub fn share(whole: &BigInt, part: &BigInt, all: &BigInt, up: bool) -> BigInt {
    let exact = BigRational::new(whole * part, all.clone());
    if up { exact.ceil() } else { exact.floor() }.to_integer()
}

/// Without its sign.
pub fn magnitude(number: &BigInt) -> BigInt {
    BigInt::from(number.magnitude().clone())
}

/// A list of a report.
pub fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field]
        .as_array()
        .with_context(|| format!("`{field}` is not a list"))
}

/// A text of a report.
pub fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("`{field}` is not text"))
}

/// An integer of a report.
pub fn integer(value: &Value, field: &str) -> Result<BigInt> {
    let number = value[field]
        .as_number()
        .with_context(|| format!("`{field}` is not a number"))?;
    number
        .to_string()
        .parse()
        .with_context(|| format!("`{field}` is not an integer"))
}

/// `n/d`.
pub fn fraction(text: &str) -> Result<BigRational> {
    let (over, under) = text
        .split_once('/')
        .with_context(|| format!("`{text}` is not n/d"))?;
    Ok(BigRational::new(over.parse()?, under.parse()?))
}
