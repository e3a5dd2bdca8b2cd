//! Prices, the clock and gifts over HTTP.

use ballast_client::accounts;
use ballast_client::price::decode_price;
use serde_json::json;

use super::*;

impl Market {
    async fn control(&self, page: &str, body: Value) -> (u16, String) {
        let url = format!("{}/control/{page}", self.node.url());
        let sent = reqwest::Client::new().post(url).json(&body).send().await;
        let answer = sent.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    fn price(&self) -> (u64, i64) {
        let keys = self.scene.market.keys;
        let account = |key| self.node.with(|sandbox| sandbox.account(&key).unwrap());
        let market = accounts::market(&account(keys.market).data).unwrap();
        let price = account(keys.price);
        let read = decode_price(&market, &keys.price, &price.owner, &price.data).unwrap();
        (read.price.get(), read.publish_time)
    }
}

#[tokio::test]
async fn tests_set_prices_let_time_pass_and_give() {
    let market = Market::with(Settings {
        control: true,
        ..Settings::default()
    })
    .await;
    market.scene.publish(market.node.desk(), 200_000);
    let ok = (200, "ok".to_owned());
    assert_eq!(market.control("price", json!({"ticks": 193_000})).await, ok);
    let (slot, time) = market.node.with(|sandbox| (sandbox.slot(), sandbox.time()));
    assert_eq!(market.price(), (193_000, time));
    assert_eq!(market.control("clock", json!({"seconds": 60})).await, ok);
    let now = market.node.with(|sandbox| (sandbox.slot(), sandbox.time()));
    assert_eq!(now, (slot + 150, time + 60));
    market.node.desk().tick(time + 1);
    assert_eq!(
        market.price(),
        (193_000, time + 61),
        "the clock stays ahead"
    );
    assert_eq!(market.control("publish", json!({"on": false})).await, ok);
    market.node.desk().tick(time + 9);
    assert_eq!(
        market.price(),
        (193_000, time + 61),
        "a price that grows old"
    );

    let address = market.scene.market.keys.book;
    let gift = json!({"address": address.to_string(), "lamports": 5, "atoms": 7});
    let had = market
        .node
        .with(|sandbox| sandbox.account(&address).unwrap().lamports);
    assert_eq!(market.control("fund", gift).await, ok);
    let (lamports, tokens) = market.node.with(|sandbox| {
        let collateral = sandbox.collateral();
        let tokens = ballast_client::token::associated_token(&address, &collateral);
        (
            sandbox.account(&address).unwrap().lamports,
            sandbox.token_balance(&tokens),
        )
    });
    assert_eq!((lamports, tokens), (had + 5, 7));
    for (page, body) in [("price", json!({})), ("fund", json!({"address": "x"}))] {
        assert_eq!(market.control(page, body).await.0, 400);
    }
}

#[tokio::test]
async fn without_the_flag_nobody_sets_anything() {
    let market = Market::new().await;
    let (status, _) = market.control("price", json!({"ticks": 1})).await;
    assert_eq!(status, 404);
    assert_eq!(market.price().0, 200_000);
}
