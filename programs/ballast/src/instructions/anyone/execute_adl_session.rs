//! Closes a bankrupt position against the counterparties that a session has selected.

use anchor_lang::prelude::*;
use ballast_engine::{oracle::Action, queue::Watch};
use ballast_state::{
    adl_session::AdlSession,
    error::BallastError,
    events::{AdlSessionClosed, AutoDeleveraged},
    exchange::{Exchange, PAUSE_DELEVERAGE},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::{
    counterparties::{check_list, shows_waiting, CutList},
    deleveraging::{conclude, conclude_orders, pay_reward, resume, Occasion},
};
use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    instructions::{orders::cancel_for, position_change::PositionChanges},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch_deleveraging,
};

/// Accounts of `execute_adl_session`. The remaining accounts are the trader accounts of those
/// selected that are still in the queue, writable, in the session's order; where nobody was selected,
/// that of somebody at its cap.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteAdlSession<'info> {
    /// Whoever submits the round.
    pub keeper: Signer<'info>,
    /// CHECK: gets the session's rent back; the key stored in the session.
    #[account(mut, address = session.current()?.payer @ BallastError::AdlSessionMismatch)]
    pub payer: UncheckedAccount<'info>,
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
    /// The session.
    #[account(mut, close = payer)]
    pub session: AccountLoader<'info, AdlSession>,
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

impl<'info> ExecuteAdlSession<'info> {
    /// Executes a session whose walk is at its end, at its frozen close price, and closes it. When
    /// nobody was selected, opens the next pass instead, if the list shows somebody who may be cut in
    /// it: at its cap, and solvent at the close price. Anyone may call it.
    ///
    /// # Errors
    /// `AdlSessionMismatch`, `AdlSessionExpired`, `AdlSessionGone`, `AdlSessionIncomplete`,
    /// `AdlSessionStale`, also when insurance has paid others in the meantime and no longer pays a
    /// lot of it; `NotBankrupt` when the mark has recovered; `AdlNotSelected` and those of
    /// `auto_deleverage` for the list; `AdlNothingCut`; `Paused`; the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let round = accounts.execute(ctx.remaining_accounts)?;
        let closed = AdlSessionClosed {
            session: accounts.session.key(),
            market: accounts.market.key(),
            bankrupt: accounts.bankrupt.key(),
            executed: round.is_some(),
            pass_opened: round.is_none(),
        };
        if let Some(mut event) = round {
            event.reward_atoms = pay_reward(&accounts.market, &accounts.reward_trader, &event)?;
            emit(&ctx.accounts.event_authority, &*event)?;
        }
        emit(&ctx.accounts.event_authority, &closed)?;
        Ok(())
    }

    /// The round as it was executed; `None` when a pass was opened instead.
    #[inline(never)]
    fn execute(&self, listed: &'info [AccountInfo<'info>]) -> Result<Option<Box<AutoDeleveraged>>> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_DELEVERAGE, clock.slot)?;
        check_list(listed, &self.bankrupt.key())?;
        let mut market = self.market.current_mut()?;
        market.require_isolated()?;
        let mut bankrupt = self.bankrupt.current_mut()?;
        let session = self.session.current()?;
        let action = Action::Force {
            flagged_slot: bankrupt.flagged_slot(&self.market.key(), clock.slot),
        };
        let touched = touch_deleveraging(&mut market, &self.price, action, &clock, pauses)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let key = self.market.key();
        session.require_of(&key, &self.bankrupt.key())?;
        session.require_live(clock.slot)?;
        // Of a market that has ended since, a round frozen before is worth nothing.
        require!(
            market.mode().has_ended() == (session.ended == 1),
            BallastError::AdlSessionStale
        );
        let free = bankrupt.free();
        let slot = bankrupt.position_mut(&key)?;
        let now = market.settled(slot)?;
        let equity = now.equity(touched.mark.price).or_ballast()?;
        require!(equity.is_negative(), BallastError::NotBankrupt);

        let watch = complete_watch(&queues, &session, &self.session.key())?;
        let round = watch.round(session.side()).or_ballast()?;
        let before = slot.position()?.settle(round.funding_index).or_ballast()?;
        let passes = queues.read(round.side, |queue| Ok(queue.header().adl_epoch))?;
        require!(
            session.is_of_position(slot, &before) && round.epoch == passes,
            BallastError::AdlSessionStale
        );
        if session.selection.members().is_empty() {
            let waits = shows_waiting(listed, &key, &round, &queues)?;
            require!(waits, BallastError::AdlNothingCut);
            slot.pass_epoch = queues.write(session.side(), |queue| {
                session.selection.end(queue, watch.session).or_ballast()?;
                queue.open_pass(clock.slot).or_ballast()
            })?;
            return Ok(None);
        }
        let mut changes = PositionChanges::open(key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        let cancelled = cancel_for(&self.bankrupt.key(), &book, slot)?;
        let mut state = resume(&market, &session, &round, &before, clock.slot)?;
        check_selected(listed, &session, &queues)?;
        let mut list = CutList::new(key, &queues, &book, listed);
        list.cut_all(&mut changes, &mut state)?;
        require!(!list.cuts.is_empty(), BallastError::AdlNothingCut);
        queues.write(round.side, |queue| {
            session.selection.end(queue, watch.session).or_ballast()
        })?;
        let occasion = Occasion {
            market: key,
            bankrupt: self.bankrupt.key(),
            keeper: self.keeper.key(),
            mark_ticks: session.mark_ticks,
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
        event.session = self.session.key();
        event.nodes_visited = u32::try_from(session.selection.visited).unwrap_or(u32::MAX);
        event.cuts = list.cuts;
        event.cancelled = cancelled;
        conclude_orders(&event, &mut market, &book, &mut bankrupt)?;
        changes.leave(&occasion.bankrupt, &mut bankrupt, &entered, 0)?;
        changes.close(&mut market)?;
        market.invariant()?;
        Ok(Some(event))
    }
}

/// What the queue watches for, which is this session, at the end of its walk.
///
/// # Errors
/// `AdlSessionGone`, `AdlSessionIncomplete`.
pub fn complete_watch(queues: &MarketQueues, session: &AdlSession, key: &Pubkey) -> Result<Watch> {
    let watch = queues.read(session.side(), |queue| Ok(queue.header().watch))?;
    require!(
        watch.session == key.to_bytes(),
        BallastError::AdlSessionGone
    );
    require!(watch.is_complete(), BallastError::AdlSessionIncomplete);
    Ok(watch)
}

/// Checks that the listed accounts are those of the members still in the queue, in order.
#[inline(never)]
fn check_selected(
    listed: &[AccountInfo],
    session: &AdlSession,
    queues: &MarketQueues,
) -> Result<()> {
    queues.read(session.side(), |queue| {
        let mut rest = listed.iter();
        for member in session.selection.members() {
            if !member.is_in(queue) {
                continue;
            }
            let trader = queue.entry(member.node).or_ballast()?.trader;
            let is_next = rest
                .next()
                .is_some_and(|next| next.key.to_bytes() == trader);
            require!(is_next, BallastError::AdlNotSelected);
        }
        require!(rest.next().is_none(), BallastError::AdlNotSelected);
        Ok(())
    })
}
