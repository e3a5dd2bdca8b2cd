//! Keeps the transactions of authorities from being hoarded.
//!
//! A transaction with a durable nonce stays valid until its nonce is used, so that what was signed
//! on one day is executed on another, when nobody remembers it. The runtime takes a transaction for
//! such a one when its first instruction is of the system program and its data begin with the number
//! of `AdvanceNonceAccount`; the sysvar shows that instruction wherever the program is called from.

use anchor_lang::{prelude::*, system_program};
use ballast_state::{error::BallastError, seeds::INSTRUCTIONS_SYSVAR};
use solana_instructions_sysvar::load_instruction_at_checked;

use crate::error::{require, require_keys_eq};

/// First bytes of the data of `AdvanceNonceAccount`.
const ADVANCE_NONCE: [u8; 4] = 4_u32.to_le_bytes();

/// Refuses a transaction with a durable nonce. It refuses slightly too much: also one whose first
/// instruction only looks like it.
///
/// # Errors
/// `DurableNonce`; `WrongInstructionsSysvar`.
#[inline(never)]
pub fn refuse_nonce(instructions: &AccountInfo) -> Result<()> {
    require_keys_eq!(
        *instructions.key,
        INSTRUCTIONS_SYSVAR,
        BallastError::WrongInstructionsSysvar
    );
    let first = load_instruction_at_checked(0, instructions)?;
    let nonced = first.program_id == system_program::ID && first.data.starts_with(&ADVANCE_NONCE);
    require!(!nonced, BallastError::DurableNonce);
    Ok(())
}
