//! Pyth pull oracle: `PriceUpdateV2` accounts of the Pyth Solana receiver.

use anchor_lang::prelude::*;
use ballast_state::{error::BallastError, price::RawPrice};
use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

use crate::error::{error, require, require_keys_eq};

/// Reads a fully verified update of `feed_id`.
///
/// # Errors
/// `PriceWrongOwner`, `PriceInvalidAccount`, `PriceNotVerified`, `PriceWrongFeed`.
#[inline(never)]
pub fn read(account: &AccountInfo, feed_id: &[u8; 32]) -> Result<RawPrice> {
    require_keys_eq!(
        *account.owner,
        pyth_solana_receiver_sdk::ID,
        BallastError::PriceWrongOwner
    );
    let data = account.try_borrow_data()?;
    let update = PriceUpdateV2::try_deserialize(&mut &data[..])
        .map_err(|_| error!(BallastError::PriceInvalidAccount))?;
    require!(
        update.verification_level == VerificationLevel::Full,
        BallastError::PriceNotVerified
    );
    let message = &update.price_message;
    require!(message.feed_id == *feed_id, BallastError::PriceWrongFeed);
    Ok(RawPrice {
        price: message.price,
        conf: message.conf,
        ema: message.ema_price,
        exponent: message.exponent,
        publish_time: message.publish_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::test_account::{with_account, TestAccount};

    const FEED: [u8; 32] = [7; 32];

    /// The bytes the receiver writes, field by field.
    fn update(full: bool, feed: [u8; 32]) -> Vec<u8> {
        let mut data = vec![34, 241, 35, 99, 157, 126, 244, 205];
        data.extend([9; 32]);
        if full {
            data.push(1);
        } else {
            data.extend([0, 5]);
        }
        data.extend(feed);
        data.extend(20_612_345_678_i64.to_le_bytes());
        data.extend(12_345_678_u64.to_le_bytes());
        data.extend((-8_i32).to_le_bytes());
        data.extend(1_760_129_400_i64.to_le_bytes());
        data.extend(1_760_129_399_i64.to_le_bytes());
        data.extend(20_500_000_000_i64.to_le_bytes());
        data.extend(11_000_000_u64.to_le_bytes());
        data.extend(371_000_000_u64.to_le_bytes());
        data.resize(PriceUpdateV2::LEN, 0);
        data
    }

    fn account(data: Vec<u8>) -> TestAccount {
        TestAccount {
            owner: pyth_solana_receiver_sdk::ID,
            data,
            ..TestAccount::default()
        }
    }

    #[test]
    fn reads_a_full_update() {
        let price = with_account(account(update(true, FEED)), |info| read(info, &FEED));
        assert_eq!(
            price,
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
    fn refuses_what_is_not_a_full_update_of_the_feed() {
        let foreign = TestAccount {
            owner: Pubkey::new_unique(),
            ..account(update(true, FEED))
        };
        let mut renamed = update(true, FEED);
        renamed[0] ^= 1;
        let mut short = update(true, FEED);
        short.truncate(100);
        for (account, expected) in [
            (foreign, BallastError::PriceWrongOwner),
            (account(renamed), BallastError::PriceInvalidAccount),
            (account(short), BallastError::PriceInvalidAccount),
            (account(Vec::new()), BallastError::PriceInvalidAccount),
            (account(update(false, FEED)), BallastError::PriceNotVerified),
            (account(update(true, [8; 32])), BallastError::PriceWrongFeed),
        ] {
            let error = with_account(account, |info| read(info, &FEED)).unwrap_err();
            assert_eq!(error, error_of(expected));
        }
    }

    fn error_of(error: BallastError) -> Error {
        error.into()
    }
}
