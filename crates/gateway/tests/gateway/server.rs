//! A server of Postgres of its own, in a folder that ends with it.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ballast_gateway::store::{Place, Store};
use tempfile::TempDir;

use crate::certificates::Identity;
use crate::stage::PATIENCE;

/// Where Debian has its versions, besides `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The password of its only user, which is asked for over TCP.
pub const PASSWORD: &str = "open-sesame";

/// A server that ends when this is dropped.
pub struct Server {
    child: Child,
    folder: TempDir,
    /// Where it is reached over TCP, at 127.0.0.1.
    pub port: u16,
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

/// Where this is root, the path is to be the server's.
fn give(path: &Path) {
    let _ = Command::new("chown").arg("postgres").arg(path).status();
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    /// A server without TLS.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// A server that has TLS where it is given what it shows of itself.
    pub fn with(identity: Option<&Identity>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        give(folder.path());
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("password"), PASSWORD).expect("a file");
        run(command("initdb")
            .args([OsStr::new("-D"), at("data").as_os_str()])
            .args(["-U", "ballast", "-N", "--auth-local=trust"])
            .args(["--auth-host=scram-sha-256", "--pwfile"])
            .arg(at("password")));
        let mut options = vec!["listen_addresses=127.0.0.1".to_owned()];
        if let Some(identity) = identity {
            options.push("ssl=on".to_owned());
            for (option, pem) in [
                ("ssl_cert_file", &identity.certificate),
                ("ssl_key_file", &identity.key),
            ] {
                std::fs::write(at(option), pem).expect("a file");
                std::fs::set_permissions(at(option), Permissions::from_mode(0o600)).expect("mine");
                give(&at(option));
                options.push(format!("{option}={}", at(option).display()));
            }
        }
        let spawn = |port: u16| {
            let mut postgres = command("postgres");
            postgres.args([
                OsStr::new("-D"),
                at("data").as_os_str(),
                OsStr::new("-k"),
                folder.path().as_os_str(),
            ]);
            postgres.args(options.iter().flat_map(|option| ["-c", option]));
            postgres.args(["-F", "-p", &port.to_string()]);
            postgres.stdout(Stdio::null()).stderr(Stdio::null());
            postgres.spawn().expect("it starts")
        };
        let port = free_port();
        let mut server = Self {
            child: spawn(port),
            port,
            folder,
        };
        let begun = Instant::now();
        while Store::open(server.place(), "probe of the server").is_err() {
            let ended = server.child.try_wait().expect("its state");
            assert!(ended.is_none(), "the server has ended: {ended:?}");
            assert!(begun.elapsed() < PATIENCE, "the server does not answer");
            std::thread::yield_now();
        }
        server
    }

    /// A connection string by the socket in the folder.
    pub fn string(&self, database: &str) -> String {
        format!(
            "host={} port={} user=ballast dbname={database}",
            self.folder.path().display(),
            self.port
        )
    }

    fn place(&self) -> Place {
        Place::Postgres(self.string("template1"), None)
    }

    /// A database without anything in it.
    pub fn database(&self, name: &str) -> String {
        run(command("createdb")
            .args(["-U", "ballast", "-T", "template0", "-h"])
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string()])
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
