//! Shares of a fund: of a market's pool, and of the stakes behind its insurance.
//!
//! A fund of `N` atoms with `S` shares counts as if it had [`VIRTUAL_SHARES`] shares and one atom more,
//! which nobody owns. So the first share has a price, and whoever raises the worth of a share by a gift,
//! to have the next deposit rounded down, gives a thousand times what that deposit loses.
//!
//! Leaving takes a request, a delay and a window in which it is paid. A request fixes the most that its
//! shares will be paid: they bear losses until then and gain nothing.

use crate::error::EngineError;
use crate::math::mul_div_floor;

/// Shares that a fund counts with beside those that somebody owns.
pub const VIRTUAL_SHARES: u64 = 1_000;
/// Most shares of a fund.
pub const MAX_SHARES: u64 = 1 << 62;
/// A fund is spent when one of its atoms stands for more than this times [`VIRTUAL_SHARES`] shares: a
/// share is worth less than a thousandth of what the first one cost.
pub const SPENT: u64 = 1_000;

/// What a fund is worth, and its shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fund {
    /// Its worth, atoms.
    pub atoms: u64,
    /// Its shares.
    pub shares: u64,
}

impl Fund {
    fn with_virtual(&self) -> Result<(u64, u64), EngineError> {
        let atoms = self.atoms.checked_add(1);
        let shares = self.shares.checked_add(VIRTUAL_SHARES);
        match (atoms, shares) {
            (Some(atoms), Some(shares)) => Ok((atoms, shares)),
            _ => Err(EngineError::Overflow),
        }
    }

    /// Whether so little is left that no deposit may share in it.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        const PER_ATOM: u64 = VIRTUAL_SHARES.wrapping_mul(SPENT);
        let least = self.shares / PER_ATOM;
        self.atoms < least
    }

    /// Shares for a deposit of `atoms`, rounded down.
    ///
    /// # Errors
    /// `ZeroAmount` for what buys no share; `FundSpent`; `FundFull` beyond [`MAX_SHARES`]; `Overflow`.
    pub fn mint(&self, atoms: u64) -> Result<u64, EngineError> {
        if self.is_spent() {
            return Err(EngineError::FundSpent);
        }
        let (worth, shares) = self.with_virtual()?;
        let minted = mul_div_floor(atoms, shares, worth).map_err(|_| EngineError::FundFull)?;
        if minted == 0 {
            return Err(EngineError::ZeroAmount);
        }
        let all = self.shares.checked_add(minted);
        all.filter(|all| *all <= MAX_SHARES)
            .ok_or(EngineError::FundFull)?;
        Ok(minted)
    }

    /// What `shares` of the fund are worth, atoms, rounded down.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn value(&self, shares: u64) -> Result<u64, EngineError> {
        let (worth, all) = self.with_virtual()?;
        mul_div_floor(shares, worth, all)
    }
}

/// The shares of a fund that somebody owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// All of them.
    pub shares: u64,
    /// Those that are to leave.
    pub requested: u64,
}

impl Outstanding {
    /// The fund that they are of, which is worth `atoms`.
    #[must_use]
    pub const fn fund(&self, atoms: u64) -> Fund {
        Fund {
            atoms,
            shares: self.shares,
        }
    }

    /// Sells shares for `atoms` to who has `holding`, of a fund that is worth `worth` atoms: the shares
    /// afterwards, what is owned afterwards, and the new ones.
    ///
    /// # Errors
    /// Those of [`Fund::mint`].
    pub fn join(
        &self,
        worth: u64,
        atoms: u64,
        holding: &Holding,
    ) -> Result<(Self, Holding, u64), EngineError> {
        let minted = self.fund(worth).mint(atoms)?;
        let after = holding.with(minted)?;
        let shares = self.shares.checked_add(minted);
        let all = Self {
            shares: shares.ok_or(EngineError::Overflow)?,
            ..*self
        };
        Ok((all, after, minted))
    }

    /// What somebody asks for changes from that of `before` to that of `after`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn request(&self, before: &Holding, after: &Holding) -> Result<Self, EngineError> {
        let others = self.requested.checked_sub(before.requested);
        let all = others.and_then(|others| others.checked_add(after.requested));
        Ok(Self {
            requested: all.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// The shares of an exit from `before` end.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn leave(&self, before: &Holding, exit: &Exit) -> Result<Self, EngineError> {
        let shares = self.shares.checked_sub(exit.shares);
        let left = Self {
            shares: shares.ok_or(EngineError::Overflow)?,
            ..*self
        };
        left.request(before, &exit.left)
    }

    /// What must hold of the shares of every fund.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.requested <= self.shares && self.shares <= MAX_SHARES
    }
}

/// What somebody owns of a fund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Shares.
    pub shares: u64,
    /// Those of them that are to leave.
    pub requested: u64,
    /// Most that they will be paid, atoms.
    pub requested_value: u64,
    /// Slot of the request.
    pub requested_slot: u64,
}

/// When a request is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitTerms {
    /// Slots from the request to the first in which it may be paid.
    pub delay_slots: u64,
    /// Slots in which it may be paid.
    pub window_slots: u64,
}

/// When what was staked behind insurance is paid: after 5 days of 400 ms slots, for 2 days.
pub const STAKE_TERMS: ExitTerms = ExitTerms {
    delay_slots: 1_080_000,
    window_slots: 432_000,
};

impl ExitTerms {
    /// First slot in which what was requested in `slot` is paid; `None` where no slot is so late.
    #[must_use]
    pub const fn due_slot(&self, slot: u64) -> Option<u64> {
        slot.checked_add(self.delay_slots)
    }

    /// First slot in which it is not any more; `None` where no slot is so late.
    #[must_use]
    pub fn lapses_slot(&self, slot: u64) -> Option<u64> {
        let due = self.due_slot(slot);
        due.and_then(|due| due.checked_add(self.window_slots))
    }
}

/// A payment to who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// What is paid, atoms.
    pub atoms: u64,
    /// Shares that end.
    pub shares: u64,
    /// What is owned afterwards.
    pub left: Holding,
}

impl Holding {
    /// With `shares` more. A request stays as it is.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn with(&self, shares: u64) -> Result<Self, EngineError> {
        let shares = self.shares.checked_add(shares);
        Ok(Self {
            shares: shares.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// Requests that `shares` leave in `slot`, in the place of what was requested before.
    ///
    /// # Errors
    /// `ZeroAmount`; `SharesMissing` for more than there are; `Overflow`.
    pub fn request(&self, shares: u64, fund: &Fund, slot: u64) -> Result<Self, EngineError> {
        if shares == 0 {
            return Err(EngineError::ZeroAmount);
        }
        if shares > self.shares {
            return Err(EngineError::SharesMissing);
        }
        Ok(Self {
            shares: self.shares,
            requested: shares,
            requested_value: fund.value(shares)?,
            requested_slot: slot,
        })
    }

    /// Withdraws the request.
    ///
    /// # Errors
    /// `RequestMissing`.
    pub fn cancel(&self) -> Result<Self, EngineError> {
        if self.requested == 0 {
            return Err(EngineError::RequestMissing);
        }
        Ok(Self {
            shares: self.shares,
            ..Self::default()
        })
    }

    /// Fails unless the request may be paid in `slot`.
    ///
    /// # Errors
    /// `RequestMissing`; `RequestTooEarly` before the delay is over; `RequestLapsed` after the window:
    /// request again.
    pub fn require_due(&self, terms: &ExitTerms, slot: u64) -> Result<(), EngineError> {
        if self.requested == 0 {
            return Err(EngineError::RequestMissing);
        }
        let due = terms.due_slot(self.requested_slot);
        let lapses = terms.lapses_slot(self.requested_slot);
        if due.is_none_or(|due| slot < due) {
            Err(EngineError::RequestTooEarly)
        } else if lapses.is_some_and(|lapses| slot >= lapses) {
            Err(EngineError::RequestLapsed)
        } else {
            Ok(())
        }
    }

    /// Slots until [`Self::require_due`] lets the request be paid; 0 from then on.
    #[must_use]
    pub fn due_in(&self, terms: &ExitTerms, slot: u64) -> u64 {
        let due = terms.due_slot(self.requested_slot).unwrap_or(u64::MAX);
        due.max(slot).wrapping_sub(slot)
    }

    /// Pays what was requested out of `fund`, `available` atoms at most: the lesser of what the shares
    /// were worth then and are worth now. Where less is available, that part is paid and as many shares
    /// end, rounded up; the rest stays requested with its part of the value, rounded down.
    ///
    /// # Errors
    /// `RequestMissing`; `Overflow`.
    pub fn pay(&self, fund: &Fund, available: u64) -> Result<Exit, EngineError> {
        if self.requested == 0 {
            return Err(EngineError::RequestMissing);
        }
        let due = fund.value(self.requested)?.min(self.requested_value);
        if available >= due {
            return self.exit(due, self.requested, 0);
        }
        // Less than what is due, which is therefore not zero.
        let shares = crate::math::mul_div_ceil(self.requested, available, due)?;
        let paid = crate::math::mul_div_ceil(self.requested_value, available, due)?;
        let left = self.requested_value.checked_sub(paid);
        self.exit(available, shares, left.ok_or(EngineError::Overflow)?)
    }

    /// Pays all shares at once, whatever was requested, of a fund that is at an end.
    ///
    /// # Errors
    /// `SharesMissing` without any; `Overflow`.
    pub fn pay_all(&self, fund: &Fund) -> Result<Exit, EngineError> {
        if self.shares == 0 {
            return Err(EngineError::SharesMissing);
        }
        Ok(Exit {
            atoms: fund.value(self.shares)?,
            shares: self.shares,
            left: Self::default(),
        })
    }

    fn exit(&self, atoms: u64, shares: u64, value_left: u64) -> Result<Exit, EngineError> {
        let less = |of: u64| of.checked_sub(shares).ok_or(EngineError::Overflow);
        let requested = less(self.requested)?;
        let (requested_value, requested_slot) = match requested {
            0 => (0, 0),
            _ => (value_left, self.requested_slot),
        };
        let left = Self {
            shares: less(self.shares)?,
            requested,
            requested_value,
            requested_slot,
        };
        Ok(Exit {
            atoms,
            shares,
            left,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: ExitTerms = ExitTerms {
        delay_slots: 100,
        window_slots: 20,
    };

    fn fund(atoms: u64, shares: u64) -> Fund {
        Fund { atoms, shares }
    }

    #[test]
    fn a_first_deposit_gets_a_thousand_shares_an_atom() {
        assert_eq!(fund(0, 0).mint(5), Ok(5_000));
        assert_eq!(fund(5, 5_000).value(5_000), Ok(5));
        // What was there before anybody owned a share belongs to nobody.
        assert_eq!(fund(99, 0).mint(100), Ok(1_000));
    }

    #[test]
    fn in_and_out_at_one_worth_never_pays() {
        for atoms in [0, 1, 7, 999, 1 << 40] {
            for shares in [0, 1, 1_000, 12_345, atoms * 1_000] {
                for amount in [1, 2, 1_000_003, 1 << 41] {
                    let before = fund(atoms, shares);
                    let Ok(minted) = before.mint(amount) else {
                        continue;
                    };
                    let after = fund(atoms + amount, shares + minted);
                    assert!(after.value(minted).unwrap() <= amount);
                    // Nor does it take from those who were there.
                    assert!(after.value(shares).unwrap() >= before.value(shares).unwrap());
                }
            }
        }
    }

    #[test]
    fn robbing_the_second_depositor_by_a_gift_costs_a_thousand_times_its_loss() {
        for gift in [1_000_000, 999_999_999, 1 << 40] {
            for victim in [1_000_000, 77_777_777] {
                let own = fund(0, 0).mint(1).unwrap();
                let ready = fund(1 + gift, own);
                let Ok(shares) = ready.mint(victim) else {
                    continue;
                };
                let after = fund(1 + gift + victim, own + shares);
                let victims_loss = victim - after.value(shares).unwrap();
                let thiefs_loss = 1 + gift - after.value(own).unwrap();
                // Half of the gift belongs to the virtual shares.
                assert!(thiefs_loss + victims_loss + 1 >= gift / 2);
                assert!(
                    victims_loss * 1_000 <= gift,
                    "{gift} {victim} {victims_loss}"
                );
            }
        }
    }

    #[test]
    fn a_spent_or_full_fund_takes_nothing() {
        let spent = fund(4, 5_000_000);
        assert!(spent.is_spent() && !fund(5, 5_000_000).is_spent());
        assert_eq!(spent.mint(1_000), Err(EngineError::FundSpent));
        assert_eq!(fund(0, 0).mint(u64::MAX), Err(EngineError::FundFull));
        assert_eq!(
            fund(1 << 52, MAX_SHARES).mint(1 << 52),
            Err(EngineError::FundFull)
        );
        assert_eq!(fund(10_000, 0).mint(9), Err(EngineError::ZeroAmount));
    }

    fn asked() -> Holding {
        let all = Holding::default().with(5_000).unwrap();
        all.request(4_000, &fund(10, 10_000), 1_000).unwrap()
    }

    #[test]
    fn a_request_is_due_in_its_window_only() {
        let asked = asked();
        let due = |slot| asked.require_due(&TERMS, slot);
        for early in [0, 999, 1_000, 1_099] {
            assert_eq!(due(early), Err(EngineError::RequestTooEarly));
        }
        assert_eq!((due(1_100), due(1_119)), (Ok(()), Ok(())));
        assert_eq!(due(1_120), Err(EngineError::RequestLapsed));
        assert_eq!(
            (asked.due_in(&TERMS, 1_030), asked.due_in(&TERMS, 1_500)),
            (70, 0)
        );
        let none = asked.cancel().unwrap();
        assert_eq!(
            none.require_due(&TERMS, 1_100),
            Err(EngineError::RequestMissing)
        );
        assert_eq!(
            (none.cancel(), none.shares),
            (Err(EngineError::RequestMissing), 5_000)
        );
        assert_eq!(
            asked.request(5_001, &fund(1, 1), 1),
            Err(EngineError::SharesMissing)
        );
        assert_eq!(
            asked.request(0, &fund(1, 1), 1),
            Err(EngineError::ZeroAmount)
        );
    }

    #[test]
    fn who_leaves_bears_losses_and_gains_nothing() {
        let asked = asked();
        assert_eq!(asked.requested_value, 4);
        let gained = asked.pay(&fund(1_000, 10_000), u64::MAX).unwrap();
        assert_eq!(
            (gained.atoms, gained.shares, gained.left.shares),
            (4, 4_000, 1_000)
        );
        let lost = asked.pay(&fund(5, 10_000), u64::MAX).unwrap();
        assert_eq!((lost.atoms, lost.left.requested), (2, 0));
    }

    #[test]
    fn a_part_is_paid_where_less_is_available() {
        let all = Holding::default().with(1_000_000).unwrap();
        let rich = fund(1_000, 1_000_000);
        let asked = all.request(1_000_000, &rich, 7).unwrap();
        let first = asked.pay(&rich, 333).unwrap();
        assert_eq!((first.atoms, first.shares), (333, 333_000));
        assert_eq!(
            (first.left.requested, first.left.requested_slot),
            (667_000, 7)
        );
        let rest = first.left.pay(&fund(667, 667_000), u64::MAX).unwrap();
        assert!(rest.atoms == 667 && rest.left == Holding::default());
        // Nothing is available: nothing ends.
        assert_eq!(
            asked.pay(&rich, 0).unwrap(),
            Exit {
                atoms: 0,
                shares: 0,
                left: asked
            }
        );
        assert_eq!(all.pay_all(&rich).unwrap().shares, 1_000_000);
    }
}
