//! Opens the population's positions around the first prices, and makes those of the chosen accounts legs.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::Side;
use ballast_sandbox::trading::{BlockTrade, TraderCookie};
use ballast_state::Pubkey;
use indicatif::ProgressBar;

use super::exchange::Exchange;
use super::plan::MarketsPlan;
use super::population::{Member, Opening};
use crate::crash::opening::{Need, SECONDS_PER_OPENING};
use crate::crash::stage::engine;
use crate::plan::KEEPERS;

/// Seconds between the last opening trade and the first price.
const LULL: i64 = 30;

/// An exchange on which everybody has what the plan says, a moment before the first price of the path; where it is
/// to be `cross`, the chosen accounts with legs.
pub fn set_up(
    program: &Path,
    plan: &MarketsPlan,
    cross: bool,
    bar: &ProgressBar,
) -> Result<Exchange> {
    let openings = &plan.population.openings;
    let seconds = i64::try_from(openings.len())? * SECONDS_PER_OPENING + LULL;
    let first = plan.first_time()?;
    ensure!(
        first > seconds,
        "the first timestamp, {first}, is too early for the opening trades before it"
    );
    let mut exchange = Exchange::new(program, plan, first - seconds, cross)?;
    for _ in &plan.population.members {
        let wallet = exchange.sandbox.create_wallet(0)?;
        let trader = exchange.sandbox.create_trader_of(&wallet, 0)?;
        exchange.traders.push(trader);
    }
    let prices = plan.paths.at(0);
    for opening in openings {
        open(&mut exchange, plan, opening, &prices)?;
        bar.inc(1);
    }
    provide_capital(&mut exchange, plan)?;
    exchange.publish(first - LULL / 2, &prices)?;
    if cross {
        exchange.record_marks()?;
        for (member, trader) in plan.population.members.iter().zip(exchange.traders.clone()) {
            if member.chosen {
                become_cross(&mut exchange, member, &trader)?;
            }
        }
    }
    Ok(exchange)
}

/// Creates the keepers, and pays insurance in.
fn provide_capital(exchange: &mut Exchange, plan: &MarketsPlan) -> Result<()> {
    let each = plan.keeper_capital / u64::try_from(KEEPERS)?;
    for _ in 0..KEEPERS {
        let keeper = exchange.sandbox.create_trader(each)?;
        exchange.keepers.push(keeper);
    }
    for (number, market) in plan.markets.iter().enumerate() {
        if market.insurance > 0 {
            let donor = exchange.sandbox.create_wallet(market.insurance)?;
            let cookie = exchange.venues[number].cookie.clone();
            let sandbox = &mut exchange.sandbox;
            sandbox.donate_insurance(&cookie, &donor, market.insurance)?;
        }
    }
    Ok(())
}

/// Makes one opening trade, all other prices at the first.
fn open(
    exchange: &mut Exchange,
    plan: &MarketsPlan,
    opening: &Opening,
    prices: &[i64],
) -> Result<()> {
    let mut nano = prices.to_vec();
    let first = i128::from(nano[opening.market]);
    let price = first * i128::from(10_000 + opening.offset_bps) / 10_000;
    nano[opening.market] = i64::try_from(price)?;
    let time = exchange.sandbox.time() + SECONDS_PER_OPENING;
    exchange.publish(time, &nano)?;
    let lots = i64::try_from(opening.lots)?;
    let members = &plan.population.members;
    let (long, short) = (&members[opening.long], &members[opening.short]);
    let taker = exchange.traders[opening.long].clone();
    let maker = exchange.traders[opening.short].clone();
    let risk = &plan.markets[opening.market].risk;
    let taker_margin = provide(exchange, opening.market, risk, long, &taker, lots)?;
    let maker_margin = provide(exchange, opening.market, risk, short, &maker, lots)?;
    let venue = &exchange.venues[opening.market];
    let (cookie, price_ticks) = (venue.cookie.clone(), venue.quote.ticks);
    let terms = BlockTrade {
        lots,
        price_ticks,
        taker_margin,
        maker_margin,
    };
    let result = exchange.sandbox.block_trade(&cookie, &taker, &maker, terms);
    result.with_context(|| {
        format!("opening {opening:?}: {long:?} with {taker_margin}, {short:?} with {maker_margin}")
    })?;
    Ok(())
}

/// Deposits what a member needs for the fee and for margin at its leverage; returns the margin.
fn provide(
    exchange: &mut Exchange,
    number: usize,
    risk: &RiskParams,
    member: &Member,
    trader: &TraderCookie,
    lots: i64,
) -> Result<u64> {
    let venue = &exchange.venues[number];
    let slot = exchange.sandbox.position(&venue.cookie, &trader.address);
    let market = exchange.sandbox.market(&venue.cookie);
    let need = Need {
        risk,
        mark: market.mark_at(&venue.price()).map_err(engine)?,
        held: slot.map_or(Ok(Position::default()), |slot| slot.position())?,
        leverage_tenths: member.leverage_tenths,
        lots: lots.unsigned_abs(),
    };
    let (margin, fee) = (need.margin()?, need.fee()?);
    let tokens = trader.wallet.tokens;
    exchange.sandbox.mint_to(&tokens, margin + fee)?;
    exchange.sandbox.deposit(trader, margin + fee)?;
    Ok(margin)
}

/// Makes every position of an account a leg; their margins are its pool.
fn become_cross(exchange: &mut Exchange, member: &Member, trader: &TraderCookie) -> Result<()> {
    let legs = exchange.venues.iter().zip(&member.lots);
    let legs = legs.filter(|(_, lots)| **lots != 0);
    let legs: Vec<_> = legs
        .filter_map(|(venue, lots)| {
            let side = if *lots > 0 { Side::Long } else { Side::Short };
            Some((venue.cookie.clone(), venue.cross?.of(side)))
        })
        .collect();
    let queues: Vec<Pubkey> = legs.iter().map(|(_, queue)| *queue).collect();
    for (market, _) in &legs {
        let result = exchange.sandbox.to_cross(market, trader, &queues);
        result.with_context(|| {
            format!(
                "making a position of {member:?} in market {} a leg",
                market.index
            )
        })?;
    }
    Ok(())
}
