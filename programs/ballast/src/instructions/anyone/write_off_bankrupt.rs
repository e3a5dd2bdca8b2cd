//! Takes over a bankrupt position that can be closed against nobody.

use anchor_lang::prelude::*;
use ballast_engine::{
    position::Position,
    rank::Round,
    wind_down::MarketAction,
    write_off::{unclosed, Unclosed},
};
use ballast_state::{
    adl_session::AdlSession,
    error::BallastError,
    events::{AdlSessionClosed, BankruptWrittenOff},
    exchange::{Exchange, PAUSE_DELEVERAGE},
    market::Market,
    position_slot::PositionSlot,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::execute_adl_session::complete_watch;
use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    instructions::{
        orders::cancel_for,
        position_change::{Change, PositionChanges, Remembered},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// Accounts of `write_off_bankrupt`.
#[event_cpi]
#[derive(Accounts)]
pub struct WriteOffBankrupt<'info> {
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
}

impl WriteOffBankrupt<'_> {
    /// In a market that has ended, where a session has looked at everybody and found nobody solvent
    /// at the close price: insurance and held profit pay all they can, the market takes the position
    /// over at the last price, and the rest of its deficit is written off, for all
    /// positions that are left to bear alike. The session is closed. Anyone may call it.
    ///
    /// # Errors
    /// `MarketTrades`, `MarketEnded`; `CounterpartyCanBeCut`; `AdlSessionIncomplete`,
    /// `AdlSessionStale` for one opened before the end or whose position has changed,
    /// `AdlSessionGone`, `AdlSessionExpired`, `AdlSessionMismatch`; `Paused`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.write_off()?;
        let closed = AdlSessionClosed {
            session: event.session,
            market: event.market,
            bankrupt: event.bankrupt,
            executed: false,
            pass_opened: false,
        };
        emit(&ctx.accounts.event_authority, &*event)?;
        emit(&ctx.accounts.event_authority, &closed)
    }

    #[inline(never)]
    fn write_off(&self) -> Result<Box<BankruptWrittenOff>> {
        let now_slot = Clock::get()?.slot;
        let exchange = self.exchange.current()?;
        exchange.require_not_paused(PAUSE_DELEVERAGE, now_slot)?;
        let (key, trader_key) = (self.market.key(), self.bankrupt.key());
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::WriteOff)?;
        market.require_no_legs()?;
        let mut trader = self.bankrupt.current_mut()?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let free = trader.free();
        let slot = trader.position_mut(&key)?;
        let before = market.settled(slot)?;
        let round = self.nobody_found(&queues, slot, &before, now_slot)?;
        let available = market.deficit_cover(now_slot).or_ballast()?;
        let left = unclosed(&round, &before, available).or_ballast()?;

        let mut changes = PositionChanges::open(key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        let cancelled = cancel_for(&trader_key, &book, slot)?;
        let change = Change {
            trader: &trader_key,
            before: &before,
            after: &Position::default(),
            remembered: Remembered::Nothing,
            stamp: None,
        };
        changes.apply(&mut entered, slot, &change)?;
        changes.taken_over(&before, market.final_price()?)?;
        let mut event = book_loss(&mut market, &mut changes, &before, &left, now_slot)?;
        (event.market, event.bankrupt) = (key, trader_key);
        event.session = self.session.key();
        if let Some(cancelled) = &cancelled {
            trader.credit(cancelled.margin_atoms)?;
        }
        event.cancelled = cancelled;
        changes.leave(&trader_key, &mut trader, &entered, 0)?;
        changes.close(&mut market)?;
        market.invariant()?;
        Ok(event)
    }

    /// The round of the session, if it is of this position as it stands, was opened after the end of
    /// the market, and has seen everybody and found nobody; the queue then watches no more.
    #[inline(never)]
    fn nobody_found(
        &self,
        queues: &MarketQueues,
        slot: &PositionSlot,
        position: &Position,
        now_slot: u64,
    ) -> Result<Round> {
        let session = self.session.current()?;
        let key = self.session.key();
        session.require_of(&self.market.key(), &self.bankrupt.key())?;
        session.require_live(now_slot)?;
        let watch = complete_watch(queues, &session, &key)?;
        let round = watch.round(session.side()).or_ballast()?;
        let passes = queues.read(round.side, |queue| Ok(queue.header().adl_epoch))?;
        require!(
            session.ended == 1 && session.is_of_position(slot, position) && round.epoch == passes,
            BallastError::AdlSessionStale
        );
        require!(
            session.selection.members().is_empty(),
            BallastError::CounterpartyCanBeCut
        );
        queues.write(round.side, |queue| {
            session.selection.end(queue, key.to_bytes()).or_ballast()
        })?;
        Ok(round)
    }
}

/// Takes the lots over and books who pays for them.
#[inline(never)]
fn book_loss(
    market: &mut Market,
    changes: &mut PositionChanges,
    position: &Position,
    left: &Unclosed,
    slot: u64,
) -> Result<Box<BankruptWrittenOff>> {
    let taken = market.wind_down.taking_over(position.lots.get());
    market.wind_down = taken.or_ballast()?;
    let paid = market.pay_deficit(left.paid, slot).or_ballast()?;
    let uncovered = market.uncovered().or_ballast()?;
    let written_off = market.write_off().with(left.written_off).or_ballast()?;
    market.written_off_atoms = written_off.atoms;
    changes.uncovered(uncovered, market.uncovered().or_ballast()?);
    Ok(Box::new(BankruptWrittenOff {
        market: Pubkey::default(),
        bankrupt: Pubkey::default(),
        session: Pubkey::default(),
        lots: position.lots.get(),
        entry_quote_atoms: position.entry_quote.get(),
        margin_atoms: position.margin.get(),
        final_ticks: market.final_ticks,
        funding_index: market.funding.index.get(),
        deficit_atoms: left.deficit,
        insurance_paid_atoms: paid.insured,
        held_paid_atoms: paid.held,
        written_off_atoms: left.written_off,
        written_off_total_atoms: market.written_off_atoms,
        cancelled: None,
    }))
}
