//! What a trader can do: the least margin to add, and the least part of the position to close, that halves
//! the probability of being cut.
//!
//! Every trial is played on the same paths as the forecast. While searching only some of those paths are
//! played on which the trader is cut as things stand; what is found is judged on all of those, made larger until
//! it halves them, and then played on all paths.

use anyhow::{Context, Result};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, Lots};

use super::forecast::{forecast, forecast_on, told, PositionForecast, Source};
use super::share::Share;
use super::snapshot::Snapshot;

/// Trials of a search.
const TRIALS: u32 = 6;
/// Paths of a trial.
const FEW: usize = 50;
/// Times that what was found on few paths is made larger by a sixteenth of the most for all of them.
const STEPS: u64 = 4;
/// Most margin that is tried, as a multiple of the position's notional.
const MOST_MARGIN: u64 = 2;

/// What a trader may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Add so much margin, atoms.
    AddMargin(u64),
    /// Close so many lots at the mark.
    Close(u64),
}

/// A change and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The change.
    pub change: Change,
    /// Paths on which the trader is cut afterwards, of all.
    pub cut: Share,
}

impl Change {
    /// `position` after it, closed lots at a price of `atoms_per_lot`.
    fn of(self, position: &Position, snapshot: &Snapshot) -> Result<Position> {
        let engine = |error: ballast_engine::EngineError| told(error.into());
        match self {
            Self::AddMargin(atoms) => Ok(Position {
                margin: position.margin.try_add_unsigned(atoms).map_err(engine)?,
                ..*position
            }),
            Self::Close(lots) => {
                let mark = snapshot.mark().map_err(told)?;
                let side = position.side().context("there is no position to close")?;
                let fill = Lots::on_side(side.opposite(), lots).map_err(engine)?;
                let worth = Atoms::from_unsigned(mark.notional(lots).map_err(engine)?);
                let worth = worth.map_err(engine)?;
                let quote = match fill.get() {
                    1.. => worth,
                    _ => Atoms::ZERO.try_sub(worth).map_err(engine)?,
                };
                Ok(position.fill(fill, quote).map_err(engine)?.position)
            }
        }
    }
}

/// The snapshot after somebody at `place` has changed its position so. Closed lots go to nobody of the
/// queues.
///
/// # Errors
/// A position that the market cannot hold.
pub fn changed(snapshot: &Snapshot, place: usize, change: Change) -> Result<Snapshot> {
    let mut after = snapshot.clone();
    let index = snapshot.market.funding_at(snapshot.at.now.unix_timestamp);
    let index = index.map_err(|error| told(error.into()))?.index;
    let account = &mut after.accounts[place];
    let position = account.slot.position().map_err(told)?.settle(index);
    let position = position.map_err(|error| told(error.into()))?;
    let side = position.side().context("there is no position to change")?;
    let position = change.of(&position, snapshot)?;
    account.slot.store(&position);
    if let Change::AddMargin(atoms) = change {
        account.slot.paid_in = account.slot.paid_in.saturating_add(atoms);
    }
    let node = account.slot.queue_node;
    let queue = &mut after.queues[super::snapshot::of(side)];
    let mut queue = queue.queue_mut()?;
    let followed = queue.update(node, &position);
    followed.map_err(|error| told(error.into()))?;
    Ok(after)
}

/// The least margin and the least closing that halve the probability of `position` being cut; `None` where
/// nothing that is tried does.
///
/// # Errors
/// Those of [`forecast`].
pub fn halving(
    snapshot: &Snapshot,
    source: &Source<'_>,
    position: &PositionForecast,
    threads: usize,
) -> Result<[Option<Fix>; 2]> {
    let mark = snapshot.mark().map_err(told)?;
    let notional = mark.notional(position.lots);
    let notional = notional.map_err(|error| told(error.into()))?;
    let least = snapshot.market.risk.min_position_lots;
    let margin = notional.saturating_mul(MOST_MARGIN);
    let close = position.lots.saturating_sub(least);
    let search = Search {
        snapshot,
        source,
        position,
        threads,
    };
    Ok([
        search.least(margin, Change::AddMargin)?,
        search.least(close, Change::Close)?,
    ])
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    source: &'a Source<'a>,
    position: &'a PositionForecast,
    threads: usize,
}

impl Search<'_> {
    /// The least of `1..=most` that halves the probability, to one part in sixty-four of `most`.
    fn least(&self, most: u64, change: impl Fn(u64) -> Change) -> Result<Option<Fix>> {
        let all: Vec<u32> = self.position.cuts.iter().map(|(path, _)| *path).collect();
        let few: Vec<u32> = evenly(&all, FEW);
        if all.is_empty() || most == 0 || !self.halves(change(most), &few)? {
            return Ok(None);
        }
        let (mut from, mut until) = (0, most);
        for _ in 0..TRIALS {
            let middle = from + (until - from) / 2;
            if middle == from {
                break;
            }
            match self.halves(change(middle), &few)? {
                true => until = middle,
                false => from = middle,
            }
        }
        let larger = (0..=STEPS).map(|step| (until + step * (most / 16)).min(most));
        for amount in larger {
            if self.halves(change(amount), &all)? {
                return self.found(change(amount)).map(Some);
            }
        }
        Ok(None)
    }

    fn found(&self, change: Change) -> Result<Fix> {
        let after = changed(self.snapshot, self.position.place, change)?;
        let paths = self.position.cut.paths;
        let cut = of(
            &forecast(&after, self.source, paths, self.threads)?,
            self.position,
        );
        Ok(Fix {
            change,
            cut: Share::new(cut, paths),
        })
    }

    /// Whether the trader is cut on no more than half of `paths`, on all of which it is cut as things stand.
    fn halves(&self, change: Change, paths: &[u32]) -> Result<bool> {
        let after = changed(self.snapshot, self.position.place, change)?;
        let found = forecast_on(&after, self.source, paths, self.threads)?;
        let hits = usize::try_from(of(&found, self.position)).unwrap_or(usize::MAX);
        Ok(hits.saturating_mul(2) <= paths.len())
    }
}

/// As many as `most` of a list, the same distance apart.
fn evenly(list: &[u32], most: usize) -> Vec<u32> {
    let step = list.len().div_ceil(most).max(1);
    list.iter().step_by(step).copied().collect()
}

fn of(forecast: &super::forecast::Forecast, position: &PositionForecast) -> u32 {
    let mut all = forecast.positions.iter();
    let found = all.find(|one| one.place == position.place);
    found.map_or(0, |one| one.cut.hits)
}
