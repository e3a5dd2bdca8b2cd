//! What commands on shares of a fund have in common: of a pool, and of the stakes behind insurance.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::fund;
use ballast_client::staking::ExitTime;
use clap::Args;
use serde::Serialize;
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

/// When a request is paid, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Countdown {
    /// Slots until the request is paid; 0 while it is; `null` without one, and when it has lapsed.
    due_in_slots: Option<u64>,
    /// Slots for which it is paid still; `null` before and after.
    open_for_slots: Option<u64>,
    lapsed: bool,
}

impl Countdown {
    /// Of a request; `None` without one.
    pub fn new(exit: Option<ExitTime>) -> Self {
        let (due_in_slots, open_for_slots) = match exit {
            Some(ExitTime::In(slots)) => (Some(slots), None),
            Some(ExitTime::Now(slots)) => (Some(0), Some(slots)),
            Some(ExitTime::Lapsed) | None => (None, None),
        };
        Self {
            due_in_slots,
            open_for_slots,
            lapsed: exit == Some(ExitTime::Lapsed),
        }
    }

    /// In words: `paid` is what is paid, `but` what is to be said of it before its time.
    pub fn words(&self, paid: &str, but: &str) -> String {
        match (self.due_in_slots, self.open_for_slots) {
            _ if self.lapsed => "What was asked for has lapsed: ask again.".to_owned(),
            (None, _) => "Nothing is asked for.".to_owned(),
            (Some(_), Some(open)) => format!("{paid} may be paid now, for {open} slots more."),
            (Some(wait), None) => format!("{paid} may be paid in {wait} slots{but}."),
        }
    }
}
