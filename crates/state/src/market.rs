//! A market: oracle, risk, funding, open interest and the insurance ledger.

use ballast_engine::{
    book::Sampling,
    distress::Distress,
    funding::{FundingRates, FundingState},
    held::HeldProfit,
    insurance::{Insurance, InsuranceState, VaultTotal},
    oracle::{
        compare, Action, Comparison, Judged, Known, Mark, Now, OraclePrice, PriceClock, PriceFault,
    },
    order::{least_position, OrderRules},
    payout::{FeeBucket, Payout},
    position::Position,
    risk::RiskParams,
    units::{FundingIndex, LotPrice, Side, Ticks, BPS_ONE, MAX_LOT_PRICE},
    volatility::Volatility,
    wind_down::{
        is_dead, EndCause, FinalPrice, MarketAction, MarketMode, WindDown, AVERAGED_SECONDS,
        DEAD_NOTICE_SECONDS,
    },
    write_off::{Count, WriteOff},
    EngineError,
};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    last_price::LastPrice,
    oracle_config::OracleConfig,
    pause::{book_counts, clocks_run},
    position_slot::PositionSlot,
    Pubkey,
};

mod ending;
mod ledgers;
mod scaling;
#[cfg(test)]
mod tests;
mod trading;

/// First bytes of a market account.
pub const MARKET_DISCRIMINATOR: [u8; 8] = [219, 190, 213, 55, 0, 227, 198, 154];
/// Layout version written by this program.
pub const MARKET_VERSION: u8 = 2;
/// Bytes of a market's name.
pub const NAME_BYTES: usize = 16;
/// Least worth of an order that opens and waits, where the risk parameters name none: units of the
/// quote currency.
pub const DEFAULT_ORDER_UNITS: u64 = 100;

/// [`Market::claims_node`] when everybody has been counted.
pub const CLAIMS_COUNTED: u32 = u32::MAX;

/// A market. PDA `["market", index]`.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Market {
    /// Layout version. Written when the account is created or migrated.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Bump of the insurance vault. Written once.
    pub vault_bump: u8,
    /// Place of the market on the board of cross margin, from 1; 0 where it has none. Written once, by
    /// `enable_cross`.
    pub cross: u8,
    /// Number of the market, from 0. Written once.
    pub index: u16,
    /// Legs of cross accounts in the market. Written by the instructions of cross margin.
    pub cross_legs: u16,
    /// Printable ASCII padded with zeros. Written once.
    pub name: [u8; NAME_BYTES],
    /// What is remembered of the moves of prices. Written by every instruction that records a price,
    /// where [`RiskParams::margin_multiplier_max_bps`] says so.
    pub volatility: Volatility,
    /// Token account of the insurance. Written once.
    pub insurance_vault: Pubkey,
    /// Queue of the long positions. Written once.
    pub queue_long: Pubkey,
    /// Queue of the short positions. Written once.
    pub queue_short: Pubkey,
    /// Price source and units, which are written once. The source is written by `apply_oracle_change`.
    pub oracle: OracleConfig,
    /// Risk parameters. Written by `apply_market_change`.
    pub risk: RiskParams,
    /// Funding. Written by every instruction that reads a price or changes the book.
    pub funding: FundingState,
    /// Last price. Written by every instruction that reads a price.
    pub last_price: LastPrice,
    /// Insurance. Its tokens are brought level by `sweep_insurance`.
    pub insurance: InsuranceState,
    /// Sum of the long lots, which equals that of the short ones.
    pub open_interest_lots: u64,
    /// Fees collected and not paid out, atoms; their tokens are in the collateral vault.
    pub fees_atoms: u64,
    /// Bankruptcies flagged so far; the last one's id.
    pub bankruptcy_counter: u64,
    /// Rounds of auto-deleveraging so far.
    pub adl_rounds: u64,
    /// Liquidations so far, each step counted.
    pub liquidations: u64,
    /// Order book. Written once.
    pub book: Pubkey,
    /// Profit that is held while the market is short. Written by the instructions that close lots or
    /// take margin out, by those that pay deficits, and by `release_profit`.
    pub held: HeldProfit,
    /// What insurance paid in the two buckets before those of [`Self::insurance`], newest first, atoms.
    pub insurance_older: [u64; 2],
    /// Number of the mode, see [`MarketMode`]. Written by `set_reduce_only`, `apply_market_change`,
    /// `begin_settlement` and `close_market`.
    pub mode: u8,
    /// 1 when a payment left nothing that insurance may pay by its cap, see [`Insurance::limited`].
    pub insurance_limited: u8,
    /// Always zero; aligns what follows.
    pub _padding3: [u8; 2],
    /// Price at which positions are settled, ticks; 0 before the market has ended. Written once, by
    /// `begin_settlement`.
    pub final_ticks: u32,
    /// What is remembered of earlier prices. Written by every instruction that reads a price.
    pub price_clock: PriceClock,
    /// The end of the market. Written by `apply_market_change`, `declare_dead`, by what records a price before the end,
    /// and by `settle_position` and `write_off_bankrupt`.
    pub wind_down: WindDown,
    /// Who gets the rent of queues and book; the default key in a market created before it was
    /// recorded, where the admin gets it. Written once.
    pub rent_payer: Pubkey,
    /// Atoms that the program keeps in the insurance vault, and one more; 0 while they are not known.
    /// Written by `create_market`, `donate_insurance`, `sweep_insurance` and `withdraw_insurance`; see
    /// [`VaultTotal`].
    pub insurance_vault_total: u64,
    /// When fees were paid out last, unix seconds; 0 before the first time. Written by `withdraw_fees`.
    pub fees_paid_at: u32,
    /// Node at which the count of the claims goes on, see [`ballast_engine::write_off`];
    /// [`CLAIMS_COUNTED`] when it is complete. Written by `count_claims`.
    pub claims_node: u32,
    /// Deficits that nobody bore, atoms. Written by `write_off_bankrupt`, and by `count_claims` where
    /// insurance has got something since.
    pub written_off_atoms: u64,
    /// What all positions are worth together at the last price, atoms, as far as counted. Written by
    /// `count_claims`.
    pub claims_atoms: u64,
    /// The part of insurance that is staked, atoms. Written by the instructions of stakes, and by those
    /// that pay deficits or earn for insurance.
    pub staked_atoms: u64,
}

const _: () = {
    assert!(core::mem::size_of::<Market>() == 952);
    assert!(core::mem::offset_of!(Market, volatility) == 24);
    assert!(core::mem::offset_of!(Market, queue_long) == 88);
    assert!(core::mem::offset_of!(Market, queue_short) == 120);
    assert!(core::mem::offset_of!(Market, oracle) == 152);
    assert!(core::mem::offset_of!(Market, risk) == 248);
    assert!(core::mem::offset_of!(Market, funding) == 568);
    assert!(core::mem::offset_of!(Market, last_price) == 616);
    assert!(core::mem::offset_of!(Market, insurance) == 648);
    assert!(core::mem::offset_of!(Market, open_interest_lots) == 680);
    assert!(core::mem::offset_of!(Market, fees_atoms) == 688);
    assert!(core::mem::offset_of!(Market, book) == 720);
    assert!(core::mem::offset_of!(Market, held) == 752);
    assert!(core::mem::offset_of!(Market, insurance_older) == 776);
    assert!(core::mem::offset_of!(Market, mode) == 792);
    assert!(core::mem::offset_of!(Market, insurance_limited) == 793);
    assert!(core::mem::offset_of!(Market, final_ticks) == 796);
    assert!(core::mem::offset_of!(Market, price_clock) == 800);
    assert!(core::mem::offset_of!(Market, wind_down) == 832);
    assert!(core::mem::offset_of!(Market, rent_payer) == 880);
    assert!(core::mem::offset_of!(Market, insurance_vault_total) == 912);
    assert!(core::mem::offset_of!(Market, fees_paid_at) == 920);
    assert!(core::mem::offset_of!(Market, claims_node) == 924);
    assert!(core::mem::offset_of!(Market, written_off_atoms) == 928);
    assert!(core::mem::offset_of!(Market, claims_atoms) == 936);
    assert!(core::mem::offset_of!(Market, staked_atoms) == 944);
};

/// Who paid a deficit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeficitPaid {
    /// Insurance, atoms.
    pub insured: u64,
    /// Held profit after it, atoms.
    pub held: u64,
}

/// A market's price and funding, current within the instruction.
#[derive(Clone, Copy, Debug)]
pub struct Touched {
    /// The oracle price, ticks.
    pub price: OraclePrice,
    /// The same price and its confidence, atoms per lot.
    pub mark: Mark,
    /// The price of an earlier slot at which an order has to be out of its trader's reach as well
    /// before it is removed for that; `None` without one, and while [`Mark::average`] counts.
    pub earlier: Option<LotPrice>,
    /// Funding index after accrual; settle positions to it.
    pub funding_index: FundingIndex,
}

impl Market {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The first step of every instruction that needs a price: checks that `price` may be used for
    /// `action`, accrues funding up to `now` at the price recorded last, and records `price`.
    ///
    /// So what has passed is charged at the price that stood, whoever calls and when, and without a
    /// premium where nobody could or can open against the book under `pauses`. A price that
    /// is not fit for funding (only possible when `action` is [`Action::Reduce`]) is not recorded.
    ///
    /// # Errors
    /// `MarketEnded` where the market has ended or its end has come; the `Price...` errors of the
    /// validity table; `Overflow`.
    pub fn touch(
        &mut self,
        price: OraclePrice,
        action: Action,
        now: Now,
        pauses: u32,
    ) -> Result<Touched> {
        self.require(action.into())?;
        ensure(
            !self.wind_down.has_come(now.unix_timestamp),
            BallastError::MarketEnded,
        )?;
        let judged = self.known(now, pauses).judge(action, &price)?;
        let paused = !book_counts(pauses);
        let known = self.funding.paused == 1;
        self.funding = self.funding.with_pause(known || paused);
        self.accrue_at_last_price(now.unix_timestamp)?;
        self.funding = self.funding.with_pause(paused);
        if judged.fit {
            if self.wind_down.is_scheduled() {
                let last = self.last_recorded();
                self.wind_down = self.wind_down.recorded(&last, price.publish_time)?;
            }
            self.last_price = price.into();
            self.price_clock = judged.clock;
            self.volatility = self.volatility_at(&price)?;
        }
        Ok(Touched {
            price,
            mark: self.mark(&price, &judged)?,
            earlier: self.earlier(&judged)?,
            funding_index: self.funding.index,
        })
    }

    /// What the market does.
    #[must_use]
    pub const fn mode(&self) -> MarketMode {
        MarketMode::of(self.mode)
    }

    /// Fails unless the market's mode allows `action`: one table, in the engine.
    ///
    /// # Errors
    /// `MarketReduceOnly`, `MarketEnded`, `MarketTrades`.
    pub fn require(&self, action: MarketAction) -> Result<()> {
        Ok(self.mode().require(action)?)
    }

    /// The price recorded last.
    #[must_use]
    pub const fn last_recorded(&self) -> OraclePrice {
        OraclePrice {
            price: Ticks::new(self.last_price.ticks),
            confidence: Ticks::new(self.last_price.conf_ticks),
            ema: Ticks::new(self.last_price.ema_ticks),
            publish_time: self.last_price.publish_time,
            below_tick: false,
        }
    }

    /// Fails unless `source` may take the place of the market's price source: another one in the
    /// same units, in a market without an end in sight.
    ///
    /// # Errors
    /// `OracleConfigInvalid`, `OracleUnits`, `OracleUnchanged`; those of [`Self::require_no_end`].
    pub fn require_other_source(&self, source: &OracleConfig, mint_decimals: u8) -> Result<()> {
        self.require_no_end()?;
        source.validate(mint_decimals)?;
        ensure(source.same_units(&self.oracle), BallastError::OracleUnits)?;
        ensure(*source != self.oracle, BallastError::OracleUnchanged)
    }

    /// What prices of the market's own source and of another say of both at `now`.
    ///
    /// # Errors
    /// The `Price...` errors of a price that may not be used to open positions.
    pub fn compare_sources(
        &self,
        own: &OraclePrice,
        other: &OraclePrice,
        now: Now,
    ) -> Result<Comparison> {
        Ok(compare(&self.risk, own, other, now)?)
    }

    /// Takes prices from `source` from now on, of which `price` is the first, and records it. What is
    /// remembered of earlier prices stays, since it is in the same units.
    ///
    /// # Errors
    /// Those of [`Self::touch`], such as `PriceOlder` for a price older than the last one recorded.
    pub fn change_source(
        &mut self,
        source: &OracleConfig,
        price: OraclePrice,
        now: Now,
        pauses: u32,
    ) -> Result<()> {
        self.oracle = *source;
        self.touch(price, Action::Funding, now, pauses)?;
        Ok(())
    }

    /// Whether neither insurance nor the book delays the deleveraging of a position in `slot`: after
    /// its grace period, and in a market that has ended.
    pub fn past_grace(&self, distress: &Distress, slot: u64) -> bool {
        self.mode().has_ended() || distress.past_grace(self.risk.adl.grace_slots, slot)
    }

    /// The price of a lot as `judged`.
    fn mark(&self, price: &OraclePrice, judged: &Judged) -> Result<Mark> {
        let tick = self.oracle.atoms_per_lot_tick;
        let mut mark = price.mark(tick)?;
        mark.average = judged.unsettled.then(|| price.average(tick));
        mark.scale = self.margin_scale();
        Ok(mark)
    }

    /// See [`Touched::earlier`].
    fn earlier(&self, judged: &Judged) -> Result<Option<LotPrice>> {
        match judged.clock.earlier_ticks {
            0 => Ok(None),
            _ if judged.unsettled => Ok(None),
            ticks => self.lot_price(ticks).map(Some),
        }
    }

    /// What the market knows of prices at `now`.
    const fn known(&self, now: Now, pauses: u32) -> Known<'_> {
        Known {
            params: &self.risk,
            last: Ticks::new(self.last_price.ticks),
            last_publish_time: self.last_price.publish_time,
            clock: self.price_clock,
            now,
            stopped: !clocks_run(pauses),
        }
    }

    /// Counts a round of deleveraging.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn count_round(&mut self) -> Result<()> {
        let rounds = self.adl_rounds.checked_add(1);
        self.adl_rounds = rounds.ok_or(BallastError::Overflow)?;
        Ok(())
    }

    /// Accrues funding as of [`Self::funding_at`].
    ///
    /// # Errors
    /// `Overflow`.
    pub fn accrue_at_last_price(&mut self, now: i64) -> Result<()> {
        self.funding = self.funding_at(now)?;
        Ok(())
    }

    /// Funding up to `now`, unix seconds, at the price recorded last: what the next instruction
    /// makes of it. Before the first price nothing is owed, nor after the end of the market.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn funding_at(&self, now: i64) -> core::result::Result<FundingState, EngineError> {
        let now = match self.wind_down.ends_at {
            0 => now,
            end => now.min(end),
        };
        if self.last_price.ticks == 0 {
            return Ok(self.funding.begun(now));
        }
        let price = Ticks::new(self.last_price.ticks).lot_price(self.oracle.atoms_per_lot_tick)?;
        self.funding.accrue(&self.risk, price, now)
    }

    /// Funding rates as of the last accrual, at `price`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn funding_rates(&self, price: LotPrice) -> Result<FundingRates> {
        Ok(self.funding.rates(&self.risk, price)?)
    }

    /// Whether `price` may be used for `action` at `now`; one table, in the engine.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_price(
        &self,
        action: Action,
        price: &OraclePrice,
        now: Now,
    ) -> core::result::Result<(), PriceFault> {
        self.known(now, 0).judge(action, price).map(|_| ())
    }

    /// The position of `slot` with funding paid up to now.
    ///
    /// # Errors
    /// `Overflow`, `SizeOutOfRange`.
    pub fn settled(&self, slot: &PositionSlot) -> Result<Position> {
        Ok(slot.position()?.settle(self.funding.index)?)
    }

    /// Price of a lot at `ticks`.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn lot_price(&self, ticks: u64) -> Result<LotPrice> {
        Ticks::new(ticks)
            .lot_price(self.oracle.atoms_per_lot_tick)
            .map_err(BallastError::from)
    }

    /// Least worth of an order that opens and waits in the book, atoms.
    pub fn least_order_atoms(&self) -> u64 {
        match self.risk.min_order_atoms {
            // A unit of a token has less than 2^57 atoms, or nobody could hold a hundred.
            0 => self
                .oracle
                .quote_unit_atoms()
                .wrapping_mul(DEFAULT_ORDER_UNITS),
            atoms => atoms,
        }
    }

    /// Lots of the least position that orders and block trades open at `mark`.
    pub fn least_position(&self, mark: LotPrice) -> u64 {
        least_position(&self.risk, self.least_order_atoms(), mark)
    }

    /// What an order of this market is measured by at `mark` and `now`, unix seconds.
    pub fn order_rules(&self, mark: &Mark, now: i64) -> OrderRules<'_> {
        OrderRules {
            params: &self.risk,
            mark: *mark,
            atoms_per_lot_tick: self.oracle.atoms_per_lot_tick,
            least_worth: self.least_order_atoms(),
            least_lots: self.least_position(mark.price),
            now,
        }
    }

    /// Which orders of the book count for its impact prices, once funding has accrued.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn sampling(&self) -> Result<Sampling<'_>> {
        let mark = match self.last_price.ticks {
            0 => None,
            ticks => Some(self.lot_price(ticks)?),
        };
        Ok(Sampling {
            params: &self.risk,
            mark,
            now: self.funding.last_timestamp,
        })
    }

    /// Risk parameters.
    pub const fn params(&self) -> &RiskParams {
        &self.risk
    }

    /// The queue account of `side`.
    pub fn queue(&self, side: Side) -> Pubkey {
        match side {
            Side::Long => self.queue_long,
            Side::Short => self.queue_short,
        }
    }

    /// Records the impact price of a side of the book as it is from now on, `None` for one that is
    /// not deep enough. Funding must have accrued up to now.
    pub fn store_impact(&mut self, side: Side, price: Option<LotPrice>) {
        self.funding = self.funding.with_impact(side, price);
    }

    /// Checks what must hold at the end of every instruction that writes the market.
    ///
    /// # Errors
    /// `MarketInvariant`.
    pub fn invariant(&self) -> Result<()> {
        let funding = self.funding.invariant().is_ok();
        let distinct = self.queue_long != self.queue_short;
        let held = self.held.invariant().is_ok();
        let ended = self.mode <= MarketMode::Settled.number()
            && self.mode().has_ended() == (self.final_ticks > 0)
            && self.wind_down.is_scheduled() == self.wind_down.end_cause().is_some()
            && (self.written_off_atoms == 0 || self.mode().has_ended());
        let staked = self.staked_atoms <= self.insurance.balance;
        ensure(
            distinct && funding && held && ended && staked,
            BallastError::MarketInvariant,
        )
    }
}
