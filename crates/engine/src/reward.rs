//! What a keeper is paid for resolving a bankruptcy.

use crate::error::EngineError;
use crate::math::mul_div_floor;
use crate::units::Bps;

/// The share of a fixed reward (atoms) for closing `closed` of the `whole` lots of a
/// bankrupt position, rounded down, and no more than the fee bucket holds. All
/// shares of one bankruptcy together never exceed the reward, so splitting the work
/// into many calls earns nothing.
///
/// `Overflow` when `whole` is 0.
pub fn keeper_reward(
    reward: u64,
    fee_bucket: u64,
    closed: u64,
    whole: u64,
) -> Result<u64, EngineError> {
    Ok(mul_div_floor(reward, closed, whole)?.min(fee_bucket))
}

/// Most of what a call saves that its keeper earns for it, basis points. A rescue of a dollar that
/// earned a dollar would pay somebody for bankruptcies of its own; with a tenth, who makes them gets
/// no more than a tenth of the deficit on top of it, and a keeper is paid for its transaction from
/// a deficit of a few cents on.
pub const REWARD_SHARE_BPS: u32 = 1_000;

/// The reward for closing `closed` of `whole` lots of a bankrupt position, as [`keeper_reward`]
/// shares it out, and at most [`REWARD_SHARE_BPS`] of `saved`: the deficit of the closed lots that
/// insurance, held profit and counterparties bore, atoms, which could have gone on growing.
///
/// `Overflow` as above.
pub fn rescue_reward(
    reward: u64,
    fee_bucket: u64,
    closed: u64,
    whole: u64,
    saved: u64,
) -> Result<u64, EngineError> {
    let most = Bps::new(REWARD_SHARE_BPS).floor_of(saved)?;
    Ok(keeper_reward(reward, fee_bucket, closed, whole)?.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_add_up_to_more_than_the_reward() {
        let paid: u64 = (0..7)
            .map(|_| keeper_reward(100, 1_000, 1, 7).unwrap())
            .sum();
        assert_eq!(paid, 98);
        assert_eq!(keeper_reward(100, 1_000, 7, 7), Ok(100));
    }

    #[test]
    fn a_rescue_earns_a_tenth_of_what_it_saves_at_most() {
        assert_eq!(rescue_reward(100, 1_000, 7, 7, 1_000), Ok(100));
        assert_eq!(rescue_reward(100, 1_000, 7, 7, 999), Ok(99));
        assert_eq!(rescue_reward(100, 1_000, 3, 7, 999), Ok(42));
        assert_eq!(rescue_reward(100, 30, 7, 7, 999), Ok(30));
        assert_eq!(rescue_reward(100, 1_000, 7, 7, 9), Ok(0));
    }

    #[test]
    fn the_bucket_is_the_most_there_is_to_pay() {
        assert_eq!(keeper_reward(100, 30, 7, 7), Ok(30));
        assert_eq!(keeper_reward(100, 30, 0, 0), Err(EngineError::Overflow));
    }
}
