//! What events mean to one trader account.

use anchor_lang::prelude::Pubkey;
use ballast_state::book_account::OrderSide;
use ballast_state::events::{
    AutoDeleveraged, BallastEvent, BlockTraded, CounterpartyCut, OrderFilled, OrderPlaced,
    OrderRemoved, PartyTraded, PositionFlagged, PositionLiquidated, TriggerExecuted,
};

use super::entry::{done, Entry, Kind, Named, Naming, Source};
use super::funding::{Change, Ledger};
use crate::cluster::words::{reason_words, trigger, Names};

/// A trader account and what is known of its positions so far.
pub struct Reader<'a> {
    /// The trader account.
    pub trader: Pubkey,
    /// How amounts and markets are named.
    pub naming: &'a Naming,
    /// Its positions as the events so far leave them.
    pub ledger: Ledger,
}

/// The quote of lots at a price.
fn quote(market: &Named, ticks: u64, lots: u64) -> u64 {
    let atoms = market.units.atoms_per_lot_tick;
    ticks.saturating_mul(lots).saturating_mul(atoms)
}

impl Reader<'_> {
    /// What an event means to the trader account; events have to come in order.
    pub fn read(&mut self, event: &BallastEvent, source: Source<'_>) -> Vec<Entry> {
        let mut found = Vec::new();
        match event {
            BallastEvent::OrderPlaced(event) => self.placed(event, source, &mut found),
            BallastEvent::TriggerExecuted(event) => self.fired(event, source, &mut found),
            BallastEvent::BlockTraded(event) => self.block(event, source, &mut found),
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
            other => self.plain(other, source, &mut found),
        }
        found
    }

    fn is_own(&self, trader: &Pubkey) -> bool {
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
            BallastEvent::OrdersCancelled(it) => (it.trader, Kind::Order, Some(it.market), None),
            BallastEvent::TriggerPlaced(it) => (it.trader, Kind::Trigger, Some(it.market), None),
            BallastEvent::TriggerCancelled(it) => (it.trader, Kind::Trigger, Some(it.market), None),
            BallastEvent::TraderCreated(it) => (it.trader, Kind::Account, None, None),
            BallastEvent::TraderClosed(it) => (it.trader, Kind::Account, None, None),
            BallastEvent::DelegateSet(it) => (it.trader, Kind::Account, None, None),
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
        let funding = match event {
            BallastEvent::MarginAdded(it) => {
                self.ledger.add_margin(it.market, it.margin_after);
                None
            }
            BallastEvent::MarginRemoved(it) => {
                let removed = (it.amount, it.margin_after);
                self.ledger.remove_margin(it.market, removed.0, removed.1)
            }
            _ => None,
        };
        self.note_funding(named, funding, source, found);
        found.push(entry);
    }

    fn note_funding(
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
    fn party(
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
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        if self.is_own(&event.trader) {
            let total = event
                .fills
                .iter()
                .map(|fill| quote(market, fill.price_ticks, fill.lots));
            let how = format!(
                "{} at {} fired at {}",
                trigger(event.kind),
                market.units.show_price(event.trigger_ticks),
                market.units.show_price(event.mark_ticks)
            );
            let fill = (event.filled_lots, total.sum(), event.funding_index);
            self.party(event.market, &event.taker, fill, &how, source, found);
        }
        let sold = event.taker.lots_after < event.taker.lots_before;
        let sign = if sold { 1 } else { -1 };
        let index = Some(event.funding_index);
        self.made(event.market, &event.fills, sign, index, source, found);
        self.removed(event.market, &event.removed, source, found);
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

    /// Fills of the trader's resting orders; `sign` is 1 where it bought.
    fn made(
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
            let change = Change {
                lots_before: fill.maker_lots_after.saturating_sub(moved),
                lots_after: fill.maker_lots_after,
                index,
                margin_before: None,
                margin_after: Some(fill.maker_margin_after),
            };
            let funding = self.ledger.change(address, &change);
            self.note_funding(Some(market), funding, source, found);
            let text = format!(
                "Order {} filled: {} {} at {}; fee {}; the position is {} now.",
                fill.order_id,
                done(moved),
                market.units.show_size(fill.lots),
                market.units.show_price(fill.price_ticks),
                self.naming.atoms(fill.maker_fee),
                held(market, fill.maker_lots_after),
            );
            let entry = source.in_market(Kind::Fill, market, text);
            let total = quote(market, fill.price_ticks, fill.lots);
            let mut entry = entry.trading(market, moved, total);
            entry.fee_atoms = Some(fill.maker_fee);
            found.push(entry);
        }
    }

    fn removed(
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

    fn liquidated(
        &mut self,
        event: &PositionLiquidated,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        let units = market.units;
        if self.is_own(&event.trader) {
            self.ledger.change(
                event.market,
                &Change {
                    lots_before: event.lots_before,
                    lots_after: event.lots_after,
                    ..Change::default()
                },
            );
            let paid = event
                .insurance_fee_atoms
                .saturating_add(event.book_reward_atoms);
            let fee = i64::try_from(paid).unwrap_or(i64::MAX);
            let (lots, total) = (event.lots.unsigned_abs(), event.quote_atoms.unsigned_abs());
            let text = format!(
                "Liquidated at a mark of {}: {} {} at {} on average, {} below the mark's worth and {} of fees; the position is {} now.",
                units.show_price(event.mark_ticks),
                done(event.lots),
                units.show_size(lots),
                units.show_average(total, lots),
                self.naming.collateral.show(event.discount_atoms.into()),
                self.naming.atoms(fee),
                held(market, event.lots_after),
            );
            let entry = source.in_market(Kind::Liquidation, market, text);
            let mut entry = entry.trading(market, event.lots, total);
            entry.fee_atoms = Some(fee);
            entry.gave_up_atoms = Some(event.discount_atoms);
            found.push(entry);
        }
        let taken = event.book_lots.saturating_sub(event.lots);
        if self.is_own(&event.liquidator) && taken != 0 {
            self.ledger.change(event.market, &Change::default());
            let total = event.quote_atoms.saturating_sub(event.book_quote_atoms);
            let (lots, total) = (taken.unsigned_abs(), total.unsigned_abs());
            let text = format!(
                "Took over a liquidated position: {} {} at {} on average.",
                done(taken),
                units.show_size(lots),
                units.show_average(total, lots),
            );
            let entry = source.in_market(Kind::Fill, market, text);
            found.push(entry.trading(market, taken, total));
        }
        // The book took the other side of what the victim did.
        let sign = -event.lots.signum();
        self.made(event.market, &event.fills, sign, None, source, found);
        self.removed(event.market, &event.removed, source, found);
    }

    fn deleveraged(&mut self, event: &AutoDeleveraged, source: Source<'_>, found: &mut Vec<Entry>) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        let units = market.units;
        let price = units.show_average(event.close_quote_atoms.unsigned_abs(), event.close_lots);
        if self.is_own(&event.bankrupt) {
            let change = Change {
                lots_before: event.lots_before,
                lots_after: event.lots_after,
                index: Some(event.funding_index),
                margin_before: Some(event.margin_before),
                margin_after: None,
            };
            let funding = self.ledger.change(event.market, &change);
            self.note_funding(Some(market), funding, source, found);
            let moved = event.lots_after.saturating_sub(event.lots_before);
            let text = format!(
                "Bankrupt at a mark of {}: {} closed at {price} against winners; insurance paid {}; the position is {} now.",
                units.show_price(event.mark_ticks),
                units.show_size(event.lots_closed),
                self.naming.collateral.show(event.insurance_paid_atoms.into()),
                held(market, event.lots_after),
            );
            let entry = source.in_market(Kind::Deleveraging, market, text);
            found.push(entry.trading(market, moved, closed_quote(event)));
        }
        let own = self.trader;
        for cut in event.cuts.iter().filter(|cut| cut.trader == own) {
            self.cut(event, cut, market, &price, source, found);
        }
    }

    fn cut(
        &mut self,
        event: &AutoDeleveraged,
        cut: &CounterpartyCut,
        market: &Named,
        price: &str,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let moved = i64::try_from(cut.lots_closed).unwrap_or(i64::MAX) * -cut.lots_before.signum();
        let left = cut.lots_before.saturating_add(moved);
        let released = cut.payout_atoms.saturating_sub(cut.realized_atoms);
        let change = Change {
            lots_before: cut.lots_before,
            lots_after: left,
            index: Some(event.funding_index),
            margin_before: Some(cut.margin_before),
            margin_after: cut.margin_before.checked_sub(released),
        };
        let funding = self.ledger.change(event.market, &change);
        self.note_funding(Some(market), funding, source, found);
        let units = market.units;
        let text = format!(
            "Deleveraged for bankruptcy {}: {} closed at {price}, the mark being {}; realized {}, gave up {}, {} came to free collateral; the position is {} now.",
            event.bankruptcy_id,
            units.show_size(cut.lots_closed),
            units.show_price(event.mark_ticks),
            self.naming.atoms(cut.realized_atoms),
            self.naming.collateral.show(cut.gave_up_atoms.into()),
            self.naming.atoms(cut.payout_atoms),
            held(market, left),
        );
        let entry = source.in_market(Kind::Deleveraging, market, text);
        let mut entry = entry.trading(market, moved, cut.quote_atoms.unsigned_abs());
        entry.realized_atoms = Some(cut.realized_atoms);
        entry.amount_atoms = Some(cut.payout_atoms);
        entry.gave_up_atoms = Some(cut.gave_up_atoms);
        found.push(entry);
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

    fn flagged(&self, event: &PositionFlagged, source: Source<'_>, found: &mut Vec<Entry>) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        if !self.is_own(&event.trader) {
            return;
        }
        let mark = market.units.show_price(event.mark_ticks);
        let text = if event.bankrupt_slot > 0 {
            let deficit = self.naming.collateral.show(event.deficit_atoms.into());
            format!("Flagged as bankrupt at a mark of {mark}, {deficit} short.")
        } else if event.flagged_slot > 0 {
            format!("Flagged as below maintenance at a mark of {mark}.")
        } else {
            format!("No longer flagged, at a mark of {mark}.")
        };
        found.push(source.in_market(Kind::Liquidation, market, text));
    }
}

/// The quote of the lots that a round closed of the bankrupt.
fn closed_quote(event: &AutoDeleveraged) -> u64 {
    let quotes = event.cuts.iter().map(|cut| cut.quote_atoms.unsigned_abs());
    quotes.fold(0, u64::saturating_add)
}

/// A position in words.
fn held(market: &Named, lots: i64) -> String {
    let size = market.units.show_size(lots.unsigned_abs());
    match lots {
        0 => "closed".to_owned(),
        1.. => format!("long {size}"),
        _ => format!("short {size}"),
    }
}
