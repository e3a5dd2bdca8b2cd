//! Legacy Pyth push oracle: price accounts of the Pyth oracle program, parsed from bytes.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    price::{RawPrice, PYTH_ORACLE_DEVNET, PYTH_ORACLE_MAINNET},
};
use pyth_sdk_solana::state::{load_price_account, PriceStatus, SolanaPriceAccount};

use crate::error::{error, require, require_keys_eq};

/// Reads the price account `expected`. While the feed is not trading its previous price counts,
/// with the time at which that was published.
///
/// # Errors
/// `PriceWrongOwner`, `PriceWrongAccount`, `PriceInvalidAccount`.
#[inline(never)]
pub fn read(account: &AccountInfo, expected: &Pubkey) -> Result<RawPrice> {
    require!(
        [PYTH_ORACLE_MAINNET, PYTH_ORACLE_DEVNET].contains(account.owner),
        BallastError::PriceWrongOwner
    );
    require_keys_eq!(*account.key, *expected, BallastError::PriceWrongAccount);
    let data = account.try_borrow_data()?;
    require!(
        data.as_ptr().cast::<SolanaPriceAccount>().is_aligned(),
        BallastError::PriceInvalidAccount
    );
    let feed: &SolanaPriceAccount = load_price_account::<32, ()>(&data)
        .map_err(|_| error!(BallastError::PriceInvalidAccount))?;
    let (price, conf, publish_time) = match feed.agg.status {
        PriceStatus::Trading => (feed.agg.price, feed.agg.conf, feed.timestamp),
        _ => (feed.prev_price, feed.prev_conf, feed.prev_timestamp),
    };
    Ok(RawPrice {
        price,
        conf,
        ema: feed.ema_price.val,
        exponent: feed.expo,
        publish_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::test_account::{with_account, TestAccount};

    const KEY: Pubkey = Pubkey::new_from_array([3; 32]);

    /// The bytes the Pyth oracle program writes: magic, version, type, then fields by offset.
    fn price(status: u32) -> Vec<u8> {
        let mut data = vec![0; 3312];
        let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &0xa1b2_c3d4_u32.to_le_bytes());
        put(4, &2_u32.to_le_bytes());
        put(8, &3_u32.to_le_bytes());
        put(12, &3312_u32.to_le_bytes());
        put(16, &1_u32.to_le_bytes());
        put(20, &(-8_i32).to_le_bytes());
        put(48, &20_500_000_000_i64.to_le_bytes());
        put(96, &1_760_129_400_i64.to_le_bytes());
        put(184, &20_400_000_000_i64.to_le_bytes());
        put(192, &9_000_000_u64.to_le_bytes());
        put(200, &1_760_129_390_i64.to_le_bytes());
        put(208, &20_612_345_678_i64.to_le_bytes());
        put(216, &12_345_678_u64.to_le_bytes());
        put(224, &status.to_le_bytes());
        data
    }

    fn account(data: Vec<u8>) -> TestAccount {
        TestAccount {
            key: KEY,
            owner: PYTH_ORACLE_MAINNET,
            data,
        }
    }

    #[test]
    fn reads_the_aggregate_of_a_trading_feed() {
        let read = with_account(account(price(1)), |info| read(info, &KEY));
        assert_eq!(
            read,
            Ok(RawPrice {
                price: 20_612_345_678,
                conf: 12_345_678,
                ema: 20_500_000_000,
                exponent: -8,
                publish_time: 1_760_129_400,
            })
        );
    }

    #[test]
    fn reads_the_previous_price_with_its_own_time_when_not_trading() {
        let read = with_account(account(price(0)), |info| read(info, &KEY)).unwrap();
        assert_eq!(
            (read.price, read.conf, read.publish_time),
            (20_400_000_000, 9_000_000, 1_760_129_390)
        );
    }

    #[test]
    fn refuses_what_is_not_the_stored_price_account() {
        let foreign = TestAccount {
            owner: Pubkey::new_unique(),
            ..account(price(1))
        };
        let other = TestAccount {
            key: Pubkey::new_unique(),
            ..account(price(1))
        };
        let broken = |at: usize| {
            let mut data = price(1);
            data[at] ^= 0xff;
            account(data)
        };
        let mut short = price(1);
        short.truncate(240);
        for (account, expected) in [
            (foreign, BallastError::PriceWrongOwner),
            (other, BallastError::PriceWrongAccount),
            (broken(0), BallastError::PriceInvalidAccount),
            (broken(4), BallastError::PriceInvalidAccount),
            (broken(8), BallastError::PriceInvalidAccount),
            (account(short), BallastError::PriceInvalidAccount),
        ] {
            let error = with_account(account, |info| read(info, &KEY)).unwrap_err();
            assert_eq!(error, Error::from(expected));
        }
    }
}
