//! `ballast verify`: whether the program on the chain is that of a release, and who could replace it.

use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use anyhow::{bail, Context, Result};
use ballast_client::gate::program_data;
use ballast_state::gate::GATE_ID;
use ballast_state::seeds::UPGRADEABLE_LOADER;
use clap::Args;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::failure::Usage;
use super::gate::{self, GateView};
use super::session::Session;
use super::words::hex;

/// What stands before the code in a program's data: state, slot, authority.
const DATA_HEADER: usize = 45;

/// Arguments of `verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The program.
    #[arg(long, value_name = "PROGRAM", default_value_t = ballast_state::ID)]
    program: Pubkey,
    /// The `release.toml` of the release that it should be, as `cargo xtask release` writes it.
    #[arg(long, value_name = "FILE")]
    release: Option<PathBuf>,
}

/// What `cargo xtask release` writes, as far as it is read here.
#[derive(Clone, Debug, Deserialize)]
struct Release {
    version: String,
    commit: String,
    ballast: Built,
    ballast_gate: Built,
}

#[derive(Clone, Debug, Deserialize)]
struct Built {
    sha256: String,
}

/// A program's data account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deployed {
    slot: u64,
    authority: Option<Pubkey>,
    sha256: String,
    bytes: usize,
}

impl Deployed {
    /// From the data of the account; `None` where it is not a program's.
    fn read(data: &[u8]) -> Option<Self> {
        let (header, code) = data.split_at_checked(DATA_HEADER)?;
        let (kind, rest) = header.split_at(4);
        let (slot, rest) = rest.split_at(8);
        let (has, key) = rest.split_first()?;
        if kind != 3_u32.to_le_bytes() {
            return None;
        }
        let code = trimmed(code);
        Some(Self {
            slot: u64::from_le_bytes(slot.try_into().ok()?),
            // No key signs for the address of zeros, with which some genesis files begin.
            authority: (*has == 1)
                .then(|| Pubkey::try_from(key).ok())
                .flatten()
                .filter(|key| *key != Pubkey::default()),
            sha256: hex(&Sha256::digest(code)),
            bytes: code.len(),
        })
    }
}

/// Code without the zeros that fill its account up.
fn trimmed(code: &[u8]) -> &[u8] {
    let end = code.iter().rposition(|byte| *byte != 0);
    code.get(..end.map_or(0, |last| last.saturating_add(1)))
        .unwrap_or_default()
}

/// What is printed.
#[derive(Clone, Debug, Serialize)]
struct VerifyView {
    program: String,
    sha256: String,
    bytes: usize,
    deployed_slot: u64,
    /// Who may replace the program; `null` when nobody can.
    upgrade_authority: Option<String>,
    /// The gate, where it is the upgrade authority.
    gate: Option<GateView>,
    /// Who may replace the gate's own program; `null` when nobody can, or there is no gate.
    gate_upgrade_authority: Option<String>,
    /// Version and commit of the release it is; `null` without `--release`.
    release: Option<String>,
}

impl VerifyView {
    fn words(&self) -> String {
        let mut text = format!(
            "Program {}\n  sha256   {} ({} bytes without the zeros at the end)\n  deployed in slot {}",
            self.program, self.sha256, self.bytes, self.deployed_slot
        );
        if let Some(release) = &self.release {
            text.push_str(&format!("\n  release  {release}: the same"));
        }
        match (&self.upgrade_authority, &self.gate) {
            (None, _) => text.push_str("\n  final: nobody can replace it"),
            (Some(key), None) => text.push_str(&format!("\n  {key} CAN REPLACE IT AT ONCE")),
            (Some(_), Some(gate)) => {
                text.push('\n');
                text.push_str(&gate.words());
                text.push_str(&match &self.gate_upgrade_authority {
                    None => "\n  the gate's own program is final".to_owned(),
                    Some(key) => {
                        format!("\n  {key} CAN REPLACE THE GATE'S OWN PROGRAM, AND SO BOTH")
                    }
                });
            }
        }
        text
    }
}

/// Runs `ballast verify`.
pub async fn run(session: &Session, args: &VerifyArgs) -> Result<()> {
    let deployed = read(session, &args.program).await?;
    let address = ballast_client::gate::address(&args.program);
    let gated = deployed.authority == Some(address);
    let (gate, gate_upgrade_authority) = if gated {
        let slot = session.cluster.clock().await?.slot;
        let gate = gate::read(session, &args.program).await?;
        let own = read(session, &GATE_ID).await?;
        (gate.map(|gate| GateView::new(&gate, slot)), own.authority)
    } else {
        (None, None)
    };
    let release = match &args.release {
        None => None,
        Some(_) => Some(compare(args, &deployed)?),
    };
    let view = VerifyView {
        program: args.program.to_string(),
        sha256: deployed.sha256,
        bytes: deployed.bytes,
        deployed_slot: deployed.slot,
        upgrade_authority: deployed.authority.map(|key| key.to_string()),
        gate,
        gate_upgrade_authority: gate_upgrade_authority.map(|key| key.to_string()),
        release,
    };
    session.answer(&view, || view.words())
}

async fn read(session: &Session, program: &Pubkey) -> Result<Deployed> {
    let (_, found) = session.cluster.accounts(&[program_data(program)]).await?;
    let account = found.into_iter().flatten().next();
    let account = account.filter(|account| account.owner == UPGRADEABLE_LOADER);
    let deployed = account.and_then(|account| Deployed::read(&account.data));
    deployed.ok_or_else(|| {
        Usage(format!(
            "{program} is no program of the upgradeable loader on this cluster"
        ))
        .into()
    })
}

/// Version and commit of the release, if the program is that one.
fn compare(args: &VerifyArgs, deployed: &Deployed) -> Result<String> {
    let file = args.release.clone().unwrap_or_default();
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let release: Release =
        toml::from_str(&text).with_context(|| format!("{} is no release.toml", file.display()))?;
    let built = if args.program == GATE_ID {
        &release.ballast_gate
    } else {
        &release.ballast
    };
    let name = format!("{} of commit {}", release.version, release.commit);
    if built.sha256 != deployed.sha256 {
        bail!(
            "program {} is NOT release {name}: its code has sha256 {}, the release {}",
            args.program,
            deployed.sha256,
            built.sha256
        );
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(authority: Option<[u8; 32]>, code: &[u8]) -> Vec<u8> {
        let mut data = vec![3, 0, 0, 0];
        data.extend(77_u64.to_le_bytes());
        data.push(u8::from(authority.is_some()));
        data.extend(authority.unwrap_or_default());
        data.extend(code);
        data
    }

    #[test]
    fn the_hash_is_that_of_the_code_without_the_zeros_that_fill_up() {
        // SHA-256 of "abc", from FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let read = |code: &[u8]| Deployed::read(&data(Some([5; 32]), code)).unwrap();
        for code in [&b"abc"[..], b"abc\0\0\0\0"] {
            let deployed = read(code);
            assert_eq!((deployed.sha256.as_str(), deployed.bytes), (abc, 3));
            assert_eq!(deployed.slot, 77);
            assert_eq!(deployed.authority, Some(Pubkey::new_from_array([5; 32])));
        }
        assert_ne!(read(b"abd").sha256, abc);
        assert_eq!(Deployed::read(&data(None, b"abc")).unwrap().authority, None);
        let zeros = data(Some([0; 32]), b"abc");
        assert_eq!(Deployed::read(&zeros).unwrap().authority, None);
        assert_eq!(Deployed::read(b"abc"), None);
    }

    #[test]
    fn a_program_of_another_hash_is_not_the_release() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("release.toml");
        let deployed = Deployed::read(&data(None, b"abc")).unwrap();
        let args = VerifyArgs {
            program: ballast_state::ID,
            release: Some(file.clone()),
        };
        let write = |ballast: &str| {
            let text = format!(
                "version = \"9.9.9\"\ncommit = \"c0ffee\"\n[ballast]\nsha256 = \"{ballast}\"\n[ballast_gate]\nsha256 = \"00\"\n"
            );
            std::fs::write(&file, text).unwrap();
        };
        write(&deployed.sha256);
        assert_eq!(compare(&args, &deployed).unwrap(), "9.9.9 of commit c0ffee");
        write("11");
        let differs = compare(&args, &deployed).unwrap_err().to_string();
        assert!(
            differs.contains("NOT release 9.9.9") && differs.contains("11"),
            "{differs}"
        );
    }

    #[test]
    fn a_key_that_can_replace_the_program_at_once_is_said_aloud() {
        let view = |upgrade_authority| VerifyView {
            program: "P".to_owned(),
            sha256: "00".to_owned(),
            bytes: 1,
            deployed_slot: 2,
            upgrade_authority,
            gate: None,
            gate_upgrade_authority: None,
            release: None,
        };
        assert!(view(None).words().contains("final: nobody"));
        let loud = view(Some("K".to_owned())).words();
        assert!(loud.contains("K CAN REPLACE IT AT ONCE"), "{loud}");
    }
}
