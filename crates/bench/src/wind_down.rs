//! The modes of a market, and its end.

use std::path::Path;

use anyhow::Result;
use ballast_client::instructions::adl_session::SessionKeys;
use ballast_sandbox::{MarketConfig, MintKind, PriceSource};
use ballast_state::market::Market;

use crate::admin::options;
use crate::figure::Figure;
use crate::fills::WORST;
use crate::forge;
use crate::meter::Meter;
use crate::venue::Venue;

const DAY: u64 = 86_400;

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let names = [
        "set_reduce_only/",
        "witness_oracle/",
        "apply_oracle_change/",
        "declare_dead/",
        "begin_settlement/",
        "settle_position/",
        "write_off_bankrupt/",
        "count_claims/",
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
    for (name, source) in [("pull", PriceSource::Pull), ("push", PriceSource::Push)] {
        let mut venue = few.fork();
        let (market, s) = (venue.market.clone(), &mut venue.sandbox);
        let other = s.other_source(&market, source, [9; 32]);
        let staged = s.stage_source(&other)?;
        for market in [&market, &other] {
            s.set_price(market, market.config.start_price_ticks);
        }
        let what = format!("from pull to {name}");
        meter.measure(&format!("witness_oracle/{name}"), || {
            let seen = s.fork().witness_oracle(&staged, &market, &other);
            Figure::of(&what, seen)
        })?;
        meter.measure(&format!("apply_oracle_change/{name}"), || {
            let applied = s.fork().apply_oracle(&staged, &market, &other);
            Figure::of(&what, applied)
        })?;
    }
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
    meter.measure("write_off_bankrupt/nobody", || {
        let (mut venue, session) = alone(&few)?;
        let market = venue.market.clone();
        let written_off = venue.sandbox.write_off_bankrupt(&market, &session);
        Figure::of("nobody on the other side", written_off)
    })?;
    for (venue, name, shape) in [
        (&few, "few", "two positions"),
        (&many, "queue-100000", "2,000 positions of 100,000 a side"),
    ] {
        meter.measure(&format!("count_claims/{name}"), || {
            let mut venue = declared(venue)?;
            venue.sandbox.begin_settlement(&venue.market)?;
            let market = venue.market.clone();
            forge::change::<Market>(&mut venue.sandbox, &market.keys.market, |market| {
                market.written_off_atoms = 1;
            })?;
            Figure::of(shape, venue.sandbox.count_claims(&market, 2_000))
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

/// A market that has ended with a bankrupt and nobody else, and the session that has found nobody.
fn alone(venue: &Venue) -> Result<(Venue, SessionKeys)> {
    let mut venue = declared(venue)?;
    let market = venue.market.clone();
    let (alice, bob) = (venue.alice.address, venue.bob.address);
    let sandbox = &mut venue.sandbox;
    sandbox.begin_settlement(&market)?;
    sandbox.settle_position(&market, &bob)?;
    forge::change::<Market>(sandbox, &market.keys.market, |market| {
        market.final_ticks = 1
    })?;
    let (session, _) = sandbox.open_adl_session(&market, &alice)?;
    sandbox.advance_adl_session(&market, &session, 1, Vec::new())?;
    Ok((venue, session))
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
