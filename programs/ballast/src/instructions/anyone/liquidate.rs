//! One step of a liquidation: the engine says how much; the book takes lots first, then the
//! caller's account.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::Book,
    liquidation::{health, LiquidationInput, LiquidationPlan, Waterfall},
    oracle::Action,
    position::Position,
    reward::keeper_reward,
    trade::{open_interest_after, take_over, PartyInput, PartyOutcome},
};
use ballast_state::{
    distress,
    error::BallastError,
    events::PositionLiquidated,
    exchange::{Exchange, PAUSE_LIQUIDATE},
    market::{Market, Touched},
    position_slot::PositionSlot,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::{
    emit::emit,
    error::{error, OrBallast},
    instructions::{
        matching::{check_makers, Matched, Matching, Step},
        orders::cancel_for,
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
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
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
    /// takes over the rest at the mark less the discount if it offers to with `takes_over`,
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
        takes_over: bool,
    ) -> Result<()> {
        let makers = ctx.remaining_accounts;
        let event = ctx.accounts.step(makers, liquidator_margin, takes_over)?;
        emit(&ctx.accounts.event_authority, &*event)?;
        Ok(())
    }

    #[inline(never)]
    fn step(
        &self,
        makers: &'info [AccountInfo<'info>],
        liquidator_margin: u64,
        takes_over: bool,
    ) -> Result<Box<PositionLiquidated>> {
        let clock = Clock::get()?;
        let mut exchange = self.exchange.load_mut()?;
        exchange.require_not_paused(PAUSE_LIQUIDATE)?;
        check_makers(makers)?;
        let liquidator_authority = self.liquidator_authority.key;
        self.liquidator
            .load()?
            .require_authority(liquidator_authority)?;
        let mut market = self.market.load_mut()?;
        let mut victim = self.trader.load_mut()?;
        let touched = touch(&mut market, &self.price, Action::Liquidate, &clock)?;
        let key = self.market.key();
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;

        let slot = victim.position_mut(&key)?;
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
        let (plan, matched) = meet_book(&book, matching, &input, takes_over)?;
        let mut event = self.event(&touched, &before, &plan, market.insurance.balance);

        settle_insurance(&mut market, &plan, clock.slot)?;
        matched.book(&mut market, &book)?;
        write_victim(
            &self.trader.key(),
            slot,
            &before,
            &plan,
            &mut market,
            &queues,
        )?;
        remember(&mut exchange, slot, &plan, &market, &touched, clock.slot)?;
        if let Some(cancelled) = &cancelled {
            victim.credit(cancelled.margin_atoms)?;
        }
        victim.add_free(plan.victim_payout)?;
        victim.release_if_closed(&key)?;

        let reward = rescue_reward(&mut market, &plan)?;
        let income = [plan.reward_atoms, matched.collected, reward];
        self.settle_liquidator(
            &mut exchange,
            &mut market,
            &queues,
            &touched,
            &plan,
            liquidator_margin,
            income,
        )?;
        exchange.invariant()?;
        market.invariant()?;
        victim.invariant_of(&key)?;
        event.reward_atoms = reward;
        event.collected_atoms = matched.collected;
        event.insurance_after_atoms = market.insurance.balance;
        event.cancelled = cancelled;
        event.fills = matched.fills;
        event.removed = matched.removed;
        Ok(event)
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
            flagged_slot: some_slot(slot.flagged_slot),
            last_step_slot: some_slot(slot.last_step_slot),
            step_left: u64::from(slot.step_left),
            insurance_available: market.insurance.available(params, now_slot).or_ballast()?,
        }))
    }

    /// The liquidator's account takes over what the book left, and is paid.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn settle_liquidator(
        &self,
        exchange: &mut Exchange,
        market: &mut Market,
        queues: &MarketQueues,
        touched: &Touched,
        plan: &LiquidationPlan,
        margin: u64,
        income: [u64; 3],
    ) -> Result<()> {
        let key = self.market.key();
        let mut liquidator = self.liquidator.load_mut()?;
        if let Some((lots, quote)) = plan.liquidator_fill().or_ballast()? {
            let free = liquidator.free();
            let slot = liquidator.slot_or_claim(&key)?;
            let input = PartyInput {
                position: market.settled(slot)?,
                free,
                margin_to_add: margin,
            };
            let party =
                take_over(market.params(), &touched.mark, &input, lots, quote).or_ballast()?;
            let before = input.position;
            write_liquidator(
                exchange,
                slot,
                &self.liquidator.key(),
                &before,
                &party,
                queues,
            )?;
            let change = [(before.lots, party.position.lots)];
            market.open_interest_lots =
                open_interest_after(market.open_interest_lots, &change).or_ballast()?;
            liquidator.free = party.free.get();
        }
        for atoms in income {
            liquidator.credit(atoms)?;
        }
        liquidator.release_if_closed(&key)?;
        liquidator.invariant_of(&key).or_ballast()
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
            insurance_paid_atoms: plan.insurance_paid_atoms,
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
        })
    }
}

/// Lets the book take lots, best price first, as long as it pays no less than the liquidator.
#[inline(never)]
fn meet_book(
    book: &MarketBook,
    mut matching: Box<Matching>,
    input: &LiquidationInput,
    takes_over: bool,
) -> Result<(Box<LiquidationPlan>, Matched)> {
    let mut waterfall = Box::new(Waterfall::begin(input, takes_over).or_ballast()?);
    let exhausted = book.write(|book| descend(book, &mut matching, &mut waterfall))?;
    let plan = waterfall.finish(exhausted).or_ballast()?;
    if plan.lots.is_zero() && matching.removed.is_empty() {
        return Err(waterfall.nothing_closed()).or_ballast();
    }
    Ok((Box::new(plan), matching.done()))
}

/// Whether no order is left that would take lots.
#[inline(never)]
fn descend(book: &mut Book, matching: &mut Matching, waterfall: &mut Waterfall) -> Result<bool> {
    loop {
        let left = waterfall.left().or_ballast()?;
        if left == 0 {
            return Ok(true);
        }
        let best = book.as_ref().best(waterfall.book_side()).or_ballast()?;
        let Some(node) = best else {
            return Ok(true);
        };
        let price = book.as_ref().order(node).or_ballast()?.price();
        if !waterfall.meets(price) {
            return Ok(true);
        }
        match matching.step(book, node, left)? {
            Step::Filled(lots) => waterfall.take(lots, price).or_ballast()?,
            Step::Removed => {}
            Step::ListEnded => return Ok(false),
        }
    }
}

#[inline(never)]
fn write_victim(
    victim: &Pubkey,
    slot: &mut PositionSlot,
    before: &Position,
    plan: &LiquidationPlan,
    market: &mut Market,
    queues: &MarketQueues,
) -> Result<()> {
    slot.store(&plan.position_after);
    queues.sync(victim, before.side(), slot)?;
    let change = [(before.lots, plan.position_after.lots)];
    market.open_interest_lots =
        open_interest_after(market.open_interest_lots, &change).or_ballast()?;
    if !plan.lots.is_zero() {
        market.liquidations = market.liquidations.wrapping_add(1);
    }
    Ok(())
}

/// Afterwards what the program remembers of the position follows its health.
#[inline(never)]
fn remember(
    exchange: &mut Exchange,
    slot: &mut PositionSlot,
    plan: &LiquidationPlan,
    market: &Market,
    touched: &Touched,
    now_slot: u64,
) -> Result<()> {
    let params = market.params();
    let available = market.insurance.available(params, now_slot).or_ballast()?;
    let (last_step, step_left) = if plan.lots.is_zero() {
        (slot.last_step_slot, slot.step_left)
    } else if plan.follow_up {
        (slot.last_step_slot, lots(plan.step_left)?)
    } else {
        (now_slot, lots(plan.step_left)?)
    };
    let left = health(&plan.position_after, touched.mark.price, params).or_ballast()?;
    distress::record(exchange, slot, left, available, now_slot)?;
    if !plan.position_after.is_empty() {
        slot.last_step_slot = last_step;
        slot.step_left = step_left;
    }
    Ok(())
}

#[inline(never)]
fn write_liquidator(
    exchange: &mut Exchange,
    slot: &mut PositionSlot,
    liquidator: &Pubkey,
    before: &Position,
    party: &PartyOutcome,
    queues: &MarketQueues,
) -> Result<()> {
    slot.store(&party.position);
    if party.position.is_empty() || !party.reduced_only {
        // It is gone, or holds initial margin now: an earlier bankruptcy is over.
        distress::clear(exchange, slot)?;
    }
    queues.sync(liquidator, before.side(), slot)
}

/// Takes the reward for a position that insurance had to rescue, where there is no discount to
/// earn, out of the fee bucket.
fn rescue_reward(market: &mut Market, plan: &LiquidationPlan) -> Result<u64> {
    if plan.insurance_paid_atoms == 0 {
        return Ok(0);
    }
    let reward = market.params().adl.reward_atoms;
    let reward = keeper_reward(reward, market.fees_atoms, 1, 1).or_ballast()?;
    let left = market.fees_atoms.checked_sub(reward);
    market.fees_atoms = left.ok_or_else(|| error!(BallastError::Overflow))?;
    Ok(reward)
}

fn settle_insurance(market: &mut Market, plan: &LiquidationPlan, now_slot: u64) -> Result<()> {
    let after = market
        .insurance
        .draw(market.params(), now_slot, plan.insurance_paid_atoms)
        .and_then(|drawn| drawn.credit(plan.insurance_fee_atoms))
        .or_ballast()?;
    market.insurance = after;
    Ok(())
}

fn lots(number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| error!(BallastError::SizeOutOfRange))
}

fn some_slot(slot: u64) -> Option<u64> {
    (slot != 0).then_some(slot)
}
