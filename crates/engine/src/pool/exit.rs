//! What a pool may pay to who leaves.

use super::{PoolAssets, PoolParams, Worth};
use crate::error::EngineError;
use crate::held::PriceRange;
use crate::math::mul_div_ceil;
use crate::oracle::Mark;
use crate::units::{Bps, LotPrice, Side, BPS_ONE};

impl PoolAssets {
    /// How much of the pool's free collateral may leave, atoms: so much that the position, at the price
    /// that counts for who leaves, keeps what its margin is to be out of it, and that its notional at the
    /// mark stays within the cap.
    ///
    /// # Errors
    /// `PriceOutOfRange`; `Overflow`.
    pub fn payable(
        &self,
        params: &PoolParams,
        mark: &Mark,
        average: LotPrice,
        worth: &Worth,
    ) -> Result<u64, EngineError> {
        let Some(side) = self.position.side() else {
            return Ok(self.free);
        };
        let prices = PriceRange::cautious(mark, average)?;
        let price = match side {
            Side::Long => prices.low,
            Side::Short => prices.high,
        };
        let margin = Bps::new(params.margin_bps).ceil_of(self.position.notional(price)?)?;
        let equity = self.position.equity(price)?;
        let missing = equity.try_sub_unsigned(margin)?.get();
        // What is missing, atoms; nothing where there is more.
        let missing = missing.min(0).unsigned_abs();
        let notional = self.position.notional(mark.price)?;
        let least = mul_div_ceil(notional, BPS_ONE, u64::from(params.cap_bps))?;
        let spare = self.free.checked_sub(missing);
        let room = worth.low.checked_sub(least);
        Ok(spare.unwrap_or(0).min(room.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::MarginScale;
    use crate::position::Position;
    use crate::units::{Atoms, FundingIndex, Lots};

    fn price(atoms: u64) -> LotPrice {
        LotPrice::new(atoms).unwrap()
    }

    fn mark() -> Mark {
        Mark {
            price: price(100),
            confidence: 2,
            average: None,
            scale: MarginScale::NONE,
        }
    }

    /// 10 lots at 100 with this margin; 3,000 free. What may leave at an average of 97.
    fn payable(lots: i64, margin: i64, change: impl FnOnce(&mut PoolParams)) -> u64 {
        let pool = PoolAssets {
            free: 3_000,
            position: Position {
                lots: Lots::new(lots).unwrap(),
                entry_quote: Atoms::new(lots.wrapping_mul(100)),
                margin: Atoms::new(margin),
                funding_index: FundingIndex::ZERO,
            },
            held: 0,
        };
        let mut params = PoolParams::DEFAULT;
        params.exit_bps = 0;
        params.cap_bps = 10_000;
        change(&mut params);
        let average = price(97);
        let worth = pool.worth(&mark(), average, params.exit_bps, 0).unwrap();
        let payable = pool.payable(&params, &mark(), average, &worth).unwrap();
        let left = PoolAssets {
            free: pool.free.wrapping_sub(payable),
            ..pool
        };
        let after = left.worth(&mark(), average, params.exit_bps, 0).unwrap();
        assert_eq!(after.low, worth.low.wrapping_sub(payable));
        payable
    }

    #[test]
    fn without_a_position_all_may_leave() {
        assert_eq!(payable(0, 0, |_| ()), 3_000);
    }

    #[test]
    fn the_position_keeps_its_margin() {
        // At 97 the long has 1,200 - 30 for a notional of 970: nothing is missing, but the cap
        // keeps 1,000 of 4,170.
        assert_eq!(payable(10, 1_200, |_| ()), 3_000);
        // At twice the notional 770 are missing.
        assert_eq!(payable(10, 1_200, |pool| pool.margin_bps = 20_000), 2_230);
        // The short stands at 102: 500 - 20 for 1,020.
        assert_eq!(payable(-10, 500, |_| ()), 3_000 - 540);
        // More is missing than there is.
        assert_eq!(payable(10, -5_000, |_| ()), 0);
    }

    #[test]
    fn nobody_leaves_a_position_that_is_larger_than_the_cap() {
        // 1,000 at the mark are half of 2,000, so that 2,000 of 3,970 + 200 stay.
        let half = |pool: &mut PoolParams| (pool.cap_bps, pool.margin_bps) = (5_000, 1_000);
        assert_eq!(payable(10, 130, half), 3_000 + 100 - 2_000);
        let tenth = |pool: &mut PoolParams| (pool.cap_bps, pool.margin_bps) = (1_000, 1_000);
        assert_eq!(payable(10, 130, tenth), 0);
    }
}
