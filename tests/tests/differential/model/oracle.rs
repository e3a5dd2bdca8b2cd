//! Prices: which may be used for what, and the funding that accrues by them.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::holding::MAX_PRICE;
use super::number::ONE;
use super::refusal::{require, Refusal, Verdict};
use super::state::Model;
use super::volatility::Scale;

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

/// What a price is wanted for. What is done to a position names the slot since which it has been
/// flagged, 0 never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To open, enlarge or flip; for any trade in the book.
    Open,
    /// To make smaller.
    Reduce,
    /// To take margin out.
    RemoveMargin,
    /// To accrue funding.
    Funding,
    /// To record how a position stands.
    Flag(u64),
    /// To liquidate or deleverage a position or to execute its trigger.
    Force(u64),
}

/// A usable price per lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Atoms per lot.
    pub price: i128,
    /// Half the confidence interval, atoms per lot.
    pub conf: i128,
    /// The average, atoms per lot, while the price is far from it and not for long enough.
    pub average: Option<i128>,
    /// The price of an earlier slot at which an order must be out of reach too, if there is one.
    pub earlier: Option<i128>,
    /// What scales the margin to open.
    pub scale: Scale,
}

impl Mark {
    /// The price moved by the confidence against holders of lots of this sign, or the average
    /// where that is worse for them.
    pub fn worsened(&self, sign: i128) -> Verdict<i128> {
        let worse = self.price - sign * self.conf;
        let worse = in_range(if sign > 0 { worse.max(1) } else { worse })?;
        Ok(self.worst_for(sign, worse))
    }

    /// The worse of a price and the average.
    pub fn worst_for(&self, sign: i128, price: i128) -> i128 {
        match self.average {
            Some(average) if (average - price) * sign < 0 => average,
            _ => price,
        }
    }
}

/// What a market remembers of the prices it recorded, the newest aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The last price recorded in a slot before that of the newest and published before it.
    pub earlier: u64,
    /// Slot in which a price of the newest one's publish time was first recorded.
    pub since: u64,
    /// Seconds for which prices have been far from their average.
    pub far_for: i128,
}

impl Model {
    /// Checks the market's price, accrues, and records the price where it is fit for funding.
    pub fn touch(&mut self, number: usize, wanted: Use) -> Verdict<Mark> {
        let market = &self.markets[number];
        let quoted = market.quoted;
        require(quoted.ticks > 0, BallastError::PriceOutOfRange)?;
        let past = self.past_after(number);
        let far = is_far(&market.params, &quoted);
        let held_up = far && past.far_for < grace(&market.params);
        self.require_usable(number, wanted, held_up)?;
        let fit = self.require_usable(number, Use::Funding, held_up).is_ok();
        self.accrue(number)?;
        let market = &mut self.markets[number];
        if fit {
            market.used = quoted;
            market.past = past;
            market.volatility.count(&market.params, &quoted);
        }
        let price = in_range(i128::from(quoted.ticks) * market.atoms_per_tick)?;
        let conf = i128::from(quoted.conf) * market.atoms_per_tick;
        let earlier = i128::from(past.earlier) * market.atoms_per_tick;
        let average = average_of(&quoted, market.atoms_per_tick);
        let multiplier = market.volatility.in_force(&market.params);
        let open = self.open_interest(number);
        self.seen = vec![price];
        Ok(Mark {
            price,
            conf,
            average: held_up.then_some(average),
            earlier: Some(earlier).filter(|price| *price > 0 && !held_up),
            scale: Scale { multiplier, open },
        })
    }

    /// The price that counts against who holds lots of this sign and leaves a fund: confidence and
    /// average the worse way, always.
    pub fn cautious(&self, number: usize, mark: &Mark, sign: i128) -> Verdict<i128> {
        let market = &self.markets[number];
        let average = average_of(&market.quoted, market.atoms_per_tick);
        let average = Some(average);
        Mark { average, ..*mark }.worsened(sign)
    }

    /// What the market remembers once its price is recorded.
    fn past_after(&self, number: usize) -> Past {
        let market = &self.markets[number];
        let mut past = market.past;
        let apart = i128::from(market.quoted.time) - i128::from(market.used.time);
        if apart <= 0 {
            return past;
        }
        if past.since < self.slot {
            past.earlier = market.used.ticks;
        }
        past.since = self.slot;
        let counted = match is_far(&market.params, &market.quoted) {
            true => apart.min(5),
            false => -apart.min(5),
        };
        past.far_for = (past.far_for + counted).clamp(0, grace(&market.params));
        past
    }

    /// Since when the position has been flagged, as far as somebody looked; 0 never, or where the last
    /// look is more than a hundred slots ago.
    pub fn flagged(&self, market: usize, trader: usize) -> u64 {
        let owned = self.owned(market, trader).map(|owned| &owned.distress);
        let leg = self.leg(market, trader).map(|leg| &leg.distress);
        owned.or(leg).map_or(0, |one| one.since(self.slot))
    }

    /// Refuses a price that has just been recorded and is not fit for this as well.
    pub fn require_fit(&self, number: usize, wanted: Use) -> Verdict<()> {
        let market = &self.markets[number];
        let far = is_far(&market.params, &market.quoted);
        let held_up = far && market.past.far_for < grace(&market.params);
        self.require_usable(number, wanted, held_up)
    }

    /// The first fault that blocks the use: the table of the documents, row by row.
    fn require_usable(&self, number: usize, wanted: Use, held_up: bool) -> Result<(), Refusal> {
        let market = &self.markets[number];
        let (params, quoted) = (&market.params, &market.quoted);
        let age = self.time - i128::from(quoted.time);
        let oldest = i128::from(params.oracle_max_age_seconds).min(30);
        let usual = match params.price_age_seconds {
            0 => 10,
            seconds => i128::from(seconds),
        };
        let first_recorded = match quoted.time > market.used.time {
            true => self.slot,
            false => market.past.since,
        };
        let limit = match wanted {
            Use::Funding => oldest,
            Use::Flag(since) | Use::Force(since) if since > 0 && since < first_recorded => oldest,
            _ => usual.min(oldest),
        };
        let reduces = wanted == Use::Reduce;
        // Rounded up to a tick.
        let conf = (i128::from(quoted.conf) - 1) * ONE;
        let widest = i128::from(quoted.ticks) * i128::from(params.oracle_max_conf_bps);
        let waits = matches!(wanted, Use::RemoveMargin | Use::Force(_));
        let rows = [
            (quoted.time < market.used.time, BallastError::PriceOlder),
            (!reduces && age < -30, BallastError::PriceFromFuture),
            (!reduces && age > limit, BallastError::PriceStale),
            (!reduces && conf > widest, BallastError::PriceWideConfidence),
            (waits && held_up, BallastError::PriceDiverged),
        ];
        for (blocks, error) in rows {
            require(!blocks, error)?;
        }
        Ok(())
    }
}

/// The average of a lot, atoms, within the range of prices.
fn average_of(quoted: &Quoted, atoms_per_tick: i128) -> i128 {
    (i128::from(quoted.ema.max(1)) * atoms_per_tick).min(MAX_PRICE)
}

/// How long prices must have been far from their average, seconds.
fn grace(params: &RiskParams) -> i128 {
    match params.divergence_grace_seconds {
        0 => 30,
        seconds => i128::from(seconds),
    }
}

/// Whether a price is too far from its average.
fn is_far(params: &RiskParams, quoted: &Quoted) -> bool {
    let (price, ema) = (i128::from(quoted.ticks), i128::from(quoted.ema));
    let farthest = ema * i128::from(params.oracle_max_ema_divergence_bps);
    (price - ema).abs() * ONE > farthest
}

/// `PriceOutOfRange` unless a price per lot.
pub fn in_range(price: i128) -> Verdict<i128> {
    let fits = (1..=MAX_PRICE).contains(&price);
    require(fits, BallastError::PriceOutOfRange)?;
    Ok(price)
}
