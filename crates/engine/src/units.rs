//! Quantities, each with its own type, range and sign.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::product_u64;

/// Largest absolute number of lots in a position or fill.
pub const MAX_LOTS: u64 = 4_294_967_295;
/// Largest price, in quote atoms per lot. Any `MAX_LOTS * MAX_LOT_PRICE` fits `i64`.
pub const MAX_LOT_PRICE: u64 = 2_147_483_647;
/// One hundred percent in basis points.
pub const BPS_ONE: u64 = 10_000;

/// Direction of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Gains when the price rises; positive lots.
    Long,
    /// Gains when the price falls; negative lots.
    Short,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }

    /// `long` or `short`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}

/// Signed lots: positive long, negative short, `-MAX_LOTS..=MAX_LOTS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lots(i64);

impl Lots {
    /// No lots.
    pub const ZERO: Self = Self(0);

    /// Signed lots. `SizeOutOfRange` beyond `MAX_LOTS`.
    pub const fn new(lots: i64) -> Result<Self, EngineError> {
        if lots.unsigned_abs() > MAX_LOTS {
            return Err(EngineError::SizeOutOfRange);
        }
        Ok(Self(lots))
    }

    /// `size` lots on `side`. `SizeOutOfRange` beyond `MAX_LOTS`.
    pub fn on_side(side: Side, size: u64) -> Result<Self, EngineError> {
        let lots = i64::try_from(size).map_err(|_| EngineError::SizeOutOfRange)?;
        match side {
            Side::Long => Self::new(lots),
            Side::Short => Self::new(lots.wrapping_neg()),
        }
    }

    /// The signed number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The absolute number, `0..=MAX_LOTS`.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The side, or `None` for no lots.
    #[must_use]
    pub const fn side(self) -> Option<Side> {
        match self.0 {
            0 => None,
            lots if lots > 0 => Some(Side::Long),
            _ => Some(Side::Short),
        }
    }

    /// The same number on the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        // The range is symmetric and far inside i64.
        Self(self.0.wrapping_neg())
    }

    /// Sum. `SizeOutOfRange` beyond `MAX_LOTS`.
    pub const fn try_add(self, other: Self) -> Result<Self, EngineError> {
        // Both are within 33 bits.
        Self::new(self.0.wrapping_add(other.0))
    }
}

/// Signed quote atoms, the smallest unit of the collateral mint.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
pub struct Atoms(i64);

impl Atoms {
    /// No atoms.
    pub const ZERO: Self = Self(0);

    /// Signed atoms.
    #[must_use]
    pub const fn new(atoms: i64) -> Self {
        Self(atoms)
    }

    /// An unsigned amount. `Overflow` above `i64::MAX`.
    pub fn from_unsigned(atoms: u64) -> Result<Self, EngineError> {
        i64::try_from(atoms)
            .map(Self)
            .map_err(|_| EngineError::Overflow)
    }

    /// The signed number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The number when it is not negative, else 0.
    #[must_use]
    pub const fn positive_part(self) -> u64 {
        if self.0 < 0 {
            0
        } else {
            self.0.unsigned_abs()
        }
    }

    /// Sum. `Overflow` outside `i64`.
    pub fn try_add(self, other: Self) -> Result<Self, EngineError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(EngineError::Overflow)
    }

    /// Difference. `Overflow` outside `i64`.
    pub fn try_sub(self, other: Self) -> Result<Self, EngineError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(EngineError::Overflow)
    }

    /// Sum with an unsigned amount. `Overflow` outside `i64`.
    pub fn try_add_unsigned(self, amount: u64) -> Result<Self, EngineError> {
        self.0
            .checked_add_unsigned(amount)
            .map(Self)
            .ok_or(EngineError::Overflow)
    }

    /// Difference with an unsigned amount. `Overflow` outside `i64`.
    pub fn try_sub_unsigned(self, amount: u64) -> Result<Self, EngineError> {
        self.0
            .checked_sub_unsigned(amount)
            .map(Self)
            .ok_or(EngineError::Overflow)
    }
}

/// Cumulative funding of a market since it opened, in whole atoms per lot.
/// Longs pay and shorts receive when it rises.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
pub struct FundingIndex(i64);

impl FundingIndex {
    /// The index of a market that has just opened.
    pub const ZERO: Self = Self(0);

    /// Signed atoms per lot.
    #[must_use]
    pub const fn new(atoms_per_lot: i64) -> Self {
        Self(atoms_per_lot)
    }

    /// Signed atoms per lot.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A price in a market's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(u64);

impl Ticks {
    /// A number of ticks.
    #[must_use]
    pub const fn new(ticks: u64) -> Self {
        Self(ticks)
    }

    /// The number of ticks.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The price of a lot where a tick of one lot is `atoms_per_lot_tick`.
    /// `PriceOutOfRange` outside `1..=MAX_LOT_PRICE`.
    pub fn lot_price(self, atoms_per_lot_tick: u64) -> Result<LotPrice, EngineError> {
        let price = self
            .0
            .checked_mul(atoms_per_lot_tick)
            .ok_or(EngineError::PriceOutOfRange)?;
        LotPrice::new(price)
    }
}

/// A price in quote atoms per lot, `1..=MAX_LOT_PRICE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LotPrice(u64);

impl LotPrice {
    /// The lowest price.
    pub const MIN: Self = Self(1);
    /// The highest price.
    pub const MAX: Self = Self(MAX_LOT_PRICE);

    /// Atoms per lot. `PriceOutOfRange` outside `1..=MAX_LOT_PRICE`.
    pub const fn new(atoms_per_lot: u64) -> Result<Self, EngineError> {
        if atoms_per_lot == 0 || atoms_per_lot > MAX_LOT_PRICE {
            return Err(EngineError::PriceOutOfRange);
        }
        Ok(Self(atoms_per_lot))
    }

    /// Atoms per lot.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Worth of `size` lots in atoms, exact. `Overflow` above `i64::MAX`, which
    /// no size within `MAX_LOTS` reaches.
    pub fn notional(self, size: u64) -> Result<u64, EngineError> {
        let atoms = product_u64(self.0, size)?;
        if atoms > i64::MAX.unsigned_abs() {
            return Err(EngineError::Overflow);
        }
        Ok(atoms)
    }
}

/// Basis points: 10,000 is the whole. Any `u32` is representable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bps(u32);

impl Bps {
    /// The whole: 10,000 basis points.
    pub const ONE: Self = Self(10_000);

    /// Basis points.
    #[must_use]
    pub const fn new(bps: u32) -> Self {
        Self(bps)
    }

    /// Basis points.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// This share of `amount`, rounded down. `Overflow` outside `u64`.
    pub fn floor_of(self, amount: u64) -> Result<u64, EngineError> {
        let (whole, part) = self.split(amount)?;
        whole
            .checked_add(part / BPS_ONE)
            .ok_or(EngineError::Overflow)
    }

    /// This share of `amount`, rounded up. `Overflow` outside `u64`.
    pub fn ceil_of(self, amount: u64) -> Result<u64, EngineError> {
        let (whole, part) = self.split(amount)?;
        whole
            .checked_add(part.div_ceil(BPS_ONE))
            .ok_or(EngineError::Overflow)
    }

    /// The share as whole atoms and ten-thousandths, with no 128-bit division.
    fn split(self, amount: u64) -> Result<(u64, u64), EngineError> {
        let bps = u64::from(self.0);
        let whole = product_u64(amount / BPS_ONE, bps)?;
        let part = product_u64(amount % BPS_ONE, bps)?;
        Ok((whole, part))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_enforced() {
        assert_eq!(Lots::new(4_294_967_295).map(Lots::get), Ok(4_294_967_295));
        assert_eq!(Lots::new(-4_294_967_296), Err(EngineError::SizeOutOfRange));
        assert_eq!(Lots::new(i64::MIN), Err(EngineError::SizeOutOfRange));
        assert_eq!(LotPrice::new(0), Err(EngineError::PriceOutOfRange));
        assert_eq!(
            LotPrice::new(MAX_LOT_PRICE + 1),
            Err(EngineError::PriceOutOfRange)
        );
        assert_eq!(
            Ticks::new(u64::MAX).lot_price(2),
            Err(EngineError::PriceOutOfRange)
        );
        let most = LotPrice::MAX.notional(MAX_LOTS);
        assert_eq!(most, Ok(MAX_LOTS * MAX_LOT_PRICE));
    }

    #[test]
    fn sides_and_signs_agree() {
        let short = Lots::on_side(Side::Short, 7);
        assert_eq!(short.map(Lots::get), Ok(-7));
        assert_eq!(short.map(Lots::side), Ok(Some(Side::Short)));
        assert_eq!(short.map(|lots| lots.opposite().get()), Ok(7));
        assert_eq!(Lots::ZERO.side(), None);
    }

    #[test]
    fn basis_points_round_as_named() {
        let bps = Bps::new(1);
        assert_eq!(bps.floor_of(19_999), Ok(1));
        assert_eq!(bps.ceil_of(10_001), Ok(2));
        assert_eq!(bps.ceil_of(0), Ok(0));
        assert_eq!(Bps::ONE.floor_of(u64::MAX), Ok(u64::MAX));
        assert_eq!(
            Bps::new(10_001).ceil_of(u64::MAX),
            Err(EngineError::Overflow)
        );
    }
}
