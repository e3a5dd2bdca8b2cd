//! The check that no atom appears or vanishes: every claim on the exchange against its tokens.

use std::collections::BTreeMap;

use ballast_state::market::Market;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

/// Where the collateral is, in atoms, and whether it adds up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conservation {
    /// Free collateral of all traders.
    pub free: i128,
    /// `margin + lots * funding_index - entry_quote` over all positions, legs without margin, and over what markets that
    /// have ended hold of those they have settled, which has no margin and was entered at the last
    /// price.
    pub positions: i128,
    /// Pools that the legs of cross accounts share.
    pub pools: i128,
    /// What all orders in the books reserve.
    pub orders: i128,
    /// Insurance of all markets, by their ledgers.
    pub insurance: i128,
    /// Undistributed fees of all markets.
    pub fees: i128,
    /// Profit that all markets hold.
    pub held: i128,
    /// What the positions of markets that have ended claim beyond what there is for them: deficits
    /// that were written off.
    pub uncovered: i128,
    /// Tokens in the collateral vault and all insurance vaults.
    pub tokens: i128,
    /// Sum of the lots of each market's positions; a market nobody passed in counts too.
    pub lots: BTreeMap<Pubkey, i128>,
}

impl Conservation {
    /// Adds up all markets and all trader accounts of an exchange. `tokens` is what the collateral
    /// vault and the insurance vaults hold.
    pub fn of<'a>(
        markets: impl IntoIterator<Item = (Pubkey, &'a Market)>,
        traders: impl IntoIterator<Item = &'a Trader>,
        tokens: i128,
    ) -> Self {
        let mut sum = Self {
            tokens,
            ..Self::default()
        };
        for (address, market) in markets {
            sum.insurance += i128::from(market.insurance.balance);
            sum.fees += i128::from(market.fees_atoms);
            sum.held += i128::from(market.held.atoms);
            // No sum of a market that the program has written leaves 64 bits.
            sum.uncovered += i128::from(market.uncovered().unwrap_or(i64::MAX));
            let lots = i128::from(market.wind_down.settled_lots);
            let price =
                i128::from(market.final_ticks) * i128::from(market.oracle.atoms_per_lot_tick);
            sum.positions += lots * (i128::from(market.funding.index.get()) - price);
            sum.lots.insert(address, lots);
        }
        for trader in traders {
            sum.add_trader(trader);
        }
        sum
    }

    /// Claims less tokens, atoms: 0 when nothing was minted or lost.
    pub fn error_atoms(&self) -> i128 {
        self.free
            + self.pools
            + self.positions
            + self.orders
            + self.insurance
            + self.fees
            + self.held
            - self.uncovered
            - self.tokens
    }

    /// Whether the money adds up and every market's longs equal its shorts.
    pub fn holds(&self) -> bool {
        self.error_atoms() == 0 && self.lots.values().all(|lots| *lots == 0)
    }

    fn add_trader(&mut self, trader: &Trader) {
        self.free += i128::from(trader.free);
        self.pools += i128::from(trader.cross_pool);
        for slot in trader.positions.iter().filter(|slot| !slot.is_empty()) {
            let lots = i128::from(slot.lots);
            // The margin of a leg is its record, no money.
            let margin = if slot.is_leg() { 0 } else { slot.margin };
            self.positions += i128::from(margin) - i128::from(slot.entry_quote)
                + lots * i128::from(slot.funding_index);
            self.orders += i128::from(slot.order_margin);
            *self.lots.entry(slot.market).or_default() += lots;
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_state::position_slot::PositionSlot;
    use bytemuck::Zeroable;

    use super::*;

    const MARKET: Pubkey = Pubkey::new_from_array([3; 32]);

    fn trader(free: i64, lots: i64, entry_quote: i64, margin: i64) -> Trader {
        let mut trader = Trader::zeroed();
        trader.free = free;
        trader.positions[0] = PositionSlot {
            market: MARKET,
            lots,
            entry_quote,
            margin,
            funding_index: 2,
            order_margin: 7,
            ..PositionSlot::zeroed()
        };
        trader
    }

    fn sum(short_lots: i64, tokens: i128) -> Conservation {
        let mut market = Market::zeroed();
        market.insurance.balance = 50;
        market.fees_atoms = 3;
        market.held.atoms = 1;
        let traders = [
            trader(10, 5, 1_000, 200),
            trader(20, short_lots, -1_000, 300),
        ];
        Conservation::of([(MARKET, &market)], &traders, tokens)
    }

    #[test]
    fn what_a_market_has_settled_stands_against_what_is_left() {
        let mut market = Market::zeroed();
        market.final_ticks = 250;
        market.oracle.atoms_per_lot_tick = 1;
        market.funding.index = ballast_engine::units::FundingIndex::new(2);
        market.wind_down.settled_lots = 5;
        // The long of 5 got its margin of 200 and a profit of 250.
        let traders = [trader(450, 0, 0, 0), trader(20, -5, -1_000, 300)];
        let sum = Conservation::of([(MARKET, &market)], &traders, 534);
        assert!(sum.holds(), "{sum:?}");
    }

    #[test]
    fn what_was_written_off_is_claimed_of_nobody() {
        let mut market = Market::zeroed();
        (market.written_off_atoms, market.claims_atoms) = (100, 500);
        (
            market.wind_down.held_paid,
            market.wind_down.held_shares_paid,
        ) = (160, 200);
        let sum = Conservation::of([(MARKET, &market)], &[trader(160, 0, 0, 300)], 407);
        assert_eq!((sum.uncovered, sum.positions, sum.orders), (60, 300, 7));
        assert!(sum.holds(), "{sum:?}");
    }

    #[test]
    fn claims_are_set_against_tokens_and_longs_against_shorts() {
        let even = sum(-5, 598);
        assert_eq!((even.free, even.positions, even.orders), (30, 500, 14));
        assert!(even.holds(), "{even:?}");
        assert_eq!(sum(-5, 597).error_atoms(), 1);
        assert!(!sum(-5, 597).holds());
        let uneven = sum(-4, 600);
        assert_eq!(uneven.error_atoms(), 0);
        assert!(!uneven.holds(), "one lot more is long than short");
    }
}
