//! Prices: which may be used for what, and the funding that accrues by them.

use ballast_state::error::BallastError;

use super::holding::MAX_PRICE;
use super::number::ONE;
use super::refusal::{require, Refusal, Verdict};
use super::state::Model;

/// A price as published, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quoted {
    /// Price.
    pub ticks: u64,
    /// Half the confidence interval.
    pub conf: u64,
    /// Moving average.
    pub ema: u64,
    /// Unix seconds.
    pub time: i64,
}

/// What a price is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To open, enlarge or flip.
    Open,
    /// To make smaller.
    Reduce,
    /// To take margin out.
    RemoveMargin,
    /// To accrue funding.
    Funding,
    /// To liquidate or flag.
    Liquidate,
    /// To deleverage.
    Deleverage,
}

/// A usable price per lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Atoms per lot.
    pub price: i128,
    /// Half the confidence interval, atoms per lot.
    pub conf: i128,
}

impl Mark {
    /// The price moved by the confidence against holders of lots of this sign.
    pub fn worsened(&self, sign: i128) -> Verdict<i128> {
        in_range(self.price - sign * self.conf)
    }
}

impl Model {
    /// Checks the market's price, accrues, and records the price where it is fit for funding.
    pub fn touch(&mut self, number: usize, wanted: Use) -> Verdict<Mark> {
        let now = self.time;
        let market = &mut self.markets[number];
        let quoted = market.quoted;
        require(quoted.ticks > 0, BallastError::PriceOutOfRange)?;
        let verdict = |wanted| {
            let last = market.used.time;
            fault(&market.params, &quoted, wanted, last, now)
        };
        verdict(wanted)?;
        let fit = verdict(Use::Funding).is_ok();
        self.accrue(number)?;
        let market = &mut self.markets[number];
        if fit {
            market.used = quoted;
        }
        let price = in_range(i128::from(quoted.ticks) * market.atoms_per_tick)?;
        let conf = i128::from(quoted.conf) * market.atoms_per_tick;
        (self.seen, self.published) = (vec![price], quoted.time);
        Ok(Mark { price, conf })
    }
}

/// `PriceOutOfRange` unless a price per lot.
pub fn in_range(price: i128) -> Verdict<i128> {
    let fits = (1..=MAX_PRICE).contains(&price);
    require(fits, BallastError::PriceOutOfRange)?;
    Ok(price)
}

/// The first fault that blocks the use: the table of the documents, row by row.
fn fault(
    params: &ballast_engine::risk::RiskParams,
    quoted: &Quoted,
    wanted: Use,
    last: i64,
    now: i128,
) -> Result<(), Refusal> {
    let reduces = wanted == Use::Reduce;
    let age = now - i128::from(quoted.time);
    let limit = i128::from(params.oracle_max_age_seconds);
    let (price, ema) = (i128::from(quoted.ticks), i128::from(quoted.ema));
    let conf = i128::from(quoted.conf) * ONE;
    let widest = price * i128::from(params.oracle_max_conf_bps);
    let distance = (price - ema).abs() * ONE;
    let farthest = ema * i128::from(params.oracle_max_ema_divergence_bps);
    let averaged = reduces || wanted == Use::Funding;
    let rows = [
        (quoted.time < last, BallastError::PriceOlder),
        (!reduces && age < -limit, BallastError::PriceFromFuture),
        (!reduces && age > limit, BallastError::PriceStale),
        (!reduces && conf > widest, BallastError::PriceWideConfidence),
        (
            !averaged && distance > farthest,
            BallastError::PriceDiverged,
        ),
    ];
    for (blocks, error) in rows {
        require(!blocks, error)?;
    }
    Ok(())
}
