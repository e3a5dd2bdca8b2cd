//! What Ballast stores and says: accounts with their versions, addresses, instruction arguments,
//! events and errors, and the rules that need nothing but these.
//!
//! The program, its clients and keepers share these types; what the engine decides on is
//! embedded as the engine's own type. Nothing here needs Anchor: the feature `anchor` implements
//! its traits, `idl-build` describes every type for the IDL.
//!
//! ```
//! use ballast_state::{error::BallastError, market::Market, seeds, Pubkey};
//!
//! assert_eq!(Market::SPACE, 960);
//! assert_eq!(BallastError::NotAdmin.number(), 6_000);
//! assert_ne!(seeds::EXCHANGE_ADDRESS, Pubkey::default());
//! ```

// What Anchor derives names the standard library.
#![cfg_attr(not(feature = "anchor"), no_std)]
#![deny(clippy::as_conversions)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::unwrap_used))]

extern crate alloc;

pub mod adl_session;
#[cfg(feature = "anchor")]
mod anchor;
pub mod book_account;
pub mod cross;
pub mod error;
pub mod events;
pub mod exchange;
pub mod gate;
pub mod instructions;
pub mod last_price;
#[cfg(feature = "idl-build")]
pub mod layouts;
pub mod market;
pub mod oracle_config;
pub mod order_args;
pub mod pause;
pub mod pool;
pub mod position_slot;
pub mod price;
pub mod protection;
pub mod queue_account;
pub mod seeds;
pub mod share;
pub mod staged;
pub mod stakes;
pub mod trader;
pub mod trigger;
pub mod version;
pub mod witnessed;

pub use solana_address::Address as Pubkey;

/// Address of the program.
pub const ID: Pubkey = Pubkey::from_str_const("BALLAST5WFGRMsgdVaTc8mHiA3QtfaedtLCELe3hGbe");

/// The derives of accounts and of what Borsh writes.
mod derives {
    #[cfg(feature = "anchor")]
    pub(crate) use anchor_lang::{account, zero_copy, Discriminator};
    pub(crate) use borsh::BorshDeserialize;
    #[cfg(not(feature = "idl-build"))]
    pub(crate) use borsh::BorshSerialize;
    pub(crate) use bytemuck::{Pod, Zeroable};

    // Anchor's derive of the same trait also describes the type.
    #[cfg(feature = "idl-build")]
    pub(crate) use crate::layouts::EngineLayout;
    #[cfg(feature = "idl-build")]
    pub(crate) use anchor_lang::{idl::build::IdlBuild, AnchorSerialize as BorshSerialize};
}

#[cfg(test)]
mod tests {
    use sha2_const_stable::Sha256;

    /// The first bytes of the SHA-256 of `space:name`.
    pub(crate) fn prefix(space: &str, name: &str) -> [u8; 8] {
        let hash = Sha256::new()
            .update(space.as_bytes())
            .update(b":")
            .update(name.as_bytes())
            .finalize();
        core::array::from_fn(|index| hash[index])
    }

    #[test]
    fn accounts_have_the_first_bytes_that_anchor_derives() {
        for (name, bytes) in [
            ("AdlSession", crate::adl_session::ADL_SESSION_DISCRIMINATOR),
            ("Exchange", crate::exchange::EXCHANGE_DISCRIMINATOR),
            ("Market", crate::market::MARKET_DISCRIMINATOR),
            ("Pool", crate::pool::POOL_DISCRIMINATOR),
            ("Protection", crate::protection::PROTECTION_DISCRIMINATOR),
            ("Share", crate::share::SHARE_DISCRIMINATOR),
            ("Staged", crate::staged::STAGED_DISCRIMINATOR),
            ("Trader", crate::trader::TRADER_DISCRIMINATOR),
        ] {
            assert_eq!(prefix("account", name), bytes, "{name}");
        }
    }
}
