//! What a cross account is worth and needs, in exact integers. See [`super::recompute`].

use anyhow::{Context, Result};
use num_bigint::BigInt;
use serde_json::Value;

use super::recompute::Brackets;
use super::recomputed_round::Marks;
use crate::report::exact::{integer, list, magnitude, share};

/// A leg at its mark.
struct Leg {
    market: usize,
    /// Signed lots at the mark less what they cost.
    result: BigInt,
    /// Funding owed.
    funding: BigInt,
    requirement: BigInt,
}

/// A cross account as the report has it.
pub struct Account {
    pool: BigInt,
    legs: Vec<Leg>,
}

/// The account as its leg in one market finds it.
pub struct Stands {
    /// `V`.
    pub equity: BigInt,
    /// `M`.
    pub requirement: BigInt,
    /// `m` of the leg.
    pub leg_requirement: BigInt,
    /// The pool once the leg has paid its funding.
    pub pool_paid: BigInt,
    /// The result of the leg at its mark, funding paid.
    result: BigInt,
    only: bool,
}

impl Account {
    /// Values every leg.
    pub fn read(value: &Value, marks: &Marks, brackets: &[Brackets]) -> Result<Self> {
        let legs = list(value, "legs")?.iter();
        Ok(Self {
            pool: integer(value, "pool_atoms")?,
            legs: legs
                .map(|leg| Leg::read(leg, marks, brackets))
                .collect::<Result<_>>()?,
        })
    }

    /// How it stands for its leg in `market`.
    pub fn stands(&self, market: usize) -> Result<Stands> {
        let own = self.legs.iter().find(|leg| leg.market == market);
        let own = own.with_context(|| format!("an account has no leg in market {market}"))?;
        let results: BigInt = self.legs.iter().map(|leg| &leg.result - &leg.funding).sum();
        Ok(Stands {
            equity: &self.pool + results,
            requirement: self.legs.iter().map(|leg| &leg.requirement).sum(),
            leg_requirement: own.requirement.clone(),
            pool_paid: &self.pool - &own.funding,
            result: own.result.clone(),
            only: self.legs.len() == 1,
        })
    }
}

impl Leg {
    fn read(value: &Value, marks: &Marks, brackets: &[Brackets]) -> Result<Self> {
        let market = usize::try_from(value["market"].as_u64().context("`market` is no number")?)?;
        let (mark, index) = marks.of(market)?;
        let lots = integer(value, "lots")?;
        let brackets = brackets.get(market).context("no brackets of a market")?;
        Ok(Self {
            market,
            result: &lots * mark - integer(value, "entry_quote_atoms")?,
            funding: &lots * (index - integer(value, "funding_index")?),
            requirement: maintenance(brackets, &(magnitude(&lots) * mark)),
        })
    }
}

/// Maintenance margin of a notional: each part of it at the rate of its bracket, the sum rounded up.
fn maintenance(brackets: &Brackets, notional: &BigInt) -> BigInt {
    let (mut scaled, mut from) = (BigInt::from(0), BigInt::from(0));
    let last = brackets.len().saturating_sub(1);
    for (place, (limit, bps)) in brackets.iter().enumerate() {
        let to = match place == last {
            true => notional.clone(),
            false => notional.clone().min(limit.clone()),
        };
        if to > from {
            scaled += (&to - &from) * bps;
            from = to;
        }
    }
    (scaled + 9_999) / 10_000
}

impl Stands {
    /// Whether it has maintenance margin.
    pub fn is_healthy(&self) -> bool {
        self.equity >= self.requirement
    }

    /// The margin with which the leg's equity is all of the account's.
    pub fn margin_of_all(&self) -> BigInt {
        &self.equity - &self.result
    }

    /// The margin with which the leg's equity is its share, rounded towards nothing.
    pub fn margin_of_share(&self) -> BigInt {
        if self.only {
            return self.margin_of_all();
        }
        let whole = magnitude(&self.equity);
        let part = share(&whole, &self.leg_requirement, &self.requirement, false);
        let part = if self.equity < BigInt::from(0) {
            -part
        } else {
            part
        };
        part - &self.result
    }

    /// Lots, of the `cap_left` that the cap allows, by which the leg of `size` may be cut where closing all of it
    /// loses `loss` against the mark; `None` where it is for liquidation.
    pub fn borne(
        &self,
        loss: &BigInt,
        size: &BigInt,
        cap_left: &BigInt,
        to_equity: bool,
    ) -> Option<BigInt> {
        let zero = BigInt::from(0);
        if self.equity < zero {
            return None;
        }
        if !self.is_healthy() {
            let part = share(
                &self.equity,
                &self.leg_requirement,
                &self.requirement,
                false,
            );
            return (*loss <= part).then(|| cap_left.clone());
        }
        if *loss <= self.leg_requirement {
            return Some(cap_left.clone());
        }
        let (most, each): (BigInt, BigInt) = match to_equity {
            true => (&self.equity - 1, loss.clone()),
            false => (
                &self.equity - &self.requirement - 2,
                loss - &self.leg_requirement,
            ),
        };
        let borne = share(&most.max(zero).min(each.clone()), size, &each, false);
        Some(borne.min(cap_left.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands(equity: i64, requirement: i64, leg: i64) -> Stands {
        Stands {
            equity: equity.into(),
            requirement: requirement.into(),
            leg_requirement: leg.into(),
            pool_paid: 0.into(),
            result: 0.into(),
            only: false,
        }
    }

    #[test]
    fn brackets_are_taken_one_after_another() {
        let brackets: Brackets = vec![
            (BigInt::from(1_000), BigInt::from(250)),
            (BigInt::from(4_000), BigInt::from(500)),
            (BigInt::from(0), BigInt::from(1_000)),
        ];
        for (notional, margin) in [
            (0, 0),
            (1, 1),
            (1_000, 25),
            (1_001, 26),
            (4_000, 175),
            (5_000, 275),
        ] {
            let found = maintenance(&brackets, &BigInt::from(notional));
            assert_eq!(found, BigInt::from(margin), "{notional}");
        }
    }

    #[test]
    fn a_cut_leaves_what_the_table_of_cross_margin_says() {
        let borne = |stands: &Stands, loss: i64, equity| {
            let lots = stands.borne(&loss.into(), &100.into(), &50.into(), equity);
            lots.map(|lots| i64::try_from(lots).expect("few"))
        };
        assert_eq!(borne(&stands(-1, 10, 5), 0, false), None);
        assert_eq!(borne(&stands(9, 10, 5), 4, false), Some(50));
        assert_eq!(borne(&stands(9, 10, 5), 5, false), None);
        assert_eq!(borne(&stands(10, 10, 5), 5, false), Some(50));
        assert_eq!(borne(&stands(12, 10, 5), 6, false), Some(0));
        assert_eq!(borne(&stands(32, 10, 5), 105, false), Some(20));
        assert_eq!(borne(&stands(32, 10, 5), 124, true), Some(25));
        assert_eq!(borne(&stands(1_000, 10, 5), 105, false), Some(50));
    }

    #[test]
    fn a_deficit_is_shared_by_requirement_and_rounded_towards_nothing() {
        assert_eq!(stands(-100, 30, 10).margin_of_share(), BigInt::from(-33));
        assert_eq!(stands(100, 30, 20).margin_of_share(), BigInt::from(66));
        let only = Stands {
            only: true,
            ..stands(-100, 30, 10)
        };
        assert_eq!(only.margin_of_share(), BigInt::from(-100));
    }
}
