//! The parts of a market that the engine reads and writes whole.
//!
//! Same fields, same bytes as the engine's types; these exist so that accounts and the IDL can
//! name them. Conversion is a cast.

use anchor_lang::prelude::*;
use ballast_engine::{funding::FundingState, insurance::InsuranceState};
use bytemuck::{Pod, Zeroable};

/// Cumulative funding. See [`FundingState`].
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct FundingLedger {
    /// Cumulative funding, whole atoms per lot; longs pay when it rises.
    pub index: i64,
    /// Part of an atom not yet in the index.
    pub carry: u64,
    /// Unix second up to which funding has accrued.
    pub last_timestamp: i64,
    /// Samples of the hour of `last_timestamp` up to it, each times its seconds, ppm seconds.
    pub rate_sum: i64,
    /// Rate of the hour of `last_timestamp`, ppm an hour; longs pay when positive.
    pub rate_ppm: i32,
    /// Average price of the impact notional sold into the bids, atoms per lot; 0 when they are
    /// not that deep.
    pub impact_bid: u32,
    /// Average price of the impact notional bought from the asks, as `impact_bid`.
    pub impact_ask: u32,
    /// Zero.
    pub _pad: u32,
}

/// The newest price that was fit to accrue funding.
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct LastPrice {
    /// Price, ticks; 0 before the first.
    pub ticks: u64,
    /// Half width of the confidence interval, ticks.
    pub conf_ticks: u64,
    /// Moving average, ticks.
    pub ema_ticks: u64,
    /// When it was published, unix seconds.
    pub publish_time: i64,
}

/// What the market's insurance holds and has paid. See [`InsuranceState`].
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct InsuranceLedger {
    /// Balance, atoms.
    pub balance: u64,
    /// First slot of the present window.
    pub window_start_slot: u64,
    /// Balance when the window began, atoms.
    pub window_level: u64,
    /// Paid within the window, atoms.
    pub window_drawn: u64,
}

const _: () = {
    assert!(core::mem::size_of::<FundingLedger>() == 48);
    assert!(
        core::mem::offset_of!(FundingLedger, index) == core::mem::offset_of!(FundingState, index)
    );
    assert!(
        core::mem::offset_of!(FundingLedger, carry) == core::mem::offset_of!(FundingState, carry)
    );
    assert!(
        core::mem::offset_of!(FundingLedger, last_timestamp)
            == core::mem::offset_of!(FundingState, last_timestamp)
    );
    assert!(
        core::mem::offset_of!(FundingLedger, rate_sum)
            == core::mem::offset_of!(FundingState, rate_sum)
    );
    assert!(
        core::mem::offset_of!(FundingLedger, rate_ppm)
            == core::mem::offset_of!(FundingState, rate_ppm)
    );
    assert!(
        core::mem::offset_of!(FundingLedger, impact_bid)
            == core::mem::offset_of!(FundingState, impact_bid)
    );
    assert!(
        core::mem::offset_of!(FundingLedger, impact_ask)
            == core::mem::offset_of!(FundingState, impact_ask)
    );
    assert!(
        core::mem::offset_of!(InsuranceLedger, window_level)
            == core::mem::offset_of!(InsuranceState, window_level)
    );
    assert!(
        core::mem::offset_of!(InsuranceLedger, window_drawn)
            == core::mem::offset_of!(InsuranceState, window_drawn)
    );
};
