//! Closes a bankrupt position or leg against its highest ranked counterparties where legs stand in the ranking,
//! and proves the order over both queues of the side.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::{CrossSide, Deleveraging, PassedOver, Proof, Stage},
    cross::{walk::Evidence, LegTerms},
    oracle::Action,
    position::Position,
    queue::Queue,
    units::Atoms,
};
use ballast_state::{
    cross::{Scene, Trouble},
    error::BallastError,
    events::{AutoDeleveraged, CrossRound, LegForced},
    exchange::{Exchange, PAUSE_DELEVERAGE},
    market::Market,
    position_slot::PositionSlot,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use super::{
    cut_list::MixedList,
    records::{renew, store, LegChange},
};
use crate::loaders::{
    board_account::BoardAccount, book_account::MarketBook, cross_queues::CrossQueues,
    current::Current, queue_account::MarketQueues,
};
use crate::{
    emit::emit,
    error::{err, error, OrBallast},
    instructions::{
        anyone::{
            counterparties::{check_list, CutList},
            deleveraging::{begin_with, book_round, conclude_orders, pay_reward, Occasion},
        },
        orders::cancel_for,
        position_change::{Change, Entered, PositionChanges, Remembered},
    },
    oracle::touch_deleveraging,
};

/// Accounts of `auto_deleverage_cross`. The remaining accounts are cross queues, writable: that of the
/// counterparties' side, where a leg is bankrupt its own and that of the market's longs, and those of accounts'
/// other legs whose records have to be renewed; then the counterparties' trader accounts, writable, the highest
/// ranked first.
#[event_cpi]
#[derive(Accounts)]
pub struct AutoDeleverageCross<'info> {
    /// Whoever submits the list.
    pub keeper: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the bankrupt position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose position or leg is bankrupt.
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
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

/// What a round did.
struct Done {
    round: Box<AutoDeleveraged>,
    cross: CrossRound,
    forced: Option<LegForced>,
}

impl<'info> AutoDeleverageCross<'info> {
    /// As `auto_deleverage`, where positions of cross accounts stand in the ranking by all of their account's
    /// equity, and where the bankrupt itself may be one. An account that is listed is cut as far as it can bear.
    /// Anyone may call it.
    ///
    /// # Errors
    /// Those of `auto_deleverage`; `AdlStaleCounterparty`, with the trader logged, when an account that may rank
    /// higher was neither listed nor recorded anew; `CrossDisabled`, `CrossMarkStale`, `CrossQueueMissing`,
    /// `CrossRecordStale`, `CrossLegsOpen`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let (queues, listed) = CrossQueues::split(ctx.remaining_accounts)?;
        let accounts = &ctx.accounts;
        let mut done = accounts.deleverage(queues, listed)?;
        done.round.reward_atoms =
            pay_reward(&accounts.market, &accounts.reward_trader, &done.round)?;
        emit(&accounts.event_authority, &*done.round)?;
        emit(&accounts.event_authority, &done.cross)?;
        match done.forced {
            Some(forced) => emit(&accounts.event_authority, &forced),
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn deleverage(
        &self,
        cross: CrossQueues<'info>,
        listed: &'info [AccountInfo<'info>],
    ) -> Result<Done> {
        let clock = Clock::get()?;
        let exchange = self.exchange.current()?;
        let pauses = exchange.require_not_paused(PAUSE_DELEVERAGE, clock.slot)?;
        check_list(listed, &self.bankrupt.key())?;
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut market = self.market.current_mut()?;
        let mut bankrupt = self.bankrupt.current_mut()?;
        let key = self.market.key();
        let leg = bankrupt.find_leg(&key).is_some();
        let action = Action::Force {
            flagged_slot: match leg {
                true => bankrupt.leg_flagged_slot(&key, clock.slot),
                false => bankrupt.flagged_slot(&key, clock.slot),
            },
        };
        let touched = touch_deleveraging(&mut market, &self.price, action, &clock, pauses)?;
        if market.mode().has_ended() {
            market.require_no_legs()?;
        }
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let terms = LegTerms::of(market.params());
        let scene = Scene {
            key,
            touched: &touched,
            terms: &terms,
            board: &board,
            slot: clock.slot,
        };
        let subject = scene.subject(&market, &bankrupt, || cross.draws(&key))?;
        let free = bankrupt.free();
        let slot = bankrupt.positions.get_mut(subject.index);
        let slot = slot.ok_or_else(|| error!(BallastError::NoPosition))?;
        let grace = market.risk.adl.grace_slots;
        let by_record = subject.distress.takes_records(grace, clock.slot);

        let mut changes = PositionChanges::open(key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        let cancelled = cancel_for(&self.bankrupt.key(), &book, slot)?;
        let at = (&subject.before, subject.available);
        let mut state = begin_with(&mut market, &queues, &book, slot, at, &touched, &clock)?;
        let drifts = Box::new(board.drifts(&market, &touched)?);
        let proving = Proving {
            scene: &scene,
            queues: &queues,
            cross: &cross,
            evidence: match by_record {
                true => Evidence::Record,
                false => Evidence::Health {
                    drifts: &drifts,
                    maintenance_bps: terms.maintenance_bps(),
                },
            },
        };
        let isolated = CutList::new(key, &queues, &book, listed);
        let mut list = MixedList::new(&scene, cross, listed, isolated);
        let stage = proving.cut(&mut list, &mut changes, &mut state, slot)?;
        let proof = proving.prove(&state, &list)?;
        let occasion = Occasion {
            market: key,
            bankrupt: self.bankrupt.key(),
            keeper: self.keeper.key(),
            mark_ticks: touched.price.price.get(),
            before: subject.before,
        };
        let mut event = book_round(&occasion, &mut market, slot, &state, &clock)?;
        event.pass_opened = stage == Stage::NextPass;
        event.nodes_visited = proof.visited;
        event.cuts = core::mem::take(&mut list.isolated.cuts);
        event.cancelled = cancelled;
        let round = CrossRound {
            market: key,
            bankrupt: occasion.bankrupt,
            by_record,
            to_equity: stage == Stage::Equity,
            nodes_visited: proof.cross_visited,
            legs: core::mem::take(&mut list.legs),
        };
        let after = state.bankrupt_after().or_ballast()?;
        let ending = Ending {
            scene: &scene,
            cross: &cross,
            occasion: &occasion,
            after: &after,
            paid: state.insurance_paid().or_ballast()?,
        };
        let forced = match &subject.trouble {
            Some(trouble) => {
                let forced = ending.of_leg(trouble, &market, &mut changes, &mut bankrupt)?;
                conclude_orders(&event, &mut market, &book, &mut bankrupt)?;
                changes.leave_leg(&mut bankrupt)?;
                Some(forced)
            }
            None => {
                ending.of_position(slot, &mut changes, &mut entered)?;
                conclude_orders(&event, &mut market, &book, &mut bankrupt)?;
                changes.leave(&occasion.bankrupt, &mut bankrupt, &entered, 0)?;
                None
            }
        };
        changes.close(&mut market)?;
        market.invariant()?;
        Ok(Done {
            round: event,
            cross: round,
            forced,
        })
    }
}

/// What is written of the bankrupt once a round is booked.
struct Ending<'a, 'info> {
    scene: &'a Scene<'a>,
    cross: &'a CrossQueues<'info>,
    occasion: &'a Occasion,
    /// The position afterwards.
    after: &'a Position,
    /// What insurance and held profit paid, atoms.
    paid: u64,
}

impl Ending<'_, '_> {
    fn of_position(
        &self,
        slot: &mut PositionSlot,
        changes: &mut PositionChanges,
        entered: &mut Entered,
    ) -> Result<()> {
        let change = Change {
            trader: &self.occasion.bankrupt,
            before: &self.occasion.before,
            after: self.after,
            remembered: Remembered::Before,
            stamp: None,
        };
        changes.apply(entered, slot, &change)
    }

    #[inline(never)]
    fn of_leg(
        &self,
        trouble: &Trouble,
        market: &Market,
        changes: &mut PositionChanges,
        bankrupt: &mut Trader,
    ) -> Result<LegForced> {
        let (scene, key) = (self.scene, self.scene.key);
        let (given, after) = (&self.occasion.before, self.after);
        let pool = scene.pool_after(bankrupt, trouble.place, given, after, Atoms::ZERO)?;
        changes.enter_pool(bankrupt.cross_pool);
        bankrupt.cross_pool = pool.get();
        let change = LegChange {
            index: trouble.index,
            after,
            funding_index: scene.touched.funding_index,
            distress: bankrupt.leg(&key)?.distress(),
        };
        let written = store(changes, &key, bankrupt, self.cross, &change)?;
        let (cross, paid) = (self.cross, self.paid);
        cross.paid(&key, market, paid, scene.slot)?;
        let trader = &self.occasion.bankrupt;
        renew(
            trader,
            bankrupt,
            scene.board,
            self.cross,
            written,
            scene.slot,
        )?;
        Ok(trouble.event(&key, trader, bankrupt.cross_pool))
    }
}

/// What the order is proven by.
struct Proving<'a, 'info> {
    scene: &'a Scene<'a>,
    queues: &'a MarketQueues<'a, 'info>,
    cross: &'a CrossQueues<'info>,
    evidence: Evidence<'a>,
}

impl Proving<'_, '_> {
    /// Cuts the list, stage after stage until somebody was cut; the last stage.
    ///
    /// # Errors
    /// `AdlNothingCut`; those of [`MixedList::cut_all`] and of [`Self::prove`].
    #[inline(never)]
    fn cut(
        &self,
        list: &mut MixedList,
        changes: &mut PositionChanges,
        state: &mut Deleveraging,
        slot: &mut PositionSlot,
    ) -> Result<Stage> {
        let mut stage = Stage::First;
        loop {
            list.cut_all(changes, state, stage)?;
            if !list.isolated.cuts.is_empty() {
                return Ok(stage);
            }
            let Some(next) = stage.after_nobody(list.shown()) else {
                return err!(BallastError::AdlNothingCut);
            };
            if stage == Stage::First {
                self.prove(state, list)?;
            }
            if next == Stage::NextPass {
                let (side, now) = (state.round().side, self.scene.slot);
                let open = |queue: &mut Queue<'_>| queue.open_pass(now).or_ballast();
                slot.pass_epoch = self.queues.write(side, open)?;
                state.open_pass(slot.pass_epoch).or_ballast()?;
            }
            stage = next;
        }
    }

    /// Walks both queues of the counterparties.
    ///
    /// # Errors
    /// `AdlSkippedCounterparty`, `AdlStaleCounterparty`, with the trader logged, when somebody was passed over;
    /// `CrossQueueMissing`.
    #[inline(never)]
    fn prove(&self, state: &Deleveraging, list: &MixedList) -> Result<Proof> {
        let side = state.round().side;
        self.queues.read(side, |isolated| {
            self.cross.read(&self.scene.key, side, |legs| {
                let known = CrossSide {
                    queue: legs,
                    evidence: &self.evidence,
                    known: &list.known,
                    slot: self.scene.slot,
                };
                let last = list.isolated.last_node;
                let proof = state.prove(isolated, last, Some(&known)).or_ballast()?;
                let (trader, refused) = match proof.passed_over {
                    None => return Ok(proof),
                    Some(PassedOver::Position(node)) => (
                        isolated.entry(node).or_ballast()?.trader,
                        BallastError::AdlSkippedCounterparty,
                    ),
                    Some(PassedOver::Account(node)) => (
                        legs.entry(node).or_ballast()?.position.trader,
                        BallastError::AdlStaleCounterparty,
                    ),
                };
                msg!("Skipped trader: {}", Pubkey::new_from_array(trader));
                err!(refused)
            })
        })
    }
}
