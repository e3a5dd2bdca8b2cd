//! Amounts: what is printed is read back, what cannot be meant is refused with a sentence.

use ballast_client::amount::{
    decimal, grouped, grouped_decimal, truncated_decimal, AmountError, Unit,
};
use num_bigint::BigUint;
use proptest::prelude::*;

const TICK: Unit = Unit::nano(25_000_000);
const USDC: Unit = Unit::atom(6);

fn sentence(unit: Unit, text: &str) -> String {
    unit.read_above_zero(text)
        .expect_err("not an amount")
        .to_string()
}

#[test]
fn whole_units_are_read_exactly() {
    for (unit, text, count) in [
        (TICK, "188", 7_520),
        (TICK, "0.0250000000000", 1),
        (TICK, "000188.050", 7_522),
        (Unit::nano(1_000_000), ".001", 1),
        (Unit::nano(1_000_000), "12.", 12_000),
        (USDC, "0.000001", 1),
        (USDC, "18446744073709.551615", u64::MAX),
        (Unit::atom(0), "18446744073709551615", u64::MAX),
        (Unit::atom(19), "1.8446744073709551615", u64::MAX),
        (
            Unit::nano(1_000_000),
            "9007199254740993.001",
            9_007_199_254_740_993_001,
        ),
        (USDC, &"0".repeat(500), 0),
        (USDC, &format!("1.{}", "0".repeat(500)), 1_000_000),
    ] {
        assert_eq!(unit.read(text), Ok(count), "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "", ".", "-", "-.", "+1", "1e3", "1,000", " 1", "1 ", "1_000", "0x10", "1.2.3", "NaN",
        "inf", "\u{663}", "1\0", "--1", "1-", "½",
    ] {
        assert_eq!(
            USDC.read(text),
            Err(AmountError::NotDecimal(text.to_owned()))
        );
    }
    for text in ["-1", "-0", "-.5"] {
        assert_eq!(USDC.read(text), Err(AmountError::Negative(text.to_owned())));
    }
}

#[test]
fn errors_say_what_was_expected() {
    assert_eq!(
        sentence(USDC, "ten"),
        "`ten` is not a decimal number; write digits and at most one point, as in 12.5"
    );
    assert_eq!(
        sentence(USDC, "-1.5"),
        "-1.5 is below zero; write a number without a sign"
    );
    assert_eq!(sentence(USDC, "0.00"), "0.00 is not above zero");
    assert_eq!(
        sentence(TICK, "188.03"),
        "188.03 is not a multiple of 0.025; the nearest are 188.025 and 188.05"
    );
    assert_eq!(
        sentence(Unit::nano(1_000_000), "1.00000000000001"),
        "1.00000000000001 is not a multiple of 0.001; the nearest are 1 and 1.001"
    );
    assert_eq!(
        sentence(USDC, "0.0000001"),
        "0.0000001 is not a multiple of 0.000001; the nearest are 0 and 0.000001"
    );
    assert_eq!(
        sentence(USDC, "18446744073709.551616"),
        "18446744073709.551616 is too large; the most is 18446744073709.551615"
    );
    // More than 128 bits of atoms.
    let text = format!("1{}", "0".repeat(60));
    assert_eq!(
        sentence(TICK, &text),
        format!("{text} is too large; the most is 461168601842738790.375")
    );
}

#[test]
fn the_largest_amount_has_a_neighbour_above() {
    assert_eq!(
        sentence(USDC, "18446744073709.5516151"),
        "18446744073709.5516151 is not a multiple of 0.000001; the nearest are \
         18446744073709.551615 and 18446744073709.551616"
    );
}

#[test]
fn only_measured_prices_are_rounded() {
    let nano = Unit::nano(1);
    assert_eq!(
        nano.read_rounded_down("182.80300000000001"),
        Ok(182_803_000_000)
    );
    assert_eq!(nano.read_rounded_down("0.9999999999"), Ok(999_999_999));
    assert_eq!(TICK.read_rounded_down("0.0249"), Ok(0));
    assert!(nano.read_rounded_down("-1").is_err());
}

#[test]
fn amounts_are_printed_exactly_and_readably() {
    assert_eq!(decimal(-1_500_000, 6), "-1.5");
    assert_eq!(decimal(7, 0), "7");
    assert_eq!(decimal(-1, 9), "-0.000000001");
    assert_eq!(decimal(0, 9), "0");
    assert_eq!(
        decimal(i128::MIN, 6),
        "-170141183460469231731687303715884.105728"
    );
    assert_eq!(TICK.text(7_521), "188.025");
    assert_eq!(TICK.show(7_520, 0), "188.000");
    assert_eq!(Unit::nano(1_000_000).show(1_234_500, 0), "1,234.500");
    assert_eq!(Unit::nano(1_000_000_000).show(1_234, 0), "1,234");
    assert_eq!(Unit::nano(20_000_000_000).show(61, 2), "1,220.00");
    assert_eq!(grouped_decimal(-1_234_500_000, 6, 2), "-1,234.50");
    assert_eq!(grouped_decimal(1, 6, 2), "0.000001");
    assert_eq!(grouped_decimal(1_000, 0, 2), "1,000");
    assert_eq!(truncated_decimal(-1_234_567_891, 6, 2), "-1,234.56");
    assert_eq!(truncated_decimal(999_999, 6, 0), "0");
    assert_eq!(truncated_decimal(5, 1, 3), "0.500");
    assert_eq!(truncated_decimal(-1, 6, 2), "-0.00");
    assert_eq!(grouped(0_u64), "0");
    assert_eq!(grouped(1_000_u64), "1,000");
    assert_eq!(
        grouped(u128::MAX),
        "340,282,366,920,938,463,463,374,607,431,768,211,455"
    );
}

#[test]
fn a_unit_knows_its_decimals() {
    for (unit, places) in [
        (TICK, 3),
        (USDC, 6),
        (Unit::atom(0), 0),
        (Unit::nano(1), 9),
        (Unit::nano(1_000_000_000), 0),
        (Unit::nano(20_000_000_000), 0),
        (Unit::nano(0), 9),
    ] {
        assert_eq!(unit.places(), places, "{unit:?}");
    }
}

fn units() -> impl Strategy<Value = Unit> {
    let nano = prop_oneof![1_u64..=1_000_000_000_000, Just(u64::MAX), any::<u64>()];
    prop_oneof![nano.prop_map(Unit::nano), (0_u8..=40).prop_map(Unit::atom)]
}

/// Counts of every magnitude.
fn counts() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}

fn without_separators(text: &str) -> String {
    text.replace(',', "")
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(unit in units(), count in counts()) {
        prop_assert_eq!(unit.read(&unit.text(count)), Ok(count));
        prop_assert_eq!(unit.read(&without_separators(&unit.show(count, 2))), Ok(count));
        prop_assert_eq!(unit.read_rounded_down(&unit.text(count)), Ok(count));
    }

    #[test]
    fn every_printer_says_the_same_number(count in counts(), decimals in 0_u8..=40) {
        let unit = Unit::atom(decimals);
        let value = i128::from(count);
        prop_assert_eq!(decimal(value, decimals), unit.text(count));
        for least in [0, 2, 6, 40] {
            let shown = grouped_decimal(value, decimals, least);
            prop_assert_eq!(unit.read(&without_separators(&shown)), Ok(count));
        }
        let whole = truncated_decimal(value, decimals, decimals);
        prop_assert_eq!(unit.read(&without_separators(&whole)), Ok(count));
        let below = -value;
        if count > 0 {
            prop_assert_eq!(decimal(below, decimals), format!("-{}", unit.text(count)));
        }
    }

    /// Against arithmetic on numbers of any length.
    #[test]
    fn any_decimal_number_is_judged_rightly(
        unit in prop_oneof![Just(TICK), Just(USDC), Just(Unit::nano(7)), Just(Unit::atom(18))],
        whole in "[0-9]{0,24}",
        fraction in "[0-9]{0,24}",
    ) {
        prop_assume!(!whole.is_empty() || !fraction.is_empty());
        let text = format!("{whole}.{fraction}");
        let (step, decimals) = match unit {
            TICK => (25_000_000_u32, 9_u32),
            USDC => (1, 6),
            _ if unit == Unit::nano(7) => (7, 9),
            _ => (1, 18),
        };
        // text = number / 10^len, a unit = step / 10^decimals.
        let number: BigUint = format!("0{whole}{fraction}").parse().expect("digits");
        let length = u32::try_from(fraction.len()).expect("short");
        let scaled = number * BigUint::from(10_u32).pow(decimals);
        let divisor = BigUint::from(step) * BigUint::from(10_u32).pow(length);
        let (count, rest) = (&scaled / &divisor, &scaled % &divisor);
        match (u64::try_from(&count), rest == BigUint::ZERO) {
            (Ok(count), true) => prop_assert_eq!(unit.read(&text), Ok(count)),
            (Ok(count), false) => {
                let refused = matches!(unit.read(&text), Err(AmountError::Inexact { .. }));
                prop_assert!(refused, "{}", text);
                prop_assert_eq!(unit.read_rounded_down(&text), Ok(count));
            }
            (Err(_), _) => {
                let refused = matches!(unit.read(&text), Err(AmountError::TooLarge { .. }));
                prop_assert!(refused, "{}", text);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), unit in units()) {
        let number = unit.read(&text);
        if let Ok(count) = number {
            prop_assert_eq!(unit.read(&unit.text(count)), Ok(count));
        }
    }
}
