//! What a trader account was paid when a market ended.

use ballast_state::events::{BallastEvent, PositionSettled};

use super::entry::{Entry, Kind, Source};
use super::funding::Change;
use super::meaning::Reader;
use crate::cluster::words::Names;

impl Reader<'_> {
    /// The line of the account's own settlement.
    pub(super) fn settled(
        &mut self,
        event: &PositionSettled,
        source: Source<'_>,
        found: &mut Vec<Entry>,
    ) {
        let Some(market) = self.naming.market(&event.market) else {
            return;
        };
        if event.trader != self.trader {
            return;
        }
        let change = Change {
            lots_before: event.lots,
            index: Some(event.funding_index),
            ..Change::default()
        };
        self.ledger.change(event.market, &change);
        let names = Names {
            collateral: self.naming.collateral,
            market: Some((market.name.as_str(), market.units)),
        };
        let text = names.sentence(&BallastEvent::PositionSettled(event.clone().into()));
        let lots = event.lots.unsigned_abs();
        let atoms = market.units.atoms_per_lot_tick;
        let quote = u64::from(event.final_ticks)
            .saturating_mul(lots)
            .saturating_mul(atoms);
        let entry = source.in_market(Kind::Settlement, market, text);
        let mut entry = entry.trading(market, event.lots.saturating_neg(), quote);
        let paid = event.paid_atoms.saturating_add(event.held_atoms);
        entry.amount_atoms = i64::try_from(paid).ok();
        found.push(entry);
    }
}
