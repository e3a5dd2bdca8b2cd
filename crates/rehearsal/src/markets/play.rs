//! One crash of several markets, from the opening trades to the sums.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use ballast_engine::health::Health;
use ballast_engine::liquidation::health;
use ballast_report::markets::{AccountLine, GroupSums, MarketSums, Play, PlaySummary};
use indicatif::ProgressBar;

use super::diary::Diary;
use super::exchange::Exchange;
use super::keepers::act;
use super::makers::Makers;
use super::memory::Memory;
use super::opening::set_up;
use super::plan::MarketsPlan;

/// What is played.
pub struct Run<'a> {
    /// The built program.
    pub program: &'a Path,
    /// People, markets and prices.
    pub plan: &'a MarketsPlan,
    /// Seed of what market makers miss.
    pub seed: u64,
    /// Whether the chosen accounts are cross, or everybody is isolated.
    pub cross: bool,
}

/// Plays the whole path.
pub fn play(run: &Run<'_>, bar: &ProgressBar) -> Result<Play> {
    let plan = run.plan;
    let mut exchange = set_up(run.program, plan, run.cross, bar)?;
    let mut makers = Makers::create(&mut exchange, plan, run.seed)?;
    let start = worths(&exchange)?;
    let insurance = insurance(&exchange);
    let mut diary = Diary::default();
    diary.check(&exchange)?;
    for (place, time) in plan.paths.times.iter().enumerate() {
        exchange.publish(*time, &plan.paths.at(place))?;
        makers.quote(&mut exchange, &mut diary)?;
        act(&mut exchange, &mut diary)?;
        diary.check(&exchange)?;
        bar.inc(1);
    }
    for number in 0..exchange.venues.len() {
        let cookie = exchange.venues[number].cookie.clone();
        exchange.sandbox.sweep_insurance(&cookie)?;
    }
    diary.check(&exchange)?;
    told(plan, &exchange, diary, &start, &insurance)
}

fn worths(exchange: &Exchange) -> Result<Vec<i64>> {
    let traders = exchange.traders.iter();
    traders
        .map(|trader| exchange.worth(&trader.address))
        .collect()
}

/// The insurance ledger of each market, atoms.
fn insurance(exchange: &Exchange) -> Vec<u64> {
    let venues = exchange.venues.iter();
    let balance = |cookie| exchange.sandbox.market(cookie).insurance.balance;
    venues.map(|venue| balance(&venue.cookie)).collect()
}

/// The play as the report has it.
fn told(
    plan: &MarketsPlan,
    exchange: &Exchange,
    diary: Diary,
    start: &[i64],
    insured: &[u64],
) -> Result<Play> {
    let left = bankruptcies_left(exchange)?;
    let accounts = accounts(plan, exchange, &diary, start)?;
    let markets = sums(&diary, insured, &insurance(exchange))?;
    let rounds = diary.rounds.iter();
    let gave_up: u64 = rounds
        .clone()
        .map(|round| round.winners_gave_up_atoms)
        .sum();
    let uncovered: u64 = rounds
        .clone()
        .map(|round| round.uncovered_deficit_atoms)
        .sum();
    let shortened = rounds.flat_map(|round| &round.cut);
    let shortened = shortened.filter(|cut| cut.leg.is_some_and(|leg| leg.shortened));
    let sum = |of: fn(&MarketSums) -> u64| markets.iter().map(of).sum();
    let summary = PlaySummary {
        all: GroupSums::of(&accounts, markets.len()),
        chosen: GroupSums::of(accounts.iter().filter(|line| line.chosen), markets.len()),
        adl_rounds: sum(|market| market.adl_rounds),
        adl_cuts: sum(|market| market.adl_cuts),
        leg_cuts: sum(|market| market.leg_cuts),
        shortened_cuts: u64::try_from(shortened.count())?,
        uncovered_deficit_atoms: uncovered,
        winners_gave_up_atoms: gave_up,
        overshoot_atoms: i64::try_from(gave_up)? - i64::try_from(uncovered)?,
        conservation_error_atoms: diary.conservation_error,
        conservation_checks: diary.conservation_checks,
        insurance_paid_atoms: sum(|market| market.insurance_paid_atoms),
        bankruptcies_left: left,
        refusals: diary.refusals,
        refused: diary.refused,
    };
    Ok(Play {
        accounts,
        liquidations: diary.liquidations,
        adl: diary.rounds,
        markets,
        summary,
    })
}

fn accounts(
    plan: &MarketsPlan,
    exchange: &Exchange,
    diary: &Diary,
    start: &[i64],
) -> Result<Vec<AccountLine>> {
    let count = plan.markets.len();
    let end = worths(exchange)?;
    let mut lines = Vec::new();
    let mut places = BTreeMap::new();
    for (place, member) in plan.population.members.iter().enumerate() {
        let address = exchange.traders[place].address;
        let account = exchange.sandbox.trader(&address);
        let mut lots_end = vec![0; count];
        for slot in account.positions.iter().filter(|slot| slot.lots != 0) {
            if let Some(number) = exchange.number(&slot.market) {
                lots_end[number] = slot.lots;
            }
        }
        places.insert(address.to_string(), place);
        lines.push(AccountLine {
            trader: address.to_string(),
            style: member.style,
            chosen: member.chosen,
            leverage_tenths: member.leverage_tenths,
            lots_start: member.lots.clone(),
            lots_end,
            equity_start_atoms: start[place],
            equity_end_atoms: end[place],
            liquidated_lots: vec![0; count],
            cut_lots: vec![0; count],
            bankrupt: diary.bankrupt.contains(&address),
            ..AccountLine::default()
        });
    }
    for step in &diary.liquidations {
        if let Some(line) = places.get(&step.trader).and_then(|at| lines.get_mut(*at)) {
            let lot = step.mark_ticks * plan.markets[step.market].units.atoms_per_lot_tick;
            line.liquidated_lots[step.market] += step.lots;
            line.liquidated_notional_atoms += step.lots * lot;
        }
    }
    for round in &diary.rounds {
        let lot = round.marks.get(round.market).context("a mark")?.mark_atoms;
        for cut in &round.cut {
            if let Some(line) = places.get(&cut.trader).and_then(|at| lines.get_mut(*at)) {
                line.cut_lots[round.market] += cut.lots;
                line.cut_notional_atoms += cut.lots * lot;
                line.gave_up_atoms += cut.gave_up_atoms;
            }
        }
    }
    Ok(lines)
}

fn sums(diary: &Diary, start: &[u64], end: &[u64]) -> Result<Vec<MarketSums>> {
    let mut sums: Vec<MarketSums> = start
        .iter()
        .zip(end)
        .map(|(start, end)| MarketSums {
            insurance_start_atoms: *start,
            insurance_end_atoms: *end,
            ..MarketSums::default()
        })
        .collect();
    for step in &diary.liquidations {
        let sum = &mut sums[step.market];
        sum.liquidations += 1;
        sum.liquidated_lots += step.lots;
        sum.insurance_paid_atoms += step.insurance_paid_atoms;
    }
    for round in &diary.rounds {
        let sum = &mut sums[round.market];
        let legs = round.cut.iter().filter(|cut| cut.leg.is_some());
        sum.adl_rounds += 1;
        sum.adl_cuts += u64::try_from(round.cut.len())?;
        sum.leg_cuts += u64::try_from(legs.count())?;
        sum.cut_lots += round.closed_lots;
        sum.gave_up_atoms += round.winners_gave_up_atoms;
        sum.insurance_paid_atoms += round.insurance_paid_atoms;
    }
    Ok(sums)
}

/// Accounts with legs and isolated positions that are bankrupt and past the time in which insurance may still pay.
fn bankruptcies_left(exchange: &Exchange) -> Result<u64> {
    let memory = Memory::of(exchange)?;
    let floor = memory.floor()?;
    let slot = memory.reading.now.slot;
    let mut left = 0;
    for number in 0..memory.states.len() {
        let present = memory.present(number)?;
        let market = &memory.reading.markets[number];
        for record in present.state.positions.records() {
            let position = present.settled(record)?;
            let verdict = health(&position, present.mark.price, market.params())?;
            let grace = market.past_grace(&record.distress(), slot);
            left += u64::from(
                matches!(verdict, Health::Bankrupt { .. }) && waited(&record.distress(), grace),
            );
        }
        let Some(floor) = &floor else {
            continue;
        };
        let site = floor.site(&present);
        for trader in memory.reading.traders.values() {
            let Ok(leg) = trader.leg(&site.key) else {
                continue;
            };
            let trouble = site.trouble(trader, true)?;
            let bankrupt = matches!(trouble.values.health(), Health::Bankrupt { .. });
            let grace = market.past_grace(&leg.distress(), slot);
            left += u64::from(bankrupt && waited(&leg.distress(), grace));
        }
    }
    Ok(left)
}

/// Whether a bankruptcy should have been closed by now: it is not flagged, or its time is over.
const fn waited(distress: &ballast_engine::distress::Distress, past_grace: bool) -> bool {
    distress.bankrupt_slot == 0 || past_grace
}
