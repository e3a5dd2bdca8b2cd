//! Deleveraging over several transactions, where the walk of an exact proof does not fit in one:
//! open, advance until complete, execute. Whoever opened a session, everybody drives it.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::adl_session::{
    selected, AdvanceAdlSession, CloseAdlSession, CreateSessionAccount, ExecuteAdlSession,
    OpenAdlSession, SessionKeys,
};
use ballast_client::instructions::wind_down::WriteOffBankrupt;
use ballast_client::ranking::{self, Request};
use ballast_engine::adl::Deleveraging;
use ballast_engine::liquidation::{need, Need};
use ballast_engine::queue::QueueRef;
use ballast_engine::selection::MAX_SELECTED;
use ballast_engine::units::Side;
use ballast_state::adl_session::AdlSession;
use solana_instruction::Instruction;

use super::{deleverage, fit, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::evaluate::{Job, Task};
use crate::market::Present;
use crate::positions::PositionRecord;

/// A step of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStep {
    /// Its account is created, the round frozen, and the walk begun.
    Open,
    /// The walk goes on.
    Advance,
    /// The bankrupt position is closed against so many selected.
    Execute {
        /// How many; when nobody is, the next pass is opened instead.
        selected: usize,
    },
    /// Nobody can be cut in a market that has ended: the position is written off.
    WriteOff,
    /// It came to nothing.
    Close,
}

/// What a keeper brings to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// Key of an account that does not exist; it signs when a session is opened.
    pub fresh: Pubkey,
    /// Rent of a session account, lamports.
    pub rent_lamports: u64,
    /// Nodes that one call may look at: about 100 compute units each.
    pub max_nodes: u32,
}

/// The session that is under way over a queue, to be read before [`plan`].
#[must_use]
pub fn under_way(queue: &QueueRef<'_>) -> Option<Pubkey> {
    let watch = &queue.header().watch;
    watch
        .is_active()
        .then(|| Pubkey::new_from_array(watch.session))
}

/// Plans the next step of a session for a bankrupt position: of the one under way over the queue
/// of its counterparties, whoever it is for, or the opening of one. `session` is the account that
/// [`under_way`] names.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    job: &Job,
    present: &Present<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
    means: &Means,
    session: Option<&AdlSession>,
) -> Result<Planned, PlanError> {
    let Some(record) = present.state.positions.get(&job.trader) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let Some(side) = record.position.side().map(Side::opposite) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let queue = lists.queue(side)?;
    if under_way(queue).is_some() {
        let session = session.ok_or(PlanError::Missing("the session under way"))?;
        return step(present, queue, own, means, session);
    }
    if present.state.market.mode().has_ended() {
        return open(present, record, queue, own, means);
    }
    let position = present.settled(record)?;
    let input = present.liquidation(record, position);
    if need(&input)? != Need::Deleverage {
        return Ok(Planned::Nothing(Idle::Gone));
    }
    if let Some(plan) = deleverage::before(present, record, &input, lists, own)? {
        return Ok(Planned::Send(Box::new(plan)));
    }
    open(present, record, queue, own, means)
}

/// The next step of the session under way over `queue`; nothing while it can only be waited for.
///
/// # Errors
/// [`PlanError`]; `Missing` when there is none under way.
pub fn step(
    present: &Present<'_>,
    queue: &QueueRef<'_>,
    own: &Own<'_>,
    means: &Means,
    session: &AdlSession,
) -> Result<Planned, PlanError> {
    let address = under_way(queue).ok_or(PlanError::Missing("a session under way"))?;
    let session_keys = SessionKeys {
        session: address,
        payer: session.payer,
        bankrupt: session.bankrupt,
    };
    let keys = present.state.keys;
    let bankrupt = session.bankrupt;
    let expired = present.moment.slot > session.expires_slot;
    let record = present.state.positions.get(&bankrupt);
    if let Some(record) = record.filter(|_| !expired) {
        if found_nobody(present, queue, session, record)? {
            let write_off = WriteOffBankrupt {
                keys,
                session: session_keys,
            }
            .instruction();
            let step = SessionStep::WriteOff;
            return Ok(send(bankrupt, step, vec![write_off], Vec::new(), queue));
        }
    }
    let current = match record.filter(|_| !expired) {
        Some(record) if !is_stale(present, queue, session, record)? => Some(record),
        _ => None,
    };
    let Some(record) = current else {
        let close = CloseAdlSession {
            keys,
            session: session_keys,
        }
        .instruction();
        return Ok(send(
            bankrupt,
            SessionStep::Close,
            vec![close],
            Vec::new(),
            queue,
        ));
    };
    if !queue.header().watch.is_complete() {
        let hints = hints(present, record, queue);
        let advance = AdvanceAdlSession {
            keys,
            session: address,
            max_nodes: means.max_nodes,
            hints: &hints,
        }
        .instruction();
        return Ok(send(
            bankrupt,
            SessionStep::Advance,
            vec![advance],
            Vec::new(),
            queue,
        ));
    }
    if !present
        .settled(record)?
        .equity(present.mark.price)?
        .is_negative()
    {
        return Ok(Planned::Nothing(Idle::Gone));
    }
    let listed = selected(session, queue);
    let execute = ExecuteAdlSession {
        keeper: own.authority,
        keys,
        session: session_keys,
        reward_trader: own.address,
        selected: &listed,
    }
    .instruction();
    let instructions = vec![execute];
    if !fit::size(&instructions, &own.payer, own.tables)?.fits() {
        return Err(PlanError::TooLarge);
    }
    let step = SessionStep::Execute {
        selected: listed.len(),
    };
    Ok(send(bankrupt, step, instructions, listed, queue))
}

/// Creates the account, freezes the round and begins the walk.
fn open(
    present: &Present<'_>,
    record: &PositionRecord,
    queue: &QueueRef<'_>,
    own: &Own<'_>,
    means: &Means,
) -> Result<Planned, PlanError> {
    let session_keys = SessionKeys {
        session: means.fresh,
        payer: own.payer,
        bankrupt: record.trader,
    };
    let keys = present.state.keys;
    let hints = hints(present, record, queue);
    let create = CreateSessionAccount {
        payer: own.payer,
        session: means.fresh,
        lamports: means.rent_lamports,
    };
    let open = OpenAdlSession {
        keys,
        session: session_keys,
    };
    let advance = AdvanceAdlSession {
        keys,
        session: means.fresh,
        max_nodes: means.max_nodes,
        hints: &hints,
    };
    let instructions = vec![
        create.instruction(),
        open.instruction(),
        advance.instruction(),
    ];
    Ok(send(
        record.trader,
        SessionStep::Open,
        instructions,
        Vec::new(),
        queue,
    ))
}

/// Whether the session has seen everybody and found nobody, in a market that had ended by then.
fn found_nobody(
    present: &Present<'_>,
    queue: &QueueRef<'_>,
    session: &AdlSession,
    record: &PositionRecord,
) -> Result<bool, PlanError> {
    let ended = present.state.market.mode().has_ended() && session.ended == 1;
    let nobody = queue.header().watch.is_complete() && session.selection.members().is_empty();
    Ok(ended && nobody && has_not_changed(queue, session, record)?)
}

/// Whether neither the bankrupt position nor the pass has changed since the session was opened.
fn has_not_changed(
    queue: &QueueRef<'_>,
    session: &AdlSession,
    record: &PositionRecord,
) -> Result<bool, PlanError> {
    let header = queue.header();
    let round = header.watch.round(queue.side())?;
    let position = record.position.settle(round.funding_index)?;
    Ok(position.lots.get() == session.lots
        && position.entry_quote.get() == session.entry_quote
        && position.margin.get() == session.margin
        && round.epoch == header.adl_epoch)
}

/// Whether the bankrupt position or the pass has changed since the session was opened, neither
/// insurance nor held profit pays for a lot at the frozen price any longer, or nobody is left to cut
/// and no pass can open.
fn is_stale(
    present: &Present<'_>,
    queue: &QueueRef<'_>,
    session: &AdlSession,
    record: &PositionRecord,
) -> Result<bool, PlanError> {
    if !has_not_changed(queue, session, record)? {
        return Ok(true);
    }
    let round = queue.header().watch.round(queue.side())?;
    let position = record.position.settle(round.funding_index)?;
    let wanted = session.selection.wanted;
    let resumed = Deleveraging::resume(&round, &position, wanted, present.insurance);
    let payable = resumed.is_ok_and(|round| round.remaining_lots() > 0);
    let opens_pass = session.selection.members().is_empty() && !selected(session, queue).is_empty();
    Ok(!payable || (session.selection.is_exhausted(queue)? && !opens_pass))
}

/// The nodes that probably rank highest.
fn hints(present: &Present<'_>, record: &PositionRecord, queue: &QueueRef<'_>) -> Vec<u32> {
    let request = Request {
        bankrupt: record.trader,
        max_counterparties: MAX_SELECTED,
        spares: 0,
    };
    let market = &present.state.market;
    let plan = ranking::plan(market, queue, &record.slot(), &present.moment, &request);
    // What the engine refuses now the frozen round may still allow; hints are optional.
    plan.map_or_else(
        |_| Vec::new(),
        |plan| plan.cuts.iter().map(|cut| cut.node).collect(),
    )
}

fn send(
    bankrupt: Pubkey,
    step: SessionStep,
    instructions: Vec<Instruction>,
    listed: Vec<Pubkey>,
    queue: &QueueRef<'_>,
) -> Planned {
    Planned::Send(Box::new(Plan {
        task: Task::Deleverage,
        trader: bankrupt,
        instructions,
        listed,
        effect: Effect::Session(step),
        reads: Reads {
            book: None,
            queue: Some(queue.side()),
        },
    }))
}
