//! `ballast guardian`: what the pause authority does when something is wrong.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::{Args, Subcommand};

use super::admin::{self, PauseArgs};
use super::options::Sending;
use super::session::Session;
use super::staging;

/// Arguments of `guardian`.
#[derive(Clone, Debug, Args)]
pub struct GuardianArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Pause actions of every trader, beside what is paused already.
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
        Action::Pause(args) => admin::pause(session, args, true).await,
        Action::Cancel { staged, sending } => staging::cancel(session, staged, *sending).await,
    }
}
