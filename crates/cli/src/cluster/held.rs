//! `ballast release-profit`: profit that a market holds, back to free collateral.

use anyhow::Result;
use ballast_client::instructions::anyone as build;
use ballast_state::error::BallastError;
use clap::Args;

use super::failure::{Computed, Usage};
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::state::Parts;
use super::words::Names;
use super::writing::{self, Extras, Plan};

/// Arguments of `release-profit`.
#[derive(Clone, Debug, Args)]
pub struct ReleaseProfitArgs {
    /// Number, name or address of the market that holds it.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Runs `ballast release-profit`. Anybody may, for any trader account.
pub async fn run(session: &Session, args: &ReleaseProfitArgs) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let state = session.market(&args.market, Parts::Market).await?;
    let name = state.name();
    let slot = trader.slot(&state.keys.market).ok();
    let Some(slot) = slot.filter(|slot| slot.held_shares > 0) else {
        return Err(Usage(format!(
            "{name} holds no profit of trader account {address}; `ballast positions` shows where some is held"
        ))
        .into());
    };
    let held = state.market.held.value(&slot.held_claim()).computed()?;
    let units = state.units;
    let plan = Plan {
        command: "release-profit",
        purpose: format!(
            "Release the profit that {name} holds of trader account {address}, now {}",
            units.collateral.show(held.into())
        ),
        instructions: vec![build::ReleaseProfit {
            keys: state.keys,
            traders: &[address],
        }
        .instruction()],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    let explain = |error| {
        match error {
        BallastError::ProfitNotDue => Some(format!(
            "{name} is still short of the {} that it holds, or no newer price has been recorded since; try again later",
            units.collateral.show(held.into())
        )),
        _ => None,
    }
    };
    let extras = Extras {
        explain: Some(Box::new(explain)),
        ..Extras::default()
    };
    writing::perform_with(session, signer, plan, extras, args.sending)
        .await
        .map(|_| ())
}
