//! One isolated position and what fills and funding do to it.

use crate::error::EngineError;
use crate::math::{
    mul_div_ceil_signed, mul_div_floor, mul_div_floor_signed, negate, product_signed,
};
use crate::units::{Atoms, FundingIndex, LotPrice, Lots, Side};

/// An isolated position in one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Signed size.
    pub lots: Lots,
    /// What was paid for the lots, atoms, with the sign of `lots`. Its absolute
    /// value lies within `size..=size * MAX_LOT_PRICE`.
    pub entry_quote: Atoms,
    /// Collateral of this position, atoms. Funding and losses realised by
    /// liquidation may take it below zero.
    pub margin: Atoms,
    /// The market's funding index up to which funding has been paid.
    pub funding_index: FundingIndex,
}

/// What a fill did to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillOutcome {
    /// The position after the fill.
    pub position: Position,
    /// Profit (positive) or loss of the closed lots, atoms.
    pub realized: Atoms,
    /// Margin set free by the closed lots, atoms; negative when margin was.
    pub released: Atoms,
}

impl FillOutcome {
    /// `realized + released`: what moves to free collateral. `Overflow` outside `i64`.
    pub fn payout(&self) -> Result<Atoms, EngineError> {
        self.realized.try_add(self.released)
    }
}

impl Position {
    /// Whether there is no position.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lots.is_zero()
    }

    /// Absolute number of lots.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.lots.size()
    }

    /// The side, or `None` when empty.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        self.lots.side()
    }

    /// Pays funding up to `now`, exactly: `margin -= lots * (now - funding_index)`.
    /// `Overflow` when margin would leave `i64`.
    pub fn settle(&self, now: FundingIndex) -> Result<Self, EngineError> {
        let mut settled = *self;
        settled.funding_index = now;
        if self.is_empty() || now == self.funding_index {
            return Ok(settled);
        }
        let owed = now
            .get()
            .checked_sub(self.funding_index.get())
            .and_then(|rise| i64::try_from(product_signed(rise, self.lots.get())).ok())
            .ok_or(EngineError::Overflow)?;
        settled.margin = self.margin.try_sub(Atoms::new(owed))?;
        Ok(settled)
    }

    /// `lots * price`, signed atoms.
    pub fn value(&self, price: LotPrice) -> Result<Atoms, EngineError> {
        let notional = self.notional(price)?;
        if self.lots.get() < 0 {
            negate(notional).map(Atoms::new)
        } else {
            Atoms::from_unsigned(notional)
        }
    }

    /// `|lots| * price`, atoms.
    pub fn notional(&self, price: LotPrice) -> Result<u64, EngineError> {
        price.notional(self.size())
    }

    /// Unrealised profit at `price`, atoms.
    pub fn pnl(&self, price: LotPrice) -> Result<Atoms, EngineError> {
        self.value(price)?.try_sub(self.entry_quote)
    }

    /// `margin + pnl` at `price`, atoms. Funding must have been settled.
    pub fn equity(&self, price: LotPrice) -> Result<Atoms, EngineError> {
        self.margin.try_add(self.pnl(price)?)
    }

    /// The total price of all lots at which the equity is zero, atoms, exact; negative for a
    /// long position with more margin than it paid. Funding must have been settled.
    #[must_use]
    pub fn bankruptcy_value(&self) -> i128 {
        let (entry, margin) = (
            i128::from(self.entry_quote.get()),
            i128::from(self.margin.get()),
        );
        if self.lots.get() < 0 {
            margin.wrapping_sub(entry)
        } else {
            entry.wrapping_sub(margin)
        }
    }

    /// Whether closing every lot at `price` would leave no deficit; exact. Funding must have
    /// been settled.
    #[must_use]
    pub fn is_solvent_at(&self, price: LotPrice) -> bool {
        // 32 and 31 bits.
        let worth = i128::from(self.size().wrapping_mul(price.get()));
        match self.side() {
            Some(Side::Short) => worth <= self.bankruptcy_value(),
            _ => worth >= self.bankruptcy_value(),
        }
    }

    /// Trades `lots` for `quote` (of the same sign). The change of
    /// `free + margin - entry_quote` is exactly `-quote` once the payout is free.
    ///
    /// A partial close takes the entry pro rata, rounded up, and the margin pro
    /// rata, rounded down. A flip closes everything with its share of the quote,
    /// then opens the rest with no margin. The quote of a pure close may have any
    /// sign. Funding must have been settled, also when empty.
    ///
    /// `ZeroLots`; `QuoteOutOfRange` for opened lots outside the price range;
    /// `SizeOutOfRange`; `Overflow`.
    pub fn fill(&self, lots: Lots, quote: Atoms) -> Result<FillOutcome, EngineError> {
        if lots.is_zero() {
            return Err(EngineError::ZeroLots);
        }
        let adds = self.is_empty() || self.side() == lots.side();
        if adds {
            return self.enlarge(lots, quote);
        }
        if lots.size() <= self.size() {
            return self.close(lots, quote);
        }
        let share = mul_div_floor(quote.get().unsigned_abs(), self.size(), lots.size())?;
        let share = if quote.is_negative() {
            Atoms::new(negate(share)?)
        } else {
            Atoms::from_unsigned(share)?
        };
        let closed = self.close(self.lots.opposite(), share)?;
        let rest = lots.try_add(self.lots)?;
        let opened = closed.position.enlarge(rest, quote.try_sub(share)?)?;
        Ok(FillOutcome {
            position: opened.position,
            ..closed
        })
    }

    /// Closes part or all for `quote` with the result kept as margin: a partial
    /// close releases nothing, a full close returns what is left (its second
    /// value), which is negative when the position was bankrupt.
    ///
    /// `NotAReduction` unless `lots` is opposite and no larger; `Overflow`.
    pub fn close_into_margin(
        &self,
        lots: Lots,
        quote: Atoms,
    ) -> Result<(Self, Atoms), EngineError> {
        let opposite = self.side().map(Side::opposite) == lots.side();
        if self.is_empty() || !opposite || lots.size() > self.size() {
            return Err(EngineError::NotAReduction);
        }
        let outcome = self.close(lots, quote)?;
        if outcome.position.is_empty() {
            return Ok((outcome.position, outcome.payout()?));
        }
        let mut position = outcome.position;
        position.margin = self.margin.try_add(outcome.realized)?;
        Ok((position, Atoms::ZERO))
    }

    fn enlarge(&self, lots: Lots, quote: Atoms) -> Result<FillOutcome, EngineError> {
        let size = quote.get().unsigned_abs();
        let most = LotPrice::MAX.notional(lots.size())?;
        let same_sign = quote.is_negative() == (lots.get() < 0);
        if !same_sign || size < lots.size() || size > most {
            return Err(EngineError::QuoteOutOfRange);
        }
        Ok(FillOutcome {
            position: Self {
                lots: self.lots.try_add(lots)?,
                entry_quote: self.entry_quote.try_add(quote)?,
                ..*self
            },
            realized: Atoms::ZERO,
            released: Atoms::ZERO,
        })
    }

    /// `lots` is opposite and no larger.
    fn close(&self, lots: Lots, quote: Atoms) -> Result<FillOutcome, EngineError> {
        let (closed, size) = (lots.size(), self.size());
        let (removed, released) = if closed == size {
            (self.entry_quote, self.margin)
        } else {
            (
                Atoms::new(mul_div_ceil_signed(self.entry_quote.get(), closed, size)?),
                Atoms::new(mul_div_floor_signed(self.margin.get(), closed, size)?),
            )
        };
        Ok(FillOutcome {
            position: Self {
                lots: self.lots.try_add(lots)?,
                entry_quote: self.entry_quote.try_sub(removed)?,
                margin: self.margin.try_sub(released)?,
                funding_index: self.funding_index,
            },
            realized: Atoms::ZERO.try_sub(quote)?.try_sub(removed)?,
            released,
        })
    }

    /// `PositionCorrupt` unless an empty position holds nothing and another has an
    /// entry of its own sign within the price range.
    pub fn invariant(&self) -> Result<(), EngineError> {
        let entry = self.entry_quote.get();
        let sound = if self.is_empty() {
            entry == 0 && self.margin == Atoms::ZERO
        } else {
            let size = entry.unsigned_abs();
            (entry < 0) == (self.lots.get() < 0)
                && size >= self.size()
                && size <= LotPrice::MAX.notional(self.size())?
        };
        if sound {
            Ok(())
        } else {
            Err(EngineError::PositionCorrupt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(lots: i64, entry: i64, margin: i64) -> Position {
        Position {
            lots: Lots::new(lots).unwrap_or_default(),
            entry_quote: Atoms::new(entry),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::new(3),
        }
    }

    fn fill(from: &Position, lots: i64, quote: i64) -> Result<FillOutcome, EngineError> {
        from.fill(Lots::new(lots)?, Atoms::new(quote))
    }

    fn outcome(
        position: Position,
        realized: i64,
        released: i64,
    ) -> Result<FillOutcome, EngineError> {
        Ok(FillOutcome {
            position,
            realized: Atoms::new(realized),
            released: Atoms::new(released),
        })
    }

    #[test]
    fn a_position_is_solvent_up_to_its_bankruptcy_price() {
        let price = |atoms| LotPrice::new(atoms).unwrap_or(LotPrice::MAX);
        // 3 long lots for 301 with 50: 251 must come back, which 84 a lot is and 83 is not.
        assert!(held(3, 301, 50).is_solvent_at(price(84)));
        assert!(!held(3, 301, 50).is_solvent_at(price(83)));
        // 3 short lots for 301 with 50: 351 can be paid, 117 a lot.
        assert!(held(-3, -301, 50).is_solvent_at(price(117)));
        assert!(!held(-3, -301, 50).is_solvent_at(price(118)));
        let largest = i64::from(u32::MAX);
        assert!(!held(-largest, -largest, i64::MIN).is_solvent_at(LotPrice::MAX));
    }

    #[test]
    fn enlarging_adds_both_sums() {
        let after = fill(&held(3, 300, 50), 2, 220);
        assert_eq!(after, outcome(held(5, 520, 50), 0, 0));
        let after = fill(&held(-3, -300, 50), -2, -220);
        assert_eq!(after, outcome(held(-5, -520, 50), 0, 0));
    }

    #[test]
    fn a_partial_close_rounds_against_the_trader() {
        // A third of 301 paid is 101 up; a third of 50 margin is 16 down.
        let after = fill(&held(3, 301, 50), -1, -120);
        assert_eq!(after, outcome(held(2, 200, 34), 19, 16));
        // A third of -301 received is -100 up; a third of -50 is -17 down.
        let after = fill(&held(-3, -301, -50), 1, 80);
        assert_eq!(after, outcome(held(-2, -201, -33), 20, -17));
    }

    #[test]
    fn a_full_close_leaves_nothing() {
        let after = fill(&held(3, 301, 50), -3, -360);
        assert_eq!(after, outcome(held(0, 0, 0), 59, 50));
        assert_eq!(after.and_then(|fill| fill.payout()), Ok(Atoms::new(109)));
    }

    #[test]
    fn a_flip_closes_then_opens_without_margin() {
        // 3 of 5 lots take 3/5 of 501, down; the rest opens.
        let after = fill(&held(3, 300, 50), -5, -501);
        assert_eq!(after, outcome(held(-2, -201, 0), 0, 50));
    }

    #[test]
    fn quotes_of_opened_lots_stay_in_the_price_range() {
        let refused = Err(EngineError::QuoteOutOfRange);
        let flat = Position::default();
        assert_eq!(fill(&flat, 2, 1), refused);
        assert_eq!(fill(&flat, 2, -2), refused);
        assert_eq!(fill(&flat, -2, 2), refused);
        assert_eq!(fill(&flat, 1, 2_147_483_648), refused);
        assert!(fill(&flat, 1, 2_147_483_647).is_ok());
        assert_eq!(fill(&flat, 0, 0), Err(EngineError::ZeroLots));
        // A close may even be paid for.
        assert_eq!(fill(&held(2, 20, 9), -2, 5), outcome(held(0, 0, 0), -25, 9));
        let full = held(4_294_967_295, 4_294_967_295, 0);
        assert_eq!(fill(&full, 1, 1), Err(EngineError::SizeOutOfRange));
    }

    #[test]
    fn closing_into_margin_releases_only_at_the_end() {
        let close = |lots, quote| -> Result<_, EngineError> {
            held(3, 301, 50).close_into_margin(Lots::new(lots)?, Atoms::new(quote))
        };
        assert_eq!(close(-1, -80), Ok((held(2, 200, 29), Atoms::ZERO)));
        assert_eq!(close(-3, -240), Ok((held(0, 0, 0), Atoms::new(-11))));
        let refused = Err(EngineError::NotAReduction);
        assert_eq!(close(1, 80), refused);
        assert_eq!(close(-4, -320), refused);
        assert_eq!(close(0, 0), refused);
        let empty = Position::default();
        assert_eq!(empty.close_into_margin(Lots::ZERO, Atoms::ZERO), refused);
    }

    #[test]
    fn the_invariant_sees_corruption() {
        let corrupt = Err(EngineError::PositionCorrupt);
        assert_eq!(held(2, 2, -5).invariant(), Ok(()));
        assert_eq!(held(2, 1, 0).invariant(), corrupt);
        assert_eq!(held(2, -2, 0).invariant(), corrupt);
        assert_eq!(held(0, 0, 1).invariant(), corrupt);
        assert_eq!(held(0, 1, 0).invariant(), corrupt);
        assert_eq!(held(-1, -2_147_483_648, 0).invariant(), corrupt);
    }
}
