//! What accounts lock up: bytes, and SOL at a rate that the caller gives.

use anyhow::{ensure, Context, Result};
use ballast_client::addresses::{book_space, queue_space};
use ballast_client::amount::truncated_decimal;
use ballast_engine::book::ORDER_SIZE;
use ballast_engine::queue::QUEUE_ENTRY_SIZE;
use ballast_state::adl_session::AdlSession;
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::trader::Trader;

use crate::shapes::thousands;
use crate::table::{row, rule};

/// Bytes that the runtime counts for an account beside its data.
const ACCOUNT_BYTES: u64 = 128;
/// Decimals of a SOL in lamports.
const SOL_DECIMALS: u8 = 9;

/// An account, or a part by which one grows.
struct Part {
    what: &'static str,
    bytes: u64,
}

/// The accounts of an exchange, and what one more node takes.
fn parts(program_bytes: u64) -> Result<Vec<Part>> {
    let accounts = [
        ("a trader account", Trader::SPACE),
        ("a market", Market::SPACE),
        ("the exchange", Exchange::SPACE),
        ("a queue of 100,000 positions", queue_space(100_000)),
        ("a book of 10,000 orders a side", book_space(10_000)),
        ("a deleveraging session", AdlSession::SPACE),
    ];
    let mut parts = Vec::new();
    for (what, bytes) in accounts {
        let bytes = u64::try_from(bytes)? + ACCOUNT_BYTES;
        parts.push(Part { what, bytes });
    }
    parts.push(Part {
        what: "the program",
        bytes: program_bytes.saturating_add(ACCOUNT_BYTES),
    });
    for (what, bytes) in [
        ("one more position in a queue", QUEUE_ENTRY_SIZE),
        ("one more order in a book", ORDER_SIZE),
    ] {
        let bytes = u64::try_from(bytes)?;
        parts.push(Part { what, bytes });
    }
    Ok(parts)
}

/// The table, at so many lamports a byte; SOL is told where there is a rate and nowhere else.
pub fn table(program_bytes: u64, lamports_per_byte: u64) -> Result<String> {
    ensure!(
        lamports_per_byte > 0,
        "the rate is what the cluster asks for a byte, in lamports: twice the figure of a year, such as `solana rent 0` tells"
    );
    let mut text = row(&["account", "bytes", "SOL"]);
    text += &rule(3);
    for Part { what, bytes } in parts(program_bytes)? {
        let lamports = bytes.checked_mul(lamports_per_byte);
        let lamports = lamports.context("the rate is too high")?;
        let sol = truncated_decimal(i128::from(lamports), SOL_DECIMALS, 6);
        text += &row(&[what, &thousands(bytes), &sol]);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_first_and_sol_from_the_rate() {
        let line = |rate, what: &str| {
            let text = table(1_000, rate).unwrap();
            let mut lines = text.lines();
            lines.find(|line| line.contains(what)).unwrap().to_owned()
        };
        assert_eq!(
            line(6_960, "one more position"),
            "| one more position in a queue | 104 | 0.000723 |"
        );
        assert_eq!(
            line(3_480, "queue of 100,000"),
            "| a queue of 100,000 positions | 10,400,392 | 36.193364 |"
        );
        assert_eq!(line(1, "the program"), "| the program | 1,128 | 0.000001 |");
        assert!(table(1_000, 0).is_err());
        assert!(table(u64::MAX / 2, 3).is_err());
    }
}
