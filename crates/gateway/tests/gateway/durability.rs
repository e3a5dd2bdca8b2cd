//! What a full disk and a sudden end leave.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ballast_gateway::chain::history::once;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::store::sql::Line;
use serde_json::Value;

use crate::stage::{read_once, rows, Stage, PATIENCE};

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

/// A configuration for the built gateway, in a file.
fn configured(stage: &Stage, folder: &Path) -> (PathBuf, PathBuf) {
    let (path, config) = (folder.join("a"), folder.join("gateway.toml"));
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[[node]]\nrpc = \"{}\"\nwebsocket = \"{}\"\n[follow]\nfinal_ms = 10\npoll_ms = 10\n[store]\nsqlite = \"{}\"\n",
        stage.node.url(),
        stage.node.websocket_url(),
        path.display()
    );
    std::fs::write(&config, text).unwrap();
    (path, config)
}

/// A running gateway: it ends when this does, by SIGKILL.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The built gateway with a configuration, once it listens, and where. Where `blocks` are given the kernel lets no
/// file of it grow beyond so many times 512 bytes, as a full filesystem does.
async fn start(config: &Path, blocks: Option<u32>) -> (Running, String) {
    let limit = blocks.map_or_else(|| "unlimited".to_owned(), |blocks| blocks.to_string());
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -S -f \"$1\"; exec \"$2\" --config \"$3\"";
    command.args(["-c", script, "sh", &limit]);
    command
        .arg(env!("CARGO_BIN_EXE_ballast-gateway"))
        .arg(config);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let started = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("it starts");
        let out = child.stdout.take().expect("its output");
        let line = BufReader::new(out).lines().next();
        let line = line.expect("a line").expect("text");
        let address = line.strip_prefix("listening on ").expect("an address");
        (Running(child), format!("http://{address}/health"))
    });
    started.await.expect("it listens")
}

/// Looks at health again and again until it is as wanted; `meanwhile` happens between.
async fn health(url: &str, meanwhile: impl Fn(), wanted: impl Fn(&Value) -> bool) {
    let (begun, mut looks) = (
        Instant::now(),
        tokio::time::interval(Duration::from_millis(50)),
    );
    loop {
        looks.tick().await;
        meanwhile();
        let said = reqwest::get(url).await.expect("an answer").text().await;
        let said: Value = serde_json::from_str(&said.expect("text")).expect("JSON");
        if wanted(&said) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "health is still {said}");
    }
}

/// The rows of a database, once everything is read, and of one that nothing happened to.
async fn both(stage: &Stage, folder: &Path, path: &Path) -> [Vec<Line>; 2] {
    stage.pass(40);
    let after = stage.in_file(path).await;
    read_once(&after).await;
    let health = after.vitals(|vitals| vitals.report(Instant::now()));
    assert!(health.history.complete, "{:?}", health.history);
    let untroubled = stage.in_file(&folder.join("b")).await;
    read_once(&untroubled).await;
    [rows(&after).await, rows(&untroubled).await]
}

#[tokio::test]
async fn killed_in_the_middle_of_writing_it_goes_on_and_nothing_is_lost_or_doubled() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let (path, config) = configured(&stage, folder.path());
    for round in 0..6_u64 {
        for _ in 0..8 {
            stage.buy(100);
        }
        let (child, _) = start(&config, None).await;
        // It writes what came while it was away, and what comes now; the end comes at a different moment of
        // it each time.
        for _ in 0..round * 2 {
            stage.buy(100);
        }
        drop(child);
    }
    let [after, untroubled] = both(&stage, folder.path(), &path).await;
    assert!(after.len() > 300, "{} rows", after.len());
    assert_eq!(after, untroubled);
}

#[tokio::test]
async fn where_the_filesystem_takes_no_more_it_says_so_and_goes_on_when_it_does() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let (path, config) = configured(&stage, folder.path());
    let (child, url) = start(&config, Some(2_048)).await;
    let some = || (0..8).for_each(|_| stage.deposit());
    let full = |said: &Value| {
        let problems = said["problems"].as_array().expect("a list").iter();
        let mut problems = problems.filter_map(Value::as_str);
        problems.any(|one| one.contains("the database has no room left"))
    };
    health(&url, some, full).await;
    // More comes while there is no room.
    some();
    let raised = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &child.0.id().to_string()])
        .status();
    assert!(raised.expect("prlimit, of util-linux").success());
    health(
        &url,
        || (),
        |said| {
            let history = &said["history"];
            said["status"] == "healthy" && history["complete"] == true
        },
    )
    .await;
    drop(child);
    let [after, untroubled] = both(&stage, folder.path(), &path).await;
    assert_eq!(after, untroubled);
}
