//! Rust client for Ballast.
//!
//! - [`addresses`]: where every account lives.
//! - [`instructions`]: one builder per instruction of the program.
//! - [`accounts`]: decoding of account data.
//! - [`events`] and [`error`]: decoding of what a transaction reports.
//! - [`price`]: which account holds a market's price, and what it says.
//! - [`conservation`]: every claim on the exchange against its tokens.
//! - [`funding`]: a market's funding index and rates at a moment.
//! - [`adl`]: the list of counterparties that `auto_deleverage` wants to see.
//! - [`token`]: token accounts of the quote currency.
//! - [`standing`]: where a trader stands in its queue, and at which price it would be first.
//! - [`book`]: the list of makers that orders, triggers and liquidations want to see.
//! - [`liquidation`]: what a position needs from keepers, and what a liquidator can afford.
//!
//! Nothing here talks to a cluster: builders give `Instruction`s, decoders take
//! bytes. State types, arguments and events are the program's own.

pub mod accounts;
pub mod addresses;
pub mod adl;
pub mod book;
pub mod conservation;
pub mod error;
pub mod events;
mod foreseen;
pub mod funding;
pub mod instructions;
pub mod liquidation;
pub mod price;
pub mod standing;
pub mod token;
