//! Who makes a market and who takes from it, derived from the options.

use anyhow::{ensure, Result};

/// Market makers when the user names no number.
pub const MARKET_MAKERS: usize = 6;
/// Takers when the user names no number.
const TAKERS: usize = 8;
/// Basis points of the whole.
const ONE: u128 = 10_000;
/// Part of the depth of one side that makes the impact notional.
const IMPACT_PART: u64 = 10;

/// What the user chooses of the market; `None` leaves it to the defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct MarketOptions {
    /// Accounts that quote; 0 for no book.
    pub makers: usize,
    /// What they quote together on a side when calm, basis points of the open interest.
    pub depth_bps: Option<u64>,
    /// Distance of their best orders from the oracle price when calm, basis points.
    pub spread_bps: Option<u64>,
    /// Their collateral together, basis points of the open interest's worth.
    pub capital_bps: Option<u64>,
    /// Accounts that send market orders.
    pub takers: Option<usize>,
    /// Part of the population with a stop-loss, per cent.
    pub stop_loss_percent: Option<u64>,
    /// Maker's fee, basis points; a rebate when negative.
    pub fee_bps: Option<i32>,
}

/// The market around the book; without makers there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketPlan {
    /// Accounts that quote.
    pub makers: usize,
    /// Lots that each quotes on a side when calm.
    pub depth_lots: u64,
    /// Distance of the best orders from the oracle price when calm, basis points.
    pub spread_bps: u64,
    /// Collateral of each maker, atoms.
    pub maker_capital: u64,
    /// Accounts that send market orders.
    pub takers: usize,
    /// Collateral of each taker, atoms.
    pub taker_capital: u64,
    /// Part of the population with a stop-loss, per cent.
    pub stop_loss_percent: u64,
    /// Maker's fee, basis points; a rebate when negative.
    pub fee_bps: i32,
    /// Notional whose average price counts for funding, atoms; 0 for the base rate alone.
    pub impact_notional: u64,
}

impl MarketOptions {
    /// The market for `open_interest` lots a side, of `atoms_per_lot` each.
    ///
    /// # Errors
    /// Options that need market makers when there are none, and sizes that come to nothing.
    pub fn plan(
        &self,
        open_interest: u64,
        atoms_per_lot: u64,
        min_lots: u64,
    ) -> Result<MarketPlan> {
        if self.makers == 0 {
            for (name, given) in [
                ("--maker-depth-bps", self.depth_bps.is_some()),
                ("--maker-spread-bps", self.spread_bps.is_some()),
                ("--maker-capital-bps", self.capital_bps.is_some()),
                ("--maker-fee-bps", self.fee_bps.is_some()),
                ("--takers", self.takers.is_some()),
                ("--stop-loss-percent", self.stop_loss_percent.is_some()),
            ] {
                ensure!(!given, "{name} needs a book: --market-makers is 0");
            }
            return Ok(MarketPlan::default());
        }
        let makers = u64::try_from(self.makers)?;
        let part = |whole: u64, bps: u64| u64::try_from(u128::from(whole) * u128::from(bps) / ONE);
        let depth = part(open_interest, self.depth_bps.unwrap_or(1_000))?;
        let depth_lots = depth / makers;
        ensure!(
            depth_lots >= min_lots * 6,
            "each of {makers} market makers would quote {depth_lots} lots a side, less than the {} that its ladder needs: \
             raise --maker-depth-bps or --traders, or lower --market-makers",
            min_lots * 6
        );
        let worth = open_interest * atoms_per_lot;
        let takers = self.takers.unwrap_or(TAKERS);
        Ok(MarketPlan {
            makers: self.makers,
            depth_lots,
            spread_bps: self.spread_bps.unwrap_or(8),
            maker_capital: part(worth, self.capital_bps.unwrap_or(2_000))? / makers,
            takers,
            taker_capital: part(worth, 200)? / u64::try_from(takers)?.max(1),
            stop_loss_percent: self.stop_loss_percent.unwrap_or(10),
            fee_bps: self.fee_bps.unwrap_or(-1),
            impact_notional: depth * atoms_per_lot / IMPACT_PART,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> MarketOptions {
        MarketOptions {
            makers: MARKET_MAKERS,
            ..MarketOptions::default()
        }
    }

    #[test]
    fn sizes_follow_the_open_interest() {
        let plan = options().plan(1_200_000, 200_000, 50).expect("a market");
        assert_eq!((plan.makers, plan.takers), (6, 8));
        assert_eq!(plan.depth_lots, 20_000);
        assert_eq!(plan.maker_capital, 240_000_000_000 / 5 / 6);
        assert_eq!(plan.impact_notional, 120_000 * 200_000 / 10);
    }

    #[test]
    fn without_makers_there_is_no_market_and_nothing_may_ask_for_one() {
        let none = MarketOptions::default();
        let plan = none.plan(1_200_000, 200_000, 50).expect("no market");
        assert_eq!(plan, MarketPlan::default());
        let takers = MarketOptions {
            takers: Some(3),
            ..none
        };
        let error = takers.plan(1_200_000, 200_000, 50).expect_err("refused");
        assert_eq!(
            error.to_string(),
            "--takers needs a book: --market-makers is 0"
        );
    }

    #[test]
    fn a_ladder_too_thin_is_refused() {
        let error = options().plan(17_000, 200_000, 50).expect_err("refused");
        assert!(error.to_string().contains("--maker-depth-bps"), "{error}");
    }
}
