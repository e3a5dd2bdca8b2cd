//! Amounts as people write them, converted to the program's whole numbers and back, exactly.

use ballast_state::oracle_config::OracleConfig;

use super::failure::Usage;
use crate::report::money::grouped;

/// Decimals of the billionths in which lots and ticks are stated.
const NANO_DECIMALS: u8 = 9;

/// Which way a refused number is off, and what would have been right.
fn inexact(what: &str, text: &str, below: &str, above: &str, unit: &str) -> Usage {
    Usage(format!(
        "{text} is not a whole number of {unit}; the nearest {what}s are {below} and {above}"
    ))
}

/// How many decimals an amount of the quote currency has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// Decimals of the mint.
    pub decimals: u8,
}

impl Collateral {
    /// Atoms as an exact decimal number.
    pub fn text(self, atoms: i128) -> String {
        decimal(atoms, self.decimals)
    }

    /// Atoms for people: exact, in groups of three, at least two decimals where there are any.
    pub fn show(self, atoms: i128) -> String {
        shown(&self.text(atoms), self.decimals.min(2))
    }

    /// Atoms of a decimal number above zero.
    ///
    /// # Errors
    /// [`Usage`] for anything else, more decimals than the mint has among it.
    pub fn atoms(self, text: &str) -> Result<u64, Usage> {
        whole(
            "amount",
            text,
            self.decimals,
            1,
            "atoms of the collateral mint",
        )
    }
}

/// What a lot and a tick of a market are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Quote currency per base unit in one tick, billionths.
    pub tick_nano: u64,
    /// Base units in one lot, billionths.
    pub lot_nano: u64,
    /// Atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// The quote currency.
    pub collateral: Collateral,
}

impl Units {
    /// Those of a market.
    pub fn new(oracle: &OracleConfig, decimals: u8) -> Self {
        Self {
            tick_nano: oracle.tick_nano,
            lot_nano: oracle.lot_nano,
            atoms_per_lot_tick: oracle.atoms_per_lot_tick,
            collateral: Collateral { decimals },
        }
    }

    /// A price as an exact decimal number, quote currency per base unit.
    pub fn price(self, ticks: u64) -> String {
        nano_text(ticks, self.tick_nano)
    }

    /// A price for people, with the decimals of a tick.
    pub fn show_price(self, ticks: u64) -> String {
        shown(&self.price(ticks), decimals_of(self.tick_nano))
    }

    /// A size as an exact decimal number of base units.
    pub fn size(self, lots: u64) -> String {
        nano_text(lots, self.lot_nano)
    }

    /// A size for people, with the decimals of a lot.
    pub fn show_size(self, lots: u64) -> String {
        shown(&self.size(lots), decimals_of(self.lot_nano))
    }

    /// The price of a lot in ticks, rounded down; exact for the price of an order.
    pub fn ticks_of(self, atoms_per_lot: u64) -> u64 {
        atoms_per_lot
            .checked_div(self.atoms_per_lot_tick)
            .unwrap_or(0)
    }

    /// The average price of `lots` for `quote` atoms, cut off to a hundredth of a tick, for people.
    pub fn show_average(self, quote: u64, lots: u64) -> String {
        let divisor = u128::from(lots) * u128::from(self.atoms_per_lot_tick);
        let hundredths = (u128::from(quote) * 100).checked_div(divisor).unwrap_or(0);
        let nano = hundredths * u128::from(self.tick_nano) / 100;
        let text = decimal(i128::try_from(nano).unwrap_or(i128::MAX), NANO_DECIMALS);
        shown(&text, decimals_of(self.tick_nano))
    }

    /// Ticks of a price above zero.
    ///
    /// # Errors
    /// [`Usage`] unless it is a whole number of ticks.
    pub fn ticks(self, text: &str) -> Result<u64, Usage> {
        let unit = format!("ticks of {}", decimal(self.tick_nano.into(), NANO_DECIMALS));
        whole("price", text, NANO_DECIMALS, self.tick_nano, &unit)
    }

    /// Lots of a size above zero.
    ///
    /// # Errors
    /// [`Usage`] unless it is a whole number of lots.
    pub fn lots(self, text: &str) -> Result<u64, Usage> {
        let unit = format!("lots of {}", decimal(self.lot_nano.into(), NANO_DECIMALS));
        whole("size", text, NANO_DECIMALS, self.lot_nano, &unit)
    }
}

/// `value * 10^-decimals`, exact, without zeros at the end.
pub fn decimal(value: i128, decimals: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let places = usize::from(decimals);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// `percent` of basis points, with two decimals.
pub fn percent_of_bps(bps: i64) -> String {
    let sign = if bps < 0 { "-" } else { "" };
    let size = bps.unsigned_abs();
    format!("{sign}{}.{:02} %", grouped(size / 100), size % 100)
}

/// Millionths as a percentage with four decimals and its sign.
pub fn percent_of_ppm_signed(ppm: i32) -> String {
    let sign = if ppm < 0 { "-" } else { "+" };
    let size = ppm.unsigned_abs();
    format!("{sign}{}.{:04} %", size / 10_000, size % 10_000)
}

fn nano_text(count: u64, unit_nano: u64) -> String {
    let nano = i128::from(count) * i128::from(unit_nano);
    decimal(nano, NANO_DECIMALS)
}

/// Decimals that a unit of so many billionths needs.
fn decimals_of(unit_nano: u64) -> u8 {
    let text = decimal(unit_nano.into(), NANO_DECIMALS);
    let places = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    u8::try_from(places).unwrap_or(NANO_DECIMALS)
}

/// A decimal number in groups of three with at least so many decimals.
fn shown(text: &str, least: u8) -> String {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let places = usize::from(least).max(fraction.len());
    if places == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:0<places$}")
}

/// How many `unit`s (of `10^-decimals` each) a decimal number above zero is.
fn whole(what: &str, text: &str, decimals: u8, unit: u64, named: &str) -> Result<u64, Usage> {
    let (value, rest) = scaled(what, text, decimals)?;
    let unit = u128::from(unit.max(1));
    let (count, over) = (value / unit, value % unit > 0 || rest);
    let beside = |count: u128| {
        let scaled = i128::try_from(count * unit).unwrap_or(i128::MAX);
        decimal(scaled, decimals)
    };
    if over {
        return Err(inexact(
            what,
            text,
            &beside(count),
            &beside(count + 1),
            named,
        ));
    }
    match u64::try_from(count) {
        Ok(0) => Err(Usage(format!("expected a {what} above zero, not {text}"))),
        Ok(count) => Ok(count),
        Err(_) => Err(Usage(format!("{text} is too much for a {what}"))),
    }
}

/// A decimal number times `10^decimals`, cut off, and whether anything was.
fn scaled(what: &str, text: &str, decimals: u8) -> Result<(u128, bool), Usage> {
    let bad = || {
        Usage(format!(
            "`{text}` is no {what}: expected a decimal number such as 12.5"
        ))
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(bad());
    }
    let places = usize::from(decimals);
    let kept = fraction.get(..places.min(fraction.len())).unwrap_or("");
    let cut = fraction.get(kept.len()..).unwrap_or("");
    let number = format!("{whole}{kept:0<places$}");
    let value = number
        .parse()
        .map_err(|_| Usage(format!("{text} is too much for a {what}")))?;
    Ok((value, cut.bytes().any(|byte| byte != b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lots of 0.001, ticks of $0.025, six decimals.
    fn units() -> Units {
        Units {
            tick_nano: 25_000_000,
            lot_nano: 1_000_000,
            atoms_per_lot_tick: 25,
            collateral: Collateral { decimals: 6 },
        }
    }

    fn refusal(result: Result<u64, Usage>) -> String {
        result.expect_err("not whole").to_string()
    }

    #[test]
    fn whole_lots_and_ticks_convert_exactly() {
        let units = units();
        assert_eq!(units.ticks("188").ok(), Some(7_520));
        assert_eq!(units.ticks("0.0250000000000").ok(), Some(1));
        assert_eq!(units.lots(".001").ok(), Some(1));
        assert_eq!(units.lots("12.").ok(), Some(12_000));
        assert_eq!(
            units.lots("9007199254740993.001").ok(),
            Some(9_007_199_254_740_993_001)
        );
        assert_eq!(units.collateral.atoms("0.000001").ok(), Some(1));
    }

    #[test]
    fn what_is_not_whole_is_refused_with_its_neighbours() {
        let units = units();
        let ticks = refusal(units.ticks("188.03"));
        assert!(ticks.contains("ticks of 0.025"), "{ticks}");
        assert!(ticks.contains("188.025 and 188.05"), "{ticks}");
        let lots = refusal(units.lots("1.00000000000001"));
        assert!(lots.contains("1 and 1.001"), "{lots}");
        let atoms = refusal(units.collateral.atoms("5.1234567"));
        assert!(atoms.contains("5.123456 and 5.123457"), "{atoms}");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let units = units();
        for text in ["", ".", "-1", "1e3", "1,000", " 1", "0", "0.0", "0x10", "٣"] {
            assert!(units.lots(text).is_err(), "{text}");
        }
        let most = "340282366920938463463374607431768211456";
        assert!(refusal(units.lots(most)).contains("too much"));
        assert!(refusal(units.lots("99999999999999999999")).contains("too much"));
    }

    #[test]
    fn decimal_numbers_are_exact_and_readable() {
        assert_eq!(decimal(-1_500_000, 6), "-1.5");
        assert_eq!(decimal(7, 0), "7");
        assert_eq!(decimal(-1, 9), "-0.000000001");
        let units = units();
        assert_eq!(units.price(7_521), "188.025");
        assert_eq!(units.show_price(7_520), "188.000");
        assert_eq!(units.show_size(1_234_500), "1,234.500");
        assert_eq!(units.collateral.show(-1_234_500_000), "-1,234.50");
        assert_eq!(units.collateral.show(1), "0.000001");
        assert_eq!(units.show_average(1_000, 3), "0.33325");
        assert_eq!(percent_of_bps(-12_345), "-123.45 %");
        assert_eq!(percent_of_ppm_signed(-125), "-0.0125 %");
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let units = units();
        for count in [1, 39, 40, 41, 1_000_003, u64::from(u32::MAX)] {
            assert_eq!(units.ticks(&units.price(count)).ok(), Some(count));
            assert_eq!(units.lots(&units.size(count)).ok(), Some(count));
            let text = units.collateral.text(count.into());
            assert_eq!(units.collateral.atoms(&text).ok(), Some(count));
        }
    }
}
