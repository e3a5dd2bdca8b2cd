//! The address lookup table that long lists need: a transaction has 1,232 bytes, an account in it
//! takes 32, or one when a table has it.

use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use solana_address_lookup_table_interface::instruction::{
    create_lookup_table, extend_lookup_table,
};
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_commitment_config::CommitmentConfig;
use solana_message::AddressLookupTableAccount;

use crate::cluster::{Cluster, ReadError};
use crate::sender::{SendError, Sender};

/// Most addresses of a table.
pub const MAX_ADDRESSES: usize = 256;
/// Addresses added by one transaction.
const ADDED_AT_ONCE: usize = 20;
/// How long it is awaited that added addresses can be used.
const UNTIL_FINAL: Duration = Duration::from_secs(120);

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was not written.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The last addresses were not finalized in time.
    #[error("the last addresses of {0} are not finalized yet")]
    NotFinal(Pubkey),
    /// The account is not a table.
    #[error("{0} is not an address lookup table")]
    NotATable(Pubkey),
}

impl Cluster {
    /// A table as it is; `None` when there is none. Waits until it can be used: leaders look
    /// addresses up in the last finalized slot, and drop transactions that name later ones.
    ///
    /// # Errors
    /// `Read`, `NotATable`, `NotFinal`.
    pub async fn lookup_table(
        &self,
        key: &Pubkey,
    ) -> Result<Option<AddressLookupTableAccount>, TableError> {
        let (_, found) = self.accounts(&[*key]).await?;
        let Some(account) = found.into_iter().flatten().next() else {
            return Ok(None);
        };
        let table = AddressLookupTable::deserialize(&account.data)
            .map_err(|_| TableError::NotATable(*key))?;
        let extended = table.meta.last_extended_slot;
        if !self.is_final(extended, UNTIL_FINAL).await {
            return Err(TableError::NotFinal(*key));
        }
        Ok(Some(AddressLookupTableAccount {
            key: *key,
            addresses: table.addresses.to_vec(),
        }))
    }
}

impl Sender {
    /// Creates a table that the payer may extend; it is empty.
    ///
    /// # Errors
    /// `Send`.
    pub async fn create_table(&self) -> Result<Pubkey, TableError> {
        let payer = self.payer();
        // One that surely is among the recent slots that the program knows.
        let rooted = CommitmentConfig::finalized();
        let slot = self.cluster().rpc.get_slot_with_commitment(rooted).await;
        let recent_slot = slot.map_err(ReadError::from)?;
        let (create, key) = create_lookup_table(payer, payer, recent_slot);
        self.send(&[create], &[], &[]).await?;
        Ok(key)
    }

    /// Adds the addresses that `table` lacks, as far as it has room, and returns it with them when
    /// they can be used.
    ///
    /// # Errors
    /// `Send`, `NotFinal`.
    pub async fn extend_table(
        &self,
        table: &AddressLookupTableAccount,
        wanted: &[Pubkey],
    ) -> Result<AddressLookupTableAccount, TableError> {
        let mut grown = table.clone();
        let mut missing: Vec<Pubkey> = Vec::new();
        for key in wanted {
            if !grown.addresses.contains(key) && !missing.contains(key) {
                missing.push(*key);
            }
        }
        missing.truncate(MAX_ADDRESSES.saturating_sub(grown.addresses.len()));
        let payer = self.payer();
        let mut last = 0;
        for some in missing.chunks(ADDED_AT_ONCE) {
            let extend = extend_lookup_table(table.key, payer, Some(payer), some.to_vec());
            let landed = self.send(&[extend], &[], &[]).await?;
            last = landed.slot;
            grown.addresses.extend_from_slice(some);
        }
        match self.cluster().is_final(last, UNTIL_FINAL).await {
            true => Ok(grown),
            false => Err(TableError::NotFinal(table.key)),
        }
    }
}
