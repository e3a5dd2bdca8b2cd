//! Exact numbers: fractions of big integers, rounded only where the name says so.

use num_bigint::BigInt;
use num_rational::BigRational;

/// One hundred percent in basis points.
pub const ONE: i128 = 10_000;

/// `a / b`.
pub fn ratio(a: i128, b: i128) -> BigRational {
    BigRational::new(BigInt::from(a), BigInt::from(b))
}

/// A whole number.
pub fn whole(a: i128) -> BigRational {
    BigRational::from_integer(BigInt::from(a))
}

/// `a * b / c`.
pub fn part(a: i128, b: i128, c: i128) -> BigRational {
    BigRational::new(BigInt::from(a) * BigInt::from(b), BigInt::from(c))
}

/// The greatest integer that is not above.
pub fn floor(number: &BigRational) -> i128 {
    integer(&number.floor())
}

/// The least integer that is not below.
pub fn ceil(number: &BigRational) -> i128 {
    integer(&number.ceil())
}

fn integer(number: &BigRational) -> i128 {
    i128::try_from(number.to_integer()).expect("amounts of the model fit 128 bits")
}
