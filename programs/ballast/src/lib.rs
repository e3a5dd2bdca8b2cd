//! Ballast: perpetual futures whose auto-deleveraging is provably in order.

use anchor_lang::prelude::*;

declare_id!("BALLAST5WFGRMsgdVaTc8mHiA3QtfaedtLCELe3hGbe");

pub mod collateral;
pub mod error;
pub mod oracle;
pub mod seeds;
pub mod state;
