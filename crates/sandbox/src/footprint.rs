//! What a transaction takes up of a block beside its compute units.

use ballast_state::Pubkey;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_message::VersionedMessage;

/// Bytes that an account counts for beside its data.
const ACCOUNT_BYTES: u64 = 64;
/// Bytes that a lookup table counts for.
const TABLE_BYTES: u64 = 8_248;
/// First bytes of an account that names where its program lies.
const PROGRAM: [u8; 4] = [2, 0, 0, 0];

/// What a transaction takes up of a block beside its compute units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Signatures.
    pub signatures: u64,
    /// Accounts that it locks for writing.
    pub write_locks: u64,
    /// Bytes of its instructions' data.
    pub data_bytes: u64,
    /// Bytes of all accounts that it loads, programs included.
    pub loaded_bytes: u64,
}

impl Footprint {
    /// That of `message`, whose accounts `account` gives; `listed` are those that lookup tables
    /// bring.
    pub(crate) fn of<'a>(
        message: &VersionedMessage,
        listed: &[Pubkey],
        account: impl Fn(&Pubkey) -> Option<&'a AccountSharedData>,
    ) -> Self {
        let tables = message.address_table_lookups().unwrap_or_default();
        let keys = message.static_account_keys();
        let header = message.header();
        let read = header.num_readonly_signed_accounts + header.num_readonly_unsigned_accounts;
        let written = keys.len() - usize::from(read);
        let looked_up: usize = tables
            .iter()
            .map(|table| table.writable_indexes.len())
            .sum();
        let data = message.instructions().iter().map(|one| one.data.len());
        let loaded = keys.iter().chain(listed).filter_map(|key| {
            let found = account(key)?;
            let code = program_data(found).and_then(|at| account(&at));
            Some(bytes_of(found) + code.map_or(0, bytes_of))
        });
        Self {
            signatures: u64::from(header.num_required_signatures),
            write_locks: whole(written + looked_up),
            data_bytes: whole(data.sum()),
            loaded_bytes: loaded.sum::<u64>() + TABLE_BYTES * whole(tables.len()),
        }
    }
}

/// Where the code of an upgradeable program lies.
fn program_data(account: &AccountSharedData) -> Option<Pubkey> {
    let at = account.data().strip_prefix(&PROGRAM)?;
    let at = account.executable().then_some(at)?;
    at.try_into().ok().map(Pubkey::new_from_array)
}

fn bytes_of(account: &AccountSharedData) -> u64 {
    whole(account.data().len()) + ACCOUNT_BYTES
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
