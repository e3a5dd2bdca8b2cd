//! Postgres over TLS, and nothing in clear to another machine.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ballast_gateway::store::sql::{Line, Value};
use ballast_gateway::store::{Place, Store};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::server::{Server, PASSWORD};

/// An address of this machine that is none of the loopback: a connection to it is as one to another machine.
const ANOTHER: &str = "0.0.0.0";

/// The database of each server.
const DATABASE: &str = "data";

/// A file in a folder.
fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// Opens a database over TCP; why not otherwise.
fn open(port: u16, how: &str, authorities: Option<&Path>) -> Result<Arc<Store>, String> {
    let given = format!("port={port} user=ballast password={PASSWORD} dbname={DATABASE} {how}");
    let place = Place::Postgres(given, authorities.map(Path::to_owned));
    Store::open(place, "a chain").map_err(|error| error.to_string())
}

/// Why it is not opened.
fn refused(port: u16, how: &str, authorities: Option<&Path>) -> String {
    let refused = open(port, how, authorities).err();
    let said = refused.unwrap_or_else(|| panic!("{how} is accepted"));
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

/// Whether the connections of a store have TLS, as the server says.
fn has_tls(store: &Store) -> bool {
    let asked = "SELECT ssl::TEXT FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let said: Vec<Line> = store.read_here(|sql| sql.query(asked, &[])).expect("a row");
    said == [[Value::from("true")]]
}

#[test]
fn a_server_is_trusted_by_its_authority_and_its_name() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let folder = tempfile::tempdir().unwrap();
    let right = file(&folder, "ours.pem", &ours.certificate);
    let both = file(
        &folder,
        "both.pem",
        &[&*other.certificate, &*ours.certificate].concat(),
    );
    let wrong = file(&folder, "another.pem", &other.certificate);
    let server = Server::with(Some(&ours.certify("localhost")));
    let port = server.port;
    server.database(DATABASE);

    for how in [
        "host=localhost sslmode=require",
        "host=localhost sslmode=verify-full",
        "host=localhost sslmode=require channel_binding=require",
        "host=localhost",
        &format!("host=localhost hostaddr={ANOTHER}"),
    ] {
        for authorities in [&right, &both] {
            let store = open(port, how, Some(authorities));
            let store = store.unwrap_or_else(|error| panic!("{how}: {error}"));
            assert!(has_tls(&store), "{how}");
        }
    }
    // An authority that has not signed, those of the system, another name.
    for (how, authorities) in [
        ("host=localhost sslmode=require", Some(&wrong)),
        ("host=localhost sslmode=verify-full", Some(&wrong)),
        ("host=localhost sslmode=require", None),
        (&format!("host=localhost hostaddr={ANOTHER}"), None),
        ("host=127.0.0.1 sslmode=require", Some(&right)),
    ] {
        let said = refused(port, how, authorities.map(PathBuf::as_path));
        assert!(
            said.contains("certificate") && said.contains("store.postgres_ca"),
            "{how}: {said}"
        );
    }
    // What stays on this machine goes without TLS rather than not at all, and where that is said.
    for (how, authorities) in [
        ("host=localhost sslmode=prefer", Some(&wrong)),
        ("host=localhost sslmode=disable", Some(&right)),
        (&format!("hostaddr={ANOTHER} sslmode=disable"), Some(&right)),
    ] {
        let store = open(port, how, authorities.map(PathBuf::as_path));
        let store = store.unwrap_or_else(|error| panic!("{how}: {error}"));
        assert!(!has_tls(&store), "{how}");
    }
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_required() {
    let server = Server::start();
    server.database(DATABASE);
    for how in [
        "host=localhost sslmode=require".to_owned(),
        "host=localhost sslmode=verify-full".to_owned(),
        format!("host=localhost hostaddr={ANOTHER}"),
        format!("host=localhost hostaddr={ANOTHER} sslmode=prefer"),
    ] {
        let said = refused(server.port, &how, None);
        assert!(
            said.contains("does not support TLS") && said.contains("sslmode=disable"),
            "{how}: {said}"
        );
    }
    let local = open(server.port, "host=localhost", None);
    assert!(!has_tls(&local.expect("a server on this machine")));
}

#[test]
fn nothing_is_told_to_another_machine_that_has_no_tls() {
    let listener = TcpListener::bind((ANOTHER, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(b"N").unwrap();
        let mut more = Vec::new();
        stream.read_to_end(&mut more).unwrap();
        (asked, more)
    });
    let said = refused(port, &format!("host=localhost hostaddr={ANOTHER}"), None);
    assert!(said.contains("does not support TLS"), "{said}");
    let (asked, more) = heard.join().unwrap();
    // Whether there is TLS, and nothing else.
    assert_eq!(asked, [0, 0, 0, 8, 4, 210, 22, 47]);
    assert!(more.is_empty(), "{} bytes", more.len());
}
