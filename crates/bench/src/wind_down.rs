//! The modes of a market, and its end.

use std::path::Path;

use anyhow::Result;
use ballast_sandbox::{MarketConfig, MintKind};

use crate::admin::options;
use crate::figure::Figure;
use crate::fills::WORST;
use crate::meter::Meter;
use crate::venue::Venue;

const DAY: u64 = 86_400;

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let names = [
        "set_reduce_only/",
        "declare_dead/",
        "begin_settlement/",
        "settle_position/",
        "close_market/",
    ];
    if !names.iter().any(|name| meter.wants(name)) {
        return Ok(());
    }
    let options = options(program, MintKind::Classic);
    let few = Venue::of(&MarketConfig::sol(), &options, 0)?;
    meter.measure("set_reduce_only/on", || {
        let mut venue = few.fork();
        Figure::of("on", venue.sandbox.set_reduce_only(&venue.market))
    })?;
    meter.measure("declare_dead/a-day", || {
        let mut venue = silent(&few)?;
        Figure::of("after a day", venue.sandbox.declare_dead(&venue.market))
    })?;
    meter.measure("begin_settlement/dead", || {
        let mut venue = declared(&few)?;
        let begun = venue.sandbox.begin_settlement(&venue.market);
        Figure::of("dead oracle", begun)
    })?;
    let many = Venue::of(&MarketConfig::sol(), &options, WORST)?;
    for (venue, name, shape) in [
        (&few, "few", "an empty market"),
        (&many, "queue-100000", "100,000 positions a side"),
    ] {
        meter.measure(&format!("settle_position/{name}"), || {
            let mut venue = declared(venue)?;
            venue.sandbox.begin_settlement(&venue.market)?;
            let alice = venue.alice.address;
            let settled = venue.sandbox.settle_position(&venue.market, &alice);
            Figure::of(&format!("a position, {shape}"), settled)
        })?;
    }
    meter.measure("close_market/empty", || {
        let mut venue = declared(&few)?;
        venue.sandbox.begin_settlement(&venue.market)?;
        for trader in [venue.alice.address, venue.bob.address] {
            venue.sandbox.settle_position(&venue.market, &trader)?;
        }
        Figure::of("queues and book", venue.sandbox.close_market(&venue.market))
    })
}

/// A market with a position a side whose last price is a day old.
fn silent(venue: &Venue) -> Result<Venue> {
    let mut venue = venue.fork();
    venue.open()?;
    venue.sandbox.advance_seconds(DAY);
    Ok(venue)
}

/// The same, a day after its oracle was declared dead.
fn declared(venue: &Venue) -> Result<Venue> {
    let mut venue = silent(venue)?;
    venue.sandbox.declare_dead(&venue.market)?;
    venue.sandbox.advance_seconds(DAY);
    Ok(venue)
}
