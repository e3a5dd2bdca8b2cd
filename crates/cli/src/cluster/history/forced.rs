//! What liquidations and deleveraging mean to one trader account.

use ballast_state::events::{
    AutoDeleveraged, CounterpartyCut, PositionFlagged, PositionLiquidated,
};

use super::entry::{done, Entry, Kind, Named, Source};
use super::funding::Change;
use super::meaning::{held, Reader};

impl Reader<'_> {
    pub(super) fn liquidated(
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
        if self.is_own(&event.liquidator) && taken != 0 && !self.into_pool {
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

    pub(super) fn deleveraged(
        &mut self,
        event: &AutoDeleveraged,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
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
        let cuts = (0_u32..).zip(&event.cuts);
        for (place, cut) in cuts.filter(|(_, cut)| cut.trader == own) {
            let leg = self.legs.contains(&place);
            self.cut(event, (cut, leg), market, &price, source, found);
        }
    }

    fn cut(
        &mut self,
        event: &AutoDeleveraged,
        (cut, leg): (&CounterpartyCut, bool),
        market: &Named,
        price: &str,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let moved = i64::try_from(cut.lots_closed).unwrap_or(i64::MAX) * -cut.lots_before.signum();
        let left = cut.lots_before.saturating_add(moved);
        let released = cut.payout_atoms.saturating_sub(cut.realized_atoms);
        // What a leg stands with is its account's, and changes with the other legs.
        let margin = (!leg).then_some(cut.margin_before);
        let change = Change {
            lots_before: cut.lots_before,
            lots_after: left,
            index: Some(event.funding_index),
            margin_before: margin,
            margin_after: margin.and_then(|margin| margin.checked_sub(released)),
        };
        let funding = self.ledger.change(event.market, &change);
        self.note_funding(Some(market), funding, source, found);
        let units = market.units;
        let text = format!(
            "Deleveraged for bankruptcy {}: {} closed at {price}, the mark being {}; realized {}, gave up {}, {} came to {}; the position is {} now.",
            event.bankruptcy_id,
            units.show_size(cut.lots_closed),
            units.show_price(event.mark_ticks),
            self.naming.atoms(cut.realized_atoms),
            self.naming.collateral.show(cut.gave_up_atoms.into()),
            self.naming.atoms(cut.payout_atoms),
            match leg {
                true => "the pool of its account",
                false => "free collateral",
            },
            held(market, left),
        );
        let entry = source.in_market(Kind::Deleveraging, market, text);
        let mut entry = entry.trading(market, moved, cut.quote_atoms.unsigned_abs());
        entry.realized_atoms = Some(cut.realized_atoms);
        entry.amount_atoms = (!leg).then_some(cut.payout_atoms);
        entry.gave_up_atoms = Some(cut.gave_up_atoms);
        found.push(entry);
    }

    pub(super) fn flagged(
        &self,
        event: &PositionFlagged,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
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
