//! One step of a liquidation: the engine says how much; the book takes lots first, then the caller's
//! account or the market's pool.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::Book,
    liquidation::{look, LiquidationInput, LiquidationPlan, Waterfall},
    oracle::Action,
    position::Position,
    reward::rescue_reward,
    trade::{take_over, PartyInput, PartyOutcome},
    units::{Atoms, LotPrice},
    EngineError,
};
use ballast_state::{
    error::BallastError,
    events::{PoolTook, PositionLiquidated, RemovalReason},
    exchange::{Exchange, PAUSE_LIQUIDATE},
    market::{DeficitPaid, Market, Touched},
    pause::clocks_run,
    position_slot::PositionSlot,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    error::{error, OrBallast},
    instructions::{
        matching::{Listed, Matched, Matching, Orders},
        orders::{cancel_for, cut_reduce_only, removed as removed_order},
        pool_take::{PoolAccounts, TakeTerms},
        position_change::{Change, Entered, PositionChanges, Remembered},
        profit::Profits,
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch,
};

/// Who takes over what the book leaves.
pub enum TakesOver<'a, 'info> {
    /// The liquidator: up to so many lots, with so much of its free collateral as margin, atoms.
    Liquidator {
        /// Most lots.
        lots: u64,
        /// Margin, atoms.
        margin: u64,
    },
    /// The market's pool, as many as the engine says.
    Pool(PoolAccounts<'a, 'info>),
}

/// The accounts of one step of a liquidation.
pub struct Liquidation<'a, 'info> {
    /// Owner or delegate of the liquidator's account.
    pub authority: &'a Pubkey,
    /// The exchange.
    pub exchange: &'a AccountLoader<'info, Exchange>,
    /// The market of the position.
    pub market: &'a AccountLoader<'info, Market>,
    /// The trader who is liquidated.
    pub trader: &'a AccountLoader<'info, Trader>,
    /// The trader account that gets the rewards.
    pub liquidator: &'a AccountLoader<'info, Trader>,
    /// The market's book.
    pub book: &'a AccountInfo<'info>,
    /// The market's queue of longs.
    pub queue_long: &'a AccountInfo<'info>,
    /// The market's queue of shorts.
    pub queue_short: &'a AccountInfo<'info>,
    /// The market's price.
    pub price: &'a AccountInfo<'info>,
    /// The makers.
    pub listed: Listed<'a, 'info>,
    /// Who takes over what the book leaves.
    pub takes_over: TakesOver<'a, 'info>,
}

/// What one step did.
pub struct Liquidated {
    /// The step.
    pub event: Box<PositionLiquidated>,
    /// What the pool took of it.
    pub took: Option<Box<PoolTook>>,
    /// Profit that makers and those who took over took out of their positions.
    pub profits: Profits,
}

impl<'info> Liquidation<'_, 'info> {
    /// Liquidates one step.
    ///
    /// # Errors
    /// Those of `liquidate` and of `liquidate_into_pool`.
    #[inline(never)]
    pub fn step(&self) -> Result<Liquidated> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_LIQUIDATE, clock.slot)?;
        self.listed.check_makers()?;
        self.liquidator
            .current()?
            .require_authority(self.authority)?;
        let mut market = self.market.current_mut()?;
        let mut victim = self.trader.current_mut()?;
        let key = self.market.key();
        let action = Action::Force {
            flagged_slot: victim.flagged_slot(&key, clock.slot),
        };
        let recorded = market.last_price.publish_time;
        let touched = touch(&mut market, self.price, action, &clock, pauses)?;
        let newer = touched.price.publish_time > recorded;
        let queues = MarketQueues::load(&market, self.queue_long, self.queue_short)?;
        let book = MarketBook::load(&market, self.book)?;

        let free = victim.free();
        let slot = victim.position_mut(&key)?;
        let reserve = slot.order_margin;
        let before = market.settled(slot)?;
        let cancelled = cancel_for(&self.trader.key(), &book, slot)?;
        let matching = Matching::new(key, &market, &queues, self.listed, &touched, &clock, false);
        let input = self.input(&market, &touched, slot, &before, clock.slot)?;
        let (plan, mut matched, low) = self.meet_book(
            &market, &queues, &touched, &book, matching, &input, None, newer,
        )?;
        let mut entered = matched.changes.enter(free, reserve);
        let mut event = self.event(&touched, &before, &plan, market.insurance.balance);

        let paid = settle_insurance(&mut market, &plan, clock.slot)?;
        event.insurance_paid_atoms = paid.insured;
        event.held_paid_atoms = paid.held;
        matched.book(&mut market, &book)?;
        self.write_victim(
            &mut market,
            &mut matched.changes,
            &mut entered,
            slot,
            &before,
            &plan,
            (touched.mark.price, clock.slot, clocks_run(pauses)),
        )?;
        if let Some(cancelled) = &cancelled {
            victim.credit(cancelled.margin_atoms)?;
        }
        victim.add_free(plan.victim_payout)?;
        let trader = self.trader.key();
        matched.changes.leave(&trader, &mut victim, &entered, 0)?;

        let reward = take_reward(&mut market, &plan, before.size())?;
        let income = [plan.reward_atoms, matched.collected, reward];
        let took = self.settle_liquidator(
            &market,
            &book,
            &mut matched,
            &touched,
            &plan,
            &TakeTerms {
                whole: before.size(),
                now: clock.slot,
                low,
            },
            income,
        )?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        event.reward_atoms = reward;
        event.collected_atoms = matched.collected;
        event.insurance_after_atoms = market.insurance.balance;
        event.cancelled = cancelled;
        event.fills = matched.fills;
        event.removed = matched.removed;
        event.kept_orders = matched.kept;
        Ok(Liquidated {
            event,
            took,
            profits: matched.changes.profits(),
        })
    }

    #[inline(never)]
    fn input<'a>(
        &self,
        market: &'a Market,
        touched: &Touched,
        slot: &PositionSlot,
        position: &Position,
        now_slot: u64,
    ) -> Result<Box<LiquidationInput<'a>>> {
        let params = market.params();
        Ok(Box::new(LiquidationInput {
            position: *position,
            mark: touched.mark.price,
            params,
            slot: now_slot,
            distress: slot.distress(),
            insurance_available: market.deficit_cover(now_slot).or_ballast()?,
        }))
    }

    /// Writes what is left of the victim's position. What is remembered of it follows the step and
    /// its health at the mark.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn write_victim(
        &self,
        market: &mut Market,
        changes: &mut PositionChanges,
        entered: &mut Entered,
        slot: &mut PositionSlot,
        before: &Position,
        plan: &LiquidationPlan,
        (mark, now, counts): (LotPrice, u64, bool),
    ) -> Result<()> {
        let left = look(&plan.position_after, mark, market.params(), counts).or_ballast()?;
        let distress = plan.remembered(&slot.distress(), left, now);
        let change = Change {
            trader: &self.trader.key(),
            before,
            after: &plan.position_after,
            remembered: Remembered::Recorded(&distress.or_ballast()?),
            stamp: None,
        };
        changes.apply(entered, slot, &change)?;
        if !plan.lots.is_zero() {
            market.liquidations = market.liquidations.wrapping_add(1);
        }
        Ok(())
    }

    /// The book takes lots first, best price first, as long as it pays no less than the liquidator. `room` is
    /// that of a leg, see [`Waterfall::begin_leg`]. Where that closes nothing and only passes orders over, it is worth a price that is `newer` than
    /// those recorded before. Beside the plan what the pool is worth, see [`TakeTerms::low`].
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    pub fn meet_book<'q>(
        &self,
        market: &Market,
        queues: &MarketQueues,
        touched: &Touched,
        book: &MarketBook,
        mut matching: Box<Matching<'_, 'q, 'info>>,
        input: &LiquidationInput,
        room: Option<Atoms>,
        newer: bool,
    ) -> Result<(Box<LiquidationPlan>, Matched<'q, 'info>, u64)> {
        let most = match &self.takes_over {
            TakesOver::Liquidator { lots, .. } => *lots,
            TakesOver::Pool(_) => u64::MAX,
        };
        let waterfall = match room {
            None => Waterfall::begin(input, most > 0),
            Some(room) => Waterfall::begin_leg(input, most > 0, room),
        };
        let mut waterfall = Box::new(waterfall.or_ballast()?.bounded(most));
        let victim = self.trader.key();
        let exhausted = book.write(|book| descend(book, &mut matching, &mut waterfall, &victim))?;
        let low = match &self.takes_over {
            TakesOver::Liquidator { .. } => 0,
            TakesOver::Pool(pool) => {
                let (key, now) = (self.market.key(), input.slot);
                pool.offer(&key, market, queues, touched, &mut waterfall, now)?
            }
        };
        let plan = waterfall.finish(exhausted).or_ballast()?;
        let records = newer && matching.kept > 0;
        if plan.lots.is_zero() && matching.removed.is_empty() && !records {
            return Err(waterfall.nothing_closed()).or_ballast();
        }
        Ok((Box::new(plan), matching.done(), low))
    }

    /// What the book left is taken over, and the liquidator is paid.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    pub fn settle_liquidator(
        &self,
        market: &Market,
        book: &MarketBook,
        matched: &mut Matched,
        touched: &Touched,
        plan: &LiquidationPlan,
        terms: &TakeTerms,
        income: [u64; 3],
    ) -> Result<Option<Box<PoolTook>>> {
        let mut fill = plan.liquidator_fill().or_ballast()?;
        let mut took = None;
        if let TakesOver::Pool(pool) = &self.takes_over {
            if let Some(fill) = fill.take() {
                let victim = self.trader.as_ref().key;
                took =
                    Some(pool.settle(market, book, matched, touched, plan, victim, fill, terms)?);
            }
        }
        let mut liquidator = self.liquidator.current_mut()?;
        let entered = match (&self.takes_over, fill) {
            (TakesOver::Liquidator { margin, .. }, Some((lots, quote))) => {
                let key = self.liquidator.key();
                let decide = |position, free| {
                    let input = PartyInput {
                        position,
                        free,
                        margin_to_add: *margin,
                    };
                    take_over(
                        market.params(),
                        &touched.mark,
                        &input,
                        lots,
                        quote,
                        terms.whole,
                    )
                };
                take(
                    market,
                    &self.market.key(),
                    book,
                    matched,
                    &key,
                    &mut liquidator,
                    decide,
                )?
            }
            _ => {
                let reserve = liquidator.reserve_in(&self.market.key());
                matched.changes.enter(liquidator.free(), reserve)
            }
        };
        let mut earned = 0_u64;
        for atoms in income {
            liquidator.credit(atoms)?;
            earned = earned.wrapping_add(atoms);
        }
        let key = self.liquidator.key();
        matched
            .changes
            .leave(&key, &mut liquidator, &entered, earned)?;
        Ok(took)
    }

    /// The step as it is recorded, but for what is added later.
    #[inline(never)]
    pub fn event(
        &self,
        touched: &Touched,
        before: &Position,
        plan: &LiquidationPlan,
        insurance_before: u64,
    ) -> Box<PositionLiquidated> {
        Box::new(PositionLiquidated {
            market: self.market.key(),
            trader: self.trader.key(),
            liquidator: self.liquidator.key(),
            mark_ticks: touched.price.price.get(),
            lots: plan.lots.get(),
            quote_atoms: plan.quote.get(),
            book_lots: plan.book_lots.get(),
            book_quote_atoms: plan.book_quote.get(),
            book_reward_atoms: plan.reward_atoms,
            discount_atoms: plan.discount_atoms,
            insurance_fee_atoms: plan.insurance_fee_atoms,
            insurance_paid_atoms: 0,
            held_paid_atoms: 0,
            equity_before_atoms: plan.equity_before.get(),
            maintenance_before_atoms: plan.maintenance_before,
            lots_before: before.lots.get(),
            lots_after: plan.position_after.lots.get(),
            insurance_before_atoms: insurance_before,
            insurance_after_atoms: insurance_before,
            reward_atoms: 0,
            collected_atoms: 0,
            cancelled: None,
            fills: Vec::new(),
            removed: Vec::new(),
            kept_orders: 0,
        })
    }
}

/// A trader becomes what `decide` makes of it, which takes lots over; the last step is its caller's.
///
/// # Errors
/// `NoFreeSlot`, `QueueFull`; those of `decide`.
pub fn take(
    market: &Market,
    market_key: &Pubkey,
    book: &MarketBook,
    matched: &mut Matched,
    key: &Pubkey,
    trader: &mut Trader,
    decide: impl FnOnce(Position, Atoms) -> core::result::Result<PartyOutcome, EngineError>,
) -> Result<Entered> {
    let free = trader.free();
    let slot = trader.slot_or_claim(market_key)?;
    let mut entered = matched.changes.enter(free, slot.order_margin);
    let before = market.settled(slot)?;
    let party = decide(before, free).or_ballast()?;
    let change = Change {
        trader: key,
        before: &before,
        after: &party.position,
        remembered: Remembered::after_trade(party.reduced_only),
        stamp: None,
    };
    matched.changes.apply(&mut entered, slot, &change)?;
    let (removed, tick) = (&mut matched.removed, market.oracle.atoms_per_lot_tick);
    cut_reduce_only(book, slot, party.position.lots, |order| {
        let reason = RemovalReason::Reduced;
        removed.push(removed_order(key, order, tick, reason, 0));
    })?;
    trader.free = party.free.get();
    Ok(entered)
}

/// Whether no order is left that would take lots.
#[inline(never)]
fn descend(
    book: &mut Book,
    matching: &mut Matching,
    waterfall: &mut Waterfall,
    victim: &Pubkey,
) -> Result<bool> {
    waterfall.descend(&mut Orders {
        book,
        matching,
        trader: victim,
    })
}

/// Takes the reward for lots that insurance had to rescue, where there is no discount to earn, out
/// of the fee bucket.
pub fn take_reward(market: &mut Market, plan: &LiquidationPlan, size: u64) -> Result<u64> {
    let saved = plan.insurance_paid_atoms;
    if saved == 0 {
        return Ok(0);
    }
    let (reward, closed) = (market.params().adl.reward_atoms, plan.lots.size());
    let reward = rescue_reward(reward, market.fees_atoms, closed, size, saved).or_ballast()?;
    let left = market.fees_atoms.checked_sub(reward);
    market.fees_atoms = left.ok_or_else(|| error!(BallastError::Overflow))?;
    Ok(reward)
}

/// Pays the deficit of the closed lots and a pool's premium, and books insurance's fee.
pub fn settle_insurance(
    market: &mut Market,
    plan: &LiquidationPlan,
    now_slot: u64,
) -> Result<DeficitPaid> {
    let paid = market.pay_deficit(plan.insurance_paid_atoms, now_slot);
    let paid = paid.or_ballast()?;
    if plan.premium_atoms > 0 {
        let paid = market.pay_premium(plan.premium_atoms, now_slot);
        paid.or_ballast()?;
    }
    market.earn_insurance(plan.insurance_fee_atoms)?;
    Ok(paid)
}
