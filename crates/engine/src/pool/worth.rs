//! What a pool is worth to whoever joins it and to whoever leaves.

use crate::error::EngineError;
use crate::held::PriceRange;
use crate::oracle::Mark;
use crate::position::Position;
use crate::units::{Bps, LotPrice, Side};

/// What a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolAssets {
    /// Free collateral of its trader account, atoms.
    pub free: u64,
    /// Its position, funding settled; one without lots where it has none.
    pub position: Position,
    /// Its part of the profit that the market holds, atoms.
    pub held: u64,
}

/// What a pool is worth, atoms: the same both ways without a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// To whoever leaves, rounded down. What it may take is measured by it too.
    pub low: u64,
    /// To whoever joins, rounded up.
    pub high: u64,
}

impl PoolAssets {
    /// What the pool is worth without its position, which needs no price.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn idle_worth(&self) -> Result<Worth, EngineError> {
        Ok(Worth {
            low: self.free,
            high: sum(self.free, self.held)?,
        })
    }

    /// What the pool is worth at `mark` with the moving average `average`. Confidence and average are
    /// taken the worse way for whoever comes or goes. Whoever leaves is charged `exit_bps` of the
    /// position's notional, for what closing it costs those who stay, and leaves unrealised profit
    /// behind up to `shortfall` atoms: what the market's positions lack more than insurance may pay,
    /// so that somebody has to give it up.
    ///
    /// # Errors
    /// `PriceOutOfRange`; `Overflow`.
    pub fn worth(
        &self,
        mark: &Mark,
        average: LotPrice,
        exit_bps: u32,
        shortfall: u64,
    ) -> Result<Worth, EngineError> {
        let Some(side) = self.position.side() else {
            return self.idle_worth();
        };
        let prices = PriceRange::cautious(mark, average)?;
        let (low, high) = match side {
            Side::Long => (prices.low, prices.high),
            Side::Short => (prices.high, prices.low),
        };
        let charge = Bps::new(exit_bps).ceil_of(self.position.notional(low)?)?;
        let profit = self.position.pnl(low)?.positive_part();
        let equity = self.position.equity(low)?;
        let after = equity
            .try_sub_unsigned(charge)?
            .try_sub_unsigned(profit.min(shortfall))?
            .try_add_unsigned(self.free)?;
        let best = self.position.equity(high)?.positive_part();
        Ok(Worth {
            low: after.positive_part(),
            high: sum(self.idle_worth()?.high, best)?,
        })
    }
}

fn sum(a: u64, b: u64) -> Result<u64, EngineError> {
    a.checked_add(b).ok_or(EngineError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::MarginScale;
    use crate::units::{Atoms, FundingIndex, Lots};

    fn position(lots: i64, entry: i64, margin: i64) -> Position {
        Position {
            lots: Lots::new(lots).unwrap(),
            entry_quote: Atoms::new(lots.wrapping_mul(entry)),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::ZERO,
        }
    }

    fn price(atoms: u64) -> LotPrice {
        LotPrice::new(atoms).unwrap()
    }

    fn mark(atoms: u64, confidence: u64) -> Mark {
        Mark {
            price: price(atoms),
            confidence,
            average: None,
            scale: MarginScale::NONE,
        }
    }

    fn worth(lots: i64, average: u64, shortfall: u64) -> (u64, u64) {
        let pool = PoolAssets {
            free: 500,
            position: position(lots, 100, 700),
            held: 11,
        };
        let worth = pool
            .worth(&mark(110, 3), price(average), 100, shortfall)
            .unwrap();
        (worth.low, worth.high)
    }

    #[test]
    fn without_a_position_only_held_profit_makes_a_difference() {
        assert_eq!(worth(0, 90, 1_000), (500, 511));
    }

    #[test]
    fn a_position_counts_the_worse_way() {
        // Long: 107 or the average, whichever is less, to leave; 113 or the average to join.
        assert_eq!(worth(10, 110, 0), (500 + 700 + 70 - 11, 511 + 700 + 130));
        assert_eq!(worth(10, 105, 0), (500 + 700 + 50 - 11, 511 + 700 + 130));
        assert_eq!(worth(10, 120, 0), (500 + 700 + 70 - 11, 511 + 700 + 200));
        // Short: 113 to leave, 107 to join.
        assert_eq!(worth(-10, 110, 0), (500 + 700 - 130 - 12, 511 + 700 - 70));
        assert_eq!(worth(-10, 120, 0), (500 + 700 - 200 - 12, 511 + 700 - 70));
        assert_eq!(worth(-10, 105, 0), (500 + 700 - 130 - 12, 511 + 700 - 50));
    }

    #[test]
    fn profit_that_somebody_lacks_stays() {
        assert_eq!(worth(10, 110, 30).0, 500 + 700 + 70 - 11 - 30);
        assert_eq!(worth(10, 110, 71).0, 500 + 700 - 11);
        assert_eq!(worth(-10, 110, 71).0, 500 + 700 - 130 - 12);
    }

    #[test]
    fn a_lost_position_takes_nothing_from_who_joins() {
        let pool = PoolAssets {
            free: 5,
            position: position(10, 200, 1),
            held: 0,
        };
        let worth = pool.worth(&mark(100, 0), price(100), 0, 0).unwrap();
        assert_eq!(worth, Worth { low: 0, high: 5 });
    }
}
