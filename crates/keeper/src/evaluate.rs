//! What needs doing in a market at a moment: every position judged by the engine, the worst first.

use core::cmp::Ordering;

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_engine::health::Look;
use ballast_engine::liquidation::{health, look, need, Distance, Health, Need};
use ballast_engine::oracle::{Action, PriceFault, MOST_COUNTED_SECONDS};
use ballast_engine::position::Position;
use ballast_engine::price_levels::ratio_bps;
use ballast_engine::units::Atoms;
use ballast_engine::EngineError;
use ballast_state::exchange::{Exchange, PAUSE_DELEVERAGE, PAUSE_LIQUIDATE, PAUSE_TRADE};
use ballast_state::pause::clocks_run;
use ballast_state::trigger::TriggerKind;

use crate::backstop;
use crate::config::Work;
use crate::market::{MarketState, Present, Unready};
use crate::positions::PositionRecord;
use crate::protections;
use crate::wind_down;

/// What the evaluation depends on beside the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// The exchange's `PAUSE_*` flags in force.
    pub pause_flags: u32,
    /// Funding is accrued when its last accrual is this many seconds old.
    pub funding_seconds: u64,
    /// A pool's margin is moved when it is off by this much of what it is to be, basis points.
    pub sync_pool_bps: u32,
}

impl Conditions {
    /// Those of an exchange in `slot`, for a keeper that works so.
    #[must_use]
    pub fn of(exchange: &Exchange, slot: u64, work: &Work) -> Self {
        Self {
            pause_flags: exchange.pauses(slot),
            funding_seconds: work.funding_seconds,
            sync_pool_bps: work.sync_pool_bps,
        }
    }

    pub(crate) const fn allow(&self, flags: u32) -> bool {
        self.pause_flags & flags == 0
    }
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Task {
    /// `sync_pool`: margin moves between a pool's free collateral and its position.
    SyncPool,
    /// `liquidate` a step, or flag the position where nobody takes its lots.
    Liquidate,
    /// `liquidate_into_pool`, alone or after a `liquidate`: what a [`Self::Liquidate`] comes to where the
    /// market's pool takes lots.
    LiquidateIntoPool,
    /// `auto_deleverage`, or `liquidate` into the book where that takes lots.
    Deleverage,
    /// `flag_bankruptcy`: the position is in distress and its flags do not say so.
    Flag,
    /// `execute_trigger` of this kind.
    Trigger(TriggerKind),
    /// `execute_protection`: the margin ratio is below a protective step.
    Protection,
    /// `unwind_pool`: a part of a pool's position is closed against the book.
    UnwindPool,
    /// `flag_bankruptcy`: the position has recovered and its flags do not say so.
    Unflag,
    /// `record_marks`: marks of the board that have moved or are old.
    RecordMarks,
    /// `freeze_mark`: a mark of the board whose price has died.
    FreezeMark,
    /// `flag_leg`: the account of a leg is in distress or has recovered, and the leg's flags do not say so.
    FlagLeg,
    /// `liquidate_leg`: a step, or the flag where nobody takes its lots.
    LiquidateLeg,
    /// `auto_deleverage_cross` of a leg, or what has to come before it.
    DeleverageLeg,
    /// `refresh_ranks` or `witness_ranks` of legs that a round asks for: what a deleveraging comes to before it.
    RefreshRanks,
    /// `execute_trigger` of a leg.
    TriggerLeg(TriggerKind),
    /// `execute_protection` of a leg: the margin ratio of its account is below a protective step.
    ProtectLeg,
    /// `part_leg`: a leg of a market that has ended.
    PartLeg,
    /// `accrue_funding`.
    AccrueFunding,
    /// `declare_dead`: no price has been recorded for so long.
    DeclareDead,
    /// `begin_settlement`: the end of the market has come.
    BeginSettlement,
    /// `count_claims`: deficits were written off, and nobody is bankrupt any more.
    CountClaims,
    /// `settle_position` of an account in a market that has ended.
    Settle,
    /// `close_market`: nobody has anything in it any more.
    CloseMarket,
}

impl Task {
    /// A name for logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Place in the order of jobs.
    const fn urgency(self) -> u8 {
        match self {
            // Margin that a pool has comes before a liquidation of its position.
            Self::SyncPool => 0,
            Self::Liquidate
            | Self::LiquidateIntoPool
            | Self::Deleverage
            | Self::LiquidateLeg
            | Self::DeleverageLeg
            | Self::RefreshRanks => 1,
            Self::Flag | Self::FlagLeg => 2,
            Self::Trigger(_) | Self::Protection | Self::TriggerLeg(_) | Self::ProtectLeg => 3,
            Self::UnwindPool => 4,
            Self::Unflag => 5,
            Self::AccrueFunding | Self::RecordMarks | Self::FreezeMark => 6,
            Self::DeclareDead | Self::BeginSettlement | Self::PartLeg => 7,
            Self::CountClaims => 8,
            Self::Settle => 9,
            Self::CloseMarket => 10,
        }
    }

    /// Whether it is done for a pool itself.
    #[must_use]
    pub const fn tends_pool(self) -> bool {
        matches!(self, Self::SyncPool | Self::UnwindPool)
    }

    /// Whether it closes lots as the position's owner or the pool that has it wishes, or moves the pool's margin: who
    /// is short of collateral then is not the keeper.
    #[must_use]
    pub const fn is_wished(self) -> bool {
        let leg = matches!(self, Self::TriggerLeg(_) | Self::ProtectLeg);
        leg || self.tends_pool() || matches!(self, Self::Trigger(_) | Self::Protection)
    }

    /// Whether it keeps the board.
    #[must_use]
    pub const fn tends_board(self) -> bool {
        matches!(self, Self::RecordMarks | Self::FreezeMark)
    }

    /// Whether it is a round against counterparties: those of a queue follow each other.
    #[must_use]
    pub const fn is_round(self) -> bool {
        matches!(self, Self::Deleverage | Self::DeleverageLeg)
    }

    /// Whether it brings a market to its end, for which nobody is paid.
    #[must_use]
    pub const fn ends_market(self) -> bool {
        matches!(
            self,
            Self::DeclareDead
                | Self::BeginSettlement
                | Self::PartLeg
                | Self::CountClaims
                | Self::Settle
                | Self::CloseMarket
        )
    }
}

/// Something to do, with the figures it was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it does.
    pub task: Task,
    /// Trader account; the default key for funding and for what is about the market.
    pub trader: Pubkey,
    /// Signed lots of its position.
    pub lots: i64,
    /// Equity at the mark, atoms.
    pub equity_atoms: i64,
    /// Maintenance margin at the mark, atoms; 0 for funding.
    pub maintenance_atoms: u64,
    /// Whether `flag_bankruptcy` would change its flags.
    pub flag_due: bool,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Slot of the evaluation.
    pub slot: u64,
}

impl Job {
    /// Equity over maintenance margin, basis points, rounded down; below 10,000 the position may
    /// be liquidated. 0 without a position.
    #[must_use]
    pub fn ratio_bps(&self) -> i64 {
        let ratio = ratio_bps(Atoms::new(self.equity_atoms), self.maintenance_atoms);
        ratio.map_or(i64::MIN, Option::unwrap_or_default)
    }

    /// The more urgent task first, then the worse health.
    #[must_use]
    pub fn before(&self, other: &Self) -> Ordering {
        let urgency = self.task.urgency().cmp(&other.task.urgency());
        urgency
            .then_with(|| self.distance().worse_first(&other.distance()))
            .then_with(|| self.trader.cmp(&other.trader))
    }

    const fn distance(&self) -> Distance {
        Distance {
            equity: Atoms::new(self.equity_atoms),
            maintenance: self.maintenance_atoms,
        }
    }
}

/// How many positions stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were judged.
    pub positions: usize,
    /// Below maintenance, equity not negative.
    pub below_maintenance: usize,
    /// Equity negative.
    pub bankrupt: usize,
    /// Below maintenance, waiting for the ladder's interval.
    pub waiting: usize,
    /// Sum of the deficits of the bankrupt, atoms.
    pub deficit_atoms: u64,
    /// Those whose numbers the engine refuses.
    pub faulty: usize,
}

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Jobs, the most urgent first.
    pub jobs: Vec<Job>,
    /// How the positions stand; all zero where the price does not even serve funding.
    pub counts: Counts,
    /// Why the price may not be used to liquidate a position without an earlier flag. Positions are
    /// flagged as far as it serves for that.
    pub blocked: Option<PriceFault>,
}

/// Judges every position of a market at the clock's moment.
///
/// # Errors
/// [`Unready`].
pub fn evaluate(
    market: &MarketState,
    clock: &Clock,
    conditions: &Conditions,
) -> Result<Evaluation, Unready> {
    if let Some(job) = wind_down::due(market, clock) {
        return Ok(Evaluation {
            jobs: vec![job],
            ..Evaluation::default()
        });
    }
    let present = market.at(clock)?;
    if market.market.mode().has_ended() {
        return Ok(wind_down::ended(&present, conditions));
    }
    let mut evaluation = Evaluation {
        blocked: present.check(Action::FORCE).err(),
        ..Evaluation::default()
    };
    if present.check(Action::Funding).is_ok() {
        let Evaluation { jobs, counts, .. } = &mut evaluation;
        counts.positions = market.positions.len();
        for record in market.positions.records() {
            if judge(&present, record, conditions, counts, jobs).is_err() {
                counts.faulty = counts.faulty.saturating_add(1);
            }
        }
        if backstop::upkeep(&present, conditions, jobs).is_err() {
            counts.faulty = counts.faulty.saturating_add(1);
        }
        let faulty = protections::reached(&present, conditions, jobs);
        counts.faulty = counts.faulty.saturating_add(faulty);
    }
    let diverged = evaluation.blocked == Some(PriceFault::Diverged);
    if funding_is_due(&present, conditions) || diverged && is_to_be_recorded(&present) {
        evaluation.jobs.push(funding(&present));
    }
    evaluation.jobs.sort_unstable_by(Job::before);
    Ok(evaluation)
}

/// Adds what one position needs.
fn judge(
    present: &Present<'_>,
    record: &PositionRecord,
    conditions: &Conditions,
    counts: &mut Counts,
    jobs: &mut Vec<Job>,
) -> Result<(), EngineError> {
    let params = present.state.market.params();
    let position = present.settled(record)?;
    let health = health(&position, present.mark.price, params)?;
    if health != Health::Healthy {
        return distressed(present, record, position, health, conditions, counts, jobs);
    }
    let slot = present.moment.slot;
    let forgets = record.flagged_slot != 0 && {
        let look = look(&position, present.mark.price, params, true)?;
        record.distress().is_stale(look, slot)
    };
    if forgets && flags(present, record) {
        jobs.push(job(present, record, &position, Task::Unflag, true)?);
    }
    if let Some(task) = trigger(present, record, conditions) {
        jobs.push(job(present, record, &position, task, false)?);
    }
    Ok(())
}

/// Adds what a position below maintenance needs.
#[cold]
fn distressed(
    present: &Present<'_>,
    record: &PositionRecord,
    position: Position,
    health: Health,
    conditions: &Conditions,
    counts: &mut Counts,
    jobs: &mut Vec<Job>,
) -> Result<(), EngineError> {
    let input = present.liquidation(record, position);
    let need = need(&input)?;
    if let Health::Bankrupt { deficit } = health {
        counts.bankrupt = counts.bankrupt.saturating_add(1);
        counts.deficit_atoms = counts.deficit_atoms.saturating_add(deficit);
    } else {
        counts.below_maintenance = counts.below_maintenance.saturating_add(1);
    }
    let look = Look {
        counts: clocks_run(conditions.pause_flags),
        ..Look::from(health)
    };
    let stale = input.distress.is_stale(look, present.moment.slot);
    let flag_due = stale && flags(present, record);
    let task = match need {
        _ if !forces(present, record) => None,
        Need::Liquidate if conditions.allow(PAUSE_LIQUIDATE) => Some(Task::Liquidate),
        Need::Deleverage if conditions.allow(PAUSE_DELEVERAGE) => Some(Task::Deleverage),
        // The book still may.
        Need::Deleverage if conditions.allow(PAUSE_LIQUIDATE) => Some(Task::Liquidate),
        Need::Wait => {
            counts.waiting = counts.waiting.saturating_add(1);
            None
        }
        Need::Nothing | Need::Liquidate | Need::Deleverage => None,
    };
    let task = task
        .or(flag_due.then_some(Task::Flag))
        .or_else(|| match health {
            Health::Bankrupt { .. } => None,
            _ => trigger(present, record, conditions),
        });
    if let Some(task) = task {
        jobs.push(job(present, record, &position, task, flag_due)?);
    }
    Ok(())
}

/// Whether the price may be used to flag a position.
fn flags(present: &Present<'_>, record: &PositionRecord) -> bool {
    let flagged_slot = record.distress().confirmed_since(present.moment.slot);
    present.check(Action::Flag { flagged_slot }).is_ok()
}

/// Whether the price may be used to liquidate or deleverage a position, or to execute its trigger or
/// protective steps.
pub(crate) fn forces(present: &Present<'_>, record: &PositionRecord) -> bool {
    let flagged_slot = record.distress().confirmed_since(present.moment.slot);
    present.check(Action::Force { flagged_slot }).is_ok()
}

/// Whether recording a price far from its average lets the time until it serves for everything run
/// by as much as one price can.
fn is_to_be_recorded(present: &Present<'_>) -> bool {
    let last = present.state.market.last_price.publish_time;
    let apart = present.price.publish_time.saturating_sub(last);
    apart >= i64::from(MOST_COUNTED_SECONDS) && present.check(Action::Funding).is_ok()
}

fn trigger(
    present: &Present<'_>,
    record: &PositionRecord,
    conditions: &Conditions,
) -> Option<Task> {
    let kind = record.reached(present.moment.price_ticks)?;
    let allowed = conditions.allow(PAUSE_TRADE) && forces(present, record);
    allowed.then_some(Task::Trigger(kind))
}

pub(crate) fn job(
    present: &Present<'_>,
    record: &PositionRecord,
    position: &Position,
    task: Task,
    flag_due: bool,
) -> Result<Job, EngineError> {
    let params = present.state.market.params();
    let distance = Distance::of(position, present.mark.price, params)?;
    Ok(Job {
        task,
        trader: record.trader,
        lots: position.lots.get(),
        equity_atoms: distance.equity.get(),
        maintenance_atoms: distance.maintenance,
        flag_due,
        mark_ticks: present.moment.price_ticks,
        slot: present.moment.slot,
    })
}

fn funding_is_due(present: &Present<'_>, conditions: &Conditions) -> bool {
    let now = present.moment.unix_timestamp;
    let age = now.saturating_sub(present.state.market.funding.last_timestamp);
    u64::try_from(age).is_ok_and(|age| age >= conditions.funding_seconds.max(1))
        && present.check(Action::Funding).is_ok()
}

fn funding(present: &Present<'_>) -> Job {
    Job {
        task: Task::AccrueFunding,
        trader: Pubkey::default(),
        lots: 0,
        equity_atoms: 0,
        maintenance_atoms: 0,
        flag_due: false,
        mark_ticks: present.moment.price_ticks,
        slot: present.moment.slot,
    }
}
