//! Prices: two adapters behind one engine type.

pub mod config;
pub mod pull;
pub mod push;

use anchor_lang::prelude::*;
use ballast_engine::oracle::{confidence_to_ticks, price_to_ticks, OraclePrice};

use crate::error::{BallastError, OrBallast};
use config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH};

/// A price as an oracle states it: `price * 10^exponent`, likewise `conf` and `ema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPrice {
    /// Price.
    pub price: i64,
    /// Half width of the confidence interval.
    pub conf: u64,
    /// Exponentially weighted moving average of the price.
    pub ema: i64,
    /// Power of ten of all three.
    pub exponent: i32,
    /// When it was published, unix seconds.
    pub publish_time: i64,
}

/// Reads the market's price from `account`. Says nothing about whether it may be used: see
/// [`crate::state::market::Market::touch`].
///
/// # Errors
/// The adapter's `Price...` errors, `PriceOutOfRange`, `OracleConfigInvalid`.
#[inline(never)]
pub fn read_price(config: &OracleConfig, account: &AccountInfo) -> Result<OraclePrice> {
    let raw = match config.kind {
        ORACLE_PULL => pull::read(account, &config.feed_id)?,
        ORACLE_PUSH => push::read(account, &config.push_account)?,
        _ => return err!(BallastError::OracleConfigInvalid),
    };
    in_ticks(&raw, config.tick_nano)
}

/// The price in ticks. A moving average that is no price becomes zero, from which every price
/// diverges, so that it blocks no more than a wild one does.
fn in_ticks(raw: &RawPrice, tick_nano: u64) -> Result<OraclePrice> {
    Ok(OraclePrice {
        price: price_to_ticks(raw.price, raw.exponent, tick_nano).or_ballast()?,
        confidence: confidence_to_ticks(raw.conf, raw.exponent, tick_nano).or_ballast()?,
        ema: price_to_ticks(raw.ema, raw.exponent, tick_nano).unwrap_or_default(),
        publish_time: raw.publish_time,
    })
}

#[cfg(test)]
mod tests {
    use ballast_engine::units::Ticks;

    use super::*;

    const RAW: RawPrice = RawPrice {
        price: 20_612_345_678,
        conf: 12_300_001,
        ema: 20_500_099_999,
        exponent: -8,
        publish_time: 1_760_129_400,
    };

    #[test]
    fn prices_round_down_and_the_confidence_up() {
        let price = in_ticks(&RAW, 1_000_000).unwrap();
        assert_eq!(price.price, Ticks::new(206_123));
        assert_eq!(price.confidence, Ticks::new(124));
        assert_eq!(price.ema, Ticks::new(205_000));
        assert_eq!(price.publish_time, 1_760_129_400);
    }

    #[test]
    fn a_price_that_is_none_is_refused_and_an_average_that_is_none_is_zero() {
        let none = RawPrice { price: 0, ..RAW };
        assert_eq!(
            in_ticks(&none, 1_000_000),
            Err(BallastError::PriceOutOfRange.into())
        );
        let average = RawPrice { ema: -1, ..RAW };
        assert_eq!(in_ticks(&average, 1_000_000).unwrap().ema, Ticks::new(0));
    }
}

#[cfg(test)]
pub(crate) mod test_account {
    //! Native account infos over real bytes.

    use super::*;

    /// What an account holds.
    #[derive(Default)]
    pub struct TestAccount {
        pub key: Pubkey,
        pub owner: Pubkey,
        pub data: Vec<u8>,
    }

    /// Runs `check` on the account, its data aligned as on chain.
    pub fn with_account<R>(account: TestAccount, check: impl FnOnce(&AccountInfo) -> R) -> R {
        let length = account.data.len();
        let mut words = vec![0_u64; length.div_ceil(8)];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        bytes[..length].copy_from_slice(&account.data);
        let mut lamports = 1;
        let info = AccountInfo::new(
            &account.key,
            false,
            true,
            &mut lamports,
            &mut bytes[..length],
            &account.owner,
            false,
        );
        check(&info)
    }
}
