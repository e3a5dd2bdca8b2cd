//! Insurance: a balance and the cap of its window.

use ballast_engine::risk::RiskParams;

use super::number::{floor, part, ONE};
use super::refusal::{unsigned, Verdict};

/// Insurance of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Insurance {
    /// What it owns.
    pub balance: i128,
    /// Slot of the window's first payment.
    pub window_start: u64,
    /// Balance before that.
    pub window_level: i128,
    /// Paid in the window.
    pub window_drawn: i128,
}

impl Insurance {
    /// What may be paid at `slot`.
    pub fn available(&self, params: &RiskParams, slot: u64) -> i128 {
        let cap = i128::from(params.insurance_draw_cap_bps);
        if cap >= ONE {
            return self.balance;
        }
        let (level, drawn) = if self.is_open(params, slot) {
            (self.window_level, self.window_drawn)
        } else {
            (self.balance, 0)
        };
        let left = floor(&part(level, cap, ONE)) - drawn;
        left.clamp(0, self.balance)
    }

    /// Pays what is available.
    pub fn pay(&mut self, params: &RiskParams, slot: u64, amount: i128) {
        if amount == 0 {
            return;
        }
        if !self.is_open(params, slot) {
            self.window_start = slot;
            self.window_level = self.balance;
            self.window_drawn = 0;
        }
        self.balance -= amount;
        self.window_drawn += amount;
    }

    /// Receives.
    pub fn receive(&mut self, amount: i128) -> Verdict<()> {
        self.balance = unsigned(self.balance + amount)?;
        Ok(())
    }

    fn is_open(&self, params: &RiskParams, slot: u64) -> bool {
        self.window_drawn > 0 && slot < self.window_start + params.insurance_window_slots
    }
}
