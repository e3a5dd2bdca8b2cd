//! Takes a leg of a market that has ended out of its account.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::LegTerms, distress::Distress, position::Position, wind_down::MarketAction,
};
use ballast_state::{
    cross::Scene,
    error::BallastError,
    events::{LegForced, MarginConverted},
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::{
    convert_margin::{converted, isolate},
    records::{renew, store, LegChange, Written},
};
use crate::loaders::{
    board_account::BoardAccount, cross_queues::CrossQueues, current::Current,
    queue_account::MarketQueues,
};
use crate::{emit::emit, error::OrBallast, instructions::position_change::PositionChanges};

/// Accounts of `part_leg`. The remaining accounts are cross queues, writable: that of the leg, and those of the
/// account's other legs whose records have to be renewed.
#[event_cpi]
#[derive(Accounts)]
pub struct PartLeg<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market, which has ended.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> PartLeg<'info> {
    /// Makes the leg an isolated position with its share of the account's equity or deficit, at the last price,
    /// so that it is settled as every other. What is left of the account is as healthy as before. Anyone may
    /// call it, for anybody; it cannot be paused.
    ///
    /// # Errors
    /// `MarketTrades`, `NoPosition`, `CrossMarkStale`, `CrossQueueMissing`, `CrossRecordStale`, `QueueFull`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let (converted, forced) = ctx.accounts.part(ctx.remaining_accounts)?;
        emit(&ctx.accounts.event_authority, &forced)?;
        emit(&ctx.accounts.event_authority, &converted)
    }

    #[inline(never)]
    fn part(&self, remaining: &'info [AccountInfo<'info>]) -> Result<(MarginConverted, LegForced)> {
        let slot = Clock::get()?.slot;
        let (cross, _) = CrossQueues::split(remaining)?;
        let (key, trader_key) = (self.market.key(), self.trader.key());
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::Settle)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let mut trader = self.trader.current_mut()?;
        let touched = market.at_final_price().or_ballast()?;
        let terms = LegTerms::of(market.params());
        let scene = Scene {
            key,
            touched: &touched,
            terms: &terms,
            board: &board,
            slot,
        };
        let trouble = scene.trouble(&market, &trader, false)?;
        let left = {
            let legs = scene.legs(&trader)?;
            legs.account()
                .part(&trouble.values, trouble.place)
                .or_ballast()?
        };
        let mut changes = PositionChanges::open(key, &market, &queues);
        let pool = trader.cross_pool;
        changes.enter_pool(pool);
        trader.cross_pool = left.pool.get();
        let closed = LegChange {
            index: trouble.index,
            after: &Position::default(),
            funding_index: touched.funding_index,
            distress: Distress::NONE,
        };
        store(&mut changes, &key, &mut trader, &cross, &closed)?;
        if let Ok(slot) = trader.any_mut(&key) {
            // Orders that are left are those of an isolated position from here on.
            slot.cross = 0;
        }
        isolate(&mut changes, &trader_key, &key, &mut trader, &left.position)?;
        changes.leave_pool(trader.cross_pool);
        changes.close(&mut market)?;
        market.invariant()?;
        renew(
            &trader_key,
            &mut trader,
            &board,
            &cross,
            Written::NONE,
            slot,
        )?;
        let moved = (pool, trader.cross_pool);
        let lots = left.position.lots.get();
        let converted = converted(&key, &trader_key, false, lots, moved);
        let forced = trouble.event(&key, &trader_key, trader.cross_pool);
        Ok((converted, forced))
    }
}
