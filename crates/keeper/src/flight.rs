//! What is under way and what has to wait: at most one transaction a victim, a bounded number in
//! all, longer and longer pauses for those that fail.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use ballast_engine::units::Side;
use ballast_rpc::backoff::Backoff;

use crate::evaluate::{Job, Task};

/// What a transaction is about. Two about the same never are under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Market account.
    pub market: Pubkey,
    /// What of it.
    pub what: What,
}

/// What of a market a transaction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The position of this trader account.
    Position(Pubkey),
    /// The market's funding.
    Funding,
    /// Marks of the board.
    Marks,
    /// The market's end.
    End,
    /// Its insurance vault.
    Vault,
    /// The profit that it holds.
    HeldProfit,
}

impl Subject {
    /// That of a job.
    #[must_use]
    pub const fn of(market: Pubkey, job: &Job) -> Self {
        let what = match job.task {
            Task::AccrueFunding => What::Funding,
            Task::RecordMarks | Task::FreezeMark => What::Marks,
            Task::DeclareDead | Task::BeginSettlement | Task::CountClaims | Task::CloseMarket => {
                What::End
            }
            _ => What::Position(job.trader),
        };
        Self { market, what }
    }

    /// The trader account that it is about; the default key where it is about the market.
    #[must_use]
    pub fn trader(&self) -> Pubkey {
        match self.what {
            What::Position(trader) => trader,
            _ => Pubkey::default(),
        }
    }
}

/// A queue: the positions of one side of a market. Rounds of deleveraging against the same queue
/// follow each other, because each makes the next one's list stale.
pub type Queue = (Pubkey, Side);

/// How a transaction ended, as far as the next one about the same has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Not at all: it was done, by whomever.
    None,
    /// So long.
    For(Duration),
    /// Longer than after the failure before.
    Growing,
    /// The same, but a few seconds at most: it is nobody's failure, and prices move.
    Idle,
    /// As long as after many failures.
    Longest,
}

/// Longest pause of a job that cannot be done as things stand.
const LONGEST_IDLE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Waiting {
    kind: &'static str,
    until: Instant,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug)]
struct Aloft {
    kind: &'static str,
    queue: Option<Queue>,
}

/// What is under way and what has to wait.
#[derive(Debug)]
pub struct Flight {
    most: usize,
    first_delay: Duration,
    longest_delay: Duration,
    aloft: HashMap<Subject, Aloft>,
    waiting: HashMap<Subject, Waiting>,
}

impl Flight {
    /// Nothing under way yet, at most `most` later. Delays grow from the first to the longest.
    #[must_use]
    pub fn new(most: usize, first_delay: Duration, longest_delay: Duration) -> Self {
        Self {
            most,
            first_delay,
            longest_delay,
            aloft: HashMap::new(),
            waiting: HashMap::new(),
        }
    }

    /// Number under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.aloft.len()
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.aloft.is_empty()
    }

    /// Whether no more may start.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.aloft.len() >= self.most
    }

    /// Number that wait after a failure.
    #[must_use]
    pub fn waiting(&self, now: Instant) -> usize {
        let waits = |one: &&Waiting| one.until > now;
        self.waiting.values().filter(waits).count()
    }

    /// Whether a transaction about `subject`, which cuts the positions of `queue`, may start.
    /// A pause after a transaction of another kind does not hold it.
    #[must_use]
    pub fn may_start(
        &self,
        subject: &Subject,
        kind: &'static str,
        queue: Option<Queue>,
        now: Instant,
    ) -> bool {
        let held = self
            .waiting
            .get(subject)
            .is_some_and(|waiting| waiting.until > now && waiting.kind == kind);
        let cut = queue.is_some() && self.aloft.values().any(|other| other.queue == queue);
        !(held || cut || self.is_full() || self.aloft.contains_key(subject))
    }

    /// Starts a transaction, if [it may](Self::may_start); whether it did.
    pub fn start(
        &mut self,
        subject: Subject,
        kind: &'static str,
        queue: Option<Queue>,
        now: Instant,
    ) -> bool {
        let may = self.may_start(&subject, kind, queue, now);
        if may {
            self.aloft.insert(subject, Aloft { kind, queue });
        }
        may
    }

    /// Ends a transaction.
    pub fn end(&mut self, subject: &Subject, pause: Pause, now: Instant) {
        let Some(ended) = self.aloft.remove(subject) else {
            return;
        };
        if pause == Pause::None {
            self.waiting.remove(subject);
            return;
        }
        let (first, longest) = (self.first_delay, self.longest_delay);
        let waiting = self.waiting.entry(*subject).or_insert_with(|| Waiting {
            kind: ended.kind,
            until: now,
            backoff: Backoff::new(first, longest),
        });
        if waiting.kind != ended.kind {
            waiting.kind = ended.kind;
            waiting.backoff.succeed();
        }
        let delay = match pause {
            Pause::None => Duration::ZERO,
            Pause::For(delay) => delay,
            Pause::Growing => waiting.backoff.fail(),
            Pause::Idle => waiting.backoff.fail().min(LONGEST_IDLE),
            Pause::Longest => longest,
        };
        waiting.until = now + delay;
    }

    /// Forgets pauses that ended more than the longest delay ago.
    pub fn tidy(&mut self, now: Instant) {
        let longest = self.longest_delay;
        self.waiting
            .retain(|_, waiting| waiting.until + longest > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: Pubkey = Pubkey::new_from_array([1; 32]);
    const SECOND: Duration = Duration::from_secs(1);

    fn position(trader: u8) -> Subject {
        Subject {
            market: MARKET,
            what: What::Position(Pubkey::new_from_array([trader; 32])),
        }
    }

    fn flight(most: usize) -> (Flight, Instant) {
        (Flight::new(most, SECOND, 8 * SECOND), Instant::now())
    }

    fn begin(flight: &mut Flight, subject: Subject, queue: Option<Queue>, now: Instant) -> bool {
        flight.start(subject, "liquidate", queue, now)
    }

    #[test]
    fn one_a_victim_and_a_bounded_number_in_all() {
        let (mut flight, now) = flight(2);
        assert!(begin(&mut flight, position(1), None, now));
        assert!(
            !begin(&mut flight, position(1), None, now),
            "twice the same"
        );
        assert!(begin(&mut flight, position(2), None, now));
        assert!(flight.is_full() && !begin(&mut flight, position(3), None, now));
        flight.end(&position(1), Pause::None, now);
        assert!(begin(&mut flight, position(3), None, now));
        assert_eq!(flight.len(), 2);
    }

    #[test]
    fn rounds_against_one_queue_follow_each_other() {
        let (mut flight, now) = flight(8);
        let (longs, shorts) = (Some((MARKET, Side::Long)), Some((MARKET, Side::Short)));
        assert!(begin(&mut flight, position(1), longs, now));
        assert!(!begin(&mut flight, position(2), longs, now));
        assert!(begin(&mut flight, position(2), shorts, now));
        assert!(begin(&mut flight, position(3), None, now));
        assert!(
            begin(&mut flight, position(4), None, now),
            "not about a queue"
        );
        flight.end(&position(1), Pause::None, now);
        assert!(begin(&mut flight, position(5), longs, now));
    }

    #[test]
    fn failures_pause_longer_and_longer_and_a_success_forgets_them() {
        let (mut flight, now) = flight(8);
        let mut shortest = Duration::ZERO;
        for round in 0..4 {
            assert!(begin(
                &mut flight,
                position(1),
                None,
                now + 100 * SECOND * round
            ));
            let ended = now + 100 * SECOND * round;
            flight.end(&position(1), Pause::Growing, ended);
            let full = SECOND * (1 << round);
            assert!(!begin(
                &mut flight,
                position(1),
                None,
                ended + full / 2 - SECOND / 100
            ));
            assert_eq!(flight.waiting(ended), 1);
            assert!(full / 2 > shortest, "it grows");
            shortest = full / 2;
        }
        let later = now + 1_000 * SECOND;
        assert!(begin(&mut flight, position(1), None, later));
        flight.end(&position(1), Pause::None, later);
        assert!(begin(&mut flight, position(1), None, later));
        flight.end(&position(1), Pause::Growing, later);
        assert!(
            begin(&mut flight, position(1), None, later + SECOND),
            "as after the first"
        );
    }

    #[test]
    fn a_pause_holds_the_same_kind_only() {
        let (mut flight, now) = flight(8);
        assert!(begin(&mut flight, position(1), None, now));
        flight.end(&position(1), Pause::Longest, now);
        assert!(!begin(&mut flight, position(1), None, now));
        assert!(flight.start(position(1), "deleverage", None, now));
        flight.end(&position(1), Pause::Growing, now);
        assert!(!flight.start(position(1), "deleverage", None, now));
    }

    #[test]
    fn a_pause_may_be_named_and_old_ones_are_forgotten() {
        let (mut flight, now) = flight(8);
        for (trader, pause, wait) in [(1, Pause::For(3 * SECOND), 3), (2, Pause::Longest, 8)] {
            assert!(begin(&mut flight, position(trader), None, now));
            flight.end(&position(trader), pause, now);
            assert!(!begin(
                &mut flight,
                position(trader),
                None,
                now + SECOND * (wait - 1)
            ));
            assert!(begin(
                &mut flight,
                position(trader),
                None,
                now + SECOND * wait
            ));
            flight.end(&position(trader), pause, now);
        }
        for _ in 0..9 {
            assert!(begin(&mut flight, position(3), None, now + 9 * SECOND));
            flight.end(&position(3), Pause::Idle, now);
        }
        assert!(begin(&mut flight, position(3), None, now + LONGEST_IDLE));
        flight.end(&position(3), Pause::None, now);
        flight.tidy(now + 12 * SECOND);
        assert_eq!(flight.waiting.len(), 1);
        flight.tidy(now + 17 * SECOND);
        assert!(flight.waiting.is_empty());
    }
}
