//! From prices to a market on a cluster: what `ballast calibrate` writes is what `deploy` creates a market with, on a
//! node over the built program.

use std::fs;
use std::path::Path;
use std::process::Command;

use ballast_client::accounts;
use ballast_node::{Node, Settings};
use ballast_risk::calibrate::{calibrate, Calibration, Liquidity, Request};
use ballast_risk::prices::Prices;
use ballast_risk::report::risk_toml;
use ballast_sandbox::{MarketConfig, Options, Sandbox};
use tokio::runtime::Runtime;

const SERIES: &str = "../crates/risk/tests/calibration/data/minutes.csv";

fn calibration() -> Calibration {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SERIES);
    let request = Request {
        level: 0.999,
        initial_level: 0.99,
        horizon_seconds: None,
        open_interest_usd: 50e6,
        liquidity: Liquidity::assumed(50e6),
        insurance_usd: None,
        spot_depth_usd: None,
        at_risk_part: 0.25,
        draws: 50,
        seed: 1,
    };
    calibrate(&Prices::load(&file).expect("prices"), &request).expect("calibrated")
}

/// A file for `deploy` with one market, of the parameters in `risk.toml` beside it.
const MARKET: &str = r#"
[exchange]

[[markets]]
name = "CALIBRATED"
feed_id = "0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d"
tick = "0.001"
lot = "0.001"
queue_positions = 16
book_orders = 16
risk = "risk.toml"
"#;

#[test]
fn a_market_is_created_with_what_a_calibration_wrote() {
    let calibration = calibration();
    let folder = tempfile::tempdir().expect("a directory");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("risk.toml"), risk_toml(&calibration).expect("TOML")).expect("a file");
    fs::write(at("market.toml"), MARKET).expect("a file");
    let set_up = Sandbox::with_market(&Options::default(), &MarketConfig::sol());
    let (sandbox, _) = set_up.expect("a sandbox");
    let bytes = sandbox.admin_keypair().to_bytes().to_vec();
    fs::write(at("admin"), serde_json::to_string(&bytes).expect("JSON")).expect("a file");
    let runtime = Runtime::new().expect("a runtime");
    let serving = Node::serve(sandbox, Settings::default());
    let node = runtime.block_on(serving).expect("free ports");
    let deploy = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.args(["--url", &node.url(), "--output", "json", "--keypair"]);
        command
            .arg(at("admin"))
            .arg("--config")
            .arg(at("market.toml"));
        let output = command.args(more).output().expect("the command runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        // Delays of the node's exchange are not those of the file, which is told and left.
        assert!(
            [Some(0), Some(2)].contains(&output.status.code()),
            "{error}"
        );
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let report = deploy(&[]);
    let market = report["markets"][0]["address"]
        .as_str()
        .expect("an address");
    let address = market.parse().expect("an address");
    let account = node.with(|it| it.account(&address)).expect("an account");
    let stored = accounts::market(&account.data).expect("a market");
    assert_eq!(*stored.params(), calibration.params);
    // A second run finds nothing to do.
    let again = deploy(&[]);
    assert_eq!(
        again["transactions"].as_array().map(Vec::len),
        Some(0),
        "{again}"
    );
}
