//! solana-test-validator: found, started, restarted on the same ledger, ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use base64::Engine as _;
use tempfile::TempDir;
use tokio::process::Command;

use crate::ports;
use crate::process::Process;
use crate::venue::client;
use crate::wait::until;

/// Variable that names the binary.
pub const VARIABLE: &str = "SOLANA_TEST_VALIDATOR";
/// Its file name.
const BINARY: &str = "solana-test-validator";
/// How long it may take to begin.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long it may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Ports for the harness at the end of the block.
const OWN_PORTS: u16 = 16;

/// Where the validator is: the variable, then PATH.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(BINARY))
        .find(|file| file.is_file())
}

/// How to get one, in a sentence.
pub fn how_to_get_it() -> String {
    format!(
        "{BINARY} 4.2 is missing: install the Solana tools, or build it with `cargo install \
         agave-validator@4.2.2 --locked --bin {BINARY}`, or name the file in {VARIABLE}"
    )
}

/// What the cluster begins with.
pub struct Genesis<'a> {
    /// The validator's binary.
    pub binary: &'a Path,
    /// The built program, and the file with the keypair of its upgrade authority.
    pub program: (&'a Path, &'a Path),
    /// The built gate, which nobody can upgrade.
    pub gate: &'a Path,
    /// The built program that writes prices.
    pub oracle: &'a Path,
    /// Accounts to begin with: address and file.
    pub accounts: &'a [(Pubkey, PathBuf)],
    /// Length of a slot, ticks of 6.25 ms.
    pub ticks_per_slot: u64,
    /// Folder for logs.
    pub logs: &'a Path,
}

/// Writes a file from which the cluster begins with an account.
///
/// # Errors
/// When it cannot be written.
pub fn genesis_account(
    file: &Path,
    address: &Pubkey,
    owner: &Pubkey,
    lamports: u64,
    data: &[u8],
) -> Result<()> {
    let account = serde_json::json!({
        "pubkey": address.to_string(),
        "account": {
            "lamports": lamports,
            "data": [base64::engine::general_purpose::STANDARD.encode(data), "base64"],
            "owner": owner.to_string(),
            "executable": false,
            "rentEpoch": 0,
            "space": data.len(),
        }
    });
    Ok(std::fs::write(file, serde_json::to_vec(&account)?)?)
}

/// A cluster of one validator. Dropping it ends it and removes its ledger.
pub struct Validator {
    /// Its JSON RPC.
    pub url: String,
    base: u16,
    arguments: Vec<std::ffi::OsString>,
    binary: PathBuf,
    logs: PathBuf,
    process: Option<Process>,
    /// Removed with this.
    _ledger: TempDir,
}

impl Validator {
    /// Starts one and waits until it makes blocks.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(genesis: &Genesis<'_>) -> Result<Self> {
        let base = ports::free_block()?;
        let ledger = TempDir::with_prefix("ballast-validator-")?;
        let (program, authority) = genesis.program;
        let mut arguments: Vec<std::ffi::OsString> = Vec::new();
        let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
            arguments.extend(words.iter().map(|word| word.as_ref().to_owned()));
        };
        let last = base + ports::WIDTH - OWN_PORTS;
        add(&[&"--ledger", &ledger.path().join("ledger")]);
        add(&[&"--bind-address", &"127.0.0.1"]);
        add(&[&"--rpc-port", &base.to_string()]);
        add(&[&"--faucet-port", &(base + 2).to_string()]);
        add(&[&"--gossip-port", &(base + 3).to_string()]);
        add(&[&"--dynamic-port-range", &format!("{}-{last}", base + 4)]);
        add(&[&"--ticks-per-slot", &genesis.ticks_per_slot.to_string()]);
        add(&[&"--limit-ledger-size", &"50000", &"--quiet"]);
        let (ballast, receiver) = (ballast_state::ID, pyth_solana_receiver_sdk::ID);
        add(&[
            &"--upgradeable-program",
            &ballast.to_string(),
            &program,
            &authority,
        ]);
        let gate = ballast_state::gate::GATE_ID.to_string();
        add(&[&"--upgradeable-program", &gate, &genesis.gate, &"none"]);
        add(&[&"--bpf-program", &receiver.to_string(), &genesis.oracle]);
        for (address, file) in genesis.accounts {
            add(&[&"--account", &address.to_string(), file]);
        }
        let mut validator = Self {
            url: format!("http://127.0.0.1:{base}"),
            base,
            arguments,
            binary: genesis.binary.to_path_buf(),
            logs: genesis.logs.to_path_buf(),
            process: None,
            _ledger: ledger,
        };
        validator.resume(0).await?;
        Ok(validator)
    }

    /// The port of its RPC; the websocket is at the next.
    pub fn port(&self) -> u16 {
        self.base
    }

    /// A port of this run for the harness itself.
    pub fn own_port(&self, number: u16) -> u16 {
        self.base + ports::WIDTH - OWN_PORTS + number % OWN_PORTS
    }

    /// Ends it and starts it again on the same ledger; waits until it is past the slot at which it
    /// ended.
    ///
    /// # Errors
    /// When it does not end or begin.
    pub async fn restart(&mut self) -> Result<()> {
        let reached = client(&self.url)?.rpc.get_slot().await?;
        self.stop().await?;
        self.resume(reached).await
    }

    /// Ends it; the ledger stays.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.terminate(STOP_LIMIT).await?;
        }
        Ok(())
    }

    /// Starts it on its ledger and waits until it makes blocks beyond slot `reached`.
    ///
    /// # Errors
    /// When it does not.
    async fn resume(&mut self, reached: u64) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.args(&self.arguments);
        let mut process = Process::start("validator", &self.logs, &mut command)?;
        let cluster = client(&self.url)?;
        let rpc = &cluster.rpc;
        let first = until("an answer of the validator", START_LIMIT, || {
            let running = process.require_running();
            async move {
                if let Err(ended) = running {
                    return Ok(Some(Err(ended)));
                }
                Ok(Some(Ok(rpc.get_slot().await?)))
            }
        })
        .await??;
        // An inner error ends the wait: the process is gone.
        until("a new block", START_LIMIT, || {
            let running = process.require_running();
            async move {
                if let Err(ended) = running {
                    return Ok(Some(Err(ended)));
                }
                let slot = rpc.get_slot().await?;
                Ok((slot > first.max(reached)).then_some(Ok(())))
            }
        })
        .await??;
        self.process = Some(process);
        Ok(())
    }
}
