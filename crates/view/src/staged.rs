//! Changes that wait, in words.

use ballast_state::exchange::Role;
use ballast_state::oracle_config::{OracleConfig, ORACLE_PUSH};
use ballast_state::staged::Change;

use crate::pauses::paused;

/// A staged change in a few words.
pub fn words(change: &Change) -> String {
    match change {
        Change::Risk(_) => "other risk parameters".to_owned(),
        Change::CreateMarket(args) => {
            let name = String::from_utf8_lossy(&args.name);
            format!("the market {}", name.trim_end_matches('\0'))
        }
        Change::Authority { role, successor } => {
            format!("{successor} takes the {} role over", role_name(*role))
        }
        Change::Treasury(treasury) => format!("earnings are paid to {treasury}"),
        Change::Delays(delays) => format!(
            "delays of {} slots for risk parameters and {} for the rest",
            delays.risk_slots, delays.admin_slots
        ),
        Change::Delist => "the end of a market".to_owned(),
        Change::Oracle(source) => format!("prices from {}", source_words(source)),
        Change::Pause { flags: 0, .. } => "the end of the longer pause".to_owned(),
        Change::Pause { flags, slots } => {
            format!("a pause of {} for {slots} slots", paused(*flags).join(", "))
        }
        Change::Reopen => "the market opens again".to_owned(),
        Change::Pool(_) => "other parameters of the pool".to_owned(),
    }
}

/// A price source.
pub fn source_words(source: &OracleConfig) -> String {
    match source.kind {
        ORACLE_PUSH => format!("account {} of the push oracle", source.push_account),
        _ => format!("feed {}", hex(&source.feed_id)),
    }
}

/// A role as the command line has it.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Risk => "risk",
        Role::Guardian => "guardian",
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
