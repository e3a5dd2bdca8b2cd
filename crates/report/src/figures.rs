//! Figures for people. `report.json` never rounds; these do.

use ballast_client::amount::{grouped, truncated_decimal, Unit};

/// Decimals of the rehearsal's collateral, as of USDC.
const USD_DECIMALS: u8 = 6;

/// `1234567` atoms as `$1.23`; negative amounts as `-$1.23`. Cut off, not rounded.
pub fn usd(atoms: i64) -> String {
    dollars(atoms, 2)
}

/// Whole dollars above $1,000, cents below.
pub fn usd_short(atoms: i64) -> String {
    if atoms.unsigned_abs() < 1_000_000_000 {
        return usd(atoms);
    }
    dollars(atoms, 0)
}

/// With so many decimals; further ones are cut off.
fn dollars(atoms: i64, places: u8) -> String {
    let sign = if atoms < 0 { "-" } else { "" };
    let size = i128::from(atoms).abs();
    format!("{sign}${}", truncated_decimal(size, USD_DECIMALS, places))
}

/// An unsigned amount as dollars.
pub fn usd_unsigned(atoms: u64) -> String {
    usd_short(i64::try_from(atoms).unwrap_or(i64::MAX))
}

/// A count in groups of three.
pub fn grouped_count(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Millionths as a percentage with two decimals, cut off.
pub fn percent_of_ppm(ppm: u64) -> String {
    format!("{} %", truncated_decimal(ppm.into(), 4, 2))
}

/// Millionths as a number with three decimals, cut off.
pub fn decimal_of_ppm(ppm: u64) -> String {
    truncated_decimal(ppm.into(), 6, 3)
}

/// A price of `ticks` ticks of `tick_nano` (1e-9 USD) each, with the decimals of a tick.
pub fn price(ticks: u64, tick_nano: u64) -> String {
    format!("${}", Unit::nano(tick_nano).show(ticks, 2))
}

/// `HH:MM:SS` of a unix time, UTC.
pub fn clock(timestamp: i64) -> String {
    let second = timestamp.rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// First and last four characters of an address.
pub fn short(address: &str) -> String {
    match (
        address.get(..4),
        address.get(address.len().saturating_sub(4)..),
    ) {
        (Some(head), Some(tail)) if address.len() > 9 => format!("{head}…{tail}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        assert_eq!(usd(1_234_567), "$1.23");
        assert_eq!(usd(-1_234_567_891), "-$1,234.56");
        assert_eq!(usd_short(12_345_678_900_000), "$12,345,678");
        assert_eq!(usd_short(999_999_999), "$999.99");
    }

    #[test]
    fn ratios_are_cut_off() {
        assert_eq!(percent_of_ppm(129_999), "12.99 %");
        assert_eq!(percent_of_ppm(1_000_000), "100.00 %");
        assert_eq!(decimal_of_ppm(45_999), "0.045");
    }

    #[test]
    fn prices_show_the_decimals_of_their_tick() {
        assert_eq!(price(206_000, 1_000_000), "$206.000");
        assert_eq!(price(120_001, 1_000_000_000), "$120,001.00");
        assert_eq!(price(1_234, 10), "$0.00001234");
    }

    #[test]
    fn times_are_utc_and_addresses_short() {
        assert_eq!(clock(1_760_129_400), "20:50:00");
        assert_eq!(short("BALLASTxxxxxxxxxxxxxYYYY"), "BALL…YYYY");
        assert_eq!(short("short"), "short");
    }
}
