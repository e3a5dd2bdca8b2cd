//! Nothing that the keeper prints has the key of its node in it.

use std::process::Command;

use solana_keypair::Keypair;

const KEY: &str = "SECRETKEY";

#[test]
fn the_keeper_prints_no_key_of_its_endpoint() {
    let dead = format!("http://user:{KEY}@127.0.0.1:1/v2/{KEY}?api-key={KEY}");
    let none = format!("127.0.0.1/{KEY}");
    for (arguments, url, named) in [
        (vec!["--once"], &dead, "127.0.0.1:1"),
        (vec!["--once", "--dry-run"], &dead, "127.0.0.1:1"),
        (vec!["check-config"], &dead, "127.0.0.1:1"),
        (vec!["--once"], &none, "expected a URL"),
        (vec!["check-config"], &none, "expected a URL"),
    ] {
        let mut keeper = Command::new(env!("CARGO_BIN_EXE_ballast-keeper"));
        keeper.args(&arguments);
        keeper.env("RUST_LOG", "trace");
        keeper.env("BALLAST_KEEPER_RPC_URL", url);
        keeper.env("BALLAST_KEEPER_KEYPAIR", Keypair::new().to_base58_string());
        let output = keeper.output().expect("a keeper");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("text");
        assert!(!said.contains(KEY), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}
