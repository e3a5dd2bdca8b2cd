//! Why a call is refused.

use ballast_state::error::BallastError;

/// The error number a refused call ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub u32);

/// What a call comes to.
pub type Verdict<T> = Result<T, Refusal>;

/// The token program's error for more tokens than there are.
pub const TOKENS_MISSING: Refusal = Refusal(1);
/// The system program's error for an account that is there already.
pub const ALREADY_THERE: Refusal = Refusal(0);

/// Anchor's error for an account that is not there: nobody has made it the program's.
pub const NOT_THERE: Refusal = Refusal(3_007);

impl From<BallastError> for Refusal {
    fn from(error: BallastError) -> Self {
        Self(error.into())
    }
}

/// Refuses unless the condition holds.
pub fn require(holds: bool, error: BallastError) -> Verdict<()> {
    if holds {
        Ok(())
    } else {
        Err(error.into())
    }
}

/// `Overflow` outside the range of signed amounts.
pub fn signed(amount: i128) -> Verdict<i128> {
    let fits = i64::try_from(amount).is_ok();
    require(fits, BallastError::Overflow)?;
    Ok(amount)
}

/// `Overflow` outside the range of unsigned amounts.
pub fn unsigned(amount: i128) -> Verdict<i128> {
    let fits = u64::try_from(amount).is_ok();
    require(fits, BallastError::Overflow)?;
    Ok(amount)
}
