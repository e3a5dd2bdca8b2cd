//! Changing the tree: insertion, removal, re-keying and refreshing.

use crate::error::EngineError;

use super::{
    child, height, live, position, Adjusted, Journal, Links, TreeHeader, TreeNode, TreeRef,
    MAX_HEIGHT, NIL,
};

/// A tree to change, and who is told of it.
#[derive(Debug)]
pub struct Tree<'a, N, J = ()> {
    header: &'a mut TreeHeader,
    nodes: &'a mut [N],
    journal: J,
}

/// The nodes from the root down to where a change was made.
struct Path {
    steps: [u32; MAX_HEIGHT],
    len: usize,
}

impl Path {
    const fn new() -> Self {
        Self {
            steps: [NIL; MAX_HEIGHT],
            len: 0,
        }
    }

    fn push(&mut self, index: u32) -> Result<(), EngineError> {
        let step = self
            .steps
            .get_mut(self.len)
            .ok_or(EngineError::TreeCorrupt)?;
        *step = index;
        self.len = self.len.wrapping_add(1);
        Ok(())
    }

    fn pop(&mut self) -> Option<u32> {
        self.len = self.len.checked_sub(1)?;
        self.steps.get(self.len).copied()
    }

    fn last(&self) -> Option<u32> {
        self.steps.get(self.len.checked_sub(1)?).copied()
    }

    fn replace(&mut self, depth: usize, index: u32) -> Result<(), EngineError> {
        let step = self.steps.get_mut(depth).ok_or(EngineError::TreeCorrupt)?;
        *step = index;
        Ok(())
    }
}

/// What computing a node again found.
struct Pulled {
    /// Whether its height changed.
    height: bool,
    /// Whether its summary changed.
    summary: bool,
    /// Whether its children's heights differ by more than one.
    leans: bool,
}

impl<'a, N: TreeNode> Tree<'a, N> {
    /// A view of a tree.
    pub const fn new(header: &'a mut TreeHeader, nodes: &'a mut [N]) -> Self {
        Self::noting(header, nodes, ())
    }
}

impl<'a, N: TreeNode, J: Journal> Tree<'a, N, J> {
    /// A view of a tree whose changes `journal` is told of. The header is not among them.
    pub const fn noting(header: &'a mut TreeHeader, nodes: &'a mut [N], journal: J) -> Self {
        Self {
            header,
            nodes,
            journal,
        }
    }

    /// The same tree, to read.
    #[must_use]
    pub const fn as_ref(&self) -> TreeRef<'_, N> {
        TreeRef::new(self.header, self.nodes)
    }

    /// The node of the tree at `index`, to change what neither its key nor its
    /// summary depends on. `NodeNotFound` when there is none.
    pub(crate) fn get_mut(&mut self, index: u32) -> Result<&mut N, EngineError> {
        live(self.nodes, index)?;
        self.node_mut(index)
    }

    /// Adds a node and returns the position it keeps until it is removed.
    /// `QueueFull` when the slice has no free node; `DuplicateKey`.
    pub fn insert(&mut self, node: N) -> Result<u32, EngineError> {
        let mut path = Path::new();
        self.descend(node.key(), &mut path)?;
        let len = self.header.len.checked_add(1);
        let len = len.ok_or(EngineError::QueueFull)?;
        let index = self.allocate()?;
        *self.node_mut(index)? = node;
        self.header.len = len;
        self.attach(index, &mut path)?;
        Ok(index)
    }

    /// Removes the node at `index`. `NodeNotFound` when there is none.
    pub fn remove(&mut self, index: u32) -> Result<(), EngineError> {
        live(self.nodes, index)?;
        self.detach(index)?;
        let links = Links {
            left: self.header.free_head,
            right: NIL,
        };
        *self.node_mut(index)? = N::zeroed();
        *self.node_mut(index)?.links_mut() = links;
        self.header.free_head = index;
        self.header.len = self
            .header
            .len
            .checked_sub(1)
            .ok_or(EngineError::TreeCorrupt)?;
        Ok(())
    }

    /// Replaces the content of the node at `index`, wherever its new key belongs.
    /// The position stays. `NodeNotFound`; `DuplicateKey` when another node has
    /// the new key.
    pub fn replace(&mut self, index: u32, node: N) -> Result<(), EngineError> {
        let old = live(self.nodes, index)?;
        let key = old.key();
        if key == node.key() {
            let (links, height, summary) = (*old.links(), old.height(), old.summary());
            let place = self.node_mut(index)?;
            *place = node;
            *place.links_mut() = links;
            place.set_height(height);
            place.set_summary(summary);
            return self.refresh(index);
        }
        if self.as_ref().find(node.key())?.is_some() {
            return Err(EngineError::DuplicateKey);
        }
        self.detach(index)?;
        *self.node_mut(index)? = node;
        let mut path = Path::new();
        self.descend(node.key(), &mut path)?;
        self.attach(index, &mut path)
    }

    /// Brings the summaries from the node at `index` up to the root up to date.
    pub(crate) fn refresh(&mut self, index: u32) -> Result<(), EngineError> {
        let mut path = Path::new();
        self.descend_to(index, &mut path)?;
        self.adjust(&mut path, |_| Adjusted::Unknown)
    }

    fn node(&self, index: u32) -> Result<&N, EngineError> {
        super::node_at(self.nodes, index)
    }

    fn node_mut(&mut self, index: u32) -> Result<&mut N, EngineError> {
        self.journal.note(index);
        self.nodes
            .get_mut(position(index)?)
            .ok_or(EngineError::TreeCorrupt)
    }

    fn links(&self, index: u32) -> Result<Links, EngineError> {
        self.node(index).map(|node| *node.links())
    }

    fn allocate(&mut self) -> Result<u32, EngineError> {
        let free = self.header.free_head;
        if free != NIL {
            let node = self.node(free)?;
            if node.height() != 0 {
                return Err(EngineError::TreeCorrupt);
            }
            self.header.free_head = node.links().left;
            return Ok(free);
        }
        let index = self.header.high_water;
        if index == NIL || position(index)? >= self.nodes.len() {
            return Err(EngineError::QueueFull);
        }
        self.header.high_water = index.wrapping_add(1);
        Ok(index)
    }

    /// Path to where a node with this key would hang. `DuplicateKey`.
    fn descend(&self, key: N::Key, path: &mut Path) -> Result<(), EngineError> {
        let mut index = self.header.root;
        // The greatest node that is not above the key.
        let mut below = NIL;
        while index != NIL {
            path.push(index)?;
            let node = self.node(index)?;
            index = if key < node.key() {
                node.links().left
            } else {
                below = index;
                node.links().right
            };
        }
        if below != NIL && self.node(below)?.key() == key {
            return Err(EngineError::DuplicateKey);
        }
        Ok(())
    }

    /// Path to the node at `index`, itself included. `TreeCorrupt` when it does not lead there.
    fn descend_to(&self, index: u32, path: &mut Path) -> Result<(), EngineError> {
        let key = self.node(index)?.key();
        let mut step = self.header.root;
        loop {
            path.push(step)?;
            if step == index {
                return Ok(());
            }
            let node = self.node(step)?;
            let links = node.links();
            step = if key < node.key() {
                links.left
            } else {
                links.right
            };
        }
    }

    /// Hangs a node, whose content is in place, below the end of the path.
    fn attach(&mut self, index: u32, path: &mut Path) -> Result<(), EngineError> {
        let node = self.node_mut(index)?;
        *node.links_mut() = Links::LEAF;
        node.set_height(1);
        let leaf = node.summarise(None, None);
        node.set_summary(leaf);
        let key = node.key();
        match path.last() {
            None => self.header.root = index,
            Some(parent) => {
                let parent = self.node_mut(parent)?;
                if key < parent.key() {
                    parent.links_mut().left = index;
                } else {
                    parent.links_mut().right = index;
                }
            }
        }
        self.retrace(path, usize::MAX, |node| node.join(&leaf))
    }

    /// Takes the node at `index` out of the tree, not out of the slice.
    fn detach(&mut self, index: u32) -> Result<(), EngineError> {
        let mut path = Path::new();
        self.descend_to(index, &mut path)?;
        path.pop();
        let depth = path.len;
        let node = self.node(index)?;
        let (links, leaf) = (*node.links(), node.summarise(None, None));
        let forced = if links.left == NIL || links.right == NIL {
            let heir = if links.left == NIL {
                links.right
            } else {
                links.left
            };
            self.relink(path.last(), index, heir)?;
            usize::MAX
        } else {
            let heir = self.take_successor(index, &mut path)?;
            path.replace(depth, heir)?;
            // The heir has a new place, which is computed again whether or not anything seems to
            // have changed below it.
            depth.wrapping_add(1)
        };
        self.retrace(&mut path, forced, |node| node.leave(&leaf))
    }

    /// Puts the next larger node in the place of the one at `index`, which has two
    /// children and is the next step of the path, and extends the path to where
    /// that node was. Height and summary stay those of the place.
    fn take_successor(&mut self, index: u32, path: &mut Path) -> Result<u32, EngineError> {
        let above = path.last();
        path.push(index)?;
        let links = self.links(index)?;
        let mut heir = links.right;
        loop {
            let left = self.links(heir)?.left;
            if left == NIL {
                break;
            }
            path.push(heir)?;
            heir = left;
        }
        let orphan = self.links(heir)?.right;
        self.relink(path.last(), heir, orphan)?;
        let node = self.node(index)?;
        let (links, height, summary) = (*node.links(), node.height(), node.summary());
        let place = self.node_mut(heir)?;
        *place.links_mut() = links;
        place.set_height(height);
        place.set_summary(summary);
        self.relink(above, index, heir)?;
        Ok(heir)
    }

    /// Makes `parent`, or the tree when `None`, point to `new` where it pointed to
    /// `old`.
    fn relink(&mut self, parent: Option<u32>, old: u32, new: u32) -> Result<(), EngineError> {
        let link = match parent {
            None => &mut self.header.root,
            Some(parent) => {
                let links = self.node_mut(parent)?.links_mut();
                if links.left == old {
                    &mut links.left
                } else {
                    &mut links.right
                }
            }
        };
        if *link != old {
            return Err(EngineError::TreeCorrupt);
        }
        *link = new;
        Ok(())
    }

    /// Restores heights, summaries and balance from the end of the path upwards after a node
    /// joined or left. Where nothing changes it stops, but not among the steps from `forced` on;
    /// where the height does not, the nodes above only follow with `adjust`.
    fn retrace(
        &mut self,
        path: &mut Path,
        forced: usize,
        adjust: impl Fn(&mut N) -> Adjusted,
    ) -> Result<(), EngineError> {
        while let Some(index) = path.pop() {
            let tall = self.node(index)?.height();
            let mut found = self.pull(index)?;
            if found.leans {
                let top = self.balance(index)?;
                self.relink(path.last(), index, top)?;
                found.height = self.node(top)?.height() != tall;
                found.summary = true;
            }
            if found.height || path.len >= forced {
                continue;
            }
            if found.summary {
                return self.adjust(path, adjust);
            }
            break;
        }
        Ok(())
    }

    /// Brings the summaries from the end of the path upwards up to date, where no height changed.
    /// Stops where nothing changes.
    fn adjust(
        &mut self,
        path: &mut Path,
        adjust: impl Fn(&mut N) -> Adjusted,
    ) -> Result<(), EngineError> {
        while let Some(index) = path.pop() {
            let changed = match adjust(self.node_mut(index)?) {
                Adjusted::Same => false,
                Adjusted::Changed => true,
                Adjusted::Unknown => self.pull(index)?.summary,
            };
            if !changed {
                break;
            }
        }
        Ok(())
    }

    /// Computes height and summary again.
    fn pull(&mut self, index: u32) -> Result<Pulled, EngineError> {
        let node = self.node(index)?;
        let links = node.links();
        let left = child(self.nodes, links.left)?;
        let right = child(self.nodes, links.right)?;
        let summary = node.summarise(left, right);
        let (left, right) = (height(left), height(right));
        let tallest = left.max(right);
        let tall = tallest.checked_add(1).ok_or(EngineError::TreeCorrupt)?;
        let found = Pulled {
            height: tall != node.height(),
            summary: summary != node.summary(),
            leans: left.abs_diff(right) > 1,
        };
        if found.height || found.summary {
            let node = self.node_mut(index)?;
            node.set_height(tall);
            node.set_summary(summary);
        }
        Ok(found)
    }

    /// Height of the left subtree, then of the right one.
    fn heights(&self, index: u32) -> Result<(u8, u8), EngineError> {
        let links = self.links(index)?;
        let left = child(self.nodes, links.left)?;
        let right = child(self.nodes, links.right)?;
        Ok((height(left), height(right)))
    }

    /// Rotates where the children's heights differ by two; the new top.
    fn balance(&mut self, index: u32) -> Result<u32, EngineError> {
        let (left, right) = self.heights(index)?;
        if left > right.wrapping_add(1) {
            let child = self.links(index)?.left;
            let (outer, inner) = self.heights(child)?;
            if inner > outer {
                let top = self.rotate_left(child)?;
                self.node_mut(index)?.links_mut().left = top;
            }
            return self.rotate_right(index);
        }
        if right > left.wrapping_add(1) {
            let child = self.links(index)?.right;
            let (inner, outer) = self.heights(child)?;
            if inner > outer {
                let top = self.rotate_right(child)?;
                self.node_mut(index)?.links_mut().right = top;
            }
            return self.rotate_left(index);
        }
        Ok(index)
    }

    fn rotate_right(&mut self, index: u32) -> Result<u32, EngineError> {
        let top = self.links(index)?.left;
        let moved = self.links(top)?.right;
        self.node_mut(index)?.links_mut().left = moved;
        self.node_mut(top)?.links_mut().right = index;
        self.pull(index)?;
        self.pull(top)?;
        Ok(top)
    }

    fn rotate_left(&mut self, index: u32) -> Result<u32, EngineError> {
        let top = self.links(index)?.right;
        let moved = self.links(top)?.left;
        self.node_mut(index)?.links_mut().right = moved;
        self.node_mut(top)?.links_mut().left = index;
        self.pull(index)?;
        self.pull(top)?;
        Ok(top)
    }
}
