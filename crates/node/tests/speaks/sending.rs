//! Transactions: simulated, sent, found again with their events.

use ballast_client::instructions::trader::{Deposit, Withdraw};
use ballast_rpc::sender::SendError;
use ballast_state::events::BallastEvent;
use base64::prelude::{Engine, BASE64_STANDARD};
use serde_json::json;
use solana_instruction::Instruction;
use solana_transaction::versioned::VersionedTransaction;

use super::*;

impl Market {
    fn deposit(&self, trader: &TraderCookie, amount: u64) -> Instruction {
        Deposit {
            depositor: trader.wallet.address(),
            trader: trader.address,
            source: trader.wallet.tokens,
            collateral: self.node.with(|sandbox| sandbox.collateral()),
            amount,
        }
        .instruction()
    }

    fn withdrawal(&self, trader: &TraderCookie, amount: u64) -> Instruction {
        Withdraw {
            owner: trader.wallet.address(),
            trader: trader.address,
            destination: trader.wallet.tokens,
            collateral: self.node.with(|sandbox| sandbox.collateral()),
            amount,
        }
        .instruction()
    }

    /// A deposit as a wallet signs it.
    async fn signed(&self, trader: &TraderCookie, amount: u64) -> VersionedTransaction {
        let sender = self.sender(trader);
        let (blockhash, _) = sender.blockhash().await.unwrap();
        let deposit = [self.deposit(trader, amount)];
        sender.sign(&deposit, &[], &[], blockhash).unwrap()
    }
}

/// As a page sends it.
pub fn encoded(transaction: &VersionedTransaction) -> String {
    BASE64_STANDARD.encode(bincode::serialize(transaction).unwrap())
}

#[tokio::test]
async fn a_deposit_lands_and_its_event_is_read_from_the_history() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let (cluster, sender) = (market.cluster(), market.sender(maker));
    let free = market
        .node
        .with(|sandbox| sandbox.trader(&maker.address).free);
    let deposit = [market.deposit(maker, 5)];
    let landed = sender.send(&deposit, &[], &[]).await.unwrap();
    let now = market
        .node
        .with(|sandbox| sandbox.trader(&maker.address).free);
    assert_eq!(now, free + 5);
    let past = cluster
        .transaction(&landed.signature)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((past.slot, past.failure.is_none()), (landed.slot, true));
    // One instruction more than was simulated, which limits the bytes loaded.
    assert_eq!(past.units, Some(landed.units + 150));
    let told = [&past.events, &landed.events].map(|events| format!("{events:?}"));
    assert_eq!(told[0], told[1]);
    assert!(matches!(past.events[..], [BallastEvent::Deposited(_)]));
    let mentions = cluster
        .mentions(&maker.address, None, None, 2)
        .await
        .unwrap();
    assert_eq!(
        (mentions.len(), mentions[0].signature),
        (2, landed.signature)
    );
    let newer = cluster.mentions(&maker.address, Some(mentions[1].signature), None, 9);
    assert_eq!(newer.await.unwrap(), mentions[..1]);
    // The same again is another transaction.
    let again = sender.send(&deposit, &[], &[]).await.unwrap();
    assert_ne!(again.signature, landed.signature);
}

#[tokio::test]
async fn what_the_program_refuses_is_told_in_its_words() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let withdrawal = [market.withdrawal(maker, u64::MAX)];
    let refused = market.sender(maker).send(&withdrawal, &[], &[]).await;
    let Err(SendError::Refused(failure)) = refused else {
        panic!("{refused:?}");
    };
    assert!(failure.program_error().is_some(), "{failure}");
}

#[tokio::test]
async fn the_preflight_of_a_wallet_fails_with_error_and_logs() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let transaction = market.signed(maker, u64::MAX).await;
    let sent = json!([encoded(&transaction), {"encoding": "base64"}]);
    let error = market.error("sendTransaction", sent.clone()).await;
    assert_eq!(error["code"], -32002);
    assert!(
        error["data"]["err"]["InstructionError"].is_array(),
        "{error}"
    );
    assert!(!error["data"]["logs"].as_array().unwrap().is_empty());
    let signature = transaction.signatures[0].to_string();
    let asked = json!([[signature]]);
    let nothing = market.result("getSignatureStatuses", asked.clone()).await;
    assert!(nothing["value"][0].is_null());

    // Without one it lands, fails and costs its fee.
    let balance = json!([maker.wallet.address().to_string()]);
    let had = market.result("getBalance", balance.clone()).await["value"].as_u64();
    let config = json!({"encoding": "base64", "skipPreflight": true});
    let sent = json!([sent[0], config]);
    assert_eq!(market.result("sendTransaction", sent).await, signature);
    let status = market.result("getSignatureStatuses", asked.clone()).await["value"][0].clone();
    assert_eq!(status["err"], error["data"]["err"]);
    assert_eq!(status["confirmationStatus"], "confirmed");
    let has = market.result("getBalance", balance).await["value"].as_u64();
    assert_eq!(has.unwrap(), had.unwrap() - 5_000);
    market.node.with(|sandbox| sandbox.advance_slots(1));
    let status = market.result("getSignatureStatuses", asked).await["value"][0].clone();
    assert_eq!(status["confirmationStatus"], "finalized");
}

#[tokio::test]
async fn nobody_sends_with_a_false_signature_or_an_old_blockhash() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let free = market
        .node
        .with(|sandbox| sandbox.trader(&maker.address).free);
    let good = market.signed(maker, 5).await;
    let mut forged = good.clone();
    forged.signatures[0] = market.signed(maker, 6).await.signatures[0];
    let send = |transaction: &VersionedTransaction, skip: bool| json!([encoded(transaction), {"encoding": "base64", "skipPreflight": skip}]);
    let error = market.error("sendTransaction", send(&forged, false)).await;
    assert_eq!(error["code"], -32003);
    market.result("sendTransaction", send(&forged, true)).await;
    market.node.with(|sandbox| sandbox.advance_slots(151));
    let error = market.error("sendTransaction", send(&good, false)).await;
    assert_eq!(error["data"]["err"], "BlockhashNotFound");
    market.result("sendTransaction", send(&good, true)).await;
    let now = market
        .node
        .with(|sandbox| sandbox.trader(&maker.address).free);
    assert_eq!(now, free);
}

#[tokio::test]
async fn a_transaction_lands_once() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let free = market
        .node
        .with(|sandbox| sandbox.trader(&maker.address).free);
    let transaction = market.signed(maker, 5).await;
    let sent = json!([encoded(&transaction), {"encoding": "base64", "skipPreflight": true}]);
    for _ in 0..2 {
        market.result("sendTransaction", sent.clone()).await;
    }
    let now = market
        .node
        .with(|sandbox| sandbox.trader(&maker.address).free);
    assert_eq!(now, free + 5);
}

#[tokio::test]
async fn a_page_reads_transactions_in_json_with_inner_calls_and_logs() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let transaction = market.signed(maker, 5).await;
    let sent = json!([encoded(&transaction), {"encoding": "base64"}]);
    let signature = market.result("sendTransaction", sent).await;
    let confirmed = json!({"commitment": "confirmed"});
    let asked = json!([signature, confirmed]);
    assert_eq!(market.error("getTransaction", asked).await["code"], -32015);
    let known = json!({"maxSupportedTransactionVersion": 0});
    let asked = json!([signature, known]);
    assert!(
        market
            .result("getTransaction", asked.clone())
            .await
            .is_null(),
        "not final yet"
    );
    market.node.with(|sandbox| sandbox.advance_slots(1));
    let found = market.result("getTransaction", asked).await;
    assert_eq!(found["version"], 0);
    let message = &found["transaction"]["message"];
    assert_eq!(
        message["accountKeys"][0],
        maker.wallet.address().to_string()
    );
    let meta = &found["meta"];
    assert_eq!(
        meta["preBalances"].as_array().unwrap().len(),
        message["accountKeys"].as_array().unwrap().len()
    );
    assert_eq!(meta["fee"], 5_000);
    assert_eq!(meta["innerInstructions"][0]["index"], 0);
    assert!(meta["logMessages"].as_array().unwrap().len() > 3);
}

#[tokio::test]
async fn fees_and_simulations_are_told_before_anything_is_sent() {
    let market = Market::new().await;
    let maker = &market.scene.maker;
    let transaction = market.signed(maker, 5).await;
    let message = bincode::serialize(&transaction.message).unwrap();
    let asked = json!([BASE64_STANDARD.encode(message)]);
    assert_eq!(
        market.result("getFeeForMessage", asked).await["value"],
        5_000
    );
    let accounts = json!({"addresses": [maker.wallet.tokens.to_string()], "encoding": "base64"});
    let config = json!({"encoding": "base64", "sigVerify": true, "innerInstructions": true, "accounts": accounts});
    let asked = json!([encoded(&transaction), config]);
    let simulated = market.result("simulateTransaction", asked).await["value"].clone();
    assert!(simulated["err"].is_null(), "{simulated}");
    assert!(simulated["unitsConsumed"].as_u64().unwrap() > 1_000);
    assert!(!simulated["innerInstructions"][0]["instructions"]
        .as_array()
        .unwrap()
        .is_empty());
    let after = simulated["accounts"][0]["data"][0].as_str().unwrap();
    let after = ballast_client::token::token_amount(&BASE64_STANDARD.decode(after).unwrap());
    let now = market
        .node
        .with(|sandbox| sandbox.token_balance(&maker.wallet.tokens));
    assert_eq!(after, Some(now - 5));
}

#[tokio::test]
async fn an_airdrop_is_a_transaction() {
    let market = Market::new().await;
    let to = market.scene.market.keys.book;
    let had = market
        .node
        .with(|sandbox| sandbox.account(&to).unwrap().lamports);
    let asked = json!([to.to_string(), 7]);
    let signature = market.result("requestAirdrop", asked).await;
    let status = market
        .result("getSignatureStatuses", json!([[signature]]))
        .await;
    assert!(status["value"][0]["err"].is_null());
    let now = market
        .node
        .with(|sandbox| sandbox.account(&to).unwrap().lamports);
    assert_eq!(now, had + 7);
    let much = json!([to.to_string(), u64::MAX]);
    assert_eq!(market.error("requestAirdrop", much).await["code"], -32602);
}

#[tokio::test]
async fn a_lookup_table_is_made_extended_and_used() {
    let market = Market::with(Settings {
        real_time: true,
        ..Settings::default()
    })
    .await;
    let maker = &market.scene.maker;
    let sender = market.sender(maker);
    let key = sender.create_table().await.unwrap();
    let empty = market.cluster().lookup_table(&key).await.unwrap().unwrap();
    let deposit = market.deposit(maker, 5);
    let named: Vec<_> = deposit.accounts.iter().map(|meta| meta.pubkey).collect();
    let table = sender.extend_table(&empty, &named).await.unwrap();
    let landed = sender.send(&[deposit], &[], &[table]).await.unwrap();
    let past = market
        .cluster()
        .transaction(&landed.signature)
        .await
        .unwrap()
        .unwrap();
    let told = [&past.events, &landed.events].map(|events| format!("{events:?}"));
    assert_eq!(told[0], told[1]);
    let signature = landed.signature.to_string();
    let config = json!({"maxSupportedTransactionVersion": 0, "commitment": "confirmed"});
    let found = market
        .result("getTransaction", json!([signature, config]))
        .await;
    let loaded = &found["meta"]["loadedAddresses"]["writable"];
    assert!(loaded
        .as_array()
        .unwrap()
        .contains(&maker.address.to_string().into()));
}
