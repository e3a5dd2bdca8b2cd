//! Pages.

use reqwest::StatusCode;

use crate::stage::Stage;

#[tokio::test]
async fn pages_say_what_the_chain_says() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.served(&folder.path().join("a")).await;
    let keys = stage.scene.market.keys;

    let markets = gateway.json("/v1/markets").await;
    let name = markets[0]["name"].as_str().unwrap().to_owned();
    assert_eq!(
        (&markets[0]["index"], &markets[0]["price"]),
        (&0.into(), &"200".into())
    );
    for named in ["0".to_owned(), name, keys.market.to_string()] {
        let market = gateway.json(&format!("/v1/markets/{named}")).await;
        assert_eq!(market["market"], keys.market.to_string());
    }
    let book = gateway.json("/v1/markets/0/book").await;
    assert_eq!(
        (&book["bids"][0]["price"], &book["asks"][0]["size"]),
        (&"199.75".into(), &"0.5".into())
    );
    let orders = gateway.json("/v1/markets/0/book?level=3&depth=2").await;
    assert_eq!(orders["bids"].as_array().unwrap().len(), 2);
    assert_eq!(
        orders["bids"][0]["trader"],
        stage.scene.maker.address.to_string()
    );

    let queue = gateway.json("/v1/markets/0/queue?top=3").await;
    let longs = &queue["sides"][0];
    assert_eq!(
        (
            &longs["positions"],
            longs["places"].as_array().unwrap().len()
        ),
        (&6.into(), 3)
    );
    let first = queue["sides"][1]["places"][0]["trader"]
        .as_str()
        .unwrap()
        .to_owned();
    let place = gateway.json(&format!("/v1/markets/0/queue/{first}")).await;
    assert_eq!(
        (&place["rank"], &place["side"]),
        (&1.into(), &"short".into())
    );
    let ranks = gateway.json(&format!("/v1/adl-ranks?trader={first}")).await;
    assert_eq!(ranks[0]["rank"], 1);
    let gap = gateway.json("/v1/markets/0/gap?percent=10").await;
    assert_eq!(gap["gaps"].as_array().unwrap().len(), 3);
    let held = gateway.json(&format!("/v1/traders/{first}")).await;
    assert_eq!(held["positions"][0]["side"], "short");

    let exchange = gateway.json("/v1/exchange").await;
    assert_eq!(
        (&exchange["markets"], &exchange["collateral_decimals"]),
        (&1.into(), &6.into())
    );
    let history = gateway
        .json("/v1/markets/0/history?kind=fill&limit=3")
        .await;
    let rows = history["rows"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &rows[0]["price"], &rows[0]["size"]),
        (3, &"200.25".into(), &"0.5".into())
    );
    let next = history["next"].as_str().unwrap();
    let older = gateway
        .json(&format!("/v1/markets/0/history?kind=fill&before={next}"))
        .await;
    assert_eq!(
        older["rows"].as_array().unwrap().len(),
        4,
        "seven fills in all"
    );
    let signature = rows[0]["signature"].as_str().unwrap();
    let transaction = gateway.json(&format!("/v1/transactions/{signature}")).await;
    assert_eq!(transaction["events"][0]["name"], "OrderPlaced");
    assert_eq!(transaction["events"][0]["fields"]["filled_lots"], "500");
    let candles = gateway.json("/v1/markets/0/candles?seconds=3600").await;
    let candle = candles.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&candle["high"], &candle["low"]),
        (&"200.25".into(), &"200".into())
    );
    let own = gateway.json(&format!("/v1/traders/{first}/history")).await;
    assert!(own["rows"].as_array().unwrap().len() >= 2, "{own}");
    let csv = reqwest::get(gateway.url("/v1/markets/0/history.csv?kind=fill"))
        .await
        .unwrap();
    let csv = csv.text().await.unwrap();
    assert_eq!(csv.lines().count(), 8, "{csv}");
}

#[tokio::test]
async fn what_means_nothing_is_refused_in_a_sentence() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.served(&folder.path().join("a")).await;
    for (path, status) in [
        ("/v1/markets/9", 404),
        ("/v1/markets/0/book?level=4", 400),
        ("/v1/markets/0/book?levl=2", 400),
        ("/v1/markets/0/candles?seconds=61", 400),
        ("/v1/markets/0/gap?percent=0", 400),
        ("/v1/markets/0/gap?percent=x", 400),
        ("/v1/markets/0/history?kind=nothing", 400),
        ("/v1/markets/0/history?before=1.2", 400),
        ("/v1/traders/nobody", 400),
        ("/v1/traders/11111111111111111111111111111111", 404),
        ("/v1/transactions/none", 404),
        ("/v1/stream?topics=nothing", 400),
        ("/v1/stream?topics=market:7", 400),
    ] {
        let answer = reqwest::get(gateway.url(path)).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("\"error\""), "{path}: {text}");
    }
}

#[tokio::test]
async fn every_page_is_described_and_answers_carry_tags() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.served(&folder.path().join("a")).await;
    let described = gateway.json("/v1/openapi.json").await;
    let paths = described["paths"].as_object().unwrap();
    let source = include_str!("../../src/api/mod.rs");
    let routes: Vec<&str> = source
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    assert!(routes.len() > 15, "{routes:?}");
    for route in &routes {
        assert!(paths.contains_key(*route), "{route} is not described");
    }
    assert_eq!(paths.len(), routes.len());
    let text = include_str!("../../../../docs/GATEWAY.md");
    for route in &routes {
        assert!(
            text.contains(route),
            "docs/GATEWAY.md does not name {route}"
        );
    }

    let client = reqwest::Client::new();
    let first = client
        .get(gateway.url("/v1/exchange"))
        .send()
        .await
        .unwrap();
    assert_eq!(first.headers()["access-control-allow-origin"], "*");
    assert_eq!(first.headers()["x-content-type-options"], "nosniff");
    let tag = first.headers()["etag"].clone();
    let again = client
        .get(gateway.url("/v1/exchange"))
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(again.text().await.unwrap().is_empty());
    let metrics = client
        .get(gateway.url("/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for name in text.split("`ballast_gateway_").skip(1) {
        let name = name.split('`').next().unwrap_or_default();
        assert!(
            metrics.contains(&format!("ballast_gateway_{name}")),
            "{name} is no metric"
        );
    }
}
