//! What a transaction did, or why it failed.

use crate::footprint::Footprint;
use ballast_client::error::reported_name;
use ballast_state::events::BallastEvent;
use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use solana_instruction_error::InstructionError;
use solana_message::inner_instruction::InnerInstructionsList;
use solana_transaction_error::TransactionError;

/// A transaction that was executed.
#[derive(Clone, Debug)]
pub struct TxOutcome {
    /// Compute units the whole transaction used.
    pub compute_units: u64,
    /// What else it took up of its block.
    pub footprint: Footprint,
    /// Log lines, in order.
    pub logs: Vec<String>,
    /// The program's events, in order.
    pub events: Vec<BallastEvent>,
}

/// A transaction that failed. Nothing it did was kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.summary())]
pub struct TxError {
    /// The runtime's verdict.
    pub transaction_error: TransactionError,
    /// The custom error number, if a program returned one.
    pub number: Option<u32>,
    /// The error's name: a `BallastError` variant, an Anchor error or a name
    /// found in the log; `None` if the runtime itself refused.
    pub name: Option<String>,
    /// Compute units used until the failure.
    pub compute_units: u64,
    /// Log lines, in order.
    pub logs: Vec<String>,
}

/// Result of a sandbox instruction.
pub type TxResult = Result<TxOutcome, TxError>;

impl TxError {
    /// Whether the program failed with the error of this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    fn summary(&self) -> String {
        let last = self.logs.iter().rev().find(|line| line.contains("Error"));
        match (&self.name, self.number) {
            (Some(name), Some(number)) => {
                format!("{name} ({number}): {}", last.map_or("", String::as_str))
            }
            _ => format!("{:?}\n{}", self.transaction_error, self.logs.join("\n")),
        }
    }
}

impl TxOutcome {
    /// The same, of a transaction with this footprint.
    pub(crate) fn with_footprint(self, footprint: Footprint) -> Self {
        Self { footprint, ..self }
    }
}

impl From<TransactionMetadata> for TxOutcome {
    /// What the virtual machine tells; the footprint is nothing.
    fn from(meta: TransactionMetadata) -> Self {
        Self {
            compute_units: meta.compute_units_consumed,
            footprint: Footprint::default(),
            events: decode_events(&meta.inner_instructions),
            logs: meta.logs,
        }
    }
}

impl From<FailedTransactionMetadata> for TxError {
    fn from(failed: FailedTransactionMetadata) -> Self {
        let number = match &failed.err {
            TransactionError::InstructionError(_, InstructionError::Custom(number)) => {
                Some(*number)
            }
            _ => None,
        };
        Self {
            transaction_error: failed.err,
            number,
            name: reported_name(&failed.meta.logs, number),
            compute_units: failed.meta.compute_units_consumed,
            logs: failed.meta.logs,
        }
    }
}

/// The program's events among the inner instructions of a transaction.
fn decode_events(inner: &InnerInstructionsList) -> Vec<BallastEvent> {
    inner
        .iter()
        .flatten()
        .filter_map(|instruction| BallastEvent::decode(&instruction.instruction.data))
        .collect()
}
