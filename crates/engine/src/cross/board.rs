//! The board: the marks of all cross markets, at which the other legs of an account are valued, and where
//! they have been.

use bytemuck::{Pod, Zeroable};

use super::checkpoints::{Checkpoints, Yardstick, MOST_CHECKPOINTS};
use super::drift::Drift;
use super::{CrossError, LegTerms, Slack, FRESH_SLOTS, MOST_MARKETS, MOST_PROFIT_WEIGHT_BPS};
use crate::error::EngineError;
use crate::margin::MarginScale;
use crate::oracle::Mark;
use crate::units::{FundingIndex, LotPrice, BPS_ONE};

/// The entry's mark is not to be used to open or to force.
const FROZEN: u32 = 1;

/// What the board knows of a market. 176 bytes, no padding.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct BoardEntry {
    /// Key of the market.
    pub market: [u8; 32],
    /// Its margins when it was recorded last, or its parameters changed.
    pub terms: LegTerms,
    /// Mark, atoms a lot; 0 before the first.
    pub mark: u64,
    /// Half the confidence interval of the mark, atoms a lot.
    pub confidence: u64,
    /// The market's funding index when the mark was recorded.
    pub funding_index: FundingIndex,
    /// When the price was published, unix seconds.
    pub publish_time: i64,
    /// Slot in which it was recorded.
    pub slot: u64,
    /// Sum of long lots then.
    pub open_interest_lots: u64,
    /// What volatility multiplied initial margin by then, millionths.
    pub multiplier_ppm: u32,
    /// How much of an unrealised profit in this market counts for opening, basis points.
    pub profit_weight_bps: u32,
    /// Slots for which the mark serves for opening.
    pub max_age_slots: u32,
    /// 1: frozen.
    pub flags: u32,
}

const _: () = assert!(core::mem::size_of::<BoardEntry>() == 176);

impl BoardEntry {
    /// Whether the mark is frozen: valued, but neither opened nor forced by.
    #[must_use]
    pub const fn is_frozen(&self) -> bool {
        self.flags & FROZEN != 0
    }

    /// The mark with what scales initial margin. `PriceOutOfRange` before the first.
    pub fn mark(&self) -> Result<Mark, EngineError> {
        Ok(Mark {
            price: LotPrice::new(self.mark)?,
            confidence: self.confidence,
            average: None,
            scale: MarginScale {
                multiplier_ppm: self.multiplier_ppm,
                open_interest_lots: self.open_interest_lots,
            },
        })
    }

    /// Slots since it was recorded.
    #[must_use]
    pub const fn age(&self, slot: u64) -> u64 {
        match slot.checked_sub(self.slot) {
            Some(age) => age,
            None => 0,
        }
    }

    /// Whether its mark serves for opening: neither frozen nor older than its limit. `MarkFrozen`,
    /// `MarkStale`.
    pub fn check_opening(&self, slot: u64) -> Result<(), CrossError> {
        if self.is_frozen() {
            return Err(CrossError::MarkFrozen);
        }
        if self.age(slot) > u64::from(self.max_age_slots) {
            return Err(CrossError::MarkStale);
        }
        Ok(())
    }

    /// Whether it serves as another leg's mark where an account is liquidated, flagged or deleveraged:
    /// young, or frozen. `MarkStale`.
    pub fn check_forcing(&self, slot: u64) -> Result<(), CrossError> {
        if self.is_frozen() || self.age(slot) <= FRESH_SLOTS {
            return Ok(());
        }
        Err(CrossError::MarkStale)
    }

    fn yardstick(&self) -> Option<Yardstick> {
        Some(Yardstick {
            mark: LotPrice::new(self.mark).ok()?,
            funding: self.funding_index,
            maintenance_bps: self.terms.maintenance_bps(),
        })
    }
}

/// What a market reports to the board.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Its margins.
    pub terms: LegTerms,
    /// The price just read, fit to liquidate, with what scales initial margin.
    pub mark: Mark,
    /// Its funding index, accrued up to now.
    pub funding_index: FundingIndex,
    /// When the price was published, unix seconds.
    pub publish_time: i64,
    /// The present slot.
    pub slot: u64,
}

/// The marks of all cross markets and where they have been.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Board {
    /// Markets on it.
    pub count: u32,
    /// Zero.
    pub _pad: u32,
    /// The first `count` are in use.
    pub entries: [BoardEntry; MOST_MARKETS],
    /// Where the marks have been.
    pub checkpoints: Checkpoints,
}

impl Board {
    /// The markets on it. `BoardLayout`.
    pub fn entries(&self) -> Result<&[BoardEntry], CrossError> {
        let count = usize::try_from(self.count).ok();
        count
            .and_then(|count| self.entries.get(..count))
            .ok_or(CrossError::BoardLayout)
    }

    /// Place of a market. `EntryUnknown`.
    pub fn place(&self, market: &[u8; 32]) -> Result<usize, CrossError> {
        let mut entries = self.entries()?.iter();
        let place = entries.position(|entry| entry.market == *market);
        place.ok_or(CrossError::EntryUnknown)
    }

    /// The entry at `place`. `EntryUnknown`.
    pub fn entry(&self, place: usize) -> Result<&BoardEntry, CrossError> {
        self.entries()?.get(place).ok_or(CrossError::EntryUnknown)
    }

    /// Adds a market with its first mark; its place. The ranges of all checkpoints begin there: nobody
    /// had a leg in it before.
    ///
    /// `BoardFull`; `PositionCorrupt` for a market that is on it, or a weight above
    /// [`MOST_PROFIT_WEIGHT_BPS`].
    pub fn add(
        &mut self,
        market: [u8; 32],
        profit_weight_bps: u32,
        max_age_slots: u32,
        report: &Report,
    ) -> Result<usize, CrossError> {
        if self.place(&market).is_ok() || profit_weight_bps > MOST_PROFIT_WEIGHT_BPS {
            return Err(EngineError::PositionCorrupt.into());
        }
        let place = usize::try_from(self.count).map_err(|_| CrossError::BoardLayout)?;
        let entry = self.entries.get_mut(place).ok_or(CrossError::BoardFull)?;
        *entry = BoardEntry {
            market,
            profit_weight_bps,
            max_age_slots,
            ..BoardEntry::default()
        };
        self.count = self.count.wrapping_add(1);
        self.write(place, report)?;
        self.conclude()?;
        Ok(place)
    }

    /// Records the mark of the market at `place`: it is newer than the last, and thaws the entry. Once all
    /// markets of a call are written, [`Self::conclude`]. `MarkOlder`, `EntryUnknown`.
    pub fn record(&mut self, place: usize, report: &Report) -> Result<(), CrossError> {
        let entry = self.entry(place)?;
        let older = report.publish_time < entry.publish_time || report.slot < entry.slot;
        if older {
            return Err(CrossError::MarkOlder);
        }
        self.write(place, report)
    }

    fn write(&mut self, place: usize, report: &Report) -> Result<(), CrossError> {
        let entry = self.entries.get_mut(place);
        let entry = entry.ok_or(CrossError::EntryUnknown)?;
        *entry = BoardEntry {
            market: entry.market,
            terms: report.terms,
            mark: report.mark.price.get(),
            confidence: report.mark.confidence,
            funding_index: report.funding_index,
            publish_time: report.publish_time,
            slot: report.slot,
            open_interest_lots: report.mark.scale.open_interest_lots,
            multiplier_ppm: report.mark.scale.multiplier_ppm,
            profit_weight_bps: entry.profit_weight_bps,
            max_age_slots: entry.max_age_slots,
            flags: 0,
        };
        if self.checkpoints.count == 0 {
            return Ok(());
        }
        let (mark, funding) = (report.mark.price, report.funding_index);
        self.checkpoints.extend(place, mark, funding)
    }

    /// Opens a checkpoint where one is due. Whether it did.
    pub fn conclude(&mut self) -> Result<bool, CrossError> {
        let now = self.yardsticks()?;
        self.checkpoints.open_if_due(&now)
    }

    /// Freezes the entry at `place` where its mark is older than its limit, whatever prices there are.
    /// `MarkStale` says that it is not, or frozen already.
    pub fn freeze(&mut self, place: usize, slot: u64) -> Result<(), CrossError> {
        let entry = self.entry(place)?;
        if entry.is_frozen() || entry.age(slot) <= u64::from(entry.max_age_slots) {
            return Err(CrossError::MarkStale);
        }
        let entry = self.entries.get_mut(place);
        entry.ok_or(CrossError::EntryUnknown)?.flags |= FROZEN;
        Ok(())
    }

    /// Takes over a market's margins when its parameters change.
    pub fn set_terms(&mut self, place: usize, terms: LegTerms) -> Result<(), CrossError> {
        self.entry(place)?;
        let entry = self.entries.get_mut(place);
        entry.ok_or(CrossError::EntryUnknown)?.terms = terms;
        Ok(())
    }

    fn yardsticks(&self) -> Result<[Option<Yardstick>; MOST_MARKETS], CrossError> {
        let mut now = [None; MOST_MARKETS];
        for (now, entry) in now.iter_mut().zip(self.entries()?) {
            *now = entry.yardstick();
        }
        Ok(now)
    }

    /// How far records of each checkpoint can be off now, where the market at `place` stands at a mark and
    /// funding index just read and `maintenance_bps` is the least rate in force there.
    pub fn drifts(
        &self,
        place: usize,
        mark: LotPrice,
        funding: FundingIndex,
        maintenance_bps: u32,
        slack: Slack,
    ) -> Result<Drifts, CrossError> {
        let mut now = self.yardsticks()?;
        let own = now.get_mut(place).ok_or(CrossError::EntryUnknown)?;
        *own = Some(Yardstick {
            mark,
            funding,
            maintenance_bps,
        });
        let live = self.checkpoints.live()?;
        let mut drifts = Drifts {
            count: live.len(),
            bases: [0; MOST_CHECKPOINTS],
            drifts: [Drift::NONE; MOST_CHECKPOINTS],
            fresh: [Drift::NONE; MOST_CHECKPOINTS],
            kappas: [0; MOST_CHECKPOINTS],
        };
        let places = drifts.bases.iter_mut().zip(&mut drifts.kappas);
        let maps = drifts.drifts.iter_mut().zip(&mut drifts.fresh);
        for (((base, kappa), (drift, fresh)), checkpoint) in places.zip(maps).zip(live) {
            *base = checkpoint.id;
            *kappa = checkpoint.kappa_ppm(&now);
            *drift = Drift::new(*kappa, slack.percent)?;
            *fresh = Drift::new(*kappa, slack.fresh_percent)?;
        }
        Ok(drifts)
    }

    /// Refuses what a board cannot be: entries in use with a mark, checkpoints in order whose ranges hold
    /// the present marks and those of later checkpoints. `BoardLayout`.
    pub fn invariant(&self) -> Result<(), CrossError> {
        let ensure = |sound: bool| sound.then_some(()).ok_or(CrossError::BoardLayout);
        for (place, entry) in self.entries()?.iter().enumerate() {
            ensure(u64::from(entry.profit_weight_bps) <= BPS_ONE)?;
            let mark = LotPrice::new(entry.mark).map_err(|_| CrossError::BoardLayout)?;
            let mut inner = super::checkpoints::Range::at(mark, entry.funding_index);
            let mut after = self.checkpoints.next_id;
            for checkpoint in self.checkpoints.live()?.iter().rev() {
                let range = checkpoint.ranges.get(place);
                let range = range.ok_or(CrossError::BoardLayout)?;
                ensure(checkpoint.id < after && range.holds(&inner))?;
                (inner, after) = (*range, checkpoint.id);
            }
        }
        Ok(())
    }
}

impl super::checkpoints::Range {
    /// Whether it holds all of `inner`.
    #[must_use]
    pub fn holds(&self, inner: &Self) -> bool {
        self.low <= inner.low
            && self.high >= inner.high
            && self.funding_low <= inner.funding_low
            && self.funding_high >= inner.funding_high
    }
}

/// How far records can be off, by the checkpoint they belong to.
#[derive(Clone, Copy, Debug)]
pub struct Drifts {
    count: usize,
    /// Numbers of the live checkpoints, ascending.
    bases: [u32; MOST_CHECKPOINTS],
    drifts: [Drift; MOST_CHECKPOINTS],
    /// Of records that are fresh.
    fresh: [Drift; MOST_CHECKPOINTS],
    kappas: [u32; MOST_CHECKPOINTS],
}

impl Drifts {
    /// Every record as it stands, whenever it was made: what a round falls back to.
    pub const AS_RECORDED: Self = Self {
        count: 1,
        bases: [0; MOST_CHECKPOINTS],
        drifts: [Drift::NONE; MOST_CHECKPOINTS],
        fresh: [Drift::NONE; MOST_CHECKPOINTS],
        kappas: [0; MOST_CHECKPOINTS],
    };

    /// Place of the newest checkpoint that is not after `base`.
    #[inline(always)]
    pub(crate) fn place(&self, base: u32) -> usize {
        let mut place = self.count;
        while place > 1 {
            place = place.wrapping_sub(1);
            if self.bases.get(place).is_some_and(|found| *found <= base) {
                return place;
            }
        }
        0
    }

    /// What the way since a record of this base makes of it; less where the record is fresh.
    #[must_use]
    pub fn of(&self, base: u32, fresh: bool) -> Drift {
        let drifts = if fresh { &self.fresh } else { &self.drifts };
        let drift = drifts.get(self.place(base));
        drift.copied().unwrap_or(Drift::NONE)
    }

    /// The longest way since a record of this base, millionths of maintenance.
    #[must_use]
    pub fn kappa_ppm(&self, base: u32) -> u32 {
        let kappa = self.kappas.get(self.place(base));
        kappa.copied().unwrap_or(super::drift::ENDLESS_PPM)
    }

    /// Of each live checkpoint in turn.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Drift> {
        self.drifts.iter().take(self.count)
    }
}
