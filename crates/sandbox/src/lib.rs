//! An embedded exchange for rehearsals and tests.
//!
//! A [`Sandbox`] is a LiteSVM virtual machine with the built program loaded at
//! its id, a collateral mint, funded wallets and Pyth price accounts. Each
//! instruction of the program has a method that builds, signs and executes a
//! transaction and gives a [`TxOutcome`] or a [`TxError`] with the error's name.
//!
//! ```no_run
//! use ballast_sandbox::{BlockTrade, Options, Sandbox};
//!
//! let (mut sandbox, sol) = Sandbox::with_sol_market(&Options::default())?;
//! let alice = sandbox.create_trader(1_000_000_000)?;
//! let bob = sandbox.create_trader(1_000_000_000)?;
//! // 10 SOL at $200, each with $200 of margin.
//! let terms = BlockTrade {
//!     lots: 10_000,
//!     price_ticks: 200_000,
//!     taker_margin: 200_000_000,
//!     maker_margin: 200_000_000,
//! };
//! let outcome = sandbox.block_trade(&sol, &alice, &bob, terms)?;
//! println!("{} compute units", outcome.compute_units);
//! assert!(sandbox.conservation().holds());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod config;
pub mod cookie;
pub mod cross;
mod footprint;
mod journal;
pub mod keeping;
pub mod market;
pub mod mint;
pub mod orders;
pub mod outcome;
pub mod pool;
pub mod pyth;
pub mod reading;
pub mod session;
mod source;
pub mod staging;
pub mod stakes;
pub mod token;
pub mod trading;
mod wind_down;
pub mod world;

pub use ballast_client::conservation::Conservation;
pub use config::{MarketConfig, Options, PriceSource};
pub use cookie::MarketCookie;
pub use cross::CrossCookie;
pub use footprint::Footprint;
pub use journal::Executed;
pub use market::Quote;
pub use mint::MintKind;
pub use outcome::{TxError, TxOutcome, TxResult};
pub use trading::{BlockTrade, TraderCookie, Wallet};
pub use world::{Sandbox, SetupError};
