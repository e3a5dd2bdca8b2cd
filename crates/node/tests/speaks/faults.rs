//! What is refused, with the numbers of a node.

use serde_json::json;

use super::*;

#[tokio::test]
async fn what_means_nothing_has_the_number_of_a_node() {
    let market = Market::new().await;
    for (method, params, code) in [
        ("getNothing", json!([]), -32601),
        ("getAccountInfo", json!([]), -32602),
        ("getAccountInfo", json!(["no address"]), -32602),
        ("getAccountInfo", json!({"address": 1}), -32602),
        ("getSlot", json!([{"minContextSlot": u64::MAX}]), -32016),
        ("getMultipleAccounts", json!([vec!["x"; 101]]), -32602),
        (
            "getSignaturesForAddress",
            json!([ballast_state::ID.to_string(), {"limit": 1_001}]),
            -32602,
        ),
        ("getSignatureStatuses", json!([["no signature"]]), -32602),
        (
            "sendTransaction",
            json!(["", {"encoding": "base64"}]),
            -32602,
        ),
        (
            "sendTransaction",
            json!(["AAAA", {"encoding": "jsonParsed"}]),
            -32602,
        ),
        (
            "sendTransaction",
            json!(["A".repeat(4_000), {"encoding": "base64"}]),
            -32602,
        ),
        ("getFeeForMessage", json!(["!"]), -32602),
    ] {
        let error = market.error(method, params).await;
        assert_eq!(error["code"], code, "{method}: {error}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn bodies_are_requests_lists_of_them_or_refused() {
    let market = Market::new().await;
    let client = reqwest::Client::new();
    let post = |body: String| client.post(market.node.url()).body(body).send();
    let answer = |body: &str| {
        let sent = post(body.to_owned());
        async { sent.await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(answer("{").await["error"]["code"], -32700);
    assert_eq!(answer("{}").await["error"]["code"], -32600);
    assert_eq!(answer("[]").await["error"]["code"], -32600);
    let one = json!({"jsonrpc": "2.0", "id": "a", "method": "getHealth"});
    let both = answer(&json!([one, {"id": 2}]).to_string()).await;
    assert_eq!(
        (&both[0]["result"], &both[0]["id"]),
        (&"ok".into(), &"a".into())
    );
    assert_eq!(both[1]["error"]["code"], -32600);
    let large = post(" ".repeat(60_000)).await.unwrap();
    assert_eq!(large.status().as_u16(), 413);
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask() {
    let market = Market::new().await;
    let client = reqwest::Client::new();
    let asked = client
        .request(reqwest::Method::OPTIONS, market.node.url())
        .header("Origin", "http://127.0.0.1:5173")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "content-type,solana-client",
        );
    let allowed = asked.send().await.unwrap();
    assert!(allowed.status().is_success());
    for header in ["origin", "headers", "methods"] {
        let name = format!("access-control-allow-{header}");
        assert_eq!(allowed.headers()[&name], "*");
    }
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "getHealth"});
    let answered = client.post(market.node.url()).json(&request).send().await;
    assert_eq!(
        answered.unwrap().headers()["access-control-allow-origin"],
        "*"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let market = Market::new().await;
    let port = market
        .node
        .url()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let sandbox = Sandbox::empty(&Options::default()).unwrap();
    let settings = Settings {
        port,
        ..Settings::default()
    };
    let taken = Node::serve(sandbox, settings).await.err().unwrap();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
}
