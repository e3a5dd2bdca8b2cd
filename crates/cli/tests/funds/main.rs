//! The built command's `pool`, `stake`, `protect`, `cross` and `admin stage pool`, on a node over the built program: what they print
//! for people and as JSON, and what they say where something is refused.

mod cross;
mod pool;
mod protection;
mod staging;
mod stake;

use std::path::PathBuf;
use std::process::{Command, Output};

use ballast_node::{Node, Settings};
use ballast_sandbox::{MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, Wallet};
use serde_json::Value;
use solana_keypair::Keypair;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Atoms of a dollar.
const USD: u64 = 1_000_000;

/// A market at $200 behind a node, and files of keys.
struct Desk {
    node: Node,
    sol: MarketCookie,
    keys: TempDir,
    admin: PathBuf,
    /// Serves the node.
    _runtime: Runtime,
}

impl Desk {
    fn new() -> Self {
        let mut config = MarketConfig::sol();
        config.risk.min_order_atoms = 1;
        config.risk.funding_rate_ppm_per_hour = 0;
        let set_up = Sandbox::with_market(&Options::default(), &config);
        let (sandbox, sol) = set_up.expect("a sandbox");
        let admin = sandbox.admin_keypair();
        let runtime = Runtime::new().expect("a runtime");
        let serving = Node::serve(sandbox, Settings::default());
        let mut desk = Self {
            node: runtime.block_on(serving).expect("free ports"),
            sol,
            keys: tempfile::tempdir().expect("a directory"),
            admin: PathBuf::new(),
            _runtime: runtime,
        };
        desk.admin = desk.key("admin", &admin);
        desk
    }

    /// The same with a pool, signed by nobody that a test needs.
    fn with_pool() -> Self {
        let desk = Self::new();
        desk.does(&desk.admin, &["pool", "create"]);
        desk
    }

    fn key(&self, name: &str, keypair: &Keypair) -> PathBuf {
        let path = self.keys.path().join(name);
        let bytes = serde_json::to_string(&keypair.to_bytes().to_vec()).expect("JSON");
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// A wallet that has `dollars`, and the file of its key.
    fn wallet(&self, dollars: u64) -> (Wallet, PathBuf) {
        let made = self.node.with(|it| it.create_wallet(dollars * USD));
        let wallet = made.expect("a wallet");
        let path = self.key(&wallet.address().to_string(), &wallet.keypair);
        (wallet, path)
    }

    fn trader(&self, dollars: u64) -> TraderCookie {
        let made = self.node.with(|it| it.create_trader(dollars * USD));
        made.expect("a trader")
    }

    /// Lets slots pass, and publishes the price again.
    fn later(&self, slots: u64, ticks: u64) {
        self.node.with(|it| {
            it.advance_slots(slots);
            it.set_price(&self.sol, ticks);
        });
    }

    fn run(&self, key: &PathBuf, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
        command.args(arguments);
        let everywhere = ["admin", "positions", "watch", "account", "history"];
        let pool = ["add", "remove", "record"];
        let of_no_market = arguments.first().is_some_and(|it| everywhere.contains(it))
            || arguments.first() == Some(&"cross")
                && arguments.get(1).is_some_and(|it| pool.contains(it));
        if !of_no_market {
            command.args(["--market", "SOL-PERP"]);
        }
        command
            .args(["--url", &self.node.url()])
            .arg("--keypair")
            .arg(key);
        let price = self.sol.keys.price.to_string();
        command.args(["--price-account", &price]);
        command.output().expect("the command runs")
    }

    /// What a command prints that succeeds.
    #[track_caller]
    fn says(&self, key: &PathBuf, arguments: &[&str]) -> String {
        let output = self.run(key, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The same as JSON.
    #[track_caller]
    fn does(&self, key: &PathBuf, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--output", "json"]);
        serde_json::from_str(&self.says(key, &arguments)).expect("JSON")
    }

    /// What a command says that is refused, which is one sentence that names no number of an error.
    #[track_caller]
    fn refuses(&self, key: &PathBuf, arguments: &[&str], expected: &[&str]) {
        let output = self.run(key, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        for part in expected {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(
            !error.contains("0x") && !error.contains("Custom("),
            "{error}"
        );
    }
}
