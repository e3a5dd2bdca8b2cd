//! Opens the population's positions by block trades around the first price.

use anyhow::{Context, Result};
use ballast_engine::margin::initial_margin;
use ballast_engine::units::{Bps, Ticks};
use ballast_risk::prices::PricePoint;
use ballast_sandbox::trading::{BlockTrade, TraderCookie, Wallet};

use super::stage::{engine, Stage, CONFIDENCE_BPS};
use crate::scenario::population::{Member, Opening, Population};

/// Seconds between opening trades.
pub const SECONDS_PER_OPENING: i64 = 2;
/// Margin above the least that the market asks for.
pub const ROOM_BPS: u32 = 10_300;

/// Creates the population's accounts, empty. Hedges share an owner.
pub fn create_traders(stage: &mut Stage, population: &Population) -> Result<()> {
    let mut wallets: Vec<(usize, Wallet)> = Vec::new();
    for member in &population.members {
        let known = wallets
            .iter()
            .rev()
            .find(|(owner, _)| *owner == member.owner)
            .map(|(_, wallet)| wallet.clone());
        let wallet = match known {
            Some(wallet) => wallet,
            None => stage.sandbox.create_wallet(0)?,
        };
        let trader = stage.sandbox.create_trader_of(&wallet, member.sub_id)?;
        stage.traders.push(trader);
        wallets.push((member.owner, wallet));
    }
    Ok(())
}

/// Makes one opening trade at its distance from `first`, two seconds after the trade before.
pub fn open(
    stage: &mut Stage,
    population: &Population,
    opening: &Opening,
    first: PricePoint,
) -> Result<()> {
    let price = i128::from(first.price_nano) * i128::from(10_000 + opening.offset_bps) / 10_000;
    let timestamp = stage.now().timestamp + SECONDS_PER_OPENING;
    stage.publish(PricePoint {
        timestamp,
        price_nano: i64::try_from(price)?,
    })?;
    let (long, short) = (
        &population.members[opening.long],
        &population.members[opening.short],
    );
    let (taker, maker) = (
        stage.traders[opening.long].clone(),
        stage.traders[opening.short].clone(),
    );
    let lots = i64::try_from(opening.lots)?;
    let taker_margin = provide(stage, long, &taker, lots)?;
    let maker_margin = provide(stage, short, &maker, -lots)?;
    let terms = BlockTrade {
        lots,
        price_ticks: stage.ticks()?,
        taker_margin,
        maker_margin,
    };
    let market = stage.market.clone();
    let result = stage.sandbox.block_trade(&market, &taker, &maker, terms);
    stage.must("block_trade", result).with_context(|| {
        format!("opening {lots} lots at {} ticks: {long:?} with {taker_margin}, {short:?} with {maker_margin}", terms.price_ticks)
    })?;
    Ok(())
}

/// Deposits what a member needs for the fee and for margin at its leverage; returns the margin.
fn provide(stage: &mut Stage, member: &Member, trader: &TraderCookie, lots: i64) -> Result<u64> {
    let price = Ticks::new(stage.ticks()?)
        .lot_price(stage.units.atoms_per_lot_tick)
        .map_err(engine)?;
    let (held, equity) = match stage.open_position(&trader.address)? {
        Some(open) => (
            open.position.size(),
            open.position.equity(price).map_err(engine)?.get(),
        ),
        None => (0, 0),
    };
    let notional = price.notional(held + lots.unsigned_abs()).map_err(engine)?;
    let scale = stage.price()?.scale.and_open(lots.unsigned_abs());
    let least = initial_margin(&stage.risk, &scale.map_err(engine)?, notional);
    let least = Bps::new(ROOM_BPS)
        .ceil_of(least.map_err(engine)?)
        .map_err(engine)?
        + (notional * 2 * CONFIDENCE_BPS).div_ceil(10_000);
    let wanted = (notional * 10)
        .div_ceil(member.leverage_tenths.max(10))
        .max(least);
    let margin = u64::try_from(i64::try_from(wanted)?.saturating_sub(equity).max(0))?;
    let traded = price.notional(lots.unsigned_abs()).map_err(engine)?;
    let fee = Bps::new(stage.risk.taker_fee_bps)
        .ceil_of(traded)
        .map_err(engine)?;
    let tokens = trader.wallet.tokens;
    stage.sandbox.mint_to(&tokens, margin + fee)?;
    let result = stage.sandbox.deposit(trader, margin + fee);
    stage.must("deposit", result)?;
    Ok(margin)
}
