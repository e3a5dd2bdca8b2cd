//! Profit that is held while its market is short.
//!
//! A market is short of `U` atoms when the positions of its queues lack more than insurance may pay
//! now. What a trader takes out of a position beyond what it put in is profit, and somebody has to
//! have lost it; while the market is short, up to `U` of it is held in the market's ledger instead
//! of becoming free collateral. So closing a moment early, or into an account of one's own, gains
//! nothing: held profit pays deficits after insurance and before anybody is cut, everybody's in
//! proportion, and what the market is no longer short of is released at a newer price.
//!
//! The ledger counts shares. A share is worth `atoms / shares`, at most one atom when it is issued;
//! a deficit that is paid takes from all shares alike. When a payment leaves a share worth less
//! than 1/1,024 of an atom, the rest goes to insurance and the next ledger begins.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::mul_div_floor;
use crate::oracle::Mark;
use crate::queue::QueueRef;
use crate::solvency::{deficit_bound, deficits};
use crate::units::{FundingIndex, LotPrice, Side};

/// Shares that one atom of a ledger may stand for at most.
const MAX_SHARES_PER_ATOM: u64 = 1_024;

/// Queue nodes that are looked at for what the positions of a side lack, before the bound of
/// [`deficit_bound`] is taken: enough for one bankrupt among 100,000 positions.
pub const MAX_SHORTFALL_NODES: u32 = 48;

/// The profit that a market holds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HeldProfit {
    /// What is held in all, atoms.
    pub atoms: u64,
    /// Shares of it.
    pub shares: u64,
    /// Ledgers that ended before this one.
    pub epoch: u32,
    /// Zero.
    pub _pad: u32,
}

/// A position slot's part of the profit that its market holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldClaim {
    /// Shares of the ledger.
    pub shares: u64,
    /// Its number.
    pub epoch: u32,
    /// Slot in which profit was held for it last.
    pub slot: u64,
}

/// What leaves a position beyond what was put in, and what is left of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenOut {
    /// Profit, atoms.
    pub profit: u64,
    /// What the trader has put into the position and not taken out again, atoms.
    pub paid_in: u64,
}

/// Of `out` atoms that leave a position into which `paid_in` atoms were put, the profit: what was
/// put in comes out first.
#[must_use]
pub const fn taken_out(paid_in: u64, out: u64) -> TakenOut {
    match paid_in.checked_sub(out) {
        Some(paid_in) => TakenOut { profit: 0, paid_in },
        None => TakenOut {
            profit: out.wrapping_sub(paid_in),
            paid_in: 0,
        },
    }
}

/// What an instruction does to what a trader has put into a position. `gained` is what its free
/// collateral and order reserves in the market together gained, atoms, without what it earned for
/// something else. A fill that turns the position round ends it and begins another, with the margin
/// `opened`; `closed` says whether the trader holds no position afterwards.
///
/// # Errors
/// `Overflow`.
pub fn moved(
    paid_in: u64,
    gained: i64,
    opened: Option<u64>,
    closed: bool,
) -> Result<TakenOut, EngineError> {
    let out = i128::from(gained).wrapping_add(i128::from(opened.unwrap_or(0)));
    let mut moved = match u64::try_from(out) {
        Ok(out) => taken_out(paid_in, out),
        Err(_) => TakenOut {
            profit: 0,
            paid_in: u64::try_from(i128::from(paid_in).wrapping_sub(out))
                .map_err(|_| EngineError::Overflow)?,
        },
    };
    if let Some(margin) = opened {
        moved.paid_in = margin;
    }
    if closed {
        moved.paid_in = 0;
    }
    Ok(moved)
}

/// The prices between which the deficits of a market are judged: the mark, and every price at which
/// the instruction traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRange {
    /// The worst for longs.
    pub low: LotPrice,
    /// The worst for shorts.
    pub high: LotPrice,
}

impl PriceRange {
    /// The range of one price.
    #[must_use]
    pub const fn at(mark: LotPrice) -> Self {
        Self {
            low: mark,
            high: mark,
        }
    }

    /// The range of a mark by which somebody leaves: moved by its confidence either way, or the moving
    /// average where that is worse for a side.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn cautious(mark: &Mark, average: LotPrice) -> Result<Self, EngineError> {
        let cautious = Mark {
            average: Some(average),
            ..*mark
        };
        Ok(Self {
            low: cautious.worsened(Side::Long)?,
            high: cautious.worsened(Side::Short)?,
        })
    }

    /// The range with one more price.
    pub fn include(&mut self, price: LotPrice) {
        self.low = self.low.min(price);
        self.high = self.high.max(price);
    }
}

/// What a market is short of, atoms: what the positions of both queues lack at the worse of the
/// prices, funding up to `index` counted, less `insurance_available`. Never understated: where the
/// walk does not see everybody, the bound of [`deficit_bound`] counts.
///
/// # Errors
/// `TreeCorrupt`, `Overflow`.
pub fn shortfall(
    long: &QueueRef<'_>,
    short: &QueueRef<'_>,
    prices: PriceRange,
    index: FundingIndex,
    open_interest_lots: u64,
    insurance_available: u64,
) -> Result<u64, EngineError> {
    let longs = lacking(long, prices.low, index, open_interest_lots)?;
    let shorts = lacking(short, prices.high, index, open_interest_lots)?;
    let all = u128::from(longs).wrapping_add(u128::from(shorts));
    let all = u64::try_from(all).unwrap_or(u64::MAX);
    Ok(beyond(all, insurance_available))
}

fn lacking(
    queue: &QueueRef<'_>,
    price: LotPrice,
    index: FundingIndex,
    open_interest_lots: u64,
) -> Result<u64, EngineError> {
    match deficits(queue, price, index, MAX_SHORTFALL_NODES) {
        Ok(Some(all)) => Ok(all.atoms),
        Ok(None) | Err(EngineError::Overflow) => {
            deficit_bound(queue, price, index, open_interest_lots)
        }
        Err(error) => Err(error),
    }
}

impl HeldProfit {
    /// What the shares of `claim` are worth, atoms, rounded down.
    ///
    /// # Errors
    /// `Overflow` when there are more of them than of the ledger.
    pub fn value(&self, claim: &HeldClaim) -> Result<u64, EngineError> {
        if claim.shares == 0 || claim.epoch != self.epoch {
            return Ok(0);
        }
        if claim.shares > self.shares {
            return Err(EngineError::Overflow);
        }
        mul_div_floor(claim.shares, self.atoms, self.shares)
    }

    /// Of `profit` atoms what is to be held for a position slot with `claim`, where the market is
    /// short of `shortfall` atoms: so much that the slot's part reaches what is missing.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn due(&self, claim: &HeldClaim, profit: u64, shortfall: u64) -> Result<u64, EngineError> {
        let held = self.value(claim)?;
        Ok(profit.min(beyond(shortfall, held)))
    }

    /// Holds `atoms` more for a position slot, in `slot`. Rounded down against it.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn hold(
        &self,
        claim: &HeldClaim,
        atoms: u64,
        slot: u64,
    ) -> Result<(Self, HeldClaim), EngineError> {
        let shares = if self.shares == 0 {
            atoms
        } else {
            mul_div_floor(atoms, self.shares, self.atoms)?
        };
        let owned = if claim.epoch == self.epoch {
            claim.shares
        } else {
            0
        };
        let after = Self {
            atoms: sum(self.atoms, atoms)?,
            shares: sum(self.shares, shares)?,
            ..*self
        };
        let claim = HeldClaim {
            shares: sum(owned, shares)?,
            epoch: self.epoch,
            slot,
        };
        Ok((after, claim))
    }

    /// What may be paid of a deficit, atoms. The last ledger that has a number never ends.
    #[must_use]
    pub const fn available(&self) -> u64 {
        if self.epoch < u32::MAX {
            return self.atoms;
        }
        beyond(self.atoms, self.least())
    }

    /// With less than this the ledger ends, atoms.
    const fn least(&self) -> u64 {
        self.shares.div_ceil(MAX_SHARES_PER_ATOM)
    }

    /// Pays `atoms` of a deficit, from all shares alike. Beside the ledger afterwards what it leaves
    /// to insurance when it ends, atoms.
    ///
    /// # Errors
    /// `Overflow` for more than there is.
    pub fn pay(&self, atoms: u64) -> Result<(Self, u64), EngineError> {
        let left = self.atoms.checked_sub(atoms).ok_or(EngineError::Overflow)?;
        let mut after = Self {
            atoms: left,
            ..*self
        };
        if left >= self.least() {
            return Ok((after, 0));
        }
        after.epoch = self.epoch.checked_add(1).ok_or(EngineError::Overflow)?;
        (after.atoms, after.shares) = (0, 0);
        Ok((after, left))
    }

    /// Releases a position slot's part but for what the market is still short of, as if it had been
    /// held now: beside ledger and claim afterwards the atoms that become free, rounded down. It
    /// depends on nobody else's part, and a second release at once gives nothing. Of a claim of an
    /// ended ledger nothing is left. Nothing changes unless the price was first recorded, in slot
    /// `recorded_slot`, after profit was held for the claim.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn release(
        &self,
        claim: &HeldClaim,
        shortfall: u64,
        recorded_slot: u64,
    ) -> Result<(Self, HeldClaim, u64), EngineError> {
        let mut after = *self;
        if recorded_slot <= claim.slot {
            return Ok((after, *claim, 0));
        }
        if claim.epoch != self.epoch || claim.shares == 0 {
            return Ok((after, HeldClaim::default(), 0));
        }
        let value = self.value(claim)?;
        // Shares that stand for the spare part, rounded down.
        let shares = match beyond(value, shortfall) {
            _ if shortfall == 0 => claim.shares,
            0 => return Ok((after, *claim, 0)),
            spare => mul_div_floor(claim.shares, spare, value)?,
        };
        let going = HeldClaim { shares, ..*claim };
        let atoms = self.value(&going)?;
        after.atoms = after
            .atoms
            .checked_sub(atoms)
            .ok_or(EngineError::Overflow)?;
        after.shares = after
            .shares
            .checked_sub(shares)
            .ok_or(EngineError::Overflow)?;
        let left = claim
            .shares
            .checked_sub(shares)
            .ok_or(EngineError::Overflow)?;
        let claim = if left == 0 {
            HeldClaim::default()
        } else {
            HeldClaim {
                shares: left,
                ..*claim
            }
        };
        Ok((after, claim, atoms))
    }

    /// What must hold at the end of every instruction: shares for what is held, and none for nothing.
    ///
    /// # Errors
    /// `Overflow`.
    pub const fn invariant(&self) -> Result<(), EngineError> {
        let matched = (self.shares == 0) == (self.atoms == 0);
        if matched && self.least() <= self.atoms {
            Ok(())
        } else {
            Err(EngineError::Overflow)
        }
    }
}

/// How much more `amount` is than `limit`; 0 when it is not.
const fn beyond(amount: u64, limit: u64) -> u64 {
    match amount.checked_sub(limit) {
        Some(more) => more,
        None => 0,
    }
}

fn sum(a: u64, b: u64) -> Result<u64, EngineError> {
    a.checked_add(b).ok_or(EngineError::Overflow)
}
