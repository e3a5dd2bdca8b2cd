//! Pyth price accounts, written byte for byte as the two Pyth programs write them.
//!
//! A pull account is the Borsh form of `PriceUpdateV2`, owned by the Pyth
//! receiver program; a push account is the 3,312-byte C struct of the legacy
//! Pyth oracle program. Tests compare both with Pyth's own libraries, which
//! nobody has to build who only wants the exchange. A sandbox stores them directly: no Wormhole signature
//! is checked, which on a live cluster is the receiver program's work.

use ballast_state::Pubkey;

/// The program that owns `PriceUpdateV2` accounts.
pub const PULL_PROGRAM: Pubkey =
    Pubkey::from_str_const("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");

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

/// First bytes of a `PriceUpdateV2` account.
const PULL_DISCRIMINATOR: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];
/// Bytes of a pull account.
const PULL_BYTES: usize = 134;
/// Bytes of a push account.
const PUSH_BYTES: usize = 3_312;

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
        let mut data = PULL_DISCRIMINATOR.to_vec();
        let write_authority = Pubkey::default();
        data.extend(write_authority.to_bytes());
        match self.partial_signatures {
            None => data.push(1),
            Some(signatures) => data.extend([0, signatures]),
        }
        data.extend(self.feed_id);
        data.extend(self.price.to_le_bytes());
        data.extend(self.conf.to_le_bytes());
        data.extend(self.exponent.to_le_bytes());
        data.extend(self.publish_time.to_le_bytes());
        data.extend(self.previous_publish_time().to_le_bytes());
        data.extend(self.ema_price.to_le_bytes());
        data.extend(self.conf.to_le_bytes());
        data.extend(self.posted_slot.to_le_bytes());
        // The receiver allocates room for the longer verification level.
        data.resize(PULL_BYTES, 0);
        data
    }

    /// The price before this one was a second older.
    fn previous_publish_time(&self) -> i64 {
        self.publish_time - 1
    }

    /// The data of a legacy push account holding this price with status
    /// "trading".
    pub fn push_account_data(&self) -> Vec<u8> {
        let conf = i64::try_from(self.conf).unwrap_or(i64::MAX);
        let mut data = vec![0; PUSH_BYTES];
        let mut write = |offset: usize, field: &[u8]| {
            data[offset..offset + field.len()].copy_from_slice(field);
        };
        // Header: magic number, version 2, a price account, its size, a price.
        write(0, &0xa1b2_c3d4_u32.to_le_bytes());
        write(4, &2_u32.to_le_bytes());
        write(8, &3_u32.to_le_bytes());
        write(12, &3_312_u32.to_le_bytes());
        write(16, &[1]);
        write(20, &self.exponent.to_le_bytes());
        // Publishers, and those of them that quote.
        write(24, &1_u32.to_le_bytes());
        write(28, &1_u32.to_le_bytes());
        // Slots of the last and of the last valid aggregate.
        write(32, &self.posted_slot.to_le_bytes());
        write(40, &self.posted_slot.to_le_bytes());
        // Averages of price and confidence, each as value, numerator, denominator.
        for (offset, average) in [(48, self.ema_price), (72, conf)] {
            write(offset, &average.to_le_bytes());
            write(offset + 8, &average.to_le_bytes());
            write(offset + 16, &1_i64.to_le_bytes());
        }
        write(96, &self.publish_time.to_le_bytes());
        // Least number of publishers.
        write(104, &[1]);
        // The aggregate before this one.
        write(176, &self.posted_slot.to_le_bytes());
        write(184, &self.price.to_le_bytes());
        write(192, &self.conf.to_le_bytes());
        write(200, &self.publish_time.to_le_bytes());
        // This aggregate: price, confidence, status trading, slot.
        write(208, &self.price.to_le_bytes());
        write(216, &self.conf.to_le_bytes());
        write(224, &[1]);
        write(232, &self.posted_slot.to_le_bytes());
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::{AccountDeserialize, AccountSerialize};
    use pyth_sdk_solana::state::{
        AccountType, CorpAction, PriceInfo, PriceStatus, PriceType, Rational, SolanaPriceAccount,
        MAGIC, VERSION_2,
    };
    use pyth_solana_receiver_sdk::price_update::{
        PriceFeedMessage, PriceUpdateV2, VerificationLevel,
    };

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

    /// The account as Pyth's own library writes it.
    fn pull_account(price: &PythPrice) -> Vec<u8> {
        let update = PriceUpdateV2 {
            write_authority: Pubkey::default(),
            verification_level: match price.partial_signatures {
                None => VerificationLevel::Full,
                Some(num_signatures) => VerificationLevel::Partial { num_signatures },
            },
            price_message: PriceFeedMessage {
                feed_id: price.feed_id,
                price: price.price,
                conf: price.conf,
                exponent: price.exponent,
                publish_time: price.publish_time,
                prev_publish_time: price.publish_time - 1,
                ema_price: price.ema_price,
                ema_conf: price.conf,
            },
            posted_slot: price.posted_slot,
        };
        let mut data = Vec::new();
        update.try_serialize(&mut data).unwrap();
        data.resize(PriceUpdateV2::LEN, 0);
        data
    }

    #[test]
    fn pull_accounts_are_those_of_the_receiver() {
        assert_eq!(PULL_PROGRAM, pyth_solana_receiver_sdk::ID);
        assert_eq!(PRICE.pull_account_data(), pull_account(&PRICE));
        for signatures in [0, 5, u8::MAX] {
            let partial = PythPrice {
                partial_signatures: Some(signatures),
                price: -PRICE.price,
                exponent: -5,
                ..PRICE
            };
            let data = partial.pull_account_data();
            assert_eq!(data, pull_account(&partial));
            let read = PriceUpdateV2::try_deserialize(&mut data.as_slice()).unwrap();
            assert_eq!(read.price_message.price, -PRICE.price);
        }
    }

    #[test]
    fn push_accounts_are_those_of_the_oracle_program() {
        let average = |value| Rational {
            val: value,
            numer: value,
            denom: 1,
        };
        let account: SolanaPriceAccount = SolanaPriceAccount {
            magic: MAGIC,
            ver: VERSION_2,
            atype: AccountType::Price as u32,
            size: 3_312,
            ptype: PriceType::Price,
            expo: PRICE.exponent,
            num: 1,
            num_qt: 1,
            last_slot: PRICE.posted_slot,
            valid_slot: PRICE.posted_slot,
            ema_price: average(PRICE.ema_price),
            ema_conf: average(5_000_000),
            timestamp: PRICE.publish_time,
            min_pub: 1,
            prev_slot: PRICE.posted_slot,
            prev_price: PRICE.price,
            prev_conf: PRICE.conf,
            prev_timestamp: PRICE.publish_time,
            agg: PriceInfo {
                price: PRICE.price,
                conf: PRICE.conf,
                status: PriceStatus::Trading,
                corp_act: CorpAction::NoCorpAct,
                pub_slot: PRICE.posted_slot,
            },
            ..Default::default()
        };
        assert_eq!(PRICE.push_account_data(), bytemuck::bytes_of(&account));
    }
}
