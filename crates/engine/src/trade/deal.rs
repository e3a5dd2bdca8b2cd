//! What two parties agreed on, before it is known what it makes of each of them.

use super::{
    apply, check_band, check_open_interest, open_interest_after, PartyInput, PartyOutcome,
    TradeMarket, TradeTerms,
};
use crate::cross::{Account, CrossError, LegTrade};
use crate::error::EngineError;
use crate::fees::{maker_fee, split, taker_fee, FeeSplit};
use crate::matching::Taken;
use crate::oracle::Mark;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::units::{Atoms, Lots};

/// Who a party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asked for the trade; pays the taker's fee.
    Taker,
    /// The other side of it; pays or receives the maker's fee.
    Maker,
}

/// A block trade within the limits that its price and lots must keep.
#[derive(Clone, Copy, Debug)]
pub struct Deal<'a> {
    params: &'a RiskParams,
    market: &'a TradeMarket,
    lots: Lots,
    notional: u64,
    quote: Atoms,
    mark: Mark,
}

/// What a block trade adds to its market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DealSums {
    /// Sum of long lots after the trade.
    pub open_interest_lots: u64,
    /// What the fees add to fee bucket and insurance.
    pub fees: FeeSplit,
}

impl<'a> Deal<'a> {
    /// A trade on these terms at `mark`; all of its lots count as new to the market where margin is asked for.
    ///
    /// Errors: `ZeroLots`, `PriceOutOfRange`, `PriceOutsideBand`, `SizeOutOfRange`, `Overflow`.
    pub fn new(
        params: &'a RiskParams,
        mark: &Mark,
        market: &'a TradeMarket,
        terms: &TradeTerms,
    ) -> Result<Self, EngineError> {
        if terms.lots.is_zero() {
            return Err(EngineError::ZeroLots);
        }
        let price = terms.price.lot_price(market.atoms_per_lot_tick)?;
        check_band(params, mark, price)?;
        let notional = price.notional(terms.lots.size())?;
        let amount = Atoms::from_unsigned(notional)?;
        let quote = match terms.lots.get() > 0 {
            true => amount,
            false => Atoms::ZERO.try_sub(amount)?,
        };
        let scale = mark.scale.and_open(terms.lots.size())?;
        Ok(Self {
            params,
            market,
            lots: terms.lots,
            notional,
            quote,
            mark: Mark { scale, ..*mark },
        })
    }

    /// Quote of the taker's fill, atoms; the maker's is the opposite.
    #[must_use]
    pub const fn quote(&self) -> Atoms {
        self.quote
    }

    /// What the taker is to pay, atoms.
    ///
    /// Errors: `Overflow`.
    pub fn taker_due(&self) -> Result<Atoms, EngineError> {
        Atoms::from_unsigned(taker_fee(self.params, self.notional)?)
    }

    /// What the maker is to pay where the taker has paid `taken`, atoms; a rebate when negative.
    ///
    /// Errors: `Overflow`.
    pub fn maker_due(&self, taken: Atoms) -> Result<Atoms, EngineError> {
        maker_fee(self.params, self.notional, taken.positive_part())
    }

    /// Decides a party as an isolated position; `due` is its fee.
    ///
    /// Errors: `InsufficientCollateral`, `PositionTooLarge`, `BelowInitialMargin`, `SizeOutOfRange`, `Overflow`.
    #[inline(always)]
    pub fn party(
        &self,
        role: Role,
        party: &PartyInput,
        due: Atoms,
    ) -> Result<PartyOutcome, EngineError> {
        let (lots, quote) = match role {
            Role::Taker => (self.lots, self.quote),
            Role::Maker => (self.lots.opposite(), Atoms::ZERO.try_sub(self.quote)?),
        };
        apply(self.params, &self.mark, party, lots, quote, due)
    }

    /// Decides a party as the leg at `place` of its account, which this trade changes as fills of the book would;
    /// `due` is its fee, and a rebate goes into the pool.
    ///
    /// Errors: those of [`Account::take`].
    pub fn leg(
        &self,
        role: Role,
        account: &Account<'_>,
        place: usize,
        due: Atoms,
    ) -> Result<LegTrade, CrossError> {
        let side = self.lots.side().ok_or(EngineError::ZeroLots)?;
        let side = match role {
            Role::Taker => side,
            Role::Maker => side.opposite(),
        };
        let taken = Taken {
            lots: self.lots.size(),
            notional: self.notional,
            fee: due.positive_part(),
            maker_fees: Atoms::ZERO,
        };
        let trade = account.take(place, self.params, side, &taken)?;
        let rebate = Atoms::ZERO.try_sub(due)?.positive_part();
        Ok(LegTrade {
            pool: trade.pool.try_add_unsigned(rebate)?,
            ..trade
        })
    }

    /// Whether what a party is left with is nothing or at least the least position; one that has less may
    /// shrink freely. `reduced_only` says that the trade only made it smaller.
    ///
    /// Errors: `PositionTooSmall`.
    pub fn check_left(
        &self,
        before: &Position,
        after: &Position,
        reduced_only: bool,
    ) -> Result<(), EngineError> {
        let least = self.market.least_lots;
        let exempt = reduced_only && before.size() < least;
        if !after.is_empty() && after.size() < least && !exempt {
            return Err(EngineError::PositionTooSmall);
        }
        Ok(())
    }

    /// What the trade adds to the market, where the parties' lots went from the first to the second and they
    /// paid `fees` together.
    ///
    /// Errors: `OpenInterestLimit`, `PriceDiverged`, `MarketReduceOnly`, `Overflow`.
    pub fn conclude(
        &self,
        changes: &[(Lots, Lots); 2],
        fees: Atoms,
    ) -> Result<DealSums, EngineError> {
        let before = self.market.open_interest_lots;
        let open_interest_lots = open_interest_after(before, changes)?;
        check_open_interest(
            self.params,
            &self.mark,
            self.market.mode,
            before,
            open_interest_lots,
        )?;
        Ok(DealSums {
            open_interest_lots,
            fees: split(self.params, fees)?,
        })
    }
}
