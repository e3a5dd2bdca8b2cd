//! Many paths, and what they say of every position.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;

use anyhow::{anyhow, ensure, Result};
use ballast_engine::units::Side;
use ballast_state::error::BallastError;
use ballast_state::Pubkey;

use super::levels::Levels;
use super::share::Share;
use super::snapshot::{Snapshot, Step};
use super::world::{Fate, World};
use crate::path::PathModel;

/// Slots of an hour.
const HOUR_SLOTS: u64 = 9_000;
/// Most paths of a forecast.
pub const MOST_PATHS: u32 = 1_000_000;

/// Where the prices of a path come from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Every path is this one.
    Given(&'a [Step]),
    /// Drawn: a model, a seed, and for how many seconds.
    Drawn(&'a PathModel, u64, u32),
}

impl Source<'_> {
    /// The path of that index; the same whatever else is drawn.
    #[must_use]
    pub fn path(&self, snapshot: &Snapshot, index: u32) -> Vec<Step> {
        match self {
            Self::Given(steps) => steps.to_vec(),
            Self::Drawn(model, seed, seconds) => {
                let step = u32::try_from(model.step_seconds())
                    .unwrap_or(u32::MAX)
                    .max(1);
                let bars = usize::try_from(seconds.div_ceil(step)).unwrap_or(usize::MAX);
                let bars = model.path(*seed, index.into(), bars);
                let mut points = Vec::with_capacity(3 * bars.len());
                for (bar, start) in bars.iter().zip((0..).step_by(step_size(step))) {
                    let [_, first, second, close] = bar.points();
                    // In the middle of a bar, at two thirds and at its end.
                    points.push((start + step / 3, first));
                    points.push((start + step - step / 3, second));
                    points.push((start + step, close));
                }
                snapshot.path(&points)
            }
        }
    }
}

fn step_size(step: u32) -> usize {
    usize::try_from(step).unwrap_or(usize::MAX)
}

/// What happens to a position.
#[derive(Clone, Debug)]
pub struct PositionForecast {
    /// Its trader account.
    pub trader: Pubkey,
    /// Place of the account in the snapshot.
    pub place: usize,
    /// Its side.
    pub side: Side,
    /// Its lots, unsigned.
    pub lots: u64,
    /// Unrealised profit at the snapshot, atoms; a loss when negative.
    pub profit: i64,
    /// Paths on which it is cut.
    pub cut: Share,
    /// Paths on which it is cut within the first hour.
    pub cut_in_first_hour: Share,
    /// Paths on which a cut closes it.
    pub closed: Share,
    /// Paths on which it is liquidated.
    pub liquidated: Share,
    /// Mean of the lots that are cut.
    pub expected_lots: f64,
    /// Mean of the profit given up against the mark, atoms.
    pub expected_gave_up: f64,
    /// Profit given up that 5, 50 and 95 % of the paths do not exceed, atoms.
    pub gave_up_quantiles: [u64; 3],
    /// The paths on which it is cut, in their order, with the profit given up, atoms.
    pub cuts: Vec<(u32, u64)>,
}

/// What happens to the market. Amounts are means over all paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct MarketForecast {
    /// Paths on which anybody is cut.
    pub adl: Share,
    /// Notional deleveraged, atoms.
    pub adl_notional: f64,
    /// Paid by insurance, atoms.
    pub insurance_paid: f64,
    /// Notional that the pool takes over, atoms.
    pub pool_notional: f64,
    /// Paths at the end of which somebody was bankrupt and nobody was left to be cut.
    pub left_open: Share,
    /// The part of all prices that keepers could not act on.
    pub unusable: f64,
}

/// What many paths say.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// How many.
    pub paths: u32,
    /// Every position, in the order of the snapshot.
    pub positions: Vec<PositionForecast>,
    /// The market.
    pub market: MarketForecast,
}

/// One cut of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CutOf {
    place: u32,
    path: u32,
    gave_up: u64,
    lots: u64,
    closed: bool,
    first_hour: bool,
}

/// Sums over paths: whole numbers, so that the order of the paths makes no difference.
#[derive(Clone, Debug, Default)]
struct Tally {
    liquidated: Vec<u32>,
    cuts: Vec<CutOf>,
    adl: u32,
    left_open: u32,
    adl_notional: u128,
    insurance_paid: u128,
    pool_notional: u128,
    unusable: u64,
    steps: u64,
}

impl Tally {
    fn of(positions: usize) -> Self {
        Self {
            liquidated: vec![0; positions],
            ..Self::default()
        }
    }

    fn add(&mut self, world: &World<'_>, path: u32, steps: usize) {
        let first_hour = world.snapshot.at.now.slot + HOUR_SLOTS;
        for (place, fate) in world.touched() {
            self.liquidated[place] += u32::from(fate.liquidated);
            if fate.cut_lots > 0 {
                self.cuts.push(cut_of(place, fate, path, first_hour));
            }
        }
        let outcome = world.outcome();
        self.adl += u32::from(outcome.adl_lots > 0);
        self.left_open += u32::from(outcome.left_open > 0);
        self.adl_notional += u128::from(outcome.adl_notional);
        self.insurance_paid += u128::from(outcome.insurance_paid);
        self.pool_notional += u128::from(outcome.pool_notional);
        self.unusable += outcome.unusable;
        self.steps += u64::try_from(steps).unwrap_or(u64::MAX);
    }

    fn merge(&mut self, other: Self) {
        for (sum, more) in self.liquidated.iter_mut().zip(other.liquidated) {
            *sum += more;
        }
        self.cuts.extend(other.cuts);
        self.adl += other.adl;
        self.left_open += other.left_open;
        self.adl_notional += other.adl_notional;
        self.insurance_paid += other.insurance_paid;
        self.pool_notional += other.pool_notional;
        self.unusable += other.unusable;
        self.steps += other.steps;
    }
}

fn cut_of(place: usize, fate: &Fate, path: u32, first_hour: u64) -> CutOf {
    CutOf {
        place: u32::try_from(place).unwrap_or(u32::MAX),
        path,
        gave_up: fate.gave_up,
        lots: fate.cut_lots,
        closed: fate.closed,
        first_hour: fate.cut_slot <= first_hour,
    }
}

/// Plays `paths` paths of `source` on `threads` threads. The result is the same on any number of threads.
///
/// # Errors
/// Too few or too many paths; a snapshot that no market can be in.
pub fn forecast(
    snapshot: &Snapshot,
    source: &Source<'_>,
    paths: u32,
    threads: usize,
) -> Result<Forecast> {
    let numbers: Vec<u32> = (0..paths).collect();
    forecast_on(snapshot, source, &numbers, threads)
}

/// The same over the paths of these indices alone.
///
/// # Errors
/// As [`forecast`].
pub fn forecast_on(
    snapshot: &Snapshot,
    source: &Source<'_>,
    numbers: &[u32],
    threads: usize,
) -> Result<Forecast> {
    let paths = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    ensure!(
        (1..=MOST_PATHS).contains(&paths),
        "a forecast needs 1 to {MOST_PATHS} paths, found {paths}"
    );
    let levels = Levels::of(snapshot).map_err(told)?;
    let next = AtomicU32::new(0);
    let all = Mutex::new(Tally::of(snapshot.accounts.len()));
    let worker = || -> Result<()> {
        let mut world = World::new(snapshot, &levels).map_err(told)?;
        let mut tally = Tally::of(snapshot.accounts.len());
        while let Some(number) = numbers.get(place_of(next.fetch_add(1, Ordering::Relaxed))) {
            let path = source.path(snapshot, *number);
            world.play(&path).map_err(told)?;
            tally.add(&world, *number, path.len());
        }
        let mut all = all.lock().map_err(|_| anyhow!("a path went wrong"))?;
        all.merge(tally);
        Ok(())
    };
    if threads <= 1 {
        worker()?;
    } else {
        std::thread::scope(|scope| -> Result<()> {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            for worker in workers {
                worker.join().map_err(|_| anyhow!("a path went wrong"))??;
            }
            Ok(())
        })?;
    }
    let tally = all.into_inner().map_err(|_| anyhow!("a path went wrong"))?;
    concluded(snapshot, paths, tally)
}

fn concluded(snapshot: &Snapshot, paths: u32, mut tally: Tally) -> Result<Forecast> {
    tally.cuts.sort_unstable();
    let mark = snapshot.mark().map_err(told)?;
    let index = snapshot
        .market
        .funding_at(snapshot.at.now.unix_timestamp)
        .map_err(|error| told(error.into()))?
        .index;
    let mean = |sum: u128| to_float(sum) / f64::from(paths);
    let mut positions = Vec::new();
    let mut rest = &tally.cuts[..];
    for (place, account) in snapshot.accounts.iter().enumerate() {
        let cuts = rest.iter().take_while(|cut| place_of(cut.place) == place);
        let (own, others) = rest.split_at(cuts.count());
        rest = others;
        let position = account.slot.position().map_err(told)?;
        let position = position.settle(index).map_err(|error| told(error.into()))?;
        let Some(side) = position.side() else {
            continue;
        };
        let count = |holds: fn(&CutOf) -> bool| Share::of(own, holds, paths);
        positions.push(PositionForecast {
            trader: account.trader,
            place,
            side,
            lots: position.size(),
            profit: position
                .pnl(mark)
                .map_err(|error| told(error.into()))?
                .get(),
            cut: count(|_| true),
            cut_in_first_hour: count(|cut| cut.first_hour),
            closed: count(|cut| cut.closed),
            liquidated: Share::new(tally.liquidated[place], paths),
            expected_lots: mean(own.iter().map(|cut| u128::from(cut.lots)).sum()),
            expected_gave_up: mean(own.iter().map(|cut| u128::from(cut.gave_up)).sum()),
            gave_up_quantiles: quantiles(own, paths),
            cuts: own.iter().map(|cut| (cut.path, cut.gave_up)).collect(),
        });
    }
    let market = MarketForecast {
        adl: Share::new(tally.adl, paths),
        adl_notional: mean(tally.adl_notional),
        insurance_paid: mean(tally.insurance_paid),
        pool_notional: mean(tally.pool_notional),
        left_open: Share::new(tally.left_open, paths),
        unusable: to_float(tally.unusable.into()) / to_float(u128::from(tally.steps).max(1)),
    };
    Ok(Forecast {
        paths,
        positions,
        market,
    })
}

/// What 5, 50 and 95 % of the paths do not exceed; on those without a cut nothing was given up.
fn quantiles(cuts: &[CutOf], paths: u32) -> [u64; 3] {
    let mut given: Vec<u64> = cuts.iter().map(|cut| cut.gave_up).collect();
    given.sort_unstable();
    let all = place_of(paths);
    [5, 50, 95].map(|percent| {
        let rank = (all * percent).div_ceil(100).max(1);
        let without = all - given.len();
        rank.checked_sub(without + 1)
            .and_then(|place| given.get(place).copied())
            .unwrap_or(0)
    })
}

/// A refusal of the engine or the program's types, in words.
pub(super) fn told(error: BallastError) -> anyhow::Error {
    anyhow!("the market cannot be played on: {}", error.name())
}

fn place_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[allow(clippy::cast_precision_loss)]
fn to_float(sum: u128) -> f64 {
    sum as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_count_the_paths_without_a_cut_as_nothing() {
        let cut = |gave_up| CutOf {
            place: 0,
            path: 0,
            gave_up,
            lots: 1,
            closed: false,
            first_hour: false,
        };
        let few: Vec<CutOf> = [30, 10, 20].map(cut).to_vec();
        assert_eq!(quantiles(&few, 100), [0, 0, 0]);
        assert_eq!(quantiles(&few, 20), [0, 0, 20]);
        assert_eq!(quantiles(&few, 4), [0, 10, 30]);
        assert_eq!(quantiles(&few, 3), [10, 20, 30]);
        assert_eq!(quantiles(&[], 3), [0, 0, 0]);
    }
}
