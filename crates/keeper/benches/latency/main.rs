//! How long a keeper takes from a price update to a signed transaction, with 100,000 positions.
//!
//! Each update: decode the price account, evaluate every position and sort the jobs, then for the
//! largest position to liquidate and for the largest to deleverage: plan, compile a v0 message with
//! a lookup table, sign. One thread does it all. Exits with 1 when the 99th percentile of either exceeds 50 ms.
//!
//! `cargo bench --locked -p ballast-keeper`, with `-- --quick` for fewer positions and updates.
//! `cargo test` runs it quickly and judges no time.

mod figures;
mod position;
mod venue;

use std::time::{Duration, Instant};

use anchor_lang::prelude::{Clock, Pubkey};
use anyhow::{anyhow, bail, Context, Result};
use ballast_client::addresses;
use ballast_client::price::decode_price;
use ballast_keeper::evaluate::{evaluate, Conditions, Evaluation, Job, Task};
use ballast_keeper::plan::fit::MAX_TRANSACTION_BYTES;
use ballast_keeper::plan::{plan, Effect, LegMakers, Lists, Own, Plan, PlanOptions, Planned};
use ballast_keeper::positions::RECORD_BYTES;
use ballast_rpc::memory::resident_bytes;
use ballast_state::price::PYTH_ORACLE_MAINNET;
use ballast_state::trader::Trader;
use bytemuck::Zeroable;
use figures::{milliseconds, Times};
use position::START;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use venue::{Venue, TIME};

/// What the 99th percentile may be.
const LIMIT: Duration = Duration::from_millis(50);
/// Counterparties of a round.
const COUNTERPARTIES: usize = 10;
/// Lowest and highest price of the updates, ticks: a fall of 4% to 10%.
const RANGE: (u64, u64) = (START * 90 / 100, START * 96 / 100);
/// Lots of a mantissa of Pyth's exponent -8 in a tick of $0.001.
const MANTISSA_PER_TICK: i64 = 100_000;

/// The times of every phase.
#[derive(Default)]
struct Table {
    price: Times,
    evaluate: Times,
    plan_liquidation: Times,
    sign_liquidation: Times,
    liquidation: Times,
    plan_round: Times,
    sign_round: Times,
    round: Times,
    jobs: usize,
    book_makers: usize,
}

/// The keeper's own side.
struct Keeper {
    keypair: Keypair,
    address: Pubkey,
    trader: Box<Trader>,
    tables: [AddressLookupTableAccount; 1],
    options: PlanOptions,
}

fn main() -> Result<()> {
    let asked = |option: &str| std::env::args().any(|argument| argument == option);
    // `cargo bench` says so; among tests it only has to work.
    let judged = asked("--bench");
    let quick = asked("--quick") || !judged;
    let (positions, updates) = if quick { (10_000, 50) } else { (100_000, 500) };
    let before = resident_bytes().unwrap_or(0);
    let mut venue = Venue::new(positions)?;
    let after = resident_bytes().unwrap_or(0);
    let keeper = Keeper::new(&venue);
    let mut table = Table::default();
    let mut dice = ChaCha8Rng::seed_from_u64(2);
    let mut ticks = START * 93 / 100;
    for number in 0..updates {
        ticks = step(&mut dice, ticks);
        venue.quote(ticks, &mut dice)?;
        update(&mut venue, &keeper, &mut table, ticks, number)?;
    }
    print(&table, positions, updates, (before, after), &venue);
    for (what, times) in [("liquidation", &table.liquidation), ("round", &table.round)] {
        let p99 = times.percentile(99);
        if judged && p99 > LIMIT {
            bail!(
                "{what}: p99 {} ms exceeds {} ms",
                milliseconds(p99),
                LIMIT.as_millis()
            );
        }
        if times.len() * 10 < usize::try_from(updates)? * 9 {
            bail!("{what}: only {} of {updates} updates had one", times.len());
        }
    }
    Ok(())
}

/// The next price: up to half a per cent away, within the range.
fn step(dice: &mut ChaCha8Rng, ticks: u64) -> u64 {
    let width = ticks / 200;
    let next = ticks - width + dice.gen_range(0..=2 * width);
    next.clamp(RANGE.0, RANGE.1)
}

/// One price update, timed.
fn update(
    venue: &mut Venue,
    keeper: &Keeper,
    table: &mut Table,
    ticks: u64,
    number: u64,
) -> Result<()> {
    let clock = Clock {
        slot: 1_000 + number,
        unix_timestamp: TIME + i64::try_from(number)?,
        ..Clock::default()
    };
    let account = price_account(ticks, clock.unix_timestamp)?;
    let start = Instant::now();
    let key = venue.state.keys.price;
    let price = decode_price(&venue.state.market, &key, &PYTH_ORACLE_MAINNET, &account)
        .map_err(|error| anyhow!("{error:?}"))?;
    venue.state.apply_price(price, clock.slot);
    let priced = start.elapsed();
    let conditions = Conditions {
        pause_flags: 0,
        funding_seconds: 60,
        sync_pool_bps: 1_000,
    };
    let evaluation = evaluate(&venue.state, &clock, &conditions)?;
    let evaluated = start.elapsed();
    table.price.push(priced);
    table.evaluate.push(evaluated - priced);
    table.jobs += evaluation.jobs.len();

    if let Some(job) = hardest(&evaluation, Task::Liquidate) {
        let (planned, signed, plan) = finish(venue, keeper, job, &clock)?;
        if !matches!(plan.effect, Effect::Liquidation { book_lots, .. } if book_lots > 0) {
            bail!("the liquidation does not meet the book: {:?}", plan.effect);
        }
        table.book_makers += plan.listed.len();
        table.plan_liquidation.push(planned);
        table.sign_liquidation.push(signed);
        table.liquidation.push(evaluated + planned + signed);
    }
    if let Some(job) = hardest(&evaluation, Task::Deleverage) {
        let (planned, signed, plan) = finish(venue, keeper, job, &clock)?;
        if plan.task != Task::Deleverage {
            bail!("the round is {:?}", plan.effect);
        }
        table.plan_round.push(planned);
        table.sign_round.push(signed);
        table.round.push(evaluated + planned + signed);
    }
    Ok(())
}

/// The job of a task that asks most of the planning: the largest position, of those to liquidate
/// only such as have equity left for a discount, so that the book takes part.
fn hardest(evaluation: &Evaluation, task: Task) -> Option<&Job> {
    let least = match task {
        Task::Liquidate => 5_000,
        _ => i64::MIN,
    };
    let jobs = evaluation.jobs.iter().filter(|job| job.task == task);
    jobs.filter(|job| job.ratio_bps() >= least)
        .max_by_key(|job| job.lots.unsigned_abs())
}

/// Plans and signs a job: how long each took, and the plan.
fn finish(
    venue: &Venue,
    keeper: &Keeper,
    job: &Job,
    clock: &Clock,
) -> Result<(Duration, Duration, Box<Plan>)> {
    let start = Instant::now();
    let [long, short] = venue.queues()?;
    let lists = Lists {
        book: Some(venue.book()?),
        queue_long: Some(long),
        queue_short: Some(short),
        cross: None,
    };
    let planned = plan(job, &venue.state.at(clock)?, &lists, &keeper.own())?;
    let took = start.elapsed();
    let Planned::Send(plan) = planned else {
        bail!("nothing is planned for {job:?}: {planned:?}");
    };
    let start = Instant::now();
    let transaction = keeper.sign(&plan)?;
    let signed = start.elapsed();
    if transaction.signatures.len() != 1 {
        bail!("the keeper signs alone");
    }
    Ok((took, signed, plan))
}

impl Keeper {
    fn new(venue: &Venue) -> Self {
        let keypair = Keypair::new_from_array([7; 32]);
        let address = addresses::trader(&keypair.pubkey(), 0);
        let keys = venue.state.keys;
        let fixed = vec![
            addresses::exchange(),
            keys.market,
            keys.queue_long,
            keys.queue_short,
            keys.book,
            keys.price,
            addresses::event_authority(),
            address,
        ];
        let mut trader = Box::new(Trader::zeroed());
        trader.owner = keypair.pubkey();
        trader.free = 1_000_000_000_000_000;
        Self {
            keypair,
            address,
            trader,
            tables: [AddressLookupTableAccount {
                key: Pubkey::new_from_array([8; 32]),
                addresses: fixed,
            }],
            options: PlanOptions {
                max_counterparties: COUNTERPARTIES,
                spares: 0,
                ..PlanOptions::default()
            },
        }
    }

    fn own(&self) -> Own<'_> {
        Own {
            payer: self.keypair.pubkey(),
            authority: self.keypair.pubkey(),
            address: self.address,
            trader: &self.trader,
            makers: LegMakers::none(),
            promised: &[],
            tables: &self.tables,
            options: &self.options,
        }
    }

    fn sign(&self, plan: &Plan) -> Result<VersionedTransaction> {
        let mut all = vec![
            ComputeBudgetInstruction::set_compute_unit_limit(400_000),
            ComputeBudgetInstruction::set_compute_unit_price(10_000),
        ];
        all.extend_from_slice(&plan.instructions);
        let payer = self.keypair.pubkey();
        let message = v0::Message::try_compile(&payer, &all, &self.tables, Hash::default())?;
        let message = VersionedMessage::V0(message);
        Ok(VersionedTransaction::try_new(message, &[&self.keypair])?)
    }
}

/// A price account as the Pyth oracle program writes it: magic, version, type, then fields by
/// offset.
fn price_account(ticks: u64, time: i64) -> Result<Vec<u8>> {
    let mut data = vec![0; 3_312];
    let mantissa = i64::try_from(ticks)? * MANTISSA_PER_TICK;
    let mut put = |at: usize, bytes: &[u8]| {
        let field = data.get_mut(at..at + bytes.len()).context("a field")?;
        field.copy_from_slice(bytes);
        Ok::<(), anyhow::Error>(())
    };
    put(0, &0xa1b2_c3d4_u32.to_le_bytes())?;
    put(4, &2_u32.to_le_bytes())?;
    put(8, &3_u32.to_le_bytes())?;
    put(20, &(-8_i32).to_le_bytes())?;
    put(48, &mantissa.to_le_bytes())?;
    put(96, &time.to_le_bytes())?;
    put(208, &mantissa.to_le_bytes())?;
    put(216, &1_000_000_u64.to_le_bytes())?;
    put(224, &1_u32.to_le_bytes())?;
    Ok(data)
}

fn print(table: &Table, positions: usize, updates: u64, memory: (i64, i64), venue: &Venue) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!(
        "{positions} positions, {updates} price updates; one thread on a machine of {cores} cores"
    );
    println!();
    println!("| phase, ms | times | p50 | p90 | p99 | max |");
    println!("|---|---|---|---|---|---|");
    for (name, times) in [
        ("decode and take over the price", &table.price),
        ("evaluate every position", &table.evaluate),
        ("plan a liquidation", &table.plan_liquidation),
        ("compile and sign it", &table.sign_liquidation),
        ("price to signed liquidation", &table.liquidation),
        ("plan a round of 10 counterparties", &table.plan_round),
        ("compile and sign it", &table.sign_round),
        ("price to signed round", &table.round),
    ] {
        println!("{}", times.row(name));
    }
    println!();
    let liquidations = table.liquidation.len().max(1);
    println!(
        "jobs an update: {}; makers listed a liquidation: {}; transactions of at most {} bytes",
        table.jobs / usize::try_from(updates).unwrap_or(1).max(1),
        table.book_makers / liquidations,
        MAX_TRANSACTION_BYTES
    );
    println!(
        "memory: {} KiB resident, of which {} KiB came with the market (positions {} KiB, {} bytes \
         each without the index; both queues and the book)",
        memory.1 / 1_024,
        memory.1.saturating_sub(memory.0) / 1_024,
        venue.state.memory() / 1_024,
        RECORD_BYTES
    );
}
