//! The collateral mint and the moves of its tokens.

use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::spl_token_2022::{
        self,
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
    },
    token_interface::{self, TransferChecked},
};

use ballast_state::{error::BallastError, seeds::EXCHANGE_SIGNER};

use crate::error::require;

/// Extensions that only describe a mint. Every other one, known or not, is refused: it could
/// change balances, take a fee, run code or stop transfers.
const DESCRIPTIVE_EXTENSIONS: [ExtensionType; 6] = [
    ExtensionType::MetadataPointer,
    ExtensionType::TokenMetadata,
    ExtensionType::GroupPointer,
    ExtensionType::TokenGroup,
    ExtensionType::GroupMemberPointer,
    ExtensionType::TokenGroupMember,
];

/// Refuses a Token-2022 mint with an extension that is not merely descriptive.
///
/// # Errors
/// `MintExtensionRejected`.
pub fn require_plain_mint(mint: &AccountInfo) -> Result<()> {
    if *mint.owner != spl_token_2022::ID {
        return Ok(());
    }
    let data = mint.try_borrow_data()?;
    let plain = StateWithExtensions::<spl_token_2022::state::Mint>::unpack(&data)
        .and_then(|state| state.get_extension_types())
        .is_ok_and(|found| found.iter().all(|one| DESCRIPTIVE_EXTENSIONS.contains(one)));
    require!(plain, BallastError::MintExtensionRejected);
    Ok(())
}

/// The accounts of one token transfer.
pub struct Transfer<'a, 'info> {
    /// SPL token or Token-2022 program.
    pub token_program: &'a AccountInfo<'info>,
    /// The collateral mint.
    pub mint: &'a AccountInfo<'info>,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Token account debited.
    pub from: &'a AccountInfo<'info>,
    /// Token account credited.
    pub to: &'a AccountInfo<'info>,
    /// Owner of `from`.
    pub authority: &'a AccountInfo<'info>,
}

impl Transfer<'_, '_> {
    /// Moves `atoms`; `authority` signed the transaction.
    pub fn by_signer(self, atoms: u64) -> Result<()> {
        self.send(atoms, &[])
    }

    /// Moves `atoms` out of a vault; `authority` is the exchange.
    pub fn by_exchange(self, atoms: u64) -> Result<()> {
        self.send(atoms, &[EXCHANGE_SIGNER])
    }

    #[inline(never)]
    fn send(self, atoms: u64, signer: &[&[&[u8]]]) -> Result<()> {
        let accounts = TransferChecked {
            from: self.from.clone(),
            mint: self.mint.clone(),
            to: self.to.clone(),
            authority: self.authority.clone(),
        };
        token_interface::transfer_checked(
            CpiContext::new_with_signer(*self.token_program.key, accounts, signer),
            atoms,
            self.decimals,
        )
    }
}

#[cfg(test)]
mod tests {
    use anchor_lang::solana_program::program_pack::Pack;
    use anchor_spl::token_2022::spl_token_2022::{
        extension::{
            default_account_state::DefaultAccountState,
            interest_bearing_mint::InterestBearingConfig, metadata_pointer::MetadataPointer,
            mint_close_authority::MintCloseAuthority, non_transferable::NonTransferable,
            pausable::PausableConfig, permanent_delegate::PermanentDelegate,
            scaled_ui_amount::ScaledUiAmountConfig, transfer_fee::TransferFeeConfig,
            transfer_hook::TransferHook, BaseStateWithExtensionsMut, StateWithExtensionsMut,
        },
        state::Mint,
    };

    use super::*;
    use crate::oracle::test_account::{with_account, TestAccount};

    macro_rules! mint_with {
        ($($extension:ty),*) => {{
            let kinds: &[ExtensionType] = &[$(<$extension as spl_token_2022::extension::Extension>::TYPE),*];
            let length = ExtensionType::try_calculate_account_len::<Mint>(kinds).unwrap();
            let mut data = vec![0; length];
            let mut state = StateWithExtensionsMut::<Mint>::unpack_uninitialized(&mut data).unwrap();
            $(state.init_extension::<$extension>(true).unwrap();)*
            state.base = Mint { is_initialized: true, decimals: 6, ..Mint::default() };
            state.pack_base();
            state.init_account_type().unwrap();
            TestAccount { owner: spl_token_2022::ID, data, ..TestAccount::default() }
        }};
    }

    fn check(mint: TestAccount) -> Result<()> {
        with_account(mint, require_plain_mint)
    }

    #[test]
    fn accepts_plain_and_described_mints() {
        let legacy = TestAccount {
            owner: anchor_spl::token::ID,
            data: vec![0; Mint::LEN],
            ..TestAccount::default()
        };
        for mint in [legacy, mint_with!(), mint_with!(MetadataPointer)] {
            assert_eq!(check(mint), Ok(()));
        }
    }

    #[test]
    fn refuses_every_extension_that_touches_balances() {
        for mint in [
            mint_with!(TransferFeeConfig),
            mint_with!(TransferHook),
            mint_with!(PermanentDelegate),
            mint_with!(NonTransferable),
            mint_with!(DefaultAccountState),
            mint_with!(InterestBearingConfig),
            mint_with!(ScaledUiAmountConfig),
            mint_with!(PausableConfig),
            mint_with!(MintCloseAuthority),
            mint_with!(MetadataPointer, TransferFeeConfig),
        ] {
            assert_eq!(check(mint), Err(BallastError::MintExtensionRejected.into()));
        }
    }

    #[test]
    fn refuses_an_extension_it_does_not_know() {
        let mut mint = mint_with!(MetadataPointer);
        let at = Mint::LEN.max(165) + 1;
        mint.data[at..at + 2].copy_from_slice(&999_u16.to_le_bytes());
        assert_eq!(check(mint), Err(BallastError::MintExtensionRejected.into()));
    }
}
