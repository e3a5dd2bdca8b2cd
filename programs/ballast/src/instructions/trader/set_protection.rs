//! Sets or clears the protective steps of a position.

use anchor_lang::prelude::*;
use ballast_engine::queue::QueueRef;
use ballast_state::{
    error::BallastError, events::ProtectionSet, instructions::SetProtectionArgs, market::Market,
    position_slot::PositionSlot, protection::Protection, trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require_keys_eq, OrBallast},
    loaders::{cross_queues::read_cross_queue, queue_account::read_queue},
};

/// Accounts of `set_protection`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetProtection<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    pub trader: AccountLoader<'info, Trader>,
    /// The account of the steps.
    #[account(mut)]
    pub protection: AccountLoader<'info, Protection>,
    /// CHECK: the queue of the position's side, of a leg the cross queue, checked by `read_queue` and
    /// `read_cross_queue`; without steps it is not looked at.
    pub queue: UncheckedAccount<'info>,
}

impl SetProtection<'_> {
    /// Sets the steps for the position of now, in place of those of before, or clears them.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `WrongProtection`, `NoPosition`, `ProtectiveSteps`, `WrongQueue`,
    /// `QueueNotOwned`; `CrossQueueMissing` of a leg.
    pub fn handle(ctx: Context<Self>, args: &SetProtectionArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        let (market, trader) = (accounts.market.key(), accounts.trader.key());
        let mut protection = accounts.protection.current_mut()?;
        protection.require_of(&trader, &market)?;
        let account = accounts.trader.current()?;
        account.require_authority(accounts.authority.key)?;
        if args.steps.is_empty() {
            protection.clear();
        } else {
            let slot = account.any(&market)?;
            let sequence = accounts.sequence(slot)?;
            protection.set(&args.steps, args.slip_bps, slot.lots, sequence)?;
        }
        let event = ProtectionSet {
            market,
            trader,
            base_lots: protection.base_lots,
            slip_bps: protection.slip_bps,
            steps: protection.steps().to_vec(),
        };
        emit(&accounts.event_authority, &event)
    }
    /// Sequence number of the position's node.
    fn sequence(&self, slot: &PositionSlot) -> Result<u64> {
        let side = slot.position()?.side();
        let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
        let node = slot.queue_node;
        if slot.is_leg() {
            return read_cross_queue(&self.queue, &slot.market, side, |queue| {
                Ok(queue.entry(node).or_ballast()?.position.sequence)
            });
        }
        let queue = self.market.current()?.queue(side);
        require_keys_eq!(queue, *self.queue.key, BallastError::WrongQueue);
        require_keys_eq!(*self.queue.owner, crate::ID, BallastError::QueueNotOwned);
        read_queue(&self.queue, |queue: &QueueRef| {
            Ok(queue.entry(node).or_ballast()?.sequence)
        })
    }
}
