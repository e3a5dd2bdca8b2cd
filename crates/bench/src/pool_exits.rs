//! Joining and leaving a pool that has a position, which both queues are looked at for.

use std::path::Path;

use anyhow::Result;
use ballast_engine::pool::PoolParams;
use ballast_sandbox::{MarketConfig, MintKind, Wallet};

use crate::admin::options;
use crate::figure::Figure;
use crate::fills::WORST;
use crate::meter::Meter;
use crate::shapes::thousands;
use crate::venue::{Venue, START, TEN, USD};

/// Positions in either queue of the small shape.
const FEW: u32 = 1_000;
/// A price at which a short of ten SOL with $100 of margin is below maintenance.
const LIQUIDATED: u64 = START + 8_000;
/// A price at which shorts of little margin lack something.
const RISEN: u64 = START + 6_000;

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let names = ["deposit_pool/", "request_pool/", "withdraw_pool/"];
    if !names.iter().any(|name| meter.wants(name)) {
        return Ok(());
    }
    let options = options(program, MintKind::Classic);
    for others in [FEW, WORST] {
        let venue = Venue::of(&MarketConfig::sol(), &options, others)?;
        let (venue, wallet) = holding(&venue)?;
        let queue = format!("queue-{others:06}");
        let shape = format!("a position, {} positions a side", thousands(others.into()));
        exits(&venue, &wallet, (&queue, &shape), meter)?;
    }
    Ok(())
}

/// A pool with a short position, at the opening price again, and who owns it.
fn holding(venue: &Venue) -> Result<(Venue, Wallet)> {
    let mut venue = venue.fork();
    let params = PoolParams {
        reserve_first_bps: 5,
        reserve_last_bps: 25,
        slip_bps: 3,
        ..PoolParams::for_market(&venue.market.config.risk)
    };
    venue.sandbox.create_pool(&venue.market, params)?;
    let wallet = venue.sandbox.depositor(&venue.market, 20_000 * USD);
    venue.sandbox.mint_to(&wallet.tokens, USD)?;
    venue.trade(TEN, 500 * USD, 100 * USD)?;
    venue.price(LIQUIDATED);
    let (market, victim) = (venue.market.clone(), venue.bob.address);
    let keeper = venue.keeper.clone();
    let taken = venue
        .sandbox
        .liquidate_into_pool(&market, &victim, &keeper, &[]);
    taken?;
    venue.price(START);
    Ok((venue, wallet))
}

fn exits(
    venue: &Venue,
    wallet: &Wallet,
    (queue, shape): (&str, &str),
    meter: &mut Meter,
) -> Result<()> {
    meter.measure(&format!("deposit_pool/position-{queue}"), || {
        let mut venue = venue.fork();
        let joined = venue.sandbox.deposit_pool(&venue.market, wallet, USD);
        Figure::of(shape, joined)
    })?;
    for (name, more, ticks) in [
        ("position", "", START),
        ("position-short", ", after a rise of 3%", RISEN),
    ] {
        let shape = format!("{shape}{more}");
        meter.measure(&format!("request_pool/{name}-{queue}"), || {
            let mut venue = venue.fork();
            venue.price(ticks);
            let asked = venue.sandbox.request_pool(&venue.market, wallet, USD);
            Figure::of(&shape, asked)
        })?;
        meter.measure(&format!("withdraw_pool/{name}-{queue}"), || {
            let mut venue = venue.fork();
            venue.sandbox.request_pool(&venue.market, wallet, USD)?;
            let delay = venue
                .sandbox
                .pool(&venue.market)
                .params
                .withdraw_delay_slots;
            venue.sandbox.advance_slots(delay);
            venue.price(ticks);
            let paid = venue.sandbox.withdraw_pool(&venue.market, wallet, 0);
            Figure::of(&shape, paid)
        })?;
    }
    Ok(())
}
