//! The last step of every instruction that writes a cross account: legs and their queues change together,
//! every record whose queue is there is made anew, and no other may flatter.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{
        entry::{Moment, Weakness},
        limits,
    },
    distress::Distress,
    position::Position,
    queue::CutStamp,
    units::{FundingIndex, Side},
};
use ballast_state::{
    cross::{CrossBoard, LegSlot, Legs},
    error::BallastError,
    market::Market,
    queue_account::NO_NODE,
    trader::Trader,
};

use crate::{
    error::{error, OrBallast},
    instructions::position_change::PositionChanges,
    loaders::cross_queues::{missing, CrossQueues},
};

/// The leg that an instruction changed.
#[derive(Clone, Copy, Default)]
pub struct Written {
    /// Index of its slot; `None` where none is open.
    pub index: Option<usize>,
    /// What deleveraging stores in its node.
    pub stamp: Option<CutStamp>,
    /// What a witness has found of the account.
    pub weak: Option<Weakness>,
}

impl Written {
    /// No leg: the pool alone changed.
    pub const NONE: Self = Self {
        index: None,
        stamp: None,
        weak: None,
    };

    /// The leg in the slot `index`.
    pub const fn leg(index: usize) -> Self {
        Self {
            index: Some(index),
            ..Self::NONE
        }
    }
}

/// What is done to a leg.
pub struct LegChange<'a> {
    /// Index of its slot.
    pub index: usize,
    /// The position afterwards.
    pub after: &'a Position,
    /// Index up to which funding is paid.
    pub funding_index: FundingIndex,
    /// What is remembered of its distress; nothing of a leg that is closed.
    pub distress: Distress,
}

/// Changes a leg: its slot, what it claims, the open interest and the number of legs. One that is
/// closed or turned round leaves its queue; the slot of a closed one without orders is free again. The record of one that
/// stays, and its node on a side where it has none, are for [`renew`]. Where it stands then.
///
/// # Errors
/// `CrossQueueMissing`, `Unbalanced`, `NoPosition`.
#[inline(never)]
pub fn store(
    changes: &mut PositionChanges,
    key: &Pubkey,
    trader: &mut Trader,
    queues: &CrossQueues,
    change: &LegChange,
) -> Result<Written> {
    let slot = trader.positions.get_mut(change.index);
    let slot = slot.ok_or_else(|| error!(BallastError::NoPosition))?;
    let before = slot.leg_claim()?;
    changes.apply_leg(&before, change.after, change.funding_index)?;
    let (was, is) = (before.side(), change.after.side());
    if let Some(side) = was.filter(|_| was != is) {
        let node = slot.queue_node;
        queues.write(key, side, |queue| Ok(queue.remove(node)?))?;
        slot.queue_node = NO_NODE;
    }
    let stays = trader.store_leg(change.index, change.after, &change.distress)?;
    Ok(match stays {
        true => Written::leg(change.index),
        false => Written::NONE,
    })
}

/// Fails where a leg that goes from `before` to `after` would let the legs of its side hold more than the market
/// allows them. Its node is as it was.
///
/// # Errors
/// `OpenInterestLimit`, `CrossQueueMissing`, `CrossDisabled`.
pub fn check_interest(
    board: &CrossBoard,
    market: &Market,
    key: &Pubkey,
    queues: &CrossQueues,
    before: &Position,
    after: &Position,
) -> Result<()> {
    let Some(side) = after.side() else {
        return Ok(());
    };
    let own = match before.side() == Some(side) {
        true => before.size(),
        false => 0,
    };
    let most = board.market(board.place(market)?)?.most_lots;
    queues.read(key, side, |queue| {
        let held = queue.header().lots;
        let lots = held.checked_sub(own);
        let lots = lots.and_then(|rest| rest.checked_add(after.size()));
        let lots = lots.ok_or_else(|| error!(BallastError::Overflow))?;
        limits::check_interest(most, held, lots).or_ballast()
    })
}

/// Records anew the leg that was written and all others whose queue is there, at the board's marks, and checks
/// the records of the rest.
///
/// # Errors
/// `CrossQueueMissing`; `CrossRecordStale`, which logs market and side of the queue that is missing;
/// `QueueFull`, `TraderInvariant`.
#[inline(never)]
pub fn renew(
    key: &Pubkey,
    trader: &mut Trader,
    board: &CrossBoard,
    queues: &CrossQueues,
    written: Written,
    now: u64,
) -> Result<()> {
    if trader.cross_legs == 0 {
        return trader.invariant().or_ballast();
    }
    let legs = Legs::at_board(trader, board)?;
    let values = legs.account().values().map_err(BallastError::from)?;
    let mut given = [false; ballast_engine::cross::MOST_LEGS];
    for (given, slot) in given.iter_mut().zip(legs.slots()) {
        let Some((market, side)) = leg_of(trader, slot)? else {
            continue;
        };
        *given = queues.has(&market, side)? || written.index == Some(slot.index);
    }
    let renewed = |place: usize| given.get(place).copied().unwrap_or(false);
    if let Some(place) = legs.flattered(&values, now, renewed)? {
        let slot = legs.slots().get(place).copied().unwrap_or_default();
        let leg = leg_of(trader, &slot)?;
        let (market, side) = leg.ok_or_else(|| error!(BallastError::NoPosition))?;
        return Err(missing(BallastError::CrossRecordStale, &market, side));
    }
    let at = Moment {
        base: board
            .board
            .checkpoints
            .newest()
            .map_err(BallastError::from)?,
        slot: now,
    };
    for (place, slot) in legs.slots().iter().enumerate() {
        if !renewed(place) {
            continue;
        }
        let position = legs.account().recorded(&values, place);
        let position = position.map_err(BallastError::from)?;
        let own = match written.index == Some(slot.index) {
            true => written,
            false => Written::NONE,
        };
        write(key, trader, queues, slot, &position, own, at)?;
    }
    trader.invariant().or_ballast()
}

/// Writes one record into slot and node.
#[inline(never)]
fn write(
    key: &Pubkey,
    trader: &mut Trader,
    queues: &CrossQueues,
    slot: &LegSlot,
    position: &Position,
    written: Written,
    at: Moment,
) -> Result<()> {
    let leg = leg_of(trader, slot)?;
    let (market, side) = leg.ok_or_else(|| error!(BallastError::NoPosition))?;
    let slot = trader.positions.get_mut(slot.index);
    let slot = slot.ok_or_else(|| error!(BallastError::NoPosition))?;
    let node = slot.queue_node;
    slot.queue_node = queues.write(&market, side, |queue| {
        if node == NO_NODE {
            return Ok(queue.insert(key.to_bytes(), position, at)?);
        }
        match (written.stamp, written.weak) {
            (Some(stamp), _) => queue.record_cut(node, position, at, stamp)?,
            (None, Some(weakness)) => queue.witness(node, position, at, weakness)?,
            (None, None) => queue.record(node, position, at)?,
        }
        Ok(node)
    })?;
    slot.store_record(position, written.weak.is_some(), at.slot);
    Ok(())
}

/// Market and side of a leg; `None` where there are orders alone.
fn leg_of(trader: &Trader, slot: &LegSlot) -> Result<Option<(Pubkey, Side)>> {
    let slot = trader.positions.get(slot.index);
    let slot = slot.ok_or_else(|| error!(BallastError::NoPosition))?;
    let side = slot.position()?.side();
    Ok(side.map(|side| (slot.market, side)))
}
