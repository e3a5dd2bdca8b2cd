//! Opens the population's positions by block trades around the first price.

use anyhow::{Context, Result};
use ballast_engine::margin::initial_margin;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::Bps;
use ballast_risk::prices::PricePoint;
use ballast_sandbox::trading::{BlockTrade, TraderCookie, Wallet};

use super::stage::{engine, Stage, CONFIDENCE_BPS};
use crate::scenario::population::{Member, Opening, Population};

/// Seconds between opening trades.
pub const SECONDS_PER_OPENING: i64 = 2;
/// Margin above the least that the market asks for.
const ROOM_BPS: u32 = 10_300;

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
    let open = stage.open_position(&trader.address)?;
    let need = Need {
        risk: &stage.risk,
        mark: stage.price()?,
        held: open.map_or(Position::default(), |open| open.position),
        leverage_tenths: member.leverage_tenths,
        lots: lots.unsigned_abs(),
    };
    let (margin, fee) = (need.margin()?, need.fee()?);
    let tokens = trader.wallet.tokens;
    stage.sandbox.mint_to(&tokens, margin + fee)?;
    let result = stage.sandbox.deposit(trader, margin + fee);
    stage.must("deposit", result)?;
    Ok(margin)
}

/// A position that is to be enlarged at the mark.
pub struct Need<'a> {
    /// Parameters of the market.
    pub risk: &'a RiskParams,
    /// The mark, with what scales initial margin.
    pub mark: Mark,
    /// What is held.
    pub held: Position,
    /// Leverage wanted, in tenths.
    pub leverage_tenths: u64,
    /// Lots that come on top.
    pub lots: u64,
}

impl Need<'_> {
    /// Atoms to put behind it, so that it has the leverage wanted, or as much as the market allows with some room.
    pub fn margin(&self) -> Result<u64> {
        let price = self.mark.price;
        let equity = match self.held.is_empty() {
            true => 0,
            false => self.held.equity(price).map_err(engine)?.get(),
        };
        let notional = price.notional(self.held.size() + self.lots);
        let notional = notional.map_err(engine)?;
        let scale = self.mark.scale.and_open(self.lots);
        let least = initial_margin(self.risk, &scale.map_err(engine)?, notional);
        let least = Bps::new(ROOM_BPS)
            .ceil_of(least.map_err(engine)?)
            .map_err(engine)?
            + (notional * 2 * CONFIDENCE_BPS).div_ceil(10_000);
        let wanted = (notional * 10)
            .div_ceil(self.leverage_tenths.max(10))
            .max(least);
        Ok(u64::try_from(
            i64::try_from(wanted)?.saturating_sub(equity).max(0),
        )?)
    }

    /// The taker's fee for the lots, atoms.
    pub fn fee(&self) -> Result<u64> {
        let traded = self.mark.price.notional(self.lots).map_err(engine)?;
        let fee = Bps::new(self.risk.taker_fee_bps).ceil_of(traded);
        fee.map_err(engine)
    }
}
