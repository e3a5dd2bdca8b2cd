//! What keepers do for a market's pool: closing a part of its position, moving its margin.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone;
use ballast_engine::oracle::Action;

use super::makers::Taking;
use super::{fit, Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};
use crate::evaluate::Task;
use crate::market::Present;
use crate::positions::PositionRecord;

/// Plans a part of the auction by which the pool closes its position.
pub fn unwind(
    present: &Present<'_>,
    record: &PositionRecord,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let Some(pool) = present.pool(Action::Open) else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let Ok(due) = pool.unwind() else {
        return Ok(Planned::Nothing(Idle::Gone));
    };
    let book = lists.book()?;
    let mut listed = pool.unwind_makers(book, &due, own.options.spares)?;
    listed.truncate(own.options.max_makers);
    let taking = Taking {
        makers: own.makers,
        market: present.state,
        side: due.side.opposite(),
        leg: None,
        cross: lists.cross,
    };
    let build = |makers: &[Pubkey]| {
        let unwind = anyone::UnwindPool {
            keeper: own.authority,
            keys: present.state.keys,
            reward_trader: own.address,
            makers: &taking.listed(makers),
        };
        let before = taking.before(makers).into_iter();
        before.chain([unwind.instruction()]).collect()
    };
    listed.truncate(fit::longest(&listed, own, build)?);
    let lots = pool.unwind_fill(book, &due, &listed)?;
    if lots == 0 {
        return Ok(Planned::Nothing(Idle::NoBids));
    }
    Ok(Planned::Send(Box::new(Plan {
        task: Task::UnwindPool,
        trader: record.trader,
        instructions: build(&listed),
        listed,
        effect: Effect::Unwind {
            lots,
            due_lots: due.lots,
        },
        reads: Reads {
            book: Some(due.side.opposite()),
            queue: None,
        },
    })))
}

/// Plans a move of margin between the pool's free collateral and its position.
pub fn sync(present: &Present<'_>, record: &PositionRecord) -> Planned {
    let synced = present.pool_to_sync(record).map(|pool| pool.synced());
    let Some(Ok(synced)) = synced else {
        return Planned::Nothing(Idle::Gone);
    };
    let sync = anyone::SyncPool {
        keys: present.state.keys,
    };
    Planned::Send(Box::new(Plan {
        task: Task::SyncPool,
        trader: record.trader,
        instructions: vec![sync.instruction()],
        listed: Vec::new(),
        effect: Effect::Sync {
            moved_atoms: synced.moved.get(),
        },
        reads: Reads::default(),
    }))
}
