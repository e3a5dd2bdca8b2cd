//! Transactions: simulated, sent, found again.

use base64::prelude::{Engine, BASE64_STANDARD};
use litesvm::types::{FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata};
use serde_json::{json, Value};
use solana_account::ReadableAccount;
use solana_account_decoder_client_types::UiAccountEncoding;
use solana_commitment_config::CommitmentConfig;
use solana_message::VersionedMessage;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcEncodingConfigWrapper, RpcSendTransactionConfig,
    RpcSignaturesForAddressConfig, RpcSimulateTransactionAccountsConfig,
    RpcSimulateTransactionConfig, RpcTransactionConfig, UiTransactionEncoding,
};
use solana_rpc_client_api::response::{
    RpcBlockhash, RpcConfirmedTransactionStatusWithSignature, RpcSimulateTransactionResult,
};
use solana_signature::Signature;
use solana_transaction::versioned::{TransactionVersion, VersionedTransaction};
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, EncodedTransaction,
    EncodedTransactionWithStatusMeta, TransactionBinaryEncoding, TransactionConfirmationStatus,
    TransactionStatus, UiAddressTableLookup, UiCompiledInstruction, UiInnerInstructions, UiMessage,
    UiRawMessage, UiTransaction, UiTransactionStatusMeta,
};

use crate::answer::Answer;
use crate::chain::Chain;
use crate::fault::Fault;
use crate::history::{inner, Record};
use crate::params::{address, bytes, signature, transaction, Params};

/// Most signatures of `getSignatureStatuses`.
const MOST_STATUSES: usize = 256;
/// Most signatures of `getSignaturesForAddress`.
const MOST_SIGNATURES: usize = 1_000;
/// Most SOL of an airdrop, in lamports.
const MOST_AIRDROP: u64 = 1_000_000_000_000;

type Simulation = Result<SimulatedTransactionInfo, Box<FailedTransactionMetadata>>;

impl Chain {
    /// Whether a transaction could be in a block of this slot, before it is executed.
    fn admits(&self, transaction: &VersionedTransaction) -> Result<(), TransactionError> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        if self.history.get(&signature).is_some() {
            return Err(TransactionError::AlreadyProcessed);
        }
        match self.is_recent(transaction.message.recent_blockhash()) {
            true => Ok(()),
            false => Err(TransactionError::BlockhashNotFound),
        }
    }

    fn simulated(&mut self, transaction: VersionedTransaction) -> Simulation {
        if let Err(err) = self.admits(&transaction) {
            let meta = TransactionMetadata::default();
            return Err(Box::new(FailedTransactionMetadata { err, meta }));
        }
        let simulated = self.vm().simulate_transaction(transaction);
        simulated.map_err(Box::new)
    }

    /// `simulateTransaction`.
    pub fn simulate(&mut self, params: &Params) -> Answer {
        let config: RpcSimulateTransactionConfig = params.config(1)?;
        self.require_slot(config.min_context_slot)?;
        let mut transaction = transaction(&params.get::<String>(0)?, config.encoding)?;
        if config.sig_verify && config.replace_recent_blockhash {
            return Err(Fault::params(
                "sigVerify may not be used with replaceRecentBlockhash",
            ));
        }
        if config.sig_verify {
            verify(&transaction)?;
        }
        let replaced = config.replace_recent_blockhash.then(|| self.blockhash());
        if let Some((blockhash, _)) = replaced {
            transaction.message.set_recent_blockhash(blockhash);
        }
        let simulated = self.simulated(transaction);
        let mut result = told(&simulated, config.inner_instructions);
        result.replacement_blockhash = replaced.map(|(blockhash, last)| RpcBlockhash {
            blockhash: blockhash.to_string(),
            last_valid_block_height: last,
        });
        if let Some(wanted) = config.accounts {
            result.accounts = Some(self.afterwards(&simulated, &wanted)?);
        }
        self.with_context(&result)
    }

    fn afterwards(
        &self,
        simulated: &Simulation,
        wanted: &RpcSimulateTransactionAccountsConfig,
    ) -> Result<Vec<Option<solana_account_decoder_client_types::UiAccount>>, Fault> {
        let config = RpcAccountInfoConfig {
            encoding: wanted.encoding.or(Some(UiAccountEncoding::Base64)),
            ..RpcAccountInfoConfig::default()
        };
        let shown = wanted.addresses.iter().map(|text| {
            let address = address(text)?;
            let Ok(simulated) = simulated else {
                return Ok(None);
            };
            let mut after = simulated.post_accounts.iter();
            let changed = after.find(|(key, _)| *key == address);
            let account = match changed {
                Some((_, account)) => Some(account.clone()),
                None => self.sandbox().account(&address).map(Into::into),
            };
            let account = account.filter(|account| account.lamports() > 0);
            account
                .map(|account| self.shown(&address, &account, &config))
                .transpose()
        });
        shown.collect()
    }

    /// `sendTransaction`.
    pub fn send(&mut self, params: &Params) -> Answer {
        let config: RpcSendTransactionConfig = params.config(1)?;
        self.require_slot(config.min_context_slot)?;
        let transaction = transaction(&params.get::<String>(0)?, config.encoding)?;
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        if !config.skip_preflight {
            verify(&transaction)?;
            let simulated = self.simulated(transaction.clone());
            if simulated.is_err() {
                return Err(Fault::preflight(&told(&simulated, false)));
            }
        }
        // What no leader would take is dropped without a word, as on a cluster.
        if verify(&transaction).is_ok() && self.admits(&transaction).is_ok() {
            drop(self.change(|sandbox| sandbox.execute(transaction)));
        }
        Ok(signature.to_string().into())
    }

    /// `requestAirdrop`: from the payer of the exchange, who has enough for every test.
    pub fn airdrop(&mut self, params: &Params) -> Answer {
        let (to, lamports) = (params.address(0)?, params.get::<u64>(1)?);
        if lamports > MOST_AIRDROP {
            return Err(Fault::params(format!(
                "at most {MOST_AIRDROP} lamports are given away"
            )));
        }
        let from = self.sandbox().payer();
        let gift = solana_system_interface::instruction::transfer(&from, &to, lamports);
        let sent = self.change(|sandbox| sandbox.send(&[gift], &[]));
        sent.map_err(|refused| Fault::params(format!("{}", refused.transaction_error)))?;
        let newest = self.history.newest_first().next();
        Ok(newest.map(|record| record.signature.to_string()).into())
    }

    /// `getFeeForMessage`.
    pub fn fee(&mut self, params: &Params) -> Answer {
        let text: String = params.get(0)?;
        let bytes = bytes(&text, Some(UiTransactionEncoding::Base64))?;
        let message: VersionedMessage = bincode::deserialize(&bytes).map_err(|error| {
            Fault::params(format!("failed to deserialize the message: {error}"))
        })?;
        message.sanitize().map_err(Fault::params)?;
        let signers = usize::from(message.header().num_required_signatures);
        let unsigned = VersionedTransaction {
            signatures: vec![Signature::default(); signers],
            message,
        };
        if !self.is_recent(unsigned.message.recent_blockhash()) {
            return self.with_context(&Value::Null);
        }
        let fee = match self.vm().simulate_transaction(unsigned) {
            Ok(simulated) => simulated.meta.fee,
            Err(failed) => failed.meta.fee,
        };
        self.with_context(&fee)
    }

    /// `getSignatureStatuses`.
    pub fn statuses(&self, params: &Params) -> Answer {
        let wanted: Vec<String> = params.get(0)?;
        if wanted.len() > MOST_STATUSES {
            return Err(Fault::params(format!(
                "Too many inputs provided; max {MOST_STATUSES}"
            )));
        }
        let statuses = wanted.iter().map(|text| {
            let record = self.history.get(&signature(text)?);
            Ok(record.map(|record| self.status(record)))
        });
        let statuses: Vec<Option<TransactionStatus>> = statuses.collect::<Result<_, Fault>>()?;
        self.with_context(&statuses)
    }

    fn status(&self, record: &Record) -> TransactionStatus {
        let error = record.error().cloned();
        TransactionStatus {
            slot: record.executed.slot,
            confirmations: (!self.is_final(record)).then_some(1),
            status: error.clone().map_or(Ok(()), Err),
            err: error,
            confirmation_status: Some(self.confirmation(record)),
        }
    }

    fn is_final(&self, record: &Record) -> bool {
        record.executed.slot <= self.root()
    }

    fn confirmation(&self, record: &Record) -> TransactionConfirmationStatus {
        match self.is_final(record) {
            true => TransactionConfirmationStatus::Finalized,
            false => TransactionConfirmationStatus::Confirmed,
        }
    }

    /// Whether a transaction is as settled as it should be.
    pub fn is_settled(&self, record: &Record, commitment: Option<CommitmentConfig>) -> bool {
        !commitment.unwrap_or_default().is_finalized() || self.is_final(record)
    }

    /// `getSignaturesForAddress`.
    pub fn signatures_for(&self, params: &Params) -> Answer {
        let address = params.address(0)?;
        let config: RpcSignaturesForAddressConfig = params.config(1)?;
        self.require_slot(config.min_context_slot)?;
        let limit = config.limit.unwrap_or(MOST_SIGNATURES);
        if limit == 0 || limit > MOST_SIGNATURES {
            return Err(Fault::params(format!(
                "Invalid limit; max {MOST_SIGNATURES}"
            )));
        }
        let before = config.before.as_deref().map(signature).transpose()?;
        let until = config.until.as_deref().map(signature).transpose()?;
        let mut begun = before.is_none_or(|before| self.history.get(&before).is_none());
        let mut found = Vec::new();
        for record in self.history.newest_first() {
            if Some(record.signature) == until || found.len() == limit {
                break;
            }
            let settled = self.is_settled(record, config.commitment);
            if begun && settled && record.mentions(&address) {
                found.push(RpcConfirmedTransactionStatusWithSignature {
                    signature: record.signature.to_string(),
                    slot: record.executed.slot,
                    err: record.error().cloned().map(Into::into),
                    memo: None,
                    block_time: Some(record.executed.time),
                    confirmation_status: Some(self.confirmation(record)),
                    transaction_index: None,
                });
            }
            begun |= Some(record.signature) == before;
        }
        Ok(json!(found))
    }

    /// `getTransaction`.
    pub fn transaction(&self, params: &Params) -> Answer {
        let signature = params.signature(0)?;
        let config = params.get::<RpcEncodingConfigWrapper<RpcTransactionConfig>>(1)?;
        let config = config.convert_to_current();
        let found = self.history.get(&signature);
        let found = found.filter(|record| self.is_settled(record, config.commitment));
        let Some(record) = found else {
            return Ok(Value::Null);
        };
        let transaction = &record.executed.transaction;
        let version = version(transaction, config.max_supported_transaction_version)?;
        Ok(json!(EncodedConfirmedTransactionWithStatusMeta {
            slot: record.executed.slot,
            block_time: Some(record.executed.time),
            transaction_index: None,
            transaction: EncodedTransactionWithStatusMeta {
                transaction: encoded(transaction, config.encoding)?,
                meta: Some(UiTransactionStatusMeta::from(record.meta())),
                version,
            },
        }))
    }
}

/// That every signature is that of its key.
fn verify(transaction: &VersionedTransaction) -> Result<(), Fault> {
    match transaction.verify_with_results().iter().all(|valid| *valid) {
        true => Ok(()),
        false => Err(Fault::signature()),
    }
}

/// What a simulation found, as a node tells it.
fn told(simulated: &Simulation, with_inner: bool) -> RpcSimulateTransactionResult {
    let (error, meta) = match simulated {
        Ok(simulated) => (None, &simulated.meta),
        Err(failed) => (Some(failed.err.clone()), &failed.meta),
    };
    let returned = &meta.return_data;
    let calls = || {
        inner(meta)
            .into_iter()
            .map(UiInnerInstructions::from)
            .collect()
    };
    RpcSimulateTransactionResult {
        err: error.map(Into::into),
        logs: Some(meta.logs.clone()),
        accounts: None,
        units_consumed: Some(meta.compute_units_consumed),
        loaded_accounts_data_size: None,
        return_data: (!returned.data.is_empty()).then(|| returned.clone().into()),
        inner_instructions: with_inner.then(calls),
        replacement_blockhash: None,
        fee: Some(meta.fee),
        pre_balances: None,
        post_balances: None,
        pre_token_balances: None,
        post_token_balances: None,
        loaded_addresses: None,
    }
}

/// The version as it is told, if the asker knows it.
fn version(
    transaction: &VersionedTransaction,
    known: Option<u8>,
) -> Result<Option<TransactionVersion>, Fault> {
    match (transaction.version(), known) {
        (TransactionVersion::Number(version), None) => Err(Fault::version(version)),
        (TransactionVersion::Number(version), Some(known)) if version > known => {
            Err(Fault::version(version))
        }
        (TransactionVersion::Legacy(_), None) => Ok(None),
        (version, Some(_)) => Ok(Some(version)),
    }
}

fn encoded(
    transaction: &VersionedTransaction,
    encoding: Option<UiTransactionEncoding>,
) -> Result<EncodedTransaction, Fault> {
    let bytes = bincode::serialize(transaction).map_err(Fault::params)?;
    Ok(match encoding.unwrap_or(UiTransactionEncoding::Json) {
        UiTransactionEncoding::Base64 => EncodedTransaction::Binary(
            BASE64_STANDARD.encode(bytes),
            TransactionBinaryEncoding::Base64,
        ),
        UiTransactionEncoding::Base58 => EncodedTransaction::Binary(
            bs58::encode(bytes).into_string(),
            TransactionBinaryEncoding::Base58,
        ),
        UiTransactionEncoding::Binary => {
            EncodedTransaction::LegacyBinary(bs58::encode(bytes).into_string())
        }
        // Instructions that no parser knows stand in `jsonParsed` as they do here.
        UiTransactionEncoding::Json | UiTransactionEncoding::JsonParsed => {
            EncodedTransaction::Json(in_json(transaction))
        }
    })
}

fn in_json(transaction: &VersionedTransaction) -> UiTransaction {
    let message = &transaction.message;
    let texts = |keys: &[ballast_state::Pubkey]| keys.iter().map(ToString::to_string).collect();
    let instructions = message.instructions().iter();
    let lookups = message.address_table_lookups();
    UiTransaction {
        signatures: transaction
            .signatures
            .iter()
            .map(ToString::to_string)
            .collect(),
        message: UiMessage::Raw(UiRawMessage {
            header: *message.header(),
            account_keys: texts(message.static_account_keys()),
            recent_blockhash: message.recent_blockhash().to_string(),
            instructions: instructions
                .map(|instruction| UiCompiledInstruction::from(instruction, Some(1)))
                .collect(),
            address_table_lookups: lookups
                .map(|lookups| lookups.iter().map(UiAddressTableLookup::from).collect()),
            transaction_config: None,
        }),
    }
}
