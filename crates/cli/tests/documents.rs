//! Every `ballast` line of the operator's documents is one that the command knows.

use std::path::Path;
use std::process::Command;

/// Documents with how many commands they have at least.
const DOCUMENTS: [(&str, usize); 3] = [("RUNBOOK.md", 16), ("OPERATING.md", 16), ("RISK.md", 2)];
const ADDRESS: &str = "28FAGx6i8H3gtBjbf2YsH6QuoJVcUZaZdLtRRySuqFsQ";
const SIGNATURE: &str =
    "533AVWNSwYZjQfRwCbcJsGaU2VaJbcfz23u6vdRXsBXEjSKLQdGWe3JNM4yb1qS5kUe2zGiGAgxyQ1NKeH1tCoYV";

/// The lines of a document's blocks of code that begin with `ballast `.
fn lines(document: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = std::fs::read_to_string(folder.join(document)).expect(document);
    let blocks = text.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().map(str::trim));
    lines
        .filter(|line| line.starts_with("ballast "))
        .map(str::to_owned)
        .collect()
}

/// What stands in for what an operator fills in.
fn filled(word: &str) -> &str {
    match word.trim_start_matches('$') {
        "SIGNATURE" => SIGNATURE,
        "ACCOUNT" | "KEY" | "STAGED" | "TREASURY" | "ANN" | "BEN" | "ANN_WALLET"
        | "KEEPER_WALLET" => ADDRESS,
        "FEED" => "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
        "MARKET" => "0",
        "AMOUNT" => "1",
        _ => word,
    }
}

#[test]
fn the_commands_of_the_operator_s_documents_exist() {
    for (document, least) in DOCUMENTS {
        let lines = lines(document);
        assert!(
            lines.len() >= least,
            "{document} has {} commands",
            lines.len()
        );
        for line in lines {
            let mut ballast = Command::new(env!("CARGO_BIN_EXE_ballast"));
            ballast.args(line.split(' ').skip(1).map(filled));
            // Nobody's: what is understood fails there, or at a keypair that is not there.
            ballast.args(["--url", "http://127.0.0.1:1"]);
            let output = ballast.output().expect("a command");
            let said = String::from_utf8_lossy(&output.stderr);
            // What clap does not understand it answers with the usage of the command.
            assert!(
                !said.contains("Usage:") && !said.contains("For more information"),
                "{document}: `{line}`: {said}"
            );
        }
    }
}
