//! Transactions that landed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ballast_sandbox::Executed;
use ballast_state::Pubkey;
use litesvm::types::TransactionMetadata;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    InnerInstruction, InnerInstructions, TransactionStatusMeta,
};

/// Most transactions that are remembered; older ones are forgotten.
const MOST: usize = 50_000;

/// A transaction that landed.
#[derive(Clone, Debug)]
pub struct Record {
    /// The first signature, by which it is found.
    pub signature: Signature,
    /// What was executed.
    pub executed: Executed,
}

impl Record {
    /// Of what was executed.
    pub fn of(executed: Executed) -> Self {
        Self {
            signature: executed.transaction.signatures[0],
            executed,
        }
    }

    /// What the virtual machine told.
    pub fn told(&self) -> &TransactionMetadata {
        match &self.executed.result {
            Ok(told) => told,
            Err(failed) => &failed.meta,
        }
    }

    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&TransactionError> {
        self.executed
            .result
            .as_ref()
            .err()
            .map(|failed| &failed.err)
    }

    /// Whether it names an account.
    pub fn mentions(&self, address: &Pubkey) -> bool {
        let (message, loaded) = (&self.executed.transaction.message, &self.executed.loaded);
        message.static_account_keys().contains(address)
            || loaded.writable.contains(address)
            || loaded.readonly.contains(address)
    }

    /// As a node keeps it.
    pub fn meta(&self) -> TransactionStatusMeta {
        let told = self.told();
        let returned = &told.return_data;
        TransactionStatusMeta {
            status: self.error().cloned().map_or(Ok(()), Err),
            fee: told.fee,
            pre_balances: self.executed.before.clone(),
            post_balances: self.executed.after.clone(),
            inner_instructions: Some(inner(told)),
            log_messages: Some(told.logs.clone()),
            rewards: Some(Vec::new()),
            loaded_addresses: self.executed.loaded.clone(),
            return_data: (!returned.data.is_empty()).then(|| returned.clone()),
            compute_units_consumed: Some(told.compute_units_consumed),
            ..TransactionStatusMeta::default()
        }
    }
}

/// The calls of a transaction's instructions, of those that made any.
pub fn inner(told: &TransactionMetadata) -> Vec<InnerInstructions> {
    let all = told.inner_instructions.iter().enumerate();
    all.filter(|(_, calls)| !calls.is_empty())
        .map(|(index, calls)| InnerInstructions {
            index: u8::try_from(index).unwrap_or(u8::MAX),
            instructions: calls
                .iter()
                .map(|call| InnerInstruction {
                    instruction: call.instruction.clone(),
                    stack_height: Some(u32::from(call.stack_height)),
                })
                .collect(),
        })
        .collect()
}

/// Transactions in the order in which they landed.
#[derive(Default)]
pub struct History {
    all: VecDeque<Arc<Record>>,
    by_signature: HashMap<Signature, Arc<Record>>,
}

impl History {
    /// Adds one.
    pub fn add(&mut self, record: Arc<Record>) {
        if self.all.len() == MOST {
            if let Some(oldest) = self.all.pop_front() {
                self.by_signature.remove(&oldest.signature);
            }
        }
        self.by_signature.insert(record.signature, record.clone());
        self.all.push_back(record);
    }

    /// The transaction of a signature.
    pub fn get(&self, signature: &Signature) -> Option<&Arc<Record>> {
        self.by_signature.get(signature)
    }

    /// All, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.all.iter().rev()
    }
}
