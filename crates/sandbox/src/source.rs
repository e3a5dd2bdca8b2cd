//! A market's other price source: staged, witnessed, put in force.

use ballast_client::instructions::admin::StagedKeys;
use ballast_client::instructions::source::{ApplyOracleChange, PricePair, WitnessOracle};
use ballast_state::oracle_config::OracleConfig;
use ballast_state::staged::Change;
use solana_signer::Signer;

use crate::config::PriceSource;
use crate::cookie::MarketCookie;
use crate::outcome::{TxError, TxResult};
use crate::world::Sandbox;

impl Sandbox {
    /// The market as it is with another price source, which has a price account of its own:
    /// publish to it as to any market.
    pub fn other_source(
        &mut self,
        market: &MarketCookie,
        source: PriceSource,
        feed_id: [u8; 32],
    ) -> MarketCookie {
        let mut other = market.clone();
        other.keys.price = self.next_keypair().pubkey();
        (other.config.source, other.config.feed_id) = (source, feed_id);
        other
    }

    /// Stages the price source of `other` for its market, signed by the admin.
    pub fn stage_source(&mut self, other: &MarketCookie) -> Result<StagedKeys, TxError> {
        self.stage(Change::Oracle(other.source()), Some(other))
    }

    /// Shows a price of each source of a change that waits.
    pub fn witness_oracle(
        &mut self,
        staged: &StagedKeys,
        market: &MarketCookie,
        other: &MarketCookie,
    ) -> TxResult {
        let witness = WitnessOracle {
            staged: *staged,
            prices: market.beside(other),
        };
        self.send(&[witness.instruction()], &[])
    }

    /// Puts the staged price source in force.
    pub fn apply_oracle(
        &mut self,
        staged: &StagedKeys,
        market: &MarketCookie,
        other: &MarketCookie,
    ) -> TxResult {
        let apply = ApplyOracleChange {
            staged: *staged,
            prices: market.beside(other),
        };
        self.send(&[apply.instruction()], &[])
    }
}

impl MarketCookie {
    /// Its price source.
    #[must_use]
    pub fn source(&self) -> OracleConfig {
        self.config.oracle(self.keys.price)
    }

    fn beside(&self, other: &Self) -> PricePair {
        PricePair {
            market: self.keys.market,
            price: self.keys.price,
            new_price: other.keys.price,
        }
    }
}
