//! `ballast queue`: who is deleveraged first.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_engine::units::Side;
use ballast_view::queue::QueueView;
use clap::Args;

use super::failure::Usage;
use super::options::PositionSide;
use super::session::Session;
use super::state::Parts;

/// Positions shown unless told otherwise.
const SHOWN: usize = 20;

/// Arguments of `queue`.
#[derive(Clone, Debug, Args)]
pub struct QueueArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET", default_value = "0")]
    market: String,
    /// Only this side [default: both].
    #[arg(long, value_enum)]
    side: Option<PositionSide>,
    /// Positions to show of each side, the first to be cut first.
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    top: usize,
    /// Where this trader account stands.
    #[arg(long, value_name = "ADDRESS")]
    trader: Option<Pubkey>,
}

/// Runs `ballast queue`.
pub async fn run(session: &Session, args: &QueueArgs) -> Result<()> {
    let state = session.market(&args.market, Parts::Queues).await?;
    let sides = match args.side {
        Some(side) => vec![side.into()],
        None => vec![Side::Long, Side::Short],
    };
    let view = QueueView::new(&state, &sides, args.top, args.trader.as_ref())?;
    if let Some(trader) = args
        .trader
        .filter(|_| view.sides.iter().all(|side| side.trader.is_none()))
    {
        return Err(Usage(format!(
            "{trader} has no position in these queues; expected a trader account with one in {}",
            state.name()
        ))
        .into());
    }
    session.answer(&view, || view.words(&state))
}
