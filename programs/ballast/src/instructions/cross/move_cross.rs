//! Moves collateral between a trader's free collateral and the pool that its legs share.

use anchor_lang::prelude::*;
use ballast_engine::{settlement::Settlement, units::Atoms};
use ballast_state::{
    cross::Legs,
    error::BallastError,
    events::CrossMoved,
    exchange::{Exchange, PAUSE_REMOVE_MARGIN},
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::records::{renew, Written};
use crate::loaders::{board_account::BoardAccount, cross_queues::CrossQueues, current::Current};
use crate::{
    emit::emit,
    error::{require, OrBallast},
};

/// Accounts of `move_cross`. The remaining accounts are cross queues of the account's legs, writable: the
/// records of these are renewed.
#[event_cpi]
#[derive(Accounts)]
pub struct MoveCross<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> MoveCross<'info> {
    /// Moves `amount` atoms into the pool; out of it where negative, and then the account must hold its initial
    /// margin without unrealised profit, at marks that are neither old nor frozen. What came in in this slot
    /// stays. Putting in needs no fresh mark and cannot be paused.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `ZeroAmount`, `InsufficientCollateral`, `CrossBelowInitial`, `CrossDepositStays`,
    /// `CrossMarkStale`, `CrossMarkFrozen`, `CrossRecordStale`, `Paused`.
    pub fn handle(ctx: Context<'info, Self>, amount: i64) -> Result<()> {
        let event = ctx.accounts.transfer(ctx.remaining_accounts, amount)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn transfer(&self, remaining: &'info [AccountInfo<'info>], amount: i64) -> Result<CrossMoved> {
        let slot = Clock::get()?.slot;
        let (queues, _) = CrossQueues::split(remaining)?;
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        require!(amount != 0, BallastError::ZeroAmount);
        let mut settlement = Settlement::default();
        settlement.trader_before(trader.free(), 0);
        settlement.trader_before(Atoms::new(trader.cross_pool), 0);
        let atoms = amount.unsigned_abs();
        if amount > 0 {
            trader.debit(atoms)?;
            trader.pool_in(amount, slot)?;
        } else {
            let exchange = self.exchange.current()?;
            exchange.require_not_paused(PAUSE_REMOVE_MARGIN, slot)?;
            trader.pool_out(atoms, slot)?;
            trader.credit(atoms)?;
            let legs = Legs::at_board(&trader, &board)?;
            legs.check_opening(&board, None, slot)?;
            let enough = legs.account().check_opening();
            enough.map_err(BallastError::from)?;
        }
        settlement.trader_after(trader.free(), 0);
        settlement.trader_after(Atoms::new(trader.cross_pool), 0);
        settlement.close().or_ballast()?;
        let key = self.trader.key();
        renew(&key, &mut trader, &board, &queues, Written::NONE, slot)?;
        Ok(CrossMoved {
            trader: key,
            amount,
            pool_after: trader.cross_pool,
            free_after: trader.free,
        })
    }
}
