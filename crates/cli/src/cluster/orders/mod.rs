//! `ballast order`: placing, replacing, cancelling and listing orders.

pub mod announce;
mod cancel;
mod leg;
pub mod list;
mod listing;
mod naming;
pub mod place;
mod terms;

use anyhow::Result;
use clap::{Args, Subcommand};

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
