//! What a keeper is paid for resolving a bankruptcy.

use crate::error::EngineError;
use crate::math::mul_div_floor;

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
    fn the_bucket_is_the_most_there_is_to_pay() {
        assert_eq!(keeper_reward(100, 30, 7, 7), Ok(30));
        assert_eq!(keeper_reward(100, 30, 0, 0), Err(EngineError::Overflow));
    }
}
