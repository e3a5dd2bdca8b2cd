//! What a pool's takes and unwinds mean to its trader account and to makers.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_state::events::{BallastEvent, PoolSynced, PoolTook, PoolUnwound};
use ballast_state::pool::POOL_SUB_ID;

use super::entry::{Entry, Kind, Named, Source};
use super::funding::Change;
use super::meaning::{quote, Reader};
use crate::cluster::words::Names;

/// The trader account of a pool.
pub(super) fn trader_of(pool: &Pubkey) -> Pubkey {
    addresses::trader(pool, POOL_SUB_ID)
}

impl Reader<'_> {
    fn names<'a>(&self, market: &'a Named) -> Names<'a> {
        Names {
            collateral: self.naming.collateral,
            market: Some((market.name.as_str(), market.units)),
        }
    }

    /// The line of the pool's own take.
    pub(super) fn pool_took(
        &mut self,
        event: &PoolTook,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        if !self.is_own(&trader_of(&event.pool)) {
            return;
        }
        let change = Change {
            lots_before: event.lots_before,
            lots_after: event.lots_after,
            ..Change::default()
        };
        self.ledger.change(event.market, &change);
        let text = self
            .names(market)
            .sentence(&BallastEvent::PoolTook(Box::new(event.clone())));
        let entry = source.in_market(Kind::Fill, market, text);
        let mut entry = entry.trading(market, event.lots, event.quote_atoms.unsigned_abs());
        entry.amount_atoms = Some(event.premium_atoms)
            .filter(|premium| *premium > 0)
            .and_then(|premium| i64::try_from(premium).ok());
        found.push(entry);
    }

    /// The line of the pool's own unwind, or those of makers that it met.
    pub(super) fn pool_unwound(
        &mut self,
        event: &PoolUnwound,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        let (before, after) = (event.taker.lots_before, event.taker.lots_after);
        if self.is_own(&event.taker.trader) {
            let change = Change {
                lots_before: before,
                lots_after: after,
                index: Some(event.funding_index),
                margin_before: Some(event.taker.margin_before),
                margin_after: Some(event.taker.margin_after),
            };
            let funding = self.ledger.change(event.market, &change);
            self.note_funding(Some(market), funding, source, found);
            let text = self
                .names(market)
                .sentence(&BallastEvent::PoolUnwound(Box::new(event.clone())));
            let total = event.fills.iter();
            let total = total.map(|fill| quote(market, fill.price_ticks, fill.lots));
            let moved = after.saturating_sub(before);
            let entry = source.in_market(Kind::Fill, market, text);
            let mut entry = entry.trading(market, moved, total.sum());
            entry.realized_atoms = Some(event.taker.realized);
            let fee = i64::try_from(event.keeper_atoms).unwrap_or(i64::MAX);
            entry.fee_atoms = Some(event.taker.fee.saturating_add(fee));
            found.push(entry);
        }
        // Makers took the other side.
        let sign = if after < before { 1 } else { -1 };
        let index = Some(event.funding_index);
        self.made(event.market, &event.fills, sign, index, source, found);
        self.removed(event.market, &event.removed, source, found);
    }

    /// The line of margin that moved to or from the pool's own position.
    pub(super) fn pool_synced(
        &mut self,
        event: &PoolSynced,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        if !self.is_own(&trader_of(&event.pool)) {
            return;
        }
        let (moved, after) = (event.moved_atoms, event.margin_after);
        let funding = self.ledger.move_margin(event.market, moved, after);
        self.note_funding(Some(market), funding, source, found);
        let text = self
            .names(market)
            .sentence(&BallastEvent::PoolSynced(Box::new(event.clone())));
        let mut entry = source.in_market(Kind::Margin, market, text);
        entry.amount_atoms = Some(moved.saturating_neg());
        found.push(entry);
    }
}
