//! Accounts, slots and blockhashes.

use ballast_client::addresses;
use base64::prelude::{Engine, BASE64_STANDARD};
use serde_json::json;

use super::*;

#[tokio::test]
async fn the_client_of_the_keepers_reads_the_whole_market() {
    let market = Market::new().await;
    let cluster = market.cluster();
    let exchange = cluster.exchange().await.unwrap();
    assert_eq!(exchange.market_count, 1);
    let markets = cluster.markets().await.unwrap();
    let keys = &market.scene.market.keys;
    assert_eq!((markets.len(), markets[0].0), (1, keys.market));
    let traders = cluster.traders().await.unwrap();
    assert_eq!(traders.len(), 13);
    let snapshot = cluster.snapshot(&keys.market, &keys.price).await.unwrap();
    assert_eq!(snapshot.slot, market.node.with(|sandbox| sandbox.slot()));
    assert_eq!(snapshot.clock.slot, snapshot.slot);
    let wanted = [keys.book, keys.queue_long, keys.queue_short, keys.price];
    let (_, told) = cluster.accounts(&wanted).await.unwrap();
    let there = market
        .node
        .with(|sandbox| wanted.map(|key| sandbox.account(&key)));
    assert_eq!(told, there);
    assert!(told.iter().all(Option::is_some));
    let nobody = addresses::trader(&keys.market, 0);
    assert!(cluster.trader(&nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn accounts_come_in_parts_in_every_encoding_and_filtered() {
    let market = Market::new().await;
    let at = market.scene.market.keys.market.to_string();
    let asked = json!([at, {"encoding": "base64"}]);
    let whole = market.result("getAccountInfo", asked).await;
    let decoded = |told: &Value| BASE64_STANDARD.decode(told["data"][0].as_str().unwrap());
    let data = decoded(&whole["value"]).unwrap();
    assert_eq!(whole["value"]["space"], data.len());
    let slice = json!({"offset": 8, "length": 16});
    let asked = json!([at, {"encoding": "base64", "dataSlice": slice}]);
    let part = market.result("getAccountInfo", asked).await;
    assert_eq!(decoded(&part["value"]).unwrap(), data[8..24]);
    let asked = json!([at, {"encoding": "base58"}]);
    let refused = market.error("getAccountInfo", asked).await;
    assert!(refused["message"].as_str().unwrap().contains("base 58"));

    let program = ballast_state::ID.to_string();
    let size = json!({"dataSize": data.len()});
    let kind = bs58::encode(&data[..8]).into_string();
    let begins = json!({"memcmp": {"offset": 0, "bytes": kind}});
    let config = json!({"encoding": "base64", "filters": [size, begins], "withContext": true});
    let asked = json!([program, config]);
    let found = market.result("getProgramAccounts", asked).await;
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    assert_eq!(found["value"][0]["pubkey"], at);
    let none = json!([program, {"encoding": "base64", "filters": [{"dataSize": 3}]}]);
    assert_eq!(market.result("getProgramAccounts", none).await, json!([]));
}

#[tokio::test]
async fn tokens_are_found_by_their_owner_and_told_with_their_decimals() {
    let market = Market::new().await;
    let maker = &market.scene.maker.wallet;
    let (owner, tokens) = (maker.address().to_string(), maker.tokens.to_string());
    let (mint, had) = market
        .node
        .with(|it| (it.mint(), it.token_balance(&maker.tokens)));
    let balance = market
        .result("getTokenAccountBalance", json!([tokens]))
        .await;
    assert_eq!(balance["value"]["amount"], had.to_string());
    assert_eq!(balance["value"]["decimals"], 6);
    let by_mint = json!([owner, {"mint": mint.to_string()}, {"encoding": "jsonParsed"}]);
    let found = market.result("getTokenAccountsByOwner", by_mint).await;
    assert_eq!(found["value"][0]["pubkey"], tokens);
    let info = &found["value"][0]["account"]["data"]["parsed"]["info"];
    assert_eq!(info["tokenAmount"]["uiAmountString"], "3000");
    let other = json!([owner, {"mint": owner}, {"encoding": "base64"}]);
    let found = market.result("getTokenAccountsByOwner", other).await;
    assert_eq!(found["value"], json!([]));
    let lamports = market
        .node
        .with(|it| it.account(&maker.address()).unwrap().lamports);
    let balance = market.result("getBalance", json!([owner])).await;
    assert_eq!(balance["value"], lamports);
    let market_account = market.scene.market.keys.market.to_string();
    let refused = market
        .error("getTokenAccountBalance", json!([market_account]))
        .await;
    assert_eq!(refused["code"], -32602);
}

#[tokio::test]
async fn slots_pass_by_hand_and_blockhashes_with_them() {
    let market = Market::new().await;
    let slot = market.node.with(|sandbox| sandbox.slot());
    let confirmed = json!([{"commitment": "confirmed"}]);
    assert_eq!(market.result("getSlot", confirmed.clone()).await, slot);
    assert_eq!(market.result("getSlot", json!([])).await, slot - 1);
    assert_eq!(market.result("getBlockHeight", confirmed).await, slot);
    let time = market.node.with(|sandbox| sandbox.time());
    assert_eq!(market.result("getBlockTime", json!([slot])).await, time);
    assert_eq!(
        market.error("getBlockTime", json!([slot + 1])).await["code"],
        -32004
    );

    let latest = market.result("getLatestBlockhash", json!([])).await["value"].clone();
    assert_eq!(latest["lastValidBlockHeight"], slot + 150);
    let valid = || async {
        let asked = json!([latest["blockhash"]]);
        market.result("isBlockhashValid", asked).await["value"].clone()
    };
    market.node.with(|sandbox| sandbox.advance_slots(150));
    assert_eq!(valid().await, true);
    market.node.with(|sandbox| sandbox.advance_slots(1));
    assert_eq!(valid().await, false);
}

#[tokio::test]
async fn what_wallets_ask_first_is_answered() {
    let market = Market::new().await;
    assert_eq!(market.result("getHealth", json!([])).await, "ok");
    let version = market.result("getVersion", json!([])).await;
    assert_eq!(version["solana-core"], "4.2.2");
    let genesis = market.result("getGenesisHash", json!([])).await;
    assert_eq!(
        bs58::decode(genesis.as_str().unwrap())
            .into_vec()
            .unwrap()
            .len(),
        32
    );
    let rent = market.node.with(|sandbox| sandbox.rent(165));
    let asked = json!([165]);
    assert_eq!(
        market
            .result("getMinimumBalanceForRentExemption", asked)
            .await,
        rent
    );
    let fees = market
        .result("getRecentPrioritizationFees", json!([[]]))
        .await;
    assert_eq!(fees.as_array().unwrap().len(), 150);
    assert_eq!(fees[149]["prioritizationFee"], 0);
}
