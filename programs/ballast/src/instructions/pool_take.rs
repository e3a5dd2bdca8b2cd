//! A pool that takes over what the book leaves of a liquidation.

use anchor_lang::prelude::*;
use ballast_engine::{
    liquidation::{LiquidationPlan, Waterfall},
    pool::back,
    position::Position,
    units::{Atoms, Lots},
};
use ballast_state::{
    events::PoolTook,
    market::{Market, Touched},
    pool::{Pool, Taken},
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    error::OrBallast,
    instructions::{liquidation::take, matching::Matched},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// A pool and its trader account.
pub struct PoolAccounts<'a, 'info> {
    /// The market's pool.
    pub pool: &'a AccountLoader<'info, Pool>,
    /// The pool's trader account.
    pub trader: &'a AccountLoader<'info, Trader>,
}

/// What a take depends on beside the plan.
#[derive(Clone, Copy)]
pub struct TakeTerms {
    /// Lots of the victim's position before.
    pub whole: u64,
    /// The current slot.
    pub now: u64,
    /// What the pool was worth before to whoever leaves, atoms.
    pub low: u64,
}

impl PoolAccounts<'_, '_> {
    /// Lets the pool stand in the liquidator's place, for as many lots as the engine says. What the pool
    /// is worth to whoever leaves, atoms.
    ///
    /// # Errors
    /// `WrongPool`; `Overflow`.
    #[inline(never)]
    pub fn offer(
        &self,
        market_key: &Pubkey,
        market: &Market,
        queues: &MarketQueues,
        touched: &Touched,
        waterfall: &mut Waterfall,
        now: u64,
    ) -> Result<u64> {
        let pool = self.pool.current()?;
        let trader = self.trader.current()?;
        pool.require_of(market_key, self.trader.as_ref().key)?;
        let offer = waterfall.offer().or_ballast()?;
        let has_room = queues.has_room(offer.side)?;
        let taker = pool.offered(market, &trader, touched, now, has_room)?;
        let lots = taker.take(market.params(), touched.mark.price, &offer);
        let lots = lots.or_ballast()?;
        let alone = market.insurance_available(now);
        let alone = alone.or_ballast()?;
        let premium = pool.params.premium_in(market.params());
        *waterfall = waterfall.into_pool(lots, premium, alone);
        Ok(taker.low)
    }

    /// The pool takes over its fill of `plan`, for the event that follows that of the liquidation.
    ///
    /// # Errors
    /// `QueueFull`; those of [`back`].
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    pub fn settle(
        &self,
        market: &Market,
        book: &MarketBook,
        matched: &mut Matched,
        touched: &Touched,
        plan: &LiquidationPlan,
        victim: &Pubkey,
        fill: (Lots, Atoms),
        terms: &TakeTerms,
    ) -> Result<Box<PoolTook>> {
        let mut pool = self.pool.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        let (key, market_key) = (self.trader.key(), pool.market);
        let TakeTerms { whole, now, low } = *terms;
        let (risk, mark) = (market.params(), &touched.mark);
        let (mut before, mut margin_added) = (Lots::ZERO, 0);
        let decide = |position: Position, free| {
            before = position.lots;
            let party = back(&pool.params, risk, mark, position, free, fill, whole)?;
            margin_added = party.margin_added;
            Ok(party)
        };
        let entered = take(
            market,
            &market_key,
            book,
            matched,
            &key,
            &mut trader,
            decide,
        )?;
        let premium = plan.premium_atoms;
        trader.credit(premium)?;
        let changes = &mut matched.changes;
        changes.leave(&key, &mut trader, &entered, premium)?;
        let taken = Taken {
            slot: now,
            low,
            mark: mark.price,
            before,
            after: before.try_add(fill.0).or_ballast()?,
            discount: plan.discount_atoms,
            premium,
        };
        pool.took(&taken)?;
        pool.invariant()?;
        let window = pool.window().total().or_ballast()?;
        Ok(Box::new(PoolTook {
            market: market_key,
            pool: self.pool.key(),
            trader: *victim,
            mark_ticks: touched.price.price.get(),
            lots: fill.0.get(),
            quote_atoms: fill.1.get(),
            discount_atoms: taken.discount,
            premium_atoms: premium,
            margin_added,
            lots_before: before.get(),
            lots_after: taken.after.get(),
            free_after: trader.free,
            worth_low: low,
            window_atoms: window,
        }))
    }
}
