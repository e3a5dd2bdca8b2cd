//! A leg that takes orders of the book: by an order of its owner, or by a trigger or protective step that fires.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::LegTrade,
    distress::Distress,
    trade::PartyOutcome,
    units::{Atoms, Side},
};
use ballast_state::{
    cross::{LegBefore, Scene},
    error::BallastError,
    events::LegTraded,
    market::Market,
    position_slot::PositionSlot,
    trader::Trader,
};

use super::records::{check_interest, renew, store, LegChange, Written};
use crate::loaders::{book_account::MarketBook, cross_queues::CrossQueues};
use crate::{
    error::{error, OrBallast},
    instructions::{
        matching::{Matched, Matching},
        position_change::PositionChanges,
        taker::{Taker, TakerOrder},
    },
};

/// Where a leg trades.
pub struct LegTaker<'a, 'info> {
    /// The cross queues of the call.
    pub queues: &'a CrossQueues<'info>,
    /// The market at hand.
    pub scene: Scene<'a>,
}

impl LegTaker<'_, '_> {
    /// The account as it works an order off.
    ///
    /// # Errors
    /// `NoPosition`.
    pub fn taker(&self, key: Pubkey, trader: &Trader, leg: &LegBefore) -> Result<Box<Taker>> {
        let slot = trader.positions.get(leg.index);
        let slot = slot.ok_or_else(|| error!(BallastError::NoPosition))?;
        let mut taker = Taker::new(key, trader.free(), slot, leg.position);
        taker.pool_backs = true;
        Ok(taker)
    }

    /// Works the order off; what was done, and what the fills make of the leg, where there are some.
    ///
    /// # Errors
    /// Those of [`Taker::work_with`] and [`Scene::taken`]; `CrossQueueMissing`, `OpenInterestLimit`.
    #[inline(never)]
    pub fn match_book<'q, 'i>(
        &self,
        market: &Market,
        book: &MarketBook,
        leg: &LegBefore,
        mut matching: Box<Matching<'_, 'q, 'i>>,
        taker: &mut Taker,
        order: &TakerOrder,
    ) -> Result<(Matched<'q, 'i>, Option<Box<LegTrade>>)> {
        let touched = self.scene.touched;
        let mut trade = None;
        let settle = &mut |taker: &mut Taker, matching: &mut Matching| {
            let made = self.decide(market, leg, matching, order.request.side)?;
            taker.party = Some(PartyOutcome {
                position: made.position,
                free: taker.free,
                fee: Atoms::ZERO,
                realized: made.realized,
                released: Atoms::ZERO,
                margin_added: 0,
                reduced_only: made.reduced_only,
            });
            trade = Some(made);
            Ok(())
        };
        book.write(|book| taker.work_with(book, market, touched, &mut matching, order, settle))?;
        Ok((matching.done(), trade))
    }

    /// Writes what became of the leg, its orders, the pool, free collateral and the records, where the account may
    /// stand then.
    ///
    /// # Errors
    /// `CrossBelowInitial`, `CrossDepositStays`, `CrossMarkStale`, `CrossMarkFrozen`, `CrossQueueMissing`,
    /// `CrossRecordStale`, `QueueFull`.
    #[inline(never)]
    pub fn store(
        &self,
        trader: &mut Trader,
        leg: &LegBefore,
        taker: &Taker,
        trade: &Option<Box<LegTrade>>,
        matched: &mut Matched,
    ) -> Result<Option<Box<LegTraded>>> {
        let (scene, pool) = (&self.scene, trader.cross_pool);
        let _ = matched
            .changes
            .enter(trader.free(), trader.reserve_in(&scene.key));
        matched.changes.enter_pool(pool);
        trader.any_mut(&scene.key)?.store_own_orders(&taker.own);
        trader.free = taker.free.get();
        let (written, event) = match trade {
            Some(trade) => {
                trader.cross_pool = trade.pool.get();
                trader.pool_out(taker.from_pool, scene.slot)?;
                let changes = &mut matched.changes;
                let (written, event) = self.store_trade(trader, leg, trade, changes, pool)?;
                (Some(written), Some(event))
            }
            None if taker.from_pool > 0 => {
                trader.pool_out(taker.from_pool, scene.slot)?;
                (Some(Written::NONE), None)
            }
            None => (None, None),
        };
        if taker.from_pool > 0 {
            scene.check_opening(trader)?;
        }
        if let Some(written) = written {
            let (board, slot) = (scene.board, scene.slot);
            renew(&taker.trader, trader, board, self.queues, written, slot)?;
        }
        matched.changes.leave_leg(trader)?;
        Ok(event.map(|event| {
            Box::new(LegTraded {
                trader: taker.trader,
                ..event
            })
        }))
    }

    /// Writes the leg, where its account, whose pool was `pool` and is written, may stand. Whose it is the event
    /// does not say.
    ///
    /// # Errors
    /// Those of [`store`] and [`Scene::check_traded`].
    #[inline(never)]
    pub fn store_trade(
        &self,
        trader: &mut Trader,
        leg: &LegBefore,
        trade: &LegTrade,
        changes: &mut PositionChanges,
        pool: i64,
    ) -> Result<(Written, LegTraded)> {
        let scene = &self.scene;
        let slot = trader.positions.get(leg.index);
        let distress = match trade.reduced_only {
            true => slot.map_or(Distress::NONE, PositionSlot::distress),
            false => Distress::NONE,
        };
        let change = LegChange {
            index: leg.index,
            after: &trade.position,
            funding_index: scene.touched.funding_index,
            distress,
        };
        let written = store(changes, &scene.key, trader, self.queues, &change)?;
        let values = scene.check_traded(trader, written.index, &leg.values, trade)?;
        let event = LegTraded {
            market: scene.key,
            trader: Pubkey::default(),
            lots_before: leg.position.lots.get(),
            lots_after: trade.position.lots.get(),
            entry_quote_after: trade.position.entry_quote.get(),
            realized: trade.realized.get(),
            funding: trade.funding.get(),
            fee: Atoms::from_unsigned(trade.fee).or_ballast()?.get(),
            pool_before: pool,
            pool_after: trader.cross_pool,
            equity_atoms: values.equity.get(),
            requirement_atoms: values.requirement,
        };
        Ok((written, event))
    }

    /// What the fills make of the leg and the pool, within the limits of the market.
    #[inline(never)]
    fn decide(
        &self,
        market: &Market,
        leg: &LegBefore,
        matching: &Matching,
        side: Side,
    ) -> Result<Box<LegTrade>> {
        let at = (&leg.legs, leg.place);
        let open_interest = matching.changes.open_interest();
        let taken = &matching.taken;
        let trade = self.scene.taken(market, at, side, taken, open_interest)?;
        let after = &trade.position;
        let (board, queues) = (self.scene.board, self.queues);
        check_interest(board, market, &self.scene.key, queues, &leg.position, after)?;
        Ok(trade)
    }
}
