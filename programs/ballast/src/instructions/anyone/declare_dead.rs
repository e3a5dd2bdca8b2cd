//! Declares the oracle of a market dead.

use anchor_lang::prelude::*;
use ballast_state::{events::OracleDeclaredDead, market::Market};

use crate::emit::emit;
use crate::loaders::current::Current;

/// Accounts of `declare_dead`.
#[event_cpi]
#[derive(Accounts)]
pub struct DeclareDead<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

impl DeclareDead<'_> {
    /// Where no price has been recorded for `oracle_dead_seconds`, the market ends a day from now
    /// unless one is recorded before. Anyone may call it.
    ///
    /// # Errors
    /// `OracleAlive`; `MarketEnded`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = {
            let mut market = ctx.accounts.market.current_mut()?;
            market.declare_dead(Clock::get()?.unix_timestamp)?;
            market.invariant()?;
            OracleDeclaredDead {
                market: ctx.accounts.market.key(),
                last_publish_time: market.last_price.publish_time,
                ends_at: market.wind_down.ends_at,
            }
        };
        emit(&ctx.accounts.event_authority, &event)
    }
}
