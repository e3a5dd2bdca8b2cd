//! What scales initial margin: how far volatility rises above its usual, and how full the market is.

use anyhow::Result;
use ballast_engine::units::Ticks;
use ballast_engine::volatility::{Volatility, FAST_HALF_LIFE_SECONDS};

use super::assemble::{in_bps, Making, INITIAL_HORIZON, ONE};
use super::sheet::{most, Wanted};
use crate::bootstrap::{Blocks, Interval, Resampling};
use crate::prices::Prices;
use crate::tails::Tail;
use crate::units::MarketUnits;

/// Half-lives of the fast average without which a history does not say how far volatility rises: 15 days.
const LEAST_HALF_LIVES: u64 = 30;
/// Half-lives that only inform the averages.
const WARM_UP: u64 = 4;
/// Blocks of the bootstrap.
const BLOCKS: usize = 20;
/// The multiplier is rounded up to multiples of this, basis points.
const GRAIN: f64 = 500.;
const OFF: i64 = 0;

/// Volatility over its usual, as the program measures both, at every price that counts.
#[derive(Clone, Debug)]
pub(super) struct Swings {
    ratios: Vec<f64>,
    seconds: u64,
}

impl Swings {
    /// Those of prices in the units of a market.
    pub(super) fn of(prices: &Prices, units: MarketUnits) -> Result<Self> {
        let most = u16::try_from(most("margin_multiplier_max_bps"))?;
        let (mut state, mut ratios) = (Volatility::default(), Vec::new());
        for point in prices.points() {
            let ticks = Ticks::new(units.ticks(point.price_nano)?.max(1));
            let next = state.counted(most, ticks, point.timestamp)?;
            let age = u64::from(next.counted_at.saturating_sub(next.since));
            if next.counted_at != state.counted_at
                && age >= WARM_UP * FAST_HALF_LIFE_SECONDS
                && next.slow > 0
            {
                ratios.push((next.fast as f64 / next.slow as f64).sqrt());
            }
            state = next;
        }
        Ok(Self {
            ratios,
            seconds: u64::from(state.counted_at.saturating_sub(state.since)),
        })
    }

    /// The ratio that a part `level` of the time stays below, and what holds it; `None` of too short a history.
    fn ratio(&self, level: f64, draws: u64, seed: u64) -> Option<(f64, Interval)> {
        if self.seconds < LEAST_HALF_LIVES * FAST_HALF_LIFE_SECONDS {
            return None;
        }
        let resampling = Resampling {
            block: (self.ratios.len() / BLOCKS).max(1),
            draws,
            seed,
        };
        let blocks = Blocks::of(&self.ratios, resampling.block);
        let at = |tail: &Tail| tail.empirical(level);
        let value = at(&Tail::of(self.ratios.clone()));
        Some((value, blocks.interval(resampling, at)))
    }
}

impl Making<'_> {
    /// The largest multiplier, and between which open interests margin rises.
    pub(super) fn scaling(&mut self, swings: &Swings) -> Result<()> {
        self.multiplier(swings)?;
        self.interest()
    }

    fn multiplier(&mut self, swings: &Swings) -> Result<()> {
        let request = self.request;
        let percent = 100. * request.initial_level;
        let wanted = match swings.ratio(request.initial_level, request.draws, request.seed) {
            Some((ratio, interval)) => Wanted {
                value: ((ratio * ONE / GRAIN - 1e-9).ceil() * GRAIN).max(ONE) as i64,
                unit: "bps",
                estimate: Some(ratio * ONE),
                interval: Some(in_bps(interval, 0.)),
                rule: format!(
                    "volatility of 12 hours over that of 60 days stays below this in {percent}% of the time"
                ),
            },
            None => Wanted::policy(
                OFF,
                "bps",
                &format!(
                    "off: how far volatility rises takes {:.0} days of prices to say, and these are {:.1}",
                    days(LEAST_HALF_LIVES * FAST_HALF_LIFE_SECONDS),
                    days(swings.seconds)
                ),
            ),
        };
        let most = self.sheet.write("margin_multiplier_max_bps", wanted);
        self.params.margin_multiplier_max_bps = u16::try_from(most)?;
        Ok(())
    }

    /// From the open interest of which the part at risk closes within the hours that initial margin is
    /// measured over, up to the largest one, where it is measured over the time in which that part of it closes.
    fn interest(&mut self) -> Result<()> {
        let request = self.request;
        let atoms = self.params.max_open_interest_lots as f64 * self.atoms_per_lot;
        let largest = atoms / crate::units::ATOMS_PER_USD as f64;
        let at_risk = largest * request.at_risk_part;
        let lower = request.liquidity.closed_within(INITIAL_HORIZON) / at_risk;
        if lower >= 1. {
            let rule = "off: the part at risk of the largest open interest closes within 8 hours";
            return self.write_interest([OFF, OFF].map(|off| Wanted::policy(off, "bps", rule)));
        }
        let seconds = request.liquidity.time_to_close(at_risk);
        let loss = self.margins.loss(seconds, request.initial_level);
        let margin = f64::from(self.params.tiers[0].initial_margin_bps) / ONE;
        // Part of the way from initial margin to the whole notional at the largest open interest.
        let part = |loss: f64| ((loss - margin) / (1. - margin)).clamp(1e-6, 1.);
        let full = part(loss.loss);
        let most = most("open_interest_upper_bps") as f64 / ONE;
        // With the upper end where it is wanted, or as far as it may lie, and the lower end moved up for it.
        let upper = |full: f64| lower + (1. - lower) / full;
        let (from, until) = match upper(full) {
            upper if upper <= most => (lower, upper),
            _ => ((1. - most * full) / (1. - full), most),
        };
        let low = format!(
            "{}% of it closes within 8 hours, as initial margin takes for granted{}",
            100. * request.at_risk_part,
            if from > lower {
                "; later, as the upper end may not lie so far"
            } else {
                ""
            }
        );
        let high = format!(
            "at the largest open interest, of which {}% closes within {:.1} hours, margin is {}",
            100. * request.at_risk_part,
            seconds / 3_600.,
            loss.rule()
        );
        self.write_interest([
            Wanted {
                value: (from * ONE).floor() as i64,
                unit: "bps",
                estimate: Some(lower * ONE),
                interval: None,
                rule: low,
            },
            Wanted {
                value: (until * ONE).floor() as i64,
                unit: "bps",
                estimate: Some(upper(full) * ONE),
                interval: Some(Interval {
                    low: upper(part(loss.interval.high)) * ONE,
                    high: upper(part(loss.interval.low)) * ONE,
                }),
                rule: high,
            },
        ])
    }

    fn write_interest(&mut self, [lower, upper]: [Wanted; 2]) -> Result<()> {
        let lower = self.sheet.write("open_interest_lower_bps", lower);
        let upper = self.sheet.write("open_interest_upper_bps", upper);
        self.params.open_interest_lower_bps = u16::try_from(lower)?;
        self.params.open_interest_upper_bps = u16::try_from(upper)?;
        Ok(())
    }
}

fn days(seconds: u64) -> f64 {
    seconds as f64 / 86_400.
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::PricePoint;
    use crate::random::Stream;

    /// Minutes of so many days, each twice as wild as the one before where `wild` says so.
    fn swings(days: i64, wild: impl Fn(i64) -> bool) -> Swings {
        let mut stream = Stream::new(3, 0);
        let mut price = 150e9;
        let points = (0..days * 1_440).map(|minute| {
            let size = if wild(minute / 1_440) { 0.004 } else { 0.002 };
            price *= f64::exp(size * (stream.unit() - 0.5));
            PricePoint {
                timestamp: 1_600_000_000 + minute * 60,
                price_nano: price as i64,
            }
        });
        let prices = Prices::new(points.collect()).expect("prices");
        let units = MarketUnits::for_price(150_000_000_000).expect("units");
        Swings::of(&prices, units).expect("in range")
    }

    #[test]
    fn a_market_of_even_volatility_has_a_ratio_near_one_and_a_storm_raises_it() {
        let (even, interval) = swings(20, |_| false).ratio(0.99, 100, 1).expect("enough");
        assert!((1. ..1.1).contains(&even), "{even}");
        assert!(interval.low <= even && even <= interval.high);
        let (storm, _) = swings(20, |day| day == 15)
            .ratio(0.99, 100, 1)
            .expect("enough");
        // Twice the volatility of the average, of which twelve hours' half-life sees three quarters in a day.
        assert!((1.5..2.).contains(&storm), "{storm}");
    }

    #[test]
    fn a_fortnight_is_too_short() {
        assert!(swings(14, |_| false).ratio(0.99, 100, 1).is_none());
    }
}
