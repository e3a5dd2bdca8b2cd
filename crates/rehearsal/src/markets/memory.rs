//! What a keeper has in memory after reading every account, and what it would do: the decisions are those of
//! `ballast_keeper`.

use anyhow::{anyhow, Context, Result};
use ballast_client::accounts::{BookSnapshot, QueueSnapshot};
use ballast_engine::units::Side;
use ballast_keeper::config::Work;
use ballast_keeper::cross::{evaluate as evaluate_cross, CrossLists, Floor};
use ballast_keeper::evaluate::{evaluate, Conditions, Job};
use ballast_keeper::market::{MarketState, Present};
use ballast_keeper::plan::{plan, LegMakers, Lists, Own, PlanOptions, Planned};
use ballast_sandbox::TraderCookie;
use ballast_state::Pubkey;
use solana_clock::Clock;

use super::exchange::{place, Exchange, Reading};

/// Funding is accrued when it is this old, seconds.
const FUNDING_SECONDS: u64 = 60;

/// Everything that a keeper knows.
pub struct Memory {
    /// The accounts as they were read.
    pub reading: Reading,
    /// The markets, by their numbers.
    pub states: Vec<MarketState>,
    clock: Clock,
    conditions: Conditions,
}

/// Something to do in the market with this number.
pub type Due = (usize, Job);

impl Memory {
    /// Reads everything.
    pub fn of(exchange: &Exchange) -> Result<Self> {
        let reading = exchange.read();
        let mut states = Vec::new();
        for (venue, market) in exchange.venues.iter().zip(&reading.markets) {
            let mut state = MarketState::new(venue.cookie.keys, *market);
            for (address, trader) in &reading.traders {
                let applied = state.apply_trader(address, trader);
                applied.map_err(|error| anyhow!("{address}: {error}"))?;
            }
            state.apply_price(venue.price(), reading.now.slot);
            states.push(state);
        }
        let work = Work {
            funding_seconds: FUNDING_SECONDS,
            ..Work::default()
        };
        let slot = reading.now.slot;
        Ok(Self {
            conditions: Conditions::of(&exchange.sandbox.exchange(), slot, &work),
            clock: Clock {
                slot,
                unix_timestamp: reading.now.unix_timestamp,
                ..Clock::default()
            },
            reading,
            states,
        })
    }

    /// The markets with cross margin and the board; nothing where there is none.
    pub fn floor(&self) -> Result<Option<Floor<'_>>> {
        let Some(board) = &self.reading.board else {
            return Ok(None);
        };
        Ok(Some(Floor::new(&self.states, board, &self.clock)?))
    }

    /// A market at its price.
    pub fn present(&self, market: usize) -> Result<Present<'_>> {
        let state = self.states.get(market).context("a market")?;
        Ok(state.at(&self.clock)?)
    }

    /// All jobs, the most urgent first.
    pub fn jobs(&self, floor: Option<&Floor<'_>>) -> Result<Vec<Due>> {
        let mut jobs = Vec::new();
        for (number, state) in self.states.iter().enumerate() {
            let found = evaluate(state, &self.clock, &self.conditions)?;
            jobs.extend(found.jobs.into_iter().map(|job| (number, job)));
        }
        if let Some(floor) = floor {
            let queues = self.reading.cross.as_ref().context("cross queues")?;
            let number = |market: &Pubkey| {
                let mut states = self.states.iter();
                states.position(|state| state.address == *market)
            };
            let draws = |market: &Pubkey| {
                let queue = number(market).and_then(|at| queues[at][0].queue().ok());
                queue.map(|queue| queue.header().draws).unwrap_or_default()
            };
            let traders = self.reading.traders.iter();
            let legs = traders.filter(|(_, trader)| trader.cross_legs > 0);
            let found = evaluate_cross(floor, legs, &draws, &self.conditions);
            let found = found.jobs.into_iter();
            jobs.extend(found.filter_map(|(market, job)| Some((number(&market)?, job))));
        }
        jobs.sort_by(|(_, one), (_, other)| one.before(other));
        Ok(jobs)
    }

    /// What `keeper` would send for a job.
    pub fn plan(
        &self,
        exchange: &Exchange,
        floor: Option<&Floor<'_>>,
        (market, job): &Due,
        keeper: &TraderCookie,
        options: &PlanOptions,
    ) -> Result<Planned> {
        let present = self.present(*market)?;
        let book = exchange.sandbox.book(&exchange.venues[*market].cookie);
        let cross = match (floor, &self.reading.cross) {
            (Some(floor), Some(queues)) => {
                let [long, short] = &queues[*market];
                Some(CrossLists {
                    floor,
                    queue_long: long.queue()?,
                    queue_short: short.queue()?,
                    accounts: &self.reading.traders,
                })
            }
            _ => None,
        };
        let isolated = &self.reading.isolated[*market];
        let lists = lists(&book, isolated, cross.as_ref())?;
        let own = Own {
            payer: keeper.wallet.address(),
            authority: keeper.wallet.address(),
            address: keeper.address,
            trader: self
                .reading
                .traders
                .get(&keeper.address)
                .context("a keeper")?,
            makers: LegMakers {
                board: self.reading.board.as_deref(),
                accounts: &self.reading.traders,
            },
            promised: &[],
            tables: &[],
            options,
        };
        Ok(plan(job, &present, &lists, &own)?)
    }

    /// The queue of isolated positions of a side.
    pub fn isolated(&self, market: usize, side: Side) -> &QueueSnapshot {
        &self.reading.isolated[market][place(side)]
    }
}

fn lists<'a>(
    book: &'a BookSnapshot,
    queues: &'a [QueueSnapshot; 2],
    cross: Option<&'a CrossLists<'a>>,
) -> Result<Lists<'a>> {
    Ok(Lists {
        book: Some(book.book().context("a book")?),
        queue_long: Some(queues[0].queue().context("a queue")?),
        queue_short: Some(queues[1].queue().context("a queue")?),
        cross,
    })
}
