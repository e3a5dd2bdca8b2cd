//! What a sandbox is made of, and the default SOL market.

use std::path::PathBuf;

use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::risk::RiskParams;
use ballast_state::oracle_config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH};
use ballast_state::Pubkey;

use crate::mint::MintKind;
use crate::pyth::SOL_USD_FEED;

/// How a sandbox starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// The built program; `None` takes [`crate::world::default_program_path`].
    pub program: Option<PathBuf>,
    /// The collateral mint.
    pub mint: MintKind,
    /// First slot; not below the slot LiteSVM starts at.
    pub start_slot: u64,
    /// First unix time in seconds.
    pub start_time: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            program: None,
            mint: MintKind::Classic,
            start_slot: 500_000_000,
            // 2025-10-10 20:30:00 UTC.
            start_time: 1_760_128_200,
        }
    }
}

/// Which Pyth program publishes a market's price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PriceSource {
    /// A `PriceUpdateV2` account of the receiver program.
    #[default]
    Pull,
    /// A price account of the legacy oracle program.
    Push,
}

/// Configuration of one market.
#[derive(Clone, Debug)]
pub struct MarketConfig {
    /// Name, padded with zeros.
    pub name: [u8; 16],
    /// Where the price comes from.
    pub source: PriceSource,
    /// Pyth feed id.
    pub feed_id: [u8; 32],
    /// Size of a tick in 1e-9 units of the quote currency.
    pub tick_nano: u64,
    /// Size of a lot in 1e-9 units of the base asset.
    pub lot_nano: u64,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// Positions each queue has room for.
    pub queue_capacity: usize,
    /// Orders a side the book has room for.
    pub book_capacity: usize,
    /// Price at creation, in ticks.
    pub start_price_ticks: u64,
    /// Risk parameters.
    pub risk: RiskParams,
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self::sol()
    }
}

impl MarketConfig {
    /// SOL/USD: lots of 0.001 SOL, ticks of $0.001, so one lot at one tick is one
    /// atom; room for 1,024 positions a side; $200.
    pub fn sol() -> Self {
        let mut name = [0; 16];
        name[..8].copy_from_slice(b"SOL-PERP");
        Self {
            name,
            source: PriceSource::Pull,
            feed_id: SOL_USD_FEED,
            tick_nano: 1_000_000,
            lot_nano: 1_000_000,
            atoms_per_lot_tick: 1,
            queue_capacity: 1_024,
            book_capacity: 256,
            start_price_ticks: 200_000,
            risk: sol_market(),
        }
    }

    /// The program's oracle configuration, with `price` as the price account.
    pub fn oracle(&self, price: Pubkey) -> OracleConfig {
        let (kind, feed_id, push_account) = match self.source {
            PriceSource::Pull => (ORACLE_PULL, self.feed_id, Pubkey::default()),
            PriceSource::Push => (ORACLE_PUSH, [0; 32], price),
        };
        OracleConfig {
            kind,
            feed_id,
            push_account,
            tick_nano: self.tick_nano,
            atoms_per_lot_tick: self.atoms_per_lot_tick,
            lot_nano: self.lot_nano,
            ..OracleConfig::default()
        }
    }
}
