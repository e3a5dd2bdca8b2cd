//! Ends a market whose end has come.

use anchor_lang::prelude::*;
use ballast_state::{events::SettlementBegun, market::Market};

use crate::emit::emit;
use crate::loaders::current::Current;

/// Accounts of `begin_settlement`.
#[event_cpi]
#[derive(Accounts)]
pub struct BeginSettlement<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

impl BeginSettlement<'_> {
    /// Fixes price and funding index at which positions are settled, both functions of what the
    /// market has recorded: it matters to nobody who calls it or when. Where too little of the last
    /// hour of a delisted market is covered by prices, it goes on instead. Anyone may call it.
    ///
    /// # Errors
    /// `EndNotDue`; `MarketEnded`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = {
            let mut market = ctx.accounts.market.current_mut()?;
            let ended_at = market.wind_down.ends_at;
            market.begin_settlement(Clock::get()?.unix_timestamp)?;
            market.invariant()?;
            SettlementBegun {
                market: ctx.accounts.market.key(),
                ended_at,
                final_ticks: market.final_ticks,
                funding_index: market.funding.index.get(),
                open_interest_lots: market.open_interest_lots,
                insurance_atoms: market.insurance.balance,
                held_atoms: market.held.atoms,
            }
        };
        emit(&ctx.accounts.event_authority, &event)
    }
}
