//! Tick and lot sizes that suit the price at hand.

use anyhow::{ensure, Result};
use serde::Serialize;

/// Quote atoms in one US dollar: six decimals, like USDC.
pub const ATOMS_PER_USD: u64 = 1_000_000;

/// How the market counts price and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarketUnits {
    /// Size of one tick in 1e-9 USD.
    pub tick_nano: u64,
    /// Size of one lot in 1e-9 of the base asset.
    pub lot_nano: u64,
    /// Quote atoms of one lot at a price of one tick.
    pub atoms_per_lot_tick: u64,
}

impl MarketUnits {
    /// Units for a market that starts at `price_nano` (1e-9 USD): the price is 100,000 to
    /// 1,000,000 ticks where nine decimals allow, and a lot at one tick is worth one atom.
    ///
    /// SOL at $206: ticks of $0.001, lots of 0.001.
    pub fn for_price(price_nano: i64) -> Result<Self> {
        let price = u64::try_from(price_nano)?;
        ensure!(
            (1_000..=1_000_000_000_000_000).contains(&price),
            "the first price must be from $0.000001 to $1,000,000 to choose tick and lot sizes"
        );
        // The program states ticks in billionths.
        let mut tick_nano = 1;
        while price / tick_nano >= 1_000_000 {
            tick_nano *= 10;
        }
        // lot (base) * tick (USD) * 1e6 atoms = 1
        let lot_nano = 1_000_000_000_000 / tick_nano;
        Ok(Self {
            tick_nano,
            lot_nano,
            atoms_per_lot_tick: 1,
        })
    }

    /// Whole ticks in a price (rounded down).
    pub fn ticks(&self, price_nano: i64) -> Result<u64> {
        Ok(u64::try_from(price_nano)? / self.tick_nano)
    }

    /// Quote atoms of one lot at a price.
    pub fn atoms_per_lot(&self, price_nano: i64) -> Result<u64> {
        Ok(self.ticks(price_nano)? * self.atoms_per_lot_tick)
    }

    /// Least number of lots worth at least `usd` dollars at a price; at least 1.
    pub fn lots_worth(&self, usd: u64, price_nano: i64) -> Result<u64> {
        Ok((usd * ATOMS_PER_USD)
            .div_ceil(self.atoms_per_lot(price_nano)?.max(1))
            .max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sol_counts_in_tenths_of_cents_and_thousandths() {
        let units = MarketUnits::for_price(206_000_000_000).expect("in range");
        assert_eq!(
            units,
            MarketUnits {
                tick_nano: 1_000_000,
                lot_nano: 1_000_000,
                atoms_per_lot_tick: 1
            }
        );
        assert_eq!(units.ticks(182_803_999_999).expect("fits"), 182_803);
        assert_eq!(units.lots_worth(10, 206_000_000_000).expect("fits"), 49);
    }

    #[test]
    fn every_price_level_gets_fine_ticks_and_exact_atoms() {
        for exponent in 0..12_u32 {
            for first in [1_000_i64, 2_345, 9_999] {
                let price = first * 10_i64.pow(exponent);
                let units = MarketUnits::for_price(price).expect("in range");
                let ticks = units.ticks(price).expect("fits");
                assert!((1_000..1_000_000).contains(&ticks), "{price}: {ticks}");
                assert_eq!(
                    u128::from(units.tick_nano) * u128::from(units.lot_nano),
                    1_000_000_000_000
                );
            }
        }
        assert!(MarketUnits::for_price(0).is_err());
        assert!(MarketUnits::for_price(-1).is_err());
        assert!(MarketUnits::for_price(i64::MAX).is_err());
    }
}
