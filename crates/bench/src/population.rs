//! Positions to fill a queue with, drawn from a seed in integers only.

use anyhow::{Context, Result};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Score that the positions of a hostile queue share, in tenths.
const LINE_SCORE_TENTHS: u64 = 3;
/// The same for [`Population::IsoScoreSmall`].
const SMALL_SCORE_TENTHS: u64 = 7;
/// Positions of a hostile queue that stand above its line: as many as a round can list.
pub const ABOVE_LINE: u32 = 32;
/// By how much less margin they stand above it, billionths for each rank.
const ABOVE_LINE_PPB: u64 = 10;
/// Distance between the entry prices of [`Population::IsoScoreTicks`], ticks: $0.01.
const COARSE_TICKS: u64 = 10;

/// Who stands in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Population {
    /// Entry prices log-uniform within 30% of the mark, margin uniform from 2% to 100% of the entry,
    /// 100 to 100,000 lots; none that would be liquidated at the mark.
    Random,
    /// The same with leverage log-uniform from 1x to 20x: those at 20x are the top of the ranking.
    Crowded,
    /// One lot each, entry prices at whole ticks from 0.1% to 30% in profit, margin in whole atoms:
    /// all of one score but for the rounding, which is large for so small positions.
    IsoScoreSmall,
    /// All of one score at the mark but for the rounding of their margin to whole atoms; entry
    /// prices at whole cents from 2.5% to 30% in profit.
    IsoScoreTicks,
    /// The same with entry prices that all differ.
    IsoScoreDistinct,
}

impl Population {
    /// Its name in the document.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Crowded => "crowded at 20x",
            Self::IsoScoreSmall => "one lot each",
            Self::IsoScoreTicks => "whole cents",
            Self::IsoScoreDistinct => "all distinct",
        }
    }

    /// Its name in figures.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Draws one position after the other.
pub struct Source<'a> {
    population: Population,
    side: Side,
    mark: LotPrice,
    funding_index: FundingIndex,
    risk: &'a RiskParams,
    count: u32,
    drawn: u32,
    dice: ChaCha8Rng,
}

impl<'a> Source<'a> {
    /// `count` positions of `side` at `mark` (atoms per lot).
    pub fn new(
        population: Population,
        side: Side,
        mark: LotPrice,
        funding_index: FundingIndex,
        risk: &'a RiskParams,
        count: u32,
        seed: u64,
    ) -> Self {
        Self {
            population,
            side,
            mark,
            funding_index,
            risk,
            count,
            drawn: 0,
            dice: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// A key that no position had before.
    pub fn key(&mut self) -> [u8; 32] {
        self.dice.gen()
    }

    /// The next position.
    pub fn position(&mut self) -> Result<Position> {
        let position = match self.population {
            Population::Random | Population::Crowded => self.random()?,
            Population::IsoScoreSmall => self.small()?,
            Population::IsoScoreTicks => self.on_the_line(Some(COARSE_TICKS))?,
            Population::IsoScoreDistinct => self.on_the_line(None)?,
        };
        self.drawn += 1;
        Ok(position)
    }

    fn random(&mut self) -> Result<Position> {
        let mark = self.mark.get();
        loop {
            let entry = log_uniform(&mut self.dice, mark * 10 / 13, mark * 13 / 10);
            let lots = log_uniform(&mut self.dice, 100, 100_000);
            let margin = if self.population == Population::Crowded {
                lots * entry * 100 / log_uniform(&mut self.dice, 100, 2_000)
            } else {
                lots * entry * self.dice.gen_range(20..=1_000) / 1_000
            };
            let position = self.of(lots, lots * entry, margin)?;
            let health = health(&position, self.mark, self.risk)?;
            if health == Health::Healthy {
                return Ok(position);
            }
        }
    }

    fn small(&mut self) -> Result<Position> {
        let mark = self.mark.get();
        let (least, most) = (mark / 1_000, mark * 300 / 1_000);
        let place = u64::from(self.drawn) * (most - least) / u64::from(self.count);
        let gain = least + place;
        let entry = match self.side {
            Side::Long => mark - gain,
            Side::Short => mark + gain,
        };
        let equity = gain * mark * 10 / (entry * SMALL_SCORE_TENTHS);
        let margin = equity
            .checked_sub(gain)
            .context("the line needs a positive margin")?;
        self.of(1, entry, margin)
    }

    /// A position of profit x (part of the mark) and margin `x p (1 / (s (1 +- x)) - 1)` a lot,
    /// which scores s. Without a `grid`, entry prices are spread evenly.
    fn on_the_line(&mut self, grid: Option<u64>) -> Result<Position> {
        let mark = self.mark.get();
        let (least, most) = (mark * 25 / 1_000, mark * 300 / 1_000);
        let lots: u64 = self.dice.gen_range(100_000..101_000);
        let gain = match grid {
            None => {
                let spread = u128::from((most - least) * lots);
                let place = u128::from(self.drawn);
                least * lots + u64::try_from(spread * place / u128::from(self.count))?
            }
            Some(ticks) => {
                let steps = (most - least) / ticks;
                (least + ticks * self.dice.gen_range(0..steps)) * lots
            }
        };
        let worth = mark * lots;
        let entry = match self.side {
            Side::Long => worth - gain,
            Side::Short => worth + gain,
        };
        // gain / entry * worth / (gain + margin) = s
        let equity = u128::from(gain) * u128::from(worth) * 10
            / (u128::from(entry) * u128::from(LINE_SCORE_TENTHS));
        let margin = u64::try_from(equity)?
            .checked_sub(gain)
            .context("the line needs a positive margin")?;
        self.of(lots, entry, margin - self.above_the_line(margin))
    }

    /// What the first of the evenly spread few lack in margin, so that they rank first.
    fn above_the_line(&self, margin: u64) -> u64 {
        let every = (self.count / ABOVE_LINE).max(1);
        let rank = self.drawn / every;
        if !self.drawn.is_multiple_of(every) || rank >= ABOVE_LINE {
            return 0;
        }
        margin * ABOVE_LINE_PPB * u64::from(ABOVE_LINE - rank) / 1_000_000_000
    }

    fn of(&self, lots: u64, entry: u64, margin: u64) -> Result<Position> {
        let entry = i64::try_from(entry)?;
        Ok(Position {
            lots: Lots::on_side(self.side, lots)?,
            entry_quote: Atoms::new(match self.side {
                Side::Long => entry,
                Side::Short => -entry,
            }),
            margin: Atoms::from_unsigned(margin)?,
            funding_index: self.funding_index,
        })
    }
}

/// A number from `low..=high` whose logarithm is uniform: `low` times the product of
/// `(high / low)^(1/2)`, `^(1/4)`, ..., each with a chance of one half.
pub fn log_uniform(dice: &mut ChaCha8Rng, low: u64, high: u64) -> u64 {
    let mut value = u128::from(low) << 32;
    let mut factor = (u128::from(high) << 32) / u128::from(low);
    for _ in 0..24 {
        factor = (factor << 32).isqrt();
        if dice.gen() {
            value = (value * factor) >> 32;
        }
    }
    u64::try_from(value >> 32).unwrap_or(high).clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_engine::fixtures::risk::sol_market;
    use ballast_engine::rank::{score_q32, ClosePrice, Exposure, Round};

    const MARK: u64 = 180_000;

    fn round(side: Side) -> Round {
        Round {
            side,
            mark: LotPrice::new(MARK).unwrap(),
            close: ClosePrice {
                quote: i64::try_from(MARK).unwrap(),
                lots: 1,
            },
            funding_index: FundingIndex::ZERO,
            min_profit_bps: 10,
            rank_tolerance_bps: 0,
            max_close_bps: 5_000,
            least_lots: 0,
            epoch: 1,
        }
    }

    fn drawn(population: Population, side: Side, count: u32) -> Vec<Position> {
        let risk = sol_market();
        let mark = LotPrice::new(MARK).unwrap();
        let mut source = Source::new(population, side, mark, FundingIndex::ZERO, &risk, count, 1);
        (0..count).map(|_| source.position().unwrap()).collect()
    }

    #[test]
    fn a_logarithm_is_uniform() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<u64> = (0..20_000)
            .map(|_| log_uniform(&mut dice, 100, 10_000))
            .collect();
        let below = drawn.iter().filter(|number| **number < 1_000).count();
        assert!((9_500..10_500).contains(&below), "{below}");
        assert!(drawn.iter().all(|number| (100..=10_000).contains(number)));
    }

    #[test]
    fn hostile_positions_lie_on_one_line_and_a_few_just_above_it() {
        for side in [Side::Long, Side::Short] {
            for population in [Population::IsoScoreTicks, Population::IsoScoreDistinct] {
                let mut scores: Vec<i128> = drawn(population, side, 2_000)
                    .iter()
                    .map(|position| {
                        let exposure =
                            Exposure::of_position(position, FundingIndex::ZERO, 0).unwrap();
                        score_q32(&round(side), &exposure).unwrap()
                    })
                    .collect();
                scores.sort_unstable();
                let (line, above) = scores.split_at(2_000 - 32);
                let line_score = (i128::from(LINE_SCORE_TENTHS) << 32) / 10;
                let near = |score: &i128| (score - line_score).abs() * 250_000_000 < line_score;
                assert!(line.iter().all(near), "{side:?} {population:?}");
                assert!(
                    above.iter().all(|score| !near(score)),
                    "{side:?} {population:?}"
                );
                let high = *above.last().unwrap();
                assert!((high - line_score) * 1_000_000 < line_score);
            }
        }
    }

    #[test]
    fn only_distinct_entry_prices_are_all_distinct() {
        let entries = |population| {
            let positions = drawn(population, Side::Short, 10_000);
            let distinct: std::collections::BTreeSet<u128> = positions
                .iter()
                .map(|position| {
                    let quote = u128::from(position.entry_quote.get().unsigned_abs());
                    (quote << 32) / u128::from(position.size())
                })
                .collect();
            distinct.len()
        };
        assert_eq!(entries(Population::IsoScoreDistinct), 10_000);
        assert!((4_000..5_000).contains(&entries(Population::IsoScoreTicks)));
    }
}
