//! A node's JSON RPC over the embedded exchange, as far as the commands use it: the built command talks to the
//! built program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use anchor_lang::prelude::Pubkey;
use ballast_sandbox::Sandbox;
use base64::prelude::{Engine, BASE64_STANDARD};
use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use serde_json::{json, Value};
use solana_account::Account;
use solana_transaction::versioned::VersionedTransaction;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// What became of a transaction: its error, or `null`.
type Landed = HashMap<String, Value>;

struct State {
    sandbox: Sandbox,
    landed: Landed,
}

/// The node. It ends when it is dropped.
pub struct Node {
    state: Arc<Mutex<State>>,
    server: MockServer,
    _runtime: tokio::runtime::Runtime,
}

impl Node {
    /// A node of this exchange.
    pub fn new(sandbox: Sandbox) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let landed = Landed::new();
        let state = Arc::new(Mutex::new(State { sandbox, landed }));
        let answering = Answering(Arc::clone(&state));
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            let mock = Mock::given(method("POST")).respond_with(answering);
            mock.mount(&server).await;
            server
        });
        Self {
            state,
            server,
            _runtime: runtime,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// The exchange.
    pub fn with<T>(&self, work: impl FnOnce(&mut Sandbox) -> T) -> T {
        work(&mut lock(&self.state).sandbox)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no request has panicked")
}

struct Answering(Arc<Mutex<State>>);

impl Respond for Answering {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked: Value = request.body_json().expect("JSON");
        let method = asked["method"].as_str().expect("a method");
        let result = lock(&self.0).answer(method, &asked["params"]);
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
        ResponseTemplate::new(200).set_body_json(answer)
    }
}

impl State {
    fn answer(&mut self, method: &str, params: &Value) -> Value {
        let slot = self.sandbox.slot();
        let of_slot = |value: Value| json!({"context": {"slot": slot}, "value": value});
        match method {
            "getSlot" | "getBlockHeight" => slot.into(),
            "getVersion" => json!({"solana-core": "3.0.0", "feature-set": 0}),
            "getRecentPrioritizationFees" => json!([]),
            "getTransaction" => Value::Null,
            "getLatestBlockhash" => of_slot(json!({
                "blockhash": self.sandbox.svm().latest_blockhash().to_string(),
                "lastValidBlockHeight": slot + 150,
            })),
            "getMultipleAccounts" => {
                let keys = params[0].as_array().expect("addresses");
                let account = |key: &Value| self.sandbox.account(&address(key)).map(account);
                of_slot(keys.iter().map(account).collect())
            }
            "getProgramAccounts" => {
                let found = self.accounts_of(params);
                match params[1]["withContext"] == true {
                    true => of_slot(found),
                    false => found,
                }
            }
            "simulateTransaction" => of_slot(self.simulate(params)),
            "sendTransaction" => self.send(params),
            "getSignatureStatuses" => {
                let keys = params[0].as_array().expect("signatures");
                let status = |key: &Value| {
                    let error = self.landed.get(key.as_str()?)?;
                    Some(json!({
                        "slot": slot,
                        "confirmations": null,
                        "err": error,
                        "status": if error.is_null() { json!({"Ok": null}) } else { json!({"Err": error}) },
                        "confirmationStatus": "finalized",
                    }))
                };
                of_slot(keys.iter().map(status).collect())
            }
            other => panic!("the node knows no {other}"),
        }
    }

    fn accounts_of(&self, params: &Value) -> Value {
        let filters = params[1]["filters"].as_array().expect("filters");
        let fits = |filter: &Value, data: &[u8]| {
            let (bytes, offset) = (&filter["memcmp"]["bytes"], &filter["memcmp"]["offset"]);
            let bytes = bs58::decode(bytes.as_str().expect("base58")).into_vec();
            let from = usize::try_from(offset.as_u64().expect("an offset")).expect("small");
            data.get(from..)
                .is_some_and(|rest| rest.starts_with(&bytes.expect("base58")))
        };
        let all = self.sandbox.accounts_of(&address(&params[0]));
        let all = all.into_iter();
        let found = all.filter(|(_, it)| filters.iter().all(|filter| fits(filter, &it.data)));
        found
            .map(|(key, it)| json!({"pubkey": key.to_string(), "account": account(it)}))
            .collect()
    }

    fn simulate(&mut self, params: &Value) -> Value {
        let mut transaction = transaction(&params[0]);
        let blockhash = self.sandbox.svm().latest_blockhash();
        transaction.message.set_recent_blockhash(blockhash);
        // With another blockhash the signatures are no longer those of the message.
        let svm = self.sandbox.svm().clone().with_sigverify(false);
        match svm.simulate_transaction(transaction) {
            Ok(simulated) => simulation(Value::Null, &simulated.meta),
            Err(FailedTransactionMetadata { err, meta }) => {
                simulation(serde_json::to_value(err).expect("JSON"), &meta)
            }
        }
    }

    fn send(&mut self, params: &Value) -> Value {
        let transaction = transaction(&params[0]);
        let signature = transaction.signatures[0].to_string();
        if !self.landed.contains_key(&signature) {
            let sent = self.sandbox.svm().send_transaction(transaction);
            let error = match sent {
                Ok(_) => Value::Null,
                Err(failed) => serde_json::to_value(failed.err).expect("JSON"),
            };
            self.landed.insert(signature.clone(), error);
            // So that the same command again is another transaction.
            self.sandbox.svm().expire_blockhash();
        }
        signature.into()
    }
}

fn address(value: &Value) -> Pubkey {
    value.as_str().expect("text").parse().expect("an address")
}

fn account(account: Account) -> Value {
    json!({
        "lamports": account.lamports,
        "owner": account.owner.to_string(),
        "data": [BASE64_STANDARD.encode(&account.data), "base64"],
        "executable": account.executable,
        "rentEpoch": 0,
        "space": account.data.len(),
    })
}

fn transaction(encoded: &Value) -> VersionedTransaction {
    let bytes = BASE64_STANDARD.decode(encoded.as_str().expect("text"));
    bincode::deserialize(&bytes.expect("base64")).expect("a transaction")
}

fn simulation(error: Value, meta: &TransactionMetadata) -> Value {
    let inner = meta
        .inner_instructions
        .iter()
        .enumerate()
        .map(|(index, calls)| {
            let calls = calls.iter().map(|call| {
                json!({
                    "programIdIndex": call.instruction.program_id_index,
                    "accounts": call.instruction.accounts,
                    "data": bs58::encode(&call.instruction.data).into_string(),
                    "stackHeight": call.stack_height,
                })
            });
            json!({"index": index, "instructions": calls.collect::<Vec<_>>()})
        });
    json!({
        "err": error,
        "logs": meta.logs,
        "accounts": null,
        "unitsConsumed": meta.compute_units_consumed,
        "returnData": null,
        "innerInstructions": inner.collect::<Vec<_>>(),
        "loadedAccountsDataSize": null,
    })
}
