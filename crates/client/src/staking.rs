//! What somebody has staked behind a market's insurance, and when it is paid.

use ballast_engine::shares::{ExitTerms, Holding, STAKE_TERMS};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::share::Share;
use ballast_state::stakes::Stakes;

/// A stake as of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staking {
    /// Shares, and what of them is to leave.
    pub holding: Holding,
    /// What the shares are worth, atoms, before what positions lack and nobody has paid yet.
    pub value_atoms: u64,
    /// What will be paid of the request if nothing more is lost, atoms; 0 without one.
    pub payable_atoms: u64,
    /// When the request is paid; `None` without one.
    pub exit: Option<ExitTime>,
}

/// When a request is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitTime {
    /// In so many slots.
    In(u64),
    /// Now, for so many slots more.
    Now(u64),
    /// Not any more: it has to be asked for again.
    Lapsed,
}

/// A stake in `market` as of `slot`; of an earlier epoch nothing is left.
///
/// # Errors
/// `Overflow`.
pub fn staking(
    market: &Market,
    stakes: &Stakes,
    share: &Share,
    slot: u64,
) -> Result<Staking, EngineError> {
    let holding = share.holding(stakes.epoch);
    let fund = stakes.fund(market.staked_atoms);
    let worth = fund.value(holding.requested)?;
    Ok(Staking {
        holding,
        value_atoms: fund.value(holding.shares)?,
        payable_atoms: worth.min(holding.requested_value),
        exit: (holding.requested > 0).then(|| exit_time(&holding, &STAKE_TERMS, slot)),
    })
}

/// When the request of `holding` is paid under `terms`, in `slot`.
#[must_use]
pub fn exit_time(holding: &Holding, terms: &ExitTerms, slot: u64) -> ExitTime {
    match holding.due_in(terms, slot) {
        0 => {
            let ends = terms.lapses_slot(holding.requested_slot);
            match ends.unwrap_or(u64::MAX).saturating_sub(slot) {
                0 => ExitTime::Lapsed,
                left => ExitTime::Now(left),
            }
        }
        wait => ExitTime::In(wait),
    }
}

/// Shares of a stake that are worth `atoms`, or all where that is less: as many as are needed.
///
/// # Errors
/// `Overflow`.
pub fn shares_worth(
    market: &Market,
    stakes: &Stakes,
    holding: &Holding,
    atoms: u64,
) -> Result<u64, EngineError> {
    let value = stakes.fund(market.staked_atoms).value(holding.shares)?;
    if atoms >= value {
        return Ok(holding.shares);
    }
    let scaled = u128::from(holding.shares) * u128::from(atoms);
    let shares = scaled.div_ceil(u128::from(value));
    u64::try_from(shares).map_err(|_| EngineError::Overflow)
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn a_stake_says_what_it_is_worth_and_when_it_is_paid() {
        let mut market = Market::zeroed();
        (market.insurance.balance, market.staked_atoms) = (900, 500);
        let mut stakes = Stakes::zeroed();
        stakes.shares = 1_000_000;
        let mut share = Share::zeroed();
        (share.shares, share.requested) = (600_000, 200_000);
        (share.requested_value, share.requested_slot) = (90, 1_000);
        let at = |slot| staking(&market, &stakes, &share, slot).unwrap();
        let due = 1_000 + STAKE_TERMS.delay_slots;
        let ends = due + STAKE_TERMS.window_slots;
        let exits = [due - 7, due, ends - 1, ends].map(|slot| at(slot).exit);
        let expected = [
            ExitTime::In(7),
            ExitTime::Now(STAKE_TERMS.window_slots),
            ExitTime::Now(1),
            ExitTime::Lapsed,
        ];
        assert_eq!(exits, expected.map(Some));
        assert_eq!((at(due).value_atoms, at(due).payable_atoms), (300, 90));
        let holding = at(due).holding;
        let shares = |atoms| shares_worth(&market, &stakes, &holding, atoms).unwrap();
        assert_eq!(
            (shares(100), shares(300), shares(999)),
            (200_000, 600_000, 600_000)
        );
        // An epoch later nothing is left.
        stakes.epoch = 1;
        let gone = staking(&market, &stakes, &share, due).unwrap();
        assert_eq!((gone.value_atoms, gone.exit), (0, None));
    }
}
