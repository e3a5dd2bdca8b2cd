//! Insurance: a balance and the cap of what it pays in a window.

use ballast_engine::risk::RiskParams;

use super::number::{floor, part, ONE};
use super::refusal::{unsigned, Verdict};

/// Insurance of a market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insurance {
    /// What it owns.
    pub balance: i128,
    /// The part of it that is staked.
    pub staked: i128,
    /// Whether a payment left nothing of the cap, and it has not resumed since.
    pub limited: bool,
    /// Its payments, each with its slot.
    pub payments: Vec<(u64, i128)>,
}

impl Insurance {
    /// What was paid in the third of the window that `slot` is in and in the three before it.
    pub fn paid(&self, params: &RiskParams, slot: u64) -> i128 {
        let third = params.insurance_window_slots.div_ceil(3);
        let counts = |at: u64| slot / third - at / third < 4;
        let counted = self.payments.iter().filter(|(at, _)| counts(*at));
        counted.map(|(_, amount)| amount).sum()
    }

    /// What the cap leaves; `None` without one.
    fn room(&self, params: &RiskParams, slot: u64) -> Option<i128> {
        let cap = i128::from(params.insurance_draw_cap_bps);
        let paid = self.paid(params, slot);
        let most = floor(&part(self.balance + paid, cap, ONE));
        (cap < ONE).then(|| (most - paid).max(0))
    }

    /// Whether it waits to resume.
    fn waits(&self, params: &RiskParams, slot: u64) -> bool {
        let resume = i128::from(params.insurance_resume_bps);
        let paid = self.paid(params, slot);
        let level = floor(&part(self.balance + paid, resume, ONE));
        self.limited && resume > 0 && paid > level
    }

    /// What may be paid at `slot`.
    pub fn available(&self, params: &RiskParams, slot: u64) -> i128 {
        match self.room(params, slot) {
            None => self.balance,
            Some(_) if self.waits(params, slot) => 0,
            Some(room) => room.min(self.balance),
        }
    }

    /// Pays what is available.
    pub fn pay(&mut self, params: &RiskParams, slot: u64, amount: i128) {
        if amount == 0 {
            return;
        }
        self.balance -= amount;
        self.staked = self.staked.min(self.balance);
        self.payments.push((slot, amount));
        let spent = self.room(params, slot) == Some(0);
        self.limited = spent && params.insurance_resume_bps > 0;
    }

    /// Whether it pays nothing until it resumes.
    pub fn is_limited(&self, params: &RiskParams, slot: u64) -> bool {
        i128::from(params.insurance_draw_cap_bps) < ONE && self.waits(params, slot)
    }

    /// What nobody staked.
    pub fn own(&self) -> i128 {
        self.balance - self.staked
    }

    /// Earns fees; a part belongs to who has staked.
    pub fn earn(&mut self, params: &RiskParams, amount: i128) -> Verdict<()> {
        let income = i128::from(params.stake_income_bps);
        if self.staked > 0 {
            self.staked += floor(&part(amount, income, ONE));
        }
        self.receive(amount)
    }

    /// Receives what nobody staked.
    pub fn receive(&mut self, amount: i128) -> Verdict<()> {
        self.balance = unsigned(self.balance + amount)?;
        Ok(())
    }
}
