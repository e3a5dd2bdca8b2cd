//! The collateral mint and token accounts, made by the real token programs.

use ballast_state::Pubkey;
use solana_instruction::Instruction;
use solana_program_pack::Pack;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address_with_program_id;
use spl_associated_token_account_interface::instruction::create_associated_token_account_idempotent;
use spl_token_2022_interface as spl_token_2022;
use spl_token_interface as spl_token;

use spl_token_2022::extension::transfer_fee::instruction::initialize_transfer_fee_config;
use spl_token_2022::extension::{transfer_hook, ExtensionType};

use crate::outcome::TxResult;
use crate::world::Sandbox;

/// What kind of collateral mint the sandbox makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MintKind {
    /// A mint of the classic token program, like USDC.
    #[default]
    Classic,
    /// A Token-2022 mint without extensions.
    Token2022,
    /// A Token-2022 mint that takes 1% of every transfer.
    TransferFee,
    /// A Token-2022 mint with a transfer hook.
    TransferHook,
    /// A Token-2022 mint whose permanent delegate may move anybody's tokens.
    PermanentDelegate,
    /// A Token-2022 mint whose tokens cannot be transferred.
    NonTransferable,
    /// A Token-2022 mint whose accounts are created frozen.
    DefaultFrozen,
    /// A Token-2022 mint whose displayed amount bears interest.
    InterestBearing,
}

impl MintKind {
    /// The token program that owns such a mint.
    pub fn token_program(self) -> Pubkey {
        match self {
            MintKind::Classic => spl_token::ID,
            _ => spl_token_2022::ID,
        }
    }

    fn extension(self) -> Option<ExtensionType> {
        match self {
            MintKind::Classic | MintKind::Token2022 => None,
            MintKind::TransferFee => Some(ExtensionType::TransferFeeConfig),
            MintKind::TransferHook => Some(ExtensionType::TransferHook),
            MintKind::PermanentDelegate => Some(ExtensionType::PermanentDelegate),
            MintKind::NonTransferable => Some(ExtensionType::NonTransferable),
            MintKind::DefaultFrozen => Some(ExtensionType::DefaultAccountState),
            MintKind::InterestBearing => Some(ExtensionType::InterestBearingConfig),
        }
    }

    /// Bytes of a mint account of this kind.
    fn space(self) -> usize {
        match self.extension() {
            None => spl_token::state::Mint::LEN,
            Some(extension) => ExtensionType::try_calculate_account_len::<
                spl_token_2022::state::Mint,
            >(&[extension])
            .expect("mint extensions have a fixed length"),
        }
    }

    /// The instruction that sets the extension up, if there is one.
    fn extension_instruction(self, mint: &Pubkey, authority: &Pubkey) -> Option<Instruction> {
        let program = &spl_token_2022::ID;
        let built = match self {
            MintKind::Classic | MintKind::Token2022 => return None,
            MintKind::TransferFee => {
                initialize_transfer_fee_config(program, mint, None, None, 100, u64::MAX)
            }
            MintKind::TransferHook => transfer_hook::instruction::initialize(
                program,
                mint,
                Some(*authority),
                Some(*authority),
            ),
            MintKind::PermanentDelegate => {
                spl_token_2022::instruction::initialize_permanent_delegate(program, mint, authority)
            }
            MintKind::NonTransferable => {
                spl_token_2022::instruction::initialize_non_transferable_mint(program, mint)
            }
            MintKind::DefaultFrozen => {
                spl_token_2022::extension::default_account_state::instruction::initialize_default_account_state(
                    program,
                    mint,
                    &spl_token_2022::state::AccountState::Frozen,
                )
            }
            MintKind::InterestBearing => {
                spl_token_2022::extension::interest_bearing_mint::instruction::initialize(
                    program,
                    mint,
                    Some(*authority),
                    500,
                )
            }
        };
        Some(built.expect("the token program's own builder accepts its own id"))
    }
}

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
