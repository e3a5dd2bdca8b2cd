//! `block_trade` and `liquidate`.

use std::path::Path;

use anyhow::Result;
use ballast_sandbox::{MarketConfig, MintKind, TxResult};

use crate::admin::options;
use crate::figure::Figure;
use crate::meter::Meter;
use crate::shapes::thousands;
use crate::venue::{Venue, START, TEN, USD};

/// Positions in either queue of a typical market.
const TYPICAL: u32 = 1_000;
/// Positions in either queue at the most.
pub const WORST: u32 = 100_000;

/// Prepares a venue and sends what is measured.
type Act = fn(&mut Venue) -> Result<TxResult>;

/// Measures both instructions in a typical queue, in a large one, and there with accounts whose
/// sixteen positions are all in use.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    if !meter.wants("block_trade/") && !meter.wants("liquidate/") {
        return Ok(());
    }
    let options = options(program, MintKind::Classic);
    for others in [TYPICAL, WORST] {
        let venue = Venue::of(&MarketConfig::sol(), &options, others)?;
        let queue = format!("queue-{others:06}");
        let shape = format!("{} positions a side", thousands(u64::from(others)));
        measure(&venue, &queue, &shape, meter)?;
        if others == WORST {
            let venue = venue.crowded()?;
            let shape = format!("{shape}, accounts with 16 positions");
            measure(&venue, &format!("{queue}-crowded"), &shape, meter)?;
        }
    }
    Ok(())
}

fn measure(venue: &Venue, queue: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    let trades: [(&str, &str, Act); 5] = [
        ("open-open", "both open", |venue| Ok(venue.open())),
        ("enlarge-enlarge", "both enlarge", enlarge),
        ("reduce-reduce", "both reduce", reduce),
        ("close-close", "both close", close),
        ("flip-flip", "both change sides", flip),
    ];
    for (name, what, act) in trades {
        let name = format!("block_trade/{name}/{queue}");
        let shape = format!("{what}; {shape}");
        meter.measure(&name, || Figure::of(&shape, act(&mut venue.fork())?))?;
    }
    let steps: [(&str, &str, Act); 3] = [
        ("partial", "a step of 20%", |venue| {
            liquidate(venue, 194_000)
        }),
        ("full", "everything", |venue| liquidate(venue, 190_500)),
        ("insurance-pays", "everything, insurance pays", rescue),
    ];
    for (name, what, act) in steps {
        let name = format!("liquidate/{name}/{queue}");
        let shape = format!("{what}; {shape}");
        meter.measure(&name, || Figure::of(&shape, act(&mut venue.fork())?))?;
    }
    Ok(())
}

fn enlarge(venue: &mut Venue) -> Result<TxResult> {
    venue.open()?;
    // Another price, so that both move in their queues.
    Ok(venue.trade_at(START + 3_000, TEN, 500 * USD, 500 * USD))
}

fn reduce(venue: &mut Venue) -> Result<TxResult> {
    venue.open()?;
    Ok(venue.trade(-TEN / 3, 0, 0))
}

fn close(venue: &mut Venue) -> Result<TxResult> {
    venue.open()?;
    Ok(venue.trade(-TEN, 0, 0))
}

fn flip(venue: &mut Venue) -> Result<TxResult> {
    venue.open()?;
    Ok(venue.trade(-2 * TEN, 500 * USD, 500 * USD))
}

fn liquidate(venue: &mut Venue, ticks: u64) -> Result<TxResult> {
    venue.open()?;
    venue.price(ticks);
    let victim = venue.alice.address;
    Ok(venue
        .sandbox
        .liquidate(&venue.market, &victim, &venue.keeper, 100 * USD))
}

fn rescue(venue: &mut Venue) -> Result<TxResult> {
    let donor = venue.sandbox.create_wallet(100 * USD)?;
    venue
        .sandbox
        .donate_insurance(&venue.market, &donor, 100 * USD)?;
    liquidate(venue, 189_000)
}
