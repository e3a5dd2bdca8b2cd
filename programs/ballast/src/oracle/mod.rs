//! Prices: two adapters, over Pyth's own crates, behind one engine type.

pub mod pull;
pub mod push;

use anchor_lang::prelude::*;
use ballast_engine::{
    oracle::{Action, Now, OraclePrice},
    wind_down::MarketAction,
};
use ballast_state::{
    error::BallastError,
    market::{Market, Touched},
    oracle_config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH},
};

use crate::error::{err, OrBallast};

/// The first step of every instruction that needs a price: reads the market's from `account` and
/// has the market check and record it and accrue funding, see [`Market::touch`]. `pauses` are the
/// exchange's flags in force.
///
/// # Errors
/// The adapters' errors; those of [`Market::touch`].
#[inline(never)]
pub fn touch(
    market: &mut Market,
    account: &AccountInfo,
    action: Action,
    clock: &Clock,
    pauses: u32,
) -> Result<Touched> {
    let price = read_price(&market.oracle, account)?;
    market.touch(price, action, now(clock), pauses).or_ballast()
}

/// The moment, as the engine takes it.
pub const fn now(clock: &Clock) -> Now {
    Now {
        slot: clock.slot,
        unix_timestamp: clock.unix_timestamp,
    }
}

/// The same for deleveraging, which goes on in a market that has ended: there it needs no price
/// account, and the last price counts.
///
/// # Errors
/// Those of [`touch`].
pub fn touch_deleveraging(
    market: &mut Market,
    account: &AccountInfo,
    action: Action,
    clock: &Clock,
    pauses: u32,
) -> Result<Touched> {
    if market.mode().has_ended() {
        market.require(MarketAction::Deleverage)?;
        return market.at_final_price().or_ballast();
    }
    touch(market, account, action, clock, pauses)
}

/// Reads the market's price from `account`. Says nothing about whether it may be used.
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
    raw.in_ticks(config.tick_nano).or_ballast()
}

#[cfg(test)]
mod tests;

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
