//! A past transaction with the program's events.

use anchor_lang::prelude::Pubkey;
use ballast_client::events;
use ballast_state::events::BallastEvent;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::{
    option_serializer::OptionSerializer, UiInnerInstructions, UiInstruction, UiLoadedAddresses,
    UiParsedInstruction, UiTransactionEncoding,
};

use crate::cluster::{Cluster, ReadError};
use crate::failure::Failure;

/// A transaction that landed.
#[derive(Clone, Debug)]
pub struct Past {
    /// Slot in which it did.
    pub slot: u64,
    /// Who paid for it; the default key where the node does not tell.
    pub payer: Pubkey,
    /// When the block was made, unix seconds, where the node knows.
    pub block_time: Option<i64>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The program's events, in order; none of a transaction that failed.
    pub events: Vec<BallastEvent>,
    /// Compute units it used, where the node knows.
    pub units: Option<u64>,
}

/// That a transaction named an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The transaction's signature.
    pub signature: Signature,
    /// Slot in which it landed.
    pub slot: u64,
    /// When the block was made, unix seconds, where the node knows.
    pub block_time: Option<i64>,
    /// Whether it failed.
    pub failed: bool,
}

/// Most signatures of one request.
const MENTIONS_AT_ONCE: usize = 1_000;

impl Cluster {
    /// What transactions are read at: nodes keep no history of what is only processed.
    fn settled(&self) -> CommitmentConfig {
        match self.commitment.is_at_least_confirmed() {
            true => self.commitment,
            false => CommitmentConfig::confirmed(),
        }
    }

    /// The transactions that named an account, the newest first: at most `most`, those after
    /// `until`, and none made before `since`, unix seconds.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn mentions(
        &self,
        address: &Pubkey,
        until: Option<Signature>,
        since: Option<i64>,
        most: usize,
    ) -> Result<Vec<Mention>, ReadError> {
        let mut found: Vec<Mention> = Vec::new();
        while found.len() < most {
            let limit = (most - found.len()).min(MENTIONS_AT_ONCE);
            let config = GetConfirmedSignaturesForAddress2Config {
                before: found.last().map(|last| last.signature),
                until,
                limit: Some(limit),
                commitment: Some(self.settled()),
            };
            let page = self
                .rpc
                .get_signatures_for_address_with_config(address, config);
            let page = page.await?;
            let whole = page.len() == limit;
            let mentions = page.iter().filter_map(|one| {
                Some(Mention {
                    signature: one.signature.parse().ok()?,
                    slot: one.slot,
                    block_time: one.block_time,
                    failed: one.err.is_some(),
                })
            });
            let old = |one: &Mention| one.block_time.is_some_and(|at| since > Some(at));
            let before = found.len();
            found.extend(mentions.take_while(|one| !old(one)));
            if !whole || found.len() - before < limit {
                break;
            }
        }
        Ok(found)
    }

    /// The transaction of this signature; `None` when the node does not have it.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn transaction(&self, signature: &Signature) -> Result<Option<Past>, ReadError> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.settled()),
            max_supported_transaction_version: Some(0),
        };
        let answer: Option<
            solana_transaction_status_client_types::EncodedConfirmedTransactionWithStatusMeta,
        > = self
            .rpc
            .send(
                solana_rpc_client_api::request::RpcRequest::GetTransaction,
                serde_json::json!([signature.to_string(), config]),
            )
            .await?;
        let Some(found) = answer else {
            return Ok(None);
        };
        let Some(meta) = found.transaction.meta else {
            return Ok(None);
        };
        let message = found.transaction.transaction.decode();
        let mut keys: Vec<Pubkey> = message
            .map(|transaction| transaction.message.static_account_keys().to_vec())
            .unwrap_or_default();
        if let OptionSerializer::Some(loaded) = &meta.loaded_addresses {
            keys.extend(addresses_of(loaded));
        }
        let logs = Option::from(meta.log_messages).unwrap_or_default();
        // What a failed transaction announced did not happen.
        let inner: Option<Vec<UiInnerInstructions>> = match meta.err {
            None => meta.inner_instructions.into(),
            Some(_) => None,
        };
        Ok(Some(Past {
            slot: found.slot,
            payer: keys.first().copied().unwrap_or_default(),
            block_time: found.block_time,
            failure: meta.err.map(|error| Failure::new(error.into(), logs)),
            events: events_among(&inner.unwrap_or_default(), &keys),
            units: meta.compute_units_consumed.into(),
        }))
    }
}

/// The program's events among inner instructions, as a node gives them; `keys` are the accounts of
/// the transaction, in order.
pub fn events_among(inner: &[UiInnerInstructions], keys: &[Pubkey]) -> Vec<BallastEvent> {
    let all = inner.iter().flat_map(|one| &one.instructions);
    let calls = all.filter_map(|instruction| {
        let (program, data) = match instruction {
            UiInstruction::Compiled(call) => {
                let program = keys.get(usize::from(call.program_id_index))?;
                (*program, &call.data)
            }
            UiInstruction::Parsed(UiParsedInstruction::PartiallyDecoded(call)) => {
                (call.program_id.parse().ok()?, &call.data)
            }
            UiInstruction::Parsed(UiParsedInstruction::Parsed(_)) => return None,
        };
        Some((program, bs58::decode(data).into_vec().ok()?))
    });
    let calls: Vec<(Pubkey, Vec<u8>)> = calls.collect();
    events::of_transaction(
        calls
            .iter()
            .map(|(program, data)| (program, data.as_slice())),
    )
}

fn addresses_of(loaded: &UiLoadedAddresses) -> Vec<Pubkey> {
    let all = loaded.writable.iter().chain(&loaded.readonly);
    all.map(|address| address.parse().unwrap_or_default())
        .collect()
}
