//! The newest price of a market that was fit to accrue funding.

use ballast_engine::oracle::OraclePrice;

use crate::derives::*;

/// The newest price that was fit to accrue funding.
#[repr(C)]
#[derive(
    BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
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

impl From<OraclePrice> for LastPrice {
    fn from(price: OraclePrice) -> Self {
        Self {
            ticks: price.price.get(),
            conf_ticks: price.confidence.get(),
            ema_ticks: price.ema.get(),
            publish_time: price.publish_time,
        }
    }
}
