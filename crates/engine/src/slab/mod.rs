//! A balanced tree over a borrowed slice of nodes, with a summary of each subtree.
//!
//! The slice is the whole store: links are `u32` positions in it, nothing is
//! allocated, and a node keeps its position from insertion to removal, whatever
//! the tree does around it. Freed nodes are linked through `left` and reused.
//! No function recurses.

mod iter;
mod tree;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;

pub use iter::InOrder;
pub use tree::Tree;

/// The link that leads nowhere.
pub const NIL: u32 = u32::MAX;

/// Above the height of any balanced tree of fewer than 2^32 nodes.
pub const MAX_HEIGHT: usize = 48;

/// State of a tree beside its nodes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct TreeHeader {
    /// Position of the root, or `NIL`.
    pub root: u32,
    /// First node of the free list, or `NIL`.
    pub free_head: u32,
    /// Nodes from this position on have never been used.
    pub high_water: u32,
    /// Nodes in the tree.
    pub len: u32,
}

impl TreeHeader {
    /// A tree of no nodes.
    pub const EMPTY: Self = Self {
        root: NIL,
        free_head: NIL,
        high_water: 0,
        len: 0,
    };
}

/// Links of one node.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Links {
    /// Child with smaller keys, or `NIL`; next free node when not in the tree.
    pub left: u32,
    /// Child with larger keys, or `NIL`.
    pub right: u32,
}

impl Links {
    /// A node without children.
    pub const LEAF: Self = Self {
        left: NIL,
        right: NIL,
    };
}

/// What a node that joined or left a subtree does to the summary stored at its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjusted {
    /// Nothing, and so nothing further up.
    Same,
    /// It is up to date now.
    Changed,
    /// That cannot be told without the children; nothing was written.
    Unknown,
}

/// What a tree needs to know of its nodes.
pub trait TreeNode: Pod {
    /// Orders the tree; unique within it.
    type Key: Ord + Copy;
    /// What a node knows of the subtree it heads.
    type Summary: Copy + Eq;

    /// The node's key.
    fn key(&self) -> Self::Key;
    /// The node's links.
    fn links(&self) -> &Links;
    /// The node's links, to change.
    fn links_mut(&mut self) -> &mut Links;
    /// Nodes on the longest way down, this one included; 0 when not in the tree.
    fn height(&self) -> u8;
    /// Stores the height.
    fn set_height(&mut self, height: u8);
    /// The stored summary of the node's subtree.
    fn summary(&self) -> Self::Summary;
    /// Stores the summary of the node's subtree.
    fn set_summary(&mut self, summary: Self::Summary);
    /// The summary of this node and its children's stored summaries.
    fn summarise(&self, left: Option<&Self>, right: Option<&Self>) -> Self::Summary;

    /// Brings the stored summary up to date after a node joined the subtree; `leaf` is the summary
    /// of that node alone.
    fn join(&mut self, leaf: &Self::Summary) -> Adjusted {
        let _ = leaf;
        Adjusted::Unknown
    }

    /// The same after a node left the subtree.
    fn leave(&mut self, leaf: &Self::Summary) -> Adjusted {
        let _ = leaf;
        Adjusted::Unknown
    }
}

/// Who is told which nodes change: nobody, or somebody who wants to undo that.
pub trait Journal: Copy {
    /// The node at `index` is about to change, or one there to come into being.
    fn note(self, index: u32);
}

impl Journal for () {
    #[inline]
    fn note(self, _index: u32) {}
}

/// A tree to read.
#[derive(Debug)]
pub struct TreeRef<'a, N> {
    header: &'a TreeHeader,
    nodes: &'a [N],
}

impl<N> Clone for TreeRef<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for TreeRef<'_, N> {}

impl<'a, N: TreeNode> TreeRef<'a, N> {
    /// A view of a tree.
    #[must_use]
    pub const fn new(header: &'a TreeHeader, nodes: &'a [N]) -> Self {
        Self { header, nodes }
    }

    /// The whole slice, free nodes included.
    pub(crate) const fn nodes(&self) -> &'a [N] {
        self.nodes
    }

    /// Number of nodes in the tree.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.header.len
    }

    /// Whether the tree has no nodes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.header.len == 0
    }

    /// Position of the root, or `NIL`.
    #[must_use]
    pub const fn root(&self) -> u32 {
        self.header.root
    }

    /// The node at a position reached through a link. `TreeCorrupt` outside the
    /// slice.
    pub fn linked(&self, index: u32) -> Result<&'a N, EngineError> {
        node_at(self.nodes, index)
    }

    /// The node of the tree at `index`. `NodeNotFound` when there is none.
    pub fn get(&self, index: u32) -> Result<&'a N, EngineError> {
        live(self.nodes, index)
    }

    /// Position of the node with this key, if there is one.
    pub fn find(&self, key: N::Key) -> Result<Option<u32>, EngineError> {
        let mut index = self.header.root;
        for _ in 0..=MAX_HEIGHT {
            if index == NIL {
                return Ok(None);
            }
            let node = self.linked(index)?;
            index = match key.cmp(&node.key()) {
                core::cmp::Ordering::Less => node.links().left,
                core::cmp::Ordering::Greater => node.links().right,
                core::cmp::Ordering::Equal => return Ok(Some(index)),
            };
        }
        Err(EngineError::TreeCorrupt)
    }

    /// Visits the tree in order of keys.
    #[must_use]
    pub const fn iter(&self) -> InOrder<'a, N> {
        InOrder::new(*self)
    }

    /// Visits the tree in order of keys, the last one first.
    #[must_use]
    pub const fn iter_back(&self) -> InOrder<'a, N, true> {
        InOrder::new(*self)
    }

    /// Checks order, balance, heights, summaries, the count and the free list in
    /// one walk. `TreeCorrupt` when any is wrong.
    pub fn invariant(&self) -> Result<(), EngineError> {
        let mut count = 0_u32;
        let mut before: Option<N::Key> = None;
        for step in self.iter() {
            let (_, node) = step?;
            if before.is_some_and(|key| key >= node.key()) {
                return Err(EngineError::TreeCorrupt);
            }
            before = Some(node.key());
            self.node_invariant(node)?;
            count = count.checked_add(1).ok_or(EngineError::Overflow)?;
        }
        let free = self.count_free()?;
        let used = count.checked_add(free).ok_or(EngineError::Overflow)?;
        if count == self.header.len && used == self.header.high_water {
            Ok(())
        } else {
            Err(EngineError::TreeCorrupt)
        }
    }

    fn node_invariant(&self, node: &N) -> Result<(), EngineError> {
        let links = node.links();
        let left = child(self.nodes, links.left)?;
        let right = child(self.nodes, links.right)?;
        let (low, high) = (height(left), height(right));
        let tallest = low.max(high).checked_add(1).ok_or(EngineError::Overflow)?;
        let sound = node.height() == tallest
            && low.abs_diff(high) <= 1
            && node.summary() == node.summarise(left, right);
        if sound {
            Ok(())
        } else {
            Err(EngineError::TreeCorrupt)
        }
    }

    fn count_free(&self) -> Result<u32, EngineError> {
        let (mut count, mut index) = (0_u32, self.header.free_head);
        while index != NIL {
            let node = self.linked(index)?;
            count = count.checked_add(1).ok_or(EngineError::Overflow)?;
            if node.height() != 0 || count > self.header.high_water {
                return Err(EngineError::TreeCorrupt);
            }
            index = node.links().left;
        }
        Ok(count)
    }
}

/// Position in a slice.
pub(crate) fn position(index: u32) -> Result<usize, EngineError> {
    usize::try_from(index).map_err(|_| EngineError::TreeCorrupt)
}

fn node_at<N>(nodes: &[N], index: u32) -> Result<&N, EngineError> {
    nodes.get(position(index)?).ok_or(EngineError::TreeCorrupt)
}

fn live<N: TreeNode>(nodes: &[N], index: u32) -> Result<&N, EngineError> {
    let node = nodes
        .get(position(index)?)
        .ok_or(EngineError::NodeNotFound)?;
    if node.height() == 0 {
        return Err(EngineError::NodeNotFound);
    }
    Ok(node)
}

fn child<N>(nodes: &[N], link: u32) -> Result<Option<&N>, EngineError> {
    if link == NIL {
        return Ok(None);
    }
    node_at(nodes, link).map(Some)
}

fn height<N: TreeNode>(node: Option<&N>) -> u8 {
    node.map_or(0, TreeNode::height)
}
