//! The same history in a server of Postgres as in a file.

use std::path::Path;
use std::time::Instant;

use ballast_gateway::gateway::Gateway;

use crate::server::Server;
use crate::stage::{read_once, rows, Stage};

fn toml(text: &str) -> String {
    format!("postgres = \"{text}\"")
}

#[tokio::test]
async fn postgres_has_the_rows_that_sqlite_has() {
    let server = tokio::task::spawn_blocking(Server::start)
        .await
        .expect("a server");
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let (one, other) = (server.database("one"), server.database("other"));
    let open = |database: &str| Gateway::open(stage.config(&toml(database)));
    let piecemeal = open(&one).await.expect("a database");
    read_once(&piecemeal).await;
    stage.buy(100);
    read_once(&piecemeal).await;
    stage.crash();
    read_once(&piecemeal).await;
    let health = piecemeal.vitals(|vitals| vitals.report(Instant::now()));
    assert!(health.history.complete, "{:?}", health.history);

    let at_once = open(&other).await.expect("a database");
    read_once(&at_once).await;
    let file = stage.in_file(Path::new(&folder.path().join("a"))).await;
    read_once(&file).await;
    let expected = rows(&file).await;
    assert!(expected.len() > 100);
    assert_eq!(rows(&piecemeal).await, expected);
    assert_eq!(rows(&at_once).await, expected);
    assert!(open(&server.string("nothing")).await.is_err());

    // A connection that the server ended is opened again.
    let end = "SELECT pg_terminate_backend(pid)::TEXT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'one'";
    at_once
        .store
        .read(move |sql| sql.query(end, &[]))
        .await
        .unwrap();
    stage.buy(100);
    let mut attempts = 0;
    while ballast_gateway::chain::history::once(&piecemeal)
        .await
        .is_err()
    {
        attempts += 1;
        assert!(attempts < 20, "it does not come back");
    }
    assert!(rows(&piecemeal).await.len() > expected.len());
}
