//! Choosing whom to cut over several calls, where one walk would not fit in one.
//!
//! A selection freezes the round: mark, close price, funding index and who had
//! joined. It then walks the queue in order of keys, as far as each call allows,
//! and keeps the highest ranked positions it meets until they suffice for the lots
//! to close. What everybody may supply are hints: good ones raise the bar early, bad
//! ones change nothing, so that whoever drives a selection cannot decide who is in
//! it. The queue's [`Watch`] follows changes in between.
//!
//! When the walk has seen everything, nobody outside the selection ranks above its
//! last member: no older position, as it stands then, at the frozen round.

use core::cmp::Ordering;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::proof::next_admitted;
use crate::queue::{Queue, QueueRef, Totals, Watch};
use crate::rank::{Exposure, Ranked, Round};

/// Most positions a selection holds: what one transaction can cut although every one of them has as
/// many orders to cancel as a trader may have.
pub const MAX_SELECTED: usize = 16;
/// Fewest nodes a step must be allowed, so that it gets further however deep the tree.
pub const MIN_STEP_NODES: u32 = 256;

/// One position of a selection, as it was when selected.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Member {
    /// What the lots were worth at entry, atoms.
    pub entry: u64,
    /// What they are worth when the equity is zero, less `lots` times the funding
    /// index, atoms.
    pub bankruptcy: i64,
    /// Order of joining the queue.
    pub sequence: u64,
    /// Lots when it was selected, positive.
    pub lots: u32,
    /// Node in the queue.
    pub node: u32,
    /// Lots that may be cut before the cap.
    pub cap_left: u32,
    /// Zero.
    pub _pad: u32,
}

impl Member {
    const fn totals(&self) -> Totals {
        Totals {
            lots: self.lots,
            entry: self.entry,
            bankruptcy: self.bankruptcy,
        }
    }

    fn ranked(&self, round: &Round) -> Result<Ranked, EngineError> {
        let (side, index) = (round.side, round.funding_index);
        let exposure = Exposure::of_totals(&self.totals(), side, index, self.sequence);
        Ranked::new(round, &exposure)
    }

    /// Whether its node still holds the position that was selected.
    #[must_use]
    pub fn is_in(&self, queue: &QueueRef<'_>) -> bool {
        let entry = queue.entry(self.node);
        entry.is_ok_and(|entry| entry.sequence == self.sequence && entry.is_selected())
    }
}

/// The highest ranked positions met so far, best first. 672 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Selection {
    /// Lots to find counterparties for.
    pub wanted: u64,
    /// Lots that the members may be cut of in total.
    pub found: u64,
    /// Nodes looked at.
    pub visited: u64,
    /// How many members are in use.
    pub len: u32,
    /// Zero.
    pub _pad: u32,
    members: [Member; MAX_SELECTED],
}

const _: () = assert!(core::mem::size_of::<Selection>() == 672);

impl Selection {
    /// Begins a selection for `wanted` lots over a queue, on behalf of the account
    /// `session`. The order is exact, whatever tolerance the round allows.
    ///
    /// `ZeroLots`; `SelectionUnderWay`; `WrongSide`.
    pub fn begin(
        queue: &mut Queue<'_>,
        session: [u8; 32],
        round: &Round,
        wanted: u64,
    ) -> Result<Self, EngineError> {
        let view = queue.as_ref();
        if wanted == 0 {
            return Err(EngineError::ZeroLots);
        }
        if view.header().watch.is_active() {
            return Err(EngineError::SelectionUnderWay);
        }
        if view.side() != round.side {
            return Err(EngineError::WrongSide);
        }
        round.check()?;
        let limit = view.header().next_sequence;
        *queue.watch_mut() = Watch::begin(session, round, limit);
        Ok(Self {
            wanted,
            ..Self::zeroed()
        })
    }

    /// The members, the highest ranked first.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        let len = usize::try_from(self.len).unwrap_or(MAX_SELECTED);
        self.members.get(..len).unwrap_or(&self.members)
    }

    /// Takes the position at `node` in if it ranks high enough; whether it did.
    /// A node without a position is passed by.
    ///
    /// `NoSelection`.
    pub fn offer(&mut self, queue: &mut Queue<'_>, node: u32) -> Result<bool, EngineError> {
        let view = queue.as_ref();
        let round = active(&view)?;
        let watch = &view.header().watch;
        let last = watch.last(&round)?;
        let Ok(entry) = view.entry(node) else {
            return Ok(false);
        };
        let Some(found) = watch.wants(&round, last.as_ref(), entry)? else {
            return Ok(false);
        };
        let totals = entry.totals();
        let cap_left = round.cap_left(u64::from(entry.lots), entry.stamp())?;
        let member = Member {
            entry: totals.entry,
            bankruptcy: totals.bankruptcy,
            sequence: entry.sequence,
            lots: totals.lots,
            node,
            cap_left: u32::try_from(cap_left).map_err(|_| EngineError::Overflow)?,
            _pad: 0,
        };
        self.insert(queue, &round, &found, member)?;
        Ok(true)
    }

    /// Walks on, looking at up to `max_nodes` nodes, at least [`MIN_STEP_NODES`];
    /// whether everything has been seen.
    ///
    /// `NoSelection`.
    pub fn advance(&mut self, queue: &mut Queue<'_>, max_nodes: u32) -> Result<bool, EngineError> {
        let mut budget = max_nodes.max(MIN_STEP_NODES);
        loop {
            let view = queue.as_ref();
            let round = active(&view)?;
            let watch = view.header().watch;
            let last = watch.last(&round)?;
            let step = next_admitted(&view, &round, last.as_ref(), watch.cursor(), budget)?;
            budget = budget
                .checked_sub(step.visited)
                .ok_or(EngineError::Overflow)?;
            let visited = self.visited.checked_add(u64::from(step.visited));
            self.visited = visited.ok_or(EngineError::Overflow)?;
            queue.watch_mut().move_cursor(step.cursor);
            match step.found {
                Some(node) => self.offer(queue, node)?,
                None if step.ended => {
                    queue.watch_mut().finish();
                    return Ok(true);
                }
                None => return Ok(false),
            };
        }
    }

    /// Whether a walk that has seen everything leaves nobody to cut: no member is in the queue any
    /// more, solvent at the close price and below its cap.
    ///
    /// `NoSelection`.
    pub fn is_exhausted(&self, queue: &QueueRef<'_>) -> Result<bool, EngineError> {
        let round = active(queue)?;
        if !queue.header().watch.is_complete() {
            return Ok(false);
        }
        for member in self.members() {
            if member.is_in(queue) && round.may_cut(queue.entry(member.node)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends the selection and sets its members free. Nothing happens when the queue
    /// watches for another session.
    pub fn end(&self, queue: &mut Queue<'_>, session: [u8; 32]) -> Result<(), EngineError> {
        if queue.as_ref().header().watch.session != session {
            return Ok(());
        }
        for member in self.members() {
            release(queue, member)?;
        }
        *queue.watch_mut() = Watch::zeroed();
        Ok(())
    }

    /// Puts a new member in its place and lets those go that are no longer needed.
    fn insert(
        &mut self,
        queue: &mut Queue<'_>,
        round: &Round,
        found: &Ranked,
        member: Member,
    ) -> Result<(), EngineError> {
        let mut place = self.len()?;
        while let Some(before) = place.checked_sub(1) {
            let other = self.member(before)?.ranked(round)?;
            if other.compare(found)? == Ordering::Greater {
                break;
            }
            place = before;
        }
        let mut gone = Gone::new();
        if self.len()? == MAX_SELECTED {
            gone.push(self.drop_last(queue)?)?;
        }
        let len = self.len()?;
        let (from, until) = (place, len.checked_add(1).ok_or(EngineError::Overflow)?);
        let shifted = self.members.get_mut(from..until);
        shifted.ok_or(EngineError::Overflow)?.rotate_right(1);
        *self.members.get_mut(place).ok_or(EngineError::Overflow)? = member;
        self.len = self.len.checked_add(1).ok_or(EngineError::Overflow)?;
        let found = self.found.checked_add(u64::from(member.cap_left));
        self.found = found.ok_or(EngineError::Overflow)?;
        queue.select(member.node, true)?;
        self.trim(queue, &mut gone)?;
        // They may have risen while they were members; then they are met again.
        gone.nodes().iter().try_for_each(|node| queue.follow(*node))
    }

    /// Lets the last members go as long as the others suffice, and raises the bar
    /// to the last one that stays.
    fn trim(&mut self, queue: &mut Queue<'_>, gone: &mut Gone) -> Result<(), EngineError> {
        loop {
            let Some(last) = self.members().last().copied() else {
                return Ok(());
            };
            let without = self.found.checked_sub(u64::from(last.cap_left));
            if without.ok_or(EngineError::Overflow)? >= self.wanted {
                gone.push(self.drop_last(queue)?)?;
                continue;
            }
            if self.found >= self.wanted || self.len()? == MAX_SELECTED {
                queue.watch_mut().raise(&last.totals(), last.sequence);
            }
            return Ok(());
        }
    }

    /// Lets the last member go: its node, if its position is still there.
    fn drop_last(&mut self, queue: &mut Queue<'_>) -> Result<Option<u32>, EngineError> {
        let len = self.len()?.checked_sub(1).ok_or(EngineError::Overflow)?;
        let last = *self.member(len)?;
        let there = release(queue, &last)?;
        let found = self.found.checked_sub(u64::from(last.cap_left));
        self.found = found.ok_or(EngineError::Overflow)?;
        *self.members.get_mut(len).ok_or(EngineError::Overflow)? = Member::zeroed();
        self.len = self.len.checked_sub(1).ok_or(EngineError::Overflow)?;
        Ok(there.then_some(last.node))
    }

    fn len(&self) -> Result<usize, EngineError> {
        usize::try_from(self.len).map_err(|_| EngineError::Overflow)
    }

    fn member(&self, place: usize) -> Result<&Member, EngineError> {
        self.members.get(place).ok_or(EngineError::Overflow)
    }
}

/// The frozen round of the selection under way. `NoSelection`.
fn active(queue: &QueueRef<'_>) -> Result<Round, EngineError> {
    let watch = &queue.header().watch;
    if !watch.is_active() {
        return Err(EngineError::NoSelection);
    }
    watch.round(queue.side())
}

/// Takes the mark of a member off, if its position is still there; whether it is.
fn release(queue: &mut Queue<'_>, member: &Member) -> Result<bool, EngineError> {
    let there = member.is_in(&queue.as_ref());
    if there {
        queue.select(member.node, false)?;
    }
    Ok(there)
}

/// Nodes of members let go.
struct Gone {
    nodes: [u32; MAX_SELECTED],
    len: usize,
}

impl Gone {
    const fn new() -> Self {
        Self {
            nodes: [0; MAX_SELECTED],
            len: 0,
        }
    }

    fn push(&mut self, node: Option<u32>) -> Result<(), EngineError> {
        if let Some(node) = node {
            let slot = self.nodes.get_mut(self.len);
            *slot.ok_or(EngineError::Overflow)? = node;
            self.len = self.len.wrapping_add(1);
        }
        Ok(())
    }

    fn nodes(&self) -> &[u32] {
        self.nodes.get(..self.len).unwrap_or(&self.nodes)
    }
}
