//! What commands on shares of a fund have in common: of a pool, and of the stakes behind insurance.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::fund;
use clap::Args;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::collateral::{named, quote_currency};
use super::failure::Usage;
use super::options::Sending;
use super::session::Session;
use super::units;
use super::writing::{self, Plan};

/// Whose fund.
#[derive(Clone, Debug, Args)]
pub struct Of {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    pub market: String,
}

/// Sends a command of the signer.
pub async fn send(
    session: &Session,
    (command, purpose): (&'static str, String),
    instructions: Vec<Instruction>,
    sending: Sending,
) -> Result<()> {
    let signer = session.keypair()?;
    let (_, units) = quote_currency(session).await?;
    let plan = Plan {
        command,
        purpose,
        instructions,
        names: named(units),
    };
    writing::perform(session, signer, plan, sending).await
}

/// `join`, after an account for the shares where there is none yet.
pub fn joins(owner: Pubkey, fund: Pubkey, has_share: bool, join: Instruction) -> Vec<Instruction> {
    let create = fund::CreateShare {
        payer: owner,
        owner,
        fund,
    };
    let create = (!has_share).then(|| create.instruction());
    create.into_iter().chain([join]).collect()
}

/// What an exit pays at least, atoms.
pub fn least(units: units::Collateral, text: &str) -> Result<u64, Usage> {
    match text {
        "0" => Ok(0),
        text => units.atoms(text),
    }
}

/// Whose shares are shown: the signer's unless another is named.
pub fn owner_or_signer(session: &Session, owner: Option<Pubkey>) -> Result<Pubkey> {
    match owner {
        Some(owner) => Ok(owner),
        None => Ok(session.keypair()?.pubkey()),
    }
}
