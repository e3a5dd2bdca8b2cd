//! What commands on shares of a fund have in common: of a pool, and of the stakes behind insurance.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::fund;
use ballast_client::staking::ExitTime;
use ballast_engine::shares::Holding;
use ballast_state::error::BallastError;
use clap::Args;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::collateral::{named, quote_currency};
use super::failure::Usage;
use super::options::Sending;
use super::session::Session;
use super::state::{age_words, slot_seconds};
use super::units;
use super::writing::{self, Explain, Extras, Plan};

/// Whose fund.
#[derive(Clone, Debug, Args)]
pub struct Of {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    pub market: String,
}

/// Who asks something of a fund: what a refusal means to it, with the figures.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `pool` or `stake`.
    pub command: &'static str,
    /// Name of the market.
    pub market: String,
    /// What is owned.
    pub holding: Holding,
    /// When the request is paid; `None` without one.
    pub exit: Option<ExitTime>,
}

impl Asked {
    /// What a refusal means; `None` where its own sentence says it.
    pub fn sentence(&self, error: BallastError) -> Option<String> {
        let Self {
            command, market, ..
        } = self;
        let request = format!("`ballast {command} request all --market {market}`");
        let all = self.holding.shares;
        let why = match (error, self.exit) {
            (BallastError::RequestMissing, _) => {
                format!("nothing is asked for; {request} asks for what all {all} shares are worth")
            }
            (BallastError::RequestTooEarly, Some(ExitTime::In(slots))) => {
                let seconds = i64::try_from(slot_seconds(slots)).ok()?;
                let about = age_words(seconds);
                format!("what was asked for is paid in {slots} slots, about {about}; come back then, to the same command")
            }
            (BallastError::RequestLapsed, _) => {
                format!("the time in which it was paid is over; {request} asks again, and the delay begins anew")
            }
            (BallastError::SharesMissing, _) => {
                format!("the account has {all} shares; ask for at most as many, or for `all`")
            }
            (BallastError::SharesLeft, _) => {
                format!("the account has {all} shares; {request} asks for what they are worth, and `ballast {command} withdraw --market {market}` has it paid after the delay")
            }
            _ => return None,
        };
        Some(format!("{}: {why}", error.name()))
    }
}

/// That somebody has no account for shares of a fund.
pub fn no_shares(command: &str, market: &str) -> Usage {
    Usage(format!(
        "this signer has no shares of it; `ballast {command} deposit AMOUNT --market {market}` buys some, or choose another key with --keypair"
    ))
}

/// Sends a command of the signer.
pub async fn send(
    session: &Session,
    (command, purpose): (&'static str, String),
    instructions: Vec<Instruction>,
    asked: Option<&Asked>,
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
    let explain = asked.map(|asked| {
        let explain: Explain<'_> = Box::new(|error| asked.sentence(error));
        explain
    });
    let extras = Extras {
        explain,
        ..Extras::default()
    };
    writing::perform_with(session, signer, plan, extras, sending).await?;
    Ok(())
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
