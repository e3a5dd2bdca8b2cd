//! Protective steps: set by a trader, executed by a keeper.

use anyhow::Result;
use ballast_engine::protection::ProtectiveStep;
use ballast_sandbox::TxResult;
use ballast_state::instructions::SetProtectionArgs;

use crate::book_venue::{BookVenue, Did};
use crate::case::Case;
use crate::keepers::{bid, STOP};
use crate::venue::TEN;

/// Protective steps set, which have nothing to do with the book.
pub fn settings() -> Vec<Case> {
    vec![
        Case::new(
            "create_protection/first",
            "an account for the steps of a trader in a market",
            Did::default(),
            |floor| {
                floor.venue.open()?;
                let venue = &mut floor.venue;
                Ok(venue.sandbox.create_protection(&venue.market, &venue.alice))
            },
        ),
        Case::new(
            "set_protection/four-steps",
            "four steps of a position",
            Did::default(),
            |floor| {
                floor.venue.open()?;
                protect(floor)?;
                Ok(steps(floor))
            },
        ),
        Case::new(
            "close_protection/set",
            "the account closed with its steps",
            Did::default(),
            |floor| {
                floor.venue.open()?;
                protect(floor)?;
                let venue = &mut floor.venue;
                Ok(venue.sandbox.close_protection(&venue.market, &venue.alice))
            },
        ),
    ]
}

/// Executing one.
pub fn executed() -> Vec<Case> {
    vec![
        Case::new(
            "execute_protection/01-closes",
            "the position closed against 1 maker, which opens",
            Did::fills(1),
            |floor| reduce(floor, 1),
        ),
        Case::new(
            "execute_protection/10-closes",
            "the position closed against 10 makers, which open",
            Did::fills(10),
            |floor| reduce(floor, 10),
        ),
    ]
}

/// Four steps of alice, in an account opened for them.
fn protect(floor: &mut BookVenue) -> Result<()> {
    let venue = &mut floor.venue;
    venue
        .sandbox
        .create_protection(&venue.market, &venue.alice)?;
    steps(floor)?;
    Ok(())
}

/// Four steps of alice, below the last of which she closes all: her position is far above liquidation
/// at [`STOP`], and within all of them.
fn steps(floor: &mut BookVenue) -> TxResult {
    let step = |ratio_bps, keep_bps| ProtectiveStep {
        ratio_bps,
        keep_bps,
    };
    let args = SetProtectionArgs {
        steps: vec![
            step(1_000_000, 7_500),
            step(999_000, 5_000),
            step(998_000, 2_500),
            step(997_000, 0),
        ],
        slip_bps: 100,
    };
    let venue = &mut floor.venue;
    venue
        .sandbox
        .set_protection(&venue.market, &venue.alice, args)
}

fn reduce(floor: &mut BookVenue, makers: usize) -> Result<TxResult> {
    floor.venue.open()?;
    protect(floor)?;
    let lots = u64::try_from(TEN)? / u64::try_from(makers)?;
    bid(floor, STOP - 10, lots, makers)?;
    floor.venue.price(STOP);
    let (listed, venue) = (floor.listed(makers), &mut floor.venue);
    let victim = venue.alice.address;
    Ok(venue
        .sandbox
        .execute_protection(&venue.market, &victim, &venue.keeper, &listed))
}
