//! Renews the records of legs.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{entry::Weakness, LegTerms, Values},
    oracle::Action,
};
use ballast_state::{
    cross::{Legs, Scene},
    error::BallastError,
    events::{RankRefreshed, RanksRefreshed},
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::records::{renew, Written};
use crate::loaders::{board_account::BoardAccount, cross_queues::CrossQueues, current::Current};
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    oracle::touch,
};

/// Accounts of `refresh_ranks`. The remaining accounts are cross queues, writable, that of the legs among them,
/// then the trader accounts, writable.
#[event_cpi]
#[derive(Accounts)]
pub struct RefreshRanks<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the legs.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> RefreshRanks<'info> {
    /// Records the leg of every listed trader in the market anew at the board's marks, and notes whether its
    /// account, at the price just read, is below maintenance: walks pass over those for 25 slots. Records of the
    /// account's other legs whose queues are there are renewed as well. Anyone may call it.
    ///
    /// # Errors
    /// `ZeroAmount` without a trader, `NoPosition` for one without a leg in the market, `CrossQueueMissing`,
    /// `CrossMarkStale`, `CrossRecordStale`, `WrongBoard`, the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let event = ctx.accounts.refresh(ctx.remaining_accounts)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn refresh(&self, remaining: &'info [AccountInfo<'info>]) -> Result<RanksRefreshed> {
        let clock = Clock::get()?;
        let (queues, listed) = CrossQueues::split(remaining)?;
        require!(!listed.is_empty(), BallastError::ZeroAmount);
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut market = self.market.current_mut()?;
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let touched = touch(&mut market, &self.price, Action::FORCE, &clock, pauses)?;
        market.invariant()?;
        let terms = LegTerms::of(market.params());
        let key = self.market.key();
        let scene = Scene {
            key,
            touched: &touched,
            terms: &terms,
            board: &board,
            slot: clock.slot,
        };
        let mut traders = Vec::with_capacity(listed.len());
        for account in listed {
            let judge = |_: &Trader, _: &Legs<'_>, values: &Values, _| {
                Ok((!values.is_healthy()).then_some(Weakness::BelowMaintenance))
            };
            traders.push(refresh_one(&scene, account, &queues, judge)?);
        }
        let base = board.board.checkpoints.newest().or_ballast()?;
        Ok(RanksRefreshed {
            market: key,
            base,
            traders,
        })
    }
}

/// Records the leg of one listed trader; `judge` says what is found of its account.
///
/// # Errors
/// `NoPosition`, `CrossMarkStale`, `CrossQueueMissing`, `CrossRecordStale`; those of `judge`.
#[inline(never)]
pub fn refresh_one<'info>(
    scene: &Scene,
    account: &'info AccountInfo<'info>,
    queues: &CrossQueues,
    judge: impl FnOnce(&Trader, &Legs<'_>, &Values, usize) -> Result<Option<Weakness>>,
) -> Result<RankRefreshed> {
    let loader = AccountLoader::<'info, Trader>::try_from(account)?;
    let mut trader = loader.current_mut()?;
    let index = trader.find_leg(&scene.key);
    let index = index.ok_or_else(|| error!(BallastError::NoPosition))?;
    let rest_before = trader.leg(&scene.key)?.margin;
    let weak = {
        let legs = scene.legs(&trader)?;
        let values = legs.account().values().or_ballast()?;
        judge(&trader, &legs, &values, legs.place_of(index)?)?
    };
    let written = Written {
        weak,
        ..Written::leg(index)
    };
    let now = scene.slot;
    renew(account.key, &mut trader, scene.board, queues, written, now)?;
    Ok(RankRefreshed {
        trader: *account.key,
        rest_before,
        rest_after: trader.leg(&scene.key)?.margin,
        weak: weak.is_some(),
    })
}
