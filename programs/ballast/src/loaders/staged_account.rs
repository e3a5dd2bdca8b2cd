//! The account of a staged change.

use anchor_lang::{prelude::*, system_program};
use ballast_state::{
    error::BallastError,
    seeds::{SLOT_HASHES_SYSVAR, STAGED_SEED},
    staged::{Change, Staged, STAGED_DISCRIMINATOR},
};
use solana_sysvar::get_sysvar;

use super::created::create_at;
use crate::error::{error, require, require_keys_eq};

/// The newest entry of the sysvar of slot hashes: a slot and its hash. Its hash is known to nobody
/// before that slot.
///
/// # Errors
/// Those of the runtime.
pub fn newest_slot_hash() -> Result<[u8; 40]> {
    let mut entry = [0; 40];
    // The number of entries comes first.
    get_sysvar(&mut entry, &SLOT_HASHES_SYSVAR, 8, 40)?;
    Ok(entry)
}

/// Bump of the address at which a change is staged, once `account` is found to be there and free.
///
/// # Errors
/// `StagedMismatch` for another address; `StagedExists`.
pub fn require_free(account: &AccountInfo, change: &Change, target: &Pubkey) -> Result<u8> {
    let kind = [change.kind()];
    let (address, bump) =
        Pubkey::find_program_address(&[STAGED_SEED, &kind, target.as_ref()], &crate::ID);
    require_keys_eq!(*account.key, address, BallastError::StagedMismatch);
    require!(
        *account.owner == system_program::ID,
        BallastError::StagedExists
    );
    Ok(bump)
}

/// Creates the account and writes `staged`.
///
/// # Errors
/// Those of the system program.
pub fn create<'info>(
    account: &AccountInfo<'info>,
    payer: &AccountInfo<'info>,
    staged: &Staged,
) -> Result<()> {
    let (kind, bump) = ([staged.kind], [staged.bump]);
    let seeds: &[&[u8]] = &[STAGED_SEED, &kind, staged.target.as_ref(), &bump];
    create_at(account, payer, seeds, Staged::SPACE)?;
    let mut data = account.try_borrow_mut_data()?;
    let (discriminator, body) = data
        .split_at_mut_checked(STAGED_DISCRIMINATOR.len())
        .ok_or_else(|| error!(BallastError::Overflow))?;
    discriminator.copy_from_slice(&STAGED_DISCRIMINATOR);
    body.copy_from_slice(bytemuck::bytes_of(staged));
    Ok(())
}
