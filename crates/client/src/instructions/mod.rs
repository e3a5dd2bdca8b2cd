//! The instructions of the program: a struct each, by who may send it. Its fields are the keys and
//! arguments by name, with defaults; its method `instruction` gives the `Instruction`.
//!
//! ```
//! use ballast_client::instructions::anyone::{Liquidate, Takeover};
//! use ballast_client::instructions::MarketKeys;
//! use ballast_state::Pubkey;
//!
//! let maker = Pubkey::new_from_array([4; 32]);
//! let instruction = Liquidate {
//!     authority: Pubkey::new_from_array([1; 32]),
//!     keys: MarketKeys::default(),
//!     trader: Pubkey::new_from_array([2; 32]),
//!     liquidator: Pubkey::new_from_array([3; 32]),
//!     offer: Takeover::with_margin(250_000_000),
//!     makers: &[maker],
//! }
//! .instruction();
//! let listed = instruction.accounts.last();
//! assert!(listed.is_some_and(|last| last.pubkey == maker && last.is_writable));
//! ```

pub mod adl_session;
pub mod admin;
pub mod anyone;
pub(crate) mod call;
pub mod cross;
pub mod fund;
pub mod migration;
pub mod orders;
pub mod protection;
pub mod source;
mod staged;
pub mod stakes;
pub mod trader;
pub mod wind_down;

use ballast_engine::units::Side;
use ballast_state::market::Market;
use ballast_state::Pubkey;

/// The market accounts that every instruction on positions names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketKeys {
    /// The market's account.
    pub market: Pubkey,
    /// Its queue of long positions.
    pub queue_long: Pubkey,
    /// Its queue of short positions.
    pub queue_short: Pubkey,
    /// Its order book.
    pub book: Pubkey,
    /// The Pyth account its price is read from.
    pub price: Pubkey,
}

impl MarketKeys {
    /// Those of the market at an address; `price` is the account its price is read from.
    #[must_use]
    pub const fn of(address: &Pubkey, market: &Market, price: Pubkey) -> Self {
        Self {
            market: *address,
            queue_long: market.queue_long,
            queue_short: market.queue_short,
            book: market.book,
            price,
        }
    }

    /// Its queue of this side.
    #[must_use]
    pub const fn queue(&self, side: Side) -> Pubkey {
        match side {
            Side::Long => self.queue_long,
            Side::Short => self.queue_short,
        }
    }
}

/// The collateral mint and its token program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collateral {
    /// The mint of the collateral.
    pub mint: Pubkey,
    /// The token program that owns it.
    pub token_program: Pubkey,
}
