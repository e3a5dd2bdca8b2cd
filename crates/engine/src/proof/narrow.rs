//! The bound in 32-bit factors: what the walk asks of most nodes.
//!
//! With `e`, `p` and `d = |p-b|` in units of `2^shift` times 2^-32 atoms per lot,
//! and `g = T d` in units of 2^-32, the forms of [`super::bound`] for a last
//! position cut in profit become
//!
//! ```text
//! longs   e g <= (p-e) 2^32
//! shorts  e g <= (e-p) 2^32
//! ```
//!
//! in products of 32 bits each. `g` is rounded down, `p - e` and `e - p` up:
//! whatever [`Fast`] admits, this admits. What leaves its range is left to [`Fast`].
//!
//! Even with the best entry price of the whole queue a position needs a bankruptcy
//! price within some distance of the mark. That limit decides most cases alone.

use super::bound::Fast;
use crate::math::div_rem;

const ONE: u64 = 1 << 32;
/// Bits by which `g` is shortened where it is 1 or more.
const COARSE: u32 = 12;

/// A bound by prices shortened to 32 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Narrow {
    /// The bound this one shortens.
    fast: Fast,
    /// Bits that a price loses.
    shift: u32,
    /// Mark less the funding index, 2^-32 atoms per lot.
    pivot_q32: i64,
    /// Close price less the funding index, 2^-32 atoms per lot.
    close_q32: i64,
    /// Worst entry price of a winner, 2^-32 atoms per lot.
    winner_q32: u64,
    /// Mark, shortened: rounded up for longs, down for shorts.
    mark: u64,
    /// `T`, shortened to 32 bits, rounded down.
    slope: u64,
    /// Bits that `slope * d` loses to become `g`.
    slope_shift: u32,
    /// Furthest bankruptcy price that is admitted with the queue's best entry price.
    limit_q32: i64,
}

impl Narrow {
    /// Shortens the bound for longs: the mark takes 31 bits and no winner's entry
    /// price takes more. `best_q32` is the lowest entry price of the queue. `None`
    /// unless the last position cut is a winner in profit.
    pub(super) fn long(fast: &Fast, best_q32: u64) -> Option<Self> {
        let narrow = Self::new(fast, 31)?;
        let mark = narrow.mark.wrapping_add(1);
        let entry = best_q32.wrapping_shr(narrow.shift);
        let gain = mark.checked_sub(entry);
        let reach = gain.and_then(|gain| narrow.reach(gain, entry));
        let limit = reach.and_then(|reach| narrow.pivot_q32.checked_sub_unsigned(reach));
        Some(Self {
            mark,
            limit_q32: limit.unwrap_or(i64::MIN),
            ..narrow
        })
    }

    /// Shortens the bound for shorts: the mark takes 30 bits, which leaves two for
    /// entry prices above it. `best_q32` is the highest entry price of the queue.
    /// `None` unless the last position cut is a winner in profit.
    pub(super) fn short(fast: &Fast, best_q32: u64) -> Option<Self> {
        let narrow = Self::new(fast, 30)?;
        let entry = best_q32.wrapping_shr(narrow.shift).wrapping_add(1);
        let gain = entry.checked_sub(narrow.mark).filter(|_| entry < ONE);
        let reach = gain.and_then(|gain| narrow.reach(gain, entry));
        let limit = reach.and_then(|reach| narrow.pivot_q32.checked_add_unsigned(reach));
        Some(Self {
            limit_q32: limit.unwrap_or(i64::MAX),
            ..narrow
        })
    }

    /// A distance from the mark beyond which no position with this entry price and
    /// gain, or a worse one, is admitted, 2^-32 atoms per lot. `None` when there is
    /// none to speak of.
    fn reach(&self, gain: u64, entry: u64) -> Option<u64> {
        let fine = (gain << 32).checked_div(entry)?;
        let change = if fine < ONE {
            fine
        } else {
            // Where a gain exceeds the entry, changes are compared in coarse steps.
            let coarse = (gain << 32_u32.wrapping_sub(COARSE)).checked_div(entry)?;
            coarse
                .wrapping_add(1)
                .checked_shl(COARSE)
                .filter(|_| coarse < ONE)?
        };
        let beyond = u128::from(change)
            .wrapping_add(1)
            .checked_shl(self.slope_shift)?;
        let (furthest, _) = div_rem(beyond, self.slope).ok()?;
        let furthest = u64::try_from(furthest).ok().filter(|units| *units < ONE)?;
        Some(furthest.wrapping_add(1).wrapping_shl(self.shift))
    }

    fn new(fast: &Fast, bits: u32) -> Option<Self> {
        let slope = fast.winners_slope()?;
        // The mark is at least one atom per lot, so that it has more than 32 bits.
        let shift = 64_u32.wrapping_sub(fast.mark_q32.leading_zeros());
        let shift = shift.checked_sub(bits)?;
        let lost = less(32, slope.leading_zeros());
        Some(Self {
            fast: *fast,
            shift,
            pivot_q32: fast.pivot_q32,
            close_q32: fast.close_q32,
            winner_q32: fast.winner_q32,
            mark: fast.mark_q32.wrapping_shr(shift),
            slope: slope.wrapping_shr(lost),
            slope_shift: less(less(64, shift), lost),
            limit_q32: 0,
        })
    }

    #[inline(always)]
    pub(super) fn admits_long(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        if entry_q32 > self.winner_q32 || bankruptcy_q32 < self.limit_q32 {
            return false;
        }
        let bankruptcy = if bankruptcy_q32 < self.close_q32 {
            bankruptcy_q32.wrapping_add(1)
        } else {
            self.close_q32
        };
        // Not above the close price, which is not above the mark.
        let distance = self.pivot_q32.wrapping_sub(bankruptcy).cast_unsigned();
        let distance = distance.wrapping_shr(self.shift);
        if distance >= ONE {
            return self.full_long(entry_q32, bankruptcy_q32);
        }
        let change = self.change(distance);
        // At most the mark, so that the difference is not negative.
        let entry = entry_q32.wrapping_shr(self.shift);
        let gain = self.mark.wrapping_sub(entry);
        if change < ONE {
            return entry.wrapping_mul(change) <= gain << 32;
        }
        let coarse = change >> COARSE;
        if coarse >= ONE {
            return self.full_long(entry_q32, bankruptcy_q32);
        }
        entry.wrapping_mul(coarse) <= gain << 32_u32.wrapping_sub(COARSE)
    }

    #[inline(always)]
    pub(super) fn admits_short(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        if entry_q32 < self.winner_q32 || bankruptcy_q32 > self.limit_q32 {
            return false;
        }
        let bankruptcy = if bankruptcy_q32 > self.close_q32 {
            bankruptcy_q32
        } else {
            self.close_q32
        };
        // Not below the close price, which is not below the mark.
        let distance = bankruptcy.wrapping_sub(self.pivot_q32).cast_unsigned();
        let distance = distance.wrapping_shr(self.shift);
        let entry = entry_q32.wrapping_shr(self.shift).wrapping_add(1);
        if (entry | distance) >= ONE {
            return self.full_short(entry_q32, bankruptcy_q32);
        }
        let change = self.change(distance);
        // No short gains more than its whole entry.
        change < ONE && entry.wrapping_mul(change) <= entry.wrapping_sub(self.mark) << 32
    }

    /// `T d` in units of 2^-32, rounded down, for a distance of 32 bits.
    #[inline(always)]
    const fn change(&self, distance: u64) -> u64 {
        let change = self.slope.wrapping_mul(distance);
        change.wrapping_shr(self.slope_shift)
    }

    #[cold]
    #[inline(never)]
    fn full_long(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        self.fast.admits_long(entry_q32, bankruptcy_q32)
    }

    #[cold]
    #[inline(never)]
    fn full_short(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        self.fast.admits_short(entry_q32, bankruptcy_q32)
    }
}

/// `a - b`, at least 0.
const fn less(a: u32, b: u32) -> u32 {
    match a.checked_sub(b) {
        Some(difference) => difference,
        None => 0,
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    extern crate std;
    use super::*;
    use crate::proof::bound::Bound;
    use crate::rank::{ClosePrice, Exposure, Ranked, Round};
    use crate::units::{FundingIndex, LotPrice, Side};

    fn next(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        state.rotate_left(29) ^ (*state >> 11)
    }

    /// A round at a mark of up to 2^`bits` atoms per lot and a winner of it.
    fn winner(side: Side, bits: u32, state: &mut u64) -> (Round, Exposure) {
        let mark = (next(state) >> (64 - bits)).max(1_000);
        let lots = next(state) % 1_000_000 + 1;
        let gain = mark * (next(state) % 900 + 1) / 1_000;
        let (entry, toward) = match side {
            Side::Long => (mark - gain, -1),
            Side::Short => (mark + gain, 1),
        };
        let equity = i128::from(mark / (next(state) % 300 + 1)) + i128::from(gain);
        let round = Round {
            side,
            mark: LotPrice::new(mark).expect("in range"),
            close: ClosePrice {
                quote: i64::try_from(mark).expect("in range"),
                lots: 1,
            },
            funding_index: FundingIndex::new(i64::try_from(next(state) >> 50).expect("small")),
            min_profit_bps: 0,
            rank_tolerance_bps: 0,
            max_close_bps: 10_000,
            least_lots: 0,
            epoch: 1,
        };
        let last = Exposure {
            side,
            lots,
            entry: entry * lots,
            bankruptcy: (i128::from(mark) + toward * equity) * i128::from(lots),
            sequence: 0,
        };
        (round, last)
    }

    /// An entry and a bankruptcy price near those of `last`, or anywhere.
    fn prices(round: &Round, last: &Exposure, state: &mut u64) -> (u64, i64) {
        let q32 = |total: i128| (total << 32) / i128::from(last.lots);
        let funding = i128::from(round.funding_index.get()) << 32;
        let spread = 1_i128 << (next(state) % 62);
        let mut off = || i128::from(next(state).cast_signed()) % spread;
        let entry = q32(i128::from(last.entry)) + off();
        let bankruptcy = q32(last.bankruptcy) - funding + off();
        (
            u64::try_from(entry.max(0))
                .unwrap_or(u64::MAX)
                .min(u64::MAX >> 1),
            i64::try_from(bankruptcy).unwrap_or(i64::MAX >> 1),
        )
    }

    #[test]
    fn what_the_full_bound_admits_is_admitted_and_hardly_more() {
        let mut state = 7;
        for side in [Side::Long, Side::Short] {
            let (mut admitted, mut denied, mut more, mut limited) = (0_u32, 0_u32, 0_u32, 0_u32);
            for case in 0..4_000 {
                let (round, last) = winner(side, 12 + case % 18, &mut state);
                let ranked = Ranked::new(&round, &last).expect("in range");
                let bound = Bound::new(&round, Some(&ranked), case % 3 * 100).expect("in range");
                let (Bound::Long(fast) | Bound::Short(fast)) = bound else {
                    panic!("prices in range");
                };
                for _ in 0..40 {
                    let (entry, price) = prices(&round, &last, &mut state);
                    let better = next(&mut state) >> (next(&mut state) % 64);
                    let (narrow, unlimited) = match side {
                        Side::Long => (
                            Narrow::long(&fast, entry.saturating_sub(better)),
                            Narrow::long(&fast, 0),
                        ),
                        Side::Short => (
                            Narrow::short(&fast, entry.saturating_add(better)),
                            Narrow::short(&fast, u64::MAX),
                        ),
                    };
                    let narrow = narrow.expect("a winner in profit");
                    let unlimited = unlimited.expect("a winner in profit");
                    let (full, short) = match side {
                        Side::Long => (
                            fast.admits_long(entry, price),
                            narrow.admits_long(entry, price),
                        ),
                        Side::Short => (
                            fast.admits_short(entry, price),
                            narrow.admits_short(entry, price),
                        ),
                    };
                    assert!(!full || short, "{round:?} {last:?} {entry} {price}");
                    let without = match side {
                        Side::Long => unlimited.admits_long(entry, price),
                        Side::Short => unlimited.admits_short(entry, price),
                    };
                    assert_eq!(short, without, "{round:?} {last:?} {entry} {price}");
                    limited += u32::from(match side {
                        Side::Long => price < narrow.limit_q32,
                        Side::Short => price > narrow.limit_q32,
                    });
                    admitted += u32::from(full);
                    denied += u32::from(!full);
                    more += u32::from(short && !full);
                }
            }
            std::println!("{side:?}: {admitted} admitted, {denied} denied, {more} of them not");
            assert!(admitted > 10_000 && denied > 10_000 && more * 4 < denied);
            assert!(limited > 10_000, "{limited} decided by the limit");
        }
    }
}
