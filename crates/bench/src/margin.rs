//! Margin transfers, funding and flags.

use std::path::Path;

use anyhow::Result;
use ballast_engine::volatility::Volatility;
use ballast_sandbox::{BlockTrade, MarketConfig, MintKind, TxResult};
use ballast_state::market::Market;

use crate::admin::options;
use crate::figure::Figure;
use crate::fills::WORST;
use crate::forge::change;
use crate::meter::Meter;
use crate::shapes::thousands;
use crate::venue::{Venue, USD};

/// Positions in either queue of the smallest shape.
const FEW: u32 = 10;

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let names = [
        "add_margin/",
        "remove_margin/",
        "accrue_funding/",
        "flag_bankruptcy/",
        "release_profit/",
        "block_trade/profit-held",
    ];
    if !names.iter().any(|name| meter.wants(name)) {
        return Ok(());
    }
    let options = options(program, MintKind::Classic);
    let few = Venue::of(&MarketConfig::sol(), &options, FEW)?;
    let many = Venue::of(&MarketConfig::sol(), &options, WORST)?;
    for (venue, others, crowded) in [
        (&few, FEW, false),
        (&many, WORST, false),
        (&many, WORST, true),
    ] {
        let mut queue = format!("queue-{others:06}");
        let mut shape = format!("{} positions a side", thousands(u64::from(others)));
        let mut venue = venue.fork();
        if crowded {
            venue = venue.crowded()?;
            queue += "-crowded";
            shape += ", accounts with 16 positions";
        }
        transfers(&venue, &queue, &shape, meter)?;
    }
    held(&many, "queue-100000", "100,000 positions a side", meter)?;
    accrue(&few, meter)?;
    flags(&few, "typical", "one position", meter)?;
    flags(&few.crowded()?, "worst", "16 positions", meter)
}

fn transfers(venue: &Venue, queue: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    meter.measure(&format!("add_margin/{queue}"), || {
        let mut venue = venue.fork();
        venue.open()?;
        let added = venue.sandbox.add_margin(&venue.market, &venue.alice, USD);
        Figure::of(shape, added)
    })?;
    meter.measure(&format!("remove_margin/{queue}"), || {
        let mut venue = venue.fork();
        venue.trade(crate::venue::TEN, 500 * USD, 500 * USD)?;
        let removed = venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, USD);
        Figure::of(shape, removed)
    })
}

fn accrue(venue: &Venue, meter: &mut Meter) -> Result<()> {
    meter.measure("accrue_funding/an-hour", || {
        let mut venue = venue.fork();
        venue.sandbox.accrue_funding(&venue.market)?;
        venue.sandbox.advance_seconds(3_600);
        venue.price(201_000);
        Figure::of("an hour", venue.sandbox.accrue_funding(&venue.market))
    })?;
    for (name, shape, average) in [
        ("calm", "an hour, volatility counts", 20_000 << 16),
        (
            "wild",
            "an hour, volatility of a wild market counts",
            600_000_000 << 16,
        ),
    ] {
        meter.measure(&format!("accrue_funding/an-hour-{name}"), || {
            let mut venue = venue.fork();
            venue.sandbox.accrue_funding(&venue.market)?;
            let now = u32::try_from(venue.sandbox.time())?;
            let market = venue.market.keys.market;
            change(&mut venue.sandbox, &market, |market: &mut Market| {
                market.risk.margin_multiplier_max_bps = 30_000;
                market.volatility = Volatility {
                    fast: average,
                    slow: average / 3,
                    counted_ticks: 200_000,
                    multiplier_ppm: 1_400_000,
                    counted_at: now,
                    since: now - 100_000_000,
                };
            })?;
            venue.sandbox.advance_seconds(3_600);
            venue.price(201_000);
            Figure::of(shape, venue.sandbox.accrue_funding(&venue.market))
        })?;
    }
    Ok(())
}

/// A winner closes across a gap of 7%, and gets back what was held once the price has recovered.
fn held(venue: &Venue, name: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    let closed = || -> Result<(Venue, TxResult)> {
        let mut venue = venue.fork();
        venue.open()?;
        venue.price(186_000);
        let terms = BlockTrade {
            lots: crate::venue::TEN,
            price_ticks: 186_000,
            taker_margin: 0,
            maker_margin: 500 * USD,
        };
        let (market, bob, keeper) = (&venue.market, &venue.bob, &venue.keeper);
        let trade = venue.sandbox.block_trade(market, bob, keeper, terms);
        Ok((venue, trade))
    };
    meter.measure(&format!("block_trade/profit-held-{name}"), || {
        Figure::of(&format!("profit held, {shape}"), closed()?.1)
    })?;
    meter.measure(&format!("release_profit/one-{name}"), || {
        let mut venue = closed()?.0;
        venue.price(200_000);
        let bob = venue.bob.address;
        let released = venue.sandbox.release_profit(&venue.market, &[bob]);
        Figure::of(&format!("one trader, {shape}"), released)
    })
}

fn flags(venue: &Venue, name: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    for (state, what, ticks) in [
        ("below-maintenance", "below maintenance", 194_000),
        ("bankrupt", "bankrupt, not covered", 189_000),
    ] {
        meter.measure(&format!("flag_bankruptcy/{state}-{name}"), || {
            let mut venue = venue.fork();
            venue.open()?;
            venue.price(ticks);
            let trader = venue.alice.address;
            let flagged = venue.sandbox.flag_bankruptcy(&venue.market, &trader);
            Figure::of(&format!("{what}, {shape}"), flagged)
        })?;
    }
    Ok(())
}
