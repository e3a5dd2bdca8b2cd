//! Histories that might have been: how far an estimate may be off that needs storms which come once in several
//! histories.
//!
//! The prices are fitted as those of a path are ([`crate::garch`]), and series as long as the history are drawn of
//! that, each of its own residuals (the bootstrap of GARCH after Pascual, Romo and Ruiz 2006, with the parameters
//! as they were fitted). The blocks of one history know how much its own parts vary ([`crate::bootstrap`]); a
//! model also knows storms that none of them holds. Neither knows all: the wider interval is told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::Result;

use crate::bootstrap::{spread, Interval};
use crate::garch::{self, Garch};
use crate::moves::{self, Side};
use crate::random::Stream;
use crate::returns::Return;
use crate::tails::Tail;

/// Histories that are drawn.
const DRAWS: u64 = 60;

/// Draws histories like one.
#[derive(Debug)]
pub struct Histories {
    model: Garch,
    residuals: Vec<Return>,
    lengths: Vec<usize>,
    seed: u64,
    tails: RefCell<BTreeMap<usize, Rc<[Vec<Tail>; 2]>>>,
}

impl Histories {
    /// Like these stretches.
    ///
    /// # Errors
    /// Too few returns, or a series that does not move.
    pub fn like(stretches: &[Vec<Return>], seed: u64) -> Result<Self> {
        let (model, seen) = Garch::fit(stretches)?;
        Ok(Self {
            model: model.at_long_run(),
            residuals: garch::residuals(&seen),
            lengths: stretches.iter().map(Vec::len).collect(),
            seed,
            tails: RefCell::default(),
        })
    }

    /// What holds an estimate of the moves within so many steps against a side, as it varies from history to
    /// history. `value` is what it is of the history itself.
    pub fn interval(
        &self,
        steps: usize,
        side: Side,
        value: f64,
        estimate: impl Fn(&Tail) -> f64,
    ) -> Interval {
        let tails = self.tails(steps);
        let [long, short] = &*tails;
        let of_side = match side {
            Side::Long => long,
            Side::Short => short,
        };
        let draws: Vec<f64> = of_side.iter().map(estimate).collect();
        spread(value, &draws)
    }

    /// The moves of every history drawn, longs and shorts.
    fn tails(&self, steps: usize) -> Rc<[Vec<Tail>; 2]> {
        let mut known = self.tails.borrow_mut();
        let made = known.entry(steps).or_insert_with(|| {
            let mut tails = [Vec::new(), Vec::new()];
            for index in 0..DRAWS {
                let history = self.draw(index);
                for (tails, side) in tails.iter_mut().zip(Side::BOTH) {
                    tails.push(Tail::of(moves::against(&history, steps, side)));
                }
            }
            Rc::new(tails)
        });
        Rc::clone(made)
    }

    fn draw(&self, index: u64) -> Vec<Vec<Return>> {
        let mut stream = Stream::new(self.seed, index);
        let mut now = self.model;
        let mut one = || {
            let residual = self.residuals[stream.below(self.residuals.len())];
            let sigma = now.sigma();
            let one = Return {
                high: residual.high * sigma,
                low: residual.low * sigma,
                close: residual.close * sigma,
            };
            now.add(one.close);
            one
        };
        let stretch = |length: &usize| (0..*length).map(|_| one()).collect();
        self.lengths.iter().map(stretch).collect()
    }
}
