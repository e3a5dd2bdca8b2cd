//! The modes of a market, and its end.

use ballast_client::instructions::adl_session::SessionKeys;
use ballast_client::instructions::wind_down::{
    BeginSettlement, CloseMarket, CountClaims, DeclareDead, SetReduceOnly, SettlePosition,
    WriteOffBankrupt,
};
use ballast_state::Pubkey;

use crate::cookie::MarketCookie;
use crate::outcome::TxResult;
use crate::world::Sandbox;

impl Sandbox {
    /// Makes a market reduce-only, signed by the admin.
    pub fn set_reduce_only(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = SetReduceOnly {
            authority: self.admin(),
            market: market.keys.market,
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])
    }

    /// Declares the oracle of a market dead.
    pub fn declare_dead(&mut self, market: &MarketCookie) -> TxResult {
        let market = market.keys.market;
        self.send(&[DeclareDead { market }.instruction()], &[])
    }

    /// Ends a market whose end has come.
    pub fn begin_settlement(&mut self, market: &MarketCookie) -> TxResult {
        let market = market.keys.market;
        self.send(&[BeginSettlement { market }.instruction()], &[])
    }

    /// Pays out what a trader has in a market that has ended.
    pub fn settle_position(&mut self, market: &MarketCookie, trader: &Pubkey) -> TxResult {
        let instruction = SettlePosition {
            keys: market.keys,
            trader: *trader,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Takes over a bankrupt position that a session found nobody for.
    pub fn write_off_bankrupt(&mut self, market: &MarketCookie, session: &SessionKeys) -> TxResult {
        let instruction = WriteOffBankrupt {
            keys: market.keys,
            session: *session,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Counts what the positions are worth where deficits were written off.
    pub fn count_claims(&mut self, market: &MarketCookie, max_nodes: u32) -> TxResult {
        let instruction = CountClaims {
            keys: market.keys,
            max_nodes,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Closes the queues and the book of a market, whose rent the sandbox's payer gets.
    pub fn close_market(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = CloseMarket {
            keys: market.keys,
            rent_payer: self.payer(),
        }
        .instruction();
        self.send(&[instruction], &[])
    }
}
