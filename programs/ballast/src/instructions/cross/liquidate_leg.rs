//! One step of a liquidation of a leg into the book and the caller's account.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::LegTerms, distress::Distress, liquidation::LiquidationPlan, oracle::Action, units::Atoms,
};
use ballast_state::{
    cross::{Scene, Trouble},
    error::BallastError,
    events::{CancelledOrders, LegForced, PositionLiquidated},
    exchange::{Exchange, PAUSE_LIQUIDATE},
    market::Market,
    pause::clocks_run,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::records::{renew, store, LegChange};
use crate::loaders::{
    board_account::BoardAccount, book_account::MarketBook, cross_queues::CrossQueues,
    current::Current, queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::OrBallast,
    instructions::{
        liquidation::{settle_insurance, take_reward, Liquidation, TakesOver},
        matching::{Listed, Matched, Matching},
        orders::cancel_for,
        pool_take::TakeTerms,
        profit::Profits,
    },
    oracle::touch,
};

/// Accounts of `liquidate_leg`. The remaining accounts are cross queues, writable: that of the leg, that of the
/// market's longs where the account is bankrupt, and those of the account's other legs whose records have to be
/// renewed; then the makers as for `liquidate`.
#[event_cpi]
#[derive(Accounts)]
pub struct LiquidateLeg<'info> {
    /// Owner or delegate of the liquidator's account.
    pub liquidator_authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the leg.
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
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl<'info> LiquidateLeg<'info> {
    /// Liquidates one step of the largest leg of an account below maintenance, or of one whose discount has had
    /// its ramp. The step is the least that restores the account; price, discount and fee are those of the leg
    /// with its share of the equity. Otherwise as `liquidate`.
    ///
    /// # Errors
    /// Those of `liquidate`; `CrossLegOrder`, `CrossMarkStale`, `CrossQueueMissing`, `CrossRecordStale`,
    /// `WrongBoard`.
    pub fn handle(
        ctx: Context<'info, Self>,
        liquidator_margin: u64,
        take_over_lots: u64,
    ) -> Result<()> {
        let accounts = &ctx.accounts;
        let listed = Listed::beside(&accounts.board, ctx.remaining_accounts)?;
        let step = LegStep {
            board: BoardAccount::load(&accounts.board)?,
            queues: listed.queues,
            common: Liquidation {
                authority: accounts.liquidator_authority.key,
                exchange: &accounts.exchange,
                market: &accounts.market,
                trader: &accounts.trader,
                liquidator: &accounts.liquidator,
                book: &accounts.book,
                queue_long: &accounts.queue_long,
                queue_short: &accounts.queue_short,
                price: &accounts.price,
                listed,
                takes_over: TakesOver::Liquidator {
                    lots: take_over_lots,
                    margin: liquidator_margin,
                },
            },
        };
        let (event, forced, profits) = step.run()?;
        emit(&accounts.event_authority, &*event)?;
        emit(&accounts.event_authority, &forced)?;
        let named = [&accounts.trader, &accounts.liquidator];
        profits.hold(&accounts.venue(&named, listed.makers))
    }
}

/// One step.
struct LegStep<'a, 'info> {
    board: BoardAccount<'a, 'info>,
    queues: CrossQueues<'info>,
    common: Liquidation<'a, 'info>,
}

impl<'info> LegStep<'_, 'info> {
    #[inline(never)]
    fn run(&self) -> Result<(Box<PositionLiquidated>, LegForced, Profits)> {
        let it = &self.common;
        let clock = Clock::get()?;
        let exchange = it.exchange.current()?;
        let pauses = exchange.require_not_paused(PAUSE_LIQUIDATE, clock.slot)?;
        it.listed.check_makers()?;
        it.liquidator.current()?.require_authority(it.authority)?;
        let board = self.board.read()?;
        let mut market = it.market.current_mut()?;
        let mut victim = it.trader.current_mut()?;
        let key = it.market.key();
        let action = Action::Force {
            flagged_slot: victim.leg_flagged_slot(&key, clock.slot),
        };
        let recorded = market.last_price.publish_time;
        let touched = touch(&mut market, it.price, action, &clock, pauses)?;
        let newer = touched.price.publish_time > recorded;
        let queues = MarketQueues::load(&market, it.queue_long, it.queue_short)?;
        let book = MarketBook::load(&market, it.book)?;
        let terms = LegTerms::of(market.params());
        let scene = Scene {
            key,
            touched: &touched,
            terms: &terms,
            board: &board,
            slot: clock.slot,
        };
        let counts = clocks_run(pauses);
        let trouble = scene.trouble(&market, &victim, counts)?;
        scene.check_order(&market, &victim, &trouble)?;
        let before = trouble.forced.position;
        let draws = || self.queues.draws(&key);
        let input = scene.liquidation(&market, &victim, &trouble, draws)?;
        let (input, distress) = (Box::new(input), input.distress);
        let entered = (victim.free(), victim.reserve_in(&key));
        let own = victim.any_mut(&key)?;
        let cancelled = cancel_for(&it.trader.key(), &book, own)?;
        let matching = Matching::new(key, &market, &queues, it.listed, &touched, &clock, false);
        let room = Some(trouble.forced.room);
        let (plan, mut matched, low) = it.meet_book(
            &market, &queues, &touched, &book, matching, &input, room, newer,
        )?;
        let mut event = it.event(&touched, &before, &plan, market.insurance.balance);

        let paid = settle_insurance(&mut market, &plan, clock.slot)?;
        event.insurance_paid_atoms = paid.insured;
        event.held_paid_atoms = paid.held;
        let paid = plan.insurance_paid_atoms;
        self.queues.paid(&key, &market, paid, clock.slot)?;
        matched.book(&mut market, &book)?;
        self.write_victim(
            &mut market,
            &mut matched,
            &mut victim,
            &scene,
            &trouble,
            &plan,
            (distress, counts),
            (entered, &cancelled),
        )?;
        event.cancelled = cancelled;
        let reward = take_reward(&mut market, &plan, before.size())?;
        let income = [plan.reward_atoms, matched.collected, reward];
        let terms = TakeTerms {
            whole: before.size(),
            now: clock.slot,
            low,
        };
        it.settle_liquidator(
            &market,
            &book,
            &mut matched,
            &touched,
            &plan,
            &terms,
            income,
        )?;
        matched.changes.close(&mut market)?;
        market.invariant()?;
        event.reward_atoms = reward;
        event.collected_atoms = matched.collected;
        event.insurance_after_atoms = market.insurance.balance;
        event.fills = matched.fills;
        event.removed = matched.removed;
        event.kept_orders = matched.kept;
        let forced = trouble.event(&key, &it.trader.key(), victim.cross_pool);
        Ok((event, forced, matched.changes.profits()))
    }

    /// Writes what is left of the leg and of the pool; what its cancelled orders reserved is free. What is remembered of the leg follows the step and how
    /// the account stands after it.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    fn write_victim(
        &self,
        market: &mut Market,
        matched: &mut Matched,
        victim: &mut Trader,
        scene: &Scene,
        trouble: &Trouble,
        plan: &LiquidationPlan,
        (distress, counts): (Distress, bool),
        ((free, reserve), cancelled): ((Atoms, u64), &Option<CancelledOrders>),
    ) -> Result<()> {
        let (key, slot) = (scene.key, scene.slot);
        let given = &trouble.forced.position;
        let after = &plan.position_after;
        let pool = scene.pool_after(victim, trouble.place, given, after, plan.victim_payout)?;
        let _ = matched.changes.enter(free, reserve);
        if let Some(cancelled) = cancelled {
            victim.credit(cancelled.margin_atoms)?;
        }
        matched.changes.enter_pool(victim.cross_pool);
        victim.cross_pool = pool.get();
        let change = LegChange {
            index: trouble.index,
            after,
            funding_index: scene.touched.funding_index,
            distress,
        };
        let changes = &mut matched.changes;
        let written = store(changes, &key, victim, &self.queues, &change)?;
        if written.index.is_some() {
            let look = scene.trouble(market, victim, counts)?.forced.look;
            let remembered = plan.remembered(&distress, look, slot).or_ballast()?;
            victim.leg_mut(&key)?.store_distress(&remembered);
        }
        if !plan.lots.is_zero() {
            market.liquidations = market.liquidations.wrapping_add(1);
        }
        let trader = self.common.trader.key();
        renew(&trader, victim, scene.board, &self.queues, written, slot)?;
        matched.changes.leave_leg(victim)
    }
}
