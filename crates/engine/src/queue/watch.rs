//! What a queue remembers of a selection that goes on over several calls, so that
//! changes of the queue in between cannot spoil it.

use core::cmp::Ordering;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::queue::{QueueEntry, QueueKey, Totals};
use crate::rank::{Class, ClosePrice, Exposure, Ranked, Round};
use crate::units::{FundingIndex, LotPrice, Side};

/// The cursor of a selection that has seen everything.
const END: QueueKey = (u64::MAX, u64::MAX);

const NONE: u32 = 0;
/// A selection is under way and takes everybody eligible so far.
const OPEN: u32 = 1;
/// A selection is under way and takes those that rank above `last`.
const BEYOND: u32 = 2;

/// A selection under way: its frozen round, the lowest rank it still takes, and how
/// far it has looked. All zero when there is none.
///
/// What holds at any time: a position whose key does not exceed the cursor, that is
/// older than `sequence_limit`, not selected and not at its cap, does not rank above
/// the last one selected. Every change of a position restores it, by moving the
/// cursor back where it must.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Watch {
    /// Key of the account that holds the selection.
    pub session: [u8; 32],
    mark: u64,
    close_quote: i64,
    close_lots: u64,
    funding_index: i64,
    min_profit_bps: u32,
    max_close_bps: u32,
    epoch: u32,
    state: u32,
    last_entry: u64,
    last_bankruptcy: i64,
    last_sequence: u64,
    last_lots: u32,
    least_lots: u32,
    /// Positions that joined with this sequence number or later stand outside.
    pub sequence_limit: u64,
    cursor_entry_q32: u64,
    cursor_sequence: u64,
}

const _: () = assert!(core::mem::size_of::<Watch>() == 136);

impl Watch {
    /// A watch that begins now, over a frozen round.
    pub(crate) fn begin(session: [u8; 32], round: &Round, sequence_limit: u64) -> Self {
        Self {
            session,
            mark: round.mark.get(),
            close_quote: round.close.quote,
            close_lots: round.close.lots,
            funding_index: round.funding_index.get(),
            min_profit_bps: round.min_profit_bps,
            max_close_bps: round.max_close_bps,
            least_lots: round.least_lots,
            epoch: round.epoch,
            state: OPEN,
            sequence_limit,
            ..Self::zeroed()
        }
    }

    /// Whether a selection is under way.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.state != NONE
    }

    /// Whether the selection has seen everything.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_active() && self.cursor() == END
    }

    /// The frozen round; its order is exact.
    pub fn round(&self, side: Side) -> Result<Round, EngineError> {
        Ok(Round {
            side,
            mark: LotPrice::new(self.mark)?,
            close: ClosePrice {
                quote: self.close_quote,
                lots: self.close_lots,
            },
            funding_index: FundingIndex::new(self.funding_index),
            min_profit_bps: self.min_profit_bps,
            rank_tolerance_bps: 0,
            max_close_bps: self.max_close_bps,
            least_lots: self.least_lots,
            epoch: self.epoch,
        })
    }

    /// Everything up to this key has been seen.
    pub(crate) const fn cursor(&self) -> QueueKey {
        (self.cursor_entry_q32, self.cursor_sequence)
    }

    pub(crate) const fn move_cursor(&mut self, key: QueueKey) {
        (self.cursor_entry_q32, self.cursor_sequence) = key;
    }

    pub(crate) const fn finish(&mut self) {
        self.move_cursor(END);
    }

    /// From now on only positions above `last` are taken.
    pub(crate) fn raise(&mut self, last: &Totals, sequence: u64) {
        self.state = BEYOND;
        self.last_entry = last.entry;
        self.last_bankruptcy = last.bankruptcy;
        self.last_lots = last.lots;
        self.last_sequence = sequence;
    }

    /// The lowest rank that has been selected, once enough have been.
    pub(crate) fn last(&self, round: &Round) -> Result<Option<Ranked>, EngineError> {
        if self.state != BEYOND {
            return Ok(None);
        }
        let last = Totals {
            lots: self.last_lots,
            entry: self.last_entry,
            bankruptcy: self.last_bankruptcy,
        };
        let (side, index) = (round.side, round.funding_index);
        let last = Exposure::of_totals(&last, side, index, self.last_sequence);
        Ranked::new(round, &last).map(Some)
    }

    /// Whether the selection wants this position, and how it ranks if so.
    pub(crate) fn wants(
        &self,
        round: &Round,
        last: Option<&Ranked>,
        entry: &QueueEntry,
    ) -> Result<Option<Ranked>, EngineError> {
        let outside = entry.sequence >= self.sequence_limit || entry.is_selected();
        if outside || round.cap_left(u64::from(entry.lots), entry.stamp())? == 0 {
            return Ok(None);
        }
        let exposure = Exposure::of_entry(entry, round.side, round.funding_index);
        let found = Ranked::new(round, &exposure)?;
        let above = match last {
            None => true,
            Some(last) => found.compare(last)? == Ordering::Greater,
        };
        Ok((above && found.class > Class::Ineligible).then_some(found))
    }

    /// Follows a change of a position: where it lies behind the cursor and is wanted
    /// now, the cursor moves back to just before it.
    pub(crate) fn follow(&mut self, side: Side, entry: &QueueEntry) -> Result<(), EngineError> {
        let key = entry.queue_key();
        if !self.is_active() || key > self.cursor() {
            return Ok(());
        }
        let round = self.round(side)?;
        let last = self.last(&round)?;
        if self.wants(&round, last.as_ref(), entry)?.is_some() {
            self.move_cursor(before(key));
        }
        Ok(())
    }
}

/// The greatest key below this one; itself when there is none.
const fn before((entry, sequence): QueueKey) -> QueueKey {
    match (entry.checked_sub(1), sequence.checked_sub(1)) {
        (_, Some(sequence)) => (entry, sequence),
        (Some(entry), None) => (entry, u64::MAX),
        // An entry price of nothing does not occur.
        (None, None) => (entry, sequence),
    }
}
