//! What a play notes as it goes.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use ballast_keeper::evaluate::Task;
use ballast_report::market_rounds::MarketRound;
use ballast_report::markets::StepLine;
use ballast_rpc::failure::Failure;
use ballast_sandbox::outcome::{TxError, TxOutcome};
use ballast_state::events::{BallastEvent, PositionLiquidated};
use ballast_state::Pubkey;

use super::exchange::Exchange;
use super::facts::Before;
use super::memory::Due;
use crate::crash::stage::conservation_error;

/// What has happened so far.
#[derive(Default)]
pub struct Diary {
    /// Liquidation steps, in order.
    pub liquidations: Vec<StepLine>,
    /// Rounds, in order.
    pub rounds: Vec<MarketRound>,
    /// Accounts that were bankrupt, or a position of which was.
    pub bankrupt: HashSet<Pubkey>,
    /// Calls that the program refused, and about which a keeper can do nothing.
    pub refusals: Vec<String>,
    /// All that it refused, by task and error.
    pub refused: BTreeMap<String, u64>,
    /// Largest difference between claims and tokens.
    pub conservation_error: u64,
    /// Times that was looked at.
    pub conservation_checks: u64,
}

impl Diary {
    /// Jobs at a moment: who is bankrupt.
    pub fn saw(&mut self, jobs: &[Due]) {
        let bankrupt = jobs.iter().filter(|(_, job)| job.equity_atoms < 0);
        self.bankrupt.extend(bankrupt.map(|(_, job)| job.trader));
    }

    /// A call went through; `before` says what stood before a round.
    pub fn note(
        &mut self,
        exchange: &Exchange,
        before: Option<Before>,
        outcome: &TxOutcome,
    ) -> Result<()> {
        if let Some(before) = before {
            let mut round = before.round(exchange, outcome)?;
            round.round = u64::try_from(self.rounds.len())? + 1;
            self.rounds.push(round);
        }
        let after_rounds = u64::try_from(self.rounds.len())?;
        let leg = outcome
            .events
            .iter()
            .any(|event| matches!(event, BallastEvent::LegForced(_)));
        for event in &outcome.events {
            if let BallastEvent::PositionLiquidated(event) = event {
                let line = step(exchange, event);
                self.liquidations.extend(line.map(|line| StepLine {
                    leg,
                    after_rounds,
                    ..line
                }));
            }
        }
        Ok(())
    }

    /// A call was refused.
    pub fn refused(&mut self, task: Task, failure: &Failure) {
        let name = failure.name.as_deref().unwrap_or("the runtime");
        let key = format!("{}: {name}", task.name());
        *self.refused.entry(key).or_default() += 1;
    }

    /// A call was refused for good.
    pub fn gave_up(&mut self, task: Task, error: &TxError) {
        self.refusals.push(format!("{}: {error}", task.name()));
    }

    /// Looks whether every claim has its tokens.
    pub fn check(&mut self, exchange: &Exchange) -> Result<()> {
        let error = conservation_error(&exchange.sandbox)?;
        self.conservation_error = self.conservation_error.max(error);
        self.conservation_checks += 1;
        Ok(())
    }
}

/// A step that closed lots.
fn step(exchange: &Exchange, event: &PositionLiquidated) -> Option<StepLine> {
    (event.lots != 0).then_some(())?;
    Some(StepLine {
        market: exchange.number(&event.market)?,
        timestamp: exchange.sandbox.time(),
        trader: event.trader.to_string(),
        keeper: event.liquidator.to_string(),
        lots: event.lots.unsigned_abs(),
        mark_ticks: event.mark_ticks,
        equity_atoms: event.equity_before_atoms,
        insurance_paid_atoms: event.insurance_paid_atoms + event.held_paid_atoms,
        ..StepLine::default()
    })
}
