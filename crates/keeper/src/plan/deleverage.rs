//! Deleveraging: the book first while it takes lots, then the highest ranked counterparties.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_client::ranking::{self, AdlPlan, Request};
use ballast_engine::deficit::Deficit;
use ballast_engine::liquidation::{need, LiquidationInput, Need};
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use solana_instruction::Instruction;

use super::liquidate::{self, Call};
use super::{fit, flag_or, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::evaluate::{Job, Task};
use crate::market::Present;
use crate::positions::PositionRecord;

/// Plans a round against the counterparties, or what has to come before it.
pub fn plan(
    job: &Job,
    present: &Present<'_>,
    record: &PositionRecord,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let position = present.settled(record)?;
    if present.state.market.mode().has_ended() {
        return match (position.side(), record.trader == own.address) {
            (None, _) => Ok(Planned::Nothing(Idle::Gone)),
            (Some(_), true) => Ok(Planned::Nothing(Idle::OwnPosition)),
            (Some(side), false) => round(job, present, record, side.opposite(), lists, own),
        };
    }
    let input = present.liquidation(record, position);
    match need(&input)? {
        Need::Nothing | Need::Wait => return Ok(Planned::Nothing(Idle::Gone)),
        Need::Liquidate => return liquidate::plan(job, present, record, lists, own),
        Need::Deleverage => {}
    }
    if record.trader == own.address {
        return Ok(flag_or(Idle::OwnPosition, job, present));
    }
    if let Some(plan) = before(present, record, &input, lists, own)? {
        return Ok(Planned::Send(Box::new(plan)));
    }
    let Some(side) = position.side() else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    round(job, present, record, side.opposite(), lists, own)
}

/// What comes before a round, found by beginning it on a copy: the book where it takes lots at the
/// bankruptcy price, a take-over where insurance pays everything after all.
pub fn before(
    present: &Present<'_>,
    record: &PositionRecord,
    input: &LiquidationInput<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Option<Plan>, PlanError> {
    let Some(side) = input.position.side() else {
        return Ok(None);
    };
    let (book, queue) = (lists.book()?, lists.queue(side.opposite())?);
    let taker = book.best_price_but_of(side, record.trader.as_array())?;
    let market = &present.state.market;
    match ranking::begin(market, queue, &record.slot(), &present.moment, taker) {
        Ok((_, round)) => {
            let begun = round.finish()?;
            match begun.insured == begun.deficit {
                true => liquidate::step(present, record, input, lists, own),
                false => Ok(None),
            }
        }
        Err(EngineError::BookCanAbsorb) => {
            let call = Call {
                present,
                victim: record.trader,
                input,
                lists,
                book,
                own,
                leg: None,
            };
            call.by_the_book()
        }
        Err(error) => Err(error.into()),
    }
}

/// A round against the queue of `side`.
fn round(
    job: &Job,
    present: &Present<'_>,
    record: &PositionRecord,
    side: Side,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    if present.state.market.cross_legs > 0 {
        return match crate::cross::round(job, present, lists, own)? {
            Planned::Nothing(idle) => Ok(flag_or(idle, job, present)),
            planned => Ok(planned),
        };
    }
    let size = record.position.size();
    let request = Request {
        bankrupt: record.trader,
        max_counterparties: own.options.max_counterparties,
        spares: own.options.spares,
    };
    let market = &present.state.market;
    let queue = lists.queue(side)?;
    let planned = match ranking::plan(market, queue, &record.slot(), &present.moment, &request) {
        Ok(planned) => planned,
        Err(EngineError::NotBankrupt | EngineError::NoPosition) => {
            return Ok(Planned::Nothing(Idle::Gone));
        }
        Err(error) => return Err(error.into()),
    };
    if planned.cuts.is_empty() {
        return Ok(flag_or(Idle::NobodyEligible, job, present));
    }
    let round = Round {
        present,
        own,
        plan: &planned,
        // One that is closed whole takes its flags along.
        flags: job.flag_due && planned.summary.lots < size,
    };
    let listed = &planned.counterparties;
    let fitting = fit::longest(listed, own, |listed| round.instructions(listed))?;
    let listed = listed.get(..fitting).unwrap_or(listed).to_vec();
    Ok(Planned::Send(Box::new(round.plan(listed, side, size))))
}

struct Round<'a> {
    present: &'a Present<'a>,
    own: &'a Own<'a>,
    plan: &'a AdlPlan,
    /// Whether the flag goes along.
    flags: bool,
}

impl Round<'_> {
    fn instructions(&self, listed: &[Pubkey]) -> Vec<Instruction> {
        let (keys, own) = (self.present.state.keys, self.own);
        let bankrupt = self.plan.bankrupt;
        let mut instructions = Vec::with_capacity(2);
        if self.flags {
            let flag = anyone::FlagBankruptcy {
                keys,
                trader: bankrupt,
            };
            instructions.push(flag.instruction());
        }
        let deleverage = anyone::AutoDeleverage {
            keeper: own.authority,
            keys,
            bankrupt,
            reward_trader: own.address,
            counterparties: listed,
        };
        instructions.push(deleverage.instruction());
        instructions
    }

    fn plan(&self, listed: Vec<Pubkey>, side: Side, of_lots: u64) -> Plan {
        let cuts = self.plan.cuts.iter().take(listed.len());
        let lots = cuts.clone().map(|cut| cut.cut.lots).sum();
        let summary = &self.plan.summary;
        let deficit = Deficit::new(summary.deficit, summary.insured, of_lots);
        Plan {
            task: Task::Deleverage,
            trader: self.plan.bankrupt,
            instructions: self.instructions(&listed),
            effect: Effect::Deleveraging {
                lots,
                of_lots,
                cuts: cuts.len(),
                insurance_atoms: deficit.insurance_for(lots).unwrap_or(0),
            },
            reads: Reads {
                book: None,
                queue: Some(side),
            },
            listed,
        }
    }
}
