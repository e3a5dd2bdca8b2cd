//! `ballast queue-rent`: what the creator of a market locks up for its two queues.

use anchor_lang::prelude::Rent;
use anyhow::{ensure, Result};
use ballast_client::addresses::{max_queue_capacity, queue_space, MAX_ACCOUNT_BYTES};
use ballast_client::amount::{grouped, truncated_decimal};
use ballast_engine::queue::{QUEUE_ENTRY_SIZE, QUEUE_HEADER_SIZE};
use ballast_report::figures::grouped_count;
use serde::Serialize;

use crate::args::QueueRentArgs;

/// Queues of a market: longs and shorts.
const SIDES: u64 = 2;
/// Decimals of a SOL in lamports.
const SOL_DECIMALS: u8 = 9;

/// A queue account and its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Offer {
    /// Positions of one side that fit.
    positions: usize,
    /// Bytes of one account.
    bytes: usize,
    /// Lamports that make one account rent exempt.
    lamports: u64,
    /// Lamports for both sides.
    lamports_both_sides: u64,
    /// Most positions that an account can hold.
    most_positions: usize,
}

/// Runs `ballast queue-rent`.
pub fn run(args: &QueueRentArgs) -> Result<bool> {
    let offer = match args.bytes {
        Some(bytes) => of_bytes(bytes)?,
        None => of_positions(args.positions)?,
    };
    if args.json {
        println!("{}", serde_json::to_string(&offer)?);
    } else {
        println!("{}", offer.words());
    }
    Ok(true)
}

/// An account of so many bytes, and the positions for which it has room.
fn of_bytes(bytes: usize) -> Result<Offer> {
    let least = queue_space(1);
    ensure!(
        (least..=MAX_ACCOUNT_BYTES).contains(&bytes),
        "a queue account has {} to {} bytes (10 MiB), not {}",
        grouped_count(least),
        grouped_count(MAX_ACCOUNT_BYTES),
        grouped_count(bytes)
    );
    let lamports = Rent::default().minimum_balance(bytes);
    Ok(Offer {
        positions: (bytes - queue_space(0)) / QUEUE_ENTRY_SIZE,
        bytes,
        lamports,
        lamports_both_sides: lamports * SIDES,
        most_positions: max_queue_capacity(),
    })
}

/// The account that has room for so many positions.
fn of_positions(positions: usize) -> Result<Offer> {
    let most = max_queue_capacity();
    ensure!(
        (1..=most).contains(&positions),
        "an account holds at most 10 MiB, which is room for 1 to {} positions a side, not {}",
        grouped_count(most),
        grouped_count(positions)
    );
    of_bytes(queue_space(positions))
}

impl Offer {
    fn words(&self) -> String {
        format!(
            "Queues for {} positions a side\n\
             \n  one account    {} bytes: 8 of discriminator, {QUEUE_HEADER_SIZE} of header, {QUEUE_ENTRY_SIZE} for each position\
             \n  rent exempt    {} lamports = {} SOL\
             \n  both sides     {} lamports = {} SOL\n\
             \nThe lamports stay in the accounts; figures are those of the default rent.\
             \nCreate both at the top level of a transaction, by `create_account` of the system program with\
             \nthis many bytes and the Ballast program as owner, and pass them, still zeroed, to `create_market`:\
             \nfrom inside another program no account above 10 KiB can be created. The most is 10 MiB, which is\
             \nroom for {} positions. Anybody may make a queue longer later: `grow_queue` adds up to 98\
             \npositions a call.",
            grouped_count(self.positions),
            grouped_count(self.bytes),
            grouped(self.lamports),
            sol(self.lamports),
            grouped(self.lamports_both_sides),
            sol(self.lamports_both_sides),
            grouped_count(self.most_positions),
        )
    }
}

/// Lamports as SOL, exactly.
fn sol(lamports: u64) -> String {
    truncated_decimal(lamports.into(), SOL_DECIMALS, SOL_DECIMALS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_positions() {
        let offer = of_positions(100_000).expect("fits");
        // 8 + 256 + 100,000 x 104 bytes, and (128 + bytes) x 6,960 lamports.
        assert_eq!(offer.bytes, 10_400_264);
        assert_eq!(offer.lamports, 72_386_728_320);
        assert_eq!(offer.lamports_both_sides, 144_773_456_640);
        let words = offer.words();
        assert!(words.contains("72.386728320 SOL"), "{words}");
        assert!(words.contains("144.773456640 SOL"), "{words}");
        assert!(words.contains("100,822 positions"), "{words}");
    }

    #[test]
    fn the_most_fits_exactly_and_one_more_does_not() {
        assert_eq!(
            of_positions(100_822).map(|offer| offer.bytes).ok(),
            Some(10_485_752)
        );
        let error = of_positions(100_823).expect_err("above 10 MiB").to_string();
        assert!(
            error.contains("1 to 100,822 positions a side, not 100,823"),
            "{error}"
        );
        assert!(of_positions(0).is_err());
    }

    #[test]
    fn bytes_are_whole_positions() {
        let positions = |bytes| of_bytes(bytes).map(|offer| offer.positions).ok();
        assert_eq!(positions(367), None);
        assert_eq!(positions(368), Some(1));
        assert_eq!(positions(471), Some(1));
        assert_eq!(positions(472), Some(2));
        assert_eq!(positions(10_485_760), Some(100_822));
        let whole = of_bytes(10_485_760).map(|offer| offer.lamports).ok();
        assert_eq!(whole, Some((10_485_760 + 128) * 6_960));
        assert_eq!(positions(10_485_761), None);
    }
}
