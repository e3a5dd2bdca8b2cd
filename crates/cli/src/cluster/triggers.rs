//! `ballast trigger`: stop-loss and take-profit of a position or a leg.

use anyhow::Result;
use ballast_client::instructions::orders as build;
use ballast_engine::units::Side;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trigger::{Trigger as StoredTrigger, TriggerKind};
use clap::{Args, Subcommand};
use solana_signer::Signer;

use super::choices::Trigger;
use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::state::{MarketState, Parts};
use super::units::Units;
use super::words::{trigger, Names};
use super::writing::{self, Plan};

/// Arguments of `trigger`.
#[derive(Clone, Debug, Args)]
pub struct TriggerArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Set a stop-loss or take-profit, in place of the one before.
    Place(PlaceArgs),
    /// Clear a stop-loss or take-profit.
    Cancel(CancelArgs),
}

#[derive(Clone, Debug, Args)]
struct PlaceArgs {
    /// Which trigger.
    #[arg(value_enum)]
    kind: Trigger,
    /// Oracle price that triggers, as a decimal number.
    #[arg(long, allow_negative_numbers = true)]
    price: String,
    /// Worst price of the fills [default: the market's price band].
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    worst_price: Option<String>,
    /// Size to close, in base units [default: the whole position].
    #[arg(long, allow_negative_numbers = true)]
    size: Option<String>,
    /// Number, name or address of the position's market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Clone, Debug, Args)]
struct CancelArgs {
    /// Which trigger.
    #[arg(value_enum)]
    kind: Trigger,
    /// Number, name or address of the position's market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Runs `ballast trigger`.
pub async fn run(session: &Session, args: &TriggerArgs) -> Result<()> {
    match &args.action {
        Action::Place(args) => place(session, args).await,
        Action::Cancel(args) => cancel(session, args).await,
    }
}

async fn place(session: &Session, args: &PlaceArgs) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let state = session.market(&args.market, Parts::Market).await?;
    let slot = trader.any(&state.keys.market).ok();
    let wanted = wanted(args, slot, &state)?;
    let (units, name) = (state.units, state.name());
    let place = build::PlaceTrigger {
        authority: signer.pubkey(),
        market: state.keys.market,
        trader: address,
        args: wanted,
    };
    let plan = Plan {
        command: "trigger place",
        purpose: format!(
            "Set a {} of trader account {address}: close {} of its {name} position when the price reaches {}{}",
            trigger(wanted.kind).to_lowercase(),
            units.show_size(wanted.lots),
            units.show_price(wanted.price_ticks),
            remarks(args, &wanted, slot, units)
        ),
        instructions: vec![place.instruction()],
        names: Names { collateral: units.collateral, market: Some((&name, units)) },
    };
    writing::perform(session, signer, plan, args.sending).await
}

async fn cancel(session: &Session, args: &CancelArgs) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    session.trader(&address).await?;
    let state = session.market(&args.market, Parts::Market).await?;
    let (units, name, kind) = (state.units, state.name(), args.kind.into());
    let authority = signer.pubkey();
    let plan = Plan {
        command: "trigger cancel",
        purpose: format!(
            "Clear the {} of the {name} position of trader account {address}",
            trigger(kind).to_lowercase()
        ),
        instructions: vec![build::CancelTrigger {
            authority,
            market: state.keys.market,
            trader: address,
            kind,
        }
        .instruction()],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    writing::perform(session, signer, plan, args.sending).await
}

/// The trigger in the program's units.
fn wanted(
    args: &PlaceArgs,
    slot: Option<&PositionSlot>,
    state: &MarketState,
) -> Result<PlaceTriggerArgs> {
    let units = state.units;
    let Some(slot) = slot.filter(|slot| slot.lots != 0) else {
        return Err(Usage(format!(
            "there is no position in {}; `ballast positions` lists those of the trader account, `ballast account` its legs",
            state.name()
        ))
        .into());
    };
    let wanted = PlaceTriggerArgs {
        kind: args.kind.into(),
        price_ticks: units.ticks(&args.price)?,
        worst_ticks: args
            .worst_price
            .as_deref()
            .map_or(Ok(0), |text| units.ticks(text))?,
        lots: match &args.size {
            Some(text) => units.lots(text)?.min(slot.lots.unsigned_abs()),
            None => slot.lots.unsigned_abs(),
        },
    };
    can_fill(&wanted, slot.lots, units)?;
    if let Some((mark, _)) = state.mark_ticks() {
        not_reached_yet(&wanted, slot.lots, mark, &units.show_price(mark))?;
    }
    Ok(wanted)
}

/// What the trigger does besides: less than was asked for, and the one that it takes the place of.
fn remarks(
    args: &PlaceArgs,
    wanted: &PlaceTriggerArgs,
    slot: Option<&PositionSlot>,
    units: Units,
) -> String {
    let Some(slot) = slot else {
        return String::new();
    };
    let mut text = String::new();
    let asked = args.size.as_deref().and_then(|text| units.lots(text).ok());
    if let Some(asked) = asked.filter(|asked| *asked > wanted.lots) {
        text.push_str(&format!(
            "; that is the whole position, less than the {} asked for",
            units.show_size(asked)
        ));
    }
    let before = match wanted.kind {
        TriggerKind::StopLoss => &slot.stop_loss,
        TriggerKind::TakeProfit => &slot.take_profit,
    };
    if !before.is_unset() {
        text.push_str(&format!(
            "; it takes the place of the {} of {} at {}",
            trigger(wanted.kind).to_lowercase(),
            units.show_size(before.lots.into()),
            units.show_price(before.price_ticks)
        ));
    }
    text
}

/// A stop-loss whose fills may not be as bad as its own price hardly ever finds any.
fn can_fill(wanted: &PlaceTriggerArgs, lots: i64, units: Units) -> Result<(), Usage> {
    let beyond = match lots > 0 {
        true => wanted.worst_ticks > wanted.price_ticks,
        false => wanted.worst_ticks < wanted.price_ticks,
    };
    if wanted.kind == TriggerKind::StopLoss && wanted.worst_ticks > 0 && beyond {
        return Err(Usage(format!(
            "a stop-loss at {0} that fills at {1} or better could not fill once the price is at {0}; choose a --worst-price on the other side of {0}, or none",
            units.show_price(wanted.price_ticks),
            units.show_price(wanted.worst_ticks)
        )));
    }
    Ok(())
}

/// A trigger that the price has reached already would fire at once.
fn not_reached_yet(
    wanted: &PlaceTriggerArgs,
    lots: i64,
    mark_ticks: u64,
    mark: &str,
) -> Result<(), Usage> {
    let side = if lots > 0 { Side::Long } else { Side::Short };
    let set = StoredTrigger {
        price_ticks: wanted.price_ticks,
        ..StoredTrigger::default()
    };
    if set.is_reached(wanted.kind, side, mark_ticks) {
        return Err(Usage(format!(
            "the price is {mark}, which would fire this {} at once; choose a price beyond it, or close with `ballast order place --reduce-only`",
            trigger(wanted.kind).to_lowercase()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_that_would_fire_at_once_is_refused() {
        let sound = |kind, lots, price_ticks| {
            let wanted = PlaceTriggerArgs {
                kind,
                price_ticks,
                worst_ticks: 0,
                lots: 1,
            };
            not_reached_yet(&wanted, lots, 100, "100").is_ok()
        };
        assert!(sound(TriggerKind::StopLoss, 5, 99) && !sound(TriggerKind::StopLoss, 5, 100));
        assert!(sound(TriggerKind::StopLoss, -5, 101) && !sound(TriggerKind::StopLoss, -5, 100));
        assert!(sound(TriggerKind::TakeProfit, 5, 101) && !sound(TriggerKind::TakeProfit, 5, 99));
        assert!(sound(TriggerKind::TakeProfit, -5, 99) && !sound(TriggerKind::TakeProfit, -5, 101));
    }
}
