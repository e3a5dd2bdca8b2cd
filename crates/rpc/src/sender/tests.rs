//! Transactions against a node that answers from a script.

use std::sync::Mutex;

use serde_json::{json, Value};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::client_error::{ErrorKind, Result as ClientResult};
use solana_rpc_client_api::request::RpcRequest;
use solana_system_interface::instruction::transfer;

use super::*;
use crate::endpoint::Endpoint;
use crate::transport::Requests;

/// A node that answers from a script: `None` is no answer.
struct Node<F> {
    script: Mutex<F>,
}

type Answer<'a> =
    core::pin::Pin<Box<dyn core::future::Future<Output = ClientResult<Value>> + Send + 'a>>;

impl<F: FnMut(RpcRequest) -> Option<Value> + Send> RpcSender for Node<F> {
    fn send<'a, 'b>(&'a self, request: RpcRequest, _params: Value) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let answer = (self.script.lock().unwrap())(request);
        let silent = || ErrorKind::Custom("the node is silent".to_owned()).into();
        Box::pin(core::future::ready(answer.ok_or_else(silent)))
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "nowhere".to_owned()
    }
}

const LAST_HEIGHT: u64 = 150;

fn sender(script: impl FnMut(RpcRequest) -> Option<Value> + Send + 'static) -> Sender {
    let commitment = CommitmentConfig::confirmed();
    let node = Node {
        script: Mutex::new(script),
    };
    let cluster = Cluster {
        rpc: RpcClient::new_sender(node, RpcClientConfig::with_commitment(commitment)),
        endpoint: Endpoint::new(""),
        websocket_url: Endpoint::new(""),
        commitment,
        requests: Requests::default(),
    };
    let payer = Arc::new(Keypair::new_from_array([1; 32]));
    Sender {
        resend_every: Duration::from_millis(1),
        give_up_after: Duration::from_millis(20),
        ..Sender::new(Arc::new(cluster), payer, FeePolicy::default())
    }
}

fn payment(payer: &Pubkey) -> Instruction {
    transfer(payer, &Pubkey::new_from_array([2; 32]), 1)
}

fn signed() -> VersionedTransaction {
    let sender = sender(|_| None);
    let payment = payment(&sender.payer());
    sender.sign(&[payment], &[], &[], Hash::default()).unwrap()
}

fn status(settled: &str, error: Value) -> Value {
    json!({"context": {"slot": 9}, "value": [{
        "slot": 7, "confirmations": 1, "err": error, "status": {"Ok": null},
        "confirmationStatus": settled,
    }]})
}

fn no_status() -> Value {
    json!({"context": {"slot": 9}, "value": [null]})
}

/// Delivers to a node that says `status` and `height` at the n-th look, n from 1; the outcome and
/// how often the transaction was sent.
async fn delivered(
    status: impl Fn(u32) -> Option<Value> + Send + 'static,
    height: impl Fn(u32) -> Option<u64> + Send + 'static,
) -> (Result<(Signature, u64), SendError>, u32) {
    let sent = Arc::new(Mutex::new(0));
    let count = Arc::clone(&sent);
    let (transaction, signature) = (signed(), signed().signatures[0]);
    let sender = sender(move |request| {
        let mut sent = count.lock().unwrap();
        match request {
            RpcRequest::SendTransaction => {
                *sent += 1;
                Some(json!(signature.to_string()))
            }
            RpcRequest::GetSignatureStatuses => status(*sent),
            RpcRequest::GetBlockHeight => height(*sent).map(|height| json!(height)),
            _ => None,
        }
    });
    let outcome = sender.deliver(&transaction, LAST_HEIGHT).await;
    let sent = *sent.lock().unwrap();
    (outcome, sent)
}

#[tokio::test]
async fn it_is_sent_again_until_it_lands() {
    let look = |n| {
        Some(if n < 3 {
            no_status()
        } else {
            status("confirmed", Value::Null)
        })
    };
    let (outcome, sent) = delivered(look, |_| Some(10)).await;
    assert_eq!(outcome.unwrap(), (signed().signatures[0], 7));
    assert_eq!(sent, 3);
}

/// A keeper's sender, to a node that would refuse the transaction from the n-th sending on and that has it
/// confirmed at the n-th look; the outcome and how often the transaction was sent.
async fn rechecked(refused_at: u32, lands_at: u32) -> (Result<u64, SendError>, u32) {
    let counts = Arc::new(Mutex::new((0, 0)));
    let kept = Arc::clone(&counts);
    let transaction = signed();
    let signature = transaction.signatures[0];
    let sender = sender(move |request| {
        let mut counts = kept.lock().unwrap();
        let (sent, looks) = &mut *counts;
        match request {
            RpcRequest::SendTransaction => {
                *sent += 1;
                Some(json!(signature.to_string()))
            }
            RpcRequest::GetSignatureStatuses => {
                *looks += 1;
                Some(match *looks < lands_at {
                    true => no_status(),
                    false => status("confirmed", Value::Null),
                })
            }
            RpcRequest::GetBlockHeight => Some(json!(10)),
            RpcRequest::SimulateTransaction => {
                let error = json!({"InstructionError": [0, {"Custom": 6_000}]});
                let error = if *sent < refused_at {
                    Value::Null
                } else {
                    error
                };
                Some(json!({"context": {"slot": 9}, "value": {"err": error, "logs": []}}))
            }
            _ => None,
        }
    });
    let sender = sender.rechecking();
    let outcome = sender.deliver(&transaction, LAST_HEIGHT).await;
    let outcome = outcome.map(|landed| landed.1);
    let sent = counts.lock().unwrap().0;
    (outcome, sent)
}

#[tokio::test]
async fn one_that_would_be_refused_is_not_sent_again() {
    let (outcome, sent) = rechecked(2, 100).await;
    assert!(
        matches!(outcome, Err(SendError::Overtaken(..))),
        "{outcome:?}"
    );
    assert_eq!(sent, 2);
    let (outcome, sent) = rechecked(100, 4).await;
    assert_eq!((outcome.unwrap(), sent), (7, 4));
}

/// What it has done itself is why it would be refused: it is waited for.
#[tokio::test]
async fn one_that_would_be_refused_because_it_has_landed_is_seen_to_land() {
    let (outcome, sent) = rechecked(1, 3).await;
    assert_eq!((outcome.unwrap(), sent), (7, 1));
}

#[tokio::test]
async fn it_lands_in_the_last_block_too() {
    let look = |_| Some(status("confirmed", Value::Null));
    let (outcome, sent) = delivered(look, |_| Some(LAST_HEIGHT + 1)).await;
    assert_eq!((outcome.unwrap().1, sent), (7, 1));
}

#[tokio::test]
async fn it_expires_when_its_last_block_has_passed_without_it() {
    let height = |n| Some(if n < 4 { LAST_HEIGHT } else { LAST_HEIGHT + 1 });
    let (outcome, sent) = delivered(|_| Some(no_status()), height).await;
    assert!(matches!(outcome, Err(SendError::Expired(_))), "{outcome:?}");
    assert_eq!(sent, 4);
}

#[tokio::test]
async fn one_that_is_only_processed_is_waited_for() {
    // Dropped again after the third look, with its fork.
    let look = |n| {
        Some(if n < 4 {
            status("processed", Value::Null)
        } else {
            no_status()
        })
    };
    let (outcome, sent) = delivered(look, |_| Some(LAST_HEIGHT + 1)).await;
    assert!(matches!(outcome, Err(SendError::Expired(_))), "{outcome:?}");
    assert_eq!(sent, 4);
}

#[tokio::test]
async fn without_answers_nobody_knows() {
    let (outcome, _) = delivered(|_| None, |_| None).await;
    assert!(matches!(outcome, Err(SendError::Unknown(_))), "{outcome:?}");
    // Heights alone do not tell whether it has landed.
    let (outcome, _) = delivered(|_| None, |_| Some(LAST_HEIGHT + 1)).await;
    assert!(matches!(outcome, Err(SendError::Unknown(_))), "{outcome:?}");
}

#[tokio::test]
async fn one_that_failed_says_how() {
    let failed = json!({"InstructionError": [2, {"Custom": 6_000}]});
    let look = move |_| Some(status("confirmed", failed.clone()));
    let (outcome, _) = delivered(look, |_| Some(10)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, SendError::Failed(..)), "{error}");
    assert!(error.failure().unwrap().is("NotAdmin"), "{error}");
}

/// What `prepare` makes of a simulation with this outcome.
async fn prepared(error: Value, units: u64) -> Result<Prepared, SendError> {
    let sender = sender(move |request| match request {
        RpcRequest::SimulateTransaction => Some(json!({"context": {"slot": 9}, "value": {
            "err": error.clone(), "logs": ["Program log: x"], "accounts": null,
            "unitsConsumed": units, "loadedAccountsDataSize": 5_000,
        }})),
        RpcRequest::GetRecentPrioritizationFees => {
            let fee = |paid: u64| json!({"slot": 1, "prioritizationFee": paid});
            Some(json!([fee(10_000), fee(30_000), fee(20_000)]))
        }
        RpcRequest::GetLatestBlockhash => Some(json!({"context": {"slot": 9}, "value": {
            "blockhash": Hash::new_from_array([3; 32]).to_string(),
            "lastValidBlockHeight": LAST_HEIGHT,
        }})),
        _ => None,
    });
    let payment = payment(&sender.payer());
    sender.prepare(&[payment], &[], &[]).await
}

#[tokio::test]
async fn what_is_prepared_asks_for_what_the_simulation_used() {
    let prepared = prepared(Value::Null, 450).await.unwrap();
    assert_eq!(
        (prepared.last_height, prepared.priority_fee),
        (LAST_HEIGHT, 20_000)
    );
    let message = &prepared.transaction.message;
    assert_eq!(*message.recent_blockhash(), Hash::new_from_array([3; 32]));
    let limit = ComputeBudgetInstruction::set_compute_unit_limit(450 + 90 + 1_000);
    let price = ComputeBudgetInstruction::set_compute_unit_price(20_000);
    let data: Vec<_> = message
        .instructions()
        .iter()
        .map(|it| it.data.clone())
        .collect();
    let loaded = ComputeBudgetInstruction::set_loaded_accounts_data_size_limit(5_000 + 131_072);
    assert_eq!(data[..3], [limit.data, loaded.data, price.data]);
    assert_eq!(prepared.signature(), prepared.transaction.signatures[0]);
    assert_ne!(prepared.signature(), Signature::default());
}

#[tokio::test]
async fn what_the_simulation_refuses_is_not_signed() {
    let refused = prepared(json!({"InstructionError": [2, {"Custom": 6_000}]}), 9).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, SendError::Refused(_)), "{error}");
    assert!(error.failure().unwrap().is("NotAdmin"));
    let broke = prepared(json!("AccountNotFound"), 0).await.unwrap_err();
    assert!(matches!(broke, SendError::NoFunds(_)), "{broke}");
}

/// The fees of three transactions: the first expires, the second lands.
#[tokio::test]
async fn an_expiry_raises_the_next_fee_and_a_landing_lowers_it() {
    let looks = Arc::new(Mutex::new(0));
    let sender = sender(move |request| match request {
        RpcRequest::GetRecentPrioritizationFees => {
            Some(json!([{"slot": 1, "prioritizationFee": 20_000}]))
        }
        RpcRequest::SendTransaction => Some(json!(signed().signatures[0].to_string())),
        RpcRequest::GetBlockHeight => Some(json!(LAST_HEIGHT + 1)),
        RpcRequest::GetSignatureStatuses => {
            let mut looks = looks.lock().unwrap();
            *looks += 1;
            Some(match *looks {
                1 => no_status(),
                _ => status("confirmed", Value::Null),
            })
        }
        _ => None,
    });
    let payment = [payment(&sender.payer())];
    let mut fees = Vec::new();
    for _ in 0..3 {
        fees.push(sender.priority_fee(&payment).await.unwrap());
        drop(sender.deliver(&signed(), LAST_HEIGHT).await);
    }
    assert_eq!(fees, [20_000, 30_000, 20_000]);
}

#[tokio::test]
async fn it_is_told_when_it_is_sent_and_while_it_is_under_way() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener: Listener = {
        let told = Arc::clone(&told);
        Arc::new(move |progress| told.lock().unwrap().push(*progress))
    };
    let sender = Sender {
        report_every: Duration::from_millis(2),
        ..sender(|_| None).telling(listener)
    };
    let outcome = sender.deliver(&signed(), LAST_HEIGHT).await;
    assert!(matches!(outcome, Err(SendError::Unknown(_))), "{outcome:?}");
    let told = told.lock().unwrap();
    let signature = signed().signatures[0];
    let sent = Progress::Sent {
        signature,
        last_height: LAST_HEIGHT,
    };
    assert_eq!(told.first(), Some(&sent));
    let waiting = |progress: &Progress| matches!(progress, Progress::Waiting { height: None, signature: it, .. } if *it == signature);
    assert!(told.len() > 1 && told[1..].iter().all(waiting), "{told:?}");
}
