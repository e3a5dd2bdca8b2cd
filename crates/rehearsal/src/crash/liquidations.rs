//! How keepers liquidate: the orders of the book take lots first, a keeper that can afford it takes
//! over the rest.

use anyhow::{Context, Result};
use ballast_client::instructions::anyone::Takeover;
use ballast_client::liquidation::{self, affordable};
use ballast_client::makers::liquidation_makers;
use ballast_engine::liquidation::{health, need, Health, LiquidationInput, Need};
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, Lots, Side};
use ballast_engine::EngineError;
use ballast_report::model::LiquidationLine;
use ballast_report::traders::Direction;
use ballast_risk::adl::{BACKING, MOST_CALLS};
use ballast_sandbox::outcome::{TxOutcome, TxResult};
use ballast_sandbox::trading::TraderCookie;
use ballast_state::events::BallastEvent;
use ballast_state::events::PositionLiquidated;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::flow::{fill_lines, removal_lines, SPARES};
use super::stage::{engine, Open, Stage};

/// Errors of an offer that turned out too small because orders were removed instead of filled.
const TOO_POOR: [&str; 2] = ["InsufficientCollateral", "BelowInitialMargin"];

/// Errors of an offer to the pool that it does not take: the reserve price, the cap, the window, insurance
/// that cannot pay, or orders in the way that one call cannot list.
const DECLINED: [&str; 4] = [
    "PoolCannotTake",
    "InsuranceCannotPay",
    "LiquidationSkipsBook",
    "PositionTooSmall",
];

/// What became of a position's liquidation at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is closed, healthy again, or waits for the next step of the ladder.
    Settled,
    /// Nobody takes what is left.
    Left,
}

/// What one call did.
enum Call {
    /// It closed lots or removed orders.
    Done,
    /// It had nothing to do.
    Nothing,
    /// Its offer was too small.
    TooPoor,
}

/// Liquidates a position as far as the book and the keepers can: in one call mostly, in more
/// where the book had orders that could not trade.
pub fn liquidate(stage: &mut Stage, diary: &mut Diary, trader: &Pubkey) -> Result<Outcome> {
    for _ in 0..MOST_CALLS {
        let Some(open) = stage.open_position(trader)? else {
            return Ok(Outcome::Settled);
        };
        let now = Now::of(stage, &open)?;
        if matches!(now.need(stage)?, Need::Nothing | Need::Wait) {
            return Ok(Outcome::Settled);
        }
        match step(stage, diary, &now)? {
            Call::Done => {}
            Call::Nothing | Call::TooPoor => {
                diary.unaffordable += 1;
                return Ok(Outcome::Left);
            }
        }
    }
    Ok(Outcome::Left)
}

/// Lets the book alone take lots of a position, as long as an order meets its price.
pub fn into_book(stage: &mut Stage, diary: &mut Diary, trader: &Pubkey) -> Result<()> {
    for _ in 0..MOST_CALLS {
        let Some(open) = stage.open_position(trader)? else {
            return Ok(());
        };
        let now = Now::of(stage, &open)?;
        let listed = now.makers(stage, false)?;
        let Some(keeper) = stage.keeper_for(&listed) else {
            return Ok(());
        };
        let call = send(stage, diary, &now, &keeper, Takeover::none(), &listed)?;
        if !matches!(call, Call::Done) {
            return Ok(());
        }
    }
    Ok(())
}

/// One call: from the first keeper that can afford what the book leaves, otherwise for the book
/// alone.
fn step(stage: &mut Stage, diary: &mut Diary, now: &Now) -> Result<Call> {
    let listed = now.makers(stage, true)?;
    if let Some(rest) = now.rest(stage, &listed)? {
        for keeper in stage.keepers.clone() {
            if keeper.address == now.open.trader {
                continue;
            }
            let Some(margin) = afforded(stage, &keeper, rest, now.open.position.size())? else {
                continue;
            };
            let offer = Takeover::with_margin(margin);
            match send(stage, diary, now, &keeper, offer, &listed)? {
                Call::TooPoor => {}
                call => return Ok(call),
            }
        }
    }
    if let Some(call) = into_pool(stage, diary, now, &listed)? {
        return Ok(call);
    }
    let listed = now.makers(stage, false)?;
    match other_keeper(stage, &now.open.trader).filter(|_| !listed.is_empty()) {
        Some(keeper) => send(stage, diary, now, &keeper, Takeover::none(), &listed),
        None => Ok(Call::Nothing),
    }
}

/// The pool takes over what the book leaves, as far as it may; `None` where it takes nothing.
fn into_pool(
    stage: &mut Stage,
    diary: &mut Diary,
    now: &Now,
    listed: &[Pubkey],
) -> Result<Option<Call>> {
    let (market, trader) = (stage.market.clone(), now.open.trader);
    let keeper = other_keeper(stage, &trader);
    let offered = stage.pool.is_some_and(|pool| pool != trader);
    let Some(keeper) = keeper.filter(|_| offered) else {
        return Ok(None);
    };
    let result = stage
        .sandbox
        .liquidate_into_pool(&market, &trader, &keeper, listed);
    match stage.metered("liquidate_into_pool", result) {
        Ok(outcome) => {
            note_all(stage, diary, &outcome)?;
            Ok(Some(Call::Done))
        }
        Err(error) if DECLINED.iter().any(|name| error.is(name)) => Ok(None),
        Err(error) => {
            diary.refusals.push(format!("liquidate_into_pool: {error}"));
            Ok(None)
        }
    }
}

/// Every liquidation of a transaction, with what the pool took of it.
fn note_all(stage: &Stage, diary: &mut Diary, outcome: &TxOutcome) -> Result<()> {
    let took = outcome.events.iter().find_map(|event| match event {
        BallastEvent::PoolTook(took) => Some(took),
        _ => None,
    });
    for event in &outcome.events {
        if let BallastEvent::PositionLiquidated(event) = event {
            let premium = took.map_or(0, |took| took.premium_atoms);
            let mut line = line(stage, diary, event, (premium, outcome.compute_units))?;
            if let Some(took) = took {
                line.pool_lots = took.lots.unsigned_abs();
                line.pool_quote_atoms = took.quote_atoms.unsigned_abs();
                line.pool_premium_atoms = took.premium_atoms;
                line.taken_lots -= line.pool_lots;
                line.taken_quote_atoms -= line.pool_quote_atoms;
            }
            note(stage, diary, line)?;
        }
    }
    Ok(())
}

/// The first keeper that is not the one to be liquidated.
fn other_keeper(stage: &Stage, trader: &Pubkey) -> Option<TraderCookie> {
    let mut keepers = stage.keepers.iter();
    keepers.find(|keeper| keeper.address != *trader).cloned()
}

/// A position and what its liquidation depends on.
pub struct Now {
    open: Open,
    insurance: u64,
    mark: Mark,
}

impl Now {
    /// As things stand at the current price.
    pub fn of(stage: &Stage, open: &Open) -> Result<Self> {
        Ok(Self {
            open: *open,
            insurance: stage.insurance_available()?,
            mark: stage.price()?,
        })
    }

    /// How it stands at the mark.
    pub fn health(&self, stage: &Stage) -> Result<Health> {
        health(&self.open.position, self.mark.price, &stage.risk).map_err(engine)
    }

    /// What it needs from keepers.
    pub fn need(&self, stage: &Stage) -> Result<Need> {
        need(&self.input(stage)).map_err(engine)
    }

    /// Whether what the program remembers of its distress is no longer true.
    pub fn is_misflagged(&self, stage: &Stage) -> Result<bool> {
        let (health, slot) = (self.health(stage)?, stage.sandbox.slot());
        Ok(self.open.distress.is_stale(health, slot))
    }

    fn input<'a>(&self, stage: &'a Stage) -> LiquidationInput<'a> {
        LiquidationInput {
            position: self.open.position,
            mark: self.mark.price,
            params: &stage.risk,
            slot: stage.sandbox.slot(),
            distress: self.open.distress,
            insurance_available: self.insurance,
        }
    }

    /// The makers to list: those that take the lots, and spares for orders that cannot trade.
    fn makers(&self, stage: &Stage, take_over: bool) -> Result<Vec<Pubkey>> {
        let snapshot = stage.sandbox.book(&stage.market);
        let book = snapshot.book().context("book")?;
        let victim = &self.open.trader;
        liquidation_makers(&book, victim, &self.input(stage), take_over, SPARES).map_err(engine)
    }

    /// Signed lots and quote of what the book leaves to the liquidator, if every order trades;
    /// `None` where insurance would have to pay more than it can.
    fn rest(&self, stage: &Stage, listed: &[Pubkey]) -> Result<Option<(Lots, Atoms)>> {
        if self.health(stage)?.is_uncovered(self.insurance) {
            return Ok(None);
        }
        let snapshot = stage.sandbox.book(&stage.market);
        let book = snapshot.book().context("book")?;
        let (victim, input) = (&self.open.trader, self.input(stage));
        let plan = match liquidation::foresee(&book, victim, &input, u64::MAX, listed) {
            // More orders are in the way than one call can list: it takes a part of them.
            Err(EngineError::LiquidationSkipsBook) => return Ok(None),
            plan => plan.map_err(engine)?,
        };
        let fill = plan.liquidator_fill().map_err(engine)?;
        Ok(Some(fill.unwrap_or((Lots::ZERO, Atoms::ZERO))))
    }
}

/// The margin a keeper puts behind `rest` of a position of `whole` lots, if its free collateral
/// reaches.
fn afforded(
    stage: &Stage,
    keeper: &TraderCookie,
    rest: (Lots, Atoms),
    whole: u64,
) -> Result<Option<u64>> {
    let held = stage
        .open_position(&keeper.address)?
        .map_or(Position::default(), |open| open.position);
    let free = stage.sandbox.trader(&keeper.address).free();
    let mark = stage.price()?;
    affordable(&stage.risk, &mark, &held, free, rest, whole, &BACKING).map_err(engine)
}

fn send(
    stage: &mut Stage,
    diary: &mut Diary,
    now: &Now,
    keeper: &TraderCookie,
    offer: Takeover,
    listed: &[Pubkey],
) -> Result<Call> {
    let (market, trader) = (stage.market.clone(), now.open.trader);
    let result = stage
        .sandbox
        .liquidate_into_book(&market, &trader, keeper, offer, listed);
    match stage.metered(instruction(&result), result) {
        Ok(outcome) => {
            note_all(stage, diary, &outcome)?;
            Ok(Call::Done)
        }
        Err(error) if TOO_POOR.iter().any(|name| error.is(name)) => Ok(Call::TooPoor),
        Err(error) if error.is("NothingFilled") => Ok(Call::Nothing),
        Err(error) => {
            diary.refusals.push(format!("liquidate: {error}"));
            Ok(Call::Nothing)
        }
    }
}

/// Calls that met orders of the book are metered apart.
fn instruction(result: &TxResult) -> &'static str {
    let met = |outcome: &TxOutcome| {
        outcome.events.iter().any(|event| match event {
            BallastEvent::PositionLiquidated(event) => {
                !event.fills.is_empty() || !event.removed.is_empty()
            }
            _ => false,
        })
    };
    match result {
        Ok(outcome) if met(outcome) => "liquidate (into the book)",
        _ => "liquidate",
    }
}

fn note(stage: &Stage, diary: &mut Diary, line: LiquidationLine) -> Result<()> {
    let notional = stage.mark()?.notional(line.lots).map_err(engine)?;
    diary.liquidated_notional += notional;
    let trader: Pubkey = line.trader.parse()?;
    if stage.open_position(&trader)?.is_none() {
        diary.bankrupt.remove(&trader);
    }
    diary.liquidations.push(line);
    Ok(())
}

fn line(
    stage: &Stage,
    diary: &Diary,
    event: &PositionLiquidated,
    (premium, compute_units): (u64, u64),
) -> Result<LiquidationLine> {
    let taken = event.lots.unsigned_abs() - event.book_lots.unsigned_abs();
    let quote = event.quote_atoms.unsigned_abs() - event.book_quote_atoms.unsigned_abs();
    let (direction, side) = if event.lots_before > 0 {
        (Direction::Long, Side::Long)
    } else {
        (Direction::Short, Side::Short)
    };
    let snapshot = stage.sandbox.book(&stage.market);
    let book = snapshot.book().context("book")?;
    let best = book.best(side).map_err(engine)?;
    let best = best.map(|node| book.order(node)).transpose();
    let best = best.map_err(engine)?.map_or(0, |order| order.price().get());
    Ok(LiquidationLine {
        slot: stage.sandbox.slot(),
        timestamp: stage.now().timestamp,
        after_rounds: u64::try_from(diary.rounds.len())?,
        trader: event.trader.to_string(),
        keeper: event.liquidator.to_string(),
        direction,
        lots: event.lots.unsigned_abs(),
        mark_ticks: event.mark_ticks,
        equity_atoms: event.equity_before_atoms,
        taken_lots: taken,
        taken_quote_atoms: quote,
        pool_lots: 0,
        pool_quote_atoms: 0,
        pool_premium_atoms: 0,
        book_reward_atoms: event.book_reward_atoms,
        fills: fill_lines(&event.fills),
        removed: removal_lines(&event.removed),
        best_left_ticks: best / stage.units.atoms_per_lot_tick,
        insurance_paid_atoms: event.insurance_paid_atoms,
        insurance_fee_atoms: event.insurance_after_atoms + event.insurance_paid_atoms + premium
            - event.insurance_before_atoms,
        compute_units,
    })
}
