//! `ballast gap`: what the positions of a market would lack after a jump of its price.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_view::gap::{GapView, Pooled};
use clap::Args;

use super::failure::Usage;
use super::pool_params;
use super::session::Session;
use super::state::Parts;

/// Moves shown unless told otherwise, per cent.
const MOVES: [i32; 5] = [1, 2, 5, 10, 20];

/// Arguments of `gap`.
#[derive(Clone, Debug, Args)]
pub struct GapArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET", default_value = "0")]
    market: String,
    /// Moves of the price, whole per cent, each tried up and down.
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_values_t = MOVES)]
    moves: Vec<i32>,
}

/// The pool of a market, where it has one.
pub async fn pooled(session: &Session, market: &Pubkey) -> Result<Option<Pooled>> {
    let found = pool_params::of_markets(session, &[*market]).await?;
    let Some((_, pool)) = found.into_iter().next() else {
        return Ok(None);
    };
    let trader = session.trader(&pool.trader).await?;
    Ok(Some(Pooled { pool, trader }))
}

/// Runs `ballast gap`.
pub async fn run(session: &Session, args: &GapArgs) -> Result<()> {
    if let Some(refusal) = GapView::refused(&args.moves) {
        return Err(Usage(refusal).into());
    }
    let state = session.market(&args.market, Parts::Queues).await?;
    let mut view = GapView::new(&state, &args.moves)?;
    if let Some(pool) = pooled(session, &state.keys.market).await? {
        view = view.with_pool(&state, &pool)?;
    }
    if state.market.cross_legs > 0 {
        let board = super::cross::board(session).await?;
        let traders = session.cluster.traders().await?;
        let accounts = traders.iter().map(|(_, trader)| trader);
        view = view.with_cross(&state, &board, accounts)?;
    }
    session.answer(&view, || view.words(&state))
}
