//! A crash of several markets at once with a part of the accounts cross, and the same people isolated.

pub mod args;
mod checks;
mod compare;
mod diary;
mod exchange;
mod facts;
mod html;
mod keepers;
mod makers;
mod memory;
mod opening;
mod plan;
mod play;
mod population;
mod prices;
mod recompute;
mod recomputed_account;
mod recomputed_lots;
mod recomputed_round;
mod terminal;

use std::fs;

use anyhow::{ensure, Context, Result};
use ballast_report::figures::usd_unsigned;
use ballast_report::markets::{
    Bracket, MarketLine, MarketsReport, MarketsScenario, MarketsStep, Play, MARKETS_REPORT_VERSION,
};
use indicatif::ProgressBar;

use crate::args::RehearseArgs;
use crate::plan::KEEPERS;
use crate::rehearse::progress;
use args::MarketsChoice;
use exchange::DRAW_CAP_BPS;
use plan::{MarketPlan, MarketsPlan};

/// Rehearses a crash of several markets and writes the report. `false` when a check failed.
pub fn run(args: &RehearseArgs, choice: MarketsChoice) -> Result<bool> {
    let plan = MarketsPlan::of(args, choice)?;
    let mut report = described(args, &plan)?;
    if !args.json {
        println!("{}", terminal::heading(&report));
    }
    let steps = plan.population.openings.len() + plan.paths.times.len();
    let bar = progress(2 * steps);
    report.cross = played(args, &plan, true, &bar)?;
    report.isolated = played(args, &plan, false, &bar)?;
    bar.finish_and_clear();
    report.checks = checks::run(&report)?;
    fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot create {}", args.out.display()))?;
    let json = serde_json::to_string(&report)?;
    for (name, text) in [
        ("report.json", &json),
        ("report.html", &html::render(&report)?),
    ] {
        let path = args.out.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        println!("{json}");
    } else {
        println!("{}", terminal::render(&report));
        println!(
            "Wrote {0}/report.json and {0}/report.html",
            args.out.display()
        );
    }
    Ok(report.checks.iter().all(|check| check.passed))
}

fn played(args: &RehearseArgs, plan: &MarketsPlan, cross: bool, bar: &ProgressBar) -> Result<Play> {
    bar.set_message(if cross { "cross" } else { "isolated" });
    let run = play::Run {
        program: &args.program,
        plan,
        seed: args.seed,
        cross,
    };
    play::play(&run, bar)
}

/// A report that says only what will be rehearsed.
fn described(args: &RehearseArgs, plan: &MarketsPlan) -> Result<MarketsReport> {
    let markets = plan.markets.iter().enumerate();
    let scenario = MarketsScenario {
        seed: args.seed,
        traders: usize::try_from(args.traders)?,
        cross_share_percent: plan.choice.cross_share,
        most_legs: plan.choice.legs,
        prices_generated: plan.paths.generated,
        markets: markets
            .map(|(number, market)| line(plan, number, market))
            .collect::<Result<_>>()?,
        keepers: KEEPERS,
        keeper_capital_atoms: plan.keeper_capital,
        max_leverage: args.max_leverage,
        assumptions: assumptions(plan),
    };
    let mut path = Vec::new();
    for (place, time) in plan.paths.times.iter().enumerate() {
        let prices = plan.paths.at(place).into_iter().zip(&plan.markets);
        let ticks = prices.map(|(nano, market)| market.units.ticks(nano));
        path.push(MarketsStep {
            timestamp: *time,
            price_ticks: ticks.collect::<Result<_>>()?,
        });
    }
    Ok(MarketsReport {
        markets_report_version: MARKETS_REPORT_VERSION,
        scenario,
        path,
        ..MarketsReport::default()
    })
}

fn line(plan: &MarketsPlan, number: usize, market: &MarketPlan) -> Result<MarketLine> {
    let path = plan.paths.markets.get(number).context("a path")?;
    let low = path
        .nano
        .iter()
        .min()
        .context("a price path is not empty")?;
    let tiers = market.risk.tiers.iter();
    let tiers = tiers.take(usize::try_from(market.risk.tier_count)?);
    ensure!(*low > 0, "a price of market {number} is not above zero");
    Ok(MarketLine {
        name: exchange::name(number),
        prices: path.source.clone(),
        first_price_ticks: market.units.ticks(market.first_nano)?,
        low_price_ticks: market.units.ticks(*low)?,
        tick_nano: market.units.tick_nano,
        lot_nano: market.units.lot_nano,
        atoms_per_lot_tick: market.units.atoms_per_lot_tick,
        open_interest_lots: market.open_interest_lots,
        insurance_atoms: market.insurance,
        maintenance: tiers
            .map(|tier| Bracket {
                notional_limit_atoms: tier.notional_limit_atoms,
                maintenance_bps: tier.maintenance_margin_bps,
            })
            .collect(),
    })
}

fn assumptions(plan: &MarketsPlan) -> Vec<String> {
    let insured: u64 = plan.markets.iter().map(|market| market.insurance).sum();
    vec![
        "The population is drawn by the seed. Both plays have the same accounts, trades, collateral and prices; in the \
         one the chosen accounts make every position a leg at the first prices, in the other nobody does."
            .to_owned(),
        format!(
            "{KEEPERS} keepers with {} between them do what ballast-keeper decides, once for each price. The market makers of a market quote before them; nobody else trades, deposits or withdraws while the path is played.",
            usd_unsigned(plan.keeper_capital)
        ),
        format!(
            "Insurance starts at {}, divided over the markets by their open interest; legs get {} % of what it may pay.",
            usd_unsigned(insured),
            DRAW_CAP_BPS / 100
        ),
    ]
}

#[cfg(test)]
mod rehearsed_tests;
