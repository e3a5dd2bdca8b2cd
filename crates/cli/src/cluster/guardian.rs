//! `ballast guardian`: what the guardian does when something is wrong.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::admin::SetPause;
use ballast_client::instructions::wind_down::SetReduceOnly;
use ballast_engine::wind_down::MarketMode;
use ballast_state::exchange::Exchange;
use ballast_state::pause::LONGEST_PAUSE_SLOTS;
use clap::{Args, Subcommand};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::failure::{not_holder, Usage};
use super::options::Sending;
use super::pauses::{flag, paused};
use super::session::Session;
use super::staging;
use super::state::{MarketState, Parts};
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

#[derive(Clone, Debug, Args)]
pub struct PauseArgs {
    /// What: deposit, withdraw, open, trade, remove_margin, liquidate, deleverage, or all.
    #[arg(required = true, value_parser = flag)]
    what: Vec<u32>,
    /// For how long, slots of about 0.4 seconds; what may last less ends earlier.
    #[arg(long, default_value_t = LONGEST_PAUSE_SLOTS, value_parser = clap::value_parser!(u64).range(1..=LONGEST_PAUSE_SLOTS))]
    slots: u64,
    #[command(flatten)]
    sending: Sending,
}

/// Runs `ballast guardian`.
pub async fn run(session: &Session, args: &GuardianArgs) -> Result<()> {
    match &args.action {
        Action::ReduceOnly { market, sending } => reduce_only(session, market, *sending).await,
        Action::Pause(args) => pause(session, args, true).await,
        Action::Cancel { staged, sending } => staging::cancel(session, staged, *sending).await,
    }
}

/// Makes a market reduce-only; the guardian or the admin.
async fn reduce_only(session: &Session, market: &str, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let authority = signer.pubkey();
    let state = session.market(market, Parts::Market).await?;
    let (purpose, instruction) = restrict(&state, &session.exchange().await?, authority)?;
    let name = state.name();
    let plan = Plan {
        command: "guardian reduce-only",
        purpose,
        instructions: vec![instruction],
        names: Names {
            collateral: state.units.collateral,
            market: Some((name.as_str(), state.units)),
        },
    };
    writing::perform(session, signer, plan, sending).await
}

/// The signer's own pause, with or without what was chosen. Nobody lifts the pause of the other.
pub async fn pause(session: &Session, args: &PauseArgs, pauses: bool) -> Result<()> {
    let signer = session.keypair()?;
    let exchange = session.exchange().await?;
    let authority = signer.pubkey();
    let own = if authority == exchange.guardian {
        &exchange.guardian_pause
    } else if authority == exchange.admin {
        &exchange.admin_pause
    } else {
        return Err(not_holder(&authority, "guardian", &exchange.guardian).into());
    };
    let chosen = args.what.iter().fold(0, |all, flag| all | flag);
    let before = own.in_force(session.cluster.clock().await?.slot);
    let (command, flags, verb, what) = if pauses {
        ("admin pause", before | chosen, "Pause", chosen & !before)
    } else {
        ("admin resume", before & !chosen, "Resume", before & chosen)
    };
    if flags == before {
        let state = if pauses {
            "paused already"
        } else {
            "not paused by this key"
        };
        return Err(Usage(format!("{} is {state}", paused(chosen).join(", "))).into());
    }
    let left = match paused(flags).as_slice() {
        [] => "this key pauses nothing then".to_owned(),
        names => format!("paused by this key then: {}", names.join(", ")),
    };
    let plan = Plan {
        command,
        purpose: format!("{verb} {} for everybody; {left}", paused(what).join(", ")),
        instructions: vec![SetPause {
            authority,
            flags,
            slots: args.slots,
        }
        .instruction()],
        names: Names::of(&exchange),
    };
    writing::perform(session, signer, plan, args.sending).await
}

/// What makes a market reduce-only, and the sentence that says so.
pub fn restrict(
    state: &MarketState,
    exchange: &Exchange,
    authority: Pubkey,
) -> Result<(String, Instruction), Usage> {
    let name = state.name();
    if state.market.mode() == MarketMode::ReduceOnly {
        return Err(Usage(format!("{name} is reduce-only already")));
    }
    if authority != exchange.admin && authority != exchange.guardian {
        return Err(not_holder(&authority, "guardian", &exchange.guardian));
    }
    let restrict = SetReduceOnly {
        authority,
        market: state.keys.market,
    };
    Ok((
        format!("Make {name} reduce-only: its open interest does not rise any more"),
        restrict.instruction(),
    ))
}
