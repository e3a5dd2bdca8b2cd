//! Closes a bankrupt position against its highest ranked counterparties, and proves the order.
//!
//! The caller's list only supplies accounts. Who is cut, how much and at what price follows from
//! the queue: a list that passes anybody over fails.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::{Bankruptcy, Deleveraging, Summary},
    oracle::Action,
    position::Position,
    proof::{first_skipped, Threshold},
    reward::keeper_reward,
    trade::open_interest_after,
};

use super::counterparties::{check_list, CutList};
use crate::{
    error::{BallastError, OrBallast},
    events::AutoDeleveraged,
    seeds::EXCHANGE_ADDRESS,
    state::{
        distress,
        exchange::{Exchange, PAUSE_DELEVERAGE},
        market::{Market, Touched},
        queue_account::MarketQueues,
        trader::{PositionSlot, Trader},
    },
};

/// Accounts of `auto_deleverage`. The remaining accounts are the counterparties' trader accounts,
/// writable, the highest ranked first.
#[event_cpi]
#[derive(Accounts)]
pub struct AutoDeleverage<'info> {
    /// Whoever submits the list.
    pub keeper: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
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
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

impl<'info> AutoDeleverage<'info> {
    /// Closes up to `max_lots` of a bankrupt position at its bankruptcy price, moved towards the
    /// mark by what insurance pays, against the listed counterparties. Anyone may call it.
    ///
    /// # Errors
    /// `NotBankrupt`; `InsuranceCanPay`; `AdlForeignAccount`, `AdlBankruptInList`,
    /// `AdlDuplicateCounterparty`, `AdlListTooLong`, `AdlWrongSide`, `AdlListOutOfOrder` for the
    /// list;
    /// `AdlSkippedCounterparty`, with the trader logged, when somebody ranked higher was left out;
    /// `AdlNothingCut`; `Paused`; the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>, max_lots: u64) -> Result<()> {
        let mut event = ctx.accounts.deleverage(ctx.remaining_accounts, max_lots)?;
        event.reward_atoms = ctx.accounts.pay_reward(&event)?;
        emit_cpi!(*event);
        Ok(())
    }

    #[inline(never)]
    fn deleverage(
        &self,
        listed: &'info [AccountInfo<'info>],
        max_lots: u64,
    ) -> Result<Box<AutoDeleveraged>> {
        let clock = Clock::get()?;
        let mut exchange = self.exchange.load_mut()?;
        exchange.require_not_paused(PAUSE_DELEVERAGE)?;
        check_list(listed, &self.bankrupt.key())?;
        let mut market = self.market.load_mut()?;
        let mut bankrupt = self.bankrupt.load_mut()?;
        let touched = market.touch(&self.price, Action::Adl, &clock)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let key = self.market.key();
        let slot = bankrupt.slot_mut(&key)?;
        let before = market.settled(slot)?;

        let mut state = self.begin(&mut market, &queues, slot, &touched, &clock, max_lots)?;
        let mut list = CutList::new(key, &queues, listed);
        list.cut_all(&mut exchange, &mut market, &mut state)?;
        let mut pass_opened = false;
        if list.is_exhausted() {
            prove(&queues, &state, &Threshold::Everyone, None)?;
            pass_opened = true;
            let side = state.round().side;
            slot.pass_epoch = queues.write(side, |queue| queue.open_pass().or_ballast())?;
            state.open_pass(slot.pass_epoch).or_ballast()?;
            list.cut_all(&mut exchange, &mut market, &mut state)?;
        }
        require!(!list.cuts.is_empty(), BallastError::AdlNothingCut);
        let visited = prove(&queues, &state, &state.threshold(), list.last_node)?;
        let summary = state.finish().or_ballast()?;

        let insurance_before = market.insurance.balance;
        self.settle_bankrupt(&mut market, &queues, slot, &before, &state, &clock)?;
        let mut event = self.event(&market, &touched, slot, &before, &state, &summary)?;
        event.pass_opened = pass_opened;
        event.insurance_before_atoms = insurance_before;
        event.nodes_visited = visited;
        event.cuts = list.cuts;
        if slot.lots == 0 {
            distress::clear(&mut exchange, slot)?;
        }
        bankrupt.release_if_closed(&key)?;
        exchange.invariant()?;
        market.invariant()?;
        bankrupt.invariant()?;
        Ok(event)
    }

    /// Decides the close price, opening the first pass of a new bankruptcy.
    #[inline(never)]
    fn begin(
        &self,
        market: &mut Market,
        queues: &MarketQueues<'_, 'info>,
        slot: &mut PositionSlot,
        touched: &Touched,
        clock: &Clock,
        max_lots: u64,
    ) -> Result<Box<Deleveraging>> {
        let position = market.settled(slot)?;
        let side = position
            .side()
            .ok_or_else(|| error!(BallastError::NoPosition))?
            .opposite();
        let first = slot.pass_epoch == 0;
        let (epoch, passes) = if first {
            let opened = queues.write(side, |queue| queue.open_pass().or_ballast())?;
            (opened, opened)
        } else {
            let passes = queues.read(side, |queue| Ok(queue.header().adl_epoch))?;
            (slot.pass_epoch, passes)
        };
        let params = market.params();
        let waited = clock.slot.checked_sub(slot.bankrupt_slot);
        let past_grace =
            slot.bankrupt_slot != 0 && waited.is_some_and(|slots| slots > params.adl.grace_slots);
        let state = Deleveraging::begin(&Bankruptcy {
            position,
            mark: touched.mark.price,
            funding_index: touched.funding_index,
            insurance_available: market
                .insurance_state()
                .available(params, clock.slot)
                .or_ballast()?,
            past_grace,
            max_lots,
            params: &params.adl,
            epoch,
            passes,
        })
        .or_ballast()?;
        if first {
            slot.pass_epoch = epoch;
            slot.bankrupt_lots =
                u32::try_from(position.size()).map_err(|_| error!(BallastError::SizeOutOfRange))?;
            let id = market.bankruptcy_counter.checked_add(1);
            market.bankruptcy_counter = id.ok_or_else(|| error!(BallastError::Overflow))?;
            slot.bankruptcy_id = market.bankruptcy_counter;
        }
        Ok(Box::new(state))
    }

    /// Writes what is left of the bankrupt position and what insurance paid.
    #[inline(never)]
    fn settle_bankrupt(
        &self,
        market: &mut Market,
        queues: &MarketQueues<'_, 'info>,
        slot: &mut PositionSlot,
        before: &Position,
        state: &Deleveraging,
        clock: &Clock,
    ) -> Result<()> {
        let after = state.bankrupt_after();
        let insurance = market
            .insurance_state()
            .draw(market.params(), clock.slot, state.insurance_paid())
            .or_ballast()?;
        market.store_insurance(insurance);
        market.open_interest_lots =
            open_interest_after(market.open_interest_lots, &[(before.lots, after.lots)])
                .or_ballast()?;
        let rounds = market.adl_rounds.checked_add(1);
        market.adl_rounds = rounds.ok_or_else(|| error!(BallastError::Overflow))?;
        slot.store(after);
        queues.sync(&self.bankrupt.key(), before.side(), slot)
    }

    #[inline(never)]
    fn event(
        &self,
        market: &Market,
        touched: &Touched,
        slot: &PositionSlot,
        before: &Position,
        state: &Deleveraging,
        summary: &Summary,
    ) -> Result<Box<AutoDeleveraged>> {
        let round = state.round();
        let deficit_after = summary.uncovered.checked_sub(summary.uncovered_closed);
        Ok(Box::new(AutoDeleveraged {
            market: self.market.key(),
            bankrupt: self.bankrupt.key(),
            keeper: self.keeper.key(),
            bankruptcy_id: slot.bankruptcy_id,
            bankrupt_lots: slot.bankrupt_lots,
            epoch: round.epoch,
            pass_opened: false,
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            close_quote_atoms: round.close.quote,
            close_lots: round.close.lots,
            rank_tolerance_bps: round.rank_tolerance_bps,
            min_profit_bps: round.min_profit_bps,
            max_close_bps: round.max_close_bps,
            lots_before: before.lots.get(),
            entry_quote_before: before.entry_quote.get(),
            margin_before: before.margin.get(),
            lots_closed: summary.lots,
            lots_after: state.bankrupt_after().lots.get(),
            deficit_before_atoms: summary.deficit,
            insurance_paid_atoms: summary.insurance_paid,
            gave_up_atoms: summary.gave_up,
            deficit_after_atoms: deficit_after.ok_or_else(|| error!(BallastError::Overflow))?,
            insurance_before_atoms: market.insurance.balance,
            insurance_after_atoms: market.insurance.balance,
            reward_atoms: 0,
            nodes_visited: 0,
            cuts: Vec::new(),
        }))
    }

    /// Pays the keeper's share of the reward. No trader account is borrowed any more, so the
    /// receiver may also be one that was cut.
    fn pay_reward(&self, event: &AutoDeleveraged) -> Result<u64> {
        let mut market = self.market.load_mut()?;
        let reward = keeper_reward(
            market.params().adl.reward_atoms,
            market.fees_atoms,
            event.lots_closed,
            u64::from(event.bankrupt_lots),
        )
        .or_ballast()?;
        if reward > 0 {
            let left = market.fees_atoms.checked_sub(reward);
            market.fees_atoms = left.ok_or_else(|| error!(BallastError::Overflow))?;
            let mut receiver = self.reward_trader.load_mut()?;
            receiver.credit(reward)?;
            receiver.invariant()?;
        }
        Ok(reward)
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
