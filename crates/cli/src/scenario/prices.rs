//! A price path: what the oracle says, and when.

use std::path::PathBuf;

/// One US dollar in the unit prices are kept in.
pub const NANO_PER_USD: i64 = 1_000_000_000;

/// One oracle price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePoint {
    /// Unix seconds.
    pub timestamp: i64,
    /// Price in 1e-9 USD, above zero.
    pub price_nano: i64,
}

/// Where a path comes from; every output says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// Drawn around the public facts of 2025-10-10 by the seed.
    Generated,
    /// Read from a file the user named.
    File(PathBuf),
}

impl PriceSource {
    /// One sentence for the reader of a report.
    pub fn sentence(&self) -> String {
        match self {
            Self::Generated => {
                "GENERATED price path, not market data: drawn by the seed around public facts of \
                 2025-10-10 (SOL about $206 at 20:50 UTC, low about $172 at 21:29, worst ten \
                 minutes about -12 %, then a partial recovery)"
                    .to_owned()
            }
            Self::File(path) => format!("prices read from {}", path.display()),
        }
    }
}

/// Prices in rising order of time; at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricePath {
    /// Where the prices come from.
    pub source: PriceSource,
    /// Strictly rising timestamps.
    pub points: Vec<PricePoint>,
}

impl PricePath {
    /// The first price; positions are opened around it.
    pub fn first(&self) -> Option<PricePoint> {
        self.points.first().copied()
    }

    /// The lowest price and when it was first seen.
    pub fn low(&self) -> Option<PricePoint> {
        self.points
            .iter()
            .copied()
            .min_by_key(|point| point.price_nano)
    }
}

/// Parses a plain decimal number of dollars into 1e-9 USD; digits beyond the ninth are cut off.
///
/// `None` when the text is no decimal number or does not fit.
pub fn parse_usd_nano(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let padded: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nano = whole
        .checked_mul(NANO_PER_USD)?
        .checked_add(padded.parse().ok()?)?;
    Some(if negative { -nano } else { nano })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_dollars_become_nano_dollars_exactly() {
        assert_eq!(parse_usd_nano("206"), Some(206_000_000_000));
        assert_eq!(parse_usd_nano("182.803"), Some(182_803_000_000));
        assert_eq!(parse_usd_nano("0.000000001"), Some(1));
        assert_eq!(parse_usd_nano(".5"), Some(500_000_000));
        assert_eq!(parse_usd_nano("182.80300000000001"), Some(182_803_000_000));
        assert_eq!(parse_usd_nano("-1.5"), Some(-1_500_000_000));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "abc",
            "1,5",
            "1e3",
            "NaN",
            "1.2.3",
            " 1",
            "99999999999999999999",
        ] {
            assert_eq!(parse_usd_nano(text), None, "{text:?}");
        }
    }
}
