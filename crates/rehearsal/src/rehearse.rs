//! The crash rehearsal: set-up, the crash, dishonest keepers and the report.

use std::fs;
use std::path::Path;

use anyhow::{anyhow, ensure, Context, Result};
use ballast_client::amount::Unit;
use ballast_engine::units::Ticks;
use ballast_explain::policies;
use ballast_report::figures::clock;
use ballast_report::model::{Check, Dishonest, PathLine, Report, Unplayed};
use ballast_report::protection::ProtectionSummary;
use ballast_risk::prices::PricePoint;
use ballast_sandbox::trading::TraderCookie;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::RehearseArgs;
use crate::crash::diary::{Diary, Occasion};
use crate::crash::stage::Stage;
use crate::crash::trading_floor::Floor;
use crate::crash::{assemble, dishonest, flow, gap, integrity, keepers, opening, pool, protection};
use crate::markets::{self, args::MarketsChoice};
use crate::plan::{Plan, KEEPERS};
use crate::report::{checks, html, terminal};

/// Orders of one market maker for which each side of the book has room.
const ORDERS_A_MAKER: usize = 16;
/// Orders a side of the smallest book.
const LEAST_BOOK: usize = 16;
/// Seconds between the last opening trade and the first price.
const LULL: i64 = 30;

/// Rehearses a crash and writes the report. `false` when a check failed.
pub fn run(args: &RehearseArgs) -> Result<bool> {
    ensure!(
        args.program.is_file(),
        "the built program is not at {}; run `cargo xtask build`, or name it with --program",
        args.program.display()
    );
    if let Some(choice) = MarketsChoice::of(args)? {
        return markets::run(args, choice);
    }
    let plan = Plan::of(args)?;
    let mut report = assemble::scenario(args, &plan)?;
    if !args.json {
        println!("{}", terminal::heading(&report));
    }
    let bar = progress(plan.population.openings.len() + plan.path.points.len());
    let (stage, mut diary) = play_all(args, &plan, &mut report, &bar)?;
    if !plan.protected.is_empty() {
        report.protection = Some(saved(args, &plan, (&report, &stage))?);
    }
    bar.finish_and_clear();
    report.policies = policies::compare(&report.adl, &args.policies())?;
    let cheated = cheat(args, &plan, &stage, diary.occasion.take());
    report.dishonest_keepers = cheated.unwrap_or_else(|error| Dishonest {
        setting: format!("not played: {error:#}"),
        ..Dishonest::default()
    });
    report.checks = checks::run(&report)?;
    for refusal in &diary.refusals {
        report.checks.push(Check {
            name: "an honest keeper's call is accepted".to_owned(),
            passed: false,
            figure: refusal.clone(),
        });
    }
    write(&args.out, &report)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", terminal::render(&report));
        println!(
            "Wrote {0}/report.json and {0}/report.html",
            args.out.display()
        );
    }
    Ok(report.checks.iter().all(|check| check.passed))
}

/// Plays the whole path; fills the report but for what is compared and tried afterwards.
pub fn play_all(
    args: &RehearseArgs,
    plan: &Plan,
    report: &mut Report,
    bar: &ProgressBar,
) -> Result<(Stage, Diary)> {
    let mut stage = set_up(args, plan, bar)?;
    let mut diary = Diary::default();
    let mut floor = Floor::new(plan.market, plan.risk.min_position_lots, args.seed);
    report.scenario.stop_losses = floor.place_stop_losses(&mut stage, &plan.population)?;
    let protected = protected(&stage, plan);
    protection::set(&mut stage, &protected)?;
    assemble::start(report, &stage, plan)?;
    crash(&mut stage, &mut floor, &mut diary, report, plan, bar)?;
    assemble::finish(report, &stage, &mut diary)?;
    Ok((stage, diary))
}

/// Plays the whole path without a report; `watch` sees the exchange before each price, with how many have
/// been played. What cannot be played ends it.
pub fn play_watched(
    args: &RehearseArgs,
    plan: &Plan,
    mut watch: impl FnMut(&Stage, usize) -> Result<()>,
) -> Result<(Stage, Diary)> {
    let mut stage = set_up(args, plan, &ProgressBar::hidden())?;
    let mut diary = Diary::default();
    let mut floor = Floor::new(plan.market, plan.risk.min_position_lots, args.seed);
    floor.place_stop_losses(&mut stage, &plan.population)?;
    for (played, point) in plan.path.points.iter().enumerate() {
        watch(&stage, played)?;
        if beyond_range(plan, point)?.is_some() {
            break;
        }
        play(&mut stage, &mut floor, &mut diary, &[], *point)?;
    }
    Ok((stage, diary))
}

/// The traders with protective steps.
fn protected(stage: &Stage, plan: &Plan) -> Vec<TraderCookie> {
    let places = plan.protected.iter();
    places
        .filter_map(|place| stage.traders.get(*place).cloned())
        .collect()
}

/// What protective steps saved in a crash: it is played again without them.
fn saved(args: &RehearseArgs, plan: &Plan, played: (&Report, &Stage)) -> Result<ProtectionSummary> {
    let without = Plan {
        protected: Vec::new(),
        ..plan.clone()
    };
    let mut report = assemble::scenario(args, &without)?;
    let bar = progress(plan.population.openings.len() + plan.path.points.len());
    let (stage, _) = play_all(args, &without, &mut report, &bar)?;
    bar.finish_and_clear();
    protection::compare(played, (&report, &stage), &protected(played.1, plan))
}

/// Builds the exchange and opens every position.
fn set_up(args: &RehearseArgs, plan: &Plan, bar: &ProgressBar) -> Result<Stage> {
    let first = plan.path.first().context("a price path is not empty")?;
    let openings = i64::try_from(plan.population.openings.len())?;
    let start = PricePoint {
        timestamp: first.timestamp - LULL - openings * opening::SECONDS_PER_OPENING,
        ..first
    };
    ensure!(
        start.timestamp > 0,
        "the first timestamp, {}, is too early for the opening trades before it",
        first.timestamp
    );
    bar.set_message("opening positions");
    let market = &plan.market;
    let others = KEEPERS + market.makers + market.takers + usize::from(plan.pool > 0);
    let positions = plan.population.members.len() + others;
    let room = (positions, (market.makers * ORDERS_A_MAKER).max(LEAST_BOOK));
    let mut stage = Stage::new(
        &args.program,
        assemble::market_name(args),
        plan.units,
        plan.risk,
        room,
        start,
    )?;
    opening::create_traders(&mut stage, &plan.population)?;
    for opening in &plan.population.openings {
        opening::open(&mut stage, &plan.population, opening, first)?;
        bar.inc(1);
    }
    pool::open(&mut stage, plan)?;
    pool::stake(&mut stage, plan)?;
    let each = plan.keeper_capital / u64::try_from(KEEPERS)?;
    for _ in 0..KEEPERS {
        let keeper = stage.sandbox.create_trader(each)?;
        stage.keepers.push(keeper);
    }
    Floor::new(plan.market, plan.risk.min_position_lots, args.seed).create_accounts(&mut stage)?;
    if plan.insurance > 0 {
        let donor = stage.sandbox.create_wallet(plan.insurance)?;
        let market = stage.market.clone();
        let result = stage
            .sandbox
            .donate_insurance(&market, &donor, plan.insurance);
        stage.must("donate_insurance", result)?;
    }
    Ok(stage)
}

/// Plays the prices, up to the first that cannot be played.
fn crash(
    stage: &mut Stage,
    floor: &mut Floor,
    diary: &mut Diary,
    report: &mut Report,
    plan: &Plan,
    bar: &ProgressBar,
) -> Result<()> {
    bar.set_message("playing the prices");
    let protected = protected(stage, plan);
    for (number, point) in plan.path.points.iter().enumerate() {
        let beyond = beyond_range(plan, point)?;
        let played = match &beyond {
            Some(reason) => Err(anyhow!("{reason}")),
            None => play(stage, floor, diary, &protected, *point),
        };
        if let Err(problem) = played {
            report.unplayed = Some(Unplayed {
                timestamp: point.timestamp,
                price_nano: point.price_nano,
                reason: format!("{problem:#}"),
                by_design: beyond.is_some(),
                left_out: plan.path.points.len() - number,
            });
            break;
        }
        let error = stage.conservation_error()?;
        report.summary.conservation_error_atoms =
            report.summary.conservation_error_atoms.max(error);
        let state = stage.state();
        let free = stage
            .keepers
            .iter()
            .map(|keeper| stage.sandbox.trader(&keeper.address).free);
        let (pool_lots, pool_atoms) = match &stage.pool {
            None => (0, 0),
            Some(pool) => {
                let open = stage.open_position(pool)?;
                let lots = open.map_or(0, |open| open.position.lots.get());
                (lots, stage.worth(pool)?)
            }
        };
        report.path.push(PathLine {
            timestamp: point.timestamp,
            slot: stage.sandbox.slot(),
            price_ticks: stage.ticks()?,
            insurance_atoms: state.insurance.balance,
            keeper_free_atoms: u64::try_from(free.sum::<i64>())?,
            pool_lots,
            pool_atoms,
            open_interest_lots: state.open_interest_lots,
            funding_index: state.funding.index.get(),
            funding_rate_ppm: state.funding.rate_ppm,
            book: integrity::line(stage)?,
        });
        bar.inc(1);
    }
    let market = stage.market.clone();
    let result = stage.sandbox.sweep_insurance(&market);
    stage.must("sweep_insurance", result)?;
    let error = stage.conservation_error()?;
    report.summary.conservation_error_atoms = report.summary.conservation_error_atoms.max(error);
    Ok(())
}

/// One price: the market makers quote, then the stop-losses and takers trade, then the keepers act.
fn play(
    stage: &mut Stage,
    floor: &mut Floor,
    diary: &mut Diary,
    protected: &[TraderCookie],
    point: PricePoint,
) -> Result<()> {
    stage.publish(point)?;
    trade(stage, floor, diary, protected)?;
    keepers::act(stage, diary)?;
    integrity::check(stage, &mut diary.book)
}

/// Why a market with these units cannot have a price, if it cannot.
fn beyond_range(plan: &Plan, point: &PricePoint) -> Result<Option<String>> {
    let ticks = plan.units.ticks(point.price_nano)?;
    let tick = Unit::nano(1).text(plan.units.tick_nano);
    let lot_price = Ticks::new(ticks).lot_price(plan.units.atoms_per_lot_tick);
    Ok(match (ticks, lot_price) {
        (0, _) => Some(format!(
            "the price at {} is below one tick of the market, which is ${tick}: ticks follow from the first price",
            point.timestamp
        )),
        (_, Err(_)) => Some(format!(
            "the price at {} is more than a market with ticks of ${tick} can have",
            point.timestamp
        )),
        (_, Ok(_)) => None,
    })
}

/// What happens at the book before the keepers act.
fn trade(
    stage: &mut Stage,
    floor: &mut Floor,
    diary: &mut Diary,
    protected: &[TraderCookie],
) -> Result<()> {
    if floor.plan.makers == 0 || !stage.price_is_usable()? {
        return Ok(());
    }
    floor.quote(stage, diary)?;
    integrity::check(stage, &mut diary.book)?;
    flow::stop_losses(stage, diary)?;
    protection::execute(stage, diary, protected)?;
    flow::takers(stage, floor, diary)?;
    integrity::check(stage, &mut diary.book)
}

/// Plays the dishonest keepers against a bankruptcy of the crash, of a further gap, or of a gap in
/// an exchange of the same people without insurance.
fn cheat(
    args: &RehearseArgs,
    plan: &Plan,
    stage: &Stage,
    occasion: Option<Occasion>,
) -> Result<Dishonest> {
    if let Some(occasion) = occasion {
        let clock = clock(occasion.stage.now().timestamp);
        let setting = format!(
            "played on a copy of the exchange as it stood at {clock} UTC, before the bankruptcy of {} was deleveraged",
            occasion.bankrupt
        );
        return dishonest::play(occasion, setting);
    }
    if let Some(occasion) = gap::find(stage)? {
        let setting = format!(
            "the prices left no bankruptcy beyond insurance: played on a copy of the exchange after further gaps of {} %, before the bankruptcy of {} was deleveraged",
            gap::GAP_PERCENT, occasion.bankrupt
        );
        return dishonest::play(occasion, setting);
    }
    let uninsured = Plan {
        insurance: 0,
        ..plan.clone()
    };
    let fresh = set_up(args, &uninsured, &ProgressBar::hidden())?;
    let occasion =
        gap::find(&fresh)?.context("not even without insurance did a gap leave a bankruptcy")?;
    let setting = format!(
        "the insurance covers everything: played on an exchange of the same traders without insurance, after gaps of {} %, before the bankruptcy of {} was deleveraged",
        gap::GAP_PERCENT, occasion.bankrupt
    );
    dishonest::play(occasion, setting)
}

/// A bar for so many steps.
pub fn progress(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{msg:20} {bar:40} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn write(directory: &Path, report: &Report) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for (name, text) in [
        ("report.json", serde_json::to_string(report)?),
        ("report.html", html::render(report)?),
    ] {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
