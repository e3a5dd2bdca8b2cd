//! Accounts that the program creates at an address of its own without an Anchor type.

use anchor_lang::{
    prelude::*,
    solana_program::{program::invoke_signed, system_instruction},
};
use ballast_state::error::BallastError;

use crate::error::error;

/// Creates an account of so many bytes, all zero, at the address that `seeds` derive. Lamports that somebody
/// has sent there do not hinder it.
///
/// # Errors
/// Those of the system program.
pub fn create_at<'info>(
    account: &AccountInfo<'info>,
    payer: &AccountInfo<'info>,
    seeds: &[&[u8]],
    bytes: usize,
) -> Result<()> {
    let space = u64::try_from(bytes).map_err(|_| error!(BallastError::Overflow))?;
    let rent = Rent::get()?.minimum_balance(bytes);
    let (from, to) = (payer.key, account.key);
    if let Some(missing) = rent.checked_sub(account.lamports()).filter(|it| *it > 0) {
        let transfer = system_instruction::transfer(from, to, missing);
        invoke_signed(&transfer, &[payer.clone(), account.clone()], &[])?;
    }
    let allocate = system_instruction::allocate(to, space);
    invoke_signed(&allocate, core::slice::from_ref(account), &[seeds])?;
    let assign = system_instruction::assign(to, &crate::ID);
    invoke_signed(&assign, core::slice::from_ref(account), &[seeds])?;
    Ok(())
}
