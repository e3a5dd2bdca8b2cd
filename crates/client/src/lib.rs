//! Rust client for Ballast.
//!
//! - [`amount`]: decimal numbers as people write them, and whole numbers of units.
//! - [`addresses`]: where every account lives.
//! - [`instructions`]: one struct per instruction of the program.
//! - [`accounts`]: decoding of account data.
//! - [`events`] and [`error`]: decoding of what a transaction reports.
//! - [`price`]: which account holds a market's price, and what it says.
//! - [`conservation`]: every claim on the exchange against its tokens.
//! - [`moment`]: when and at what price something is evaluated.
//! - [`funding`]: a market's funding index and rates at a moment.
//! - [`ranking`]: the list of counterparties that `auto_deleverage` wants to see.
//! - [`token`]: token accounts of the quote currency.
//! - [`standing`]: where a trader stands in its queue, and at which price it would be first.
//! - [`makers`]: the list of makers that orders, triggers and liquidations want to see.
//! - [`liquidation`]: what a position needs from keepers, and what a liquidator can afford.
//!
//! Nothing here talks to a cluster: instructions are built and bytes decoded. State types, arguments and events are the program's own.

extern crate alloc;

pub mod accounts;
pub mod addresses;
pub mod amount;
pub mod conservation;
pub mod error;
pub mod events;
pub mod funding;
pub mod instructions;
pub mod liquidation;
pub mod makers;
pub mod moment;
pub mod price;
pub mod ranking;
pub mod standing;
pub mod token;
