//! What a full disk and a sudden end leave.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ballast_gateway::chain::history::once;
use ballast_gateway::gateway::Gateway;

use crate::stage::{read_once, rows, Stage};

#[tokio::test]
async fn a_full_disk_says_so_and_loses_and_doubles_nothing() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    for _ in 0..40 {
        stage.buy(100);
    }
    stage.pass(40);
    let path = folder.path().join("a");
    let small = format!("sqlite = \"{}\"\nmax_bytes = 140000", path.display());
    let gateway = Gateway::open(stage.config(&small))
        .await
        .expect("room for the tables");
    let failed = once(&gateway).await.unwrap_err().to_string();
    assert!(failed.contains("the database has no room left"), "{failed}");
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    assert_eq!(health.status, "unhealthy");
    assert!(
        health
            .problems
            .iter()
            .any(|one| one.contains("no room left")),
        "{:?}",
        health.problems
    );
    drop(gateway);

    let roomy = stage.in_file(&path).await;
    read_once(&roomy).await;
    let untroubled = stage.in_file(&folder.path().join("b")).await;
    read_once(&untroubled).await;
    assert_eq!(rows(&roomy).await, rows(&untroubled).await);
}

/// The built gateway with a configuration, once it listens.
fn start(config: &std::path::Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast-gateway"));
    command.arg("--config").arg(config);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let out = child.stdout.take().expect("its output");
    let line = BufReader::new(out)
        .lines()
        .next()
        .expect("a line")
        .expect("text");
    assert!(line.starts_with("listening on "), "{line}");
    child
}

#[tokio::test]
async fn killed_in_the_middle_of_writing_it_goes_on_and_nothing_is_lost_or_doubled() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let (path, config) = (folder.path().join("a"), folder.path().join("gateway.toml"));
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[[node]]\nrpc = \"{}\"\nwebsocket = \"{}\"\n[follow]\nfinal_ms = 10\npoll_ms = 10\n[store]\nsqlite = \"{}\"\n",
        stage.node.url(),
        stage.node.websocket_url(),
        path.display()
    );
    std::fs::write(&config, text).unwrap();
    for round in 0..6_u64 {
        for _ in 0..8 {
            stage.buy(100);
        }
        let running = config.clone();
        let mut child = tokio::task::spawn_blocking(move || start(&running))
            .await
            .unwrap();
        // It writes what came while it was away, and what comes now; the end comes at a different moment of
        // it each time.
        for _ in 0..round * 2 {
            stage.buy(100);
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("its end");
    }
    stage.pass(40);
    let after = stage.in_file(&path).await;
    read_once(&after).await;
    let untroubled = stage.in_file(&folder.path().join("b")).await;
    read_once(&untroubled).await;
    let (rows_after, rows_of_one) = (rows(&after).await, rows(&untroubled).await);
    assert!(rows_after.len() > 300, "{} rows", rows_after.len());
    assert_eq!(rows_after, rows_of_one);
    let health = after.vitals(|vitals| vitals.report(Instant::now()));
    assert!(health.history.complete, "{:?}", health.history);
}
