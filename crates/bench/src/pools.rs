//! A pool that takes positions over and closes them again.

use anyhow::{Context, Result};
use ballast_engine::pool::PoolParams;
use ballast_sandbox::TxResult;
use ballast_state::book_account::OrderSide;

use crate::book_venue::{limit, BookVenue, Did};
use crate::case::Case;
use crate::venue::{START, TEN, USD};

/// A price at which a short of ten SOL with $100 of margin is below maintenance.
const LIQUIDATED: u64 = START + 8_000;
/// A price at which a pool that took half of it over needs more margin.
const RISEN: u64 = LIQUIDATED + 1_000;

/// Takes without a maker and with one, an unwind into one, and a move of margin.
pub fn all() -> Vec<Case> {
    vec![
        Case::new(
            "liquidate_into_pool/no-maker",
            "a step, all of it taken by the pool",
            Did::default(),
            |floor| {
                begin(floor)?;
                Ok(take(floor, 0))
            },
        ),
        Case::new(
            "liquidate_into_pool/01-maker",
            "a step, a part of it by 1 maker, the rest taken by the pool",
            Did::fills(1),
            |floor| {
                begin(floor)?;
                offer(floor, LIQUIDATED, 1_000)?;
                Ok(take(floor, 1))
            },
        ),
        Case::new(
            "unwind_pool/01-maker",
            "a part of the position against 1 maker",
            Did::fills(1),
            |floor| {
                begin(floor)?;
                take(floor, 0)?;
                offer(floor, LIQUIDATED, 5_000)?;
                floor.venue.price(LIQUIDATED);
                let (listed, venue) = (floor.listed(1), &mut floor.venue);
                Ok(venue
                    .sandbox
                    .unwind_pool(&venue.market, &venue.keeper, &listed))
            },
        ),
        Case::new(
            "sync_pool/more-margin",
            "margin moved into the position",
            Did::default(),
            |floor| {
                begin(floor)?;
                take(floor, 0)?;
                floor.venue.price(RISEN);
                let venue = &mut floor.venue;
                Ok(venue.sandbox.sync_pool(&venue.market))
            },
        ),
    ]
}

/// A pool with money, and bob short below maintenance.
fn begin(floor: &mut BookVenue) -> Result<()> {
    let venue = &mut floor.venue;
    let params = PoolParams {
        reserve_first_bps: 5,
        reserve_last_bps: 25,
        slip_bps: 3,
        keeper_bps: 2,
        ..PoolParams::for_market(&venue.market.config.risk)
    };
    venue.sandbox.create_pool(&venue.market, params)?;
    venue.sandbox.depositor(&venue.market, 20_000 * USD);
    venue.trade(TEN, 500 * USD, 100 * USD)?;
    venue.price(LIQUIDATED);
    Ok(())
}

/// A maker sells.
fn offer(floor: &mut BookVenue, ticks: u64, lots: u64) -> Result<()> {
    let maker = floor.makers.first().context("a maker")?;
    let venue = &mut floor.venue;
    let args = limit(OrderSide::Ask, ticks, lots);
    venue.sandbox.place_order(&venue.market, maker, args, &[])?;
    Ok(())
}

/// Liquidates bob into the pool.
fn take(floor: &mut BookVenue, makers: usize) -> TxResult {
    let (listed, venue) = (floor.listed(makers), &mut floor.venue);
    let victim = venue.bob.address;
    venue
        .sandbox
        .liquidate_into_pool(&venue.market, &victim, &venue.keeper, &listed)
}
