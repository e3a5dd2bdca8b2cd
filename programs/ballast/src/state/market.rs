//! A market: oracle, risk, funding, open interest and the insurance ledger.

use anchor_lang::prelude::*;
use ballast_engine::{
    funding::{FundingRates, FundingState},
    insurance::InsuranceState,
    oracle::{check, Action, Mark, OraclePrice},
    position::Position,
    risk::RiskParams,
    units::{FundingIndex, LotPrice, Side, Ticks},
    EngineError,
};

use super::{
    ledgers::{FundingLedger, InsuranceLedger, LastPrice},
    position_slot::PositionSlot,
    risk_config::RiskConfig,
};
use crate::{
    error::{BallastError, OrBallast},
    oracle::{config::OracleConfig, read_price},
};

/// Layout version written by this program.
pub const MARKET_VERSION: u8 = 1;
/// Bytes of a market's name.
pub const NAME_BYTES: usize = 16;

/// A market. PDA `["market", index]`.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Market {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Bump of the insurance vault. Written once.
    pub vault_bump: u8,
    /// Zero.
    pub _padding: u8,
    /// Number of the market, from 0. Written once.
    pub index: u16,
    /// Zero.
    pub _padding2: u16,
    /// Printable ASCII padded with zeros. Written once.
    pub name: [u8; NAME_BYTES],
    /// The exchange. Written once.
    pub exchange: Pubkey,
    /// Token account of the insurance. Written once.
    pub insurance_vault: Pubkey,
    /// Queue of the long positions. Written once.
    pub queue_long: Pubkey,
    /// Queue of the short positions. Written once.
    pub queue_short: Pubkey,
    /// Price source and units. Written once.
    pub oracle: OracleConfig,
    /// Risk parameters. Written by `update_market_risk`.
    pub risk: RiskConfig,
    /// Funding. Written by every instruction that reads a price or changes the book.
    pub funding: FundingLedger,
    /// Last price. Written by every instruction that reads a price.
    pub last_price: LastPrice,
    /// Insurance. Its tokens are brought level by `sweep_insurance`.
    pub insurance: InsuranceLedger,
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
    /// Zero; room for later versions.
    pub reserved: [u8; 200],
}

const _: () = {
    assert!(core::mem::size_of::<Market>() == 952);
    assert!(core::mem::offset_of!(Market, exchange) == 24);
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
    assert!(core::mem::offset_of!(Market, reserved) == 752);
};

/// A market's price and funding, current within the instruction.
#[derive(Clone, Copy, Debug)]
pub struct Touched {
    /// The oracle price, ticks.
    pub price: OraclePrice,
    /// The same price and its confidence, atoms per lot.
    pub mark: Mark,
    /// Funding index after accrual; settle positions to it.
    pub funding_index: FundingIndex,
}

impl Market {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The first step of every instruction that needs a price: reads it, checks that it may be
    /// used for `action`, and accrues funding up to now.
    ///
    /// A price fit for funding is recorded and accrues. One that is not (only possible when
    /// `action` is [`Action::Reduce`]) is not recorded; then the last recorded price accrues.
    ///
    /// # Errors
    /// The adapters' errors; the `Price...` errors of the validity table.
    #[inline(never)]
    pub fn touch(
        &mut self,
        price_account: &AccountInfo,
        action: Action,
        clock: &Clock,
    ) -> Result<Touched> {
        let price = read_price(&self.oracle, price_account)?;
        self.check_price(action, &price, clock)?;
        // Only reducing asks for less than funding does.
        let fit = !matches!(action, Action::Reduce)
            || self.check_price(Action::Funding, &price, clock).is_ok();
        if fit {
            self.last_price = LastPrice {
                ticks: price.price.get(),
                conf_ticks: price.confidence.get(),
                ema_ticks: price.ema.get(),
                publish_time: price.publish_time,
            };
        }
        self.accrue_at_last_price(clock)?;
        Ok(Touched {
            price,
            mark: price.mark(self.oracle.atoms_per_lot_tick).or_ballast()?,
            funding_index: FundingIndex::new(self.funding.index),
        })
    }

    /// Counts a round of deleveraging.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn count_round(&mut self) -> Result<()> {
        let rounds = self.adl_rounds.checked_add(1);
        self.adl_rounds = rounds.ok_or_else(|| error!(BallastError::Overflow))?;
        Ok(())
    }

    /// Accrues funding up to now at the last recorded price; nothing before the first.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn accrue_at_last_price(&mut self, clock: &Clock) -> Result<()> {
        if self.last_price.ticks == 0 {
            return Ok(());
        }
        let price = self.lot_price(self.last_price.ticks)?;
        let after = self
            .funding_state()
            .accrue(self.params(), price, clock.unix_timestamp)
            .or_ballast()?;
        self.funding = bytemuck::must_cast(after);
        Ok(())
    }

    /// Funding rates as of the last accrual, at `price`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn funding_rates(&self, price: LotPrice) -> Result<FundingRates> {
        self.funding_state()
            .rates(self.params(), price)
            .or_ballast()
    }

    /// Whether `price` may be used for `action`; one table, in the engine.
    ///
    /// # Errors
    /// The `Price...` errors.
    pub fn check_price(&self, action: Action, price: &OraclePrice, clock: &Clock) -> Result<()> {
        let (last, now) = (self.last_price.publish_time, clock.unix_timestamp);
        check(action, price, self.params(), last, now)
            .map_err(EngineError::from)
            .or_ballast()
    }

    /// The position of `slot` with funding paid up to now.
    ///
    /// # Errors
    /// `Overflow`, `SizeOutOfRange`.
    pub fn settled(&self, slot: &PositionSlot) -> Result<Position> {
        let now = FundingIndex::new(self.funding.index);
        slot.position()?.settle(now).or_ballast()
    }

    /// Price of a lot at `ticks`.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn lot_price(&self, ticks: u64) -> Result<LotPrice> {
        Ticks::new(ticks)
            .lot_price(self.oracle.atoms_per_lot_tick)
            .or_ballast()
    }

    /// Risk parameters as the engine takes them.
    pub fn params(&self) -> &RiskParams {
        self.risk.params()
    }

    /// The queue account of `side`.
    pub fn queue(&self, side: Side) -> Pubkey {
        match side {
            Side::Long => self.queue_long,
            Side::Short => self.queue_short,
        }
    }

    /// Insurance as the engine takes it.
    pub fn insurance_state(&self) -> InsuranceState {
        bytemuck::must_cast(self.insurance)
    }

    /// Stores what the engine made of the insurance.
    pub fn store_insurance(&mut self, state: InsuranceState) {
        self.insurance = bytemuck::must_cast(state);
    }

    /// Records the impact price of a side of the book as it is from now on, `None` for one that is
    /// not deep enough. Funding must have accrued up to now.
    pub fn store_impact(&mut self, side: Side, price: Option<LotPrice>) {
        self.funding = bytemuck::must_cast(self.funding_state().with_impact(side, price));
    }

    /// Books trading fees: `market` atoms to the fee bucket, `insurance` atoms to insurance.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn book_fees(&mut self, market: u64, insurance: u64) -> Result<()> {
        let credited = self.insurance_state().credit(insurance).or_ballast()?;
        self.store_insurance(credited);
        self.fees_atoms = self
            .fees_atoms
            .checked_add(market)
            .ok_or_else(|| error!(BallastError::Overflow))?;
        Ok(())
    }

    /// Checks what must hold at the end of every instruction that writes the market.
    ///
    /// # Errors
    /// `MarketInvariant`.
    pub fn invariant(&self) -> Result<()> {
        let funding = self.funding_state().invariant().is_ok();
        let distinct = self.queue_long != self.queue_short;
        require!(
            self.version == MARKET_VERSION && distinct && funding,
            BallastError::MarketInvariant
        );
        Ok(())
    }

    fn funding_state(&self) -> FundingState {
        bytemuck::must_cast(self.funding)
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;
    use crate::oracle::{
        config::{ORACLE_PULL, ORACLE_PUSH},
        push::PYTH_ORACLE_MAINNET,
        test_account::{with_account, TestAccount},
    };

    const NOW: i64 = 1_760_129_400;
    const PRICE: Pubkey = Pubkey::new_from_array([4; 32]);

    fn market() -> Market {
        let mut market = Market {
            version: MARKET_VERSION,
            queue_long: Pubkey::new_from_array([1; 32]),
            oracle: OracleConfig {
                kind: ORACLE_PUSH,
                push_account: PRICE,
                tick_nano: 1_000_000,
                atoms_per_lot_tick: 1,
                lot_nano: 1_000_000,
                ..OracleConfig::default()
            },
            ..Market::zeroed()
        };
        market.risk.oracle_max_age_seconds = 30;
        market.risk.oracle_max_conf_bps = 100;
        market.risk.oracle_max_ema_divergence_bps = 1_000;
        // 1 % an hour.
        market.risk.funding_rate_ppm_per_hour = 10_000;
        market.funding.last_timestamp = NOW;
        market
    }

    /// A push price account of `dollars`, published at `time`.
    fn price(dollars: i64, time: i64) -> TestAccount {
        let mut data = vec![0; 3312];
        let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &0xa1b2_c3d4_u32.to_le_bytes());
        put(4, &2_u32.to_le_bytes());
        put(8, &3_u32.to_le_bytes());
        put(20, &(-8_i32).to_le_bytes());
        put(48, &(dollars * 100_000_000).to_le_bytes());
        put(96, &time.to_le_bytes());
        put(208, &(dollars * 100_000_000).to_le_bytes());
        put(216, &1_000_000_u64.to_le_bytes());
        put(224, &1_u32.to_le_bytes());
        TestAccount {
            key: PRICE,
            owner: PYTH_ORACLE_MAINNET,
            data,
        }
    }

    fn touch(market: &mut Market, price: TestAccount, action: Action, now: i64) -> Result<Touched> {
        let clock = Clock {
            unix_timestamp: now,
            ..Clock::default()
        };
        with_account(price, |info| market.touch(info, action, &clock))
    }

    #[test]
    fn touching_records_the_price_and_accrues_at_it() {
        let mut market = market();
        let now = NOW + 3_600;
        let touched = touch(&mut market, price(200, now), Action::Open, now).unwrap();
        assert_eq!(touched.price.price, Ticks::new(200_000));
        assert_eq!(touched.mark.price.get(), 200_000);
        assert_eq!(touched.mark.confidence, 10);
        // An hour at 1 % of 200,000 atoms a lot.
        assert_eq!(touched.funding_index, FundingIndex::new(2_000));
        assert_eq!(market.last_price.ticks, 200_000);
        assert_eq!(market.last_price.publish_time, now);
        assert_eq!(market.funding.last_timestamp, now);
        assert!(market.invariant().is_ok());
    }

    #[test]
    fn a_stale_price_serves_only_to_reduce_and_funding_goes_on_at_the_last_good_one() {
        let mut market = market();
        touch(&mut market, price(200, NOW), Action::Funding, NOW).unwrap();
        let (published, now) = (NOW + 60, NOW + 3_600);
        for action in [
            Action::Open,
            Action::RemoveMargin,
            Action::Funding,
            Action::Liquidate,
            Action::Adl,
        ] {
            let refused = touch(&mut market, price(100, published), action, now);
            assert_eq!(refused.err(), Some(BallastError::PriceStale.into()));
        }
        assert_eq!(market.funding.index, 0);
        let touched = touch(&mut market, price(100, published), Action::Reduce, now).unwrap();
        assert_eq!(touched.mark.price.get(), 100_000);
        assert_eq!(touched.funding_index, FundingIndex::new(2_000));
        assert_eq!(market.last_price.ticks, 200_000);
        assert_eq!(market.last_price.publish_time, NOW);
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut market = market();
        touch(&mut market, price(200, NOW), Action::Open, NOW).unwrap();
        for action in [Action::Open, Action::Reduce] {
            let refused = touch(&mut market, price(200, NOW - 1), action, NOW);
            assert_eq!(refused.err(), Some(BallastError::PriceOlder.into()));
        }
    }

    #[test]
    fn the_adapter_is_the_configured_one() {
        let mut market = market();
        market.oracle.kind = ORACLE_PULL;
        let refused = touch(&mut market, price(200, NOW), Action::Open, NOW);
        assert_eq!(refused.err(), Some(BallastError::PriceWrongOwner.into()));
        market.oracle.kind = 2;
        let refused = touch(&mut market, price(200, NOW), Action::Open, NOW);
        assert_eq!(
            refused.err(),
            Some(BallastError::OracleConfigInvalid.into())
        );
    }

    /// Accrues at the last price up to so many seconds after [`NOW`].
    fn wait(market: &mut Market, seconds: i64) {
        let clock = Clock {
            unix_timestamp: NOW + seconds,
            ..Clock::default()
        };
        market.accrue_at_last_price(&clock).unwrap();
    }

    fn lot_price(atoms: u64) -> Option<LotPrice> {
        Some(LotPrice::new(atoms).unwrap())
    }

    #[test]
    fn the_book_of_an_hour_is_the_funding_of_the_next() {
        let mut market = market();
        market.risk.impact_notional_atoms = 1_000_000;
        market.risk.max_funding_rate_ppm = 10_000;
        market.risk.funding_rate_ppm_per_hour = 100;
        touch(&mut market, price(200, NOW), Action::Funding, NOW).unwrap();
        // Ten minutes are left of this hour; in the second five the sample is 100 + 500 ppm.
        assert_eq!(NOW % 3_600, 3_000);
        wait(&mut market, 300);
        market.store_impact(Side::Long, lot_price(200_000));
        market.store_impact(Side::Short, lot_price(200_200));
        wait(&mut market, 600);
        assert_eq!((market.funding.index, market.funding.rate_ppm), (0, 50));
        let rates = market.funding_rates(LotPrice::new(200_000).unwrap());
        assert_eq!(
            rates.unwrap(),
            FundingRates {
                current_ppm: 50,
                sample_ppm: 600,
                next_ppm: 600,
            }
        );
        // A book that loses a side samples nothing.
        wait(&mut market, 1_200);
        market.store_impact(Side::Long, None);
        wait(&mut market, 600 + 3_600);
        assert_eq!((market.funding.index, market.funding.rate_ppm), (10, 100));
        assert_eq!(market.funding.impact_bid, 0);
        assert!(market.invariant().is_ok());
        market.funding.rate_ppm = 10_001;
        assert!(market.invariant().is_err());
    }

    #[test]
    fn fees_are_booked_where_they_belong_and_never_wrap() {
        let mut market = market();
        market.book_fees(7, 3).unwrap();
        assert_eq!((market.fees_atoms, market.insurance.balance), (7, 3));
        assert!(market.book_fees(u64::MAX, 0).is_err());
        assert!(market.book_fees(0, u64::MAX).is_err());
    }
}
