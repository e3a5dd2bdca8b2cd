//! What one job depends on, read in one slot: a transaction is decided on this, not on memory.

mod cross;

use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts::{self, BookSnapshot, DecodeError, QueueSnapshot};
use ballast_client::instructions::MarketKeys;
use ballast_client::{addresses, price};
use ballast_engine::cross::CrossDraws;
use ballast_engine::queue::QueueRef;
use ballast_engine::units::Side;
use ballast_rpc::cluster::{clock_address, clock_of, Cluster, ReadError};
use ballast_state::exchange::Exchange;
use ballast_state::trader::Trader;
use solana_account::Account;
use solana_clock::Clock;

use self::cross::{CrossScene, Outline};
use crate::backstop::Backstop;
use crate::config::Work;
use crate::cross::plan::CrossLists;
use crate::cross::{evaluate as evaluate_cross, Floor};
use crate::evaluate::{evaluate, Conditions, Job, Task};
use crate::market::{MarketState, Unready};
use crate::plan::{Lists, PlanError};

/// By market the account that its price is read from, of the markets kept.
pub type PriceAccounts = HashMap<Pubkey, Pubkey>;

/// Which of a market's lists a job needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The order book.
    pub book: bool,
    /// The queue of this side.
    pub queue: Option<Side>,
    /// The market's pool.
    pub pool: bool,
    /// The protective steps of the position.
    pub protection: bool,
    /// The board with its markets, both cross queues and the accounts with legs in them.
    pub cross: bool,
}

impl Needs {
    /// Those of a job.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let side = if job.lots > 0 {
            Side::Long
        } else {
            Side::Short
        };
        match job.task {
            Task::Deleverage => Self {
                book: true,
                queue: Some(side.opposite()),
                pool: true,
                ..Self::default()
            },
            Task::DeleverageLeg | Task::RefreshRanks => Self {
                book: true,
                queue: Some(side.opposite()),
                cross: true,
                ..Self::default()
            },
            Task::LiquidateLeg | Task::TriggerLeg(_) => Self {
                book: true,
                cross: true,
                ..Self::default()
            },
            Task::ProtectLeg => Self {
                book: true,
                protection: true,
                cross: true,
                ..Self::default()
            },
            Task::FlagLeg | Task::PartLeg | Task::RecordMarks | Task::FreezeMark => Self {
                cross: true,
                ..Self::default()
            },
            Task::Liquidate | Task::LiquidateIntoPool | Task::UnwindPool => Self {
                book: true,
                pool: true,
                ..Self::default()
            },
            Task::Trigger(_) => Self {
                book: true,
                ..Self::default()
            },
            Task::Protection => Self {
                book: true,
                protection: true,
                ..Self::default()
            },
            Task::SyncPool => Self {
                pool: true,
                ..Self::default()
            },
            Task::Flag
            | Task::Unflag
            | Task::AccrueFunding
            | Task::DeclareDead
            | Task::BeginSettlement
            | Task::CountClaims
            | Task::Settle
            | Task::CloseMarket => Self::default(),
        }
    }

    /// Whether what was read for these is enough for `others`.
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        (self.book || !others.book)
            && (self.pool || !others.pool)
            && (self.protection || !others.protection)
            && (self.cross || !others.cross)
            && (others.queue.is_none() || self.queue == others.queue)
    }
}

/// The accounts of a job, all as of one slot.
#[derive(Debug)]
pub struct Scene {
    /// Slot in which all of it was read.
    pub slot: u64,
    /// The cluster's clock in that slot.
    pub clock: Clock,
    /// The market with the one position that the job is about.
    pub state: MarketState,
    /// The keeper's own trader account.
    pub own: Trader,
    /// The accounts that memory holds too.
    pub small: Vec<(Pubkey, Option<Account>)>,
    exchange: Exchange,
    needs: Needs,
    book: Option<BookSnapshot>,
    queue: Option<QueueSnapshot>,
    cross: Option<CrossScene>,
}

/// Reads the scene of a job about the position of `trader`, in `at_least` or a later slot.
///
/// # Errors
/// When an account is missing or cannot be read.
pub async fn read(
    cluster: &Cluster,
    keys: &MarketKeys,
    trader: &Pubkey,
    own: &Pubkey,
    prices: &PriceAccounts,
    needs: Needs,
    at_least: u64,
) -> Result<Scene, ReadError> {
    let mut wanted = vec![
        clock_address(),
        addresses::exchange(),
        keys.market,
        keys.price,
        *own,
        *trader,
    ];
    if needs.pool {
        let backstop = Backstop::of(&keys.market);
        wanted.extend([backstop.address, backstop.trader]);
    }
    if needs.protection {
        wanted.push(addresses::protection(trader, &keys.market));
    }
    let small = wanted.len();
    wanted.extend(needs.book.then_some(keys.book));
    wanted.extend(needs.queue.map(|side| match side {
        Side::Long => keys.queue_long,
        Side::Short => keys.queue_short,
    }));
    let lists = wanted.len();
    let outline = match needs.cross {
        true => Some(Outline::read(cluster, keys, prices, needs, at_least).await?),
        false => None,
    };
    if let Some(outline) = &outline {
        wanted.extend(outline.wanted());
    }
    let (slot, found) = cluster.accounts_since(&wanted, at_least).await?;
    let mut all: Vec<(Pubkey, Option<Account>)> = wanted.into_iter().zip(found).collect();
    let legs = all.split_off(lists);
    let lists = all.split_off(small);
    let mut scene = Found { slot, small: all }.scene(keys, trader, needs, lists)?;
    if let Some(outline) = outline {
        scene.cross = Some(CrossScene::of(&outline, legs, slot)?);
        scene.know_victim(trader);
        scene.know_steps();
    }
    Ok(scene)
}

struct Found {
    slot: u64,
    small: Vec<(Pubkey, Option<Account>)>,
}

impl Found {
    fn scene(
        self,
        keys: &MarketKeys,
        trader: &Pubkey,
        needs: Needs,
        lists: Vec<(Pubkey, Option<Account>)>,
    ) -> Result<Scene, ReadError> {
        let clock = self.decode(0, "clock", |data| {
            clock_of(data).ok_or(DecodeError::WrongType)
        })?;
        let exchange = self.decode(1, "exchange", accounts::exchange)?;
        let market = self.decode(2, "market", accounts::market)?;
        let own = self.decode(4, "trader account", accounts::trader)?;
        let mut state = MarketState::new(*keys, market);
        state.admin = exchange.admin;
        // A market that has ended has a price of its own.
        if !market.mode().has_ended() {
            // A price that cannot be read, or is gone, is as good as none.
            if let Ok((address, account)) = self.there(3, "price account") {
                let decoded = price::decode_price(&market, address, &account.owner, &account.data);
                if let Ok(price) = decoded {
                    state.apply_price(price, self.slot);
                }
            }
        }
        if let Ok(victim) = self.decode(5, "trader account", accounts::trader) {
            if let Err(error) = state.apply_trader(trader, &victim) {
                tracing::error!(%trader, ?error, "the account is corrupt");
            }
        }
        if needs.pool {
            self.pool(&mut state.backstop);
        }
        if needs.protection {
            let last = self.small.len().saturating_sub(1);
            if let Ok(steps) = self.decode(last, "protective steps", accounts::protection) {
                state.protections.apply(&steps);
            }
        }
        let mut lists = lists.iter().map(|(address, account)| Listed {
            address: *address,
            account: account.as_ref(),
        });
        let book = needs.book.then(|| lists.next()).flatten();
        let queue = needs.queue.and_then(|_| lists.next());
        Ok(Scene {
            slot: self.slot,
            clock,
            state,
            own,
            exchange,
            needs,
            book: book
                .map(|it| it.decode("book", BookSnapshot::new))
                .transpose()?,
            queue: queue
                .map(|it| it.decode("queue", QueueSnapshot::new))
                .transpose()?,
            cross: None,
            small: self.small,
        })
    }

    /// The market's pool, where there is one.
    fn pool(&self, backstop: &mut Backstop) {
        backstop.apply(self.decode(6, "pool", accounts::pool).ok());
        let account = self.decode(7, "trader account of the pool", accounts::trader);
        let address = backstop.trader;
        backstop.apply_trader(&address, account.ok().as_ref());
    }

    fn there(&self, index: usize, what: &'static str) -> Result<(&Pubkey, &Account), ReadError> {
        let entry = self.small.get(index);
        let address = entry.map_or_else(Pubkey::default, |(address, _)| *address);
        match entry {
            Some((address, Some(account))) => Ok((address, account)),
            _ => Err(ReadError::Missing { what, address }),
        }
    }

    fn decode<T>(
        &self,
        index: usize,
        what: &'static str,
        decode: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, ReadError> {
        let (address, account) = self.there(index, what)?;
        let listed = Listed {
            address: *address,
            account: Some(account),
        };
        listed.decode(what, decode)
    }
}

#[derive(Default)]
struct Listed<'a> {
    address: Pubkey,
    account: Option<&'a Account>,
}

impl Listed<'_> {
    fn decode<T>(
        &self,
        what: &'static str,
        decode: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, ReadError> {
        let address = self.address;
        let account = self.account.ok_or(ReadError::Missing { what, address })?;
        decode(&account.data).map_err(|error| ReadError::Decode {
            what,
            address,
            error,
        })
    }
}

impl Scene {
    /// What is to be done about the trader (the default key for funding) of a job as things stand: the
    /// same where that is among it, otherwise the most urgent; `None` when nothing is.
    ///
    /// # Errors
    /// When the market cannot be judged.
    pub fn job(&self, assigned: &Job, work: &Work) -> Result<Option<Job>, Unready> {
        let conditions = Conditions::of(&self.exchange, self.clock.slot, work);
        let mut jobs = match evaluate(&self.state, &self.clock, &conditions) {
            Ok(found) => found.jobs,
            // The board and other legs may need something where the market has no price.
            Err(_) if self.cross.is_some() => Vec::new(),
            Err(error) => return Err(error),
        };
        jobs.extend(self.cross_jobs(assigned, &conditions));
        jobs.sort_by(Job::before);
        let about = jobs.iter().filter(|job| job.trader == assigned.trader);
        let same = about.clone().find(|job| job.task == assigned.task);
        Ok(same.or(about.clone().next()).copied())
    }

    /// What the board and the account of a job need in the market, as far as it was read.
    fn cross_jobs(&self, assigned: &Job, conditions: &Conditions) -> Vec<Job> {
        let Some(cross) = &self.cross else {
            return Vec::new();
        };
        let Ok(floor) = cross.floor(&self.clock) else {
            return Vec::new();
        };
        let draws = |_: &Pubkey| match cross.lists(&floor) {
            Ok(lists) => lists.draws(),
            Err(_) => CrossDraws::default(),
        };
        let victim = cross.traders.get(&assigned.trader);
        let victim = victim.map(|trader| (&assigned.trader, trader));
        let found = evaluate_cross(&floor, victim, &draws, conditions).jobs;
        let here = found.into_iter();
        here.filter(|(market, _)| *market == self.state.address)
            .map(|(_, job)| job)
            .collect()
    }

    /// The account that a job is about stands among those with legs, whether it is a counterparty or not.
    fn know_victim(&mut self, trader: &Pubkey) {
        let data = self.small.iter().find(|(address, _)| address == trader);
        let account = data.and_then(|(_, account)| account.as_ref());
        let victim = account.and_then(|account| accounts::trader(&account.data).ok());
        if let (Some(victim), Some(cross)) = (victim, &mut self.cross) {
            cross.traders.insert(*trader, victim);
        }
    }

    /// The protective steps that were read are known in the market among those with cross margin.
    fn know_steps(&mut self) {
        if let Some(cross) = &mut self.cross {
            cross.protect(&self.state);
        }
    }

    /// What a job needs to be read: a round where there are legs needs their accounts.
    #[must_use]
    pub fn needs_of(&self, job: &Job) -> Needs {
        let needs = Needs::of(job);
        Needs {
            cross: needs.cross || job.task.is_round() && self.state.market.cross_legs > 0,
            ..needs
        }
    }

    /// Whether everything that a job needs has been read.
    #[must_use]
    pub fn suffices(&self, job: &Job) -> bool {
        self.needs.cover(&self.needs_of(job))
    }

    /// The board and its markets; `None` where they were not read.
    ///
    /// # Errors
    /// Those of [`Floor::new`].
    pub fn floor(&self) -> Result<Option<Floor<'_>>, PlanError> {
        let cross = self.cross.as_ref();
        cross.map(|cross| cross.floor(&self.clock)).transpose()
    }

    /// The cross queues and accounts with legs, for `floor`; `None` where they were not read.
    ///
    /// # Errors
    /// `Missing` when a queue does not parse.
    pub fn cross_lists<'a>(
        &'a self,
        floor: Option<&'a Floor<'a>>,
    ) -> Result<Option<CrossLists<'a>>, PlanError> {
        match (&self.cross, floor) {
            (Some(cross), Some(floor)) => cross.lists(floor).map(Some),
            _ => Ok(None),
        }
    }

    /// The queue that was read; `None` where none was.
    ///
    /// # Errors
    /// `Missing` when it does not parse.
    pub fn queue(&self) -> Result<Option<QueueRef<'_>>, PlanError> {
        let queue = self.queue.as_ref().map(QueueSnapshot::queue).transpose();
        queue.map_err(|_| PlanError::Missing("a queue that parses"))
    }

    /// The lists as the planner takes them.
    ///
    /// # Errors
    /// `Missing` when one does not parse.
    pub fn lists(&self) -> Result<Lists<'_>, PlanError> {
        let book = self.book.as_ref().map(BookSnapshot::book).transpose();
        let book = book.map_err(|_| PlanError::Missing("a book that parses"))?;
        let queue = self.queue()?;
        Ok(match self.needs.queue {
            Some(Side::Long) => Lists {
                book,
                queue_long: queue,
                queue_short: None,
                cross: None,
            },
            _ => Lists {
                book,
                queue_long: None,
                queue_short: queue,
                cross: None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::trigger::TriggerKind;

    fn needs(task: Task, lots: i64) -> Needs {
        Needs::of(&Job {
            task,
            trader: Pubkey::default(),
            lots,
            equity_atoms: 0,
            maintenance_atoms: 0,
            flag_due: false,
            mark_ticks: 1,
            slot: 1,
        })
    }

    #[test]
    fn a_job_needs_the_lists_that_its_call_depends_on() {
        let round = needs(Task::Deleverage, 5);
        assert_eq!(
            round.queue,
            Some(Side::Short),
            "the winners of the other side"
        );
        assert_eq!(needs(Task::Deleverage, -5).queue, Some(Side::Long));
        let step = needs(Task::Liquidate, 5);
        let flag = needs(Task::Flag, 5);
        let (trigger, sync) = (
            needs(Task::Trigger(TriggerKind::StopLoss), 5),
            needs(Task::SyncPool, 5),
        );
        let steps = needs(Task::Protection, 5);
        assert!(steps.cover(&trigger) && !trigger.cover(&steps) && !round.cover(&steps));
        assert!(step.cover(&trigger) && step.cover(&sync) && !trigger.cover(&step));
        assert!(round.cover(&step) && round.cover(&flag) && step.cover(&flag));
        assert!(!step.cover(&round) && !flag.cover(&step));
        assert!(!round.cover(&needs(Task::Deleverage, -5)));
    }
}
