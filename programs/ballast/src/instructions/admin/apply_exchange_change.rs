//! Applies a staged change of the exchange.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::{DelaysChanged, PauseSet, TreasuryChanged},
    exchange::Exchange,
    seeds::EXCHANGE_ADDRESS,
    staged::{Change, Staged},
};

use crate::loaders::current::Current;
use crate::{emit::emit, error::err};

/// Accounts of `apply_exchange_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyExchangeChange<'info> {
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The staged change.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
}

impl ApplyExchangeChange<'_> {
    /// Puts the staged change of this `id` in force. Anyone may call it once it is due.
    ///
    /// # Errors
    /// Those of `Staged::due`; `StagedMismatch` for a change that another instruction applies.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let accounts = &ctx.accounts;
        let authority = &accounts.event_authority;
        match accounts.due(&id)? {
            Change::Delays(after) => {
                let before = accounts.write(|exchange| Ok(exchange.set_delays(after)?))?;
                emit(authority, &DelaysChanged { before, after })
            }
            Change::Treasury(after) => {
                let before = accounts
                    .write(|exchange| Ok(core::mem::replace(&mut exchange.treasury, after)))?;
                emit(authority, &TreasuryChanged { before, after })
            }
            Change::Pause { flags, slots } => {
                let event = accounts.pause(flags, slots)?;
                emit(authority, &event)
            }
            Change::Risk(_)
            | Change::CreateMarket(_)
            | Change::Authority { .. }
            | Change::Delist
            | Change::Reopen
            | Change::Pool(_)
            | Change::Oracle(_) => err!(BallastError::StagedMismatch),
        }
    }

    #[inline(never)]
    fn due(&self, id: &[u8; 32]) -> Result<Change> {
        let slot = Clock::get()?.slot;
        let exchange = self.exchange.current()?;
        Ok(self.staged.current()?.due(id, &exchange, None, slot)?)
    }

    fn pause(&self, flags: u32, slots: u64) -> Result<PauseSet> {
        let (by, slot) = (self.staged.current()?.proposer, Clock::get()?.slot);
        self.write(|exchange| {
            let flags_before = exchange.pauses(slot);
            exchange.begin_long_pause(flags, slots, slot)?;
            Ok(PauseSet {
                by,
                flags_before,
                flags_after: exchange.pauses(slot),
                until_slot: exchange.long_pause.until_slot,
            })
        })
    }

    fn write<R>(&self, change: impl FnOnce(&mut Exchange) -> Result<R>) -> Result<R> {
        let mut exchange = self.exchange.current_mut()?;
        let result = change(&mut exchange)?;
        exchange.invariant()?;
        Ok(result)
    }
}
