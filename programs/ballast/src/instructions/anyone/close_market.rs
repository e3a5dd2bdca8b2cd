//! Closes the queues and the book of a market in which nobody has anything any more.

use anchor_lang::{prelude::*, system_program};
use ballast_engine::{
    units::Side,
    wind_down::{MarketAction, MarketMode},
};
use ballast_state::{
    error::BallastError, events::MarketClosed, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require, require_keys_eq},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// Accounts of `close_market`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseMarket<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: gets the rent; the key that the market recorded, else the admin's.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl CloseMarket<'_> {
    /// Closes both queues and the book; their rent goes to who paid for them. The market itself, its
    /// fees and its insurance stay. Anyone may call it.
    ///
    /// # Errors
    /// `MarketTrades`; `MarketEnded` where it has been closed; `MarketNotEmpty` while there are
    /// positions, orders, held profit or a deleveraging session; `WrongRentPayer`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.close()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn close(&self) -> Result<MarketClosed> {
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::CloseAccounts)?;
        market.require_no_legs()?;
        require_keys_eq!(
            self.rent_payer.key(),
            self.exchange.current()?.rent_payer_of(&market),
            BallastError::WrongRentPayer
        );
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        require!(
            is_empty(&market, &queues, &book)?,
            BallastError::MarketNotEmpty
        );
        let mut lamports = 0_u64;
        for account in [&self.queue_long, &self.queue_short, &self.book] {
            let rent = give_up(account, &self.rent_payer)?;
            lamports = lamports.wrapping_add(rent);
        }
        market.mode = MarketMode::Settled.number();
        market.invariant()?;
        Ok(MarketClosed {
            market: self.market.key(),
            rent_payer: self.rent_payer.key(),
            lamports,
            insurance_atoms: market.insurance.balance,
            fees_atoms: market.fees_atoms,
        })
    }
}

/// Whether nobody has anything in the market.
#[inline(never)]
fn is_empty(market: &Market, queues: &MarketQueues, book: &MarketBook) -> Result<bool> {
    let mut empty = market.held.shares == 0;
    for side in [Side::Long, Side::Short] {
        empty &= queues.read(side, |queue| {
            Ok(queue.is_empty() && queue.header().watch.session == [0; 32])
        })?;
        empty &= book.read(|book| Ok(book.is_empty(side)))?;
    }
    Ok(empty)
}

/// Closes an account of the program; its lamports, which go to `receiver`.
fn give_up(account: &AccountInfo, receiver: &AccountInfo) -> Result<u64> {
    let rent = account.lamports();
    let sum = receiver.lamports().checked_add(rent);
    let sum = sum.ok_or_else(|| error!(BallastError::Overflow))?;
    **receiver.try_borrow_mut_lamports()? = sum;
    **account.try_borrow_mut_lamports()? = 0;
    account.assign(&system_program::ID);
    account.resize(0)?;
    Ok(rent)
}
