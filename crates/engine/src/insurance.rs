//! The ledger of a market's insurance.
//!
//! Payments are capped by windows. A window opens with its first payment and
//! remembers the level before it; the cap is a share of that level.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::risk::RiskParams;
use crate::units::{Bps, BPS_ONE};

/// Insurance of one market.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct InsuranceState {
    /// What insurance owns, atoms.
    pub balance: u64,
    /// Slot of the current window's first payment.
    pub window_start_slot: u64,
    /// Balance before the current window's first payment, atoms.
    pub window_level: u64,
    /// Paid in the current window, atoms; 0 while none is open.
    pub window_drawn: u64,
}

impl InsuranceState {
    /// Atoms that may be paid at `slot`: the balance, and no more than the cap
    /// leaves. A cap of 10,000 leaves the balance.
    pub fn available(&self, params: &RiskParams, slot: u64) -> Result<u64, EngineError> {
        if u64::from(params.insurance_draw_cap_bps) >= BPS_ONE {
            return Ok(self.balance);
        }
        let window = self.at(params, slot);
        let cap = Bps::new(params.insurance_draw_cap_bps).floor_of(window.window_level)?;
        match cap.checked_sub(window.window_drawn) {
            Some(left) => Ok(left.min(self.balance)),
            None => Ok(0),
        }
    }

    /// Pays `amount` atoms at `slot`. `InsuranceCap` when more than available.
    pub fn draw(&self, params: &RiskParams, slot: u64, amount: u64) -> Result<Self, EngineError> {
        if amount == 0 {
            return Ok(*self);
        }
        if amount > self.available(params, slot)? {
            return Err(EngineError::InsuranceCap);
        }
        let mut after = self.at(params, slot);
        after.balance = after
            .balance
            .checked_sub(amount)
            .ok_or(EngineError::InsuranceCap)?;
        after.window_drawn = after
            .window_drawn
            .checked_add(amount)
            .ok_or(EngineError::Overflow)?;
        Ok(after)
    }

    /// Whether insurance has paid in the window that `slot` is in, so that its cap limits what it may
    /// still pay.
    #[must_use]
    pub fn is_limited(&self, params: &RiskParams, slot: u64) -> bool {
        let capped = u64::from(params.insurance_draw_cap_bps) < BPS_ONE;
        capped && self.at(params, slot).window_drawn > 0
    }

    /// Adds `amount` atoms; what the current window may pay stays as it is.
    /// `Overflow` when the balance leaves `u64`.
    pub fn credit(&self, amount: u64) -> Result<Self, EngineError> {
        let balance = self
            .balance
            .checked_add(amount)
            .ok_or(EngineError::Overflow)?;
        Ok(Self { balance, ..*self })
    }

    /// The state as a payment at `slot` finds it: a new window when none is open
    /// or the last is over.
    fn at(&self, params: &RiskParams, slot: u64) -> Self {
        let over = slot
            .checked_sub(self.window_start_slot)
            .is_some_and(|age| age >= params.insurance_window_slots);
        if self.window_drawn > 0 && !over {
            return *self;
        }
        Self {
            balance: self.balance,
            window_start_slot: slot,
            window_level: self.balance,
            window_drawn: 0,
        }
    }
}

/// What the program keeps in an insurance vault: the tokens that it has moved in less those that it
/// has moved out. It differs from the ledger by what was paid and earned since the vault was brought
/// level, and those tokens are others'. What the vault holds beyond it nobody's ledger has: somebody
/// sent it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VaultTotal {
    /// Atoms and one more; 0 where they are not known.
    stored: u64,
}

impl VaultTotal {
    /// This many atoms.
    ///
    /// # Errors
    /// `Overflow` for `u64::MAX`.
    pub fn of_atoms(atoms: u64) -> Result<Self, EngineError> {
        let stored = atoms.checked_add(1).ok_or(EngineError::Overflow)?;
        Ok(Self { stored })
    }

    /// As it is stored: the atoms and one more, 0 where they are not known.
    #[must_use]
    pub const fn of_stored(stored: u64) -> Self {
        Self { stored }
    }

    /// See [`Self::of_stored`].
    #[must_use]
    pub const fn stored(self) -> u64 {
        self.stored
    }

    /// With `amount` atoms more, where it is known.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn with(self, amount: u64) -> Result<Self, EngineError> {
        match self.stored.checked_sub(1) {
            None => Ok(self),
            Some(atoms) => {
                let sum = atoms.checked_add(amount);
                Self::of_atoms(sum.ok_or(EngineError::Overflow)?)
            }
        }
    }

    /// With `amount` atoms less, where it is known; `None` where it is less than that.
    #[must_use]
    pub fn without(self, amount: u64) -> Option<Self> {
        match self.stored.checked_sub(1) {
            None => Some(self),
            Some(atoms) => Self::of_atoms(atoms.checked_sub(amount)?).ok(),
        }
    }

    /// What a vault with `vault` atoms holds that nobody's ledger has, atoms; 0 where the total is not
    /// known, so that nothing of a ledger is ever taken for it.
    ///
    /// # Errors
    /// `Unbalanced` for a vault with less than the program keeps in it.
    pub fn stray(self, vault: u64) -> Result<u64, EngineError> {
        let kept = self.stored.checked_sub(1).unwrap_or(vault);
        vault.checked_sub(kept).ok_or(EngineError::Unbalanced)
    }
}
