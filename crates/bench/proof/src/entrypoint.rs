//! The program's entry.

use anchor_lang::solana_program::{
    account_info::AccountInfo, entrypoint, entrypoint::ProgramResult, program::set_return_data,
    program_error::ProgramError, pubkey::Pubkey,
};

use crate::Question;

entrypoint!(process);

fn process(_: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    if data.is_empty() {
        return Ok(());
    }
    let question: Question =
        bytemuck::try_pod_read_unaligned(data).map_err(|_| ProgramError::InvalidInstructionData)?;
    let [queue] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let answer = question
        .ask(&queue.try_borrow_data()?)
        .map_err(|_| ProgramError::InvalidAccountData)?;
    set_return_data(bytemuck::bytes_of(&answer));
    Ok(())
}
