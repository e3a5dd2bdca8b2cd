//! The nodes that are asked: one at a time, the next when it fails.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::Arc;

use ballast_rpc::cluster::Cluster;
use ballast_rpc::settings::Settings;
use solana_commitment_config::CommitmentConfig;

/// Failures in a row after which the next node is asked.
const ENOUGH: u32 = 3;

/// A node, asked for what is confirmed and for what is final.
pub struct Node {
    /// What is confirmed.
    pub confirmed: Arc<Cluster>,
    /// What is final.
    pub finalized: Arc<Cluster>,
}

impl Node {
    fn new(settings: &Settings) -> Self {
        let finalized = Settings {
            commitment: CommitmentConfig::finalized(),
            ..settings.clone()
        };
        Self {
            confirmed: Arc::new(Cluster::new(settings)),
            finalized: Arc::new(Cluster::new(&finalized)),
        }
    }
}

/// All nodes.
pub struct Nodes {
    all: Vec<Node>,
    using: AtomicUsize,
    failures: AtomicU32,
}

impl Nodes {
    /// Of these, the preferred one first; at least one.
    #[must_use]
    pub fn new(all: &[Settings]) -> Self {
        Self {
            all: all.iter().map(Node::new).collect(),
            using: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
        }
    }

    /// Number of the node that is asked.
    #[must_use]
    pub fn number(&self) -> usize {
        self.using.load(Ordering::Relaxed)
    }

    /// The node that is asked.
    #[must_use]
    pub fn now(&self) -> &Node {
        &self.all[self.number() % self.all.len()]
    }

    /// It answered.
    pub fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// It did not; whether another is asked from now on.
    pub fn failed(&self) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < ENOUGH || self.all.len() < 2 {
            return false;
        }
        self.leave();
        true
    }

    /// Asks the next node from now on.
    pub fn leave(&self) {
        let next = (self.number() + 1) % self.all.len();
        self.using.store(next, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        tracing::warn!(node = %self.now().confirmed.endpoint, "another node is asked");
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Requests made and failed so far, of all nodes.
    #[must_use]
    pub fn requests(&self) -> (u64, u64) {
        let clusters = self
            .all
            .iter()
            .flat_map(|node| [&node.confirmed, &node.finalized]);
        clusters.fold((0, 0), |(made, failed), cluster| {
            let requests = &cluster.requests;
            (made + requests.made(), failed + requests.failed())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_rpc::endpoint::Endpoint;

    fn nodes(count: usize) -> Nodes {
        let settings = Settings::resolve(Some(&Endpoint::new("http://127.0.0.1:1")), None, None);
        Nodes::new(&vec![settings.unwrap(); count])
    }

    #[test]
    fn the_next_node_is_asked_after_three_failures_in_a_row() {
        let nodes = nodes(2);
        let failed = [nodes.failed(), nodes.failed()];
        nodes.answered();
        assert_eq!(
            (failed, nodes.failed(), nodes.number()),
            ([false; 2], false, 0)
        );
        assert_eq!(
            (nodes.failed(), nodes.failed(), nodes.number()),
            (false, true, 1)
        );
        nodes.leave();
        assert_eq!(nodes.number(), 0, "in turn");
    }

    #[test]
    fn the_only_node_is_asked_again_and_again() {
        let nodes = nodes(1);
        assert!((0..9).all(|_| !nodes.failed()));
        assert_eq!(nodes.number(), 0);
    }
}
