//! What is paused, by whom and until when.
//!
//! The guardian and the admin each have one pause; neither touches the other's. A pause ends by
//! itself, each flag after as long as it may last at most, and its owner begins three in any seven
//! days at most. Whoever wants out is held back for six hours at most, and liquidation for six
//! minutes, in which nobody opens and no margin leaves.
//!
//! What stops for longer has waited as a staged change, and keeps nobody in: opening, and taking
//! margin out of positions that may be closed.

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
};

/// Pause flag: no deposits.
pub const PAUSE_DEPOSIT: u32 = 1;
/// Pause flag: no withdrawals.
pub const PAUSE_WITHDRAW: u32 = 1 << 1;
/// Pause flag: no trade that opens, increases or flips a position. Reducing stays possible.
pub const PAUSE_OPEN: u32 = 1 << 2;
/// Pause flag: no trade at all.
pub const PAUSE_TRADE: u32 = 1 << 3;
/// Pause flag: no margin may be taken out of positions. Adding stays possible.
pub const PAUSE_REMOVE_MARGIN: u32 = 1 << 4;
/// Pause flag: no liquidation; nobody opens and no margin is taken out either.
pub const PAUSE_LIQUIDATE: u32 = 1 << 5;
/// Pause flag: no auto-deleveraging; nobody opens and no margin is taken out either.
pub const PAUSE_DELEVERAGE: u32 = 1 << 6;
/// Every flag that has a meaning.
pub const PAUSE_ALL: u32 = (1 << 7) - 1;

/// Most slots that a pause lasts: about a day.
pub const LONGEST_PAUSE_SLOTS: u64 = 216_000;
/// Most slots of what keeps somebody from leaving or from saving a position, deposits,
/// withdrawals and trade: about six hours.
pub const LONGEST_EXIT_PAUSE_SLOTS: u64 = 54_000;
/// Most slots without liquidation or deleveraging: about six minutes.
pub const LONGEST_FORCE_PAUSE_SLOTS: u64 = 900;
/// Most slots of a pause that was staged: about 30 days.
pub const LONGEST_STAGED_PAUSE_SLOTS: u64 = 6_480_000;
/// What a pause that was staged may stop.
pub const STAGED_PAUSE_FLAGS: u32 = PAUSE_OPEN | PAUSE_REMOVE_MARGIN;
/// Slots in which at most three pauses of one authority begin: about seven days.
pub const PAUSE_PERIOD_SLOTS: u64 = 1_512_000;

const EXITS: u32 = PAUSE_DEPOSIT | PAUSE_WITHDRAW | PAUSE_TRADE;
const FORCE: u32 = PAUSE_LIQUIDATE | PAUSE_DELEVERAGE;

/// Flags by how long they last at most.
const LIMITS: [(u32, u64); 3] = [
    (PAUSE_ALL & !EXITS & !FORCE, LONGEST_PAUSE_SLOTS),
    (EXITS, LONGEST_EXIT_PAUSE_SLOTS),
    (FORCE, LONGEST_FORCE_PAUSE_SLOTS),
];

/// Whether the clocks of positions in trouble and of prices far from their average run under these
/// flags: not while nobody is liquidated or deleveraged.
#[must_use]
pub const fn clocks_run(flags: u32) -> bool {
    flags & FORCE == 0
}

/// Whether the book says what funding is under these flags: not while nobody may open against it.
#[must_use]
pub const fn book_counts(flags: u32) -> bool {
    flags & (PAUSE_TRADE | PAUSE_OPEN) == 0
}

/// The pause of one authority.
#[repr(C)]
#[derive(
    BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct Pause {
    /// Union of the `PAUSE_*` flags.
    pub flags: u32,
    /// For how long, slots from the newest start; each flag at most as long as it may.
    pub slots: u32,
    /// Slots in which the last three pauses began, the newest first; 0 where there was none.
    pub starts: [u64; 3],
}

impl Pause {
    /// The flags in force in `slot`.
    #[must_use]
    pub fn in_force(&self, slot: u64) -> u32 {
        let [start, ..] = self.starts;
        let lasted = slot.max(start).wrapping_sub(start);
        let of = |(flags, most): (u32, u64)| match lasted < most.min(self.slots.into()) {
            true => self.flags & flags,
            false => 0,
        };
        LIMITS.into_iter().map(of).fold(0, |all, flags| all | flags)
    }

    /// First slot in which `flag` of it is no longer in force; 0 when it never was.
    #[must_use]
    pub fn end(&self, flag: u32) -> u64 {
        let [start, ..] = self.starts;
        let most = LIMITS.into_iter().find(|(flags, _)| flags & flag != 0);
        match most {
            Some((_, most)) if self.flags & flag != 0 => {
                start.wrapping_add(most.min(self.slots.into()))
            }
            _ => 0,
        }
    }

    /// First slot in which nothing of it is in force any more; 0 when it has no flags.
    #[must_use]
    pub fn last_end(&self) -> u64 {
        let flags = LIMITS.into_iter().map(|(flags, _)| self.flags & flags);
        flags.map(|flags| self.end(flags)).max().unwrap_or(0)
    }

    /// Begins a pause of `flags` in `slot` in the place of the one there is; without flags lifts it.
    ///
    /// # Errors
    /// `UnknownPauseFlag`, `PauseTooLong`, `TooManyPauses`.
    pub fn set(&mut self, flags: u32, slots: u64, slot: u64) -> Result<()> {
        ensure(flags & !PAUSE_ALL == 0, BallastError::UnknownPauseFlag)?;
        if flags == 0 {
            (self.flags, self.slots) = (0, 0);
            return Ok(());
        }
        let sound = (1..=LONGEST_PAUSE_SLOTS).contains(&slots);
        ensure(sound, BallastError::PauseTooLong)?;
        let [newest, middle, oldest] = self.starts;
        let free = slot.max(oldest).wrapping_sub(oldest) >= PAUSE_PERIOD_SLOTS;
        ensure(oldest == 0 || free, BallastError::TooManyPauses)?;
        self.flags = flags;
        self.slots = u32::try_from(slots).map_err(|_| BallastError::PauseTooLong)?;
        self.starts = [slot, newest, middle];
        Ok(())
    }
}

/// The longer pause, which took effect as a staged change.
#[repr(C)]
#[derive(
    BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct LongPause {
    /// Union of the `PAUSE_*` flags, of [`STAGED_PAUSE_FLAGS`].
    pub flags: u32,
    /// Always zero; aligns what follows.
    pub _padding: u32,
    /// First slot in which it is no longer in force.
    pub until_slot: u64,
}

impl LongPause {
    /// Checks what may be staged: flags of [`STAGED_PAUSE_FLAGS`] for 1 to
    /// [`LONGEST_STAGED_PAUSE_SLOTS`], or neither flags nor slots, which lifts the one there is.
    ///
    /// # Errors
    /// `LongPauseInvalid`.
    pub const fn check(flags: u32, slots: u64) -> Result<()> {
        let lifts = flags == 0 && slots == 0;
        let stops = flags != 0 && slots != 0 && slots <= LONGEST_STAGED_PAUSE_SLOTS;
        ensure(
            lifts || (stops && flags & !STAGED_PAUSE_FLAGS == 0),
            BallastError::LongPauseInvalid,
        )
    }

    /// One of `flags` that begins in `slot`; the default without flags.
    ///
    /// # Errors
    /// Those of [`Self::check`]; `Overflow`.
    pub fn begun(flags: u32, slots: u64, slot: u64) -> Result<Self> {
        Self::check(flags, slots)?;
        if flags == 0 {
            return Ok(Self::default());
        }
        Ok(Self {
            flags,
            _padding: 0,
            until_slot: slot.checked_add(slots).ok_or(BallastError::Overflow)?,
        })
    }

    /// The flags in force in `slot`.
    #[must_use]
    pub const fn in_force(&self, slot: u64) -> u32 {
        if slot < self.until_slot {
            self.flags
        } else {
            0
        }
    }

    /// First slot in which `flag` of it is no longer in force; 0 when it never was.
    #[must_use]
    pub const fn end(&self, flag: u32) -> u64 {
        if self.flags & flag == 0 {
            0
        } else {
            self.until_slot
        }
    }
}

/// `flags` with what they bring along: without liquidation or deleveraging nobody opens and no
/// margin is taken out.
#[must_use]
pub const fn with_implied(flags: u32) -> u32 {
    if clocks_run(flags) {
        flags
    } else {
        flags | PAUSE_OPEN | PAUSE_REMOVE_MARGIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 5_000_000;

    fn paused(flags: u32, slots: u64) -> Pause {
        let mut pause = Pause::default();
        pause.set(flags, slots, NOW).unwrap();
        pause
    }

    #[test]
    fn each_flag_ends_when_it_has_to() {
        let all = paused(PAUSE_ALL, LONGEST_PAUSE_SLOTS);
        let long = PAUSE_OPEN | PAUSE_REMOVE_MARGIN;
        for (waited, left) in [
            (0, PAUSE_ALL),
            (899, PAUSE_ALL),
            (900, long | EXITS),
            (53_999, long | EXITS),
            (54_000, long),
            (215_999, long),
            (216_000, 0),
        ] {
            assert_eq!(all.in_force(NOW + waited), left, "{waited}");
        }
        assert_eq!(all.end(PAUSE_LIQUIDATE), NOW + 900);
        assert_eq!(all.end(PAUSE_WITHDRAW), NOW + 54_000);
        assert_eq!(all.end(PAUSE_OPEN), NOW + 216_000);
        assert_eq!(all.last_end(), NOW + 216_000);
        assert_eq!(paused(FORCE, LONGEST_PAUSE_SLOTS).last_end(), NOW + 900);
        assert_eq!(Pause::default().last_end(), 0);
        let short = paused(PAUSE_WITHDRAW, 10);
        assert_eq!(short.in_force(NOW + 9), PAUSE_WITHDRAW);
        assert_eq!(short.in_force(NOW + 10), 0);
        assert_eq!(
            (short.end(PAUSE_WITHDRAW), short.end(PAUSE_OPEN)),
            (NOW + 10, 0)
        );
    }

    #[test]
    fn three_begin_in_seven_days_and_lifting_gives_none_back() {
        let mut pause = paused(PAUSE_OPEN, 1);
        pause.set(PAUSE_OPEN, 1, NOW + 1).unwrap();
        pause.set(0, 0, NOW + 1).unwrap();
        pause.set(PAUSE_TRADE, 1, NOW + 2).unwrap();
        let before = pause;
        for slot in [NOW + 2, NOW + PAUSE_PERIOD_SLOTS - 1] {
            let refused = pause.set(PAUSE_OPEN, 1, slot);
            assert_eq!(refused, Err(BallastError::TooManyPauses));
        }
        assert_eq!(pause, before);
        pause.set(0, 0, NOW + 3).unwrap();
        assert_eq!(pause.in_force(NOW + 3), 0);
        pause.set(PAUSE_OPEN, 1, NOW + PAUSE_PERIOD_SLOTS).unwrap();
        let again = pause.set(PAUSE_OPEN, 1, NOW + PAUSE_PERIOD_SLOTS);
        assert_eq!(again, Err(BallastError::TooManyPauses));
        pause
            .set(PAUSE_OPEN, 1, NOW + PAUSE_PERIOD_SLOTS + 1)
            .unwrap();
    }

    #[test]
    fn a_pause_has_a_length_and_flags_with_a_meaning() {
        let mut pause = Pause::default();
        for slots in [0, LONGEST_PAUSE_SLOTS + 1, u64::MAX] {
            let refused = pause.set(PAUSE_OPEN, slots, NOW);
            assert_eq!(refused, Err(BallastError::PauseTooLong));
        }
        let refused = pause.set(PAUSE_ALL + 1, 1, NOW);
        assert_eq!(refused, Err(BallastError::UnknownPauseFlag));
        assert_eq!(pause, Pause::default());
    }

    #[test]
    fn a_longer_pause_keeps_nobody_in_and_ends() {
        let long = LongPause::begun(STAGED_PAUSE_FLAGS, LONGEST_STAGED_PAUSE_SLOTS, NOW).unwrap();
        let end = NOW + 6_480_000;
        assert_eq!(long.in_force(end - 1), PAUSE_OPEN | PAUSE_REMOVE_MARGIN);
        assert_eq!(long.in_force(end), 0);
        assert_eq!((long.end(PAUSE_OPEN), long.end(PAUSE_WITHDRAW)), (end, 0));
        assert_eq!(LongPause::begun(0, 0, NOW), Ok(LongPause::default()));
        let invalid = Err(BallastError::LongPauseInvalid);
        for flag in [
            PAUSE_DEPOSIT,
            PAUSE_WITHDRAW,
            PAUSE_TRADE,
            PAUSE_LIQUIDATE,
            PAUSE_DELEVERAGE,
            PAUSE_ALL + 1,
        ] {
            assert_eq!(LongPause::begun(flag | PAUSE_OPEN, 1, NOW), invalid);
        }
        for (flags, slots) in [
            (PAUSE_OPEN, 0),
            (0, 1),
            (PAUSE_OPEN, LONGEST_STAGED_PAUSE_SLOTS + 1),
            (PAUSE_OPEN, u64::MAX),
        ] {
            assert_eq!(LongPause::begun(flags, slots, NOW), invalid);
        }
    }

    #[test]
    fn without_liquidation_nobody_opens_and_no_margin_leaves() {
        let brought = PAUSE_OPEN | PAUSE_REMOVE_MARGIN;
        for flag in [PAUSE_LIQUIDATE, PAUSE_DELEVERAGE] {
            assert_eq!(with_implied(flag), flag | brought);
            assert!(!clocks_run(flag) && !book_counts(with_implied(flag)));
        }
        for flag in [PAUSE_DEPOSIT, PAUSE_WITHDRAW, PAUSE_OPEN, PAUSE_TRADE] {
            assert_eq!(with_implied(flag), flag);
            assert!(clocks_run(flag));
        }
    }
}
