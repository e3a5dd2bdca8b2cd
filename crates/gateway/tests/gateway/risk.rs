//! How likely a position is to be deleveraged.

use ballast_gateway::gateway::Gateway;
use reqwest::StatusCode;
use serde_json::Value;

use crate::stage::Stage;

/// Minutes of candles.
const MINUTES: i64 = 600;

/// Candles of a price that goes up and down by two to five per mille a minute.
async fn put_candles(gateway: &Gateway) {
    let written = gateway.store.write(|sql| {
        let mut open = 200_000_i64;
        for minute in 0..MINUTES {
            let size = 400 + 6 * (minute * 7 % 100);
            let close = if minute * 13 % 29 < 14 { open + size } else { open - size };
            let close = if (150_000..250_000).contains(&close) { close } else { 200_000 };
            sql.execute(
                "INSERT INTO candle (market, seconds, start, open, high, low, close, lots, quote_atoms, fills)
                 VALUES (0, 60, $1, $2, $3, $4, $5, 1, 1, 1)",
                &[
                    (1_700_000_040 + 60 * minute).into(),
                    open.into(),
                    (open.max(close) + 50).into(),
                    (open.min(close) - 50).into(),
                    close.into(),
                ],
            )?;
            open = close;
        }
        Ok(())
    });
    written.await.expect("candles");
}

#[tokio::test]
async fn a_position_is_told_how_likely_it_is_cut_where_enough_is_known_of_the_price() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let served = stage.served(&folder.path().join("a")).await;
    let refused = reqwest::get(served.url("/v1/markets/0/risk"))
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let refused = refused.text().await.unwrap();
    assert!(
        refused.contains("too little is known of the price"),
        "{refused}"
    );
    assert!(refused.contains("give a longer history"), "{refused}");

    put_candles(&served.gateway).await;
    let all = served.json("/v1/markets/0/risk").await;
    let positions = all["positions"].as_array().unwrap();
    assert!(positions.len() >= 12, "{all}");
    assert_eq!(all["made"]["seconds"], 86_400);
    let source = all["made"]["source"].as_str().unwrap();
    assert!(source.contains("candles of fills"), "{source}");
    let likely = |one: &Value| one["cut"]["ppm"].as_u64().unwrap();
    assert!(likely(&positions[0]) > 0 && positions.iter().any(|one| one["cut"]["below"] == true));

    // One position says the same as all.
    let trader = positions[0]["trader"].as_str().unwrap();
    let own = served
        .json(&format!("/v1/markets/0/risk?trader={trader}"))
        .await;
    assert_eq!(own["positions"].as_array().unwrap(), &positions[..1]);
    assert!(own["positions"][0].get("fixes").is_none());
    // What halves it is asked for by name.
    let asked = format!("/v1/markets/0/risk?trader={trader}&fixes=true");
    let own = served.json(&asked).await;
    let fixes = own["positions"][0]["fixes"].as_array().unwrap();
    assert!(!fixes.is_empty(), "{own}");
    for fix in fixes {
        let halved = fix["cut"]["ppm"].as_u64().unwrap();
        assert!(2 * halved <= likely(&positions[0]), "{fix}");
        let amount = match fix["change"].as_str().unwrap() {
            "add_margin" => &fix["atoms"],
            "close" => &fix["lots"],
            other => panic!("{other}"),
        };
        assert!(amount.is_string() || amount.as_u64() > Some(0), "{fix}");
    }
    assert_eq!(served.json(&asked).await, own);
    let refused = reqwest::get(served.url("/v1/markets/0/risk?fixes=true"));
    assert_eq!(refused.await.unwrap().status(), StatusCode::BAD_REQUEST);
    let nobody = format!("/v1/markets/0/risk?trader={}", stage.keeper.address);
    let nobody = reqwest::get(served.url(&nobody)).await.unwrap();
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
}
