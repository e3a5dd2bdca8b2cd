//! Which job comes first: those of several markets in one order.

use std::time::Instant;

use crate::act::Venue;
use crate::evaluate::Job;

/// A job that has not been started.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    /// The market to do it in.
    pub venue: Venue,
    /// When the price was heard that it follows from, if it follows from one.
    pub since: Option<Instant>,
    /// The job to do.
    pub job: Job,
}

/// All jobs, the more urgent kind first, within it the worst health first, whatever the market.
#[must_use]
pub fn merge(markets: Vec<(Venue, Option<Instant>, Vec<Job>)>) -> Vec<Pending> {
    let several = markets.len() > 1;
    let each = markets.into_iter().flat_map(|(venue, since, jobs)| {
        jobs.into_iter()
            .map(move |job| Pending { venue, since, job })
    });
    let mut all: Vec<Pending> = each.collect();
    if several {
        // Stable: what is equal stays in the order of its market.
        all.sort_by(|one, other| one.job.before(&other.job));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Task;
    use anchor_lang::prelude::Pubkey;
    use ballast_client::instructions::MarketKeys;

    fn venue(index: u16) -> Venue {
        let key = Pubkey::default();
        let keys = MarketKeys {
            market: key,
            queue_long: key,
            queue_short: key,
            book: key,
            price: key,
        };
        Venue { index, keys }
    }

    fn job(task: Task, equity_atoms: i64) -> Job {
        Job {
            task,
            trader: Pubkey::default(),
            lots: 1,
            equity_atoms,
            maintenance_atoms: 1_000,
            flag_due: false,
            mark_ticks: 1,
            slot: 1,
        }
    }

    #[test]
    fn the_worst_of_all_markets_comes_first() {
        let first = vec![
            job(Task::Liquidate, -50),
            job(Task::Liquidate, 900),
            job(Task::Flag, 800),
        ];
        let second = vec![
            job(Task::Deleverage, -200),
            job(Task::Liquidate, 100),
            job(Task::AccrueFunding, 0),
        ];
        let merged = merge(vec![(venue(0), None, first), (venue(1), None, second)]);
        let order: Vec<_> = merged
            .iter()
            .map(|one| (one.venue.index, one.job.equity_atoms))
            .collect();
        assert_eq!(
            order,
            [(1, -200), (0, -50), (1, 100), (0, 900), (0, 800), (1, 0)]
        );
    }
}
