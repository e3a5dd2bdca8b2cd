//! What a sandbox is made of, and the default SOL market.

use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use ballast_engine::risk::{AdlParams, LadderStep, RiskParams, RiskTier};
use ballast_state::oracle_config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH};

use crate::pyth::SOL_USD_FEED;
use crate::token::MintKind;

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
            risk: sol_risk(),
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

/// Risk parameters of the default market: at most 20x up to $250,000 of notional,
/// 10x up to $1 million, 5x up to $10 million; liquidation in steps of 20% above
/// two thirds of maintenance, of 50% above one third and of everything below.
pub fn sol_risk() -> RiskParams {
    let tier = |notional_limit_usd: u64, initial_margin_bps, maintenance_margin_bps| RiskTier {
        notional_limit_atoms: notional_limit_usd * 1_000_000,
        initial_margin_bps,
        maintenance_margin_bps,
    };
    let step = |above_ratio_bps, close_bps| LadderStep {
        above_ratio_bps,
        close_bps,
    };
    RiskParams {
        tiers: [
            tier(250_000, 500, 250),
            tier(1_000_000, 1_000, 500),
            tier(10_000_000, 2_000, 1_000),
            RiskTier::default(),
        ],
        ladder: [
            step(6_667, 2_000),
            step(3_333, 5_000),
            step(0, 10_000),
            LadderStep::default(),
        ],
        tier_count: 3,
        ladder_count: 3,
        ladder_interval_slots: 10,
        min_position_lots: 10,
        max_position_lots: 100_000_000,
        max_open_interest_lots: 1_000_000_000,
        liquidation_discount_bps: 25,
        liquidation_discount_max_bps: 100,
        discount_ramp_slots: 150,
        liquidation_fee_bps: 50,
        liquidation_buffer_bps: 1_000,
        price_band_bps: 500,
        taker_fee_bps: 5,
        maker_fee_bps: 0,
        insurance_fee_share_bps: 2_000,
        funding_rate_ppm_per_hour: 12,
        insurance_draw_cap_bps: 10_000,
        insurance_window_slots: 9_000,
        oracle_max_age_seconds: 30,
        oracle_max_conf_bps: 200,
        oracle_max_ema_divergence_bps: 2_000,
        adl: sol_adl(),
        impact_notional_atoms: 0,
        keeper_fee_atoms: 100_000,
        max_funding_rate_ppm: 2_000,
        book_reward_bps: 10,
        reserved: [0; 7],
    }
}

/// Auto-deleveraging of the default market: one pass closes at most half of a
/// counterparty, ranked with a tolerance of 5% among profits of at least 0.1%.
pub fn sol_adl() -> AdlParams {
    AdlParams {
        rank_tolerance_bps: 500,
        max_close_bps: 5_000,
        min_profit_bps: 10,
        _pad: 0,
        grace_slots: 150,
        reward_atoms: 1_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_market_passes_the_engines_validation() {
        assert_eq!(sol_risk().validate(), Ok(()));
    }
}
