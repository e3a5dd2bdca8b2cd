//! `ballast margin`: collateral to and from a position.

use anyhow::Result;
use ballast_client::instructions::trader as build;
use clap::{Args, Subcommand};
use solana_signer::Signer;

use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::state::Parts;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `margin`.
#[derive(Clone, Debug, Args)]
pub struct MarginArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Move free collateral into the margin of a position.
    Add(ChangeArgs),
    /// Move margin of a position back to free collateral.
    Remove(ChangeArgs),
}

#[derive(Clone, Debug, Args)]
struct ChangeArgs {
    /// Amount, as a decimal number of the quote currency.
    amount: String,
    /// Number, name or address of the position's market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Runs `ballast margin`.
pub async fn run(session: &Session, args: &MarginArgs) -> Result<()> {
    let (command, verb, adds, args) = match &args.action {
        Action::Add(args) => ("margin add", "Add", true, args),
        Action::Remove(args) => ("margin remove", "Remove", false, args),
    };
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let state = session.market(&args.market, Parts::Market).await?;
    let units = state.units;
    let amount = units.collateral.atoms(&args.amount)?;
    let held = trader.slot(&state.keys.market).ok();
    if held.is_none_or(|slot| slot.lots == 0) {
        return Err(Usage(format!(
            "trader account {address} has no position in {}; `ballast positions` lists those it has",
            state.name()
        ))
        .into());
    }
    let (authority, keys) = (signer.pubkey(), state.keys);
    let instruction = if adds {
        build::AddMargin {
            authority,
            keys,
            trader: address,
            amount,
        }
        .instruction()
    } else {
        build::RemoveMargin {
            authority,
            keys,
            trader: address,
            amount,
        }
        .instruction()
    };
    let name = state.name();
    let plan = Plan {
        command,
        purpose: format!(
            "{verb} {} of margin, {name} position of trader account {address}",
            units.collateral.show(amount.into())
        ),
        instructions: vec![instruction],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    writing::perform(session, signer, plan, args.sending).await
}
