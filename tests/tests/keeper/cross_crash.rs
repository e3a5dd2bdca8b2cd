//! A crash with cross accounts in two markets, worked to its end by the keeper's own jobs.

use std::collections::HashSet;

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::accounts::{self, BookSnapshot, QueueSnapshot};
use ballast_client::addresses;
use ballast_engine::health::Health;
use ballast_engine::wind_down::MarketMode;
use ballast_keeper::config::Work;
use ballast_keeper::cross::{evaluate as evaluate_cross, CrossLists, Floor};
use ballast_keeper::evaluate::{evaluate, Conditions, Job, Task};
use ballast_keeper::market::MarketState;
use ballast_keeper::plan::{
    ending, plan, Effect, Idle, LegMakers, Lists, Own, Plan, PlanOptions, Planned,
};
use ballast_keeper::repair::{repair, Verdict};
use ballast_keeper::scene::Needs;
use ballast_sandbox::{MarketConfig, Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::staged::Change;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use solana_account::Account;

use crate::cross_venue::{CrossVenue, Reading, START};

/// What a keeper has in memory after reading every account.
pub struct Memory {
    reading: Reading,
    states: Vec<MarketState>,
    clock: Clock,
    conditions: Conditions,
}

impl Memory {
    pub fn of(venue: &CrossVenue) -> Self {
        let reading = venue.read();
        let mut states = Vec::new();
        for (number, market) in venue.markets.iter().enumerate() {
            let mut state = MarketState::new(market.cookie.keys, reading.markets[number]);
            for (address, trader) in &reading.traders {
                state.apply_trader(address, trader).unwrap();
            }
            for address in reading.traders.keys() {
                let steps = addresses::protection(address, &market.cookie.keys.market);
                if let Some(account) = venue.sandbox.account(&steps) {
                    let steps = accounts::protection(&account.data).unwrap();
                    state.protections.apply(&steps);
                }
            }
            let there = venue.sandbox.account(&market.cookie.keys.price);
            if there.is_some_and(|account| !account.data.is_empty()) {
                assert!(state.apply_price(venue.price(number), reading.now.slot));
            }
            states.push(state);
        }
        let work = Work {
            funding_seconds: 3_600,
            ..Work::default()
        };
        Self {
            conditions: Conditions::of(&venue.sandbox.exchange(), reading.now.slot, &work),
            clock: Clock {
                slot: reading.now.slot,
                unix_timestamp: reading.now.unix_timestamp,
                ..Clock::default()
            },
            reading,
            states,
        }
    }

    fn floor(&self) -> Floor<'_> {
        Floor::new(&self.states, &self.reading.board, &self.clock).unwrap()
    }

    /// All jobs of both markets and of the accounts with legs, the most urgent first.
    pub fn jobs(&self) -> Vec<(Pubkey, Job)> {
        let mut jobs = Vec::new();
        for state in &self.states {
            let Ok(found) = evaluate(state, &self.clock, &self.conditions) else {
                assert_eq!(state.price, None);
                continue;
            };
            assert_eq!(found.counts.faulty, 0);
            jobs.extend(found.jobs.into_iter().map(|job| (state.address, job)));
        }
        let floor = self.floor();
        let draws = |market: &Pubkey| {
            let at = self.states.iter().position(|it| it.address == *market);
            let queue = &self.reading.cross[at.unwrap()][0];
            queue.queue().unwrap().header().draws
        };
        let legs = self.reading.traders.iter();
        let legs = legs.filter(|(_, trader)| trader.cross_legs > 0);
        let found = evaluate_cross(&floor, legs, &draws, &self.conditions);
        assert_eq!(found.counts.faulty, 0);
        jobs.extend(found.jobs);
        jobs.sort_by(|(_, one), (_, other)| one.before(other));
        jobs
    }

    /// Plans a job about legs, a round, or any with the board, where that was read for it.
    pub fn plan(
        &self,
        venue: &CrossVenue,
        (market, job): &(Pubkey, Job),
        options: &PlanOptions,
        board: bool,
    ) -> Planned {
        let at = self.states.iter().position(|it| it.address == *market);
        let at = at.unwrap();
        if let Some(planned) = ending(job, &self.states[at]) {
            return planned;
        }
        let book = venue.sandbox.book(&venue.markets[at].cookie);
        let (floor, keeper) = (self.floor(), &venue.keeper);
        let [long, short] = &self.reading.cross[at];
        let cross = CrossLists {
            floor: &floor,
            queue_long: long.queue().unwrap(),
            queue_short: short.queue().unwrap(),
            accounts: &self.reading.traders,
        };
        let read = board || Needs::of(job).cross || job.task.is_round();
        let cross = read.then_some(&cross);
        let lists = lists(&book, &self.reading.isolated[at], cross);
        let own = Own {
            payer: keeper.wallet.address(),
            authority: keeper.wallet.address(),
            address: keeper.address,
            trader: &self.reading.traders[&keeper.address],
            makers: LegMakers {
                board: Some(&self.reading.board),
                accounts: &self.reading.traders,
            },
            promised: &[],
            tables: &[],
            options,
        };
        let present = self.states[at].at(&self.clock).unwrap();
        plan(job, &present, &lists, &own).unwrap_or_else(|error| panic!("{error} {job:?}"))
    }
}

fn lists<'a>(
    book: &'a BookSnapshot,
    queues: &'a [QueueSnapshot; 2],
    cross: Option<&'a CrossLists<'a>>,
) -> Lists<'a> {
    Lists {
        book: Some(book.book().unwrap()),
        queue_long: Some(queues[0].queue().unwrap()),
        queue_short: Some(queues[1].queue().unwrap()),
        cross,
    }
}

pub fn execute(venue: &mut CrossVenue, plan: &Plan) -> TxResult {
    let metas = plan.instructions.iter().flat_map(|it| &it.accounts);
    let signs = metas.clone().any(|meta| meta.is_signer);
    let mut named: Vec<Pubkey> = metas
        .filter(|meta| !meta.is_signer)
        .map(|meta| meta.pubkey)
        .collect();
    named.sort_unstable();
    named.dedup();
    let tables = vec![venue.sandbox.create_lookup_table(&named)];
    let keeper = venue.keeper.clone();
    let keys = [&keeper.wallet.keypair];
    let signers = if signs { &keys[..] } else { &[] };
    venue
        .sandbox
        .send_with_tables(&plan.instructions, signers, &tables)
}

/// What came of the work at one price.
#[derive(Default)]
struct Worked {
    done: Vec<Plan>,
    idle: Vec<(Job, Idle)>,
}

/// Plans and executes the most urgent job that can be done, again and again. Every call has to pass.
fn work(venue: &mut CrossVenue, options: &PlanOptions) -> Worked {
    let mut worked = Worked::default();
    let mut waiting = HashSet::new();
    'jobs: loop {
        assert!(worked.done.len() < 3_000, "it goes on for ever");
        worked.idle.clear();
        let memory = Memory::of(venue);
        for job in memory.jobs() {
            if waiting.contains(&(job.0, job.1.trader)) {
                continue;
            }
            let plan = match memory.plan(venue, &job, options, false) {
                Planned::Send(plan) => plan,
                Planned::Nothing(why) => {
                    worked.idle.push((job.1, why));
                    continue;
                }
            };
            match execute(venue, &plan) {
                Ok(outcome) => {
                    as_foreseen(&plan.effect, &outcome.events);
                    worked.done.push(*plan);
                }
                Err(error) => {
                    let known = error.number.and_then(BallastError::of_number);
                    let known = known.unwrap_or_else(|| panic!("{error}\n{plan:#?}"));
                    let verdict = repair(plan.task, known, &error.logs);
                    // Orders that this price alone speaks against stay in the way.
                    let stays = matches!(
                        known,
                        BallastError::NothingFilled
                            | BallastError::LiquidationSkipsBook
                            | BallastError::BookCanAbsorb
                    );
                    let waits = stays && matches!(verdict, Verdict::Refetch { .. });
                    assert!(waits, "{error}\n{plan:#?}");
                    waiting.insert((job.0, job.1.trader));
                }
            }
            assert!(venue.sandbox.conservation().holds());
            continue 'jobs;
        }
        return worked;
    }
}

/// The rounds did what the plan said.
#[track_caller]
fn as_foreseen(effect: &Effect, events: &[BallastEvent]) {
    let Effect::Deleveraging {
        lots,
        of_lots,
        cuts,
        insurance_atoms,
    } = effect
    else {
        return;
    };
    let mut rounds = events.iter().filter_map(|event| match event {
        BallastEvent::AutoDeleveraged(event) => Some(event),
        _ => None,
    });
    let round = rounds.next().expect("a round");
    assert_eq!(round.lots_before.unsigned_abs(), *of_lots);
    assert_eq!((round.lots_closed, round.cuts.len()), (*lots, *cuts));
    let paid = round.insurance_paid_atoms + round.held_paid_atoms;
    assert_eq!(paid, *insurance_atoms);
}

pub fn config() -> MarketConfig {
    let mut config = MarketConfig::sol();
    config.risk.insurance_fee_share_bps = 0;
    config.risk.liquidation_fee_bps = 5;
    config.risk.price_band_bps = 2_000;
    config.risk.min_order_atoms = 1;
    config.risk.adl.rank_tolerance_bps = 500;
    config
}

/// How accounts with legs stand at the prices of now: bankrupt, and below maintenance.
fn in_trouble(venue: &CrossVenue) -> (Vec<Pubkey>, Vec<Pubkey>) {
    let reading = venue.read();
    let (mut bankrupt, mut below) = (Vec::new(), Vec::new());
    for (address, trader) in &reading.traders {
        for number in 0..2 {
            let site = venue.site(number, &reading);
            if trader.find_leg(&site.key).is_none() {
                continue;
            }
            let trouble = site.trouble(trader, true).unwrap();
            match trouble.values.health() {
                Health::Healthy => {}
                Health::BelowMaintenance => below.push(*address),
                Health::Bankrupt { .. } => bankrupt.push(*address),
            }
        }
    }
    (bankrupt, below)
}

/// Whose accounts were bankrupt.
fn deleveraged(worked: &Worked) -> impl Iterator<Item = Pubkey> + '_ {
    let rounds = worked.done.iter();
    let rounds = rounds.filter(|plan| plan.task == Task::DeleverageLeg);
    rounds.map(|plan| plan.trader)
}

#[test]
fn a_crash_with_cross_accounts_is_worked_to_its_end() {
    let mut tasks: Vec<Task> = Vec::new();
    let mut closed = 0;
    for seed in 0..8 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let means = [0, 3_000, 30_000][dice.gen_range(0..3)];
        let mut venue = CrossVenue::new(&config(), means);
        match seed % 2 {
            0 => venue.crowd(30, &mut dice),
            _ => venue.pairs(18, &mut dice),
        }
        let options = PlanOptions {
            max_counterparties: dice.gen_range(2..12),
            spares: dice.gen_range(0..4),
            ..PlanOptions::default()
        };
        let mut ever = HashSet::new();
        let mut ticks = [START; 2];
        for _ in 0..6 {
            let factor = dice.gen_range(930..1_000);
            for price in &mut ticks {
                *price = *price * (factor + dice.gen_range(0..20)) / 1_000;
            }
            venue.prices(dice.gen_range(5..60), ticks);
            let worked = work(&mut venue, &options);
            tasks.extend(worked.done.iter().map(|plan| plan.task));
            ever.extend(deleveraged(&worked));
        }
        // The ladder's intervals pass, and passes of the queues end.
        for _ in 0..30 {
            venue.prices(12, ticks);
            let worked = work(&mut venue, &options);
            tasks.extend(worked.done.iter().map(|plan| plan.task));
            ever.extend(deleveraged(&worked));
            let (bankrupt, below) = in_trouble(&venue);
            if bankrupt.is_empty() && below.is_empty() {
                break;
            }
        }
        venue.record();
        let (bankrupt, below) = in_trouble(&venue);
        assert_eq!(bankrupt, [], "seed {seed}");
        // Whoever is left below maintenance nobody can take lots of.
        let last = work(&mut venue, &options);
        for trader in below {
            let idle = last.idle.iter().find(|(job, _)| job.trader == trader);
            let why = idle.map(|(_, why)| *why);
            assert_eq!(why, Some(Idle::NoTaker), "seed {seed}");
        }
        for trader in ever {
            let account = venue.sandbox.trader(&trader);
            assert_eq!((account.cross_pool, account.cross_legs), (0, 0));
            closed += 1;
        }
    }
    let count = |task: Task| tasks.iter().filter(|one| **one == task).count();
    let all = [
        Task::RecordMarks,
        Task::FlagLeg,
        Task::LiquidateLeg,
        Task::DeleverageLeg,
        Task::RefreshRanks,
        Task::Deleverage,
    ];
    let counts = all.map(|task| (task.name(), count(task)));
    println!("{counts:?}, {closed} accounts closed");
    assert!(closed > 10);
    for (name, count) in counts {
        assert!(count > 0, "{name}");
    }
}

/// How often each task was done.
fn count(done: &[Plan], task: Task) -> usize {
    done.iter().filter(|plan| plan.task == task).count()
}

#[test]
fn a_mark_whose_price_has_died_is_frozen_and_holds_nobody_up() {
    let mut venue = CrossVenue::new(&config(), 30_000);
    venue.open([900_000, 0], 1, false);
    venue.open([0, -900_000], 1, false);
    let both = venue.open([4_000, 4_000], 10, true);
    // Somebody whose legs stay.
    venue.open([0, 1_000], 2, true);
    let options = PlanOptions::default();
    venue.prices(30, [START, START]);
    work(&mut venue, &options);
    let price = venue.markets[1].cookie.keys.price;
    venue.sandbox.set_account(&price, Account::default());
    let fall = |venue: &mut CrossVenue, slots| {
        venue.sandbox.advance_slots(slots);
        let first = venue.markets[0].cookie.clone();
        venue.sandbox.set_price(&first, 165_000);
        venue.markets[0].ticks = 165_000;
    };
    // The mark of the second is too old to force anybody by, and too young to be frozen.
    fall(&mut venue, 60);
    let worked = work(&mut venue, &options);
    assert_eq!(count(&worked.done, Task::FreezeMark), 0);
    assert_eq!(count(&worked.done, Task::LiquidateLeg), 0);
    fall(&mut venue, 41);
    let worked = work(&mut venue, &options);
    assert_eq!(count(&worked.done, Task::FreezeMark), 1);
    let forced = count(&worked.done, Task::LiquidateLeg) + count(&worked.done, Task::DeleverageLeg);
    assert!(forced > 0);
    let account = venue.sandbox.trader(&both.address);
    let first = venue.markets[0].cookie.keys.market;
    assert!(account.leg(&first).map_or(0, |leg| leg.lots) < 4_000);
    // A price thaws it.
    venue.prices(5, [165_000, START]);
    work(&mut venue, &options);
    assert!(!venue.sandbox.board().board.entry(1).unwrap().is_frozen());
}

#[test]
fn a_market_that_ends_parts_with_its_legs_before_it_pays() {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let mut venue = CrossVenue::new(&config(), 0);
    venue.crowd(24, &mut dice);
    let first = venue.markets[0].cookie.clone();
    let staged = venue.sandbox.stage(Change::Delist, Some(&first)).unwrap();
    let due = venue.sandbox.staged(&staged.address).unwrap().eta_slot;
    let time = venue.sandbox.time() + 7 * 86_400;
    venue.sandbox.set_clock(due, time);
    let apply = Sandbox::application(&staged, Some(&first));
    venue.sandbox.send(&[apply], &[]).unwrap();
    for _ in 0..60 {
        venue.prices(0, [178_000, 178_000]);
        venue.sandbox.accrue_funding(&first).unwrap();
        venue.sandbox.advance_seconds(60);
    }
    venue.prices(0, [178_000, 178_000]);
    let worked = work(&mut venue, &PlanOptions::default());
    assert!(count(&worked.done, Task::PartLeg) > 3);
    assert!(count(&worked.done, Task::Deleverage) > 0);
    assert!(count(&worked.done, Task::Settle) > 3);
    assert_eq!(count(&worked.done, Task::CloseMarket), 1);
    let market = venue.sandbox.market(&first);
    assert_eq!((market.mode(), market.cross_legs), (MarketMode::Settled, 0));
    assert!(venue.sandbox.conservation().holds());
}
