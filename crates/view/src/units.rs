//! Amounts as people write them, converted to the program's whole numbers and back, exactly.

use ballast_client::amount::{
    decimal, grouped_decimal, truncated_decimal, AmountError, Unit, NANO_DECIMALS,
};
use ballast_state::oracle_config::OracleConfig;

use crate::failure::Usage;

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
        grouped_decimal(atoms, self.decimals, 2)
    }

    /// Atoms of a decimal number above zero.
    ///
    /// # Errors
    /// [`Usage`] for anything else, more decimals than the mint has among it.
    pub fn atoms(self, text: &str) -> Result<u64, Usage> {
        named("amount", Unit::atom(self.decimals).read_above_zero(text))
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

    fn tick(self) -> Unit {
        Unit::nano(self.tick_nano)
    }

    fn lot(self) -> Unit {
        Unit::nano(self.lot_nano)
    }

    /// A price as an exact decimal number, quote currency per base unit.
    pub fn price(self, ticks: u64) -> String {
        self.tick().text(ticks)
    }

    /// A price for people, with the decimals of a tick.
    pub fn show_price(self, ticks: u64) -> String {
        self.tick().show(ticks, 0)
    }

    /// A size as an exact decimal number of base units.
    pub fn size(self, lots: u64) -> String {
        self.lot().text(lots)
    }

    /// A size for people, with the decimals of a lot.
    pub fn show_size(self, lots: u64) -> String {
        self.lot().show(lots, 0)
    }

    /// The price of a lot in ticks, rounded down; exact for the price of an order.
    pub fn ticks_of(self, atoms_per_lot: u64) -> u64 {
        atoms_per_lot
            .checked_div(self.atoms_per_lot_tick)
            .unwrap_or(0)
    }

    /// The average price of `lots` for `quote` atoms, cut off to a hundredth of a tick, for people.
    pub fn show_average(self, quote: u64, lots: u64) -> String {
        let nano = self.average_nano(quote, lots);
        grouped_decimal(nano, NANO_DECIMALS, self.tick().places())
    }

    /// The same as a plain decimal number.
    pub fn average(self, quote: u64, lots: u64) -> String {
        decimal(self.average_nano(quote, lots), NANO_DECIMALS)
    }

    fn average_nano(self, quote: u64, lots: u64) -> i128 {
        let divisor = u128::from(lots) * u128::from(self.atoms_per_lot_tick);
        let hundredths = (u128::from(quote) * 100).checked_div(divisor).unwrap_or(0);
        let nano = hundredths * u128::from(self.tick_nano) / 100;
        i128::try_from(nano).unwrap_or(i128::MAX)
    }

    /// Ticks of a price above zero.
    ///
    /// # Errors
    /// [`Usage`] unless it is a whole number of ticks.
    pub fn ticks(self, text: &str) -> Result<u64, Usage> {
        named("price", self.tick().read_above_zero(text))
    }

    /// Lots of a size above zero.
    ///
    /// # Errors
    /// [`Usage`] unless it is a whole number of lots.
    pub fn lots(self, text: &str) -> Result<u64, Usage> {
        named("size", self.lot().read_above_zero(text))
    }
}

/// Basis points as a percentage with two decimals.
pub fn percent_of_bps(bps: i64) -> String {
    format!("{} %", truncated_decimal(bps.into(), 2, 2))
}

/// Millionths as a percentage with four decimals and its sign.
pub fn percent_of_ppm_signed(ppm: i32) -> String {
    let plus = if ppm < 0 { "" } else { "+" };
    format!("{plus}{} %", truncated_decimal(ppm.into(), 4, 4))
}

/// What somebody wrote, or which of their figures cannot be meant.
fn named(what: &str, read: Result<u64, AmountError>) -> Result<u64, Usage> {
    read.map_err(|error| Usage(format!("{what} {error}")))
}

/// Leverage of so many hundredths for people.
pub fn leverage_words(hundredths: u64) -> String {
    format!("{}x", truncated_decimal(hundredths.into(), 2, 2))
}

/// `1 order`, `2 orders`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
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
    fn amounts_of_the_command_line_count_ticks_lots_and_atoms() {
        let units = units();
        assert_eq!(units.ticks("188").ok(), Some(7_520));
        assert_eq!(units.lots("12.5").ok(), Some(12_500));
        assert_eq!(units.collateral.atoms("0.000001").ok(), Some(1));
    }

    #[test]
    fn a_refusal_names_the_figure() {
        let units = units();
        assert_eq!(
            refusal(units.ticks("188.03")),
            "price 188.03 is not a multiple of 0.025; the nearest are 188.025 and 188.05"
        );
        assert_eq!(refusal(units.lots("0")), "size 0 is not above zero");
        let amount = refusal(units.collateral.atoms("1,000"));
        assert!(
            amount.starts_with("amount `1,000` is not a decimal"),
            "{amount}"
        );
    }

    #[test]
    fn amounts_are_shown_with_the_decimals_of_their_unit() {
        let units = units();
        assert_eq!(units.price(7_521), "188.025");
        assert_eq!(units.show_price(7_520), "188.000");
        assert_eq!(units.show_size(1_234_500), "1,234.500");
        assert_eq!(units.collateral.show(-1_234_500_000), "-1,234.50");
        assert_eq!(units.collateral.show(1), "0.000001");
        assert_eq!(units.show_average(1_000, 3), "0.33325");
        assert_eq!(units.average(100_000_000_000, 2_000), "50000");
        assert_eq!(percent_of_bps(-12_345), "-123.45 %");
        assert_eq!(percent_of_ppm_signed(-125), "-0.0125 %");
        assert_eq!(percent_of_ppm_signed(125), "+0.0125 %");
    }
}
