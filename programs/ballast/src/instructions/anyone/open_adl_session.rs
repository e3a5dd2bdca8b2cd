//! Begins a deleveraging over several transactions: the round is frozen, nothing is paid.

use anchor_lang::prelude::*;
use ballast_engine::{liquidation::Health, oracle::Action, selection::Selection};
use ballast_state::{
    adl_session::{AdlSession, ADL_SESSION_SLOTS, ADL_SESSION_VERSION},
    error::BallastError,
    events::AdlSessionOpened,
    exchange::{Exchange, PAUSE_DELEVERAGE},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::deleveraging::begin;
use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    instructions::{
        orders::cancel_for,
        position_change::{Change, PositionChanges, Remembered},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch_deleveraging,
};

/// Accounts of `open_adl_session`.
#[event_cpi]
#[derive(Accounts)]
pub struct OpenAdlSession<'info> {
    /// Gets the session's rent back when it is closed.
    pub payer: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the bankrupt position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose position is bankrupt.
    #[account(mut)]
    pub bankrupt: AccountLoader<'info, Trader>,
    /// The session: a new account of the program, zeroed.
    #[account(
        zero,
        constraint = session.to_account_info().data_len() == AdlSession::SPACE
            @ BallastError::AdlSessionSize,
    )]
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

impl OpenAdlSession<'_> {
    /// Freezes mark, close price, funding index and ranking, so that the counterparties of the
    /// position may be looked for in several transactions. The close price counts on what insurance
    /// may pay now; nothing is paid before the session is executed. Anyone may call it; who calls it
    /// decides nothing.
    ///
    /// # Errors
    /// `NotBankrupt`; `InsuranceCanPay`, also once the grace period is over, but not in a market that
    /// has ended; `BookCanAbsorb`; `NotFarthestBankrupt`;
    /// `AdlSessionUnderWay`; `AdlSessionSize`; `Paused`; the `Price...` errors.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.open()?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    #[inline(never)]
    fn open(&self) -> Result<AdlSessionOpened> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_DELEVERAGE, clock.slot)?;
        let mut market = self.market.current_mut()?;
        market.require_isolated()?;
        let mut bankrupt = self.bankrupt.current_mut()?;
        let action = Action::Force {
            flagged_slot: bankrupt.flagged_slot(&self.market.key(), clock.slot),
        };
        let touched = touch_deleveraging(&mut market, &self.price, action, &clock, pauses)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let (key, trader) = (self.market.key(), self.bankrupt.key());
        let free = bankrupt.free();
        let slot = bankrupt.position_mut(&key)?;
        let before = market.settled(slot)?;
        let mut changes = PositionChanges::open(key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        let cancelled = cancel_for(&trader, &book, slot)?;
        let mut state = begin(&mut market, &queues, &book, slot, &touched, &clock)?;
        let ended = market.mode().has_ended();
        if ended {
            // Nobody is at a cap of before the end, so that who is not selected cannot be cut.
            let side = state.round().side;
            slot.pass_epoch =
                queues.write(side, |queue| queue.open_pass(clock.slot).or_ballast())?;
            state.open_pass(slot.pass_epoch).or_ballast()?;
        }
        let summary = state.finish().or_ballast()?;
        let (deficit, insured) = (summary.deficit, summary.insured);
        require!(deficit > insured || ended, BallastError::InsuranceCanPay);
        let health = Health::Bankrupt { deficit };
        let distress = slot.distress().recorded(health, clock.slot);
        let change = Change {
            trader: &trader,
            before: &before,
            after: &before,
            remembered: Remembered::Recorded(&distress),
            stamp: None,
        };
        changes.apply(&mut entered, slot, &change)?;

        let round = state.round();
        let mut session = self.session.load_init()?;
        session.version = ADL_SESSION_VERSION;
        session.ended = u8::from(ended);
        session.set_side(round.side);
        session.payer = self.payer.key();
        session.market = key;
        session.bankrupt = trader;
        let expires = clock.slot.checked_add(ADL_SESSION_SLOTS);
        session.expires_slot = expires.ok_or_else(|| error!(BallastError::Overflow))?;
        session.bankruptcy_id = slot.bankruptcy_id;
        session.mark_ticks = touched.price.price.get();
        session.lots = before.lots.get();
        session.entry_quote = before.entry_quote.get();
        session.margin = before.margin.get();
        let (id, wanted) = (self.session.key().to_bytes(), state.remaining_lots());
        let sequence_limit = queues.write(round.side, |queue| {
            session.selection = Selection::begin(queue, id, round, wanted).or_ballast()?;
            Ok(queue.as_ref().header().watch.sequence_limit)
        })?;
        if let Some(cancelled) = &cancelled {
            bankrupt.credit(cancelled.margin_atoms)?;
            book.refresh_impact(&mut market)?;
        }
        changes.leave(&trader, &mut bankrupt, &entered, 0)?;
        changes.settle(&market)?;
        market.invariant()?;
        Ok(AdlSessionOpened {
            session: self.session.key(),
            market: key,
            bankrupt: trader,
            bankruptcy_id: session.bankruptcy_id,
            mark_ticks: session.mark_ticks,
            funding_index: round.funding_index.get(),
            close_quote_atoms: round.close.quote,
            close_lots: round.close.lots,
            wanted_lots: wanted,
            deficit_atoms: deficit,
            insured_atoms: insured,
            sequence_limit,
            expires_slot: session.expires_slot,
            cancelled,
        })
    }
}
