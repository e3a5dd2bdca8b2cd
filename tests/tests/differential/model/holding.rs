//! One position: what fills, closes and funding do to it.

use ballast_state::error::BallastError;

use super::number::{ceil, floor, part};
use super::refusal::{require, signed, Verdict};

/// Largest number of lots.
pub const MAX_LOTS: i128 = 4_294_967_295;
/// Largest price, atoms per lot.
pub const MAX_PRICE: i128 = 2_147_483_647;

/// Lots and what belongs to them. Nothing at all when there are no lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// + long, - short.
    pub lots: i128,
    /// What the lots cost, with their sign.
    pub entry: i128,
    /// Isolated margin.
    pub margin: i128,
    /// Funding index up to which funding is in `margin`.
    pub index: i128,
}

/// A holding after a fill, and what became free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Afterwards.
    pub after: Holding,
    /// Profit or loss of the closed lots.
    pub realized: i128,
    /// Margin of the closed lots.
    pub released: i128,
}

impl Holding {
    /// Number of lots.
    pub fn size(&self) -> i128 {
        self.lots.abs()
    }

    /// 1 long, -1 short, 0 nothing.
    pub fn sign(&self) -> i128 {
        self.lots.signum()
    }

    /// Pays funding up to `index`.
    pub fn settled(&self, index: i128) -> Verdict<Self> {
        let owed = signed(signed(index - self.index)? * self.lots)?;
        Ok(Self {
            margin: signed(self.margin - owed)?,
            index,
            ..*self
        })
    }

    /// Margin and unrealised profit at a price per lot.
    pub fn equity(&self, price: i128) -> i128 {
        self.margin + self.lots * price - self.entry
    }

    /// Whether a fill of `lots` only makes it smaller.
    pub fn reduced_by(&self, lots: i128) -> bool {
        lots != 0 && lots.signum() == -self.sign() && lots.abs() <= self.size()
    }

    /// Trades `lots` for `quote` in all; a flip closes first, with its share of the quote.
    pub fn filled(&self, lots: i128, quote: i128) -> Verdict<Filled> {
        require(lots != 0, BallastError::ZeroLots)?;
        if self.lots == 0 || lots.signum() == self.sign() {
            return self.enlarged(lots, quote);
        }
        if lots.abs() <= self.size() {
            return Ok(self.closed(lots, quote));
        }
        let share = quote.signum() * floor(&part(quote.abs(), self.size(), lots.abs()));
        let closed = self.closed(-self.lots, share);
        let opened = closed.after.enlarged(lots + self.lots, quote - share)?;
        Ok(Filled {
            after: opened.after,
            ..closed
        })
    }

    fn enlarged(&self, lots: i128, quote: i128) -> Verdict<Filled> {
        let priced = quote.signum() == lots.signum()
            && quote.abs() >= lots.abs()
            && quote.abs() <= lots.abs() * MAX_PRICE;
        require(priced, BallastError::QuoteOutOfRange)?;
        let sum = self.lots + lots;
        require(sum.abs() <= MAX_LOTS, BallastError::SizeOutOfRange)?;
        Ok(Filled {
            after: Self {
                lots: sum,
                entry: signed(self.entry + quote)?,
                ..*self
            },
            realized: 0,
            released: 0,
        })
    }

    /// Closes `lots` of the opposite sign and no more than there are. The entry leaves pro rata
    /// rounded up, the margin pro rata rounded down.
    pub fn closed(&self, lots: i128, quote: i128) -> Filled {
        let (closed, size) = (lots.abs(), self.size());
        let removed = ceil(&part(self.entry, closed, size));
        let released = floor(&part(self.margin, closed, size));
        Filled {
            after: Self {
                lots: self.lots + lots,
                entry: self.entry - removed,
                margin: self.margin - released,
                index: self.index,
            },
            realized: -quote - removed,
            released,
        }
    }

    /// Closes with the result kept as margin; what is left over once nothing is held.
    pub fn closed_into_margin(&self, lots: i128, quote: i128) -> (Self, i128) {
        let filled = self.closed(lots, quote);
        let mut after = filled.after;
        if after.lots == 0 {
            return (after, filled.realized + filled.released);
        }
        after.margin = self.margin + filled.realized;
        (after, 0)
    }

    /// Worth of the lots at which the equity is zero, unsigned lots: entry less margin for longs,
    /// entry and margin for shorts.
    pub fn bankruptcy(&self) -> i128 {
        self.entry.abs() - self.sign() * self.margin
    }
}
