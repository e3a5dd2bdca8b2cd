//! Auto-deleveraging rounds: the queue as it stood before, the list, the call and what it cut.

use anyhow::{Context, Result};
use ballast_client::ranking::{self, AdlPlan, RankedEntry, Request};
use ballast_engine::adl::book_can_absorb;
use ballast_engine::position::Position;
use ballast_engine::rank::Class;
use ballast_engine::units::Side;
use ballast_report::model::{CutLine, Holding, NodeLine, QueueLine, Round};
use ballast_report::traders::Direction;
use ballast_risk::adl::{LIST_LENGTH, MOST_ROUNDS};
use ballast_sandbox::outcome::TxOutcome;
use ballast_state::events::{AutoDeleveraged, BallastEvent};
use ballast_state::Pubkey;

use super::diary::{Diary, Occasion};
use super::liquidations::into_book;
use super::stage::{engine, Open, Stage};

/// A counterparty before the round.
struct Seen {
    entry: RankedEntry,
    node: NodeLine,
    position: Position,
    /// Free collateral, and what its orders reserve.
    purse: u64,
}

/// Everything known before a round.
struct Before {
    bankrupt: Open,
    plan: AdlPlan,
    deficit: u64,
    insurance: u64,
    /// Profit that the market held.
    profit: u64,
    /// Passes that the queue has opened.
    passes: u32,
    /// The pass that the round takes part in; 0 when it opens one.
    pass: u32,
    queue: Vec<Seen>,
}

/// Closes a bankrupt position against the other side, in as many calls as it takes.
pub fn deleverage(stage: &mut Stage, diary: &mut Diary, trader: &Pubkey) -> Result<()> {
    for _ in 0..MOST_ROUNDS {
        into_book(stage, diary, trader)?;
        let Some(before) = look(stage, trader)? else {
            break;
        };
        if before.plan.counterparties.is_empty() {
            diary
                .refusals
                .push(format!("auto_deleverage: nobody to list for {trader}"));
            return Ok(());
        }
        remember(stage, diary, &before);
        let waits = book_would_take(stage, &before)?;
        let (market, keeper) = (stage.market.clone(), stage.deleverager.clone());
        let result = stage
            .sandbox
            .auto_deleverage_plan(&market, &keeper, &before.plan);
        match stage.metered("auto_deleverage", result) {
            Ok(outcome) => {
                diary.book.rounds_before_book += u64::from(waits);
                let round = record(stage, diary, &before, &outcome)?;
                diary.rounds.push(round);
            }
            Err(error) => {
                diary.refusals.push(format!("auto_deleverage: {error}"));
                return Ok(());
            }
        }
    }
    match stage.open_position(trader)? {
        Some(_) => stage.flag(trader),
        None => {
            diary.bankrupt.remove(trader);
            Ok(())
        }
    }
}

/// The bankruptcy, the honest list and the queue of the other side; `None` when there is no
/// bankruptcy.
fn look(stage: &Stage, trader: &Pubkey) -> Result<Option<Before>> {
    let Some(bankrupt) = stage.open_position(trader)? else {
        return Ok(None);
    };
    let equity = bankrupt
        .position
        .equity(stage.mark()?)
        .map_err(engine)?
        .get();
    let Some(side) = bankrupt.position.side().filter(|_| equity < 0) else {
        return Ok(None);
    };
    let slot = stage
        .sandbox
        .position(&stage.market, trader)
        .context("the position is open")?;
    let snapshot = stage.sandbox.queue(&stage.market, side.opposite());
    let view = snapshot.queue().context("queue")?;
    let request = Request {
        bankrupt: *trader,
        max_counterparties: LIST_LENGTH,
        spares: 0,
    };
    let state = stage.state();
    let plan = ranking::plan(&state, &view, &slot, &stage.moment()?, &request).map_err(engine)?;
    let mut queue = Vec::new();
    for entry in ranking::ranking(&view, &plan.round).map_err(engine)? {
        let open = stage.open_position(&entry.trader)?;
        let position = open
            .with_context(|| format!("{} is in the queue without a position", entry.trader))?
            .position;
        let purse = stage.purse(&entry.trader)?;
        let stored = view.entry(entry.node).map_err(engine)?;
        queue.push(Seen {
            node: NodeLine {
                entry_q32: stored.entry_q32,
                bankruptcy_q32: stored.bankruptcy_q32,
                cut_epoch: stored.cut_epoch,
                cut_lots: stored.cut_lots,
                capped_epoch: stored.capped_epoch,
            },
            entry,
            position,
            purse,
        });
    }
    let (insurance, profit) = (state.insurance.balance, state.held.atoms);
    let header = view.header();
    let pass = header.pass_at(bankrupt.distress.pass_epoch, stage.sandbox.slot());
    let joins = pass.map_err(engine)? == header.adl_epoch;
    Ok(Some(Before {
        pass: if joins { header.adl_epoch } else { 0 },
        bankrupt,
        plan,
        deficit: equity.unsigned_abs(),
        insurance,
        profit,
        passes: header.adl_epoch,
        queue,
    }))
}

/// Whether an order of somebody else would close lots of the bankrupt position without a loss.
fn book_would_take(stage: &Stage, before: &Before) -> Result<bool> {
    let snapshot = stage.sandbox.book(&stage.market);
    let book = snapshot.book().context("book")?;
    let bankrupt = &before.bankrupt;
    let Some(side) = bankrupt.position.side() else {
        return Ok(false);
    };
    let taker = book.best_price_but_of(side, bankrupt.trader.as_array());
    Ok(book_can_absorb(&bankrupt.position, taker.map_err(engine)?))
}

impl Seen {
    fn may_be_cut(&self) -> bool {
        self.entry.class != Class::Ineligible && self.entry.cap_left > 0
    }
}

/// Keeps the state with the longest list for the dishonest keepers.
fn remember(stage: &Stage, diary: &mut Diary, before: &Before) {
    let list = &before.plan.counterparties;
    // Beyond the grace period the program rightly stops asking insurance.
    let (distress, slot) = (&before.bankrupt.distress, stage.sandbox.slot());
    let fresh = distress.pass_epoch == 0
        && distress.bankrupt_slot != 0
        && !distress.past_grace(stage.risk.adl.grace_slots, slot)
        && before.deficit > before.insurance;
    let longer = list.len()
        > diary
            .occasion
            .as_ref()
            .map_or(0, |occasion| occasion.list.len());
    let Some(swapped) = swapped(before).filter(|_| fresh && longer) else {
        return;
    };
    let ranked = before.queue.iter().filter(|seen| seen.may_be_cut());
    diary.occasion = Some(Occasion {
        stage: stage.fork(),
        bankrupt: before.bankrupt.trader,
        deficit: before.deficit,
        list: list.clone(),
        ranked: ranked.map(|seen| seen.entry.trader).collect(),
        swapped,
    });
}

/// The next in rank who cannot close everything alone, before the top.
fn swapped(before: &Before) -> Option<Vec<Pubkey>> {
    let lots = before.bankrupt.position.size();
    let mut ranked = before.queue.iter().filter(|seen| seen.may_be_cut());
    let top = ranked.next()?;
    let lower = ranked.find(|seen| seen.entry.cap_left < lots)?;
    Some(vec![lower.entry.trader, top.entry.trader])
}

fn record(stage: &Stage, diary: &Diary, before: &Before, outcome: &TxOutcome) -> Result<Round> {
    let made = made(outcome)?;
    let ranking = &before.plan.round;
    let list = &before.plan.counterparties;
    let bankrupt = &before.bankrupt.position;
    let cut = cuts(stage, before, list)?;
    let closed: u64 = cut.iter().map(|line| line.lots).sum();
    let insured = before.plan.summary.insured;
    let uncovered =
        u128::from(before.deficit - insured) * u128::from(closed) / u128::from(bankrupt.size());
    Ok(Round {
        round: u64::try_from(diary.rounds.len())? + 1,
        slot: stage.sandbox.slot(),
        timestamp: stage.now().timestamp,
        mark_ticks: stage.ticks()?,
        close_price: close_price(before, insured, stage.units.atoms_per_lot_tick)?,
        rank_tolerance_bps: ranking.rank_tolerance_bps,
        min_profit_bps: ranking.min_profit_bps,
        max_close_bps: ranking.max_close_bps,
        min_position_lots: u64::from(ranking.least_lots),
        atoms_per_lot_tick: stage.units.atoms_per_lot_tick,
        funding_index: ranking.funding_index.get(),
        counterparty_side: direction(ranking.side),
        bankrupt: holding(&before.bankrupt.trader, bankrupt),
        max_lots: bankrupt.size(),
        pass_before: before.pass,
        passes_before: before.passes,
        new_pass: before.plan.reopens,
        queue: queue_lines(before),
        listed: list.iter().map(Pubkey::to_string).collect(),
        deficit_atoms: i64::try_from(before.deficit)?,
        insurance_paid_atoms: made.insurance_paid_atoms,
        insurance_before_atoms: before.insurance,
        held_paid_atoms: made.held_paid_atoms,
        held_before_atoms: before.profit,
        closed_lots: closed,
        uncovered_deficit_atoms: i64::try_from(uncovered)?,
        winners_gave_up_atoms: cut.iter().map(|line| line.gave_up_atoms).sum(),
        cut,
        compute_units: outcome.compute_units,
    })
}

/// The round as the program recorded it.
fn made(outcome: &TxOutcome) -> Result<&AutoDeleveraged> {
    let round = outcome.events.iter().find_map(|event| match event {
        BallastEvent::AutoDeleveraged(round) => Some(round.as_ref()),
        _ => None,
    });
    round.context("a round without its event")
}

/// What changed in the listed accounts.
fn cuts(stage: &Stage, before: &Before, list: &[Pubkey]) -> Result<Vec<CutLine>> {
    let mark = stage.mark()?;
    let mut lines = Vec::new();
    for trader in list {
        let Some(seen) = before
            .queue
            .iter()
            .find(|seen| seen.entry.trader == *trader)
        else {
            continue;
        };
        let after = stage
            .open_position(trader)?
            .map_or(Position::default(), |open| open.position);
        let lots = seen.position.size() - after.size();
        if lots == 0 {
            continue;
        }
        let released = seen.position.margin.get() - after.margin.get();
        let purse = i64::try_from(stage.purse(trader)?)? - i64::try_from(seen.purse)?;
        let realized = purse - released;
        // Long: entry plus profit was received. Short: entry less profit was paid.
        let entry = seen.position.entry_quote.get() - after.entry_quote.get();
        let quote = (entry + realized).abs();
        let worth = i64::try_from(mark.notional(lots).map_err(engine)?)?;
        let gave_up = match before.plan.round.side {
            Side::Long => worth - quote,
            Side::Short => quote - worth,
        };
        lines.push(CutLine {
            trader: trader.to_string(),
            lots,
            realized_atoms: realized,
            margin_released_atoms: released,
            quote_atoms: quote,
            gave_up_atoms: gave_up,
        });
    }
    Ok(lines)
}

/// The bankruptcy price moved towards the mark by what insurance pays, in ticks.
fn close_price(before: &Before, insured: u64, atoms_per_lot_tick: u64) -> Result<String> {
    let position = &before.bankrupt.position;
    let backing = position.margin.get() + i64::try_from(insured)?;
    let quote = (position.entry_quote.get() - backing) * position.lots.get().signum();
    Ok(format!(
        "{quote}/{}",
        u128::from(position.size()) * u128::from(atoms_per_lot_tick)
    ))
}

fn queue_lines(before: &Before) -> Vec<QueueLine> {
    let line = |seen: &Seen| QueueLine {
        trader: seen.entry.trader.to_string(),
        lots: seen.position.lots.get(),
        entry_quote_atoms: seen.position.entry_quote.get(),
        margin_atoms: seen.position.margin.get(),
        already_cut_in_pass: seen.entry.already_cut,
        at_cap: seen.entry.cap_left == 0,
        sequence: seen.entry.sequence,
        lights: seen.entry.light,
        node: seen.node,
    };
    before.queue.iter().map(line).collect()
}

fn holding(trader: &Pubkey, position: &Position) -> Holding {
    Holding {
        trader: trader.to_string(),
        lots: position.lots.get(),
        entry_quote_atoms: position.entry_quote.get(),
        margin_atoms: position.margin.get(),
    }
}

/// A side as the report names it.
pub fn direction(side: Side) -> Direction {
    match side {
        Side::Long => Direction::Long,
        Side::Short => Direction::Short,
    }
}
