//! Why a transaction was refused, in the program's words.

use ballast_client::error::reported_name;
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;

/// A transaction that a program or the runtime refused. Nothing it did was kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Failure {
    /// The runtime's verdict.
    pub transaction_error: TransactionError,
    /// The error's name: of the program, of Anchor, or one found in the log; `None` if the runtime
    /// itself refused.
    pub name: Option<String>,
    /// Log lines, in order.
    pub logs: Vec<String>,
}

impl Failure {
    /// Reads the name off the verdict and the log.
    pub fn new(transaction_error: TransactionError, logs: Vec<String>) -> Self {
        let number = match &transaction_error {
            TransactionError::InstructionError(_, InstructionError::Custom(number)) => {
                Some(*number)
            }
            _ => None,
        };
        Self {
            name: reported_name(&logs, number),
            transaction_error,
            logs,
        }
    }

    /// Whether the program failed with the error of this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    fn summary(&self) -> String {
        let line = self.logs.iter().rev().find(|line| line.contains("Error"));
        match (&self.name, line) {
            (Some(name), Some(line)) => {
                let message = line.split_once("Error Message: ").map_or("", |(_, m)| m);
                format!("{name}: {message}")
            }
            (Some(name), None) => name.clone(),
            _ => self.transaction_error.to_string(),
        }
    }
}
