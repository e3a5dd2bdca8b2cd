//! Sending what a set-up needs, and keeping account of it.

use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{bail, Context, Result};
use ballast_client::amount::truncated_decimal;
use ballast_rpc::cluster::Cluster;
use ballast_rpc::sender::{FeePolicy, Landed, Progress, Sender};
use ballast_rpc::settings::Settings;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::report::Sent;

/// Kept for fees beyond the rent that is known, lamports.
pub const FOR_FEES: u64 = 100_000_000;
/// Kept for the small accounts of an exchange or a market and a token account, lamports.
pub const SMALL_ACCOUNTS: u64 = 50_000_000;

/// Time between two looks at an airdrop under way.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A cluster, the admin's key, and what was sent.
pub struct Deployment {
    /// The cluster to read from and send to.
    pub cluster: Arc<Cluster>,
    /// The admin, who pays.
    pub admin: Arc<Keypair>,
    /// What was sent.
    pub sent: Vec<Sent>,
    sender: Sender,
    local: bool,
}

impl Deployment {
    /// On the cluster and with the key of the settings.
    ///
    /// # Errors
    /// When there is no key.
    pub fn new(settings: &Settings) -> Result<Self> {
        let cluster = Arc::new(Cluster::new(settings));
        let admin = Arc::new(settings.keypair()?);
        let sender = Sender::new(cluster.clone(), admin.clone(), FeePolicy::default())
            .telling(Arc::new(tell));
        Ok(Self {
            cluster,
            admin,
            sent: Vec::new(),
            sender,
            local: settings.rpc_url.is_local(),
        })
    }

    /// The admin's address.
    pub fn admin(&self) -> Pubkey {
        self.admin.pubkey()
    }

    /// Whether the cluster is on this machine.
    pub const fn is_local(&self) -> bool {
        self.local
    }

    /// What the admin holds, lamports.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn lamports(&self) -> Result<u64> {
        Ok(self.cluster.rpc.get_balance(&self.admin()).await?)
    }

    /// Fails on any cluster but one on this machine.
    ///
    /// # Errors
    /// On another cluster.
    pub fn require_local(&self, what: &str) -> Result<()> {
        if !self.local {
            bail!("{what} is for a cluster on this machine only");
        }
        Ok(())
    }

    /// Signs, sends and notes a transaction.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn send(
        &mut self,
        what: String,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Landed> {
        let landed = self.sender.send(instructions, signers, &[]).await;
        let landed = landed.with_context(|| format!("{what} failed"))?;
        self.sent.push(Sent {
            what,
            signature: landed.signature.to_string(),
        });
        Ok(landed)
    }

    /// What an account of so many bytes must hold, lamports.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn rent(&self, space: usize) -> Result<u64> {
        let rpc = &self.cluster.rpc;
        Ok(rpc.get_minimum_balance_for_rent_exemption(space).await?)
    }

    /// Makes sure that the admin has so many lamports and some for fees; takes what is missing from
    /// the faucet of a local cluster.
    ///
    /// # Errors
    /// When it has not.
    pub async fn require_funds(&self, lamports: u64) -> Result<()> {
        let rpc = &self.cluster.rpc;
        let needed = lamports + FOR_FEES;
        let held = rpc.get_balance(&self.admin()).await?;
        if held >= needed {
            return Ok(());
        }
        let missing = needed - held;
        if !self.local {
            bail!(
                "{} has {} SOL and needs {}: send it some",
                self.admin(),
                sol(held),
                sol(needed)
            );
        }
        let signature = rpc.request_airdrop(&self.admin(), missing).await;
        let signature = signature.context("the faucet of the local cluster gave nothing")?;
        let (_, last_height) = self.sender.blockhash().await?;
        let mut look = tokio::time::interval(LOOK_EVERY);
        while !rpc.confirm_transaction(&signature).await? {
            look.tick().await;
            if rpc.get_block_height().await? > last_height {
                bail!("the airdrop {signature} expired");
            }
        }
        Ok(())
    }

    /// An account; `None` when there is none.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn account(&self, address: &Pubkey) -> Result<Option<Held>> {
        let (_, found) = self.cluster.accounts(&[*address]).await?;
        Ok(found.into_iter().flatten().next().map(|account| Held {
            owner: account.owner,
            executable: account.executable,
            data: account.data,
        }))
    }
}

/// Says on standard error what is under way, for whoever interrupts it.
fn tell(progress: &Progress) {
    match progress {
        Progress::Sent {
            signature,
            last_height,
        } => eprintln!("sent {signature}, which lands until block {last_height} or never"),
        Progress::Waiting {
            signature, since, ..
        } => eprintln!("{signature} has not landed after {} s", since.as_secs()),
    }
}

/// What an account holds.
pub struct Held {
    /// The program that owns it.
    pub owner: Pubkey,
    /// Whether it is a program itself.
    pub executable: bool,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// Lamports as SOL.
fn sol(lamports: u64) -> String {
    truncated_decimal(lamports.into(), 9, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lamports_are_shown_as_sol() {
        assert_eq!(sol(1_050_000_000), "1.050000000");
    }
}
