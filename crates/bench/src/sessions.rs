//! Deleveraging over several transactions, in hostile queues.

use std::path::Path;

use anyhow::{ensure, Result};
use ballast_engine::book::MAX_ORDERS;
use ballast_engine::selection::MAX_SELECTED;
use ballast_engine::units::Side;
use ballast_sandbox::{TxError, TxOutcome, TxResult};
use ballast_state::events::BallastEvent;

use crate::deleveraging::{Setting, Stage};
use crate::figure::Figure;
use crate::meter::Meter;
use crate::shapes::{StageShape, HOSTILE};

/// Counterparties that a session selects where they do not suffice: the most.
const MOST: usize = MAX_SELECTED;
/// Nodes that one transaction looks at.
const NODES_A_STEP: u32 = 10_000;

/// What the transactions of a session used.
struct Session {
    open: TxOutcome,
    steps: Vec<TxOutcome>,
    execute: TxResult,
    nodes: u32,
}

/// Measures a session over each hostile queue, and its instructions over the worst.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    for population in HOSTILE {
        let name = format!("session_total/{}", population.name());
        let last = HOSTILE.last() == Some(&population);
        let parts = [
            "open_adl_session",
            "advance_adl_session",
            "execute_adl_session",
        ];
        let wanted = |name: &&str| last && meter.wants(&format!("{name}/"));
        if !meter.wants(&name) && !parts.iter().any(wanted) {
            continue;
        }
        let shape = StageShape::longest(population, Side::Short);
        let mut stage = Stage::new(program, &Setting::plain(shape))?.with_tolerance(0)?;
        let session = run(&mut stage)?;
        meter.measure(&name, || session.total(population.words()))?;
        if last {
            measure_parts(&session, meter)?;
        }
    }
    with_orders(program, meter)?;
    close(program, meter)
}

/// The longest selection, of counterparties with orders in a deep book.
fn with_orders(program: &Path, meter: &mut Meter) -> Result<()> {
    for (orders, each) in [(0, "no orders"), (MAX_ORDERS, "16 orders each")] {
        let name = format!("execute_adl_session/{MOST}-of-100000-orders-{orders:02}");
        meter.measure(&name, || {
            let setting = Setting {
                orders: Some(orders),
                ..Setting::plain(StageShape::random(100_000))
            };
            let mut stage = Stage::new(program, &setting)?.with_tolerance(0)?;
            let shape = format!("{MOST} of 100,000 cut, with {each} among 10,000 a side");
            Figure::of(&shape, run(&mut stage)?.execute)
        })?;
    }
    Ok(())
}

fn run(stage: &mut Stage) -> Result<Session> {
    let plan = stage.plan(MOST)?;
    let hints = plan.cuts.iter().map(|cut| cut.node).collect::<Vec<_>>();
    let (market, bankrupt) = (stage.market.clone(), stage.bankrupt.address);
    let sandbox = &mut stage.sandbox;
    let (keys, open) = sandbox.open_adl_session(&market, &bankrupt).map_err(told)?;
    let mut steps = Vec::new();
    let nodes = loop {
        let hints = if steps.is_empty() {
            hints.clone()
        } else {
            Vec::new()
        };
        let step = sandbox.advance_adl_session(&market, &keys, NODES_A_STEP, hints);
        steps.push(step.map_err(told)?);
        let state = sandbox.adl_session(&keys).selection;
        let complete = steps.last().is_some_and(is_complete);
        if complete {
            break u32::try_from(state.visited)?;
        }
        ensure!(steps.len() < 100, "the session does not end");
    };
    let selected = sandbox.selected(&market, &keys);
    ensure!(
        selected == plan.counterparties,
        "another selection than planned"
    );
    let execute = sandbox.execute_adl_session(&market, &keys, &stage.keeper, &selected);
    Ok(Session {
        open,
        steps,
        execute,
        nodes,
    })
}

fn is_complete(step: &TxOutcome) -> bool {
    let complete = |event: &BallastEvent| match event {
        BallastEvent::AdlSessionAdvanced(event) => event.complete,
        _ => false,
    };
    step.events.iter().any(complete)
}

impl Session {
    fn total(&self, words: &str) -> Result<Figure> {
        let steps = self.steps.iter().map(|step| step.compute_units);
        let execute = self.execute.clone().map_err(told)?;
        let units = steps.sum::<u64>() + self.open.compute_units + execute.compute_units;
        Ok(Figure {
            shape: format!(
                "{MOST} of 100,000 hostile shorts ({words}): {} transactions",
                self.steps.len() + 2
            ),
            compute_units: Some(units),
            nodes_visited: Some(self.nodes),
            footprint: None,
        })
    }
}

fn measure_parts(session: &Session, meter: &mut Meter) -> Result<()> {
    let one = |outcome: &TxOutcome, shape: &str| Figure {
        shape: shape.to_owned(),
        compute_units: Some(outcome.compute_units),
        nodes_visited: None,
        footprint: None,
    };
    let account = "100,000 positions, with the creation of its account";
    meter.measure("open_adl_session/queue-100000", || {
        Ok(one(&session.open, account))
    })?;
    for (name, step, shape) in [
        ("first", session.steps.first(), "10,000 nodes, 16 hints"),
        ("next", session.steps.get(1), "10,000 nodes"),
    ] {
        if let Some(step) = step {
            meter.measure(&format!("advance_adl_session/{name}"), || {
                Ok(one(step, shape))
            })?;
        }
    }
    meter.measure("execute_adl_session/10-of-100000", || {
        let execute = session.execute.clone().map_err(told)?;
        Ok(one(&execute, "10 of 100,000 cut"))
    })
}

/// A session that nobody has advanced, closed after it has expired.
fn close(program: &Path, meter: &mut Meter) -> Result<()> {
    if !meter.wants("close_adl_session/") {
        return Ok(());
    }
    let mut stage = Stage::new(program, &Setting::plain(StageShape::random(1_000)))?;
    let (market, bankrupt) = (stage.market.clone(), stage.bankrupt.address);
    let sandbox = &mut stage.sandbox;
    let (keys, _) = sandbox.open_adl_session(&market, &bankrupt).map_err(told)?;
    sandbox.advance_slots(151);
    let closed: TxResult = sandbox.close_adl_session(&market, &keys);
    meter.measure("close_adl_session/expired", || {
        Figure::of("expired, nobody selected", closed)
    })
}

fn told(error: TxError) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}
