//! A list of counterparties of both kinds: isolated positions, and legs with all of their account's equity.
//! Which of the two a trader account stands with follows from what it holds in the market.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::{AccountCut, CutDone, Deleveraging, Listed, Stage},
    cross::cut::Counterparty,
    queue::CutStamp,
    units::Side,
};
use ballast_state::{
    cross::Scene,
    error::BallastError,
    events::{CounterpartyCut, LegCut},
    trader::Trader,
};

use super::records::{renew, store, LegChange, Written};
use crate::loaders::{cross_queues::CrossQueues, current::Current};
use crate::{
    error::{error, require, OrBallast},
    instructions::{
        anyone::counterparties::{record, CutList},
        orders::cancel_for,
        position_change::PositionChanges,
    },
};

/// A checked list while it is worked through.
pub struct MixedList<'a, 'info> {
    scene: &'a Scene<'a>,
    queues: CrossQueues<'info>,
    listed: &'info [AccountInfo<'info>],
    /// The isolated ones, and all cuts in order.
    pub isolated: CutList<'a, 'info>,
    /// The legs among the cuts.
    pub legs: Vec<LegCut>,
    /// Nodes of the legs that were valued exactly.
    pub known: Vec<u32>,
    shortened: u32,
    at_cap: u32,
}

/// A leg that is cut, and what its account held.
struct LegDone {
    index: usize,
    counterparty: Counterparty,
    pool: i64,
    sequence: u64,
    node: u32,
    done: CutDone,
    shortened: bool,
}

impl<'a, 'info> MixedList<'a, 'info> {
    /// A list to be worked through.
    pub fn new(
        scene: &'a Scene<'a>,
        queues: CrossQueues<'info>,
        listed: &'info [AccountInfo<'info>],
        isolated: CutList<'a, 'info>,
    ) -> Self {
        Self {
            scene,
            queues,
            listed,
            isolated,
            legs: Vec::new(),
            known: Vec::with_capacity(listed.len()),
            shortened: 0,
            at_cap: 0,
        }
    }

    /// Cuts every listed counterparty in turn as far as lots remain, leaving accounts what the stage says.
    ///
    /// # Errors
    /// `AdlForeignAccount` for an account that is no trader, `AdlListOutOfOrder`, `CrossMarkStale`,
    /// `CrossQueueMissing`, `CrossRecordStale`, `TreeCorrupt`.
    pub fn cut_all(
        &mut self,
        changes: &mut PositionChanges,
        state: &mut Deleveraging,
        stage: Stage,
    ) -> Result<()> {
        (self.isolated.at_cap, self.at_cap, self.shortened) = (0, 0, 0);
        self.known.clear();
        for account in self.listed {
            let cut = match self.holds_leg(account)? {
                true => self.cut_leg(account, changes, state, stage)?,
                false => self.isolated.cut(account, changes, state)?,
            };
            if let Some(cut) = cut {
                self.isolated.cuts.push(cut);
            }
        }
        self.known.sort_unstable();
        Ok(())
    }

    /// Whom the list shows who was not cut.
    pub fn shown(&self) -> Listed {
        let isolated = u32::try_from(self.isolated.at_cap).unwrap_or(u32::MAX);
        Listed {
            at_cap: self.at_cap.wrapping_add(isolated),
            shortened: self.shortened,
        }
    }

    fn holds_leg(&self, account: &'info AccountInfo<'info>) -> Result<bool> {
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::AdlForeignAccount))?;
        let trader = loader.current()?;
        Ok(trader.find_leg(&self.scene.key).is_some())
    }

    #[inline(never)]
    fn cut_leg(
        &mut self,
        account: &'info AccountInfo<'info>,
        changes: &mut PositionChanges,
        state: &mut Deleveraging,
        stage: Stage,
    ) -> Result<Option<CounterpartyCut>> {
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::AdlForeignAccount))?;
        let mut trader = loader.current_mut()?;
        let Some(leg) = self.decide(account.key, &trader, state, stage)? else {
            return Ok(None);
        };
        let key = self.scene.key;
        let _ = changes.enter(trader.free(), trader.reserve_in(&key));
        let cancelled = cancel_for(account.key, self.isolated.book, trader.any_mut(&key)?)?;
        changes.enter_pool(trader.cross_pool);
        trader.cross_pool = leg.pool;
        let change = LegChange {
            index: leg.index,
            after: &leg.done.position_after,
            funding_index: state.round().funding_index,
            distress: trader.leg(&key)?.distress(),
        };
        let written = store(changes, &key, &mut trader, &self.queues, &change)?;
        if written.index.is_some() {
            self.known.push(leg.node);
        }
        let written = Written {
            stamp: Some(leg.done.stamp),
            ..written
        };
        let (board, slot) = (self.scene.board, self.scene.slot);
        renew(account.key, &mut trader, board, &self.queues, written, slot)?;
        let before = &leg.counterparty.position;
        let mut cut = record(account.key, leg.sequence, before, &leg.done);
        if let Some(cancelled) = cancelled {
            trader.credit(cancelled.margin_atoms)?;
            cut.cancelled_orders = cancelled.orders;
            cut.cancelled_margin_atoms = cancelled.margin_atoms;
        }
        changes.leave_leg(&mut trader)?;
        let place = u32::try_from(self.isolated.cuts.len()).unwrap_or(u32::MAX);
        self.legs.push(LegCut {
            place,
            equity_atoms: leg.counterparty.equity.get(),
            requirement_atoms: leg.counterparty.requirement,
            leg_requirement_atoms: leg.counterparty.leg_requirement,
            shortened: leg.shortened,
            pool_after: leg.pool,
        });
        Ok(Some(cut))
    }

    /// What the engine does with a leg; `None` where it is not cut.
    #[inline(never)]
    fn decide(
        &mut self,
        key: &Pubkey,
        trader: &Trader,
        state: &mut Deleveraging,
        stage: Stage,
    ) -> Result<Option<Box<LegDone>>> {
        let legs = self.scene.legs(trader)?;
        let index = trader.find_leg(&self.scene.key);
        let index = index.ok_or_else(|| error!(BallastError::NoPosition))?;
        let slot = trader.leg(&self.scene.key)?;
        // Who has turned to the other side has left, as far as this round goes.
        if slot.position()?.side() != Some(state.round().side) {
            return Ok(None);
        }
        let (node, place) = (slot.queue_node, legs.place_of(index)?);
        let account = legs.account();
        let values = account.values().or_ballast()?;
        let counterparty = account.counterparty(&values, place).or_ballast()?;
        let side = state.round().side;
        let (sequence, stamp) = ranked_by(&self.queues, &self.scene.key, side, key, node)?;
        let cut = state.cut_account(&counterparty, stage.bearing(), sequence, stamp);
        let cut = cut.or_ballast()?;
        let mut shown = Listed::default();
        shown.count_account(&cut);
        self.at_cap = self.at_cap.wrapping_add(shown.at_cap);
        self.shortened = self.shortened.wrapping_add(shown.shortened);
        let AccountCut::Done { done, shortened } = cut else {
            self.known.push(node);
            return Ok(None);
        };
        let (given, after) = (&counterparty.position, &done.position_after);
        let pool = account.pool_after(place, given, after, done.payout);
        Ok(Some(Box::new(LegDone {
            index,
            counterparty,
            pool: pool.or_ballast()?.get(),
            sequence,
            node,
            done,
            shortened,
        })))
    }
}

/// Sequence number and stamp of a leg's node, which must be the trader's.
///
/// # Errors
/// `CrossQueueMissing`, `NodeNotFound`, `TreeCorrupt`.
pub fn ranked_by(
    queues: &CrossQueues,
    market: &Pubkey,
    side: Side,
    trader: &Pubkey,
    node: u32,
) -> Result<(u64, CutStamp)> {
    queues.read(market, side, |queue| {
        let entry = &queue.entry(node).or_ballast()?.position;
        require!(entry.trader == trader.to_bytes(), BallastError::TreeCorrupt);
        Ok((entry.sequence, entry.stamp()))
    })
}
