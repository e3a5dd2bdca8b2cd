//! Decoded state, and the check that no atom appears or vanishes.

use ballast_client::accounts::{self, BookSnapshot, QueueSnapshot};
use ballast_client::addresses;
use ballast_client::conservation::Conservation;
use ballast_engine::units::Side;
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use crate::cookie::MarketCookie;
use crate::world::Sandbox;

impl Sandbox {
    /// Reads the exchange.
    ///
    /// # Panics
    /// If it does not exist; so do the other readers for their accounts.
    pub fn exchange(&self) -> Exchange {
        accounts::exchange(&self.data(&addresses::exchange())).expect("an exchange")
    }

    /// Reads a market.
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
        QueueSnapshot::new(&self.data(&market.keys.queue(side))).expect("a queue")
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
        let markets: Vec<(Pubkey, Market)> = self
            .markets
            .iter()
            .map(|cookie| (cookie.keys.market, self.market(cookie)))
            .collect();
        let traders: Vec<Trader> = self.traders.iter().map(|at| self.trader(at)).collect();
        let insurance = self.markets.iter().map(|cookie| cookie.insurance_vault);
        let tokens = insurance
            .chain([addresses::collateral_vault()])
            .map(|vault| i128::from(self.token_balance(&vault)))
            .sum();
        let markets = markets.iter().map(|(address, market)| (*address, market));
        Conservation::of(markets, &traders, tokens)
    }

    fn data(&self, address: &Pubkey) -> Vec<u8> {
        self.account(address)
            .unwrap_or_else(|| panic!("account {address} exists"))
            .data
    }
}
