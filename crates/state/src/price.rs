//! The price accounts of both Pyth oracles, read from their bytes, and prices in a market's ticks.
//!
//! Offsets are those of `PriceUpdateV2` of the Pyth Solana receiver, which Borsh writes, and of the
//! legacy price account, which is laid out as C does. The program reads with Pyth's own crates; a
//! test of it compares both.

use ballast_engine::oracle::{confidence_to_ticks, price_to_ticks, OraclePrice};

use crate::{
    error::{ensure, BallastError, Result},
    oracle_config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH},
    Pubkey,
};

/// The Pyth Solana receiver, owner of the accounts of the pull oracle.
pub const PYTH_RECEIVER: Pubkey =
    Pubkey::from_str_const("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");
/// Pyth oracle program, mainnet; owner of the accounts of the push oracle.
pub const PYTH_ORACLE_MAINNET: Pubkey =
    Pubkey::from_str_const("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH");
/// Pyth oracle program, devnet; owner of the accounts of the push oracle.
pub const PYTH_ORACLE_DEVNET: Pubkey =
    Pubkey::from_str_const("gSbePebfvPy7tRqimPoVecS2UsBvYv46ynrzWocc92s");

/// First bytes of a `PriceUpdateV2` account.
pub const PRICE_UPDATE_DISCRIMINATOR: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];
/// Bytes of a legacy price account.
pub const PUSH_ACCOUNT_BYTES: usize = 3_312;

/// First four bytes of an account of the legacy oracle.
const PUSH_MAGIC: u32 = 0xa1b2_c3d4;
/// Its layout version.
const PUSH_VERSION: u32 = 2;
/// Its kind of account: a price.
const PUSH_PRICE: u32 = 3;
/// Status of an aggregate that is trading.
const PUSH_TRADING: u8 = 1;

/// A price as an oracle states it: `price * 10^exponent`, likewise `conf` and `ema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPrice {
    /// The price, in units of `10^exponent` dollars; signed as the oracle has it.
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

impl RawPrice {
    /// The price in ticks of `tick_nano` billionths, rounded down, its confidence up; one that is
    /// below a tick counts as one. A moving
    /// average that is no price becomes zero, from which every price diverges, so that it blocks no
    /// more than a wild one does.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn in_ticks(&self, tick_nano: u64) -> Result<OraclePrice> {
        let ticks = |mantissa| price_to_ticks(mantissa, self.exponent, tick_nano);
        let (price, below_tick) = ticks(self.price)?;
        let (ema, _) = ticks(self.ema).unwrap_or_default();
        Ok(OraclePrice {
            price,
            confidence: confidence_to_ticks(self.conf, self.exponent, tick_nano)?,
            ema,
            publish_time: self.publish_time,
            below_tick,
        })
    }
}

/// A price account: its address, its owner and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct PriceAccount<'a> {
    /// Its address.
    pub key: &'a Pubkey,
    /// The program that owns it.
    pub owner: &'a Pubkey,
    /// Bytes, from any address in memory.
    pub data: &'a [u8],
}

impl PriceAccount<'_> {
    /// The price that a market with `config` reads, in its ticks. Says nothing about whether it may
    /// be used: see [`crate::market::Market::touch`].
    ///
    /// # Errors
    /// Those of [`Self::pull`] or [`Self::push`], `PriceOutOfRange`, `OracleConfigInvalid`.
    pub fn read(&self, config: &OracleConfig) -> Result<OraclePrice> {
        let raw = match config.kind {
            ORACLE_PULL => self.pull(&config.feed_id)?,
            ORACLE_PUSH => self.push(&config.push_account)?,
            _ => return Err(BallastError::OracleConfigInvalid),
        };
        raw.in_ticks(config.tick_nano)
    }

    /// A fully verified update of `feed_id` by the pull oracle.
    ///
    /// # Errors
    /// `PriceWrongOwner`, `PriceInvalidAccount`, `PriceNotVerified`, `PriceWrongFeed`.
    pub fn pull(&self, feed_id: &[u8; 32]) -> Result<RawPrice> {
        ensure(*self.owner == PYTH_RECEIVER, BallastError::PriceWrongOwner)?;
        let update = update(self.data).ok_or(BallastError::PriceInvalidAccount)?;
        ensure(update.verified, BallastError::PriceNotVerified)?;
        ensure(update.feed_id == *feed_id, BallastError::PriceWrongFeed)?;
        Ok(update.price)
    }

    /// The price account `expected` of the push oracle. While the feed is not trading its previous
    /// price counts, with the time at which that was published.
    ///
    /// # Errors
    /// `PriceWrongOwner`, `PriceWrongAccount`, `PriceInvalidAccount`.
    pub fn push(&self, expected: &Pubkey) -> Result<RawPrice> {
        ensure(
            [PYTH_ORACLE_MAINNET, PYTH_ORACLE_DEVNET].contains(self.owner),
            BallastError::PriceWrongOwner,
        )?;
        ensure(self.key == expected, BallastError::PriceWrongAccount)?;
        legacy(self.data).ok_or(BallastError::PriceInvalidAccount)
    }
}

/// What a `PriceUpdateV2` says.
struct Update {
    /// Whether two thirds of the guardians have signed.
    verified: bool,
    feed_id: [u8; 32],
    price: RawPrice,
}

/// Reads a `PriceUpdateV2`: discriminator, write authority, verification level, message, slot.
fn update(data: &[u8]) -> Option<Update> {
    let body = data.strip_prefix(&PRICE_UPDATE_DISCRIMINATOR)?.get(32..)?;
    let (level, rest) = body.split_first()?;
    let (verified, message) = match level {
        // So many signatures.
        0 => (false, rest.get(1..)?),
        1 => (true, rest),
        _ => return None,
    };
    // The slot ends it.
    message.get(..92)?;
    Some(Update {
        verified,
        feed_id: bytes(message, 0)?,
        price: RawPrice {
            price: i64::from_le_bytes(bytes(message, 32)?),
            conf: u64::from_le_bytes(bytes(message, 40)?),
            ema: i64::from_le_bytes(bytes(message, 68)?),
            exponent: i32::from_le_bytes(bytes(message, 48)?),
            publish_time: i64::from_le_bytes(bytes(message, 52)?),
        },
    })
}

/// Reads a legacy price account.
fn legacy(data: &[u8]) -> Option<RawPrice> {
    let data = data.get(..PUSH_ACCOUNT_BYTES)?;
    let word = |at| Some(u32::from_le_bytes(bytes(data, at)?));
    let kind = (word(0)?, word(4)?, word(8)?);
    if kind != (PUSH_MAGIC, PUSH_VERSION, PUSH_PRICE) {
        return None;
    }
    let [status] = bytes(data, 224)?;
    let (price, conf, publish_time) = if status == PUSH_TRADING {
        (208, 216, 96)
    } else {
        (184, 192, 200)
    };
    Some(RawPrice {
        price: i64::from_le_bytes(bytes(data, price)?),
        conf: u64::from_le_bytes(bytes(data, conf)?),
        ema: i64::from_le_bytes(bytes(data, 48)?),
        exponent: i32::from_le_bytes(bytes(data, 20)?),
        publish_time: i64::from_le_bytes(bytes(data, publish_time)?),
    })
}

fn bytes<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
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
        let price = RAW.in_ticks(1_000_000).unwrap();
        assert_eq!(price.price, Ticks::new(206_123));
        assert_eq!(price.confidence, Ticks::new(124));
        assert_eq!(price.ema, Ticks::new(205_000));
        assert_eq!(price.publish_time, 1_760_129_400);
    }

    #[test]
    fn a_price_that_is_none_is_refused_and_an_average_that_is_none_is_zero() {
        let none = RawPrice { price: 0, ..RAW };
        assert_eq!(none.in_ticks(1_000_000), Err(BallastError::PriceOutOfRange));
        let small = RawPrice {
            price: 99_999,
            ema: 99_999,
            ..RAW
        };
        let small = small.in_ticks(1_000_000).unwrap();
        assert_eq!(
            (small.price, small.ema, small.below_tick),
            (Ticks::new(1), Ticks::new(1), true)
        );
        let average = RawPrice { ema: -1, ..RAW };
        assert_eq!(average.in_ticks(1_000_000).unwrap().ema, Ticks::new(0));
    }
}
