//! What events mean to one trader account.

use anchor_lang::prelude::Pubkey;
use ballast_state::book_account::OrderSide;
use ballast_state::events::{
    BallastEvent, BlockTraded, CrossBlockTraded, LegMade, OrderFilled, OrderPlaced, OrderRemoved,
    PartyTraded, ProtectionExecuted, TriggerExecuted,
};

use super::entry::{done, Entry, Kind, Named, Naming, Source};
use super::funding::{Change, Ledger};
use super::pools::trader_of;
use crate::cluster::words::{reason_words, trigger, Names};
use ballast_view::units::percent_of_bps;

/// A trader account and what is known of its positions so far.
pub struct Reader<'a> {
    /// The trader account.
    pub trader: Pubkey,
    /// How amounts and markets are named.
    pub naming: &'a Naming,
    /// Its positions as the events so far leave them.
    pub ledger: Ledger,
    /// Whether the event after this one says that a pool took over what the book left.
    pub into_pool: bool,
    /// Places of the cuts of this event that the event after it says were legs.
    pub legs: Vec<u32>,
    /// Fills of this event that an event after it says were of orders of legs.
    pub made: Vec<LegMade>,
}

/// The quote of lots at a price.
pub(super) fn quote(market: &Named, ticks: u64, lots: u64) -> u64 {
    let atoms = market.units.atoms_per_lot_tick;
    ticks.saturating_mul(lots).saturating_mul(atoms)
}

/// Lots that a keeper closed of a position against the book.
struct Closed<'a> {
    market: Pubkey,
    trader: Pubkey,
    lots: u64,
    funding_index: i64,
    side: OrderSide,
    /// None of a leg, of which `LegTraded` tells.
    taker: Option<&'a PartyTraded>,
    fills: &'a [OrderFilled],
    removed: &'a [OrderRemoved],
}

impl Reader<'_> {
    /// What an event means to the trader account; events have to come in order.
    pub fn read(&mut self, event: &BallastEvent, source: Source<'_>) -> Vec<Entry> {
        let mut found = Vec::new();
        match event {
            BallastEvent::OrderPlaced(event) => self.placed(event, source, &mut found),
            BallastEvent::TriggerExecuted(event) => self.fired(event, source, &mut found),
            BallastEvent::ProtectionExecuted(event) => self.reduced(event, source, &mut found),
            BallastEvent::BlockTraded(event) => self.block(event, source, &mut found),
            BallastEvent::CrossBlockTraded(event) => self.cross_block(event, source, &mut found),
            BallastEvent::PositionLiquidated(event) => self.liquidated(event, source, &mut found),
            BallastEvent::AutoDeleveraged(event) => self.deleveraged(event, source, &mut found),
            BallastEvent::PositionFlagged(event) => self.flagged(event, source, &mut found),
            BallastEvent::ProfitHeld(event) => {
                for part in event.parts.iter().filter(|part| self.is_own(&part.trader)) {
                    self.held_profit(
                        event.market,
                        -i128::from(part.held_atoms),
                        source,
                        &mut found,
                    );
                }
            }
            BallastEvent::ProfitReleased(event) => {
                for part in event.parts.iter().filter(|part| self.is_own(&part.trader)) {
                    self.held_profit(event.market, part.atoms.into(), source, &mut found);
                }
            }
            BallastEvent::PositionSettled(event) => self.settled(event, source, &mut found),
            BallastEvent::PoolTook(event) => self.pool_took(event, source, &mut found),
            BallastEvent::PoolUnwound(event) => self.pool_unwound(event, source, &mut found),
            BallastEvent::PoolSynced(event) => self.pool_synced(event, source, &mut found),
            other => self.plain(other, source, &mut found),
        }
        found
    }

    pub(super) fn is_own(&self, trader: &Pubkey) -> bool {
        *trader == self.trader
    }

    /// What needs no more than its sentence.
    fn plain(&mut self, event: &BallastEvent, source: Source<'_>, found: &mut Vec<Entry>) {
        let signed = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        let (trader, kind, market, amount) = match event {
            BallastEvent::Deposited(it) => {
                (it.trader, Kind::Transfer, None, Some(signed(it.amount)))
            }
            BallastEvent::Withdrawn(it) => {
                (it.trader, Kind::Transfer, None, Some(-signed(it.amount)))
            }
            BallastEvent::MarginAdded(it) => {
                let amount = Some(-signed(it.amount));
                (it.trader, Kind::Margin, Some(it.market), amount)
            }
            BallastEvent::MarginRemoved(it) => {
                let amount = Some(signed(it.amount));
                (it.trader, Kind::Margin, Some(it.market), amount)
            }
            BallastEvent::CrossMoved(it) => {
                (it.trader, Kind::Margin, None, it.amount.checked_neg())
            }
            BallastEvent::MarginConverted(it) => (it.trader, Kind::Margin, Some(it.market), None),
            BallastEvent::LegTraded(it) => (it.trader, Kind::Fill, Some(it.market), None),
            BallastEvent::OrdersCancelled(it) => (it.trader, Kind::Order, Some(it.market), None),
            BallastEvent::TriggerPlaced(it) => (it.trader, Kind::Trigger, Some(it.market), None),
            BallastEvent::TriggerCancelled(it) => (it.trader, Kind::Trigger, Some(it.market), None),
            BallastEvent::ProtectionSet(it) => (it.trader, Kind::Trigger, Some(it.market), None),
            BallastEvent::ProtectionCreated(it) => {
                (it.trader, Kind::Account, Some(it.market), None)
            }
            BallastEvent::ProtectionClosed(it) => (it.trader, Kind::Account, Some(it.market), None),
            BallastEvent::TraderCreated(it) => (it.trader, Kind::Account, None, None),
            BallastEvent::TraderClosed(it) => (it.trader, Kind::Account, None, None),
            BallastEvent::DelegateSet(it) => (it.trader, Kind::Account, None, None),
            BallastEvent::PoolCreated(it) => (it.trader, Kind::Account, Some(it.market), None),
            BallastEvent::PoolDeposited(it) => {
                let amount = Some(signed(it.amount));
                (trader_of(&it.pool), Kind::Transfer, Some(it.market), amount)
            }
            BallastEvent::PoolWithdrawn(it) => {
                let amount = Some(-signed(it.amount));
                (trader_of(&it.pool), Kind::Transfer, Some(it.market), amount)
            }
            BallastEvent::PoolStopped(it) => {
                (trader_of(&it.pool), Kind::Account, Some(it.market), None)
            }
            BallastEvent::PoolChanged(it) => {
                (trader_of(&it.pool), Kind::Account, Some(it.market), None)
            }
            BallastEvent::PoolReset(it) => {
                (trader_of(&it.pool), Kind::Account, Some(it.market), None)
            }
            _ => return,
        };
        if !self.is_own(&trader) {
            return;
        }
        let named = market.and_then(|market| self.naming.market(&market));
        let names = Names {
            collateral: self.naming.collateral,
            market: named.map(|named| (named.name.as_str(), named.units)),
        };
        let text = names.sentence(event);
        let mut entry = match named {
            Some(named) => source.in_market(kind, named, text),
            None => source.line(kind, text),
        };
        entry.amount_atoms = amount;
        if let BallastEvent::LegTraded(it) = event {
            entry.realized_atoms = Some(it.realized);
            entry.fee_atoms = Some(it.fee);
        }
        let funding = match event {
            BallastEvent::MarginAdded(it) => {
                self.ledger.add_margin(it.market, it.margin_after);
                None
            }
            BallastEvent::MarginRemoved(it) => {
                let removed = (it.amount, it.margin_after);
                self.ledger.remove_margin(it.market, removed.0, removed.1)
            }
            BallastEvent::MarginConverted(it) => self.ledger.convert(it),
            BallastEvent::LegTraded(it) => Some(it.funding),
            _ => None,
        };
        self.note_funding(named, funding, source, found);
        found.push(entry);
    }

    pub(super) fn note_funding(
        &self,
        market: Option<&Named>,
        funding: Option<i64>,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let (Some(market), Some(funding)) = (market, funding.filter(|paid| *paid != 0)) else {
            return;
        };
        let amount = self.naming.atoms(funding.saturating_abs());
        let text = match funding > 0 {
            true => format!("Funding of {amount} paid from the margin."),
            false => format!("Funding of {amount} received into the margin."),
        };
        let mut entry = source.in_market(Kind::Funding, market, text);
        entry.funding_atoms = Some(funding);
        found.push(entry);
    }

    /// A party's fill and the funding it paid with it.
    pub(super) fn party(
        &mut self,
        address: Pubkey,
        party: &PartyTraded,
        fill: (u64, u64, i64),
        how: &str,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&address) else {
            return;
        };
        let (lots, quote, index) = fill;
        let change = Change {
            lots_before: party.lots_before,
            lots_after: party.lots_after,
            index: Some(index),
            margin_before: Some(party.margin_before),
            margin_after: Some(party.margin_after),
        };
        let funding = self.ledger.change(address, &change);
        self.note_funding(Some(market), funding, source, found);
        let moved = party.lots_after.saturating_sub(party.lots_before);
        let units = market.units;
        let text = format!(
            "{how}: {} {} at {} on average; realized {}, fee {}; the position is {} now.",
            done(moved),
            units.show_size(lots),
            units.show_average(quote, lots),
            self.naming.atoms(party.realized),
            self.naming.atoms(party.fee),
            held(market, party.lots_after),
        );
        let entry = source.in_market(Kind::Fill, market, text);
        let mut entry = entry.trading(market, moved, quote);
        entry.realized_atoms = Some(party.realized);
        entry.fee_atoms = Some(party.fee);
        found.push(entry);
    }

    fn placed(&mut self, event: &OrderPlaced, source: Source<'_>, found: &mut Vec<Entry>) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        if self.is_own(&event.trader) {
            if let Some(taker) = &event.taker {
                let total = event
                    .fills
                    .iter()
                    .map(|fill| quote(market, fill.price_ticks, fill.lots));
                let fill = (event.filled_lots, total.sum(), event.funding_index);
                self.party(event.market, taker, fill, "Order filled", source, found);
            }
            let names = Names {
                collateral: self.naming.collateral,
                market: Some((market.name.as_str(), market.units)),
            };
            if event.resting_lots > 0 || event.taker.is_none() {
                let placed = BallastEvent::OrderPlaced(Box::new(event.clone()));
                found.push(source.in_market(Kind::Order, market, names.sentence(&placed)));
            }
        }
        let sign = if event.side == OrderSide::Bid { -1 } else { 1 };
        let index = Some(event.funding_index);
        self.made(event.market, &event.fills, sign, index, source, found);
        self.removed(event.market, &event.removed, source, found);
    }

    fn fired(&mut self, event: &TriggerExecuted, source: Source<'_>, found: &mut Vec<Entry>) {
        let how = |market: &Named| {
            format!(
                "{} at {} fired at {}",
                trigger(event.kind),
                market.units.show_price(event.trigger_ticks),
                market.units.show_price(event.mark_ticks)
            )
        };
        let closed = Closed {
            market: event.market,
            trader: event.trader,
            lots: event.filled_lots,
            funding_index: event.funding_index,
            side: event.side,
            taker: event.taker.as_ref(),
            fills: &event.fills,
            removed: &event.removed,
        };
        self.closed(&closed, how, source, found);
    }

    fn reduced(&mut self, event: &ProtectionExecuted, source: Source<'_>, found: &mut Vec<Entry>) {
        let how = |market: &Named| {
            format!(
                "Protective step below a margin ratio of {} at {}",
                percent_of_bps(event.step.ratio_bps.into()),
                market.units.show_price(event.mark_ticks)
            )
        };
        let closed = Closed {
            market: event.market,
            trader: event.trader,
            lots: event.filled_lots,
            funding_index: event.funding_index,
            side: event.side,
            taker: event.taker.as_ref(),
            fills: &event.fills,
            removed: &event.removed,
        };
        self.closed(&closed, how, source, found);
    }

    /// Lots that a keeper closed of a position against the book, at its trader's wish.
    fn closed(
        &mut self,
        closed: &Closed<'_>,
        how: impl Fn(&Named) -> String,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&closed.market) else {
            return;
        };
        if let Some(taker) = closed.taker.filter(|taker| self.is_own(&taker.trader)) {
            let fills = closed.fills.iter();
            let total = fills.map(|fill| quote(market, fill.price_ticks, fill.lots));
            let fill = (closed.lots, total.sum(), closed.funding_index);
            self.party(closed.market, taker, fill, &how(market), source, found);
        }
        if closed.taker.is_none() && self.is_own(&closed.trader) {
            let size = market.units.show_size(closed.lots);
            let text = format!("{}: {size} of the leg closed.", how(market));
            found.push(source.in_market(Kind::Trigger, market, text));
        }
        let sign = if closed.side == OrderSide::Ask { 1 } else { -1 };
        let index = Some(closed.funding_index);
        self.made(closed.market, closed.fills, sign, index, source, found);
        self.removed(closed.market, closed.removed, source, found);
    }

    fn block(&mut self, event: &BlockTraded, source: Source<'_>, found: &mut Vec<Entry>) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        let lots = event.lots.unsigned_abs();
        let total = quote(market, event.price_ticks, lots);
        for party in [&event.taker, &event.maker] {
            if self.is_own(&party.trader) {
                let fill = (lots, total, event.funding_index);
                self.party(event.market, party, fill, "Block trade", source, found);
            }
        }
    }

    /// A block trade of whom one or both trade a leg; `LegTraded` says what became of it.
    fn cross_block(
        &mut self,
        event: &CrossBlockTraded,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        let lots = event.lots.unsigned_abs();
        let total = quote(market, event.price_ticks, lots);
        let how = "Block trade";
        if let Some(party) = event.isolated.iter().find(|one| self.is_own(&one.trader)) {
            let fill = (lots, total, event.funding_index);
            return self.party(event.market, party, fill, how, source, found);
        }
        let moved = match (self.is_own(&event.taker), self.is_own(&event.maker)) {
            (true, _) => event.lots,
            (_, true) => event.lots.saturating_neg(),
            _ => return,
        };
        let units = market.units;
        let text = format!(
            "{how} of a leg: {} {} at {}.",
            done(moved),
            units.show_size(lots),
            units.show_price(event.price_ticks)
        );
        let entry = source.in_market(Kind::Fill, market, text);
        found.push(entry.trading(market, moved, total));
    }

    /// Fills of the trader's resting orders; `sign` is 1 where it bought.
    pub(super) fn made(
        &mut self,
        address: Pubkey,
        fills: &[OrderFilled],
        sign: i64,
        index: Option<i64>,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&address) else {
            return;
        };
        for fill in fills.iter().filter(|fill| fill.maker == self.trader) {
            let moved = i64::try_from(fill.lots).unwrap_or(i64::MAX) * sign;
            let of_fill = |leg: &&LegMade| (leg.maker, leg.order_id) == (fill.maker, fill.order_id);
            let leg = self.made.iter().find(of_fill).copied();
            let funding = match leg {
                Some(leg) => Some(leg.funding),
                None => self.ledger.change(
                    address,
                    &Change {
                        lots_before: fill.maker_lots_after.saturating_sub(moved),
                        lots_after: fill.maker_lots_after,
                        index,
                        margin_before: None,
                        margin_after: Some(fill.maker_margin_after),
                    },
                ),
            };
            self.note_funding(Some(market), funding, source, found);
            let held = held(market, fill.maker_lots_after);
            let then = match leg {
                Some(leg) => format!(
                    "realized {}; the leg is {held} now, and the pool is {}",
                    self.naming.atoms(leg.realized),
                    self.naming.atoms(leg.pool_after)
                ),
                None => format!("the position is {held} now"),
            };
            let text = format!(
                "Order {} filled: {} {} at {}; fee {}; {then}.",
                fill.order_id,
                done(moved),
                market.units.show_size(fill.lots),
                market.units.show_price(fill.price_ticks),
                self.naming.atoms(fill.maker_fee),
            );
            let entry = source.in_market(Kind::Fill, market, text);
            let total = quote(market, fill.price_ticks, fill.lots);
            let mut entry = entry.trading(market, moved, total);
            entry.fee_atoms = Some(fill.maker_fee);
            entry.realized_atoms = leg.map(|leg| leg.realized);
            found.push(entry);
        }
    }

    pub(super) fn removed(
        &self,
        address: Pubkey,
        removed: &[OrderRemoved],
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&address) else {
            return;
        };
        for order in removed.iter().filter(|order| order.maker == self.trader) {
            let fee = i64::try_from(order.fee_atoms).unwrap_or(i64::MAX);
            let text = format!(
                "Order {} of {} at {} removed from the book: {}; fee {}.",
                order.order_id,
                market.units.show_size(order.lots),
                market.units.show_price(order.price_ticks),
                reason_words(order.reason),
                self.naming.atoms(fee),
            );
            let mut entry = source.in_market(Kind::Order, market, text);
            entry.fee_atoms = Some(fee);
            found.push(entry);
        }
    }

    /// `atoms` come to free collateral, or are held where negative.
    fn held_profit(&self, market: Pubkey, atoms: i128, source: Source<'_>, found: &mut Vec<Entry>) {
        let Some(market) = self.naming.market(&market) else {
            return;
        };
        let amount = self.naming.collateral.show(atoms.abs());
        let text = match atoms {
            ..0 => format!("{amount} of the profit held: the market is short."),
            0 => "Nothing is left of the held profit: it has paid deficits.".to_owned(),
            _ => format!("{amount} of held profit released."),
        };
        let mut entry = source.in_market(Kind::HeldProfit, market, text);
        entry.amount_atoms = i64::try_from(atoms).ok();
        found.push(entry);
    }
}

/// A position in words.
pub(super) fn held(market: &Named, lots: i64) -> String {
    let size = market.units.show_size(lots.unsigned_abs());
    match lots {
        0 => "closed".to_owned(),
        1.. => format!("long {size}"),
        _ => format!("short {size}"),
    }
}
