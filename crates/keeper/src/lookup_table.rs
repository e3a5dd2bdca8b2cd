//! The address lookup table: found, created, extended.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use ballast_rpc::backoff::Backoff;
use ballast_rpc::lookup::{TableError, MAX_ADDRESSES};
use ballast_rpc::sender::Sender;
use solana_message::AddressLookupTableAccount;
use tokio::sync::mpsc;

use crate::config::TableConfig;
use crate::metrics::{whole, Metrics, LOOKUP_TABLE};

/// The table that transactions use; none until there is one.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    used: Arc<RwLock<Vec<AddressLookupTableAccount>>>,
}

impl Tables {
    /// The tables as they are.
    #[must_use]
    pub fn get(&self) -> Vec<AddressLookupTableAccount> {
        self.used
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, table: AddressLookupTableAccount) {
        *self.used.write().unwrap_or_else(PoisonError::into_inner) = vec![table];
    }
}

/// Looks after the table.
pub struct TableKeeper {
    /// Pays for it.
    pub sender: Arc<Sender>,
    /// Where it comes from.
    pub config: TableConfig,
    /// The accounts that it has to hold: those that every transaction may name.
    pub fixed: Vec<Pubkey>,
    /// Where transactions find it.
    pub tables: Tables,
    /// Where its transactions are counted.
    pub metrics: Metrics,
}

impl TableKeeper {
    /// Makes the table usable, then adds the accounts of long lists as they are named. Never ends.
    pub async fn run(self, mut wanted: mpsc::Receiver<Vec<Pubkey>>) {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(120));
        let mut table = loop {
            match self.find_or_create().await {
                Ok(Some(table)) => break table,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "no lookup table yet");
                    tokio::time::sleep(backoff.fail()).await;
                }
            }
        };
        // What it holds can be used at once.
        self.show(&table);
        let mut missing = self.fixed.clone();
        loop {
            match self.extend(&table, &missing).await {
                Ok(grown) => {
                    table = grown;
                    backoff.succeed();
                    self.show(&table);
                    match wanted.recv().await {
                        Some(named) => missing = named,
                        None => return,
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, table = %table.key, "the lookup table was not extended");
                    tokio::time::sleep(backoff.fail()).await;
                    // Some of it may have been done.
                    if let Ok(Some(found)) = self.sender.cluster().lookup_table(&table.key).await {
                        table = found;
                    }
                }
            }
        }
    }

    async fn find_or_create(&self) -> Result<Option<AddressLookupTableAccount>, TableError> {
        let file = self.state_file();
        let remembered = self.config.address.or_else(|| remembered(file.as_deref()));
        if let Some(address) = remembered {
            let found = self.sender.cluster().lookup_table(&address).await?;
            match found {
                Some(table) => return Ok(Some(table)),
                None => tracing::warn!(table = %address, "there is no such lookup table"),
            }
        }
        if self.config.address.is_some() || !self.config.create {
            return Ok(None);
        }
        let key = self.sender.create_table().await?;
        self.metrics.sent.with_label_values(&[LOOKUP_TABLE]).inc();
        self.metrics.won.with_label_values(&[LOOKUP_TABLE]).inc();
        tracing::info!(table = %key, "lookup table created");
        if let Some(file) = file {
            remember(&file, &key);
        }
        Ok(Some(AddressLookupTableAccount {
            key,
            addresses: Vec::new(),
        }))
    }

    async fn extend(
        &self,
        table: &AddressLookupTableAccount,
        wanted: &[Pubkey],
    ) -> Result<AddressLookupTableAccount, TableError> {
        let missing = lacking(table, wanted);
        if missing.is_empty() {
            return Ok(table.clone());
        }
        let grown = self.sender.extend_table(table, &missing).await?;
        self.metrics.sent.with_label_values(&[LOOKUP_TABLE]).inc();
        self.metrics.won.with_label_values(&[LOOKUP_TABLE]).inc();
        tracing::info!(table = %table.key, added = missing.len(), "lookup table extended");
        Ok(grown)
    }

    fn show(&self, table: &AddressLookupTableAccount) {
        self.metrics.table.set(whole(table.addresses.len()));
        self.tables.set(table.clone());
    }

    /// Where the address is remembered: by wallet, which is the authority of the table.
    fn state_file(&self) -> Option<PathBuf> {
        let folder = match &self.config.state_dir {
            Some(folder) => folder.clone(),
            None => default_state_dir()?,
        };
        Some(folder.join(format!("lookup-table-{}", self.sender.payer())))
    }
}

/// Those of `wanted` that the table does not hold and has room for, each once.
fn lacking(table: &AddressLookupTableAccount, wanted: &[Pubkey]) -> Vec<Pubkey> {
    let mut missing: Vec<Pubkey> = Vec::new();
    for key in wanted {
        if !table.addresses.contains(key) && !missing.contains(key) {
            missing.push(*key);
        }
    }
    missing.truncate(MAX_ADDRESSES.saturating_sub(table.addresses.len()));
    missing
}

fn default_state_dir() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_STATE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".local/state"),
    };
    Some(folder.join("ballast-keeper"))
}

fn remembered(file: Option<&Path>) -> Option<Pubkey> {
    let text = std::fs::read_to_string(file?).ok()?;
    text.trim().parse().ok()
}

fn remember(file: &Path, table: &Pubkey) {
    let folder = file.parent().unwrap_or(Path::new("."));
    let written =
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(file, format!("{table}\n")));
    if let Err(error) = written {
        tracing::warn!(%error, file = %file.display(), %table, "the lookup table will be forgotten: set lookup_table.address or a lookup_table.state_dir that can be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u16) -> Pubkey {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        Pubkey::new_from_array(bytes)
    }

    #[test]
    fn only_what_is_missing_is_added_and_no_more_than_there_is_room_for() {
        let table = |count: u16| AddressLookupTableAccount {
            key: Pubkey::default(),
            addresses: (0..count).map(key).collect(),
        };
        let wanted = [key(1), key(500), key(501), key(500)];
        assert_eq!(lacking(&table(3), &wanted), [key(500), key(501)]);
        assert_eq!(lacking(&table(255), &wanted), [key(500)]);
        assert!(lacking(&table(256), &wanted).is_empty());
    }

    #[test]
    fn a_table_is_remembered() {
        let folder = std::env::temp_dir().join(format!("ballast-table-{}", std::process::id()));
        let file = folder.join("deeper").join("lookup-table-x");
        assert_eq!(remembered(Some(&file)), None);
        remember(&file, &key(9));
        assert_eq!(remembered(Some(&file)), Some(key(9)));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
