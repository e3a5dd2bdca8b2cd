//! The collateral mint and token accounts, made by the real token programs.

use ballast_state::Pubkey;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address_with_program_id;
use spl_associated_token_account_interface::instruction::create_associated_token_account_idempotent;
use spl_token_2022_interface as spl_token_2022;

use crate::mint::MintKind;
use crate::outcome::TxResult;
use crate::world::Sandbox;

impl Sandbox {
    /// Creates a mint of the given kind with 6 decimals; the sandbox's payer is
    /// its mint and freeze authority.
    pub fn create_mint(&mut self, kind: MintKind) -> Result<Pubkey, crate::TxError> {
        let keypair = self.next_keypair();
        let mint = keypair.pubkey();
        let authority = self.payer();
        let space = kind.space();
        let mut instructions = vec![solana_system_interface::instruction::create_account(
            &authority,
            &mint,
            self.rent(space),
            space as u64,
            &kind.token_program(),
        )];
        instructions.extend(kind.extension_instruction(&mint, &authority));
        instructions.push(
            spl_token_2022::instruction::initialize_mint2(
                &kind.token_program(),
                &mint,
                &authority,
                Some(&authority),
                6,
            )
            .expect("the builder accepts both token programs"),
        );
        self.send(&instructions, &[&keypair])?;
        Ok(mint)
    }

    /// Creates the associated token account of `owner` for `mint` (a no-op if
    /// it exists) and returns its address.
    pub fn create_token_account(
        &mut self,
        owner: &Pubkey,
        mint: &Pubkey,
        token_program: &Pubkey,
    ) -> Result<Pubkey, crate::TxError> {
        let create = create_associated_token_account_idempotent;
        let instruction = create(&self.payer(), owner, mint, token_program);
        self.send(&[instruction], &[])?;
        let address = get_associated_token_address_with_program_id;
        Ok(address(owner, mint, token_program))
    }

    /// Mints `amount` atoms of the collateral mint to a token account.
    pub fn mint_to(&mut self, destination: &Pubkey, amount: u64) -> TxResult {
        let instruction = spl_token_2022::instruction::mint_to(
            &self.token_program(),
            &self.mint(),
            destination,
            &self.payer(),
            &[],
            amount,
        )
        .expect("the builder accepts both token programs");
        self.send(&[instruction], &[])
    }

    /// Atoms held by a token account; 0 if it does not exist.
    pub fn token_balance(&self, address: &Pubkey) -> u64 {
        self.account(address)
            .and_then(|account| account.data.get(64..72)?.try_into().ok())
            .map_or(0, u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_client::instructions::Collateral;
    use ballast_client::token::{associated_token, create_associated_token};
    use spl_token_interface as spl_token;

    #[test]
    fn the_client_derives_and_creates_what_the_token_program_s_library_does() {
        let [payer, owner, mint] = [1, 2, 3].map(|byte| Pubkey::new_from_array([byte; 32]));
        for token_program in [spl_token::ID, spl_token_2022::ID] {
            let collateral = Collateral {
                mint,
                token_program,
            };
            let address = get_associated_token_address_with_program_id;
            assert_eq!(
                associated_token(&owner, &collateral),
                address(&owner, &mint, &token_program)
            );
            let create = create_associated_token_account_idempotent;
            assert_eq!(
                create_associated_token(payer, owner, &collateral),
                create(&payer, &owner, &mint, &token_program)
            );
        }
    }
}
