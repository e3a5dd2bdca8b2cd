//! What was executed, for whoever tells of it afterwards: a node keeps it as history.

use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use solana_account::ReadableAccount;
use solana_clock::Clock;
use solana_message::v0::LoadedAddresses;
use solana_message::AddressLoader;
use solana_transaction::versioned::VersionedTransaction;

use crate::world::Sandbox;

/// A transaction and what became of it.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Slot in which it was.
    pub slot: u64,
    /// Unix seconds of that slot.
    pub time: i64,
    /// The transaction.
    pub transaction: VersionedTransaction,
    /// What its lookup tables added to its accounts.
    pub loaded: LoadedAddresses,
    /// Lamports of its accounts before, in the order of the message and then of `loaded`.
    pub before: Vec<u64>,
    /// The same afterwards.
    pub after: Vec<u64>,
    /// What the virtual machine said.
    pub result: Result<TransactionMetadata, Box<FailedTransactionMetadata>>,
}

impl Executed {
    /// Whether a block would hold it: it succeeded, or failed and paid its fee.
    pub fn is_in_a_block(&self) -> bool {
        self.result.is_ok() || self.before.first() != self.after.first()
    }
}

impl Sandbox {
    /// From now on, keeps what is executed until it is taken. Each transaction is then followed by a
    /// new blockhash, so that the same call again is another transaction.
    pub fn keep_journal(&mut self) {
        self.journal.get_or_insert_default();
    }

    /// What was executed since the last time, in order; nothing without [`Sandbox::keep_journal`].
    pub fn take_journal(&mut self) -> Vec<Executed> {
        self.journal
            .as_mut()
            .map(core::mem::take)
            .unwrap_or_default()
    }

    /// Executes a transaction as it is, signed by whoever has to.
    ///
    /// # Errors
    /// What the virtual machine says; nothing it did is kept then but the fee.
    pub fn execute(
        &mut self,
        transaction: VersionedTransaction,
    ) -> Result<TransactionMetadata, Box<FailedTransactionMetadata>> {
        if self.journal.is_none() {
            return self.svm().send_transaction(transaction).map_err(Box::new);
        }
        let lookups = transaction.message.address_table_lookups();
        let lookups = lookups.unwrap_or_default();
        let loaded = self.svm().accounts_db().load_addresses(lookups);
        let loaded = loaded.unwrap_or_default();
        let clock = self.svm().get_sysvar::<Clock>();
        let before = self.lamports(&transaction, &loaded);
        let result = self.svm().send_transaction(transaction.clone());
        let result = result.map_err(Box::new);
        let after = self.lamports(&transaction, &loaded);
        self.svm().expire_blockhash();
        if let Some(journal) = &mut self.journal {
            journal.push(Executed {
                slot: clock.slot,
                time: clock.unix_timestamp,
                transaction,
                loaded,
                before,
                after,
                result: result.clone(),
            });
        }
        result
    }

    fn lamports(
        &mut self,
        transaction: &VersionedTransaction,
        loaded: &LoadedAddresses,
    ) -> Vec<u64> {
        let accounts = self.svm().accounts_db();
        let named = transaction.message.static_account_keys().iter();
        let all = named.chain(&loaded.writable).chain(&loaded.readonly);
        all.map(|key| {
            accounts
                .get_account_ref(key)
                .map_or(0, ReadableAccount::lamports)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    #[test]
    fn a_journal_has_what_succeeded_and_what_failed_and_is_taken_once() {
        let (mut sandbox, market) = Sandbox::with_sol_market(&Options::default()).unwrap();
        assert!(sandbox.take_journal().is_empty());
        sandbox.keep_journal();
        let trader = sandbox.create_trader(1_000_000).unwrap();
        sandbox.take_journal();
        sandbox.deposit(&trader, 1).unwrap_err();
        sandbox.add_margin(&market, &trader, 1).unwrap_err();
        sandbox.set_pause(0).unwrap();
        let kept = sandbox.take_journal();
        let came: Vec<bool> = kept.iter().map(|one| one.result.is_ok()).collect();
        assert_eq!(came, [false, false, true]);
        for one in &kept {
            assert!(one.is_in_a_block());
            assert_eq!(one.before.len(), one.after.len());
            assert!(one.before[0] > one.after[0], "the payer paid the fee");
            assert_eq!(one.slot, sandbox.slot());
        }
        assert!(sandbox.take_journal().is_empty());
    }
}
