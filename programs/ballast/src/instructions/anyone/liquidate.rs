//! One step of a liquidation: the engine says how much; the book takes lots first, then the
//! caller's account.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::Book,
    descent::{BestOrder, Makers, Met},
    liquidation::{look, LiquidationInput, LiquidationPlan, Waterfall},
    oracle::Action,
    position::Position,
    reward::rescue_reward,
    trade::{take_over, PartyInput},
    units::{LotPrice, Side},
    EngineError,
};
use ballast_state::{
    error::BallastError,
    events::{PositionLiquidated, RemovalReason},
    exchange::{Exchange, PAUSE_LIQUIDATE},
    market::{DeficitPaid, Market, Touched},
    pause::clocks_run,
    position_slot::PositionSlot,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, OrBallast},
    instructions::{
        matching::{check_makers, Matched, Matching},
        orders::{cancel_for, cut_reduce_only, removed as removed_order},
        position_change::{Change, Entered, PositionChanges, Remembered},
        profit::Profits,
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch,
};

/// Accounts of `liquidate`. The remaining accounts are the trader accounts of the makers whose
/// orders take lots, writable, in the order of the book.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// Owner or delegate of the liquidator's account.
    pub liquidator_authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader who is liquidated.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// The trader account that takes the lots over.
    #[account(
        mut,
        constraint = liquidator.key() != trader.key() @ BallastError::TradersNotDistinct,
    )]
    pub liquidator: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

impl<'info> Liquidate<'info> {
    /// Liquidates one step of a position below maintenance; the trader's orders in the market are
    /// cancelled first. The engine derives the size. The orders of the listed makers take lots
    /// while their price is no worse for the trader than the liquidator's. The liquidator's account
    /// takes over up to `take_over_lots` of the rest at the mark less the discount,
    /// locking `liquidator_margin` atoms of its free collateral if that opens or enlarges its
    /// position.
    ///
    /// # Errors
    /// `Healthy`, `LadderInterval`, `InsuranceCannotPay` (then deleverage), `NothingFilled`,
    /// `LiquidationSkipsBook`, `NoPosition`, `NotTraderAuthority`, `TradersNotDistinct`,
    /// `InsufficientCollateral`, `BelowInitialMargin`, `PositionTooLarge`, `NoFreeSlot`,
    /// `QueueFull`, `TooManyMakers`, `MakerForeign`, `Paused`, the `Price...` errors.
    pub fn handle(
        ctx: Context<'info, Self>,
        liquidator_margin: u64,
        take_over_lots: u64,
    ) -> Result<()> {
        let makers = ctx.remaining_accounts;
        let accounts = &ctx.accounts;
        let (event, profits) = accounts.step(makers, liquidator_margin, take_over_lots)?;
        emit(&accounts.event_authority, &*event)?;
        profits.hold(&accounts.venue(&[&accounts.trader, &accounts.liquidator], makers))
    }

    #[inline(never)]
    fn step(
        &self,
        makers: &'info [AccountInfo<'info>],
        liquidator_margin: u64,
        take_over_lots: u64,
    ) -> Result<(Box<PositionLiquidated>, Profits)> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_LIQUIDATE, clock.slot)?;
        check_makers(makers)?;
        let liquidator_authority = self.liquidator_authority.key;
        self.liquidator
            .current()?
            .require_authority(liquidator_authority)?;
        let mut market = self.market.current_mut()?;
        let mut victim = self.trader.current_mut()?;
        let key = self.market.key();
        let action = Action::Force {
            flagged_slot: victim.flagged_slot(&key, clock.slot),
        };
        let recorded = market.last_price.publish_time;
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let newer = touched.price.publish_time > recorded;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;

        let free = victim.free();
        let slot = victim.position_mut(&key)?;
        let reserve = slot.order_margin;
        let before = market.settled(slot)?;
        let cancelled = cancel_for(&self.trader.key(), &book, slot)?;
        let matching = Matching::new(
            key,
            &market,
            &queues,
            makers,
            &touched,
            clock.unix_timestamp,
            false,
        );
        let input = self.input(&market, &touched, slot, &before, clock.slot)?;
        let (plan, mut matched) = meet_book(
            &self.trader.key(),
            &book,
            matching,
            &input,
            take_over_lots,
            newer,
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
        self.settle_liquidator(
            &market,
            &book,
            &mut matched,
            &touched,
            &plan,
            (liquidator_margin, before.size()),
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
        Ok((event, matched.changes.profits()))
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

    /// The liquidator's account takes over what the book left, and is paid.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn settle_liquidator(
        &self,
        market: &Market,
        book: &MarketBook,
        matched: &mut Matched,
        touched: &Touched,
        plan: &LiquidationPlan,
        (margin, whole): (u64, u64),
        income: [u64; 3],
    ) -> Result<()> {
        let key = self.market.key();
        let mut liquidator = self.liquidator.current_mut()?;
        let changes = &mut matched.changes;
        let entered = if let Some((lots, quote)) = plan.liquidator_fill().or_ballast()? {
            let free = liquidator.free();
            let slot = liquidator.slot_or_claim(&key)?;
            let mut entered = changes.enter(free, slot.order_margin);
            let input = PartyInput {
                position: market.settled(slot)?,
                free,
                margin_to_add: margin,
            };
            let party = take_over(market.params(), &touched.mark, &input, lots, quote, whole)
                .or_ballast()?;
            let change = Change {
                trader: &self.liquidator.key(),
                before: &input.position,
                after: &party.position,
                remembered: Remembered::after_trade(party.reduced_only),
                stamp: None,
            };
            changes.apply(&mut entered, slot, &change)?;
            let (removed, tick) = (&mut matched.removed, market.oracle.atoms_per_lot_tick);
            cut_reduce_only(book, slot, |order| {
                let reason = RemovalReason::Reduced;
                removed.push(removed_order(change.trader, order, tick, reason, 0));
            })?;
            liquidator.free = party.free.get();
            entered
        } else {
            changes.enter(liquidator.free(), liquidator.reserve_in(&key))
        };
        let mut earned = 0_u64;
        for atoms in income {
            liquidator.credit(atoms)?;
            earned = earned.wrapping_add(atoms);
        }
        changes.leave(&self.liquidator.key(), &mut liquidator, &entered, earned)
    }

    #[inline(never)]
    fn event(
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

/// Lets the book take lots, best price first, as long as it pays no less than the liquidator.
/// Where that closes nothing and only passes orders over, it is worth a price that is `newer` than
/// those recorded before.
#[inline(never)]
fn meet_book<'q, 'info>(
    victim: &Pubkey,
    book: &MarketBook,
    mut matching: Box<Matching<'_, 'q, 'info>>,
    input: &LiquidationInput,
    take_over_lots: u64,
    newer: bool,
) -> Result<(Box<LiquidationPlan>, Matched<'q, 'info>)> {
    let waterfall = Waterfall::begin(input, take_over_lots > 0).or_ballast()?;
    let mut waterfall = Box::new(waterfall.bounded(take_over_lots));
    let exhausted = book.write(|book| descend(book, &mut matching, &mut waterfall, victim))?;
    let plan = waterfall.finish(exhausted).or_ballast()?;
    let records = newer && matching.kept > 0;
    if plan.lots.is_zero() && matching.removed.is_empty() && !records {
        return Err(waterfall.nothing_closed()).or_ballast();
    }
    Ok((Box::new(plan), matching.done()))
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
        victim,
    })
}

/// The orders of the book, those of the victim cancelled.
struct Orders<'s, 'b, 'a, 'q, 'info> {
    book: &'s mut Book<'b>,
    matching: &'s mut Matching<'a, 'q, 'info>,
    victim: &'s Pubkey,
}

impl Makers for Orders<'_, '_, '_, '_, '_> {
    type Error = Error;

    fn refused(error: EngineError) -> Error {
        BallastError::from(error).into()
    }

    fn best(&mut self, side: Side) -> Result<Option<BestOrder>> {
        self.matching.best(self.book, side, self.victim)
    }

    fn meet(&mut self, node: u32, most: u64) -> Result<Met> {
        self.matching.meet(self.book, node, most)
    }
}

/// Takes the reward for lots that insurance had to rescue, where there is no discount to earn, out
/// of the fee bucket.
fn take_reward(market: &mut Market, plan: &LiquidationPlan, size: u64) -> Result<u64> {
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

/// Pays the deficit of the closed lots and books insurance's fee.
fn settle_insurance(
    market: &mut Market,
    plan: &LiquidationPlan,
    now_slot: u64,
) -> Result<DeficitPaid> {
    let paid = market.pay_deficit(plan.insurance_paid_atoms, now_slot);
    let paid = paid.or_ballast()?;
    market.earn_insurance(plan.insurance_fee_atoms)?;
    Ok(paid)
}
