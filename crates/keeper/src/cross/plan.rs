//! From a job about a leg or the board to the instructions that do it. What the job depends on is recorded in
//! the same transaction before it.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{position_queue, CrossQueueList, Site, Traders, Trouble};
use ballast_client::instructions::cross::{FlagLeg, FreezeMark, PartLeg, RecordMarks};
use ballast_client::instructions::MarketKeys;
use ballast_engine::cross::queue::CrossQueueRef;
use ballast_engine::cross::CrossDraws;
use ballast_engine::health::Health;
use ballast_engine::liquidation::{need, LiquidationInput, Need};
use ballast_engine::units::Side;
use ballast_state::error::BallastError;
use ballast_state::trader::Trader;
use ballast_state::trigger::TriggerKind;
use solana_instruction::Instruction;

use super::{round, Floor};
use crate::evaluate::{Job, Task};
use crate::market::Present;
use crate::plan::{firing, liquidate, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::positions::PositionRecord;

/// What jobs about legs depend on beside the lists of their market.
#[derive(Clone, Copy)]
pub struct CrossLists<'a> {
    /// All markets with cross margin, and the board.
    pub floor: &'a Floor<'a>,
    /// The cross queue of the market's longs.
    pub queue_long: CrossQueueRef<'a>,
    /// That of its shorts.
    pub queue_short: CrossQueueRef<'a>,
    /// The account that the job is about, and those of all legs in the cross queues.
    pub accounts: &'a dyn Traders,
}

impl core::fmt::Debug for CrossLists<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CrossLists").finish_non_exhaustive()
    }
}

impl<'a> CrossLists<'a> {
    /// What insurance has paid lately for the market's legs.
    #[must_use]
    pub const fn draws(&self) -> CrossDraws {
        self.queue_long.header().draws
    }

    /// The cross queue of a side.
    #[must_use]
    pub const fn queue(&self, side: Side) -> CrossQueueRef<'a> {
        match side {
            Side::Long => self.queue_long,
            Side::Short => self.queue_short,
        }
    }

    /// Records the marks that are due; no instruction where none is.
    pub(crate) fn record(&self) -> Option<Instruction> {
        let markets: Vec<MarketKeys> = self
            .floor
            .unrecorded()
            .map(|present| present.state.keys)
            .collect();
        let record = RecordMarks { markets: &markets };
        (!markets.is_empty()).then(|| record.instruction())
    }
}

/// Whether a job is about a leg or the board.
#[must_use]
pub const fn is_cross(task: Task) -> bool {
    matches!(
        task,
        Task::RecordMarks
            | Task::FreezeMark
            | Task::FlagLeg
            | Task::LiquidateLeg
            | Task::DeleverageLeg
            | Task::RefreshRanks
            | Task::TriggerLeg(_)
            | Task::ProtectLeg
            | Task::PartLeg
    )
}

/// The plan of a job that freezes the mark of a market, for which no price is needed; `None` for another.
#[must_use]
pub fn freezing(job: &Job, market: &Pubkey) -> Option<Planned> {
    let freeze = FreezeMark { market: *market };
    (job.task == Task::FreezeMark).then(|| send(job, vec![freeze.instruction()], Effect::Marks))
}

/// Plans a job about a leg, or one that records marks.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    job: &Job,
    present: &Present<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let cross = lists.cross()?;
    if job.task == Task::RecordMarks {
        let record = cross.record().into_iter().collect();
        return Ok(send(job, record, Effect::Marks));
    }
    let Some(trader) = cross.accounts.trader(&job.trader) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let site = cross.floor.site(present);
    if trader.find_leg(&site.key).is_none() {
        return Ok(Planned::Nothing(Idle::Gone));
    }
    let leg = LegJob {
        job,
        present,
        lists,
        cross,
        own,
        site: &site,
        trader,
    };
    match job.task {
        Task::PartLeg => leg.part(),
        Task::FlagLeg => Ok(leg.flag()),
        Task::TriggerLeg(kind) => leg.fire(Some(kind)),
        Task::ProtectLeg => leg.fire(None),
        _ => leg.force(),
    }
}

/// A job about a leg.
struct LegJob<'a> {
    job: &'a Job,
    present: &'a Present<'a>,
    lists: &'a Lists<'a>,
    cross: &'a CrossLists<'a>,
    own: &'a Own<'a>,
    site: &'a Site<'a>,
    trader: &'a Trader,
}

impl LegJob<'_> {
    fn flag(&self) -> Planned {
        let flag = FlagLeg {
            keys: self.present.state.keys,
            trader: self.job.trader,
        };
        let job = Job {
            task: Task::FlagLeg,
            ..*self.job
        };
        let record = self.cross.record().into_iter();
        let all = record.chain([flag.instruction()]).collect();
        send(&job, all, Effect::Flags)
    }

    fn flag_or(&self, idle: Idle) -> Planned {
        match self.job.flag_due {
            true => self.flag(),
            false => Planned::Nothing(idle),
        }
    }

    fn part(&self) -> Result<Planned, PlanError> {
        let written = self.site.parted(self.trader)?;
        let mut queues = CrossQueueList::of(&[self.own_queue()?]);
        queues.admit(&written, self.site.board, self.site.slot)?;
        let part = PartLeg {
            keys: self.present.state.keys,
            trader: self.job.trader,
            queues: queues.queues(),
        };
        let record = self.cross.record().into_iter();
        let all = record.chain([part.instruction()]).collect();
        Ok(send(self.job, all, Effect::End))
    }

    /// The cross queue of the leg.
    fn own_queue(&self) -> Result<Pubkey, PlanError> {
        let (site, leg) = (self.site, self.trader.leg(&self.site.key)?);
        Ok(position_queue(leg, site.market, Some(site.board))?)
    }

    /// Its trigger of `kind`, or its protective step where that is `None`.
    fn fire(&self, kind: Option<TriggerKind>) -> Result<Planned, PlanError> {
        let slot = self.trader.leg(&self.site.key)?;
        let Some(record) = PositionRecord::of(&self.job.trader, slot)? else {
            return Ok(Planned::Nothing(Idle::Gone));
        };
        let target = firing::Target {
            present: self.present,
            record: &record,
            leg: Some((self.site, self.trader)),
        };
        match kind {
            Some(kind) => firing::trigger(kind, target, self.lists, self.own),
            None => match firing::protection(target, self.lists, self.own) {
                Err(PlanError::Program(BallastError::CrossMarkStale)) => {
                    Ok(Planned::Nothing(Idle::NoMark))
                }
                planned => planned,
            },
        }
    }

    /// A step of a liquidation, or a round.
    fn force(&self) -> Result<Planned, PlanError> {
        let trouble = match self.site.trouble(self.trader, true) {
            Ok(trouble) => trouble,
            Err(BallastError::CrossMarkStale) => return Ok(Planned::Nothing(Idle::NoMark)),
            Err(error) => return Err(error.into()),
        };
        let draws = self.cross.draws();
        let input = self.site.liquidation(self.trader, &trouble, &draws)?;
        let need = need(&input)?;
        if self.job.trader == self.own.address {
            return Ok(self.flag_or(Idle::OwnPosition));
        }
        match need {
            Need::Nothing => Ok(Planned::Nothing(Idle::Gone)),
            Need::Wait => Ok(self.flag_or(Idle::LadderInterval)),
            Need::Liquidate => self.liquidate(&trouble, &input),
            Need::Deleverage => self.deleverage(&trouble, &input),
        }
    }

    fn liquidate(
        &self,
        trouble: &Trouble,
        input: &LiquidationInput<'_>,
    ) -> Result<Planned, PlanError> {
        match self.site.check_order(self.trader, trouble) {
            Ok(()) => {}
            Err(BallastError::CrossLegOrder) => return Ok(self.flag_or(Idle::OtherLegFirst)),
            Err(error) => return Err(error.into()),
        }
        let call = self.call(trouble);
        let step = liquidate::leg_step(
            self.present,
            self.job.trader,
            input,
            self.lists,
            self.own,
            &call,
        )?;
        Ok(match step {
            Some(plan) => Planned::Send(Box::new(plan)),
            None => self.flag_or(Idle::NoTaker),
        })
    }

    fn call<'s>(&'s self, trouble: &'s Trouble) -> liquidate::LegCall<'s> {
        liquidate::LegCall {
            site: self.site,
            trader: self.trader,
            trouble,
            before: self.cross.record(),
        }
    }

    /// The book where it takes lots at the leg's bankruptcy price, insurance where it pays everything, otherwise
    /// the counterparties.
    fn deleverage(
        &self,
        trouble: &Trouble,
        input: &LiquidationInput<'_>,
    ) -> Result<Planned, PlanError> {
        let in_order = self.site.check_order(self.trader, trouble).is_ok();
        let covered = match trouble.forced.look.health {
            Health::Bankrupt { deficit } => deficit <= input.insurance_available,
            _ => false,
        };
        if covered && in_order {
            if let Planned::Send(plan) = self.liquidate(trouble, input)? {
                if plan.task == Task::LiquidateLeg {
                    return Ok(Planned::Send(plan));
                }
            }
        }
        match round::plan(self.job, self.present, self.lists, self.own) {
            Err(PlanError::Program(BallastError::BookCanAbsorb)) if in_order => {
                self.liquidate(trouble, input)
            }
            Err(PlanError::Program(BallastError::BookCanAbsorb)) => {
                Ok(self.flag_or(Idle::OtherLegFirst))
            }
            Ok(Planned::Nothing(idle)) => Ok(self.flag_or(idle)),
            other => other,
        }
    }
}

pub(super) fn send(job: &Job, instructions: Vec<Instruction>, effect: Effect) -> Planned {
    if instructions.is_empty() {
        return Planned::Nothing(Idle::Gone);
    }
    Planned::Send(Box::new(Plan {
        task: job.task,
        trader: job.trader,
        instructions,
        listed: Vec::new(),
        effect,
        reads: Reads::default(),
    }))
}
