//! Seeds of every program-derived address.
//!
//! The exchange and the collateral vault exist once, so their addresses are
//! constants and cost nothing to check on chain.

use const_crypto::ed25519::derive_program_address;

use crate::{Pubkey, ID};

/// Seed of the [`crate::exchange::Exchange`].
pub const EXCHANGE_SEED: &[u8] = b"exchange";
/// Seed of a [`crate::market::Market`], followed by its index (u16, little endian).
pub const MARKET_SEED: &[u8] = b"market";
/// Seed of a [`crate::trader::Trader`], followed by the owner and the sub-id (u16, little
/// endian).
pub const TRADER_SEED: &[u8] = b"trader";
/// Seed of the token account that holds all free collateral and margin.
pub const COLLATERAL_VAULT_SEED: &[u8] = b"collateral_vault";
/// Seed of a market's insurance token account, followed by the market's address.
pub const INSURANCE_VAULT_SEED: &[u8] = b"insurance_vault";

/// Seed of a [`crate::pool::Pool`], followed by the market's address.
pub const POOL_SEED: &[u8] = b"pool";
/// Seed of a [`crate::share::Share`], followed by the fund and the owner.
pub const SHARE_SEED: &[u8] = b"share";
/// Seed of the stakes behind a market's insurance, followed by the market's address.
pub const STAKES_SEED: &[u8] = b"stakes";
/// Seed of a [`crate::protection::Protection`], followed by the trader account and the market.
pub const PROTECTION_SEED: &[u8] = b"protection";
/// Seed of the [`crate::cross::CrossBoard`].
pub const BOARD_SEED: &[u8] = b"board";
/// Seed of a [`crate::staged::Staged`], followed by the number of its kind (u8) and its target.
pub const STAGED_SEED: &[u8] = b"staged";

/// Address and bump of the exchange.
pub const EXCHANGE: (Pubkey, u8) = derive(&[EXCHANGE_SEED], &ID);
/// Address and bump of the collateral vault.
pub const COLLATERAL_VAULT: (Pubkey, u8) = derive(&[COLLATERAL_VAULT_SEED], &ID);

/// Address and bump of the board of cross margin.
pub const BOARD: (Pubkey, u8) = derive(&[BOARD_SEED], &ID);
/// Address of the board of cross margin.
pub const BOARD_ADDRESS: Pubkey = BOARD.0;

/// Address of the exchange; also the authority over every vault.
pub const EXCHANGE_ADDRESS: Pubkey = EXCHANGE.0;
/// Address of the collateral vault.
pub const COLLATERAL_VAULT_ADDRESS: Pubkey = COLLATERAL_VAULT.0;
/// Address and bump of the account that signs the program's event records.
pub const EVENT_AUTHORITY: (Pubkey, u8) = derive(&[b"__event_authority"], &ID);
/// The loader of programs that can be upgraded.
pub const UPGRADEABLE_LOADER: Pubkey =
    Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
/// Where the upgradeable loader keeps this program's code and upgrade authority.
pub const PROGRAM_DATA_ADDRESS: Pubkey = derive(&[&ID.to_bytes()], &UPGRADEABLE_LOADER).0;

/// The sysvar with the instructions of the transaction.
pub const INSTRUCTIONS_SYSVAR: Pubkey =
    Pubkey::from_str_const("Sysvar1nstructions1111111111111111111111111");
/// The sysvar with the hashes of recent slots.
pub const SLOT_HASHES_SYSVAR: Pubkey =
    Pubkey::from_str_const("SysvarS1otHashes111111111111111111111111111");

/// Seeds with which the program signs for the vaults.
pub const EXCHANGE_SIGNER: &[&[u8]] = &[EXCHANGE_SEED, &[EXCHANGE.1]];

const fn derive<const N: usize>(seeds: &[&[u8]; N], program: &Pubkey) -> (Pubkey, u8) {
    let (address, bump) = derive_program_address(seeds, &program.to_bytes());
    (Pubkey::new_from_array(address), bump)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_addresses_equal_the_derived_ones() {
        for (constant, seed) in [
            (EXCHANGE, EXCHANGE_SEED),
            (COLLATERAL_VAULT, COLLATERAL_VAULT_SEED),
            (EVENT_AUTHORITY, b"__event_authority"),
            (BOARD, BOARD_SEED),
        ] {
            assert_eq!(constant, Pubkey::find_program_address(&[seed], &ID));
        }
        assert_eq!(
            PROGRAM_DATA_ADDRESS,
            Pubkey::find_program_address(&[ID.as_ref()], &UPGRADEABLE_LOADER).0
        );
    }
}
