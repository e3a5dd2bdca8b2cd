//! From a job to the instructions that do it: whom to list, what to offer, and whether they fit
//! one transaction.

mod deleverage;
pub(crate) mod firing;
pub mod fit;
mod into_pool;
pub(crate) mod liquidate;
mod makers;
mod pool;
pub mod session;

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_client::liquidation::Backing;
use ballast_client::makers::MAX_MAKERS;
use ballast_engine::book::BookRef;
use ballast_engine::position::Position;
use ballast_engine::queue::QueueRef;
use ballast_engine::units::{Atoms, Lots, Side};
use ballast_engine::EngineError;
use ballast_state::error::BallastError;
use ballast_state::trader::Trader;
use solana_instruction::Instruction;
use solana_message::AddressLookupTableAccount;

use crate::cross::plan::{self as cross, is_cross, CrossLists};
use crate::evaluate::{Job, Task};
use crate::market::{MarketState, Present};
use crate::wind_down;
pub use makers::LegMakers;
use session::SessionStep;

/// The order book and the queues as they stand, where a job needs them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lists<'a> {
    /// The book: for liquidations, deleveraging, triggers and protective steps.
    pub book: Option<BookRef<'a>>,
    /// The queue of longs: for deleveraging a short.
    pub queue_long: Option<QueueRef<'a>>,
    /// The queue of shorts: for deleveraging a long.
    pub queue_short: Option<QueueRef<'a>>,
    /// The board, cross queues and accounts with legs: for jobs about legs, and for deleveraging where there
    /// are legs.
    pub cross: Option<&'a CrossLists<'a>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn book(&self) -> Result<&BookRef<'a>, PlanError> {
        self.book.as_ref().ok_or(PlanError::Missing("the book"))
    }

    pub(crate) fn queue(&self, side: Side) -> Result<&QueueRef<'a>, PlanError> {
        match side {
            Side::Long => self.queue_long.as_ref(),
            Side::Short => self.queue_short.as_ref(),
        }
        .ok_or(PlanError::Missing("the queue of the counterparties"))
    }

    pub(crate) fn cross(&self) -> Result<&'a CrossLists<'a>, PlanError> {
        self.cross
            .ok_or(PlanError::Missing("the board and its queues"))
    }
}

/// What a keeper's account offers to take over of a liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// What the book leaves, backed as if every order traded.
    Rest,
    /// The same, backed as if no order traded: orders that cannot trade are removed, and leave
    /// more than was foreseen.
    Whole,
    /// Nothing: the book alone takes lots.
    Nothing,
}

impl TakeOver {
    /// What to offer after the program found the account too poor.
    #[must_use]
    pub const fn after_poor(self) -> Self {
        match self {
            Self::Rest => Self::Whole,
            Self::Whole | Self::Nothing => Self::Nothing,
        }
    }
}

/// How a keeper plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// What its account takes over.
    pub take_over: TakeOver,
    /// Whether a market's pool is offered what nobody else takes.
    pub offer_pool: bool,
    /// How it backs what it takes over.
    pub backing: Backing,
    /// Most makers to list in one call.
    pub max_makers: usize,
    /// Most counterparties to cut in one call.
    pub max_counterparties: usize,
    /// Makers and counterparties to list beyond the ones needed.
    pub spares: usize,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            take_over: TakeOver::Rest,
            offer_pool: true,
            backing: Backing {
                margin_bps: 2_500,
                room_bps: 10_500,
            },
            max_makers: MAX_MAKERS,
            max_counterparties: 16,
            spares: 4,
        }
    }
}

/// The keeper's own accounts and means.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Who pays for transactions.
    pub payer: Pubkey,
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// Its trader account: takes lots over and receives rewards.
    pub address: Pubkey,
    /// What the trader account holds.
    pub trader: &'a Trader,
    /// What is known of makers with orders of legs.
    pub makers: LegMakers<'a>,
    /// What it is about to take over in the market by transactions under way.
    pub promised: &'a [Fill],
    /// Lookup tables that the transaction will name.
    pub tables: &'a [AddressLookupTableAccount],
    /// How it plans.
    pub options: &'a PlanOptions,
}

/// Lots that the keeper's account takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Signed as its position changes.
    pub lots: Lots,
    /// What it pays for them, atoms; signed like the lots.
    pub quote: Atoms,
    /// Free collateral that it puts behind them, atoms.
    pub margin: u64,
}

impl Fill {
    /// Nothing is taken over.
    pub const NOTHING: Self = Self {
        lots: Lots::ZERO,
        quote: Atoms::ZERO,
        margin: 0,
    };

    /// A position after it.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn onto(&self, held: &Position) -> Result<Position, EngineError> {
        let filled = held.fill(self.lots, self.quote)?.position;
        Ok(Position {
            margin: filled.margin.try_add_unsigned(self.margin)?,
            ..filled
        })
    }
}

/// What came of planning a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// Send this.
    Send(Box<Plan>),
    /// Nothing can be done now.
    Nothing(Idle),
}

/// Why nothing can be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// The position is gone, or no longer needs it.
    Gone,
    /// It is the keeper's own position, which the program keeps it from handling.
    OwnPosition,
    /// The book and the pool take nothing, and the keeper's account cannot or may not.
    NoTaker,
    /// No order of the book takes lots of the trigger or the protective step.
    NoOrders,
    /// No order of the book meets the price of the pool's auction.
    NoBids,
    /// No position of the other side may be cut at the close price.
    NobodyEligible,
    /// The ladder's interval is running.
    LadderInterval,
    /// A mark of another leg is too old, and not frozen yet.
    NoMark,
    /// A larger leg of the account comes first.
    OtherLegFirst,
}

impl Idle {
    /// A sentence for logs.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Gone => "the position is gone or has recovered",
            Self::OwnPosition => "it is the keeper's own position",
            Self::NoTaker => "the book and the pool take nothing and the keeper cannot afford it",
            Self::NoOrders => "no order within the worst price of trigger or steps, and the band",
            Self::NoBids => "no order meets the price of the pool's auction",
            Self::NobodyEligible => "no counterparty may be cut at the close price",
            Self::LadderInterval => "the ladder's interval is running",
            Self::NoMark => "the mark of another leg is too old, and not frozen yet",
            Self::OtherLegFirst => "a larger leg of the account comes first",
        }
    }
}

/// A call ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it does; may differ from the job's task.
    pub task: Task,
    /// Trader account it is about; the default key for funding.
    pub trader: Pubkey,
    /// The instructions, without those of the compute budget.
    pub instructions: Vec<Instruction>,
    /// Trader accounts listed behind the last instruction; cross queues and the board are not among them.
    pub listed: Vec<Pubkey>,
    /// What it should come to.
    pub effect: Effect,
    /// What it read: until it has landed, another plan on the same is likely to be stale.
    pub reads: Reads,
}

/// The lists that a plan depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Side of the book whose orders it takes.
    pub book: Option<Side>,
    /// Queue whose positions it cuts.
    pub queue: Option<Side>,
}

/// What a plan should come to if nothing changes before it lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Funding accrues.
    Funding,
    /// Flags are set, renewed or cleared.
    Flags,
    /// A market comes nearer to its end.
    End,
    /// Marks stand on the board, or one is frozen there.
    Marks,
    /// Legs are recorded anew.
    Records {
        /// How many.
        legs: usize,
    },
    /// A step of a liquidation.
    Liquidation {
        /// Lots the book takes.
        book_lots: u64,
        /// What the keeper's account takes over.
        taken: Fill,
        /// Lots the market's pool takes over.
        pool_lots: u64,
        /// What the keeper earns: its share of what the book paid and its discount, atoms.
        income_atoms: u64,
        /// What insurance pays, atoms.
        insurance_atoms: u64,
    },
    /// A part of a pool's position is closed.
    Unwind {
        /// Lots, if every order trades.
        lots: u64,
        /// Lots that are due.
        due_lots: u64,
    },
    /// A pool's margin is moved.
    Sync {
        /// Into its position, atoms; negative out of it.
        moved_atoms: i64,
    },
    /// A trigger closes lots.
    Trigger {
        /// Lots, if every order trades.
        lots: u64,
    },
    /// A protective step closes lots.
    Protection {
        /// Lots, if every order trades.
        lots: u64,
        /// Number of the position that the steps are for.
        sequence: u64,
    },
    /// A step of a deleveraging over several transactions.
    Session(SessionStep),
    /// A round of deleveraging.
    Deleveraging {
        /// Lots closed.
        lots: u64,
        /// Lots of the bankrupt position before.
        of_lots: u64,
        /// Counterparties cut.
        cuts: usize,
        /// What insurance pays, atoms.
        insurance_atoms: u64,
    },
}

impl Effect {
    /// What the keeper's account takes over.
    #[must_use]
    pub const fn taken(&self) -> Fill {
        match self {
            Self::Liquidation { taken, .. } => *taken,
            _ => Fill::NOTHING,
        }
    }

    /// What insurance pays, atoms.
    #[must_use]
    pub const fn insurance_atoms(&self) -> u64 {
        match self {
            Self::Liquidation {
                insurance_atoms, ..
            }
            | Self::Deleveraging {
                insurance_atoms, ..
            } => *insurance_atoms,
            _ => 0,
        }
    }
}

/// Why a job cannot be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A list that the job needs was not given.
    #[error("{0} was not given")]
    Missing(&'static str),
    /// The program would refuse the numbers.
    #[error("the program refuses: {}", .0.name())]
    Program(BallastError),
    /// The engine refuses the numbers.
    #[error("the engine refuses: {0}")]
    Engine(EngineError),
    /// Not even the shortest list fits one transaction.
    #[error("the instruction does not fit one transaction")]
    TooLarge,
}

impl From<EngineError> for PlanError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<BallastError> for PlanError {
    fn from(error: BallastError) -> Self {
        Self::Program(error)
    }
}

impl Plan {
    /// Every account that the call writes, the payer aside, each once.
    #[must_use]
    pub fn writable(&self) -> Vec<Pubkey> {
        let mut keys: Vec<Pubkey> = Vec::new();
        let metas = self.instructions.iter().flat_map(|it| &it.accounts);
        for meta in metas.filter(|meta| meta.is_writable) {
            if !keys.contains(&meta.pubkey) {
                keys.push(meta.pubkey);
            }
        }
        keys
    }
}

/// Plans a job at a moment.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    job: &Job,
    present: &Present<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let keys = present.state.keys;
    if job.task == Task::AccrueFunding {
        let accrue = anyone::AccrueFunding { keys }.instruction();
        return Ok(send(job, job.task, accrue, Effect::Funding));
    }
    if let Some(planned) = ending(job, present.state) {
        return Ok(planned);
    }
    if is_cross(job.task) {
        return cross::plan(job, present, lists, own);
    }
    let Some(record) = present.state.positions.get(&job.trader) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let target = firing::Target {
        present,
        record,
        leg: None,
    };
    match job.task {
        Task::Liquidate => liquidate::plan(job, present, record, lists, own),
        Task::Deleverage => deleverage::plan(job, present, record, lists, own),
        Task::UnwindPool => pool::unwind(present, record, lists, own),
        Task::SyncPool => Ok(pool::sync(present, record)),
        Task::Trigger(kind) => firing::trigger(kind, target, lists, own),
        Task::Protection => firing::protection(target, lists, own),
        _ => Ok(flag(job, present)),
    }
}

/// The plan of a job that brings a market to its end or freezes its mark, for which no price is needed; `None`
/// for another.
#[must_use]
pub fn ending(job: &Job, market: &MarketState) -> Option<Planned> {
    if let Some(planned) = cross::freezing(job, &market.address) {
        return Some(planned);
    }
    let instruction = wind_down::instruction(job, market)?;
    Some(send(job, job.task, instruction, Effect::End))
}

/// `flag_bankruptcy` of the job's position.
fn flag(job: &Job, present: &Present<'_>) -> Planned {
    let task = match job.task {
        Task::Unflag => Task::Unflag,
        _ => Task::Flag,
    };
    let flag = anyone::FlagBankruptcy {
        keys: present.state.keys,
        trader: job.trader,
    }
    .instruction();
    send(job, task, flag, Effect::Flags)
}

/// The flag where it is due, otherwise nothing.
fn flag_or(idle: Idle, job: &Job, present: &Present<'_>) -> Planned {
    if job.flag_due {
        flag(job, present)
    } else {
        Planned::Nothing(idle)
    }
}

fn send(job: &Job, task: Task, instruction: Instruction, effect: Effect) -> Planned {
    Planned::Send(Box::new(Plan {
        task,
        trader: job.trader,
        instructions: vec![instruction],
        listed: Vec::new(),
        effect,
        reads: Reads::default(),
    }))
}
