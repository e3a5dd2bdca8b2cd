//! `ballast guardian`: what the guardian does when something is wrong.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::wind_down::SetReduceOnly;
use ballast_engine::wind_down::MarketMode;
use clap::{Args, Subcommand};
use solana_signer::Signer;

use super::admin::{self, not_holder, PauseArgs};
use super::failure::Usage;
use super::options::Sending;
use super::session::Session;
use super::staging;
use super::state::Parts;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `guardian`.
#[derive(Clone, Debug, Args)]
pub struct GuardianArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Make a market reduce-only: its open interest does not rise, everything else goes on.
    ReduceOnly {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        #[command(flatten)]
        sending: Sending,
    },
    /// Pause actions of every trader, beside what this key has paused already.
    Pause(PauseArgs),
    /// Take back a change that is staged, before it takes effect.
    Cancel {
        /// The account that holds it, as `ballast admin show` lists it.
        staged: Pubkey,
        #[command(flatten)]
        sending: Sending,
    },
}

/// Runs `ballast guardian`.
pub async fn run(session: &Session, args: &GuardianArgs) -> Result<()> {
    match &args.action {
        Action::ReduceOnly { market, sending } => reduce_only(session, market, *sending).await,
        Action::Pause(args) => admin::pause(session, args, true).await,
        Action::Cancel { staged, sending } => staging::cancel(session, staged, *sending).await,
    }
}

/// Makes a market reduce-only; the guardian or the admin.
async fn reduce_only(session: &Session, market: &str, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let authority = signer.pubkey();
    let state = session.market(market, Parts::Market).await?;
    let (exchange, name) = (session.exchange().await?, state.name());
    if state.market.mode() == MarketMode::ReduceOnly {
        return Err(Usage(format!("{name} is reduce-only already")).into());
    }
    if authority != exchange.admin && authority != exchange.guardian {
        return Err(not_holder(&authority, "guardian", &exchange.guardian).into());
    }
    let plan = Plan {
        command: "guardian reduce-only",
        purpose: format!("Make {name} reduce-only: its open interest does not rise any more"),
        instructions: vec![SetReduceOnly {
            authority,
            market: state.keys.market,
        }
        .instruction()],
        names: Names {
            collateral: state.units.collateral,
            market: Some((name.as_str(), state.units)),
        },
    };
    writing::perform(session, signer, plan, sending).await
}
