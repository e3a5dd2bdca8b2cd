//! Fills the report.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use ballast_client::ranking;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::units::Side;
use ballast_report::figures::usd_unsigned;
use ballast_report::model::{Report, Scenario, Summary, REPORT_VERSION};
use ballast_report::pool;
use ballast_report::traders::{Direction, Kind, TraderLine};
use ballast_report::trading::{BookSummary, MakerLine};
use ballast_report::waterfall;
use ballast_risk::adl::LIST_LENGTH;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::stage::{engine, Stage};
use crate::args::RehearseArgs;
use crate::plan::{Plan, KEEPERS};
use crate::scenario::prices::PriceSource;

/// The market's name.
pub fn market_name(args: &RehearseArgs) -> &'static str {
    if args.prices.is_empty() {
        "SOL-PERP"
    } else {
        "REHEARSAL-PERP"
    }
}

/// A report that says only what will be rehearsed.
pub fn scenario(args: &RehearseArgs, plan: &Plan) -> Result<Report> {
    let low = plan.path.low().context("a price path is not empty")?;
    let first = plan.path.first().context("a price path is not empty")?;
    let mut population = BTreeMap::new();
    for member in &plan.population.members {
        let name = format!("{}_{}", member.kind, member.direction);
        *population.entry(name).or_insert(0) += 1;
    }
    let scenario = Scenario {
        market: market_name(args).to_owned(),
        seed: args.seed,
        traders: plan.population.members.len(),
        population,
        prices_generated: plan.path.source == PriceSource::Generated,
        prices: plan.path.source.sentence(),
        price_points: plan.path.points.len(),
        first_price_ticks: plan.units.ticks(first.price_nano)?,
        low_price_ticks: plan.units.ticks(low.price_nano)?,
        tick_nano: plan.units.tick_nano,
        lot_nano: plan.units.lot_nano,
        atoms_per_lot_tick: plan.units.atoms_per_lot_tick,
        open_interest_lots: plan.population.open_interest_lots(),
        max_leverage: plan.max_leverage,
        adl_step_bps: plan.risk.adl.max_close_bps,
        min_position_lots: plan.risk.min_position_lots,
        rank_tolerance_bps: plan.risk.adl.rank_tolerance_bps,
        min_profit_bps: plan.risk.adl.min_profit_bps,
        discount_full_ratio_bps: plan.risk.discount_full_ratio_bps.into(),
        pool_account: String::new(),
        pool_deposit_atoms: plan.pool,
        pool_cap_bps: plan.pool_params.cap_bps,
        staked_atoms: plan.staked,
        keepers: KEEPERS,
        keeper_accounts: Vec::new(),
        keeper_capital_atoms: plan.keeper_capital,
        market_makers: plan.market.makers,
        maker_depth_lots: plan.market.depth_lots * u64::try_from(plan.market.makers)?,
        maker_spread_bps: plan.market.spread_bps,
        maker_capital_atoms: plan.market.maker_capital * u64::try_from(plan.market.makers)?,
        maker_fee_bps: plan.market.fee_bps,
        taker_accounts: Vec::new(),
        stop_losses: 0,
        impact_notional_atoms: plan.market.impact_notional,
        assumptions: assumptions(plan)?,
    };
    Ok(Report {
        report_version: REPORT_VERSION,
        scenario,
        ..Report::default()
    })
}

fn assumptions(plan: &Plan) -> Result<Vec<String>> {
    let first = plan.path.first().context("a price path is not empty")?;
    let lots = plan.population.open_interest_lots();
    let notional = lots * plan.units.atoms_per_lot(first.price_nano)?;
    let hedged = plan.population.count(Kind::Hedged, Direction::Long);
    let longs = plan
        .population
        .members
        .iter()
        .filter(|member| member.direction == Direction::Long)
        .count();
    Ok(vec![
        format!(
            "The population is drawn by the seed: {longs} long and {} short accounts, {hedged} of each hedged, open interest {}. Positions are opened by block trades within 4 % of the first price.",
            plan.population.members.len() - longs,
            usd_unsigned(notional)
        ),
        format!(
            "{KEEPERS} keepers liquidate with {} of collateral between them; once it is tied up they stop, as many do in a crash. They act once for each price.",
            usd_unsigned(plan.keeper_capital)
        ),
        format!("Insurance starts at {}. Trading fees do not feed it; liquidation fees do.", usd_unsigned(plan.insurance)),
        format!(
            "A bankrupt position that no keeper takes over for {} slots is deleveraged even if insurance could pay; insurance then pays first.",
            plan.risk.adl.grace_slots
        ),
        market_sentence(plan)?,
        format!("An auto-deleveraging call lists at most {LIST_LENGTH} counterparties."),
    ])
}

/// Who trades during the crash.
fn market_sentence(plan: &Plan) -> Result<String> {
    let market = &plan.market;
    let makers = u64::try_from(market.makers)?;
    if makers == 0 {
        return Ok(
            "Nobody adds margin, trades or withdraws during the crash: there are no market makers."
                .to_owned(),
        );
    }
    let first = plan.path.first().context("a price path is not empty")?;
    let depth = market.depth_lots * makers * plan.units.atoms_per_lot(first.price_nano)?;
    Ok(format!(
        "{makers} market makers with {} of collateral quote {} a side, {} bps from the oracle price; the more it moves and the \
         more they hold, the wider and smaller. Some miss a price, more of them the more it moves. {} takers send market \
         orders at random, {} % of the traders have a stop-loss. Nobody adds margin or withdraws.",
        usd_unsigned(market.maker_capital * makers),
        usd_unsigned(depth),
        market.spread_bps,
        market.takers,
        market.stop_loss_percent,
    ))
}

/// Notes the state in which the path begins.
pub fn start(report: &mut Report, stage: &Stage, plan: &Plan) -> Result<()> {
    report.summary.insurance_start_atoms = stage.state().insurance.balance;
    let keepers = stage.keepers.iter();
    report.scenario.keeper_accounts = keepers.map(|keeper| keeper.address.to_string()).collect();
    let takers = stage.takers.iter();
    report.scenario.pool_account = stage.pool.map_or(String::new(), |pool| pool.to_string());
    report.scenario.taker_accounts = takers.map(|taker| taker.address.to_string()).collect();
    for maker in &stage.makers {
        report.market_makers.push(MakerLine {
            trader: maker.address.to_string(),
            collateral_atoms: stage.purse(&maker.address)?,
            filled_lots: 0,
            fees_atoms: 0,
            orders_removed: 0,
            lots_end: 0,
            result_atoms: 0,
        });
    }
    let sequences = sequences(stage)?;
    for (member, trader) in plan.population.members.iter().zip(&stage.traders) {
        let lots = stage
            .open_position(&trader.address)?
            .map_or(0, |open| open.position.lots.get());
        report.traders.push(TraderLine {
            trader: trader.address.to_string(),
            kind: member.kind,
            direction: member.direction,
            leverage_tenths: member.leverage_tenths,
            sequence: sequences.get(&trader.address).copied().unwrap_or(0),
            lots_start: lots,
            lots_end: lots,
            adl_lots: 0,
            adl_gave_up_atoms: 0,
            lights_before: 0,
            lights_after: 0,
        });
    }
    Ok(())
}

/// Ages of all positions in their queues.
fn sequences(stage: &Stage) -> Result<BTreeMap<Pubkey, u64>> {
    let mut ages = BTreeMap::new();
    for side in [Side::Long, Side::Short] {
        let snapshot = stage.sandbox.queue(&stage.market, side);
        for step in snapshot.queue().context("queue")?.iter() {
            let (_, entry) = step.map_err(engine)?;
            ages.insert(Pubkey::new_from_array(entry.trader), entry.sequence);
        }
    }
    Ok(ages)
}

/// Fills everything that the crash decided.
pub fn finish(report: &mut Report, stage: &Stage, diary: &mut Diary) -> Result<()> {
    report.adl = std::mem::take(&mut diary.rounds);
    report.liquidations = std::mem::take(&mut diary.liquidations);
    report.trades = std::mem::take(&mut diary.trades);
    makers(report, stage)?;
    let seen = &diary.book;
    let book = BookSummary {
        orders_placed: seen.orders_placed,
        stop_losses_refused: seen.stop_losses_refused,
        rounds_before_book: seen.rounds_before_book,
        states_checked: seen.states_checked,
        broken_states: seen.broken_states,
        margin_error_atoms: seen.margin_error_atoms,
        ..waterfall::book(report)?
    };
    traders(report, stage)?;
    let adl = &report.adl;
    let in_liquidations = report
        .liquidations
        .iter()
        .map(|line| line.insurance_paid_atoms)
        .sum();
    let in_adl = adl.iter().map(|round| round.insurance_paid_atoms).sum();
    let uncovered: i64 = adl.iter().map(|round| round.uncovered_deficit_atoms).sum();
    let gave_up: i64 = adl.iter().map(|round| round.winners_gave_up_atoms).sum();
    let (left, waiting) = bankruptcies_left(stage)?;
    report.summary = Summary {
        liquidations: liquidations(report)?,
        liquidated_notional_atoms: diary.liquidated_notional,
        bankruptcies: diary.bankruptcies,
        adl_rounds: u64::try_from(adl.len())?,
        adl_cuts: u64::try_from(adl.iter().map(|round| round.cut.len()).sum::<usize>())?,
        insurance_start_atoms: report.summary.insurance_start_atoms,
        insurance_end_atoms: stage.state().insurance.balance,
        insurance_received_atoms: report
            .liquidations
            .iter()
            .map(|line| line.insurance_fee_atoms)
            .sum(),
        insurance_paid_in_liquidations_atoms: in_liquidations,
        insurance_paid_in_adl_atoms: in_adl,
        uncovered_deficit_atoms: uncovered,
        winners_gave_up_atoms: gave_up,
        overshoot_atoms: gave_up - uncovered,
        conservation_error_atoms: report.summary.conservation_error_atoms,
        unaffordable_liquidations: diary.unaffordable,
        bankruptcies_left: left,
        bankruptcies_waiting: waiting,
        unusable_prices: diary.unusable_prices,
        book,
        pool: pool::summary(report)?,
        staked_end_atoms: stage.state().staked_atoms,
        max_compute_units: stage
            .meter
            .iter()
            .map(|(name, units)| (name.clone(), units.max))
            .collect(),
        compute_units: stage.meter.clone(),
    };
    report.waterfall = waterfall::stages(report)?;
    Ok(())
}

/// Calls that closed lots.
fn liquidations(report: &Report) -> Result<u64> {
    let closing = report.liquidations.iter().filter(|line| line.lots > 0);
    Ok(u64::try_from(closing.count())?)
}

/// What became of the market makers.
fn makers(report: &mut Report, stage: &Stage) -> Result<()> {
    let mut traded: BTreeMap<String, (u64, i64, u64)> = BTreeMap::new();
    for fill in waterfall::fills(report) {
        let sum = traded.entry(fill.maker.clone()).or_default();
        sum.0 += fill.lots;
        sum.1 += fill.maker_fee_atoms;
    }
    for removal in waterfall::removals(report) {
        traded.entry(removal.maker.clone()).or_default().2 += 1;
    }
    for (line, maker) in report.market_makers.iter_mut().zip(&stage.makers) {
        (line.filled_lots, line.fees_atoms, line.orders_removed) =
            traded.get(&line.trader).copied().unwrap_or_default();
        let open = stage.open_position(&maker.address)?;
        line.lots_end = open.map_or(0, |open| open.position.lots.get());
        line.result_atoms = stage.worth(&maker.address)? - i64::try_from(line.collateral_atoms)?;
    }
    Ok(())
}

/// Bankrupt positions that should have been closed, and those that may still wait for a keeper.
fn bankruptcies_left(stage: &Stage) -> Result<(u64, u64)> {
    let mark = stage.mark()?;
    let available = stage.insurance_available()?;
    let (mut left, mut waiting) = (0, 0);
    for open in stage.open_positions()? {
        let state = health(&open.position, mark, &stage.risk).map_err(engine)?;
        let Health::Bankrupt { deficit } = state else {
            continue;
        };
        let (grace, slot) = (stage.risk.adl.grace_slots, stage.sandbox.slot());
        let graced = open.distress.bankrupt_slot != 0 && !open.distress.past_grace(grace, slot);
        if graced && deficit <= available || !stage.price_is_usable()? {
            waiting += 1;
        } else {
            left += 1;
        }
    }
    Ok((left, waiting))
}

fn traders(report: &mut Report, stage: &Stage) -> Result<()> {
    let mut cut: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for line in report.adl.iter().flat_map(|round| &round.cut) {
        let sum = cut.entry(&line.trader).or_default();
        sum.0 += line.lots;
        sum.1 += line.gave_up_atoms;
    }
    let first = report.adl.first();
    let side = first.map_or(Side::Short, |round| match round.counterparty_side {
        Direction::Long => Side::Long,
        Direction::Short => Side::Short,
    });
    let after = lights_now(stage, side)?;
    let before: BTreeMap<&str, u8> = first
        .iter()
        .flat_map(|round| &round.queue)
        .map(|line| (line.trader.as_str(), line.lights))
        .collect();
    for (line, cookie) in report.traders.iter_mut().zip(&stage.traders) {
        let open = stage.open_position(&cookie.address)?;
        line.lots_end = open.map_or(0, |open| open.position.lots.get());
        (line.adl_lots, line.adl_gave_up_atoms) =
            cut.get(line.trader.as_str()).copied().unwrap_or_default();
        line.lights_before = before.get(line.trader.as_str()).copied().unwrap_or(0);
        line.lights_after = after.get(&line.trader).copied().unwrap_or(0);
    }
    Ok(())
}

/// Indicator lights of one side at the current price.
fn lights_now(stage: &Stage, side: Side) -> Result<BTreeMap<String, u8>> {
    let snapshot = stage.sandbox.queue(&stage.market, side);
    let view = snapshot.queue().context("queue")?;
    let epoch = view.header().adl_epoch + 1;
    let round =
        ranking::display_round(&stage.state(), side, epoch, &stage.moment()?).map_err(engine)?;
    let ranking = ranking::ranking(&view, &round).map_err(engine)?;
    Ok(ranking
        .into_iter()
        .map(|entry| (entry.trader.to_string(), entry.light))
        .collect())
}
