//! The ledger of a market's insurance: what it owns, and how much of that it may pay.
//!
//! With `B` what insurance owns, of which the last `T` atoms are staked, and `D` what it paid lately, by
//! [`Window`] never less than in any interval of the window's length that ends now,
//!
//! ```text
//! available = min(B, max(0, floor(cap (B + D) / 10,000) - D))
//! ```
//!
//! `B + D` is what insurance would own had it paid nothing, which paying does not change: in how many
//! pieces and in which order deficits are paid makes no difference to how much is paid. A cap of 10,000
//! is none.
//!
//! A payment that leaves nothing available by the cap limits insurance: it pays nothing more until
//! `D <= floor(resume (B + D) / 10,000)`, so that payments and deleveraging do not take turns with every
//! bucket that is forgotten. A resume level of 0 is no such limit.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::risk::RiskParams;
use crate::units::{Bps, BPS_ONE};
use crate::window::Window;

/// What a market stores of its insurance in one place: what it owns, and the newest half of its
/// [`Window`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct InsuranceState {
    /// What insurance owns, the stakes included, atoms.
    pub balance: u64,
    /// Number of the newest bucket, see [`Window::bucket`].
    pub bucket: u64,
    /// Paid in the newest bucket and in the one before it, atoms.
    pub drawn: [u64; 2],
}

impl InsuranceState {
    /// Adds `amount` atoms that nobody staked. `Overflow` when the balance leaves `u64`.
    pub fn credit(&self, amount: u64) -> Result<Self, EngineError> {
        let balance = self
            .balance
            .checked_add(amount)
            .ok_or(EngineError::Overflow)?;
        Ok(Self { balance, ..*self })
    }
}

/// Insurance of one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Insurance {
    /// What it owns, atoms.
    pub balance: u64,
    /// The part of it that is staked, atoms: paid last.
    pub staked: u64,
    /// Whether a payment left nothing available by the cap, and insurance has not resumed since.
    pub limited: bool,
    /// What it paid lately.
    pub window: Window,
}

impl Insurance {
    /// Atoms that may be paid at `slot`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn available(&self, params: &RiskParams, slot: u64) -> Result<u64, EngineError> {
        if !is_capped(params) {
            return Ok(self.balance);
        }
        let now = self.at(params, slot)?;
        if now.limited {
            return Ok(0);
        }
        Ok(now.room(params)?.min(self.balance))
    }

    /// Pays `amount` atoms at `slot`: what nobody staked first. `InsuranceCap` when more than available.
    pub fn draw(&self, params: &RiskParams, slot: u64, amount: u64) -> Result<Self, EngineError> {
        if amount == 0 {
            return Ok(*self);
        }
        if amount > self.available(params, slot)? {
            return Err(EngineError::InsuranceCap);
        }
        let now = self.at(params, slot)?;
        let balance = now.balance.checked_sub(amount);
        let balance = balance.ok_or(EngineError::InsuranceCap)?;
        let mut after = Self {
            balance,
            staked: now.staked.min(balance),
            limited: false,
            window: now.window.with(amount)?,
        };
        after.limited =
            is_capped(params) && params.insurance_resume_bps > 0 && after.room(params)? == 0;
        Ok(after)
    }

    /// Adds `amount` atoms that nobody staked.
    ///
    /// # Errors
    /// `Overflow` when the balance leaves `u64`.
    pub fn credit(&self, amount: u64) -> Result<Self, EngineError> {
        let balance = self.balance.checked_add(amount);
        Ok(Self {
            balance: balance.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// What nobody staked, atoms: it pays first.
    #[must_use]
    pub const fn own(&self) -> u64 {
        match self.balance.checked_sub(self.staked) {
            Some(own) => own,
            None => 0,
        }
    }

    /// Adds `amount` atoms that somebody stakes.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn stake(&self, amount: u64) -> Result<Self, EngineError> {
        let staked = self.staked.checked_add(amount);
        Ok(Self {
            staked: staked.ok_or(EngineError::Overflow)?,
            ..self.credit(amount)?
        })
    }

    /// Pays `amount` atoms of the stakes to who leaves, at `slot`. Whether insurance is limited is
    /// decided before: that it has less does not make it pay less than it had begun to.
    ///
    /// # Errors
    /// `Overflow` for more than is staked.
    pub fn unstake(
        &self,
        params: &RiskParams,
        slot: u64,
        amount: u64,
    ) -> Result<Self, EngineError> {
        let less = |of: u64| of.checked_sub(amount).ok_or(EngineError::Overflow);
        Ok(Self {
            balance: less(self.balance)?,
            staked: less(self.staked)?,
            ..self.at(params, slot)?
        })
    }

    /// What the stakes are worth to who leaves, atoms, where the positions lack `beyond_own` atoms more
    /// than [`Self::own`].
    #[must_use]
    pub const fn stakes_after(&self, beyond_own: u64) -> u64 {
        match self.staked.checked_sub(beyond_own) {
            Some(left) => left,
            None => 0,
        }
    }

    /// Most that leaves now, atoms: what insurance has above the floor of its market.
    #[must_use]
    pub const fn above_floor(&self, params: &RiskParams) -> u64 {
        match self.balance.checked_sub(params.stake_floor_atoms) {
            Some(above) => above,
            None => 0,
        }
    }

    /// Whether insurance has paid lately, so that its cap limits what it may still pay.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn has_paid(&self, params: &RiskParams, slot: u64) -> Result<bool, EngineError> {
        Ok(is_capped(params) && self.paid(params, slot)? > 0)
    }

    /// What was paid lately, atoms: what the cap counts at `slot`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn paid(&self, params: &RiskParams, slot: u64) -> Result<u64, EngineError> {
        self.rolled(params, slot)?.total()
    }

    /// Insurance as `slot` finds it: with the buckets of then, and no longer limited where it has
    /// resumed.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn at(&self, params: &RiskParams, slot: u64) -> Result<Self, EngineError> {
        let mut now = Self {
            window: self.rolled(params, slot)?,
            ..*self
        };
        let resume = params.insurance_resume_bps;
        let level = Bps::new(resume).floor_of(now.unpaid()?)?;
        let waits = resume > 0 && now.window.total()? > level;
        now.limited = self.limited && waits && is_capped(params);
        Ok(now)
    }

    fn rolled(&self, params: &RiskParams, slot: u64) -> Result<Window, EngineError> {
        self.window.rolled(slot, params.insurance_window_slots)
    }

    /// What it would own had it paid nothing lately, atoms.
    fn unpaid(&self) -> Result<u64, EngineError> {
        let sum = self.balance.checked_add(self.window.total()?);
        sum.ok_or(EngineError::Overflow)
    }

    /// What the cap lets it pay in a window at all, as `slot` finds it, atoms.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn draw_cap(&self, params: &RiskParams, slot: u64) -> Result<u64, EngineError> {
        self.at(params, slot)?.cap(params)
    }

    fn cap(&self, params: &RiskParams) -> Result<u64, EngineError> {
        Bps::new(params.insurance_draw_cap_bps).floor_of(self.unpaid()?)
    }

    /// What the cap leaves, atoms.
    fn room(&self, params: &RiskParams) -> Result<u64, EngineError> {
        match self.cap(params)?.checked_sub(self.window.total()?) {
            Some(left) => Ok(left),
            None => Ok(0),
        }
    }
}

/// The part of `amount` that insurance earns that goes to the stakes, where there are any, atoms;
/// rounded down.
///
/// # Errors
/// `Overflow`.
pub fn stakes_part(params: &RiskParams, amount: u64) -> Result<u64, EngineError> {
    Bps::new(params.stake_income_bps).floor_of(amount)
}

fn is_capped(params: &RiskParams) -> bool {
    u64::from(params.insurance_draw_cap_bps) < BPS_ONE
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
