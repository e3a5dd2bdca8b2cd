//! What of a market's fees is paid to the exchange's treasury, and when nothing is.
//!
//! Nobody chooses how much: a payout is all that may go, and the next one is a day later. So no
//! number of small payouts takes more than the share, at midnight or at any other time, and nobody
//! uses the day up by asking for an atom.

use crate::error::EngineError;
use crate::insurance::Insurance;
use crate::queue::QueueRef;
use crate::risk::RiskParams;
use crate::units::{Bps, FundingIndex, LotPrice};
use crate::wind_down::{is_solvent, MarketMode};

/// Most of a market's fees that one payout takes, basis points.
pub const PAYOUT_SHARE_BPS: u32 = 2_500;
/// Seconds from one payout to the next: a day.
pub const PAYOUT_SECONDS: i64 = 86_400;

/// The fees of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeBucket {
    /// Collected and not paid out, atoms.
    pub atoms: u64,
    /// When the last payout was, unix seconds; 0 before the first.
    pub paid_at: u32,
}

/// A payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// What the treasury gets, atoms; positive.
    pub atoms: u64,
    /// The fees afterwards.
    pub left: FeeBucket,
}

impl FeeBucket {
    /// What is paid out at `now`, unix seconds: [`PAYOUT_SHARE_BPS`] of the fees, rounded down, and
    /// no more than what lies above the reserve; [`PAYOUT_SECONDS`] after the payout before. Of a
    /// closed market, in which nobody is left to be rescued and nobody to rescue, all and at once.
    ///
    /// # Errors
    /// `FeesPaidToday`; `FeesReserved` where nothing may go; `Overflow` for a time before 1970 or
    /// after 2106.
    pub fn pay_out(
        &self,
        params: &RiskParams,
        mode: MarketMode,
        now: i64,
    ) -> Result<Payout, EngineError> {
        let paid_at = u32::try_from(now).map_err(|_| EngineError::Overflow)?;
        let atoms = match mode {
            MarketMode::Settled => self.atoms,
            _ if !self.is_due(now) => return Err(EngineError::FeesPaidToday),
            _ => self.above_reserve(params)?,
        };
        if atoms == 0 {
            return Err(EngineError::FeesReserved);
        }
        let left = self.atoms.checked_sub(atoms);
        Ok(Payout {
            atoms,
            left: Self {
                atoms: left.ok_or(EngineError::Overflow)?,
                paid_at,
            },
        })
    }

    /// Whether a day has passed since the last payout.
    fn is_due(&self, now: i64) -> bool {
        // 32 bits from a time.
        let next = i64::from(self.paid_at).wrapping_add(PAYOUT_SECONDS);
        now >= next
    }

    /// The share of the fees, as far as the reserve lets it go.
    fn above_reserve(&self, params: &RiskParams) -> Result<u64, EngineError> {
        let share = Bps::new(PAYOUT_SHARE_BPS).floor_of(self.atoms)?;
        let above = self.atoms.checked_sub(params.fee_reserve()?);
        Ok(share.min(above.unwrap_or(0)))
    }
}

/// Fails while the fees may be needed for those who rescue the market: while anybody of the two
/// queues is bankrupt, flagged or not, and while what insurance has paid lately counts for its cap.
/// Looks at the roots only.
///
/// # Errors
/// `InsuranceDrawn`; `MarketInsolvent`; `TreeCorrupt`; `Overflow`.
pub fn require_calm(
    params: &RiskParams,
    insurance: &Insurance,
    slot: u64,
    queues: (&QueueRef<'_>, &QueueRef<'_>),
    (mark, index): (LotPrice, FundingIndex),
) -> Result<(), EngineError> {
    if insurance.has_paid(params, slot)? {
        return Err(EngineError::InsuranceDrawn);
    }
    if is_solvent(queues.0, queues.1, mark, index)? {
        Ok(())
    } else {
        Err(EngineError::MarketInsolvent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_760_129_400;
    const DAY: i64 = PAYOUT_SECONDS;

    fn params(reward: u64, reserve: u64) -> RiskParams {
        let mut params = RiskParams {
            fee_reserve_atoms: reserve,
            ..RiskParams::default()
        };
        params.adl.reward_atoms = reward;
        params
    }

    fn bucket(atoms: u64, paid_at: i64) -> FeeBucket {
        FeeBucket {
            atoms,
            paid_at: paid_at.try_into().unwrap(),
        }
    }

    fn pays(atoms: u64, params: &RiskParams) -> Result<u64, EngineError> {
        let paid = bucket(atoms, 0).pay_out(params, MarketMode::Active, NOW);
        paid.map(|paid| paid.atoms)
    }

    #[test]
    fn a_quarter_goes_and_the_reserve_stays() {
        let reserved = Err(EngineError::FeesReserved);
        let own = params(0, 1_000);
        assert_eq!(pays(999, &own), reserved);
        assert_eq!(pays(1_000, &own), reserved);
        assert_eq!(pays(1_001, &own), Ok(1));
        assert_eq!(pays(1_333, &own), Ok(333));
        assert_eq!(pays(1_334, &own), Ok(333));
        assert_eq!(pays(1_338, &own), Ok(334));
        // Nothing set stands for 100 rewards, and no less is ever kept.
        for reserve in [0, 1, 1_000] {
            let least = params(10, reserve);
            assert_eq!(pays(1_000, &least), reserved);
            assert_eq!(pays(1_007, &least), Ok(7));
        }
        // A quarter of three atoms is none.
        assert_eq!(pays(3, &params(0, 0)), reserved);
        assert_eq!(pays(4, &params(0, 0)), Ok(1));
        // Rewards that no market can have let nothing go.
        assert_eq!(
            pays(u64::MAX, &params(1 << 60, 0)),
            Err(EngineError::Overflow)
        );
    }

    #[test]
    fn the_next_payout_is_a_day_later_midnight_or_not() {
        let params = params(0, 0);
        let pay = |bucket: FeeBucket, now| bucket.pay_out(&params, MarketMode::ReduceOnly, now);
        // Ten seconds before midnight.
        let first = NOW - NOW % DAY + DAY - 10;
        let paid = pay(bucket(1_000, 0), first).unwrap();
        assert_eq!((paid.atoms, paid.left), (250, bucket(750, first)));
        for early in [first - 1, first, first + 20, first + DAY - 1] {
            assert_eq!(pay(paid.left, early), Err(EngineError::FeesPaidToday));
        }
        assert_eq!(pay(paid.left, first + DAY).unwrap().atoms, 187);
        for beyond in [-1, i64::from(u32::MAX) + 1] {
            assert_eq!(pay(paid.left, beyond), Err(EngineError::Overflow));
        }
    }

    #[test]
    fn a_closed_market_gives_all_at_once() {
        let pay = |mode| bucket(1_000, NOW).pay_out(&params(5, 900), mode, NOW + 1);
        let paid = pay(MarketMode::Settled).unwrap();
        assert_eq!((paid.atoms, paid.left), (1_000, bucket(0, NOW + 1)));
        let again = paid
            .left
            .pay_out(&params(5, 900), MarketMode::Settled, NOW + 2);
        assert_eq!(again, Err(EngineError::FeesReserved));
        // While positions are settled it pays like any other.
        assert_eq!(pay(MarketMode::Settling), Err(EngineError::FeesPaidToday));
    }
}
