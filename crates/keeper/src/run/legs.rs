//! What the board and the accounts with legs need.

use anchor_lang::prelude::Pubkey;
use ballast_engine::cross::CrossDraws;

use super::{Due, Keeper};
use crate::act::Venue;
use crate::cross::{evaluate, Floor};
use crate::evaluate::Conditions;

impl Keeper {
    /// Adds what the board and the accounts with legs need in the markets kept.
    pub(super) fn judge_legs(&mut self, conditions: &Conditions, found: &mut Vec<Due>) {
        if self.world.cross_news {
            let legs = &self.parts.actor.legs;
            drop(legs.send_replace(self.world.cross.clone()));
        }
        self.world.cross_news = false;
        let (world, work) = (&self.world, &self.parts.config.work);
        let Some(board) = world
            .cross
            .board
            .as_deref()
            .filter(|_| !world.cross.is_empty())
        else {
            return;
        };
        let states = world.markets.iter().map(|market| &market.state);
        let floor = match Floor::new(states.clone(), board, &world.clock) {
            Ok(floor) => floor,
            Err(error) => {
                tracing::error!(error = error.name(), "the board is not of these markets");
                return;
            }
        };
        // What was paid for legs lately a job reads before it acts.
        let draws = |_: &Pubkey| CrossDraws::default();
        let evaluation = evaluate(&floor, world.cross.accounts(), &draws, conditions);
        if evaluation.counts.faulty > 0 {
            let faulty = evaluation.counts.faulty;
            tracing::error!(faulty, "accounts with legs that do not compute");
        }
        for (market, job) in evaluation.jobs {
            let wanted = (work.end_markets || !job.task.ends_market())
                && (work.tend_board || !job.task.tends_board());
            let state = states.clone().find(|state| state.address == market);
            if let (Some(state), true) = (state, wanted) {
                let venue = Venue {
                    index: state.market.index,
                    keys: state.keys,
                };
                found.push((venue, None, vec![job]));
            }
        }
    }
}
