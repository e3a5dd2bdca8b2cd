//! The counterparties' queue, rebuilt as an account would hold it.

use std::collections::BTreeMap;

use ballast_engine::adl::CutDone;
use ballast_engine::queue::{queue_size, Queue, QueueEntry};
use ballast_engine::units::Side;
use ballast_engine::EngineError;

use super::{at, Known, Refusal};
use crate::situation::{Candidate, Situation};

pub(super) struct Rebuilt {
    words: Vec<u64>,
    nodes: BTreeMap<String, u32>,
    /// Node of the last one cut, while it is in the queue.
    pub(super) last_node: Option<u32>,
}

impl Rebuilt {
    pub(super) fn new(situation: &Situation, side: Side) -> Result<Self, Refusal> {
        let size = queue_size(situation.queue.len().max(1)).unwrap_or(0);
        let mut rebuilt = Self {
            words: vec![0; size.div_ceil(8)],
            nodes: BTreeMap::new(),
            last_node: None,
        };
        let bytes = bytemuck::cast_slice_mut(&mut rebuilt.words);
        Queue::create(bytes, [0; 32], side).map_err(at("the queue"))?;
        let mut by_age: Vec<&Candidate> = situation.queue.iter().collect();
        by_age.sort_by_key(|candidate| candidate.sequence);
        for candidate in by_age {
            let mut queue = rebuilt.queue().map_err(at("the queue"))?;
            let node = queue
                .insert([0; 32], &candidate.position)
                .and_then(|node| queue.stamp(node, candidate.stamp).map(|()| node))
                .map_err(at(&format!("queueing {}", candidate.trader)))?;
            if rebuilt
                .nodes
                .insert(candidate.trader.clone(), node)
                .is_some()
            {
                return Err(Refusal::Twice(candidate.trader.clone()));
            }
        }
        Ok(rebuilt)
    }

    fn node(&self, candidate: &Candidate) -> Result<u32, EngineError> {
        let node = self.nodes.get(&candidate.trader).copied();
        node.ok_or(EngineError::NodeNotFound)
    }

    pub(super) fn queue(&mut self) -> Result<Queue<'_>, EngineError> {
        Queue::new(bytemuck::cast_slice_mut(&mut self.words))
    }
}

impl Known for Rebuilt {
    fn stored(&mut self, candidate: &Candidate) -> Result<Option<QueueEntry>, EngineError> {
        let node = self.node(candidate)?;
        Ok(Some(*self.queue()?.as_ref().entry(node)?))
    }

    fn follow(&mut self, candidate: &Candidate, cut: &CutDone) -> Result<(), EngineError> {
        let node = self.node(candidate)?;
        let mut queue = self.queue()?;
        self.last_node = if cut.position_after.is_empty() {
            queue.remove(node)?;
            None
        } else {
            queue.update_cut(node, &cut.position_after, cut.stamp)?;
            Some(node)
        };
        Ok(())
    }
}
