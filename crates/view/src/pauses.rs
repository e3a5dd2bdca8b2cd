//! What an authority can pause, by name.

use ballast_state::exchange::{
    PAUSE_DELEVERAGE, PAUSE_DEPOSIT, PAUSE_LIQUIDATE, PAUSE_OPEN, PAUSE_REMOVE_MARGIN, PAUSE_TRADE,
    PAUSE_WITHDRAW,
};

/// What can be paused, by name.
pub const PAUSES: [(u32, &str); 7] = [
    (PAUSE_DEPOSIT, "deposit"),
    (PAUSE_WITHDRAW, "withdraw"),
    (PAUSE_OPEN, "open"),
    (PAUSE_TRADE, "trade"),
    (PAUSE_REMOVE_MARGIN, "remove_margin"),
    (PAUSE_LIQUIDATE, "liquidate"),
    (PAUSE_DELEVERAGE, "deleverage"),
];

/// Names of the pause flags in force.
pub fn paused(flags: u32) -> Vec<&'static str> {
    let in_force = PAUSES.iter().filter(|(flag, _)| flags & flag != 0);
    in_force.map(|(_, name)| *name).collect()
}

/// The flags of a name.
pub fn flag(text: &str) -> Result<u32, String> {
    if text == "all" {
        return Ok(PAUSES.iter().fold(0, |all, (flag, _)| all | flag));
    }
    let found = PAUSES
        .iter()
        .find(|(_, name)| *name == text.replace('-', "_"));
    found.map(|(flag, _)| *flag).ok_or_else(|| {
        let names: Vec<&str> = PAUSES.iter().map(|(_, name)| *name).collect();
        format!("expected {} or all", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::exchange::PAUSE_ALL;

    #[test]
    fn every_flag_has_a_name_and_all_is_all() {
        assert_eq!(flag("all"), Ok(PAUSE_ALL));
        for (bits, name) in PAUSES {
            assert_eq!(flag(name), Ok(bits));
        }
        assert_eq!(flag("remove-margin"), flag("remove_margin"));
        assert!(flag("everything")
            .unwrap_err()
            .contains("deleverage or all"));
    }
}
