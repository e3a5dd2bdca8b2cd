//! The collateral mint and the moves of its tokens.

use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::spl_token_2022::{
        self,
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
    },
    token_interface::{self, TransferChecked},
};

use ballast_engine::settlement::Settlement;
use ballast_state::{error::BallastError, exchange::Exchange, seeds::EXCHANGE_SIGNER};

use crate::error::{error, require, OrBallast};

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

/// Where a token account keeps its amount: behind mint and owner.
const AMOUNT: usize = 64;

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

/// [`Exchange::require_not_paused`] where the slot is of no other use: the clock is read only when
/// something was paused.
///
/// # Errors
/// `Paused`.
pub fn require_not_paused(exchange: &Exchange, flags: u32) -> Result<()> {
    if exchange.pause_flags != 0 {
        exchange
            .require_not_paused(flags, Clock::get()?.slot)
            .or_ballast()?;
    }
    Ok(())
}

/// Decimals of the quote currency, which `mint` must be, of `token_program`.
///
/// # Errors
/// `WrongMint`, `WrongTokenProgram`.
pub fn decimals(
    exchange: &Exchange,
    mint: &AccountInfo,
    token_program: &AccountInfo,
) -> Result<u8> {
    exchange.require_collateral(mint.key, mint.owner, token_program.key)?;
    Ok(exchange.mint_decimals)
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
    /// Moves `atoms` into a vault; `authority` signed the transaction. Posts what arrived there.
    pub fn into_vault(self, atoms: u64, settlement: &mut Settlement) -> Result<()> {
        let (vault, before) = (self.to, balance(self.to)?);
        self.send(atoms, &[])?;
        settlement.tokens_in(balance(vault)?.wrapping_sub(before));
        Ok(())
    }

    /// Moves `atoms` out of a vault; `authority` is the exchange. Posts what left it.
    pub fn out_of_vault(self, atoms: u64, settlement: &mut Settlement) -> Result<()> {
        let (vault, before) = (self.from, balance(self.from)?);
        self.send(atoms, &[EXCHANGE_SIGNER])?;
        settlement.tokens_out(before.wrapping_sub(balance(vault)?));
        Ok(())
    }

    /// Moves `atoms` from one vault to another; `authority` is the exchange. Posts what left and
    /// what arrived.
    pub fn between_vaults(self, atoms: u64, settlement: &mut Settlement) -> Result<()> {
        let (vault, before) = (self.to, balance(self.to)?);
        self.out_of_vault(atoms, settlement)?;
        settlement.tokens_in(balance(vault)?.wrapping_sub(before));
        Ok(())
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

/// Atoms in a vault, which is a token account of either token program: both keep the amount in the
/// same place.
fn balance(vault: &AccountInfo) -> Result<u64> {
    let data = vault.try_borrow_data()?;
    let amount = data.get(AMOUNT..).and_then(<[u8]>::first_chunk);
    let amount = amount.ok_or_else(|| error!(BallastError::WrongTokenAccount))?;
    Ok(u64::from_le_bytes(*amount))
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

    /// A vault with `amount` atoms, at the address of the token program.
    fn vault(amount: u64) -> TestAccount {
        let mut data = vec![0; 165];
        data[AMOUNT..AMOUNT + 8].copy_from_slice(&amount.to_le_bytes());
        TestAccount {
            key: anchor_spl::token::ID,
            data,
            ..TestAccount::default()
        }
    }

    /// Transfers of a token program that does nothing, as natively none runs.
    #[test]
    fn a_transfer_that_moves_nothing_is_seen() {
        let posts: [fn(Transfer, &mut Settlement) -> Result<()>; 2] = [
            |transfer, settlement| transfer.into_vault(5, settlement),
            |transfer, settlement| transfer.out_of_vault(5, settlement),
        ];
        for post in posts {
            let settled = with_account(vault(100), |account| -> Result<()> {
                let transfer = Transfer {
                    token_program: account,
                    mint: account,
                    decimals: 6,
                    from: account,
                    to: account,
                    authority: account,
                };
                let mut settlement = Settlement::default();
                settlement.paid(5);
                post(transfer, &mut settlement)?;
                settlement.close().map_err(BallastError::from)?;
                Ok(())
            });
            assert_eq!(settled, Err(BallastError::Unbalanced.into()));
        }
    }

    #[test]
    fn a_vault_without_an_amount_is_refused() {
        let short = TestAccount {
            data: vec![0; 71],
            ..TestAccount::default()
        };
        let refused: Result<u64> = Err(BallastError::WrongTokenAccount.into());
        assert_eq!(with_account(short, balance), refused);
        assert_eq!(with_account(vault(9), balance), Ok(9));
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
