//! `ballast order`: placing, replacing, cancelling and listing orders.

mod cancel;
pub mod list;
pub mod place;

use anyhow::Result;
use ballast_state::instructions::OrderRef;
use clap::{Args, Subcommand};

use super::failure::Usage;
use super::session::Session;

/// Arguments of `order`.
#[derive(Clone, Debug, Args)]
pub struct OrderArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Place an order.
    Place(place::PlaceArgs),
    /// Cancel an order and place another in its stead, in one transaction.
    Replace(place::ReplaceArgs),
    /// Cancel an order.
    Cancel(cancel::CancelArgs),
    /// Cancel all orders in a market.
    CancelAll(cancel::CancelAllArgs),
    /// List the orders that wait in the books.
    List(list::ListArgs),
}

/// Names an order: its id in the book, or `client:N`.
fn order_ref(text: &str) -> Result<OrderRef, String> {
    let parsed = match text.strip_prefix("client:") {
        Some(id) => id.parse().map(OrderRef::ClientId),
        None => text.parse().map(OrderRef::Id),
    };
    match parsed {
        Ok(OrderRef::Id(0) | OrderRef::ClientId(0)) | Err(_) => Err(
            "expected an order id such as 17, or a number of your own such as client:5".to_owned(),
        ),
        Ok(order) => Ok(order),
    }
}

/// An order as the user named it.
fn ref_words(order: OrderRef) -> String {
    match order {
        OrderRef::Id(id) => format!("order {id}"),
        OrderRef::ClientId(id) => format!("order client:{id}"),
    }
}

/// Runs `ballast order`.
pub async fn run(session: &Session, args: &OrderArgs) -> Result<()> {
    match &args.action {
        Action::Place(args) => place::place(session, args).await,
        Action::Replace(args) => place::replace(session, args).await,
        Action::Cancel(args) => cancel::cancel(session, args).await,
        Action::CancelAll(args) => cancel::cancel_all(session, args).await,
        Action::List(args) => list::run(session, args).await,
    }
}

/// A trader account that has no orders where some are to be cancelled.
fn no_orders(trader: &impl core::fmt::Display, market: &str) -> Usage {
    Usage(format!(
        "trader account {trader} has no orders in {market}; `ballast order list` lists those it has"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_named_by_either_number() {
        assert_eq!(order_ref("17"), Ok(OrderRef::Id(17)));
        assert_eq!(order_ref("client:5"), Ok(OrderRef::ClientId(5)));
        for bad in ["", "0", "client:", "client:0", "-1", "x"] {
            assert!(order_ref(bad).is_err(), "{bad}");
        }
    }
}
