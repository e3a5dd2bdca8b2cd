//! What a market has: fees, insurance and its vault, and who pays a deficit.

use ballast_engine::{
    held::{shortfall, PriceRange},
    insurance::stakes_part,
    queue::QueueRef,
    window::Window,
};

use super::*;

impl Market {
    /// Insurance, put together from where it is stored.
    #[must_use]
    pub const fn insurance_fund(&self) -> Insurance {
        let [newest, second] = self.insurance.drawn;
        let [third, last] = self.insurance_older;
        Insurance {
            balance: self.insurance.balance,
            staked: self.staked_atoms,
            limited: self.insurance_limited > 0,
            window: Window {
                bucket: self.insurance.bucket,
                sums: [newest, second, third, last],
            },
        }
    }

    /// Records it.
    pub fn store_insurance(&mut self, insurance: &Insurance) {
        let [newest, second, third, last] = insurance.window.sums;
        self.insurance = InsuranceState {
            balance: insurance.balance,
            bucket: insurance.window.bucket,
            drawn: [newest, second],
        };
        self.insurance_older = [third, last];
        self.insurance_limited = u8::from(insurance.limited);
        self.staked_atoms = insurance.staked;
    }

    /// Puts other risk parameters in force in `slot`. What insurance paid lately goes on counting for the
    /// cap, also where the length of the window changes. The parameters before.
    ///
    /// # Errors
    /// `CrossTolerance`, `Overflow`.
    pub fn replace_risk(&mut self, risk: &RiskParams, slot: u64) -> Result<RiskParams> {
        self.require_cross_tolerance(risk)?;
        let (from, to) = (
            self.risk.insurance_window_slots,
            risk.insurance_window_slots,
        );
        let mut insurance = self.insurance_fund();
        insurance.window = insurance.window.relabelled(slot, from, to)?;
        self.store_insurance(&insurance);
        Ok(core::mem::replace(&mut self.risk, *risk))
    }

    /// What insurance may pay in `slot`, atoms.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn insurance_available(&self, slot: u64) -> core::result::Result<u64, EngineError> {
        self.insurance_fund().available(&self.risk, slot)
    }

    /// What the positions of both queues lack at these prices beyond `atoms`, atoms; see [`shortfall`].
    ///
    /// # Errors
    /// `TreeCorrupt`, `Overflow`.
    pub fn lacking_beyond(
        &self,
        long: &QueueRef<'_>,
        short: &QueueRef<'_>,
        prices: PriceRange,
        atoms: u64,
    ) -> core::result::Result<u64, EngineError> {
        let (index, lots) = (self.funding.index, self.open_interest_lots);
        shortfall(long, short, prices, index, lots, atoms)
    }

    /// The prices that count for who leaves a fund of this market.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn cautious_prices(
        &self,
        touched: &Touched,
    ) -> core::result::Result<PriceRange, EngineError> {
        let average = touched.price.average(self.oracle.atoms_per_lot_tick);
        PriceRange::cautious(&touched.mark, average)
    }

    /// What may be paid of deficits in `slot`, atoms: what insurance may pay, and the held profit after
    /// it.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn deficit_cover(&self, slot: u64) -> core::result::Result<u64, EngineError> {
        let insurance = self.insurance_available(slot)?;
        let cover = insurance.checked_add(self.held.available());
        cover.ok_or(EngineError::Overflow)
    }

    /// Pays `atoms` of a deficit in `slot`: insurance as far as it may, held profit the rest. How much
    /// each paid, atoms.
    ///
    /// # Errors
    /// `InsuranceCap` for more than [`Self::deficit_cover`]; `Overflow`.
    pub fn pay_deficit(
        &mut self,
        atoms: u64,
        slot: u64,
    ) -> core::result::Result<DeficitPaid, EngineError> {
        let insurance = self.insurance_fund();
        let insured = atoms.min(insurance.available(&self.risk, slot)?);
        let held = atoms.checked_sub(insured).ok_or(EngineError::Overflow)?;
        if held > self.held.available() {
            return Err(EngineError::InsuranceCap);
        }
        let (ledger, rest) = self.held.pay(held)?;
        let drawn = insurance.draw(&self.risk, slot, insured)?;
        self.store_insurance(&drawn.credit(rest)?);
        self.held = ledger;
        Ok(DeficitPaid { insured, held })
    }

    /// Pays `atoms` to a pool that took over what insurance rescued.
    ///
    /// # Errors
    /// `InsuranceCap` for more than insurance may pay; `Overflow`.
    pub fn pay_premium(&mut self, atoms: u64, slot: u64) -> core::result::Result<(), EngineError> {
        let drawn = self.insurance_fund().draw(&self.risk, slot, atoms)?;
        self.store_insurance(&drawn);
        Ok(())
    }

    /// Books trading fees: `market` atoms to the fee bucket, `insurance` atoms to insurance.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn book_fees(&mut self, market: u64, insurance: u64) -> Result<()> {
        self.earn_insurance(insurance)?;
        self.fees_atoms = self
            .fees_atoms
            .checked_add(market)
            .ok_or(BallastError::Overflow)?;
        Ok(())
    }

    /// Books what insurance earns, `atoms`: the stakes' part to them where there are any, the rest to
    /// what nobody staked.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn earn_insurance(&mut self, atoms: u64) -> Result<()> {
        self.insurance = self.insurance.credit(atoms)?;
        if self.staked_atoms > 0 {
            let part = stakes_part(&self.risk, atoms)?;
            let staked = self.staked_atoms.checked_add(part);
            self.staked_atoms = staked.ok_or(BallastError::Overflow)?;
        }
        Ok(())
    }

    /// The fees, and when some were paid out last.
    #[must_use]
    pub const fn fee_bucket(&self) -> FeeBucket {
        FeeBucket {
            atoms: self.fees_atoms,
            paid_at: self.fees_paid_at,
        }
    }

    /// Pays fees out at `now`, unix seconds. How much the treasury gets, atoms.
    ///
    /// # Errors
    /// Those of [`FeeBucket::pay_out`].
    pub fn pay_out_fees(&mut self, now: i64) -> Result<u64> {
        let bucket = self.fee_bucket();
        let Payout { atoms, left } = bucket.pay_out(&self.risk, self.mode(), now)?;
        self.fees_atoms = left.atoms;
        self.fees_paid_at = left.paid_at;
        Ok(atoms)
    }

    /// Takes `atoms` out of an insurance vault with `vault` atoms: they were booked.
    ///
    /// # Errors
    /// `InsuranceNotLevel` where the vault has to be brought level first.
    pub fn leave_vault(&mut self, vault: u64, atoms: u64) -> Result<()> {
        ensure(vault >= atoms, BallastError::InsuranceNotLevel)?;
        let total = self.vault_total().without(atoms);
        self.store_vault_total(total.ok_or(BallastError::InsuranceNotLevel)?);
        Ok(())
    }

    /// Pays out all of insurance that nobody staked at `now`, unix seconds, of a vault with `vault` atoms.
    /// How much, atoms.
    ///
    /// # Errors
    /// `InsuranceRestNotDue`; `ZeroAmount` where there is nothing; `InsuranceNotLevel`.
    pub fn pay_out_insurance(&mut self, vault: u64, now: i64) -> Result<u64> {
        let closed = self.mode() == MarketMode::Settled;
        ensure(
            closed && self.wind_down.ended_long_ago(now),
            BallastError::InsuranceRestNotDue,
        )?;
        let atoms = self.insurance_fund().own();
        ensure(atoms > 0, BallastError::ZeroAmount)?;
        self.leave_vault(vault, atoms)?;
        self.insurance.balance = self.staked_atoms;
        Ok(atoms)
    }

    /// What the program keeps in the insurance vault.
    #[must_use]
    pub const fn vault_total(&self) -> VaultTotal {
        VaultTotal::of_stored(self.insurance_vault_total)
    }

    /// Records it.
    pub const fn store_vault_total(&mut self, total: VaultTotal) {
        self.insurance_vault_total = total.stored();
    }

    /// Gives insurance what an insurance vault with `vault` atoms holds that nobody's ledger has.
    /// How much, atoms.
    ///
    /// # Errors
    /// `Unbalanced`; `Overflow`.
    pub fn credit_stray(&mut self, vault: u64) -> Result<u64> {
        let atoms = self.vault_total().stray(vault)?;
        self.insurance = self.insurance.credit(atoms)?;
        Ok(atoms)
    }
}
