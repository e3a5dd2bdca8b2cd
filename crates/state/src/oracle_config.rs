//! Where a market's price comes from and what a lot and a tick are.

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    Pubkey,
};

/// Kind of oracle: Pyth pull, `PriceUpdateV2` accounts.
pub const ORACLE_PULL: u32 = 0;
/// Kind of oracle: legacy Pyth push price account.
pub const ORACLE_PUSH: u32 = 1;

/// Units in one (lots and ticks are stated in billionths).
const NANO: u128 = 1_000_000_000;

/// Oracle and units of a market. Written by `create_market`; the oracle also by `apply_oracle_change`.
#[repr(C)]
#[derive(
    BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct OracleConfig {
    /// `ORACLE_PULL` or `ORACLE_PUSH`.
    pub kind: u32,
    /// Always zero; aligns what follows.
    pub _padding: u32,
    /// Pyth feed id; used by the pull oracle.
    pub feed_id: [u8; 32],
    /// Price account; used by the push oracle, the default key otherwise.
    pub push_account: Pubkey,
    /// Quote currency per base unit in one tick, billionths. $0.001 is 1,000,000.
    pub tick_nano: u64,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// Base units in one lot, billionths. 0.001 SOL is 1,000,000.
    pub lot_nano: u64,
}

const _: () = {
    assert!(core::mem::size_of::<OracleConfig>() == 96);
    assert!(core::mem::offset_of!(OracleConfig, feed_id) == 8);
    assert!(core::mem::offset_of!(OracleConfig, push_account) == 40);
    assert!(core::mem::offset_of!(OracleConfig, tick_nano) == 72);
};

impl OracleConfig {
    /// Checks the configuration against the decimals of the quote currency: one lot at one tick
    /// must be worth exactly `atoms_per_lot_tick`.
    ///
    /// # Errors
    /// `OracleConfigInvalid`.
    pub fn validate(&self, mint_decimals: u8) -> Result<()> {
        let named = match self.kind {
            ORACLE_PULL => self.feed_id != [0; 32] && self.push_account == Pubkey::default(),
            ORACLE_PUSH => self.feed_id == [0; 32] && self.push_account != Pubkey::default(),
            _ => false,
        };
        ensure(
            named && self._padding == 0 && self.units_agree(mint_decimals),
            BallastError::OracleConfigInvalid,
        )
    }

    /// Whether a tick and a lot are the same here and there.
    #[must_use]
    pub const fn same_units(&self, other: &Self) -> bool {
        self.tick_nano == other.tick_nano
            && self.atoms_per_lot_tick == other.atoms_per_lot_tick
            && self.lot_nano == other.lot_nano
    }

    /// Atoms of one unit of the quote currency: ten to the power of its decimals. 0 where the units
    /// do not agree.
    pub fn quote_unit_atoms(&self) -> u64 {
        // Small enough for 64 bits, which divide at once.
        let narrow = 1_000_000_000_000_000_000_u64
            .checked_mul(self.atoms_per_lot_tick)
            .zip(self.tick_nano.checked_mul(self.lot_nano));
        let quotient = match narrow {
            Some((worth, size)) => worth.checked_div(size),
            None => u128::from(self.atoms_per_lot_tick)
                .checked_mul(NANO * NANO)
                .zip(u128::from(self.tick_nano).checked_mul(u128::from(self.lot_nano)))
                .and_then(|(worth, size)| worth.checked_div(size))
                .and_then(|quotient| u64::try_from(quotient).ok()),
        };
        quotient.unwrap_or(0)
    }

    fn units_agree(&self, mint_decimals: u8) -> bool {
        let one = 10_u128.checked_pow(u32::from(mint_decimals));
        let worth = u128::from(self.tick_nano)
            .checked_mul(u128::from(self.lot_nano))
            .zip(one)
            .and_then(|(product, one)| product.checked_mul(one));
        let stated = u128::from(self.atoms_per_lot_tick).checked_mul(NANO * NANO);
        self.atoms_per_lot_tick > 0 && worth.is_some() && worth == stated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sol() -> OracleConfig {
        OracleConfig {
            kind: ORACLE_PULL,
            feed_id: [1; 32],
            tick_nano: 1_000_000,
            atoms_per_lot_tick: 1,
            lot_nano: 1_000_000,
            ..OracleConfig::default()
        }
    }

    #[test]
    fn accepts_a_configuration_whose_units_agree() {
        assert!(sol().validate(6).is_ok());
        let push = OracleConfig {
            kind: ORACLE_PUSH,
            feed_id: [0; 32],
            push_account: Pubkey::new_unique(),
            ..sol()
        };
        assert!(push.validate(6).is_ok());
    }

    #[test]
    fn a_unit_of_the_quote_currency_has_as_many_atoms_as_its_mint_says() {
        assert_eq!(sol().quote_unit_atoms(), 1_000_000);
        // A tick of a billionth of a dollar, lots of 10 million units, 9 decimals.
        let wide = OracleConfig {
            tick_nano: 1,
            lot_nano: 10_000_000_000_000_000,
            atoms_per_lot_tick: 10_000_000,
            ..sol()
        };
        assert!(wide.validate(9).is_ok());
        assert_eq!(wide.quote_unit_atoms(), 1_000_000_000);
        assert_eq!(OracleConfig::default().quote_unit_atoms(), 0);
    }

    #[test]
    fn refuses_anything_else() {
        for broken in [
            OracleConfig { kind: 2, ..sol() },
            OracleConfig {
                feed_id: [0; 32],
                ..sol()
            },
            OracleConfig {
                push_account: Pubkey::new_unique(),
                ..sol()
            },
            OracleConfig {
                kind: ORACLE_PUSH,
                ..sol()
            },
            OracleConfig {
                atoms_per_lot_tick: 0,
                tick_nano: 0,
                ..sol()
            },
            OracleConfig {
                atoms_per_lot_tick: 2,
                ..sol()
            },
            OracleConfig {
                lot_nano: 999_999,
                ..sol()
            },
            OracleConfig {
                _padding: 1,
                ..sol()
            },
        ] {
            assert_eq!(broken.validate(6), Err(BallastError::OracleConfigInvalid));
        }
        assert!(sol().validate(9).is_err());
        assert!(sol().validate(u8::MAX).is_err());
    }
}
