//! How many listed accounts a transaction has room for.

use anchor_lang::prelude::Pubkey;
use ballast_rpc::sender::Budget;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};

use super::{Own, PlanError};

/// Most bytes of a transaction, signatures included.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;
/// Most accounts a transaction may lock.
pub const MAX_ACCOUNT_LOCKS: usize = 64;

const SIGNATURE_BYTES: usize = 64;

/// What a transaction takes of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes on the wire.
    pub bytes: usize,
    /// Accounts it locks.
    pub locks: usize,
}

impl Size {
    /// Whether it is within both limits.
    #[must_use]
    pub const fn fits(&self) -> bool {
        self.bytes <= MAX_TRANSACTION_BYTES && self.locks <= MAX_ACCOUNT_LOCKS
    }
}

/// The size of a v0 transaction of these instructions and a whole budget.
///
/// # Errors
/// `TooLarge` when it names more than 256 accounts.
pub fn size(
    instructions: &[Instruction],
    payer: &Pubkey,
    tables: &[AddressLookupTableAccount],
) -> Result<Size, PlanError> {
    let whole = Budget {
        units: u32::MAX,
        loaded_bytes: Some(u32::MAX),
        price: u64::MAX,
    };
    let all = whole.before(instructions);
    let message = v0::Message::try_compile(payer, &all, tables, Hash::default());
    let message = message.map_err(|_| PlanError::TooLarge)?;
    let locks = message
        .account_keys
        .len()
        .saturating_add(message.address_table_lookups.iter().map(looked_up).sum());
    Ok(Size {
        bytes: bytes(message),
        locks,
    })
}

/// How many of `listed` fit, from the first on, in the instructions that `build` makes of them.
///
/// # Errors
/// `TooLarge` when they do not fit without any.
pub fn longest(
    listed: &[Pubkey],
    own: &Own<'_>,
    build: impl Fn(&[Pubkey]) -> Vec<Instruction>,
) -> Result<usize, PlanError> {
    let mut count = listed.len();
    loop {
        let fitting = listed.get(..count).unwrap_or(listed);
        if size(&build(fitting), &own.payer, own.tables).is_ok_and(|size| size.fits()) {
            return Ok(count);
        }
        count = count.checked_sub(1).ok_or(PlanError::TooLarge)?;
    }
}

/// Bytes of the signed transaction: the number of signatures takes one.
fn bytes(message: v0::Message) -> usize {
    let signatures = usize::from(message.header.num_required_signatures);
    1 + signatures * SIGNATURE_BYTES + VersionedMessage::V0(message).serialize().len()
}

fn looked_up(lookup: &v0::MessageAddressTableLookup) -> usize {
    lookup.writable_indexes.len() + lookup.readonly_indexes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_instruction::AccountMeta;
    use solana_keypair::Keypair;
    use solana_signer::Signer;
    use solana_transaction::versioned::VersionedTransaction;

    /// An instruction of so many accounts besides its signer.
    fn instruction(signer: &Pubkey, accounts: u8, data: usize) -> Instruction {
        let mut metas = vec![AccountMeta::new(*signer, true)];
        metas.extend(
            (0..accounts).map(|n| AccountMeta::new(Pubkey::new_from_array([n; 32]), false)),
        );
        Instruction {
            program_id: ballast_state::ID,
            accounts: metas,
            data: vec![0; data],
        }
    }

    #[test]
    fn the_size_is_that_of_the_signed_transaction() {
        let keypair = Keypair::new_from_array([9; 32]);
        let payer = keypair.pubkey();
        let table = AddressLookupTableAccount {
            key: Pubkey::new_from_array([200; 32]),
            addresses: (0..20).map(|n| Pubkey::new_from_array([n; 32])).collect(),
        };
        for (accounts, data, tables) in
            [(0, 0, 0), (12, 130, 0), (25, 8, 1), (60, 8, 1), (140, 8, 1)]
        {
            let tables = &[table.clone()][..tables];
            let budget = Budget {
                units: 7,
                loaded_bytes: Some(7),
                price: 7,
            };
            let instructions = [instruction(&payer, accounts, data)];
            let all = budget.before(&instructions);
            let message = v0::Message::try_compile(&payer, &all, tables, Hash::default()).unwrap();
            let locks = message.account_keys.len()
                + message
                    .address_table_lookups
                    .iter()
                    .map(looked_up)
                    .sum::<usize>();
            let message = VersionedMessage::V0(message);
            let signed = VersionedTransaction::try_new(message, &[&keypair]).unwrap();
            // Their number, one signature, the message.
            let bytes = 1 + SIGNATURE_BYTES + signed.message.serialize().len();
            assert_eq!(
                size(&instructions, &payer, tables),
                Ok(Size { bytes, locks })
            );
        }
    }

    #[test]
    fn both_limits_count() {
        let fits = |bytes, locks| Size { bytes, locks }.fits();
        assert!(fits(MAX_TRANSACTION_BYTES, MAX_ACCOUNT_LOCKS));
        assert!(!fits(MAX_TRANSACTION_BYTES + 1, 1));
        assert!(!fits(1, MAX_ACCOUNT_LOCKS + 1));
    }
}
