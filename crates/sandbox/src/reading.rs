//! Decoded state, and the check that no atom appears or vanishes.

use anchor_lang::prelude::Pubkey;
use ballast::state::exchange::Exchange;
use ballast::state::market::Market;
use ballast::state::position_slot::PositionSlot;
use ballast::state::trader::Trader;
use ballast_client::accounts::{self, BookSnapshot, QueueSnapshot};
use ballast_client::addresses;
use ballast_engine::units::Side;

use crate::market::MarketCookie;
use crate::world::Sandbox;

/// Where the collateral is, in atoms, and whether it adds up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conservation {
    /// Free collateral of all traders.
    pub free: i128,
    /// `margin + lots * funding_index - entry_quote` over all positions.
    pub positions: i128,
    /// What all orders in the books reserve.
    pub orders: i128,
    /// Insurance of all markets, by their ledgers.
    pub insurance: i128,
    /// Undistributed fees of all markets.
    pub fees: i128,
    /// Tokens in the collateral vault and all insurance vaults.
    pub tokens: i128,
    /// Sum of the lots of each market's positions, by market index.
    pub lots: Vec<i128>,
}

impl Conservation {
    /// Claims less tokens, atoms: 0 when nothing was minted or lost.
    pub fn error_atoms(&self) -> i128 {
        self.free + self.positions + self.orders + self.insurance + self.fees - self.tokens
    }

    /// Whether the money adds up and every market's longs equal its shorts.
    pub fn holds(&self) -> bool {
        self.error_atoms() == 0 && self.lots.iter().all(|lots| *lots == 0)
    }
}

impl Sandbox {
    /// The exchange.
    ///
    /// # Panics
    /// If it does not exist; so do the other readers for their accounts.
    pub fn exchange(&self) -> Exchange {
        accounts::exchange(&self.data(&addresses::exchange())).expect("an exchange")
    }

    /// A market.
    pub fn market(&self, market: &MarketCookie) -> Market {
        accounts::market(&self.data(&market.keys.market)).expect("a market")
    }

    /// A trader account.
    pub fn trader(&self, address: &Pubkey) -> Trader {
        accounts::trader(&self.data(address)).expect("a trader")
    }

    /// What a trader has in a market, position or orders, if anything.
    pub fn position(&self, market: &MarketCookie, trader: &Pubkey) -> Option<PositionSlot> {
        let trader = self.trader(trader);
        let index = trader.find(&market.keys.market)?;
        trader.positions.get(index).copied()
    }

    /// A copy of one side's queue.
    pub fn queue(&self, market: &MarketCookie, side: Side) -> QueueSnapshot {
        let address = match side {
            Side::Long => &market.keys.queue_long,
            Side::Short => &market.keys.queue_short,
        };
        QueueSnapshot::new(&self.data(address)).expect("a queue")
    }

    /// A copy of the order book.
    pub fn book(&self, market: &MarketCookie) -> BookSnapshot {
        BookSnapshot::new(&self.data(&market.keys.book)).expect("a book")
    }

    /// Addresses of all open trader accounts, in order of creation.
    pub fn trader_addresses(&self) -> &[Pubkey] {
        &self.traders
    }

    /// The markets, in order of creation.
    pub fn markets(&self) -> &[MarketCookie] {
        &self.markets
    }

    /// Adds up every claim and every token, over the markets and trader accounts made
    /// by this sandbox's methods.
    pub fn conservation(&self) -> Conservation {
        let mut sum = Conservation {
            tokens: i128::from(self.token_balance(&addresses::collateral_vault())),
            lots: vec![0; self.markets.len()],
            ..Conservation::default()
        };
        for cookie in &self.markets {
            let market = self.market(cookie);
            sum.insurance += i128::from(market.insurance.balance);
            sum.fees += i128::from(market.fees_atoms);
            sum.tokens += i128::from(self.token_balance(&cookie.insurance_vault));
        }
        for address in &self.traders {
            let trader = self.trader(address);
            sum.free += i128::from(trader.free);
            for slot in trader.positions.iter().filter(|slot| !slot.is_empty()) {
                let lots = i128::from(slot.lots);
                sum.positions += i128::from(slot.margin) - i128::from(slot.entry_quote)
                    + lots * i128::from(slot.funding_index);
                sum.orders += i128::from(slot.order_margin);
                let market = self
                    .markets
                    .iter()
                    .position(|cookie| cookie.keys.market == slot.market)
                    .expect("positions are in markets of this sandbox");
                sum.lots[market] += lots;
            }
        }
        sum
    }

    fn data(&self, address: &Pubkey) -> Vec<u8> {
        self.account(address)
            .unwrap_or_else(|| panic!("account {address} exists"))
            .data
    }
}
