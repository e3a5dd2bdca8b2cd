//! Pyth price accounts, written byte for byte as the two Pyth programs write them.
//!
//! A pull account is the Borsh form of `PriceUpdateV2`, owned by the Pyth
//! receiver program; a push account is the 3,312-byte C struct of the legacy
//! Pyth oracle program. A sandbox stores them directly: no Wormhole signature
//! is checked, which on a live cluster is the receiver program's work.

use anchor_lang::prelude::Pubkey;
use anchor_lang::AccountSerialize;
use pyth_sdk_solana::state::{
    AccountType, CorpAction, PriceInfo, PriceStatus, PriceType, Rational, SolanaPriceAccount,
    MAGIC, VERSION_2,
};
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

/// The program that owns `PriceUpdateV2` accounts.
pub const PULL_PROGRAM: Pubkey = pyth_solana_receiver_sdk::ID;

/// The legacy Pyth oracle program of mainnet-beta, which owns push accounts.
pub const PUSH_PROGRAM: Pubkey =
    Pubkey::from_str_const("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH");

/// Pyth's feed id of SOL/USD.
pub const SOL_USD_FEED: [u8; 32] = [
    0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda, 0x39,
    0x2a, 0x0d, 0x2f, 0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80, 0xb5, 0x6d,
];

/// The exponent Pyth uses for crypto feeds: mantissas count 1e-8 USD.
pub const EXPONENT: i32 = -8;

/// One price as Pyth publishes it. `price`, `conf` and `ema_price` are
/// mantissas: USD times `10^-exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PythPrice {
    /// Feed the price belongs to (pull accounts only).
    pub feed_id: [u8; 32],
    /// Price mantissa.
    pub price: i64,
    /// Half width of the confidence interval, a mantissa.
    pub conf: u64,
    /// Power of ten of all mantissas, e.g. -8.
    pub exponent: i32,
    /// Exponentially moving average price, a mantissa.
    pub ema_price: i64,
    /// Unix seconds at which the price was published.
    pub publish_time: i64,
    /// Slot at which the update was posted.
    pub posted_slot: u64,
    /// `None` for a fully verified update, otherwise the number of guardian
    /// signatures that were checked (pull accounts only).
    pub partial_signatures: Option<u8>,
}

impl PythPrice {
    /// The data of a `PriceUpdateV2` account holding this price.
    pub fn pull_account_data(&self) -> Vec<u8> {
        let update = PriceUpdateV2 {
            write_authority: Pubkey::default(),
            verification_level: match self.partial_signatures {
                None => VerificationLevel::Full,
                Some(num_signatures) => VerificationLevel::Partial { num_signatures },
            },
            price_message: PriceFeedMessage {
                feed_id: self.feed_id,
                price: self.price,
                conf: self.conf,
                exponent: self.exponent,
                publish_time: self.publish_time,
                prev_publish_time: self.publish_time - 1,
                ema_price: self.ema_price,
                ema_conf: self.conf,
            },
            posted_slot: self.posted_slot,
        };
        let mut data = Vec::with_capacity(PriceUpdateV2::LEN);
        update
            .try_serialize(&mut data)
            .expect("serialising into a vector cannot fail");
        // The receiver allocates room for the longer verification level.
        data.resize(PriceUpdateV2::LEN, 0);
        data
    }

    /// The data of a legacy push account holding this price with status
    /// "trading".
    pub fn push_account_data(&self) -> Vec<u8> {
        let account = SolanaPriceAccount {
            magic: MAGIC,
            ver: VERSION_2,
            atype: AccountType::Price as u32,
            size: 3312,
            ptype: PriceType::Price,
            expo: self.exponent,
            num: 1,
            num_qt: 1,
            last_slot: self.posted_slot,
            valid_slot: self.posted_slot,
            ema_price: Rational {
                val: self.ema_price,
                numer: self.ema_price,
                denom: 1,
            },
            ema_conf: Rational {
                val: i64::try_from(self.conf).unwrap_or(i64::MAX),
                numer: i64::try_from(self.conf).unwrap_or(i64::MAX),
                denom: 1,
            },
            timestamp: self.publish_time,
            min_pub: 1,
            prev_slot: self.posted_slot,
            prev_price: self.price,
            prev_conf: self.conf,
            prev_timestamp: self.publish_time,
            agg: PriceInfo {
                price: self.price,
                conf: self.conf,
                status: PriceStatus::Trading,
                corp_act: CorpAction::NoCorpAct,
                pub_slot: self.posted_slot,
            },
            ..Default::default()
        };
        bytemuck::bytes_of(&account).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::{AccountDeserialize, Discriminator};
    use pyth_sdk_solana::state::load_price_account;

    const PRICE: PythPrice = PythPrice {
        feed_id: SOL_USD_FEED,
        price: 20_600_000_000,
        conf: 5_000_000,
        exponent: EXPONENT,
        ema_price: 20_500_000_000,
        publish_time: 1_760_129_400,
        posted_slot: 42,
        partial_signatures: None,
    };

    #[test]
    fn pull_account_has_the_receivers_offsets() {
        let data = PRICE.pull_account_data();
        assert_eq!(data.len(), 134);
        assert_eq!(&data[..8], PriceUpdateV2::DISCRIMINATOR);
        assert_eq!(data[40], 1, "fully verified");
        assert_eq!(&data[41..73], &SOL_USD_FEED);
        assert_eq!(&data[73..81], &PRICE.price.to_le_bytes());
        assert_eq!(&data[81..89], &PRICE.conf.to_le_bytes());
        assert_eq!(&data[89..93], &PRICE.exponent.to_le_bytes());
        assert_eq!(&data[93..101], &PRICE.publish_time.to_le_bytes());
        assert_eq!(&data[109..117], &PRICE.ema_price.to_le_bytes());
        assert_eq!(&data[125..133], &PRICE.posted_slot.to_le_bytes());
    }

    #[test]
    fn partial_verification_shifts_the_message_by_one_byte() {
        let partial = PythPrice {
            partial_signatures: Some(5),
            ..PRICE
        };
        let data = partial.pull_account_data();
        assert_eq!(&data[40..42], &[0, 5]);
        assert_eq!(&data[42..74], &SOL_USD_FEED);
        let read = PriceUpdateV2::try_deserialize(&mut data.as_slice()).unwrap();
        assert_eq!(read.price_message.price, PRICE.price);
    }

    #[test]
    fn push_account_is_read_back_by_the_pyth_sdk() {
        let data = PRICE.push_account_data();
        assert_eq!(data.len(), 3312);
        let read = load_price_account::<32, ()>(&data).unwrap();
        assert_eq!(read.agg.price, PRICE.price);
        assert_eq!(read.agg.conf, PRICE.conf);
        assert_eq!(read.ema_price.val, PRICE.ema_price);
        assert_eq!(read.get_publish_time(), PRICE.publish_time);
    }
}
