//! Closes a bankrupt position against its highest ranked counterparties, and proves the order.
//!
//! The caller's list only supplies accounts. Who is cut, how much and at what price follows from
//! the queue: a list that passes anybody over fails.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::Deleveraging,
    oracle::Action,
    proof::{first_skipped, Threshold},
};
use ballast_state::{
    error::BallastError,
    events::AutoDeleveraged,
    exchange::{Exchange, PAUSE_DELEVERAGE},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::{
    counterparties::{check_list, CutList},
    deleveraging::{begin, conclude, conclude_orders, pay_reward, Occasion},
};
use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{err, require, OrBallast},
    instructions::{orders::cancel_for, position_change::PositionChanges},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch_deleveraging,
};

/// Accounts of `auto_deleverage`. The remaining accounts are the counterparties' trader accounts,
/// writable, the highest ranked first.
#[event_cpi]
#[derive(Accounts)]
pub struct AutoDeleverage<'info> {
    /// Whoever submits the list.
    pub keeper: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the bankrupt position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose position is bankrupt.
    #[account(mut)]
    pub bankrupt: AccountLoader<'info, Trader>,
    /// The trader account that receives the reward; any.
    #[account(mut)]
    pub reward_trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's book, checked against its stored key.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

impl<'info> AutoDeleverage<'info> {
    /// Closes a bankrupt position at its bankruptcy price, moved towards the mark by what insurance
    /// pays, against the listed counterparties, as far as they reach. Anyone may call it.
    ///
    /// # Errors
    /// `NotBankrupt`; `InsuranceCanPay`; `BookCanAbsorb`; `AdlForeignAccount`, `AdlBankruptInList`,
    /// `AdlDuplicateCounterparty`, `AdlListTooLong`, `AdlListOutOfOrder` for the list;
    /// `AdlSkippedCounterparty`, with the trader logged, when somebody ranked higher was left out;
    /// `AdlNothingCut`; `Paused`; the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let mut event = ctx.accounts.deleverage(ctx.remaining_accounts)?;
        let accounts = &ctx.accounts;
        event.reward_atoms = pay_reward(&accounts.market, &accounts.reward_trader, &event)?;
        emit(&ctx.accounts.event_authority, &*event)?;
        Ok(())
    }

    #[inline(never)]
    fn deleverage(&self, listed: &'info [AccountInfo<'info>]) -> Result<Box<AutoDeleveraged>> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_DELEVERAGE, clock.slot)?;
        check_list(listed, &self.bankrupt.key())?;
        let mut market = self.market.current_mut()?;
        market.require_isolated()?;
        let mut bankrupt = self.bankrupt.current_mut()?;
        let action = Action::Force {
            flagged_slot: bankrupt.flagged_slot(&self.market.key(), clock.slot),
        };
        let touched = touch_deleveraging(&mut market, &self.price, action, &clock, pauses)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let key = self.market.key();
        let free = bankrupt.free();
        let slot = bankrupt.position_mut(&key)?;
        let before = market.settled(slot)?;

        let mut changes = PositionChanges::open(key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        let cancelled = cancel_for(&self.bankrupt.key(), &book, slot)?;
        let mut state = begin(&mut market, &queues, &book, slot, &touched, &clock)?;
        let mut list = CutList::new(key, &queues, &book, listed);
        list.cut_all(&mut changes, &mut state)?;
        let mut pass_opened = false;
        if list.is_exhausted() {
            prove(&queues, &state, &Threshold::Everyone, None)?;
            pass_opened = true;
            let side = state.round().side;
            slot.pass_epoch =
                queues.write(side, |queue| queue.open_pass(clock.slot).or_ballast())?;
            state.open_pass(slot.pass_epoch).or_ballast()?;
            list.cut_all(&mut changes, &mut state)?;
        }
        require!(!list.cuts.is_empty(), BallastError::AdlNothingCut);
        let visited = prove(&queues, &state, &state.threshold(), list.last_node)?;
        let occasion = Occasion {
            market: key,
            bankrupt: self.bankrupt.key(),
            keeper: self.keeper.key(),
            mark_ticks: touched.price.price.get(),
            before,
        };
        let mut event = conclude(
            &occasion,
            &mut market,
            &mut changes,
            &mut entered,
            slot,
            &state,
            &clock,
        )?;
        event.pass_opened = pass_opened;
        event.nodes_visited = visited;
        event.cuts = list.cuts;
        event.cancelled = cancelled;
        conclude_orders(&event, &mut market, &book, &mut bankrupt)?;
        changes.leave(&occasion.bankrupt, &mut bankrupt, &entered, 0)?;
        changes.close(&mut market)?;
        market.invariant()?;
        Ok(event)
    }
}

/// Walks the queue of the counterparties and returns the number of nodes visited.
/// `AdlSkippedCounterparty`, with the trader logged, when somebody was passed over.
#[inline(never)]
fn prove(
    queues: &MarketQueues,
    state: &Deleveraging,
    threshold: &Threshold,
    last_node: Option<u32>,
) -> Result<u32> {
    let round = state.round();
    queues.read(round.side, |queue| {
        let walk = first_skipped(queue, round, threshold, last_node).or_ballast()?;
        if let Some(node) = walk.skipped {
            let skipped = Pubkey::new_from_array(queue.entry(node).or_ballast()?.trader);
            msg!("Skipped trader: {}", skipped);
            return err!(BallastError::AdlSkippedCounterparty);
        }
        Ok(walk.visited)
    })
}
