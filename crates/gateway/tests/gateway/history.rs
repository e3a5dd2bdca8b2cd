//! History: whole, once, in order, the same whenever and wherever it is read.

use std::time::Instant;

use ballast_gateway::chain::history::once;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::store::write::withdraw;

use crate::stage::{read_once, rows, Stage};

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
    stage.buy(100);
    stage.pass(3);
    read_once(&gateway).await;
    let whole = rows(&gateway).await;
    let lost = "SELECT signature FROM tx WHERE slot = (SELECT MAX(slot) FROM tx)";
    let lost = gateway
        .store
        .read(move |sql| sql.query(lost, &[]))
        .await
        .unwrap();
    let lost = lost[0][0].text().unwrap().to_owned();
    gateway
        .store
        .write(move |sql| withdraw(sql, &lost))
        .await
        .unwrap();
    assert_ne!(rows(&gateway).await, whole);
    read_once(&gateway).await;
    assert_eq!(gateway.metrics.repaired.get(), 1);
    let repaired = rows(&gateway).await;
    // Its position had been counted already: that it does not join shows.
    let without_holes = |rows: &[ballast_gateway::store::sql::Line]| rows.len();
    assert!(without_holes(&repaired) >= without_holes(&whole));
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

#[tokio::test]
async fn a_database_of_another_chain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let first = Stage::new().await;
    drop(first.in_file(&path).await);
    let second = Stage::new().await;
    // Another start of the node: another genesis, unless keys are drawn alike.
    let config = second.config(&format!("sqlite = \"{}\"", path.display()));
    let opened = Gateway::open(config).await;
    let genesis = |stage: &Stage| stage.node.with(|sandbox| sandbox.svm().latest_blockhash());
    match opened {
        Err(refused) => assert!(
            format!("{refused:#}").contains("holds the history of"),
            "{refused:#}"
        ),
        Ok(_) => assert_eq!(genesis(&first), genesis(&second), "the same chain"),
    }
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
