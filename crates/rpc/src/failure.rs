//! Why a transaction was refused, in the program's words.

use ballast_client::error::reported_name;
use ballast_state::error::BallastError;
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
        Self {
            name: reported_name(&logs, number_of(&transaction_error)),
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
            (Some(name), None) => match self.program_error() {
                Some(error) => format!("{name}: {error}"),
                None => name.clone(),
            },
            _ => match self
                .number()
                .and_then(|number| elsewhere(&self.logs, number))
            {
                Some(sentence) => sentence,
                None => self.transaction_error.to_string(),
            },
        }
    }

    /// The program's error, if it was one of Ballast.
    pub fn program_error(&self) -> Option<BallastError> {
        let name = self.name.as_deref()?;
        let mut all = BallastError::ALL.iter().copied();
        all.find(|error| error.name() == name)
    }

    /// The number of the error, where a program gave one.
    fn number(&self) -> Option<u32> {
        number_of(&self.transaction_error)
    }
}

const fn number_of(error: &TransactionError) -> Option<u32> {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(number)) => Some(*number),
        _ => None,
    }
}

/// The program that failed first, the innermost, and what its error means: the system program and
/// the token programs give numbers only.
fn elsewhere(logs: &[String], number: u32) -> Option<String> {
    let failed = logs.iter().find(|line| line.contains(" failed: "))?;
    let program = failed.strip_prefix("Program ")?.split(' ').next()?;
    let (name, meaning) = match (program, number) {
        (SYSTEM, 0) => ("system", "the account exists already"),
        (SYSTEM, 1) => ("system", "the payer has too few SOL"),
        (TOKEN | TOKEN_2022, 0) => ("token", "a token account has too few SOL to exist"),
        (TOKEN | TOKEN_2022, 1) => ("token", "the token account holds too little"),
        (TOKEN | TOKEN_2022, 3) => ("token", "a token account is of another mint"),
        (TOKEN | TOKEN_2022, 4) => (
            "token",
            "the signer does not own the token account, or may not make tokens of the mint",
        ),
        (TOKEN | TOKEN_2022, 17) => ("token", "the token account is frozen"),
        (SYSTEM, _) => ("system", "it gave no reason"),
        (TOKEN | TOKEN_2022, _) => ("token", "it gave no reason"),
        _ => return None,
    };
    Some(format!(
        "the {name} program refused: {meaning} (its error {number})"
    ))
}

const SYSTEM: &str = "11111111111111111111111111111111";
const TOKEN: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
const TOKEN_2022: &str = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: u32, logs: &[&str]) -> String {
        let error = TransactionError::InstructionError(2, InstructionError::Custom(number));
        let logs = logs.iter().map(|line| (*line).to_owned()).collect();
        Failure::new(error, logs).to_string()
    }

    #[test]
    fn numbers_are_told_in_sentences() {
        let token = format!("Program {TOKEN} failed: custom program error: 0x4");
        let outer = "Program X failed: custom program error: 0x4";
        let told = said(4, &["Program log: x", &token, outer]);
        assert!(told.contains("does not own the token account"), "{told}");
        let system = format!("Program {SYSTEM} failed: custom program error: 0x1");
        assert!(said(1, &[&system]).contains("too few SOL"));
        assert!(said(6_000, &[]).starts_with("NotAdmin: The signer is not"));
    }
}
