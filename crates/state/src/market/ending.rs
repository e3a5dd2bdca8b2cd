//! Modes and ends of a market: reduce-only, delisted, settled, and what was written off.

use ballast_engine::margin::MarginScale;

use super::*;

impl Market {
    /// Delists the market at `now`, unix seconds: it is reduce-only, and ends an hour later at the
    /// average of that hour.
    ///
    /// # Errors
    /// `MarketEnded`; `EndNotDue` where an end is foreseen already.
    pub fn delist(&mut self, now: i64) -> Result<()> {
        self.require(MarketAction::ChangeParameters)?;
        ensure(!self.wind_down.is_scheduled(), BallastError::EndNotDue)?;
        let ends_at = now.checked_add(AVERAGED_SECONDS);
        let ends_at = ends_at.ok_or(BallastError::Overflow)?;
        self.wind_down = WindDown::scheduled(EndCause::Delisted, ends_at);
        self.mode = MarketMode::ReduceOnly.number();
        Ok(())
    }

    /// Fails where the market has ended or is to end, so that what its last hour is made of stays as
    /// it is.
    ///
    /// # Errors
    /// `MarketEnded`, `MarketEnding`.
    pub fn require_no_end(&self) -> Result<()> {
        self.require(MarketAction::ChangeParameters)?;
        ensure(!self.wind_down.is_scheduled(), BallastError::MarketEnding)
    }

    /// Fails unless the market may be opened again: a reduce-only one without an end in sight.
    ///
    /// # Errors
    /// `MarketNotReduceOnly`; those of [`Self::require_no_end`].
    pub fn require_reopenable(&self) -> Result<()> {
        self.require_no_end()?;
        ensure(
            self.mode() == MarketMode::ReduceOnly,
            BallastError::MarketNotReduceOnly,
        )
    }

    /// Opens a reduce-only market again.
    ///
    /// # Errors
    /// Those of [`Self::require_reopenable`].
    pub fn reopen(&mut self) -> Result<()> {
        self.require_reopenable()?;
        self.mode = MarketMode::Active.number();
        Ok(())
    }

    /// Whether the oracle may be declared dead at `now`, unix seconds: it is, that has not been
    /// declared, and no end of the market has come.
    #[must_use]
    pub fn oracle_is_dead(&self, now: i64) -> bool {
        let declared = self.wind_down.end_cause() == Some(EndCause::DeadOracle);
        let dead = is_dead(&self.last_recorded(), self.risk.oracle_dead(), now);
        dead && !declared && !self.wind_down.has_come(now)
    }

    /// Declares the oracle dead at `now`, unix seconds: the market ends [`DEAD_NOTICE_SECONDS`]
    /// later unless a price is recorded before.
    ///
    /// # Errors
    /// `MarketEnded`; `OracleAlive`, also where it has been declared dead before.
    pub fn declare_dead(&mut self, now: i64) -> Result<()> {
        self.require(MarketAction::RecordPrice)?;
        ensure(self.oracle_is_dead(now), BallastError::OracleAlive)?;
        let ends_at = now.checked_add(DEAD_NOTICE_SECONDS);
        let ends_at = ends_at.ok_or(BallastError::Overflow)?;
        self.wind_down = WindDown::scheduled(EndCause::DeadOracle, ends_at);
        Ok(())
    }

    /// Ends the market at `now`, unix seconds, where its end has come: funding accrues up to the
    /// end and stops, the last price is fixed, and whatever delays or limits who bears a deficit is
    /// lifted: the cap of insurance, and of how much of a position a pass may close. Whether it has
    /// ended: where too little of its last hour is covered it goes on.
    ///
    /// # Errors
    /// `MarketEnded`; `EndNotDue`; `Overflow`.
    pub fn begin_settlement(&mut self, now: i64) -> Result<bool> {
        self.require(MarketAction::RecordPrice)?;
        ensure(self.wind_down.has_come(now), BallastError::EndNotDue)?;
        self.accrue_at_last_price(now)?;
        let FinalPrice::At(ticks) = self.wind_down.final_price(&self.last_recorded())? else {
            self.wind_down = WindDown::default();
            return Ok(false);
        };
        let most = MAX_LOT_PRICE.checked_div(self.oracle.atoms_per_lot_tick);
        let ticks = ticks.get().min(most.ok_or(BallastError::Overflow)?);
        self.final_ticks = u32::try_from(ticks).map_err(|_| BallastError::Overflow)?;
        self.mode = MarketMode::Settling.number();
        let all = u32::try_from(BPS_ONE).map_err(|_| BallastError::Overflow)?;
        self.risk.insurance_draw_cap_bps = all;
        self.risk.adl.max_close_bps = all;
        Ok(true)
    }

    /// Price of a lot at which positions are settled.
    ///
    /// # Errors
    /// `PriceOutOfRange` before the market has ended.
    pub fn final_price(&self) -> Result<LotPrice> {
        self.lot_price(self.final_ticks.into())
    }

    /// What [`Self::touch`] says, for deleveraging in a market that has ended: the last price, which
    /// needs no account.
    ///
    /// # Errors
    /// `PriceOutOfRange` before the market has ended.
    pub fn at_final_price(&self) -> Result<Touched> {
        let ticks = Ticks::new(self.final_ticks.into());
        Ok(Touched {
            price: OraclePrice {
                price: ticks,
                confidence: Ticks::new(0),
                ema: ticks,
                publish_time: self.last_price.publish_time,
                below_tick: false,
            },
            mark: Mark {
                price: self.final_price()?,
                confidence: 0,
                average: None,
                scale: MarginScale::NONE,
            },
            earlier: None,
            funding_index: self.funding.index,
        })
    }

    /// Who gets the rent of queues and book: the key that was recorded, else the admin's.
    #[must_use]
    pub fn rent_receiver(&self, admin: &Pubkey) -> Pubkey {
        if self.rent_payer == Pubkey::default() {
            *admin
        } else {
            self.rent_payer
        }
    }

    /// What was written off, and what is claimed of the rest.
    #[must_use]
    pub const fn write_off(&self) -> WriteOff {
        WriteOff {
            atoms: self.written_off_atoms,
            claims: self.claims_atoms,
        }
    }

    /// What the positions claim beyond what the market has for them, atoms; less than nothing by what
    /// rounding has left so far.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn uncovered(&self) -> core::result::Result<i64, EngineError> {
        self.write_off().uncovered(&self.wind_down)
    }

    /// Whether positions are paid: nothing was written off, or all claims have been counted.
    #[must_use]
    pub const fn claims_are_known(&self) -> bool {
        !self.write_off().is_any() || self.claims_node == CLAIMS_COUNTED
    }

    /// Books claims that were counted. With the last of them what insurance has got since the
    /// deficits were written off makes them good, in `slot`. How much, atoms.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn book_claims(
        &mut self,
        count: &Count,
        slot: u64,
    ) -> core::result::Result<u64, EngineError> {
        let sum = self.claims_atoms.checked_add(count.claims);
        self.claims_atoms = sum.ok_or(EngineError::Overflow)?;
        self.claims_node = count.next;
        if !count.complete {
            return Ok(0);
        }
        self.claims_node = CLAIMS_COUNTED;
        let insurance = self.insurance_fund();
        let available = insurance.available(&self.risk, slot)?;
        let made_good = available.min(self.written_off_atoms);
        self.store_insurance(&insurance.draw(&self.risk, slot, made_good)?);
        self.written_off_atoms = self.write_off().made_good(made_good)?.atoms;
        Ok(made_good)
    }
}
