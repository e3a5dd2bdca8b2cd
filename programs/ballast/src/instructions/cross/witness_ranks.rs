//! Shows which accounts a round could not cut.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::{Bankruptcy, Deleveraging},
    cross::{cut::weakness, entry::Weakness, LegTerms, Values},
    oracle::Action,
    rank::Round,
};
use ballast_state::{
    cross::{Legs, Scene, Subject},
    error::BallastError,
    events::RanksRefreshed,
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::{cut_list::ranked_by, refresh_ranks::refresh_one};
use crate::loaders::{
    board_account::BoardAccount, cross_queues::CrossQueues, current::Current,
    queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    oracle::touch,
};

/// Accounts of `witness_ranks`. The remaining accounts are those of `auto_deleverage_cross`.
#[event_cpi]
#[derive(Accounts)]
pub struct WitnessRanks<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose position or leg is bankrupt.
    pub bankrupt: AccountLoader<'info, Trader>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> WitnessRanks<'info> {
    /// Records the legs of the listed traders anew and notes of each that could not bear the cut of a single lot at
    /// the close price of a round for this bankrupt: walks of rounds that close at that price or a worse one pass
    /// over it for 25 slots, unless it is written. So accounts of which there are more than a list can name do not
    /// hold up rounds that they could not be cut in. Anyone may call it.
    ///
    /// # Errors
    /// `NotBankrupt`; `NoPosition` for a trader without a leg on the side of the counterparties; `ZeroAmount`
    /// without a trader; `CrossQueueMissing`, `CrossMarkStale`, `CrossRecordStale`, `WrongBoard`, the `Price...`
    /// errors.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let event = ctx.accounts.witness(ctx.remaining_accounts)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn witness(&self, remaining: &'info [AccountInfo<'info>]) -> Result<RanksRefreshed> {
        let clock = Clock::get()?;
        let (cross, listed) = CrossQueues::split(remaining)?;
        require!(!listed.is_empty(), BallastError::ZeroAmount);
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut market = self.market.current_mut()?;
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let touched = touch(&mut market, &self.price, Action::FORCE, &clock, pauses)?;
        market.invariant()?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let (key, terms) = (self.market.key(), LegTerms::of(market.params()));
        let scene = Scene {
            key,
            touched: &touched,
            terms: &terms,
            board: &board,
            slot: clock.slot,
        };
        let bankrupt = self.bankrupt.current()?;
        let subject = scene.subject(&market, &bankrupt, || cross.draws(&key))?;
        drop(bankrupt);
        let round = round(&scene, &market, &queues, &subject)?;
        let mut traders = Vec::with_capacity(listed.len());
        for account in listed {
            let judge = |trader: &Trader, legs: &Legs<'_>, values: &Values, place| {
                judge(
                    &scene,
                    &round,
                    &cross,
                    account.key,
                    (trader, legs, values, place),
                )
            };
            traders.push(refresh_one(&scene, account, &cross, judge)?);
        }
        let base = board.board.checkpoints.newest().or_ballast()?;
        Ok(RanksRefreshed {
            market: key,
            base,
            traders,
        })
    }
}

/// A round for the bankrupt, as one past its grace would be.
#[inline(never)]
fn round(
    scene: &Scene,
    market: &Market,
    queues: &MarketQueues,
    subject: &Subject,
) -> Result<Box<Round>> {
    let side = subject.before.side();
    let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
    let passes = queues.read(side.opposite(), |queue| Ok(queue.header().adl_epoch))?;
    let params = market.params();
    let state = Deleveraging::begin(&Bankruptcy {
        position: subject.before,
        mark: scene.touched.mark.price,
        funding_index: scene.touched.funding_index,
        insurance_available: subject.available,
        past_grace: true,
        taker: None,
        max_lots: subject.before.size(),
        least_lots: params.min_position_lots,
        params: &params.adl,
        epoch: passes.max(1),
        passes: passes.max(1),
    });
    Ok(Box::new(*state.or_ballast()?.round()))
}

/// What a round finds of an account.
#[inline(never)]
fn judge(
    scene: &Scene,
    round: &Round,
    cross: &CrossQueues,
    key: &Pubkey,
    (trader, legs, values, place): (&Trader, &Legs<'_>, &Values, usize),
) -> Result<Option<Weakness>> {
    let slot = trader.leg(&scene.key)?;
    let side = slot.position()?.side();
    require!(side == Some(round.side), BallastError::NoPosition);
    let counterparty = legs.account().counterparty(values, place).or_ballast()?;
    let (_, stamp) = ranked_by(cross, &scene.key, round.side, key, slot.queue_node)?;
    let size = counterparty.position.size();
    let cap_left = round.cap_left(size, stamp).or_ballast()?;
    weakness(round, &counterparty, cap_left).or_ballast()
}
