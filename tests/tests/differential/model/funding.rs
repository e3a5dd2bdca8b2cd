//! Funding: hour by hour, at the average premium of the hour before.

use super::book::is_near;
use super::number::{floor, part, ratio, whole};
use super::oracle::in_range;
use super::refusal::{signed, Verdict};
use super::state::Model;
use num_rational::BigRational;

/// Seconds.
const HOUR: i128 = 3_600;
/// A whole atom per lot, in millionths of an hour's second.
const ATOM: i128 = HOUR * 1_000_000;

/// What funding remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funding {
    /// Owed by a long lot since the beginning, atoms.
    pub index: i128,
    /// Not yet a whole atom, in 1 / 3.6e9.
    pub carry: i128,
    /// Accrued until, unix seconds.
    pub until: i128,
    /// Rate of the hour under way, millionths.
    pub rate: i128,
    /// Sampled rates of that hour times their seconds.
    pub sum: i128,
}

impl Model {
    /// Accrues up to now at the last price fit for it; before the first nothing is owed.
    pub fn accrue(&mut self, number: usize) -> Verdict<()> {
        let (now, market) = (self.time, &self.markets[number]);
        let mut funding = market.funding;
        if now <= funding.until {
            return Ok(());
        }
        if market.used.ticks == 0 {
            self.markets[number].funding.until = now;
            return Ok(());
        }
        let price = in_range(i128::from(market.used.ticks) * market.atoms_per_tick)?;
        let owed = match market.params.impact_notional_atoms {
            0 => {
                funding.rate = i128::from(market.params.funding_rate_ppm_per_hour);
                funding.sum = 0;
                funding.rate * (now - funding.until)
            }
            _ => funding.pass(now, self.sample(number, price)),
        };
        let total = owed * price + funding.carry;
        let atoms = floor(&part(total, 1, ATOM));
        funding.index = signed(funding.index + atoms)?;
        funding.carry = total - atoms * ATOM;
        funding.until = now;
        self.markets[number].funding = funding;
        Ok(())
    }

    /// Base and premium within the cap; nothing where either side of the book is too thin, or its
    /// impact price outside the band.
    fn sample(&self, number: usize, mark: i128) -> i128 {
        let params = &self.markets[number].params;
        let (bid, ask) = self.impact_prices(number);
        let band = (mark, i128::from(params.price_band_bps));
        if bid == 0 || ask == 0 || !is_near(band, bid) || !is_near(band, ask) {
            return 0;
        }
        let premium = (ratio(bid + ask, 2 * mark) - whole(1)) * whole(1_000_000);
        let cap = i128::from(params.max_funding_rate_ppm);
        let rate = i128::from(params.funding_rate_ppm_per_hour) + towards_zero(&premium);
        rate.clamp(-cap, cap)
    }
}

impl Funding {
    /// Hours and parts of hours up to `now`; the sum of their rates times seconds.
    fn pass(&mut self, now: i128, sample: i128) -> i128 {
        let (mut at, mut owed) = (self.until, 0);
        let sampled = self.until + HOUR;
        while at < now {
            let end = (at / HOUR + 1) * HOUR;
            let to = end.min(now);
            owed += self.rate * (to - at);
            self.sum += sample * (to.min(sampled) - at).max(0);
            if to == end {
                self.rate = towards_zero(&ratio(self.sum, HOUR));
                self.sum = 0;
            }
            at = to;
        }
        owed
    }
}

fn towards_zero(number: &BigRational) -> i128 {
    floor(&number.trunc())
}
