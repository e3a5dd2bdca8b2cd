//! History: whole, once, in order, the same whenever and wherever it is read.

use std::time::Instant;

use ballast_gateway::chain::history::once;
use ballast_gateway::config::NodeConfig;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::store::write::withdraw;
use ballast_gateway::store::{Place, Store};
use ballast_rpc::endpoint::Endpoint;

use crate::stage::{read_once, rows, serve, Stage};

/// Health as far as history goes.
fn complete(gateway: &Gateway) -> (bool, i64, usize) {
    let health = gateway
        .vitals(|vitals| vitals.report(Instant::now()))
        .history;
    (health.complete, health.holes, health.counters.len())
}

#[tokio::test]
async fn a_crash_is_read_piece_by_piece_and_at_once_to_the_same_rows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let piecemeal = stage.in_file(&folder.path().join("a")).await;
    read_once(&piecemeal).await;
    for lots in [100, 250, 175] {
        stage.buy(lots);
        read_once(&piecemeal).await;
    }
    stage.crash();
    read_once(&piecemeal).await;
    assert_eq!(complete(&piecemeal), (true, 0, 0));

    let at_once = stage.in_file(&folder.path().join("b")).await;
    read_once(&at_once).await;
    let (first, second) = (rows(&piecemeal).await, rows(&at_once).await);
    assert!(first.len() > 100, "{} rows", first.len());
    assert_eq!(first, second);
    // Everything is read again and nothing is there twice.
    read_once(&at_once).await;
    assert_eq!(rows(&at_once).await, first);
}

#[tokio::test]
async fn a_gateway_goes_on_at_its_cursor() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    let first = stage.in_file(&path).await;
    read_once(&first).await;
    let known = first.metrics.transactions.get();
    assert!(known > 10, "{known} transactions");
    drop(first);
    stage.buy(100);
    stage.buy(100);
    let second = stage.in_file(&path).await;
    read_once(&second).await;
    assert_eq!(
        second.metrics.transactions.get(),
        2,
        "only what is new is read"
    );
}

#[tokio::test]
async fn what_was_not_heard_of_is_found_when_it_is_final() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    stage.pass(40);
    read_once(&gateway).await;
    for _ in 0..3 {
        stage.buy(100);
    }
    read_once(&gateway).await;
    // As if the node had told of a later one and not of this.
    let lost = "SELECT signature FROM tx WHERE final = 0 ORDER BY slot LIMIT 1";
    let lost = gateway.store.read(move |sql| sql.query(lost, &[])).await;
    let lost = lost.unwrap()[0][0].text().unwrap().to_owned();
    let taken = gateway.store.write(move |sql| withdraw(sql, &lost));
    taken.await.unwrap();
    stage.pass(3);
    read_once(&gateway).await;
    assert_eq!(gateway.metrics.repaired.get(), 1);
    assert_eq!(complete(&gateway), (true, 0, 0));
    let untroubled = stage.in_file(&folder.path().join("b")).await;
    read_once(&untroubled).await;
    assert_eq!(rows(&gateway).await, rows(&untroubled).await);
}

#[tokio::test]
async fn a_hole_shows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    stage.pass(3);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    // As if a transaction had never been read that made somebody's position.
    let forgotten = stage.scene.shorts[5].address.to_string();
    let gone = "DELETE FROM standing WHERE trader = $1";
    gateway
        .store
        .write(move |sql| sql.execute(gone, &[forgotten.into()]))
        .await
        .unwrap();
    stage.buy(100);
    stage.pass(3);
    read_once(&gateway).await;
    let (whole, holes, _) = complete(&gateway);
    assert_eq!((whole, holes), (false, 1));
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    let hole = &health.history.newest_holes[0];
    assert_eq!(hole.what, "position");
    assert_eq!(
        hole.trader.as_deref(),
        Some(&*stage.scene.shorts[5].address.to_string())
    );
    assert_eq!(
        (hole.expected.as_str(), hole.found.as_str()),
        ("0", "-9500")
    );
}

#[tokio::test]
async fn a_counter_that_does_not_agree_shows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    stage.crash();
    read_once(&gateway).await;
    let gone = "DELETE FROM entry WHERE kind = 'liquidation'";
    let gone = gateway
        .store
        .write(move |sql| sql.execute(gone, &[]))
        .await
        .unwrap();
    read_once(&gateway).await;
    let health = gateway
        .vitals(|vitals| vitals.report(Instant::now()))
        .history;
    assert!(!health.complete);
    let counter = &health.counters[0];
    assert_eq!(counter.what, "liquidations");
    assert_eq!(
        (counter.expected.as_str(), counter.found.clone()),
        ("0", gone.to_string())
    );
}

#[test]
fn a_database_of_another_chain_or_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |chain: &str| Store::open(Place::Sqlite(folder.path().join("a"), None), chain);
    let store = open("one").unwrap();
    let refused = |chain| open(chain).err().map(|error| error.to_string());
    assert_eq!(refused("one"), None);
    let said = refused("other").unwrap();
    assert!(
        said.contains("holds the history of one, not of other"),
        "{said}"
    );
    let older = "UPDATE meta SET value = '0' WHERE name = 'layout'";
    store.write_here(|sql| sql.execute(older, &[])).unwrap();
    let said = refused("one").unwrap();
    assert!(said.contains("has layout 0"), "{said}");
}

#[tokio::test]
async fn the_next_node_is_asked_when_the_first_does_not_answer() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let mut config = stage.config(&format!(
        "sqlite = \"{}\"",
        folder.path().join("a").display()
    ));
    let good = config.node[0].clone();
    config.node.insert(
        0,
        NodeConfig {
            rpc: Endpoint::new("http://127.0.0.1:1"),
            websocket: None,
        },
    );
    assert_eq!(config.node[1].rpc.url(), good.rpc.url());
    let served = serve(Gateway::open(config).await.unwrap()).await;
    assert_eq!(served.gateway.nodes.number(), 1);
    assert_eq!(served.json("/v1/markets/0").await["price"], "200");
}

#[tokio::test]
async fn without_a_node_history_says_so() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    drop(stage);
    let failed = once(&gateway).await.unwrap_err().to_string();
    assert!(failed.contains("the chain was not read"), "{failed}");
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    assert!(
        health
            .problems
            .iter()
            .any(|one| one.contains("the chain was not read") || one.contains("did not answer")),
        "{:?}",
        health.problems
    );
}
