//! Rust client for Ballast.
//!
//! - [`amount`]: decimal numbers as people write them, and whole numbers of units.
//! - [`addresses`]: where every account lives.
//! - [`instructions`]: one struct per instruction of the program.
//! - [`accounts`]: decoding of account data.
//! - [`events`] and [`error`]: decoding of what a transaction reports.
//! - [`price`]: which account holds a market's price, and what it says.
//! - [`cross`]: cross accounts: their worth, the queues a call lists, and rounds where legs are ranked.
//! - [`conservation`]: every claim on the exchange against its tokens.
//! - [`moment`]: when and at what price something is evaluated.
//! - [`funding`]: a market's funding index and rates at a moment.
//! - [`gate`]: the program that holds the upgrade authority.
//! - [`ranking`]: the list of counterparties that `auto_deleverage` wants to see.
//! - [`token`]: token accounts of the quote currency.
//! - [`standing`]: where a trader stands in its queue, and at which price it would be first.
//! - [`makers`]: the list of makers that orders, triggers and liquidations want to see.
//! - [`preview`]: what an order would do, to the atom.
//! - [`joining`]: what a deposit into a pool or stakes would buy.
//! - [`liquidation`]: what a position needs from keepers, and what a liquidator can afford.
//!
//! Nothing here talks to a cluster, and nothing needs one: instructions are built and bytes decoded, in a
//! browser too. Accounts, arguments, events and errors are those of [`ballast_state`], which the program uses.
//!
//! # Example
//!
//! A limit order to buy 2.5 SOL at $200.10, where a lot is 0.001 SOL and a tick $0.001.
//!
//! ```
//! use ballast_client::addresses;
//! use ballast_client::instructions::{orders::PlaceOrder, MarketKeys};
//! use ballast_state::order_args::PlaceOrderArgs;
//! use ballast_state::{Pubkey, ID};
//!
//! let wallet = Pubkey::new_from_array([7; 32]);
//! let instruction = PlaceOrder {
//!     authority: wallet,
//!     // Read from the market account in practice.
//!     keys: MarketKeys {
//!         market: addresses::market(0),
//!         ..MarketKeys::default()
//!     },
//!     trader: addresses::trader(&wallet, 0),
//!     args: PlaceOrderArgs {
//!         price_ticks: 200_100,
//!         lots: 2_500,
//!         ..PlaceOrderArgs::default()
//!     },
//!     // Of the orders that it meets: `makers::order_makers` lists them from the book.
//!     makers: &[],
//! }
//! .instruction();
//! assert_eq!(instruction.program_id, ID);
//! assert!(instruction.accounts[0].is_signer);
//! ```
//!
//! `examples/` has the list of counterparties that `auto_deleverage` accepts, and an order on an embedded
//! exchange.

extern crate alloc;

pub mod accounts;
pub mod addresses;
pub mod amount;
pub mod conservation;
pub mod cross;
pub mod error;
pub mod events;
mod foreseen;
pub mod funding;
pub mod gate;
pub mod instructions;
pub mod joining;
pub mod liquidation;
pub mod makers;
pub mod migration;
pub mod moment;
pub mod pooling;
pub mod preview;
pub mod price;
pub mod ranking;
pub mod staking;
pub mod standing;
pub mod token;
