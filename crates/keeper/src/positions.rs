//! Every position of one market, in memory.

use std::collections::hash_map::Entry;
use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use ballast_engine::distress::Distress;
use ballast_engine::position::Position;
use ballast_engine::EngineError;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trigger::{Trigger, TriggerKind};
use bytemuck::Zeroable;

/// Bytes that one position takes in [`Positions`] before the index: 160.
pub const RECORD_BYTES: usize = core::mem::size_of::<PositionRecord>();

const _: () = assert!(RECORD_BYTES == 160);

/// One position with what the program remembers of it, as its account states it: funding is paid
/// up to the position's own index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionRecord {
    /// Trader account.
    pub trader: Pubkey,
    /// The position, never empty.
    pub position: Position,
    /// Slot since which it has been flagged below maintenance; 0 when it is not.
    pub flagged_slot: u64,
    /// Slot at which it was flagged bankrupt; 0 when it is not.
    pub bankrupt_slot: u64,
    /// Slot of the last look at it while it is flagged; 0 when there was none.
    pub seen_slot: u64,
    /// Slot of its last liquidation step; 0 when there was none.
    pub last_step_slot: u64,
    /// Lots of that step still to be closed.
    pub step_left: u32,
    /// Pass of the opposite queue in which its deleveraging began or that it opened last; 0
    /// before.
    pub pass_epoch: u32,
    /// The trader's orders in the market's book.
    pub order_count: u16,
    /// Closes lots when the price turns against the position.
    pub stop_loss: Trigger,
    /// Closes lots when the price has moved for the position.
    pub take_profit: Trigger,
}

impl PositionRecord {
    /// What a slot of `trader` holds; `None` where it holds no position.
    ///
    /// # Errors
    /// `SizeOutOfRange` when the stored size is.
    pub fn of(trader: &Pubkey, slot: &PositionSlot) -> Result<Option<Self>, EngineError> {
        if slot.lots == 0 {
            return Ok(None);
        }
        let position = slot.position().map_err(|_| EngineError::SizeOutOfRange)?;
        Ok(Some(Self {
            trader: *trader,
            position,
            flagged_slot: slot.flagged_slot,
            bankrupt_slot: slot.bankrupt_slot,
            seen_slot: slot.seen_slot,
            last_step_slot: slot.last_step_slot,
            step_left: slot.step_left,
            pass_epoch: slot.pass_epoch,
            order_count: slot.order_count,
            stop_loss: slot.stop_loss,
            take_profit: slot.take_profit,
        }))
    }

    /// The slot again, as far as the planning of a deleveraging reads it.
    #[must_use]
    pub fn slot(&self) -> PositionSlot {
        PositionSlot {
            lots: self.position.lots.get(),
            entry_quote: self.position.entry_quote.get(),
            margin: self.position.margin.get(),
            funding_index: self.position.funding_index.get(),
            flagged_slot: self.flagged_slot,
            bankrupt_slot: self.bankrupt_slot,
            seen_slot: self.seen_slot,
            last_step_slot: self.last_step_slot,
            step_left: self.step_left,
            pass_epoch: self.pass_epoch,
            order_count: self.order_count,
            stop_loss: self.stop_loss,
            take_profit: self.take_profit,
            ..PositionSlot::zeroed()
        }
    }

    /// What the program remembers of its distress, but for the deficit, number and lots of a
    /// bankruptcy, which decide nothing.
    #[must_use]
    pub const fn distress(&self) -> Distress {
        Distress {
            flagged_slot: self.flagged_slot,
            bankrupt_slot: self.bankrupt_slot,
            seen_slot: self.seen_slot,
            last_step_slot: self.last_step_slot,
            step_left: self.step_left,
            pass_epoch: self.pass_epoch,
            ..Distress::NONE
        }
    }

    /// The trigger that the oracle price `mark_ticks` has reached, the stop-loss first.
    #[must_use]
    pub fn reached(&self, mark_ticks: u64) -> Option<TriggerKind> {
        let side = self.position.side()?;
        let kinds = [
            (TriggerKind::StopLoss, &self.stop_loss),
            (TriggerKind::TakeProfit, &self.take_profit),
        ];
        let mut set = kinds.iter().filter(|(_, trigger)| !trigger.is_unset());
        let found = set.find(|(kind, trigger)| trigger.is_reached(*kind, side, mark_ticks));
        found.map(|(kind, _)| *kind)
    }

    /// The trigger of `kind`.
    #[must_use]
    pub const fn trigger(&self, kind: TriggerKind) -> &Trigger {
        match kind {
            TriggerKind::StopLoss => &self.stop_loss,
            TriggerKind::TakeProfit => &self.take_profit,
        }
    }
}

/// Positions in one block of memory, found by trader account.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    records: Vec<PositionRecord>,
    places: HashMap<Pubkey, usize>,
}

impl Positions {
    /// Nothing yet, with room for so many.
    #[must_use]
    pub fn with_capacity(positions: usize) -> Self {
        Self {
            records: Vec::with_capacity(positions),
            places: HashMap::with_capacity(positions),
        }
    }

    /// Number of positions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All positions, in no order.
    #[must_use]
    pub fn records(&self) -> &[PositionRecord] {
        &self.records
    }

    /// The position of a trader account.
    #[must_use]
    pub fn get(&self, trader: &Pubkey) -> Option<&PositionRecord> {
        self.records.get(*self.places.get(trader)?)
    }

    /// Adds a position or takes the place of the trader's former one.
    pub fn put(&mut self, record: PositionRecord) {
        match self.places.entry(record.trader) {
            Entry::Occupied(place) => {
                if let Some(known) = self.records.get_mut(*place.get()) {
                    *known = record;
                }
            }
            Entry::Vacant(place) => {
                place.insert(self.records.len());
                self.records.push(record);
            }
        }
    }

    /// Forgets a trader's position; whether there was one.
    pub fn remove(&mut self, trader: &Pubkey) -> bool {
        let Some(place) = self.places.remove(trader) else {
            return false;
        };
        self.records.swap_remove(place);
        if let Some(moved) = self.records.get(place) {
            self.places.insert(moved.trader, place);
        }
        true
    }

    /// Bytes allocated, the index included (its table has a byte of its own for each place).
    #[must_use]
    pub fn memory(&self) -> usize {
        let place = core::mem::size_of::<(Pubkey, usize)>().saturating_add(1);
        let records = self.records.capacity().saturating_mul(RECORD_BYTES);
        // The table keeps an eighth of its places free.
        let places = self.places.capacity().saturating_mul(8) / 7;
        records.saturating_add(places.saturating_mul(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_engine::units::Lots;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn slot(lots: i64) -> PositionSlot {
        PositionSlot {
            lots,
            entry_quote: lots * 100,
            margin: 7,
            funding_index: 3,
            flagged_slot: 1,
            bankrupt_slot: 2,
            seen_slot: 8,
            last_step_slot: 4,
            step_left: 5,
            pass_epoch: 6,
            order_count: 8,
            stop_loss: Trigger {
                price_ticks: 90,
                lots: 1,
                placed_lots: 1,
                ..Trigger::default()
            },
            take_profit: Trigger {
                price_ticks: 110,
                lots: 1,
                placed_lots: 1,
                ..Trigger::default()
            },
            ..PositionSlot::zeroed()
        }
    }

    fn record(trader: u8, lots: i64) -> PositionRecord {
        PositionRecord::of(&key(trader), &slot(lots))
            .unwrap()
            .unwrap()
    }

    #[test]
    fn a_record_gives_its_slot_back() {
        assert_eq!(record(1, -5).slot(), slot(-5));
        assert_eq!(PositionRecord::of(&key(1), &slot(0)), Ok(None));
        assert_eq!(
            record(1, 5).distress(),
            Distress {
                flagged_slot: 1,
                bankrupt_slot: 2,
                seen_slot: 8,
                last_step_slot: 4,
                step_left: 5,
                pass_epoch: 6,
                ..Distress::NONE
            }
        );
    }

    #[test]
    fn positions_are_added_changed_and_removed() {
        let mut positions = Positions::default();
        for trader in 1..=4 {
            positions.put(record(trader, i64::from(trader)));
        }
        positions.put(record(2, 20));
        assert_eq!(positions.len(), 4);
        assert!(positions.remove(&key(1)), "the last one takes its place");
        assert!(!positions.remove(&key(1)));
        assert!(positions.remove(&key(3)));
        let lots = |trader| positions.get(&key(trader)).map(|it| it.position.lots);
        assert_eq!([lots(1), lots(3)], [None; 2]);
        assert_eq!(lots(2), Lots::new(20).ok());
        assert_eq!(lots(4), Lots::new(4).ok());
        assert_eq!(positions.len(), 2);
        assert!(positions.memory() >= 2 * RECORD_BYTES);
    }

    #[test]
    fn triggers_are_reached_on_their_side() {
        let (long, short) = (record(1, 5), record(1, -5));
        assert_eq!(long.reached(90), Some(TriggerKind::StopLoss));
        assert_eq!(long.reached(100), None);
        assert_eq!(long.reached(110), Some(TriggerKind::TakeProfit));
        // Of a short the stop-loss at 90 and the take-profit at 110 are both reached in between.
        assert_eq!(short.reached(100), Some(TriggerKind::StopLoss));
        assert_eq!(short.reached(89), Some(TriggerKind::TakeProfit));
        let mut unset = long;
        unset.stop_loss = Trigger::default();
        assert_eq!(unset.reached(1), None);
    }
}
