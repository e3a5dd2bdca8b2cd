//! An upgrade of the program behind the gate, by the command line, under a live market.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{ensure, Context, Result};
use ballast_state::seeds::UPGRADEABLE_LOADER;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::commands::CommandLine;
use crate::stage::Stage;
use crate::Args;
use ballast_localnet::validator::genesis_account;
use ballast_localnet::venue::{airdrop, keypair_file};
use ballast_localnet::wait::until;

/// How long the gate lets a change wait here, slots.
const DELAY_SLOTS: u64 = 12;
/// How long that may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A buffer with the program's code, one letter of the address for reports changed; `authority` holds it.
///
/// # Errors
/// When a file cannot be read or written, or the program has no such text.
pub fn buffer(folder: &Path, program: &Path, authority: &Pubkey) -> Result<(Pubkey, PathBuf)> {
    let mut code = std::fs::read(program)?;
    let address = b"https://ballast.example";
    let place = code
        .windows(address.len())
        .position(|bytes| bytes == address);
    let letter = place.and_then(|place| code.get_mut(place + address.len() - 1));
    *letter.context("the program names no address for reports")? ^= 0x20;
    let mut data = [&[1, 0, 0, 0, 1], authority.as_ref()].concat();
    data.append(&mut code);
    let (address, file) = (Pubkey::new_unique(), folder.join("buffer.json"));
    genesis_account(&file, &address, &UPGRADEABLE_LOADER, 100_000_000_000, &data)?;
    Ok((address, file))
}

/// Puts the program behind a gate, has the guardian cancel an upgrade and lets another through; the market
/// goes on. What was checked, in a sentence.
///
/// # Errors
/// When a command fails or says something else than it should.
pub async fn through_the_gate(stage: &Stage, args: &Args) -> Result<String> {
    let admin = CommandLine::new(stage, args, stage.folder.path().join("admin.json"));
    let wallet = Keypair::new();
    airdrop(&stage.cluster, &wallet.pubkey()).await?;
    let file = keypair_file(stage.folder.path(), "guardian", &wallet)?;
    let guardian = CommandLine::new(stage, args, file);
    let accounts = stage.cluster.traders().await?.len();

    let (key, code) = (wallet.pubkey(), stage.new_code);
    let open = format!("gate open --guardian {key} --delay {DELAY_SLOTS}");
    admin.run(&open).await?;
    let before = verified(&admin).await?;
    ensure!(
        before["gate"]["staged"].is_null() && before["gate_upgrade_authority"].is_null(),
        "the gate has something staged or is not final: {before}"
    );
    let stage_it = format!("gate stage --upgrade {code}");
    guardian.refused(&stage_it, "NotProposer").await?;
    admin.run(&stage_it).await?;
    admin.refused("gate execute", "TooEarly").await?;
    guardian.run("gate cancel").await?;
    admin.refused("gate execute", "nothing is staged").await?;

    admin.run(&stage_it).await?;
    let staged = verified(&admin).await?;
    let due = staged["gate"]["staged"]["due_slot"].as_u64();
    let due = due.context("nothing is staged")?;
    ensure!(
        staged["sha256"] == before["sha256"],
        "the program is another before it is due"
    );
    until("the end of the gate's delay", LIMIT, || async {
        Ok((stage.cluster.clock().await?.slot >= due).then_some(()))
    })
    .await?;
    guardian.run("gate execute").await?;
    let after = verified(&admin).await?;
    ensure!(
        after["sha256"] != before["sha256"] && after["bytes"] == before["bytes"],
        "the program is not the staged one: {after}"
    );
    ensure!(
        stage.cluster.traders().await?.len() == accounts,
        "the upgrade changed the trader accounts"
    );
    // A program is usable in the slot after its deployment.
    let deployed = after["deployed_slot"].as_u64();
    let usable = deployed.context("no slot of deployment")? + 2;
    until("a slot after the upgrade", LIMIT, || async {
        Ok((stage.cluster.clock().await?.slot >= usable).then_some(()))
    })
    .await?;
    let created = "/events/0/event";
    guardian
        .says("trader create", created, &"TraderCreated".into())
        .await?;
    Ok(format!(
        "the program went behind the gate; the guardian cancelled an upgrade, another was refused before \
         slot {due} and went through after it; {accounts} trader accounts stayed"
    ))
}

async fn verified(line: &CommandLine<'_>) -> Result<Value> {
    let said = line.run("verify").await?;
    said.into_iter()
        .next()
        .context("`ballast verify` said nothing")
}
