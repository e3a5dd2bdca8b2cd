//! Every command, on a node that does not answer and whose URL holds a key: nothing it prints
//! has the key in it.

use std::path::Path;
use std::process::{Command, Output};

const KEY: &str = "SECRETKEY";
const ADDRESS: &str = "28FAGx6i8H3gtBjbf2YsH6QuoJVcUZaZdLtRRySuqFsQ";
const SIGNATURE: &str =
    "533AVWNSwYZjQfRwCbcJsGaU2VaJbcfz23u6vdRXsBXEjSKLQdGWe3JNM4yb1qS5kUe2zGiGAgxyQ1NKeH1tCoYV";

/// A line of every command that talks to a cluster.
fn lines() -> Vec<String> {
    let order = "--market 0 --side buy --size 1 --price 1";
    [
        "markets",
        "market 0",
        "trader create",
        "trader show",
        "trader list",
        "trader close",
        "trader delegate --revoke",
        "deposit 1",
        "withdraw 1",
        "margin add 1 --market 0",
        "margin remove 1 --market 0",
        "account",
        "cross add 1",
        "cross remove 1",
        "cross join --market 0",
        "cross leave 1 --market 0",
        "cross record",
        "admin enable-cross --market 0 --most 1",
        "release-profit --market 0",
        "withdraw-fees --market 0",
        &format!("order place {order}"),
        &format!("order replace 1 {order}"),
        "order cancel 1 --market 0",
        "order cancel-all --market 0",
        "order list",
        "trigger place stop-loss --market 0 --price 1",
        "trigger cancel stop-loss --market 0",
        "protect set --market 0 --step 150:50",
        "protect clear --market 0",
        "protect close --market 0",
        "protect show --market 0",
        "positions",
        "history",
        "adl list",
        "book",
        "balance",
        "admin show",
        "admin pause open",
        "admin resume open",
        &format!("admin propose risk {ADDRESS}"),
        "admin accept risk",
        "admin grow-queue --market 0 --side long --positions 9",
        "cross trade --market 0 --side buy --size 1",
        &format!("admin stage treasury {ADDRESS}"),
        "admin stage delays --risk 1 --rest 2",
        "admin stage delist --market 0",
        &format!("admin apply {ADDRESS}"),
        &format!("admin cancel {ADDRESS}"),
        "admin raise-delays --risk 1 --rest 2",
        "guardian pause open",
        "guardian reduce-only --market 0",
        "admin stage reopen --market 0",
        "admin stage pause open --slots 10",
        "admin stage resume",
        "admin stage pool --market 0 --cap-bps 4000",
        "pool close --market 0",
        "stake close --market 0",
        &format!("admin stage oracle --market 0 --push {ADDRESS}"),
        &format!("witness-oracle {ADDRESS}"),
        "modes",
        "wind-down declare-dead --market 0",
        "wind-down begin --market 0",
        "wind-down count --market 0",
        "wind-down settle --market 0 --all",
        "wind-down close --market 0",
        &format!("guardian cancel {ADDRESS}"),
        "queue",
        "gap",
        "risk --market 0 --shock -5",
        &format!("watch --once --webhook http://127.0.0.1:1/{KEY}"),
        "gate show",
        &format!("gate open --guardian {ADDRESS}"),
        &format!("gate stage --upgrade {ADDRESS}"),
        "gate cancel",
        "gate execute",
        "gate raise-delay 9",
        "verify",
        "migrate",
        "stake open --market 0",
        "stake deposit 1 --market 0",
        "stake request all --market 0",
        "stake cancel --market 0",
        "stake withdraw --market 0",
        "stake show --market 0",
        "pool create --market 0",
        "pool deposit 1 --market 0",
        "pool request all --market 0",
        "pool cancel --market 0",
        "pool withdraw --market 0",
        "pool show --market 0",
        "pool stop --market 0",
        "pool reset --market 0",
        "insurance donate 1 --market 0",
        "insurance sweep --market 0",
        "insurance withdraw --market 0",
        &format!("explain-adl {SIGNATURE}"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn run(line: &str, url: &str, keypair: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
    command.args(line.split(' ')).arg("--keypair").arg(keypair);
    command.args(["--url", url]).output().expect("a command")
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(text).expect("text")
}

/// The commands below `path`, as its help lists them; itself when it has none.
fn leaves(path: &[&str]) -> Vec<String> {
    let mut help = Command::new(env!("CARGO_BIN_EXE_ballast"));
    let help = help.args(path).arg("--help").output().expect("help");
    let help = String::from_utf8(help.stdout).expect("text");
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let listed = listed.split("\n\n").next().unwrap_or_default();
    let names = listed.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then(|| name.to_owned())
    });
    let mut found: Vec<String> = names
        .flat_map(|name| {
            let below: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
            leaves(&below)
        })
        .collect();
    if found.is_empty() {
        found.push(path.join(" "));
    }
    found
}

#[test]
fn no_command_prints_the_key_of_its_endpoint() {
    let folder = std::env::temp_dir().join(format!("ballast-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let keypair = folder.join("key.json");
    let bytes = solana_keypair::Keypair::new().to_bytes().to_vec();
    std::fs::write(&keypair, serde_json::to_string(&bytes).expect("JSON")).expect("written");
    let dead = format!("http://user:{KEY}@127.0.0.1:1/v2/{KEY}?api-key={KEY}");
    let named = format!("--trader {ADDRESS}");
    let urls = [
        dead.as_str(),
        KEY,
        &format!("ws://h/{KEY}"),
        &format!("h/{KEY}"),
    ];
    for line in lines() {
        for (number, url) in urls.iter().enumerate() {
            let json = if number == 1 { " --output json" } else { "" };
            let output = run(&format!("{line}{json}"), url, &keypair);
            let said = said(&output);
            assert!(!said.contains(KEY), "`{line}` on {number}: {said}");
            assert!(!output.status.success(), "`{line}` on {number}: {said}");
            if number == 0 {
                assert!(
                    said.contains("127.0.0.1:1"),
                    "`{line}` names no host: {said}"
                );
            }
        }
    }
    let positions = run(&format!("positions {named}"), &dead, &keypair);
    assert!(!said(&positions).contains(KEY));
    for leaf in leaves(&[]) {
        let local =
            ["queue-rent", "explain-adl", "insurance", "calibrate"].contains(&leaf.as_str());
        let tried = lines()
            .iter()
            .any(|line| line == &leaf || line.starts_with(&format!("{leaf} ")));
        assert!(tried || local, "`ballast {leaf}` is not among those tried");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}
