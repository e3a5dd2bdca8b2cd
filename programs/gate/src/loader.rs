//! The gate's calls of the loader of programs that can be upgraded.

use anchor_lang::{
    prelude::*,
    solana_program::{
        bpf_loader_upgradeable::{get_program_data_address, UpgradeableLoaderState},
        instruction::Instruction,
        program::invoke_signed,
    },
};
use ballast_state::gate::{Gate, GateError, GATE_SEED};

/// Who may upgrade the program whose data `account` is.
///
/// # Errors
/// `WrongAccount` unless it is the data of `program`.
pub fn upgrade_authority(account: &AccountInfo, program: &Pubkey) -> Result<Option<Pubkey>> {
    check(get_program_data_address(program) == *account.key)?;
    let state = ProgramData::try_deserialize(&mut &account.try_borrow_data()?[..])
        .map_err(|_| GateError::WrongAccount)?;
    Ok(state.upgrade_authority_address)
}

/// Fails with `WrongAccount` unless `account` is a buffer that `authority` may write.
pub fn require_buffer(account: &AccountInfo, authority: &Pubkey) -> Result<()> {
    check(*account.owner == UpgradeableLoaderState::owner())?;
    let state = UpgradeableLoaderState::try_deserialize(&mut &account.try_borrow_data()?[..])
        .map_err(|_| GateError::WrongAccount)?;
    check(matches!(
        state,
        UpgradeableLoaderState::Buffer { authority_address: Some(key) } if key == *authority
    ))
}

/// Fails with `WrongAccount` unless `fits`.
pub fn check(fits: bool) -> Result<()> {
    if fits {
        Ok(())
    } else {
        Err(GateError::WrongAccount.into())
    }
}

/// Calls the loader, signed by the gate.
pub fn call(instruction: &Instruction, accounts: &[AccountInfo], gate: &Gate) -> Result<()> {
    let bump = [gate.bump];
    let seeds: [&[u8]; 3] = [GATE_SEED, gate.program.as_ref(), &bump];
    invoke_signed(instruction, accounts, &[&seeds]).map_err(Into::into)
}
