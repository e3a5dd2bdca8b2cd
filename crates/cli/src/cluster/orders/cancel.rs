//! `ballast order cancel` and `cancel-all`.

use anyhow::Result;
use ballast_client::instructions::orders as build;
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::OrderRef;
use clap::Args;
use solana_signer::Signer;

use super::naming::{no_orders, order_ref, ref_words};
use crate::cluster::choices::Direction;
use crate::cluster::options::{Sending, TraderChoice};
use crate::cluster::session::Session;
use crate::cluster::state::Parts;
use crate::cluster::words::Names;
use crate::cluster::writing::{self, Plan};

/// Arguments of `order cancel`.
#[derive(Clone, Debug, Args)]
pub struct CancelArgs {
    /// The order: its id in the book, or `client:N` for your own number.
    #[arg(value_name = "ID", value_parser = order_ref)]
    order: OrderRef,
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Arguments of `order cancel-all`.
#[derive(Clone, Debug, Args)]
pub struct CancelAllArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    /// Only the orders of this side [default: both].
    #[arg(long, value_enum)]
    side: Option<Direction>,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Runs `ballast order cancel`.
pub async fn cancel(session: &Session, args: &CancelArgs) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    let state = session.market(&args.market, Parts::Market).await?;
    let (name, units) = (state.name(), state.units);
    let plan = Plan {
        command: "order cancel",
        purpose: format!(
            "Cancel {} of trader account {address} in {name}",
            ref_words(args.order)
        ),
        instructions: vec![build::CancelOrder {
            authority: signer.pubkey(),
            keys: state.keys,
            trader: address,
            order: args.order,
        }
        .instruction()],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    writing::perform(session, signer, plan, args.sending).await
}

/// Runs `ballast order cancel-all`.
pub async fn cancel_all(session: &Session, args: &CancelAllArgs) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let state = session.market(&args.market, Parts::Market).await?;
    let (name, units) = (state.name(), state.units);
    let held = trader.any(&state.keys.market).ok();
    if held.is_none_or(|slot| slot.order_count == 0) {
        return Err(no_orders(&address, &name).into());
    }
    let side = args.side.map(OrderSide::from);
    let which = match args.side {
        None => "all orders",
        Some(Direction::Buy) => "all orders to buy",
        Some(Direction::Sell) => "all orders to sell",
    };
    let plan = Plan {
        command: "order cancel-all",
        purpose: format!("Cancel {which} of trader account {address} in {name}"),
        instructions: vec![build::CancelAllOrders {
            authority: signer.pubkey(),
            keys: state.keys,
            trader: address,
            side,
        }
        .instruction()],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    writing::perform(session, signer, plan, args.sending).await
}
