//! Token accounts of the quote currency.

use ballast_state::Pubkey;
use solana_instruction::{AccountMeta, Instruction};

use crate::instructions::Collateral;

/// The associated token account program.
pub const ASSOCIATED_TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// The system program.
pub const SYSTEM_PROGRAM: Pubkey = Pubkey::new_from_array([0; 32]);

/// Creates the account unless it is there.
const CREATE_IDEMPOTENT: u8 = 1;

/// The token account that an owner uses unless it names another.
pub fn associated_token(owner: &Pubkey, collateral: &Collateral) -> Pubkey {
    let seeds = [
        owner.as_ref(),
        collateral.token_program.as_ref(),
        collateral.mint.as_ref(),
    ];
    Pubkey::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM).0
}

/// Creates [`associated_token`] unless it is there; `payer` signs and pays the rent.
pub fn create_associated_token(
    payer: Pubkey,
    owner: Pubkey,
    collateral: &Collateral,
) -> Instruction {
    Instruction {
        program_id: ASSOCIATED_TOKEN_PROGRAM,
        accounts: vec![
            AccountMeta::new(payer, true),
            AccountMeta::new(associated_token(&owner, collateral), false),
            AccountMeta::new_readonly(owner, false),
            AccountMeta::new_readonly(collateral.mint, false),
            AccountMeta::new_readonly(SYSTEM_PROGRAM, false),
            AccountMeta::new_readonly(collateral.token_program, false),
        ],
        data: vec![CREATE_IDEMPOTENT],
    }
}

/// Atoms in a token account of either token program; `None` when the data is none.
pub fn token_amount(data: &[u8]) -> Option<u64> {
    let amount = data.get(64..72)?.try_into().ok()?;
    Some(u64::from_le_bytes(amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_wallets_use() {
        let collateral = Collateral {
            mint: Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
            token_program: Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"),
        };
        let owner = Pubkey::new_from_array([7; 32]);
        let address = associated_token(&owner, &collateral);
        assert!(!address.is_on_curve());
        let create = create_associated_token(owner, owner, &collateral);
        assert_eq!(create.accounts[1].pubkey, address);
        let mut data = vec![0; 165];
        data[64] = 9;
        assert_eq!(token_amount(&data), Some(9));
        assert_eq!(token_amount(&data[..70]), None);
    }
}
