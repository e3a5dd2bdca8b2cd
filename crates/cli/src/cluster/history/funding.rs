//! Funding that positions paid, from what events say before and after.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, FundingIndex, Lots};
use ballast_state::events::MarginConverted;

/// What is known of a position between two events.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Margin after the last event.
    margin: Option<i64>,
    /// Index up to which funding was paid then.
    index: Option<i64>,
}

/// A change of a position, as far as its event tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// Signed lots before.
    pub lots_before: i64,
    /// Signed lots after.
    pub lots_after: i64,
    /// Funding index at which it happened.
    pub index: Option<i64>,
    /// Margin before, funding paid.
    pub margin_before: Option<i64>,
    /// Margin after.
    pub margin_after: Option<i64>,
}

/// The positions of a trader account, by market, as a walk through its events leaves them.
#[derive(Debug, Default)]
pub struct Ledger {
    known: BTreeMap<Pubkey, Known>,
}

impl Ledger {
    /// Takes a change; the funding that was paid with it, negative when received, where the events
    /// tell.
    pub fn change(&mut self, market: Pubkey, change: &Change) -> Option<i64> {
        let before = self.known.get(&market).copied().unwrap_or_default();
        let after = Known {
            margin: change.margin_after,
            index: change.index,
        };
        match change.lots_after {
            0 => self.known.remove(&market),
            _ => self.known.insert(market, after),
        };
        if change.lots_before == 0 {
            return None;
        }
        let by_margin = match (before.margin, change.margin_before) {
            (Some(margin), Some(paid)) => margin.checked_sub(paid),
            _ => None,
        };
        by_margin.or_else(|| owed(change.lots_before, before.index?, change.index?))
    }

    /// Margin was added: funding stays as it is.
    pub fn add_margin(&mut self, market: Pubkey, margin_after: i64) {
        self.known.entry(market).or_default().margin = Some(margin_after);
    }

    /// Margin was removed after funding was paid: that funding, where the events tell.
    pub fn remove_margin(&mut self, market: Pubkey, amount: u64, margin_after: i64) -> Option<i64> {
        let moved = i64::try_from(amount).ok()?.checked_neg()?;
        self.move_margin(market, moved, margin_after)
    }

    /// The same for margin that moved into the position, or out of it where negative.
    pub fn move_margin(&mut self, market: Pubkey, moved: i64, margin_after: i64) -> Option<i64> {
        let known = self.known.entry(market).or_default();
        let before = known.margin.replace(margin_after);
        known.index = None;
        before?.checked_add(moved)?.checked_sub(margin_after)
    }

    /// An isolated position became a leg, funding paid, whose pool its margin joined; or a leg an isolated position,
    /// and then its event does not say with which margin.
    pub fn convert(&mut self, event: &MarginConverted) -> Option<i64> {
        if event.to_cross {
            let joined = Change {
                lots_before: event.lots,
                margin_before: Some(event.amount),
                ..Change::default()
            };
            return self.change(event.market, &joined);
        }
        self.known.insert(event.market, Known::default());
        None
    }
}

/// What a position of so many lots owes between two indices, as the program settles it.
fn owed(lots: i64, from: i64, to: i64) -> Option<i64> {
    let position = Position {
        lots: Lots::new(lots).ok()?,
        funding_index: FundingIndex::new(from),
        ..Position::default()
    };
    let settled = position.settle(FundingIndex::new(to)).ok()?;
    Atoms::ZERO.try_sub(settled.margin).ok().map(Atoms::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: Pubkey = Pubkey::new_from_array([1; 32]);

    fn change(lots_before: i64, lots_after: i64) -> Change {
        Change {
            lots_before,
            lots_after,
            ..Change::default()
        }
    }

    #[test]
    fn what_the_margin_lost_between_two_events_was_funding() {
        let mut ledger = Ledger::default();
        let opened = Change {
            margin_after: Some(100),
            ..change(0, 5)
        };
        assert_eq!(ledger.change(MARKET, &opened), None);
        let closed = Change {
            margin_before: Some(93),
            ..change(5, 0)
        };
        assert_eq!(ledger.change(MARKET, &closed), Some(7));
        assert_eq!(ledger.change(MARKET, &opened), None, "a new position");
        ledger.add_margin(MARKET, 150);
        assert_eq!(ledger.remove_margin(MARKET, 20, 128), Some(2));
        assert_eq!(ledger.move_margin(MARKET, 30, 157), Some(1));
        let received = Change {
            margin_before: Some(160),
            ..change(5, 0)
        };
        assert_eq!(ledger.change(MARKET, &received), Some(-3));
    }

    #[test]
    fn a_maker_s_funding_follows_from_the_index() {
        let mut ledger = Ledger::default();
        let opened = Change {
            index: Some(10),
            ..change(0, -4)
        };
        assert_eq!(ledger.change(MARKET, &opened), None);
        let more = Change {
            index: Some(16),
            ..change(-4, -6)
        };
        let paid = ledger.change(MARKET, &more);
        assert_eq!(paid, owed(-4, 10, 16));
        assert!(
            paid.is_some_and(|paid| paid < 0),
            "shorts receive: {paid:?}"
        );
        assert_eq!(ledger.change(MARKET, &change(-6, -1)), None, "not told");
    }

    #[test]
    fn what_joins_a_pool_tells_of_the_funding_before_and_not_of_a_leg_after() {
        let mut ledger = Ledger::default();
        let opened = Change {
            margin_after: Some(100),
            ..change(0, 5)
        };
        assert_eq!(ledger.change(MARKET, &opened), None);
        let mut converted = MarginConverted {
            trader: MARKET,
            market: MARKET,
            to_cross: true,
            lots: 5,
            amount: 93,
            pool_after: 93,
        };
        assert_eq!(ledger.convert(&converted), Some(7));
        (converted.to_cross, converted.amount) = (false, -60);
        assert_eq!(ledger.convert(&converted), None);
        let closed = Change {
            margin_before: Some(50),
            ..change(5, 0)
        };
        assert_eq!(ledger.change(MARKET, &closed), None);
    }
}
