//! One builder per instruction of the program, by who may send it.

pub mod adl_session;
pub mod admin;
pub mod anyone;
pub mod orders;
pub mod trader;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use anchor_lang::{InstructionData, ToAccountMetas};

/// The market accounts that every instruction on positions names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketKeys {
    /// The market's account.
    pub market: Pubkey,
    /// Its queue of long positions.
    pub queue_long: Pubkey,
    /// Its queue of short positions.
    pub queue_short: Pubkey,
    /// Its order book.
    pub book: Pubkey,
    /// The Pyth account its price is read from.
    pub price: Pubkey,
}

/// The collateral mint and its token program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// The mint of the collateral.
    pub mint: Pubkey,
    /// The token program that owns it.
    pub token_program: Pubkey,
}

/// The instruction with trader accounts, writable, as its remaining accounts.
fn listing(mut instruction: Instruction, traders: &[Pubkey]) -> Instruction {
    let listed = traders
        .iter()
        .map(|trader| AccountMeta::new(*trader, false));
    instruction.accounts.extend(listed);
    instruction
}

/// An instruction of the program from its generated accounts and arguments.
fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction {
        program_id: ballast::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}
