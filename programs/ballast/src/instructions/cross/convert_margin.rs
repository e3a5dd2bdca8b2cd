//! A position goes from isolated to cross margin and back.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{convert::Left, LegTerms},
    distress::Distress,
    oracle::Action,
    position::Position,
    units::Atoms,
    wind_down::MarketAction,
};
use ballast_state::{
    cross::Scene,
    error::BallastError,
    events::MarginConverted,
    exchange::{Exchange, PAUSE_REMOVE_MARGIN},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::records::{check_interest, renew, store, LegChange, Written};
use crate::loaders::{
    board_account::BoardAccount, cross_queues::CrossQueues, current::Current,
    queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{error, require},
    instructions::{
        position_change::{Change, PositionChanges, Remembered},
        profit::Profits,
    },
    oracle::touch,
};

/// Accounts of `convert_margin`. The remaining accounts are cross queues, writable: that of the position, and
/// those of the account's other legs whose records have to be renewed.
#[event_cpi]
#[derive(Accounts)]
pub struct ConvertMargin<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
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
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

/// What a conversion works on.
struct Conversion<'a, 'info> {
    trader: Pubkey,
    market: &'a mut Market,
    scene: Scene<'a>,
    queues: CrossQueues<'info>,
}

impl<'info> ConvertMargin<'info> {
    /// Makes the isolated position a leg whose margin joins the pool (`to_cross`), or the leg an isolated
    /// position with `margin` atoms of the pool. Either way both sides end with what opening needs. A position
    /// that converts has no orders, triggers, held profit or flag. Margin beyond what was paid in is profit, and
    /// joins no pool where the market is short.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `NoPosition`, `CrossDisabled`, `CrossHasOrders`, `CrossTooManyLegs`,
    /// `CrossBelowInitial`, `CrossDepositStays`, `OpenInterestLimit`, `CrossMarkStale`, `CrossMarkFrozen`,
    /// `CrossQueueMissing`, `CrossRecordStale`, `QueueFull`, `ProfitIsHeld`, `Paused`, the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>, to_cross: bool, margin: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        let remaining = ctx.remaining_accounts;
        let (event, profits) = accounts.convert(remaining, to_cross, margin)?;
        emit(&accounts.event_authority, &event)?;
        profits.hold(&accounts.venue(&[&accounts.trader], &[]))
    }

    #[inline(never)]
    fn convert(
        &self,
        remaining: &'info [AccountInfo<'info>],
        to_cross: bool,
        margin: u64,
    ) -> Result<(MarginConverted, Profits)> {
        let clock = Clock::get()?;
        let exchange = self.exchange.current()?;
        let pauses = exchange.require_not_paused(PAUSE_REMOVE_MARGIN, clock.slot)?;
        let (cross, _) = CrossQueues::split(remaining)?;
        let (key, trader_key) = (self.market.key(), self.trader.key());
        let mut market = self.market.current_mut()?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        if to_cross {
            market.require(MarketAction::RaiseOpenInterest)?;
        }
        board.place(&market)?;
        let action = Action::RemoveMargin;
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let terms = LegTerms::of(market.params());
        let mut changes = PositionChanges::open(key, &market, &queues).priced(&touched);
        let pool = trader.cross_pool;
        changes.enter_pool(pool);
        let mut conversion = Conversion {
            trader: trader_key,
            market: &mut market,
            scene: Scene {
                key,
                touched: &touched,
                terms: &terms,
                board: &board,
                slot: clock.slot,
            },
            queues: cross,
        };
        let (lots, written) = match to_cross {
            true => conversion.join(&mut trader, &mut changes)?,
            false => conversion.leave(&mut trader, &mut changes, margin)?,
        };
        changes.leave_pool(trader.cross_pool);
        changes.close(&mut market)?;
        market.invariant()?;
        renew(
            &trader_key,
            &mut trader,
            &board,
            &cross,
            written,
            clock.slot,
        )?;
        let moved = (pool, trader.cross_pool);
        let event = converted(&key, &trader_key, to_cross, lots, moved);
        Ok((event, changes.profits()))
    }
}

impl Conversion<'_, '_> {
    /// The isolated position becomes a leg.
    #[inline(never)]
    fn join(
        &mut self,
        trader: &mut Trader,
        changes: &mut PositionChanges,
    ) -> Result<(i64, Written)> {
        let (free, key) = (trader.free(), self.scene.key);
        let slot = trader.position_mut(&key)?;
        let plain = slot.order_count == 0
            && slot.held_shares == 0
            && slot.stop_loss.is_unset()
            && slot.take_profit.is_unset()
            && slot.distress() == Distress::NONE;
        require!(plain, BallastError::CrossHasOrders);
        let before = self.market.settled(slot)?;
        require!(!before.is_empty(), BallastError::NoPosition);
        let mut entered = changes.enter(free, 0);
        let change = Change {
            trader: &self.trader,
            before: &before,
            after: &Position::default(),
            remembered: Remembered::Nothing,
            stamp: None,
        };
        changes.apply(&mut entered, slot, &change)?;
        entered.pooled(before.margin.get());
        changes.leave(&self.trader, trader, &entered, 0)?;

        let index = trader.claim_leg(&key)?;
        trader.pool_in(before.margin.get(), self.scene.slot)?;
        let claim = Position {
            margin: Atoms::ZERO,
            ..before
        };
        let nothing = Position::default();
        check_interest(
            self.scene.board,
            self.market,
            &key,
            &self.queues,
            &nothing,
            &claim,
        )?;
        let joined = LegChange {
            index,
            after: &claim,
            funding_index: claim.funding_index,
            distress: Distress::NONE,
        };
        let written = store(changes, &key, trader, &self.queues, &joined)?;

        let legs = self.scene.valued(trader)?;
        let own = legs.place_of(index)?;
        legs.check_opening(self.scene.board, Some(own), self.scene.slot)?;
        legs.account().check_joined().map_err(BallastError::from)?;
        Ok((claim.lots.get(), written))
    }

    /// The leg becomes an isolated position with so much of the pool.
    #[inline(never)]
    fn leave(
        &mut self,
        trader: &mut Trader,
        changes: &mut PositionChanges,
        margin: u64,
    ) -> Result<(i64, Written)> {
        let key = self.scene.key;
        let index = trader.find_leg(&key);
        let index = index.ok_or_else(|| error!(BallastError::NoPosition))?;
        let leg = trader.leg(&key)?;
        let plain = leg.distress() == Distress::NONE && leg.order_count == 0;
        require!(plain, BallastError::CrossHasOrders);
        let left = self.take_out(trader, index, margin)?;
        trader.pool_out(margin, self.scene.slot)?;
        trader.cross_pool = left.pool.get();
        let closed = LegChange {
            index,
            after: &Position::default(),
            funding_index: left.position.funding_index,
            distress: Distress::NONE,
        };
        store(changes, &key, trader, &self.queues, &closed)?;
        isolate(changes, &self.trader, &key, trader, &left.position)?;
        Ok((left.position.lots.get(), Written::NONE))
    }

    #[inline(never)]
    fn take_out(&self, trader: &Trader, index: usize, margin: u64) -> Result<Left> {
        let legs = self.scene.valued(trader)?;
        let place = legs.place_of(index)?;
        legs.check_opening(self.scene.board, Some(place), self.scene.slot)?;
        let rest = legs.without(place);
        let left = legs.account().take_out(place, rest.account().legs, margin);
        left.map_err(|error| BallastError::from(error).into())
    }
}

/// What is announced of a conversion that changed the pool from the first to the second, atoms.
pub const fn converted(
    market: &Pubkey,
    trader: &Pubkey,
    to_cross: bool,
    lots: i64,
    (before, after): (i64, i64),
) -> MarginConverted {
    MarginConverted {
        trader: *trader,
        market: *market,
        to_cross,
        lots,
        amount: after.wrapping_sub(before),
        pool_after: after,
    }
}

/// Writes the isolated position that a leg has become; its margin came out of the pool.
///
/// # Errors
/// `NoFreeSlot`, `QueueFull`, `BankruptcyPriceOutOfRange`.
#[inline(never)]
pub fn isolate(
    changes: &mut PositionChanges,
    trader_key: &Pubkey,
    market: &Pubkey,
    trader: &mut Trader,
    position: &Position,
) -> Result<()> {
    let free = trader.free();
    let slot = trader.slot_or_claim(market)?;
    let mut entered = changes.enter(free, slot.order_margin);
    let change = Change {
        trader: trader_key,
        before: &Position {
            funding_index: position.funding_index,
            ..Position::default()
        },
        after: position,
        remembered: Remembered::Nothing,
        stamp: None,
    };
    changes.apply(&mut entered, slot, &change)?;
    entered.pooled(position.margin.get().wrapping_neg());
    changes.leave(trader_key, trader, &entered, 0)
}
