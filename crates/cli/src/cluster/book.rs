//! `ballast book`.

use anyhow::Result;
use ballast_view::book::BookView;
use clap::Args;

use super::session::Session;
use super::state::Parts;

/// Price levels shown unless told otherwise.
const SHOWN: usize = 10;

/// Arguments of `book`.
#[derive(Clone, Debug, Args)]
pub struct BookArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET", default_value = "0")]
    market: String,
    /// Price levels to show of each side, the best first.
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    depth: usize,
}

/// Runs `ballast book`.
pub async fn run(session: &Session, args: &BookArgs) -> Result<()> {
    let state = session.market(&args.market, Parts::Market).await?;
    let view = BookView::new(&state, args.depth)?;
    session.answer(&view, || view.words(&state))
}
