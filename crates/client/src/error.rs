//! The name of the error that a failed transaction reports.

use ballast_state::error::BallastError;

/// The name of the error that a failed transaction reports: the last one its log names, of the
/// program, of Anchor or of another program, otherwise that of the program error `number`.
#[must_use]
pub fn reported_name(logs: &[String], number: Option<u32>) -> Option<String> {
    let logged = logs.iter().rev().find_map(|line| {
        let rest = line.split_once("Error Code: ")?.1;
        Some(rest.split_once('.')?.0.to_owned())
    });
    let numbered = || Some(BallastError::of_number(number?)?.name().to_owned());
    logged.or_else(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_more_than_the_number() {
        let line =
            "Program log: AnchorError occurred. Error Code: ConstraintMut. Error Number: 2000.";
        let logs = [line.to_owned()];
        let name = |logs: &[String], number| reported_name(logs, number);
        assert_eq!(name(&logs, Some(6_000)).as_deref(), Some("ConstraintMut"));
        assert_eq!(name(&[], Some(6_000)).as_deref(), Some("NotAdmin"));
        assert_eq!(name(&[], Some(1)), None);
        assert_eq!(name(&[], None), None);
    }
}
