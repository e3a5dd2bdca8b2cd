//! Transactions with the compute limit and the priority fee they need, sent again and again until
//! they land or their blockhash expires.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use ballast_state::events::BallastEvent;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};
use solana_rpc_client_api::client_error::Error as ClientError;
use solana_rpc_client_api::config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::history::events_among;

mod budget;
mod fees;

pub use fees::FeePolicy;

pub use budget::{Budget, MAX_COMPUTE_UNITS, MAX_LOADED_BYTES};

/// Time between two looks at a transaction under way; each sends it again.
const RESEND_EVERY: Duration = Duration::from_millis(400);
/// How often a transaction is looked for that would be refused by now.
const LOOKS_AFTER_REFUSAL: u32 = 4;
/// Time between two reports of a transaction under way.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// After so long without an answer a blockhash has expired on any cluster that makes blocks.
const GIVE_UP_AFTER: Duration = Duration::from_secs(180);

/// A transaction that landed.
#[derive(Clone, Debug)]
pub struct Landed {
    /// The payer's signature, by which a node finds it.
    pub signature: Signature,
    /// Slot in which it did.
    pub slot: u64,
    /// Compute units the simulation used.
    pub units: u64,
    /// Priority paid, micro-lamports a compute unit.
    pub priority_fee: u64,
    /// The program's events, as simulated.
    pub events: Vec<BallastEvent>,
}

/// What a simulation found.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Compute units used.
    pub units: u64,
    /// Bytes of all accounts loaded; `None` when the node does not tell.
    pub loaded_bytes: Option<u32>,
    /// The program's events.
    pub events: Vec<BallastEvent>,
    /// Log lines.
    pub logs: Vec<String>,
}

/// A transaction ready to be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What goes to the node, signed by all who have to.
    pub transaction: VersionedTransaction,
    /// The last block height at which it can land.
    pub last_height: u64,
    /// What its simulation found.
    pub simulated: Simulated,
    /// Priority it pays, micro-lamports a compute unit.
    pub priority_fee: u64,
}

impl Prepared {
    /// The payer's signature, by which a node finds the transaction.
    pub fn signature(&self) -> Signature {
        let first = self.transaction.signatures.first();
        first.copied().unwrap_or_default()
    }
}

/// Why a transaction did not land.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It was refused in simulation; nothing was sent.
    #[error("refused: {0}")]
    Refused(Box<Failure>),
    /// It was sent and failed; its fee is gone.
    #[error("{1} failed: {0}")]
    Failed(Box<Failure>, Signature),
    /// It was sent, and when it was to be sent again it would have been refused: somebody else was faster.
    /// It may still land, and fail.
    #[error("{1} is not sent again: {0}")]
    Overtaken(Box<Failure>, Signature),
    /// It was sent and its blockhash expired before it landed.
    #[error("{0} expired before it landed; send it again")]
    Expired(Signature),
    /// It was sent, and the node has not said for minutes what became of it.
    #[error("nobody knows what became of {0}: the node stopped answering; look it up before sending it again")]
    Unknown(Signature),
    /// The payer cannot pay.
    #[error("{0} has too few SOL for fees and rent; send it some")]
    NoFunds(Pubkey),
    /// It does not fit into a transaction or lacks a signature.
    #[error("the transaction cannot be made: {0}")]
    Unsendable(String),
    /// The node did not answer.
    #[error("the RPC node did not answer: {0}")]
    Rpc(#[from] Box<ClientError>),
}

impl From<ClientError> for SendError {
    fn from(error: ClientError) -> Self {
        Self::Rpc(Box::new(error))
    }
}

impl SendError {
    /// The refusal or failure, if it was one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) | Self::Failed(failure, _) | Self::Overtaken(failure, _) => {
                Some(failure)
            }
            _ => None,
        }
    }
}

/// What is known of a transaction under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is about to be sent for the first time, and may land from now on.
    Sent {
        /// The payer's signature, by which a node finds it.
        signature: Signature,
        /// The last block height at which it can land.
        last_height: u64,
    },
    /// It has neither landed nor expired.
    Waiting {
        /// The payer's signature.
        signature: Signature,
        /// The last block height at which it can land.
        last_height: u64,
        /// The height the node last told; `None` while it has not answered since the sending.
        height: Option<u64>,
        /// How long it has been under way.
        since: Duration,
    },
}

/// Who is told what becomes of transactions.
pub type Listener = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Signs, pays and sends.
pub struct Sender {
    cluster: Arc<Cluster>,
    payer: Arc<Keypair>,
    fees: FeePolicy,
    /// Expiries that no landing has made up for: each is a step of the priority fee.
    expiries: AtomicU32,
    listener: Option<Listener>,
    rechecks: bool,
    resend_every: Duration,
    report_every: Duration,
    give_up_after: Duration,
}

impl Sender {
    /// A sender that pays with `payer`.
    pub fn new(cluster: Arc<Cluster>, payer: Arc<Keypair>, fees: FeePolicy) -> Self {
        Self {
            cluster,
            payer,
            fees,
            expiries: AtomicU32::new(0),
            listener: None,
            rechecks: false,
            resend_every: RESEND_EVERY,
            report_every: REPORT_EVERY,
            give_up_after: GIVE_UP_AFTER,
        }
    }

    /// The same, telling `listener` of every transaction when it is sent, and every few seconds
    /// while it is under way.
    #[must_use]
    pub fn telling(self, listener: Listener) -> Self {
        Self {
            listener: Some(listener),
            ..self
        }
    }

    /// The same, which simulates a transaction that has not landed before it sends it again, and gives up
    /// what would be refused.
    #[must_use]
    pub fn rechecking(self) -> Self {
        Self {
            rechecks: true,
            ..self
        }
    }

    /// Who pays.
    pub fn payer(&self) -> Pubkey {
        self.payer.pubkey()
    }

    /// The cluster it sends to.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Simulates the instructions, sends them with the limit and fee that follow, and waits until
    /// the transaction has landed at the cluster's commitment.
    ///
    /// # Errors
    /// [`SendError`]. After `Expired` nothing has happened and nothing will.
    pub async fn send(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Landed, SendError> {
        let prepared = self.prepare(instructions, signers, tables).await?;
        self.complete(prepared).await
    }

    /// Simulates the instructions and signs a transaction of them with the limit and fee that
    /// follow. Nothing is sent.
    ///
    /// # Errors
    /// `Refused`, `NoFunds`, `Unsendable`, `Rpc`.
    pub async fn prepare(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Prepared, SendError> {
        let fee = async {
            // Not every node tells.
            let told = self.priority_fee(instructions).await;
            told.or_else(|error| {
                tracing::warn!(%error, "no recent priority fees: the least is paid");
                Ok(self.fee(Vec::new()))
            })
        };
        let (simulated, priority_fee, (blockhash, last_height)) = tokio::try_join!(
            self.simulate(instructions, signers, tables),
            fee,
            self.blockhash(),
        )?;
        let budgeted = Budget::of(&simulated, priority_fee).before(instructions);
        Ok(Prepared {
            transaction: self.sign(&budgeted, signers, tables, blockhash)?,
            last_height,
            simulated,
            priority_fee,
        })
    }

    /// Sends what was prepared and waits until it has landed.
    ///
    /// # Errors
    /// `Failed`, `Expired`, `Unknown`; `Overtaken` where it rechecks.
    pub async fn complete(&self, prepared: Prepared) -> Result<Landed, SendError> {
        let (signature, slot) = self
            .deliver(&prepared.transaction, prepared.last_height)
            .await?;
        Ok(Landed {
            signature,
            slot,
            units: prepared.simulated.units,
            priority_fee: prepared.priority_fee,
            events: prepared.simulated.events,
        })
    }

    /// What the instructions would do now.
    ///
    /// # Errors
    /// `Refused`, `NoFunds`, `Unsendable`, `Rpc`.
    pub async fn simulate(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Simulated, SendError> {
        let most = Budget {
            units: MAX_COMPUTE_UNITS,
            loaded_bytes: None,
            price: 0,
        };
        let budgeted = most.before(instructions);
        let transaction = self.sign(&budgeted, signers, tables, Hash::default())?;
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(CommitmentConfig::processed()),
            inner_instructions: true,
            ..RpcSimulateTransactionConfig::default()
        };
        let answer = self
            .cluster
            .rpc
            .simulate_transaction_with_config(&transaction, config)
            .await?;
        let logs = answer.value.logs.unwrap_or_default();
        if let Some(error) = answer.value.err {
            return Err(self.refusal(error.into(), logs));
        }
        let keys = transaction.message.static_account_keys();
        let inner = answer.value.inner_instructions.unwrap_or_default();
        Ok(Simulated {
            units: answer.value.units_consumed.unwrap_or(0),
            loaded_bytes: answer.value.loaded_accounts_data_size,
            events: events_among(&inner, keys),
            logs,
        })
    }

    /// Micro-lamports a compute unit that the policy pays for these accounts now.
    ///
    /// # Errors
    /// `Rpc`.
    pub async fn priority_fee(&self, instructions: &[Instruction]) -> Result<u64, SendError> {
        let mut writable: Vec<Pubkey> = Vec::new();
        for meta in instructions.iter().flat_map(|one| &one.accounts) {
            if meta.is_writable && !writable.contains(&meta.pubkey) {
                writable.push(meta.pubkey);
            }
        }
        writable.truncate(128);
        let paid = self
            .cluster
            .rpc
            .get_recent_prioritization_fees(&writable)
            .await?;
        let fees = paid.iter().map(|slot| slot.prioritization_fee).collect();
        Ok(self.fee(fees))
    }

    fn fee(&self, paid: Vec<u64>) -> u64 {
        self.fees.of(paid, self.expiries.load(Ordering::Relaxed))
    }

    /// The transaction, signed. The payer signs first.
    ///
    /// # Errors
    /// `Unsendable`.
    pub fn sign(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
        blockhash: Hash,
    ) -> Result<VersionedTransaction, SendError> {
        let unsendable = |error: String| SendError::Unsendable(error);
        let message = v0::Message::try_compile(&self.payer(), instructions, tables, blockhash)
            .map_err(|error| unsendable(error.to_string()))?;
        let mut signing: Vec<&Keypair> = vec![&self.payer];
        for signer in signers {
            if signing.iter().all(|one| one.pubkey() != signer.pubkey()) {
                signing.push(signer);
            }
        }
        VersionedTransaction::try_new(VersionedMessage::V0(message), &signing)
            .map_err(|error| unsendable(error.to_string()))
    }

    /// A recent blockhash, and the last block height at which it counts.
    ///
    /// # Errors
    /// `Rpc`.
    pub async fn blockhash(&self) -> Result<(Hash, u64), SendError> {
        let commitment = self.cluster.commitment;
        let rpc = &self.cluster.rpc;
        Ok(rpc.get_latest_blockhash_with_commitment(commitment).await?)
    }

    /// Sends a signed transaction until it lands at the cluster's commitment, or until block
    /// height `last_height` has passed. The slot it landed in.
    ///
    /// # Errors
    /// `Failed`, `Expired`, `Unknown`; `Overtaken` where it rechecks.
    pub async fn deliver(
        &self,
        transaction: &VersionedTransaction,
        last_height: u64,
    ) -> Result<(Signature, u64), SendError> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let height = AtomicU64::new(0);
        self.tell(&Progress::Sent {
            signature,
            last_height,
        });
        let started = Instant::now();
        let settling = self.settle(transaction, signature, last_height, &height);
        tokio::pin!(settling);
        let mut reports = tokio::time::interval(self.report_every);
        reports.tick().await;
        let outcome = loop {
            tokio::select! {
                outcome = &mut settling => break outcome,
                _ = reports.tick() => self.tell(&Progress::Waiting {
                    signature,
                    last_height,
                    height: Some(height.load(Ordering::Relaxed)).filter(|height| *height > 0),
                    since: started.elapsed(),
                }),
            }
        };
        self.learn(&outcome);
        outcome
    }

    /// An expiry raises the fee of what comes next, a landing lowers it again.
    fn learn<T>(&self, outcome: &Result<T, SendError>) {
        let known = self.expiries.load(Ordering::Relaxed);
        let now = match outcome {
            Ok(_) | Err(SendError::Failed(..)) => known.saturating_sub(1),
            Err(SendError::Expired(_)) => known.saturating_add(1),
            Err(_) => known,
        };
        self.expiries.store(now, Ordering::Relaxed);
    }

    fn tell(&self, progress: &Progress) {
        if let Some(listener) = &self.listener {
            listener(progress);
        }
    }

    /// Sends until it is known what became of it; `seen` is the height the node last told.
    async fn settle(
        &self,
        transaction: &VersionedTransaction,
        signature: Signature,
        last_height: u64,
        seen: &AtomicU64,
    ) -> Result<(Signature, u64), SendError> {
        let config = RpcSendTransactionConfig {
            skip_preflight: true,
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        let rpc = &self.cluster.rpc;
        let started = Instant::now();
        let mut resend = tokio::time::interval(self.resend_every);
        let mut overtaken = Overtaken::default();
        loop {
            resend.tick().await;
            if overtaken.failure.is_none() {
                let sent = rpc.send_transaction_with_config(transaction, config).await;
                if let Err(error) = sent {
                    tracing::debug!(%signature, %error, "not accepted, sent again");
                }
            }
            // Asked before the status: what is not there after the last height never will be.
            let height = rpc.get_block_height().await;
            if let Ok(height) = &height {
                seen.store(*height, Ordering::Relaxed);
            }
            match self.status(&signature).await {
                Some(Some(landed)) => return landed.map(|slot| (signature, slot)),
                Some(None) if height.is_ok_and(|height| height > last_height) => {
                    return Err(SendError::Expired(signature));
                }
                Some(None) if self.rechecks => {
                    if let Some(failure) = overtaken.look(|| self.recheck(transaction)).await {
                        return Err(SendError::Overtaken(failure, signature));
                    }
                }
                _ if started.elapsed() > self.give_up_after => {
                    return Err(SendError::Unknown(signature));
                }
                _ => {}
            }
        }
    }

    /// Why the program would refuse a transaction now; `None` where it would not, or where the node does
    /// not say.
    async fn recheck(&self, transaction: &VersionedTransaction) -> Option<Box<Failure>> {
        let config = RpcSimulateTransactionConfig {
            commitment: Some(CommitmentConfig::processed()),
            ..RpcSimulateTransactionConfig::default()
        };
        let rpc = &self.cluster.rpc;
        let answer = rpc.simulate_transaction_with_config(transaction, config);
        let answer = answer.await.ok()?.value;
        let error: TransactionError = answer.err?.into();
        let refused = matches!(error, TransactionError::InstructionError(..));
        refused.then(|| Box::new(Failure::new(error, answer.logs.unwrap_or_default())))
    }

    /// What became of a transaction: the slot it landed in or how it failed; `Some(None)` while
    /// it has done neither, `None` when the node does not say or it may still be dropped.
    async fn status(&self, signature: &Signature) -> Option<Option<Result<u64, SendError>>> {
        let answer = self.cluster.rpc.get_signature_statuses(&[*signature]).await;
        let Some(status) = answer.ok()?.value.into_iter().next().flatten() else {
            return Some(None);
        };
        if !status.satisfies_commitment(self.cluster.commitment) {
            return None;
        }
        Some(Some(match status.err {
            None => Ok(status.slot),
            Some(error) => Err(self.failed(error, *signature).await),
        }))
    }

    async fn failed(&self, error: TransactionError, signature: Signature) -> SendError {
        let past = self.cluster.transaction(&signature).await;
        let known = past.ok().flatten().and_then(|past| past.failure);
        let failure = known.unwrap_or_else(|| Failure::new(error, Vec::new()));
        SendError::Failed(Box::new(failure), signature)
    }

    fn refusal(&self, error: TransactionError, logs: Vec<String>) -> SendError {
        match error {
            TransactionError::AccountNotFound
            | TransactionError::InsufficientFundsForFee
            | TransactionError::InsufficientFundsForRent { account_index: 0 } => {
                SendError::NoFunds(self.payer())
            }
            error => SendError::Refused(Box::new(Failure::new(error, logs))),
        }
    }
}

/// That a transaction under way would be refused by now, be it because it has landed itself.
#[derive(Default)]
struct Overtaken {
    failure: Option<Box<Failure>>,
    looks: u32,
}

impl Overtaken {
    /// Looks whether it would be refused, if that is not known yet; why, once it has had time to turn up.
    async fn look<F: core::future::Future<Output = Option<Box<Failure>>>>(
        &mut self,
        recheck: impl FnOnce() -> F,
    ) -> Option<Box<Failure>> {
        if self.failure.is_none() {
            self.failure = recheck().await;
            return None;
        }
        self.looks += 1;
        self.failure.take_if(|_| self.looks >= LOOKS_AFTER_REFUSAL)
    }
}

#[cfg(test)]
mod tests;
