//! Decimal numbers as people write and read them, and the program's whole numbers: exact in both
//! directions, without floats.
//!
//! What is read is digits with at most one point among them, as `12.5`, `.5` or `12.`: no sign, no
//! exponent, no separators, no spaces. Nothing is rounded unless the name of the function says so: a
//! number between two units is refused with both neighbours, a number that does not fit 64 bits with
//! the largest that does. Zeros after the last place change nothing and are accepted.
//!
//! What is printed exactly by [`decimal`] and [`Unit::text`] is read back as the same number. The others
//! are for people: whole digits in groups of three.
//!
//! ```
//! use ballast_client::amount::{grouped_decimal, Unit};
//!
//! let tick = Unit::nano(25_000_000); // 0.025
//! assert_eq!(tick.read("188.05")?, 7_522);
//! assert_eq!(tick.text(7_522), "188.05");
//! assert_eq!(
//!     tick.read("188.03").unwrap_err().to_string(),
//!     "188.03 is not a multiple of 0.025; the nearest are 188.025 and 188.05"
//! );
//! assert_eq!(grouped_decimal(-1_234_500_000, 6, 2), "-1,234.50");
//! # Ok::<(), ballast_client::amount::AmountError>(())
//! ```

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use thiserror::Error;

/// Decimals of the billionths in which the program states ticks and lots.
pub const NANO_DECIMALS: u8 = 9;

/// Why a text is no amount. Each sentence begins with the text, so that the name of what was expected
/// can stand before it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// It is no decimal number.
    #[error("`{0}` is not a decimal number; write digits and at most one point, as in 12.5")]
    NotDecimal(String),
    /// It has a minus sign.
    #[error("{0} is below zero; write a number without a sign")]
    Negative(String),
    /// It is zero where something must be.
    #[error("{0} is not above zero")]
    Zero(String),
    /// It lies between two whole numbers of units.
    #[error("{text} is not a multiple of {unit}; the nearest are {below} and {above}")]
    Inexact {
        /// What was written.
        text: String,
        /// One unit.
        unit: String,
        /// The next smaller number that can be meant.
        below: String,
        /// The next larger one.
        above: String,
    },
    /// It is more than 64 bits of units.
    #[error("{text} is too large; the most is {most}")]
    TooLarge {
        /// What was written.
        text: String,
        /// The largest number that can be meant.
        most: String,
    },
}

/// What a number counts: `step * 10^-decimals` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    step: u64,
    decimals: u8,
}

impl Unit {
    /// The smallest unit of a currency with so many decimals.
    pub const fn atom(decimals: u8) -> Self {
        Self { step: 1, decimals }
    }

    /// So many billionths, as ticks and lots are stated; a unit of none counts as one billionth.
    pub const fn nano(step: u64) -> Self {
        let step = if step == 0 { 1 } else { step };
        Self {
            step,
            decimals: NANO_DECIMALS,
        }
    }

    /// How many units a text is, exactly; zero is one of the answers.
    ///
    /// # Errors
    /// Every [`AmountError`] but `Zero`.
    pub fn read(self, text: &str) -> Result<u64, AmountError> {
        let (count, between) = self.count(text)?;
        if between {
            let (below, above) = (u128::from(count), u128::from(count) + 1);
            return Err(AmountError::Inexact {
                text: text.to_owned(),
                unit: self.exact(1),
                below: self.exact(below),
                above: self.exact(above),
            });
        }
        Ok(count)
    }

    /// How many units a text is, exactly, and at least one.
    ///
    /// # Errors
    /// Every [`AmountError`].
    pub fn read_above_zero(self, text: &str) -> Result<u64, AmountError> {
        match self.read(text)? {
            0 => Err(AmountError::Zero(text.to_owned())),
            count => Ok(count),
        }
    }

    /// How many whole units are in a text: what is left over is cut off. For measured prices, never
    /// for money that somebody names.
    ///
    /// # Errors
    /// Every [`AmountError`] but `Zero` and `Inexact`.
    pub fn read_rounded_down(self, text: &str) -> Result<u64, AmountError> {
        self.count(text).map(|(count, _)| count)
    }

    /// So many units as an exact decimal number.
    pub fn text(self, count: u64) -> String {
        self.exact(count.into())
    }

    /// So many units for people: exact, in groups of three, with the decimals of one unit, or with
    /// `least` if those are fewer.
    pub fn show(self, count: u64, least: u8) -> String {
        let places = self.places().max(least);
        let (whole, fraction) = split(self.scaled(count.into()), self.decimals);
        format!("{}{}", group(&whole), point(&fraction, places))
    }

    /// Decimals that one unit needs.
    pub fn places(self) -> u8 {
        let (mut step, mut places) = (self.step, self.decimals);
        while places > 0 && step.is_multiple_of(10) {
            step /= 10;
            places -= 1;
        }
        places
    }

    /// Whole units in a text, and whether something is left over.
    fn count(self, text: &str) -> Result<(u64, bool), AmountError> {
        let too_large = || AmountError::TooLarge {
            text: text.to_owned(),
            most: self.text(u64::MAX),
        };
        let (whole, fraction) = parts(text)?;
        let places = usize::from(self.decimals);
        let (kept, cut) = fraction.split_at(places.min(fraction.len()));
        let digits = format!("{whole}{kept:0<places$}");
        let digits = digits.trim_start_matches('0');
        let value: u128 = match digits {
            "" => 0,
            digits => digits.parse().map_err(|_| too_large())?,
        };
        let step = u128::from(self.step);
        let count = u64::try_from(value / step).map_err(|_| too_large())?;
        let over = !value.is_multiple_of(step) || cut.bytes().any(|digit| digit != b'0');
        Ok((count, over))
    }

    fn exact(self, count: u128) -> String {
        unsigned(self.scaled(count), self.decimals)
    }

    /// At most `2^64` units, each of 64 bits.
    fn scaled(self, count: u128) -> u128 {
        count * u128::from(self.step)
    }
}

/// `value * 10^-decimals`, exact, without zeros at the end.
pub fn decimal(value: i128, decimals: u8) -> String {
    format!(
        "{}{}",
        minus(value),
        unsigned(value.unsigned_abs(), decimals)
    )
}

/// `value * 10^-decimals` for people: exact, in groups of three, with at least `least` decimals.
pub fn grouped_decimal(value: i128, decimals: u8, least: u8) -> String {
    let (whole, fraction) = split(value.unsigned_abs(), decimals);
    let fraction = point(&fraction, least.min(decimals));
    format!("{}{}{fraction}", minus(value), group(&whole))
}

/// `value * 10^-decimals` for people: in groups of three, with `places` decimals; further ones are cut
/// off, towards zero. A number below zero keeps its sign even if nothing else of it is left.
pub fn truncated_decimal(value: i128, decimals: u8, places: u8) -> String {
    let (whole, fraction) = split(value.unsigned_abs(), decimals);
    let places = usize::from(places);
    let kept: String = fraction.chars().take(places).collect();
    let sign = minus(value);
    let whole = group(&whole);
    if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{kept:0<places$}")
    }
}

/// A whole number in groups of three.
pub fn grouped(number: impl Into<u128>) -> String {
    group(&number.into().to_string())
}

/// The digits before and after the point.
fn parts(text: &str) -> Result<(&str, &str), AmountError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
        return Err(AmountError::NotDecimal(text.to_owned()));
    }
    if negative {
        return Err(AmountError::Negative(text.to_owned()));
    }
    Ok((whole, fraction))
}

const fn minus(value: i128) -> &'static str {
    if value < 0 {
        "-"
    } else {
        ""
    }
}

fn unsigned(value: u128, decimals: u8) -> String {
    let (whole, fraction) = split(value, decimals);
    format!("{whole}{}", point(&fraction, 0))
}

/// The digits of `value * 10^-decimals` before and after the point.
fn split(value: u128, decimals: u8) -> (String, String) {
    let places = usize::from(decimals);
    let mut whole = format!("{value:0>width$}", width = places + 1);
    let fraction = whole.split_off(whole.len() - places);
    (whole, fraction)
}

/// A point and decimals: all that are not zero, and at least so many.
fn point(fraction: &str, least: u8) -> String {
    let needed = fraction.trim_end_matches('0').len();
    match needed.max(usize::from(least)) {
        0 => String::new(),
        places => format!(".{:0<places$}", fraction.get(..needed).unwrap_or(fraction)),
    }
}

fn group(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
