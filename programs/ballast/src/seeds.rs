//! Seeds of every program-derived address.
//!
//! The exchange and the collateral vault exist once, so their addresses are
//! constants and cost nothing to check on chain.

use anchor_lang::{
    derive_program_address, prelude::Pubkey, solana_program::bpf_loader_upgradeable,
};

/// Seed of the [`crate::state::exchange::Exchange`].
pub const EXCHANGE_SEED: &[u8] = b"exchange";
/// Seed of a [`crate::state::market::Market`], followed by its index (u16, little endian).
pub const MARKET_SEED: &[u8] = b"market";
/// Seed of a [`crate::state::trader::Trader`], followed by the owner and the sub-id (u16, little
/// endian).
pub const TRADER_SEED: &[u8] = b"trader";
/// Seed of the token account that holds all free collateral and margin.
pub const COLLATERAL_VAULT_SEED: &[u8] = b"collateral_vault";
/// Seed of a market's insurance token account, followed by the market's address.
pub const INSURANCE_VAULT_SEED: &[u8] = b"insurance_vault";

/// Address and bump of the exchange.
pub const EXCHANGE: (Pubkey, u8) = derive(&[EXCHANGE_SEED], &crate::ID_CONST);
/// Address and bump of the collateral vault.
pub const COLLATERAL_VAULT: (Pubkey, u8) = derive(&[COLLATERAL_VAULT_SEED], &crate::ID_CONST);

/// Address of the exchange; also the authority over every vault.
pub const EXCHANGE_ADDRESS: Pubkey = EXCHANGE.0;
/// Address of the collateral vault.
pub const COLLATERAL_VAULT_ADDRESS: Pubkey = COLLATERAL_VAULT.0;
/// Where the upgradeable loader keeps this program's code and upgrade authority.
pub const PROGRAM_DATA_ADDRESS: Pubkey =
    derive(&[&crate::ID_CONST.to_bytes()], &bpf_loader_upgradeable::ID).0;

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
        ] {
            assert_eq!(constant, Pubkey::find_program_address(&[seed], &crate::ID));
        }
        assert_eq!(
            PROGRAM_DATA_ADDRESS,
            bpf_loader_upgradeable::get_program_data_address(&crate::ID)
        );
    }
}
