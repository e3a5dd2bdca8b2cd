//! Numbers out of bytes. Bytes that have run out are zeros.

use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side, MAX_LOTS, MAX_LOT_PRICE};

/// Bytes not yet used.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn raw(&mut self, bytes: u32) -> u64 {
        (0..bytes).fold(0, |number, _| (number << 8) | u64::from(self.byte()))
    }

    /// A number within `low..=high`, from as few bytes as hold the range.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        let span = high - low;
        let bytes = (64 - span.leading_zeros()).div_ceil(8);
        let raw = self.raw(bytes);
        low + if span == u64::MAX {
            raw
        } else {
            raw % (span + 1)
        }
    }

    /// A signed number within `-most..=most`.
    pub fn signed(&mut self, most: u64) -> i64 {
        let number = self.within(0, 2 * most);
        i64::try_from(i128::from(number) - i128::from(most)).expect("within range")
    }

    /// A number up to `most` whose size varies: a byte, two, or any.
    pub fn sized(&mut self, low: u64, most: u64) -> u64 {
        match self.byte() % 4 {
            0 => self.within(low, most.min(low + 7)),
            1 => self.within(low, most.min(low + 255)),
            2 => most - self.within(0, (most - low).min(255)),
            _ => self.within(low, most),
        }
    }

    /// A place below `count`, which is not 0.
    pub fn place(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// Either side.
    pub fn side(&mut self) -> Side {
        if self.byte().is_multiple_of(2) {
            Side::Long
        } else {
            Side::Short
        }
    }

    /// Any position of a side whose prices are within range.
    pub fn position(&mut self, side: Side, most_lots: u64, most_price: u64) -> Position {
        let lots = self.sized(1, most_lots.min(MAX_LOTS));
        let price = self.sized(1, most_price.min(MAX_LOT_PRICE - 1));
        let entry = lots * price + self.within(0, lots - 1);
        let limit = i128::from(lots) * i128::from(MAX_LOT_PRICE - 1) - i128::from(entry);
        let margin = match self.byte() % 4 {
            0 => i128::from(self.signed(255)),
            1 => i128::from(entry) * i128::from(self.byte()) / 1_024,
            2 => i128::from(lots) * i128::from(self.signed(127)),
            _ => i128::from(self.signed(1 << 62)),
        };
        let most = limit.max(0);
        let margin = i64::try_from(margin.clamp(-most, most)).expect("within range");
        signed_position(side, lots, entry, margin)
    }

    /// What deleveraging may have done, in up to four passes.
    pub fn stamp(&mut self, passes: u32) -> CutStamp {
        let byte = u32::from(self.byte());
        let epoch = (byte % 8).min(passes);
        CutStamp {
            epoch,
            lots: if epoch == 0 { 0 } else { (byte >> 3) % 8 },
            capped_epoch: if byte >> 6 == 3 { epoch } else { 0 },
        }
    }
}

/// A position; lots and entry without sign.
pub fn signed_position(side: Side, lots: u64, entry: u64, margin: i64) -> Position {
    let entry = i64::try_from(entry).expect("within range");
    Position {
        lots: Lots::on_side(side, lots).expect("within range"),
        entry_quote: Atoms::new(match side {
            Side::Long => entry,
            Side::Short => -entry,
        }),
        margin: Atoms::new(margin),
        funding_index: FundingIndex::ZERO,
    }
}
