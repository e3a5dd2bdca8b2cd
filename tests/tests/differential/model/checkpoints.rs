//! Where the marks have been: every mark that the board has heard of, and how far that is from now. Written from
//! docs/CROSS_MARGIN.md.

use std::collections::BTreeMap;

use super::number::{ceil, part};
use super::state::Model;

/// Most checkpoints.
const MOST: usize = 16;
/// A way since the newest that opens the next, millionths of maintenance.
const NEXT: i128 = 100_000;
/// Ways from here on have no end, millionths.
pub const ENDLESS: i128 = 4_294_967_295;

/// A mark with the funding index of that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Atoms a lot.
    pub price: i128,
    /// Atoms a lot.
    pub index: i128,
}

/// A moment from which ways are counted.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its number.
    pub id: u32,
    /// How many points the board had heard of.
    from: usize,
    /// Where the markets stood then.
    stood: BTreeMap<usize, Point>,
}

/// All that the board has heard, and its checkpoints.
#[derive(Clone, Debug, Default)]
pub struct Board {
    points: Vec<(usize, Point)>,
    /// Those that are live, the oldest first.
    pub live: Vec<Checkpoint>,
    next: u32,
}

/// What a way is measured by.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick {
    /// Where the market stands.
    pub now: Point,
    /// Least rate of its maintenance, basis points.
    pub rate: i128,
}

impl Board {
    /// Number of the newest.
    pub fn newest(&self) -> u32 {
        self.live.last().expect("a checkpoint").id
    }

    /// The newest that is live and not after a record of this base, the oldest otherwise.
    pub fn of(&self, base: u32) -> &Checkpoint {
        let known = self.live.iter().rev().find(|one| one.id <= base);
        known.unwrap_or(&self.live[0])
    }

    /// Where a market has been since a checkpoint.
    pub fn points_since(&self, since: &Checkpoint, market: usize) -> Vec<Point> {
        let later = self.points[since.from..].iter();
        let later = later.filter(|(one, _)| *one == market);
        let first = since.stood.get(&market).copied();
        first
            .into_iter()
            .chain(later.map(|(_, point)| *point))
            .collect()
    }

    /// The longest way of any market since a checkpoint, millionths of its maintenance.
    pub fn way(&self, since: &Checkpoint, now: &BTreeMap<usize, Yardstick>) -> i128 {
        let ways = now.iter().map(|(market, yard)| {
            let mut points = self.points_since(since, *market);
            points.push(yard.now);
            let unit = yard.now.price * yard.rate;
            if unit == 0 {
                return ENDLESS;
            }
            let far =
                span(points.iter().map(|one| one.price)) + span(points.iter().map(|one| one.index));
            ceil(&part(far, 10_000_000_000, unit)).min(ENDLESS)
        });
        ways.max().unwrap_or(0)
    }

    /// Opens the next where the way since the newest is long; where there are too many the inner one goes
    /// whose neighbours differ least.
    fn open(&mut self, now: &BTreeMap<usize, Yardstick>) {
        let mut ways: Vec<i128> = self.live.iter().map(|one| self.way(one, now)).collect();
        if ways.last().is_some_and(|newest| *newest <= NEXT) {
            return;
        }
        if self.live.len() == MOST {
            // That of the one which is about to be opened.
            ways.push(0);
            let gap = |inner: &usize| ways[inner - 1] - ways[inner + 1];
            let gone = (1..MOST).min_by_key(gap).expect("an inner one");
            self.live.remove(gone);
        }
        self.live.push(Checkpoint {
            id: self.next,
            from: self.points.len(),
            stood: now
                .iter()
                .map(|(market, yard)| (*market, yard.now))
                .collect(),
        });
        self.next += 1;
    }
}

fn span(numbers: impl Iterator<Item = i128> + Clone) -> i128 {
    let (low, high) = (numbers.clone().min(), numbers.max());
    high.unwrap_or(0) - low.unwrap_or(0)
}

impl Model {
    /// The board hears where a market stands.
    pub fn mark_board(&mut self, market: usize) {
        let marked = &self.crossed(market).board;
        let point = Point {
            price: marked.mark.price,
            index: marked.index,
        };
        self.board.points.push((market, point));
    }

    /// The board has heard all of a call.
    pub fn open_checkpoint(&mut self) {
        let now = self.yardsticks();
        self.board.open(&now);
    }

    /// What ways are measured by at the board's marks.
    pub fn yardsticks(&self) -> BTreeMap<usize, Yardstick> {
        let markets = self.markets.iter().enumerate();
        let known = markets.filter_map(|(number, market)| {
            let board = &market.crossed.as_ref()?.board;
            let yard = Yardstick {
                now: Point {
                    price: board.mark.price,
                    index: board.index,
                },
                rate: i128::from(board.params.tiers[0].maintenance_margin_bps),
            };
            Some((number, yard))
        });
        known.collect()
    }
}
