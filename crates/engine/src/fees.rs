//! Trading fees: what taker and maker pay, and who gets it.

use crate::error::EngineError;
use crate::risk::RiskParams;
use crate::units::{Atoms, Bps};

/// The taker's fee on `notional` atoms, atoms, rounded up.
pub fn taker_fee(params: &RiskParams, notional: u64) -> Result<u64, EngineError> {
    Bps::new(params.taker_fee_bps).ceil_of(notional)
}

/// What the maker pays on `notional` atoms, rounded up; a rebate when negative, rounded
/// down and never more than the taker's fee as charged.
pub fn maker_fee(params: &RiskParams, notional: u64, taker_fee: u64) -> Result<Atoms, EngineError> {
    let rate = Bps::new(params.maker_fee_bps.unsigned_abs());
    if params.maker_fee_bps >= 0 {
        return Atoms::from_unsigned(rate.ceil_of(notional)?);
    }
    Atoms::ZERO.try_sub_unsigned(rate.floor_of(notional)?.min(taker_fee))
}

/// Fees as they are booked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeSplit {
    /// To the market's fee bucket, atoms.
    pub market: u64,
    /// To insurance, atoms, rounded down.
    pub insurance: u64,
}

/// Splits what takers and makers paid together, atoms, not negative. `Overflow` when it
/// is.
pub fn split(params: &RiskParams, paid: Atoms) -> Result<FeeSplit, EngineError> {
    let paid = u64::try_from(paid.get()).map_err(|_| EngineError::Overflow)?;
    let insurance = Bps::new(params.insurance_fee_share_bps).floor_of(paid)?;
    let market = paid.checked_sub(insurance).ok_or(EngineError::Overflow)?;
    Ok(FeeSplit { market, insurance })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(taker: u32, maker: i32) -> RiskParams {
        RiskParams {
            taker_fee_bps: taker,
            maker_fee_bps: maker,
            insurance_fee_share_bps: 2_500,
            ..RiskParams::default()
        }
    }

    #[test]
    fn fees_round_up_and_rebates_down() {
        let (paying, rebated) = (params(5, 2), params(5, -2));
        assert_eq!(taker_fee(&paying, 10_001), Ok(6));
        assert_eq!(maker_fee(&paying, 10_001, 0), Ok(Atoms::new(3)));
        assert_eq!(maker_fee(&rebated, 10_001, 6), Ok(Atoms::new(-2)));
        // No more is given back than the taker paid.
        assert_eq!(maker_fee(&rebated, 10_001, 1), Ok(Atoms::new(-1)));
        assert_eq!(maker_fee(&rebated, 10_001, 0), Ok(Atoms::ZERO));
    }

    #[test]
    fn a_split_keeps_every_atom_and_nothing_negative() {
        let params = params(5, 0);
        let parts = split(&params, Atoms::new(7)).unwrap();
        assert_eq!((parts.market, parts.insurance), (6, 1));
        assert_eq!(split(&params, Atoms::new(-1)), Err(EngineError::Overflow));
    }
}
