//! Kinds of collateral mint.

use ballast_state::Pubkey;
use solana_instruction::Instruction;
use solana_program_pack::Pack;
use spl_token_2022_interface as spl_token_2022;
use spl_token_interface as spl_token;

use spl_token_2022::extension::transfer_fee::instruction::initialize_transfer_fee_config;
use spl_token_2022::extension::{transfer_hook, ExtensionType};

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
    pub(crate) fn space(self) -> usize {
        match self.extension() {
            None => spl_token::state::Mint::LEN,
            Some(extension) => ExtensionType::try_calculate_account_len::<
                spl_token_2022::state::Mint,
            >(&[extension])
            .expect("mint extensions have a fixed length"),
        }
    }

    /// The instruction that sets the extension up, if there is one.
    pub(crate) fn extension_instruction(
        self,
        mint: &Pubkey,
        authority: &Pubkey,
    ) -> Option<Instruction> {
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
