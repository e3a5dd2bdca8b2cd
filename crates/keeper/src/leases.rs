//! Who of several keepers does a job first, so that they do not all pay for it.
//!
//! A keeper that comes too late looks who was faster, and counts with that wallet from then on; whom it only
//! sees at work it waits for once. Of the
//! keepers that it counts with and itself a hash over the job and the wallet says who is first; the others
//! wait, each [`TURN_SLOTS`] longer than the one before it, and act if the job is still there. Whoever lets
//! jobs lie is soon not counted with any more: a keeper alone, or beside one that has stopped, waits for
//! nobody.

use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use ballast_engine::units::Side;
use solana_sha256_hasher::hashv;

use crate::evaluate::Job;
use crate::flight::Subject;
use crate::scene::Needs;

/// How long the first has before the next one acts, slots: reading, simulating, landing, and hearing of it.
pub const TURN_SLOTS: u64 = 4;
/// Jobs that another keeper may let lie in its turn before it is not counted with any more.
const MOST_MISSED: u8 = 3;
/// After so long without being faster another keeper is not counted with any more, slots: ten minutes.
pub const REMEMBERED_SLOTS: u64 = 1_500;
/// The order of keepers changes every so many slots.
const EPOCH_SLOTS: u64 = 64;
/// Most other keepers that are counted with.
const MOST_OTHERS: usize = 8;
/// A job that was not asked for in so many slots is over.
const OVER_SLOTS: u64 = 10;

/// What one keeper does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    market: Pubkey,
    about: About,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum About {
    /// Rounds of deleveraging against a queue: each makes the next one's list stale, whomever it is for.
    Queue(Side),
    /// A job about one position, as it stands, or about the market.
    Subject(Subject, &'static str, i64),
}

impl Lease {
    /// That of a job in a market.
    #[must_use]
    pub fn of(market: Pubkey, job: &Job) -> Self {
        let about = match (job.task, Needs::of(job).queue) {
            (task, Some(side)) if task.is_round() => About::Queue(side),
            _ => About::Subject(Subject::of(market, job), job.task.name(), job.lots),
        };
        Self { market, about }
    }

    /// Place of a keeper: the smallest is first.
    fn place(&self, wallet: &Pubkey, slot: u64) -> [u8; 32] {
        let (name, trader, lots) = match &self.about {
            About::Queue(side) => (side.name(), Pubkey::default(), 0),
            About::Subject(subject, task, lots) => (*task, subject.trader(), *lots),
        };
        let epoch = slot / EPOCH_SLOTS;
        hashv(&[
            self.market.as_ref(),
            name.as_bytes(),
            trader.as_ref(),
            &lots.to_le_bytes(),
            &epoch.to_le_bytes(),
            wallet.as_ref(),
        ])
        .to_bytes()
    }
}

#[derive(Clone, Copy, Debug)]
struct Other {
    seen_slot: u64,
    missed: u8,
    /// Whether it has been faster at a job, and not only been seen at work.
    proven: bool,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since_slot: u64,
    last_slot: u64,
}

/// Whose turn it is.
#[derive(Clone, Debug)]
pub struct Leases {
    own: Pubkey,
    others: HashMap<Pubkey, Other>,
    /// Whoever has let jobs lie, and when.
    idlers: HashMap<Pubkey, u64>,
    waiting: HashMap<Lease, Waiting>,
}

impl Leases {
    /// The keeper with this wallet, which knows of nobody else.
    #[must_use]
    pub fn new(own: Pubkey) -> Self {
        Self {
            own,
            others: HashMap::new(),
            idlers: HashMap::new(),
            waiting: HashMap::new(),
        }
    }

    /// A keeper with the wallet `other` was faster, as is known in `slot`.
    pub fn see(&mut self, other: Pubkey, slot: u64) {
        if other == self.own {
            return;
        }
        if self.others.len() >= MOST_OTHERS && !self.others.contains_key(&other) {
            let oldest = self.others.iter().min_by_key(|(_, one)| one.seen_slot);
            if let Some(oldest) = oldest.map(|(wallet, _)| *wallet) {
                self.others.remove(&oldest);
            }
        }
        self.idlers.remove(&other);
        let seen = Other {
            seen_slot: slot,
            missed: 0,
            proven: true,
        };
        self.others.insert(other, seen);
    }

    /// A keeper with the wallet `other` was at work, as is known in `slot`; whether it is faster is not. Such
    /// a sight is cheap to stage: only the last one seen so is counted with, until the first job that it
    /// lets lie.
    pub fn meet(&mut self, other: Pubkey, slot: u64) {
        let known = self.others.contains_key(&other) || self.idlers.contains_key(&other);
        if other == self.own || known || self.others.len() >= MOST_OTHERS {
            return;
        }
        self.others.retain(|_, one| one.proven);
        let met = Other {
            seen_slot: slot,
            missed: MOST_MISSED,
            proven: false,
        };
        self.others.insert(other, met);
    }

    /// Number of other keepers that are counted with.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// Whether this keeper's turn at a job has come in `slot`. It is asked as long as the job is there.
    pub fn may_start(&mut self, lease: &Lease, slot: u64) -> bool {
        let own = lease.place(&self.own, slot);
        let mut before: Vec<([u8; 32], Pubkey)> = self
            .others
            .keys()
            .map(|other| (lease.place(other, slot), *other))
            .filter(|(place, _)| *place < own)
            .collect();
        before.sort_unstable();
        let waiting = self.waiting.entry(*lease).or_insert(Waiting {
            since_slot: slot,
            last_slot: slot,
        });
        if slot.saturating_sub(waiting.last_slot) > OVER_SLOTS {
            waiting.since_slot = slot;
        }
        waiting.last_slot = slot;
        let turns = slot.saturating_sub(waiting.since_slot) / TURN_SLOTS;
        let turns = usize::try_from(turns).unwrap_or(usize::MAX);
        if turns < before.len() {
            return false;
        }
        if !before.is_empty() {
            waiting.since_slot = slot;
            for (_, other) in before {
                self.miss(&other, slot);
            }
        }
        true
    }

    /// Forgets jobs that are over, and keepers that have not been seen for long.
    pub fn tidy(&mut self, slot: u64) {
        self.waiting
            .retain(|_, one| slot.saturating_sub(one.last_slot) <= OVER_SLOTS);
        self.others
            .retain(|_, one| slot.saturating_sub(one.seen_slot) <= REMEMBERED_SLOTS);
        self.idlers
            .retain(|_, since| slot.saturating_sub(*since) <= REMEMBERED_SLOTS);
    }

    fn miss(&mut self, other: &Pubkey, slot: u64) {
        if let Some(one) = self.others.get_mut(other) {
            one.missed = one.missed.saturating_add(1);
            if one.missed > MOST_MISSED {
                self.others.remove(other);
                self.idlers.insert(*other, slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Task;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn job(task: Task, trader: u8, lots: i64) -> Job {
        Job {
            task,
            trader: key(trader),
            lots,
            equity_atoms: 0,
            maintenance_atoms: 1,
            flag_due: false,
            mark_ticks: 1,
            slot: 1,
        }
    }

    fn lease(trader: u8) -> Lease {
        Lease::of(key(200), &job(Task::Liquidate, trader, 5))
    }

    /// Two keepers that know of each other.
    fn pair() -> (Leases, Leases) {
        let (mut one, mut two) = (Leases::new(key(1)), Leases::new(key(2)));
        one.see(key(2), 100);
        two.see(key(1), 100);
        (one, two)
    }

    #[test]
    fn a_keeper_alone_waits_for_nobody() {
        let mut alone = Leases::new(key(1));
        alone.see(key(1), 100);
        assert_eq!(alone.others(), 0);
        assert!((0..200).all(|trader| alone.may_start(&lease(trader), 100)));
    }

    #[test]
    fn of_two_exactly_one_starts_at_once_and_each_about_as_often() {
        let (mut one, mut two) = pair();
        let mut first = 0;
        for trader in 0..200 {
            let [a, b] = [&mut one, &mut two].map(|it| it.may_start(&lease(trader), 100));
            assert_ne!(a, b, "trader {trader}");
            first += usize::from(a);
        }
        assert!((70..130).contains(&first), "{first}");
    }

    #[test]
    fn who_is_second_acts_after_a_turn_and_forgets_whom_it_waited_for_in_vain() {
        let (mut one, _) = pair();
        let mine = |leases: &mut Leases, trader, slot| leases.may_start(&lease(trader), slot);
        let theirs: Vec<u8> = (0..200).filter(|it| !mine(&mut one, *it, 100)).collect();
        for trader in &theirs[..usize::from(MOST_MISSED)] {
            assert!(!mine(&mut one, *trader, 100 + TURN_SLOTS - 1));
            assert!(mine(&mut one, *trader, 100 + TURN_SLOTS));
        }
        let next = theirs[usize::from(MOST_MISSED)];
        assert!(mine(&mut one, next, 100 + TURN_SLOTS));
        assert_eq!(one.others(), 0);
        one.see(key(2), 200);
        assert_eq!(one.others(), 1, "it works again");
    }

    #[test]
    fn a_job_that_comes_again_later_is_another() {
        let (mut one, _) = pair();
        let theirs = (0..200).find(|it| !one.may_start(&lease(*it), 640));
        let theirs = lease(theirs.unwrap());
        assert!(!one.may_start(&theirs, 640 + OVER_SLOTS + 1));
        one.tidy(640 + 2 * OVER_SLOTS + 2);
        assert!(one.waiting.is_empty());
        one.tidy(100 + REMEMBERED_SLOTS + 1);
        assert_eq!(one.others(), 0);
    }

    #[test]
    fn who_was_only_seen_at_work_is_waited_for_once_and_one_at_a_time() {
        let mut leases = Leases::new(key(1));
        for number in 2..30 {
            leases.meet(key(number), 100);
        }
        assert_eq!(leases.others(), 1, "however many there are");
        let theirs = (0..200).find(|it| !leases.may_start(&lease(*it), 100));
        let theirs = lease(theirs.unwrap());
        assert!(leases.may_start(&theirs, 100 + TURN_SLOTS));
        assert_eq!(leases.others(), 0);
        leases.meet(key(29), 110);
        assert_eq!(leases.others(), 0, "it has let a job lie");
        leases.see(key(29), 120);
        leases.meet(key(30), 120);
        assert_eq!(leases.others(), 2, "it has been faster");
        leases.meet(key(31), 121);
        assert!(leases.others.contains_key(&key(29)) && leases.others() == 2);
        leases.tidy(100 + TURN_SLOTS + REMEMBERED_SLOTS + 1);
        assert!(leases.idlers.is_empty());
    }

    #[test]
    fn rounds_against_one_queue_are_one_keepers() {
        let of = |trader, lots| Lease::of(key(200), &job(Task::Deleverage, trader, lots));
        assert_eq!(of(1, 5), of(2, 900));
        assert_ne!(of(1, 5), of(1, -5));
        let (a, b) = (lease(1), Lease::of(key(200), &job(Task::Liquidate, 1, 4)));
        assert_ne!(a, b, "after a step it is anybody's again");
    }

    #[test]
    fn only_so_many_are_counted_with() {
        let mut leases = Leases::new(key(1));
        for number in 2..30_u8 {
            leases.see(key(number), number.into());
        }
        assert_eq!(leases.others(), MOST_OTHERS);
        assert!(leases.others.contains_key(&key(29)) && !leases.others.contains_key(&key(2)));
    }
}
