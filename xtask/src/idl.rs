//! `cargo xtask idl`: the program's interface description, built from its source.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anchor_lang_idl::build::IdlBuilder;
use anchor_lang_idl::types::{Idl, IdlInstructionAccountItem, IdlSeed};

use crate::{cargo, workspace, Drift};

/// Where the description is committed.
const IDL: &str = "idl/ballast.json";

/// The builder sets compiler flags of its own, which is why it gets a folder of its own: the next
/// build of the workspace would begin anew otherwise.
const TARGET: &str = "target/idl-build";
const CARGO_ARGS: [&str; 6] = [
    "--lib",
    "--locked",
    "--config",
    "profile.dev.opt-level=0",
    "--config",
    "profile.dev.debug=false",
];

/// Writes `idl/ballast.json`, or says whether it is what the source makes.
pub fn idl(drift: Drift) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let built = build(&root)?;
    let file = root.join(IDL);
    if drift.check {
        return match fs::read_to_string(&file) {
            Ok(committed) if committed == built => Ok(ExitCode::SUCCESS),
            _ => Err(format!(
                "{IDL} is not what the program's source makes; run: cargo xtask idl"
            )),
        };
    }
    let folder = file.parent().unwrap_or(&root);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, built))
        .map_err(|problem| format!("{IDL} cannot be written ({problem})."))?;
    println!("{IDL}");
    Ok(ExitCode::SUCCESS)
}

fn build(root: &Path) -> Result<String, String> {
    // The builder hands this variable to cargo as the literal text "+{toolchain}".
    // `rust-toolchain.toml` says the same.
    std::env::remove_var("RUSTUP_TOOLCHAIN");
    cargo::forget_own_package();
    let mut cargo_args = CARGO_ARGS.map(String::from).to_vec();
    cargo_args.push(format!("--target-dir={}", root.join(TARGET).display()));
    let mut idl = IdlBuilder::new()
        .program_path(root.join("programs/ballast"))
        .cargo_args(cargo_args)
        .build()
        .map_err(|problem| format!("the IDL was not built: {problem}"))?;
    name_market_seed(&mut idl)
        .ok_or("the seeds of `create_market` are not those of the exchange's market count.")?;
    let text = serde_json::to_string_pretty(&idl)
        .map_err(|problem| format!("the IDL cannot be written as JSON ({problem})."))?;
    Ok(text + "\n")
}

/// The builder takes the last seed of a new market, the exchange's market count, for the exchange's
/// address; this says which field it is. None when there is no such seed.
fn name_market_seed(idl: &mut Idl) -> Option<()> {
    let mut instructions = idl.instructions.iter_mut();
    let create = instructions.find(|one| one.name == "create_market")?;
    let market = create.accounts.iter_mut().find_map(|item| match item {
        IdlInstructionAccountItem::Single(account) if account.name == "market" => Some(account),
        _ => None,
    })?;
    match market.pda.as_mut()?.seeds.last_mut()? {
        IdlSeed::Account(seed) if seed.path == "exchange" => {
            seed.path = "exchange.market_count".into();
            seed.account = Some("Exchange".into());
            Some(())
        }
        _ => None,
    }
}
