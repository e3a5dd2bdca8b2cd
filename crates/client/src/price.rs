//! A market's price: which account holds it, what that account says, and what it may be used for.
//!
//! A push market names its price account. A pull market takes any fully verified update of its
//! feed; the one to use by default is the account that the Pyth push oracle keeps current for the
//! feed, the same for everybody.

use ballast_engine::oracle::{Action, Now, OraclePrice, PriceFault};
use ballast_state::error::BallastError;
use ballast_state::market::Market;
use ballast_state::oracle_config::{OracleConfig, ORACLE_PUSH};
use ballast_state::price::PriceAccount;
use ballast_state::Pubkey;

/// The Pyth push oracle, which keeps one `PriceUpdateV2` account per shard and feed current.
pub const PUSH_ORACLE_PROGRAM: Pubkey =
    Pubkey::from_str_const("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT");

/// The shard whose accounts are kept current for everybody.
pub const DEFAULT_SHARD: u16 = 0;

/// Why there is no price in an account.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum PriceError {
    /// The price account does not exist.
    #[error("the price account does not exist")]
    Missing,
    /// The program would refuse the account with this error.
    #[error("{}: {_0}", _0.name())]
    Refused(BallastError),
}

/// A text that is no feed id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no feed id: expected 64 hexadecimal digits")]
pub struct FeedIdError(String);

/// The bytes of a feed id in hexadecimal, with or without `0x`.
///
/// # Errors
/// [`FeedIdError`].
pub fn feed_id(text: &str) -> Result<[u8; 32], FeedIdError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bad = || FeedIdError(text.to_owned());
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let mut id = [0; 32];
    for (byte, at) in id.iter_mut().zip((0..).step_by(2)) {
        let pair = digits.get(at..at + 2).ok_or_else(bad)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(id)
}

/// The account from which a market's price is read by default: the stored one of a push market,
/// that of [`DEFAULT_SHARD`] of a pull market.
#[must_use]
pub fn price_account(market: &Market) -> Pubkey {
    source_account(&market.oracle)
}

/// The same for a price source.
#[must_use]
pub fn source_account(source: &OracleConfig) -> Pubkey {
    if source.kind == ORACLE_PUSH {
        source.push_account
    } else {
        feed_account(DEFAULT_SHARD, &source.feed_id)
    }
}

/// The account that the Pyth push oracle keeps current for a feed.
#[must_use]
pub fn feed_account(shard: u16, feed_id: &[u8; 32]) -> Pubkey {
    let seeds: [&[u8]; 2] = [&shard.to_le_bytes(), feed_id];
    Pubkey::find_program_address(&seeds, &PUSH_ORACLE_PROGRAM).0
}

/// The price that the program would read from the account `key`, in the market's ticks. Says
/// nothing about whether it may be used: see [`check_price`].
///
/// # Errors
/// [`PriceError::Refused`] with what the program would answer.
pub fn decode_price(
    market: &Market,
    key: &Pubkey,
    owner: &Pubkey,
    data: &[u8],
) -> Result<OraclePrice, PriceError> {
    decode_source(&market.oracle, key, owner, data)
}

/// The same of a price source, in its ticks.
///
/// # Errors
/// [`PriceError::Refused`] with what the program would answer.
pub fn decode_source(
    source: &OracleConfig,
    key: &Pubkey,
    owner: &Pubkey,
    data: &[u8],
) -> Result<OraclePrice, PriceError> {
    PriceAccount { key, owner, data }
        .read(source)
        .map_err(PriceError::Refused)
}

/// Whether the market may use `price` for `action` at `now`.
///
/// # Errors
/// What is wrong with it.
pub fn check_price(
    market: &Market,
    action: Action,
    price: &OraclePrice,
    now: Now,
) -> Result<(), PriceFault> {
    market.check_price(action, price, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_engine::units::Ticks;
    use ballast_state::oracle_config::ORACLE_PULL;
    use ballast_state::price::PYTH_ORACLE_MAINNET;
    use bytemuck::Zeroable;

    const SOL_USD: [u8; 32] = [
        0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda,
        0x39, 0x2a, 0x0d, 0x2f, 0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80,
        0xb5, 0x6d,
    ];
    const RECEIVER: Pubkey = Pubkey::from_str_const("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");
    const STORED: Pubkey = Pubkey::new_from_array([3; 32]);

    fn market(kind: u32) -> Market {
        let mut market = Market::zeroed();
        market.oracle.kind = kind;
        market.oracle.tick_nano = 1_000_000;
        if kind == ORACLE_PULL {
            market.oracle.feed_id = SOL_USD;
        } else {
            market.oracle.push_account = STORED;
        }
        market
    }

    /// A fully verified `PriceUpdateV2`, field by field.
    fn pull_data() -> Vec<u8> {
        let mut data = vec![34, 241, 35, 99, 157, 126, 244, 205];
        data.extend([9; 32]);
        data.push(1);
        data.extend(SOL_USD);
        data.extend(20_612_345_678_i64.to_le_bytes());
        data.extend(12_345_678_u64.to_le_bytes());
        data.extend((-8_i32).to_le_bytes());
        data.extend(1_760_129_400_i64.to_le_bytes());
        data.extend(1_760_129_399_i64.to_le_bytes());
        data.extend(20_500_000_000_i64.to_le_bytes());
        data.extend(11_000_000_u64.to_le_bytes());
        data.extend(371_000_000_u64.to_le_bytes());
        data.resize(134, 0);
        data
    }

    /// A price account of the legacy oracle program, by offsets.
    fn push_data() -> Vec<u8> {
        let mut data = vec![0; 3_312];
        let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &0xa1b2_c3d4_u32.to_le_bytes());
        put(4, &2_u32.to_le_bytes());
        put(8, &3_u32.to_le_bytes());
        put(12, &3_312_u32.to_le_bytes());
        put(16, &1_u32.to_le_bytes());
        put(20, &(-8_i32).to_le_bytes());
        put(48, &20_500_000_000_i64.to_le_bytes());
        put(96, &1_760_129_400_i64.to_le_bytes());
        put(208, &20_612_345_678_i64.to_le_bytes());
        put(216, &12_345_678_u64.to_le_bytes());
        put(224, &1_u32.to_le_bytes());
        data
    }

    fn expected() -> OraclePrice {
        OraclePrice {
            price: Ticks::new(206_123),
            confidence: Ticks::new(124),
            ema: Ticks::new(205_000),
            publish_time: 1_760_129_400,
            below_tick: false,
        }
    }

    #[test]
    fn the_default_account_is_the_one_everybody_uses() {
        assert_eq!(
            price_account(&market(ORACLE_PULL)).to_string(),
            "7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE"
        );
        assert_ne!(feed_account(1, &SOL_USD), feed_account(0, &SOL_USD));
        assert_eq!(price_account(&market(ORACLE_PUSH)), STORED);
    }

    #[test]
    fn both_kinds_of_account_are_read_wherever_their_bytes_begin() {
        for (kind, owner, mut data) in [
            (ORACLE_PULL, RECEIVER, pull_data()),
            (ORACLE_PUSH, PYTH_ORACLE_MAINNET, push_data()),
        ] {
            let market = market(kind);
            for _ in 0..8 {
                data.insert(0, 7);
                let shift = data.iter().take_while(|byte| **byte == 7).count();
                let read = decode_price(&market, &STORED, &owner, &data[shift..]);
                assert_eq!(read.unwrap(), expected(), "kind {kind}, shifted by {shift}");
            }
        }
    }

    #[test]
    fn a_refusal_is_the_programs() {
        let refusal =
            |market: &Market, key, owner, data: &[u8]| match decode_price(market, key, owner, data)
                .unwrap_err()
            {
                PriceError::Refused(error) => error.name(),
                PriceError::Missing => "missing",
            };
        let (pull, push) = (market(ORACLE_PULL), market(ORACLE_PUSH));
        let (update, price) = (pull_data(), push_data());
        let mut partial = update.clone();
        partial[40] = 0;
        let system = Pubkey::default();
        let legacy = PYTH_ORACLE_MAINNET;
        assert_eq!(refusal(&pull, &STORED, &system, &update), "PriceWrongOwner");
        assert_eq!(
            refusal(&pull, &STORED, &RECEIVER, &partial),
            "PriceNotVerified"
        );
        assert_eq!(
            refusal(&pull, &STORED, &RECEIVER, &[]),
            "PriceInvalidAccount"
        );
        assert_eq!(
            refusal(&push, &RECEIVER, &legacy, &price),
            "PriceWrongAccount"
        );
        assert_eq!(
            refusal(&push, &STORED, &legacy, &price[..9]),
            "PriceInvalidAccount"
        );
    }

    #[test]
    fn a_stale_price_still_serves_to_reduce() {
        let mut market = market(ORACLE_PULL);
        market.risk.oracle_max_age_seconds = 30;
        market.risk.oracle_max_conf_bps = 100;
        market.risk.oracle_max_ema_divergence_bps = 1_000;
        let price = expected();
        let later = price.publish_time + 31;
        let check = |market: &Market, action, unix_timestamp| {
            let now = Now {
                slot: 7,
                unix_timestamp,
            };
            check_price(market, action, &price, now)
        };
        let flagged = Action::Force { flagged_slot: 6 };
        assert_eq!(check(&market, flagged, later - 1), Ok(()));
        assert_eq!(check(&market, flagged, later), Err(PriceFault::Stale));
        let stale = Err(PriceFault::Stale);
        assert_eq!(check(&market, Action::FORCE, later - 1), stale);
        assert_eq!(check(&market, Action::Reduce, later), Ok(()));
        market.last_price.publish_time = later;
        let older = Err(PriceFault::Older);
        assert_eq!(check(&market, Action::Reduce, later), older);
    }

    #[test]
    fn a_feed_id_has_sixty_four_digits() {
        let id = "ef".repeat(32);
        assert_eq!(feed_id(&id), Ok([0xef; 32]));
        assert_eq!(feed_id(&format!("0x{id}")), Ok([0xef; 32]));
        for bad in [
            &id[1..],
            "",
            "zz",
            &"zz".repeat(32),
            &"é".repeat(32),
            &"+f".repeat(32),
        ] {
            assert!(feed_id(bad).is_err(), "{bad}");
        }
    }
}
