//! The methods of a node.

use std::str::FromStr;

use serde_json::{json, Value};
use solana_hash::Hash;
use solana_rpc_client_api::config::{CommitmentConfig, RpcContextConfig};
use solana_rpc_client_api::response::RpcBlockhash;

use crate::chain::{Chain, BLOCKHASH_SLOTS};
use crate::fault::Fault;
use crate::params::Params;

/// What a method answers.
pub type Answer = Result<Value, Fault>;

/// The version of Solana whose runtime and whose answers these are.
pub const VERSION: &str = "4.2.2";

impl Chain {
    /// Answers a body: a request, or a list of them.
    pub fn answer_body(&mut self, body: &[u8]) -> Value {
        match serde_json::from_slice(body) {
            Ok(Value::Array(all)) if !all.is_empty() => all
                .iter()
                .map(|request| self.answer_request(request))
                .collect(),
            Ok(request) => self.answer_request(&request),
            Err(_) => response(&Value::Null, Err(Fault::parse())),
        }
    }

    fn answer_request(&mut self, request: &Value) -> Value {
        let id = request.get("id").unwrap_or(&Value::Null);
        let method = request.get("method").and_then(Value::as_str);
        let answer = match (request["jsonrpc"] == "2.0", method) {
            (true, Some(method)) => {
                Params::of(request).and_then(|params| self.answer(method, &params))
            }
            _ => Err(Fault::request()),
        };
        response(id, answer)
    }

    fn answer(&mut self, method: &str, params: &Params) -> Answer {
        match method {
            "getHealth" => Ok("ok".into()),
            "getVersion" => Ok(json!({"solana-core": VERSION, "feature-set": null})),
            "getGenesisHash" => Ok(self.genesis().to_string().into()),
            "getSlot" | "getBlockHeight" => self.slot_at(params),
            "getBlockTime" => self.block_time(params),
            "getLatestBlockhash" => self.latest_blockhash(params),
            "isBlockhashValid" => self.blockhash_valid(params),
            "getMinimumBalanceForRentExemption" => self.rent(params),
            "getRecentPrioritizationFees" => Ok(self.priority_fees()),
            "getAccountInfo" => self.account_info(params),
            "getMultipleAccounts" => self.multiple_accounts(params),
            "getProgramAccounts" => self.program_accounts(params),
            "getBalance" => self.balance(params),
            "getTokenAccountBalance" => self.token_balance(params),
            "getTokenAccountsByOwner" => self.token_accounts(params),
            "getFeeForMessage" => self.fee(params),
            "simulateTransaction" => self.simulate(params),
            "sendTransaction" => self.send(params),
            "requestAirdrop" => self.airdrop(params),
            "getSignatureStatuses" => self.statuses(params),
            "getSignaturesForAddress" => self.signatures_for(params),
            "getTransaction" => self.transaction(params),
            _ => Err(Fault::method()),
        }
    }

    fn slot_at(&self, params: &Params) -> Answer {
        let config: RpcContextConfig = params.config(0)?;
        self.require_slot(config.min_context_slot)?;
        let commitment = config.commitment.unwrap_or_default();
        Ok(match commitment.is_finalized() {
            true => self.root(),
            false => self.slot(),
        }
        .into())
    }

    fn block_time(&self, params: &Params) -> Answer {
        let slot: u64 = params.get(0)?;
        self.time_of(slot).map(Into::into).ok_or(Fault::block(slot))
    }

    fn latest_blockhash(&self, params: &Params) -> Answer {
        let config: RpcContextConfig = params.config(0)?;
        self.require_slot(config.min_context_slot)?;
        let (blockhash, last) = self.blockhash();
        self.with_context(&RpcBlockhash {
            blockhash: blockhash.to_string(),
            last_valid_block_height: last,
        })
    }

    fn blockhash_valid(&self, params: &Params) -> Answer {
        let text: String = params.get(0)?;
        let config: RpcContextConfig = params.config(1)?;
        self.require_slot(config.min_context_slot)?;
        let blockhash = Hash::from_str(&text).map_err(Fault::params)?;
        self.with_context(&self.is_recent(&blockhash))
    }

    fn rent(&self, params: &Params) -> Answer {
        let bytes: usize = params.get(0)?;
        let _commitment: CommitmentConfig = params.config(1)?;
        Ok(self.sandbox().rent(bytes).into())
    }

    /// There is room in every block: nobody pays for priority.
    fn priority_fees(&self) -> Value {
        let slots = self.slot().saturating_sub(BLOCKHASH_SLOTS - 1)..=self.slot();
        slots
            .map(|slot| json!({"slot": slot, "prioritizationFee": 0}))
            .collect()
    }
}

/// An answer as it is sent.
pub fn response(id: &Value, answer: Answer) -> Value {
    match answer {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(fault) => json!({"jsonrpc": "2.0", "id": id, "error": fault.json()}),
    }
}
