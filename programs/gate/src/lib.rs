//! Holds a program's upgrade authority, so that no key can replace the program at once.
//!
//! A change is staged by the proposer, waits in the open for the gate's delay and is then executed
//! by anybody; the guardian, and the proposer, may cancel it meanwhile. The rules stand in
//! [`ballast_state::gate`]; this program checks accounts and calls the loader.
//!
//! A buffer is handed to the gate when it is staged: from then on nobody writes it, and what
//! everybody could read for the whole delay is what is executed. It goes back when it is cancelled.

#![deny(clippy::as_conversions)]
#![allow(
    clippy::disallowed_methods,
    reason = "a gate has had one layout; those that look at the version are of the other program"
)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::unwrap_used))]

use anchor_lang::prelude::*;

mod loader;
mod open_gate;
mod staged;

use ballast_state::gate::{Change, GATE_ID};

// `#[program]` looks for every accounts struct, and for what Anchor derives from it for clients,
// at the root of the crate.
pub use open_gate::*;
pub use staged::*;

declare_id!(GATE_ID);

#[program]
pub mod ballast_gate {
    use super::*;

    /// Takes the upgrade authority of a program into a new gate. The signer becomes its proposer.
    pub fn open_gate(ctx: Context<OpenGate>, guardian: Pubkey, delay_slots: u64) -> Result<()> {
        OpenGate::handle(ctx, guardian, delay_slots)
    }

    /// Stages a change; an upgrade takes its buffer over.
    pub fn stage(ctx: Context<Stage>, change: Change) -> Result<()> {
        Stage::handle(ctx, change)
    }

    /// Takes a staged change back; a buffer goes back to the proposer.
    pub fn cancel(ctx: Context<Cancel>, id: u64) -> Result<()> {
        Cancel::handle(ctx, id)
    }

    /// Upgrades the program to the staged buffer, once its delay has run out.
    pub fn execute_upgrade(ctx: Context<ExecuteUpgrade>, id: u64) -> Result<()> {
        ExecuteUpgrade::handle(ctx, id)
    }

    /// Puts the staged proposer or guardian in place, or gives the upgrade authority up for good,
    /// once the delay has run out.
    pub fn execute_change(ctx: Context<ExecuteChange>, id: u64) -> Result<()> {
        ExecuteChange::handle(ctx, id)
    }

    /// Makes the delay of later changes longer.
    pub fn raise_delay(ctx: Context<RaiseDelay>, slots: u64) -> Result<()> {
        RaiseDelay::handle(ctx, slots)
    }
}
