//! A queue in memory.

use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::units::Side;

/// Bytes of a queue, aligned to 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store(Vec<u64>);

impl Store {
    /// An empty queue.
    pub fn new(side: Side, capacity: usize) -> Self {
        let bytes = queue_size(capacity).expect("small");
        let mut store = Self(vec![0; bytes.div_ceil(8)]);
        let words: &mut [u8] = bytemuck::cast_slice_mut(&mut store.0);
        Queue::create(words, [7; 32], side).expect("aligned");
        store
    }

    /// To change.
    pub fn queue(&mut self) -> Queue<'_> {
        Queue::new(bytemuck::cast_slice_mut(&mut self.0)).expect("a queue")
    }

    /// To read.
    pub fn view(&self) -> QueueRef<'_> {
        QueueRef::new(bytemuck::cast_slice(&self.0)).expect("a queue")
    }
}
