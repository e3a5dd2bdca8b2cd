//! A server of Postgres of its own, in a folder that ends with it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ballast_gateway::gateway::Gateway;
use tempfile::TempDir;

use crate::stage::{read_once, rows, Stage, PATIENCE};

/// Where Debian has its versions, besides `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A server that ends when this is dropped.
struct Server {
    child: Child,
    folder: TempDir,
}

/// A program of Postgres.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::split_paths(&path).map(|folder| folder.join(name));
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let there = versions.map(|version| version.path().join("bin").join(name));
    let mut all = here.chain(there);
    let found = all.find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not here: `cargo xtask test` installs Postgres"))
}

/// Postgres refuses to run as root: there it runs as the user that its package made.
fn command(name: &str) -> Command {
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
    match root {
        false => Command::new(program(name)),
        true => {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ]);
            command.arg(program(name));
            command
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Where this is root, the folder is to be the server's.
        let _ = Command::new("chown")
            .arg("postgres")
            .arg(folder.path())
            .status();
        let data = folder.path().join("data");
        run(command("initdb")
            .args([OsStr::new("-D"), data.as_os_str()])
            .args(["-U", "ballast", "-A", "trust", "-N"]));
        let mut postgres = command("postgres");
        postgres.args([
            OsStr::new("-D"),
            data.as_os_str(),
            OsStr::new("-k"),
            folder.path().as_os_str(),
        ]);
        // On no port: only by the socket in the folder.
        postgres.args(["-c", "listen_addresses=", "-F"]);
        postgres.stdout(Stdio::null()).stderr(Stdio::null());
        let child = postgres.spawn().expect("it starts");
        let server = Self { child, folder };
        let begun = Instant::now();
        while ballast_gateway::store::Store::open(server.place(), "probe of the server").is_err() {
            assert!(begun.elapsed() < PATIENCE, "the server does not answer");
            std::thread::yield_now();
        }
        server
    }

    fn string(&self, database: &str) -> String {
        format!(
            "host={} user=ballast dbname={database}",
            self.folder.path().display()
        )
    }

    fn place(&self) -> ballast_gateway::store::Place {
        ballast_gateway::store::Place::Postgres(self.string("template1"))
    }

    /// A database without anything in it.
    fn database(&self, name: &str) -> String {
        run(command("createdb")
            .args(["-U", "ballast", "-T", "template0", "-h"])
            .arg(self.folder.path())
            .arg(name));
        self.string(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT by the file that names it: the child itself may be what runs it as another user.
        let _ = command("pg_ctl")
            .args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(self.folder.path().join("data"))
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
