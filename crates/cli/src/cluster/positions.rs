//! `ballast positions`: what a trader account holds, and how far it is from trouble.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_view::positions::{Holdings, PositionView};
use clap::Args;

use super::options::TraderChoice;
use super::session::Session;
use super::state::Parts;
use super::units::{Collateral, Units};

/// Arguments of `positions`.
#[derive(Clone, Debug, Args)]
pub struct PositionsArgs {
    #[command(flatten)]
    choice: TraderChoice,
}

/// Runs `ballast positions`.
pub async fn run(session: &Session, args: &PositionsArgs) -> Result<()> {
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let collateral = Collateral {
        decimals: session.exchange().await?.mint_decimals,
    };
    let states = session.markets_of(trader.isolated(), Parts::Queues).await?;
    let steps = session.protections(&address, &trader, &states).await?;
    let holdings = Holdings::new(&address, &trader, &states, collateral)?
        .protected(|market| steps.get(&market).cloned());
    session.answer(&holdings, || holdings.words(&states, collateral))
}

/// A trader's position in a market as it is now, with the units of the market; `None` where there is
/// none.
pub async fn position_of(
    session: &Session,
    trader: &Pubkey,
    market: &Pubkey,
) -> Result<Option<(PositionView, Units)>> {
    let decimals = session.exchange().await?.mint_decimals;
    let stored = session.cluster.market(market).await?;
    let state = session
        .state(market, &stored, decimals, Parts::Queues)
        .await?;
    let trader = session.trader(trader).await?;
    match trader.slot(market) {
        Ok(slot) if slot.lots != 0 => Ok(Some((PositionView::new(slot, &state)?, state.units))),
        _ => Ok(None),
    }
}
