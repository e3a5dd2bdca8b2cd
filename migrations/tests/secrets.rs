//! Nothing that `deploy` prints has the key of its node in it.

use std::path::Path;
use std::process::Command;

use solana_keypair::{write_keypair_file, Keypair};

const KEY: &str = "SECRETKEY";

#[test]
fn deploy_prints_no_key_of_its_endpoint() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy-secrets");
    std::fs::create_dir_all(&folder).expect("a folder");
    let keypair = folder.join("admin.json");
    write_keypair_file(&Keypair::new(), &keypair).expect("a keypair");
    let dead = format!("http://user:{KEY}@127.0.0.1:1/v2/{KEY}?api-key={KEY}");
    let none = format!("127.0.0.1/{KEY}");
    for (url, named) in [(&dead, "127.0.0.1:1"), (&none, "http://")] {
        for options in [&[][..], &["--dry-run"], &["--output", "json"]] {
            let mut deploy = Command::new(env!("CARGO_BIN_EXE_deploy"));
            deploy.args(["--url", url]).args(options);
            deploy.arg("--keypair").arg(&keypair);
            deploy.args([
                "--config",
                concat!(env!("CARGO_MANIFEST_DIR"), "/localnet.toml"),
            ]);
            let output = deploy.output().expect("a run");
            assert!(!output.status.success());
            let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
            assert!(!said.contains(KEY), "{options:?}: {said}");
            assert!(said.contains(named), "{options:?}: {said}");
        }
    }
}
