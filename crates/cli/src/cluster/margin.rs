//! `ballast margin`: collateral to and from a position.

use anyhow::{Context, Result};
use ballast_client::instructions::trader as build;
use ballast_engine::margin::initial_margin;
use ballast_engine::trade::remove_margin;
use ballast_engine::units::Atoms;
use ballast_state::error::BallastError;
use clap::{Args, Subcommand};
use solana_signer::Signer;

use super::failure::{Computed, Usage};
use super::options::{Sending, TraderChoice};
use super::refusal::Asked;
use super::session::Session;
use super::state::Parts;
use super::words::Names;
use super::writing::{self, Extras, Plan};

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
    #[arg(allow_negative_numbers = true)]
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
    let asked = Asked {
        signer: signer.pubkey(),
        address,
        trader: &trader,
        state: &state,
    };
    if adds && amount > asked.free() {
        return Err(Usage(lacking(&asked, amount)).into());
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
    let explain = |error| match error {
        BallastError::InsufficientCollateral => Some(lacking(&asked, amount)),
        BallastError::MarginBelowZero | BallastError::BelowInitialMargin => {
            removable(&asked, error).ok()
        }
        other => asked.sentence(other),
    };
    let extras = Extras {
        explain: Some(Box::new(explain)),
        position: Some((address, state.keys.market)),
        ..Extras::default()
    };
    writing::perform_with(session, signer, plan, extras, args.sending)
        .await
        .map(|_| ())
}

/// What there is to add, and how to get more.
fn lacking(asked: &Asked<'_>, amount: u64) -> String {
    let collateral = asked.state.units.collateral;
    format!(
        "free collateral is {}, which is less than {}; `ballast deposit {}` first",
        collateral.show(asked.free().into()),
        collateral.show(amount.into()),
        collateral.text(amount.saturating_sub(asked.free()).into())
    )
}

/// What a refusal to remove margin means: how much there is, and how much of it may go.
fn removable(asked: &Asked<'_>, error: BallastError) -> Result<String> {
    let (state, collateral) = (asked.state, asked.state.units.collateral);
    let slot = asked.trader.slot(&state.keys.market)?;
    let position = slot.position()?.settle(state.funding_index()?).computed()?;
    let price = state.price.as_ref().ok().context("no price")?;
    let mark = state.market.mark_at(price).computed()?;
    let free = Atoms::new(asked.trader.free);
    let may_go =
        |amount| remove_margin(state.market.params(), &mark, &position, free, amount).is_ok();
    // The more goes, the sooner it is refused.
    let (mut most, mut refused) = (0, u64::try_from(position.margin.get()).unwrap_or(0) + 1);
    while refused - most > 1 {
        let middle = most + (refused - most) / 2;
        match may_go(middle) {
            true => most = middle,
            false => refused = middle,
        }
    }
    let notional = position.notional(mark.price).computed()?;
    let initial = initial_margin(state.market.params(), &mark.scale, notional).computed()?;
    Ok(format!(
        "{}: the position has {} of margin, {} of equity at {}, and needs {} to be opened anew; at most {} may be removed",
        error.name(),
        collateral.show(position.margin.get().into()),
        collateral.show(position.equity(mark.price).computed()?.get().into()),
        state.units.show_price(price.price.get()),
        collateral.show(initial.into()),
        collateral.show(most.into())
    ))
}
