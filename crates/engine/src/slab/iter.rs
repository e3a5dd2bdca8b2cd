//! In-order visit with a fixed stack.

use crate::error::EngineError;

use super::{TreeNode, TreeRef, MAX_HEIGHT, NIL};

/// Visits nodes with their positions in order of keys, or backwards. Ends after the first error.
#[derive(Debug)]
pub struct InOrder<'a, N, const BACKWARDS: bool = false> {
    tree: TreeRef<'a, N>,
    stack: [u32; MAX_HEIGHT],
    depth: usize,
    next: u32,
    left: u32,
}

impl<'a, N: TreeNode, const BACKWARDS: bool> InOrder<'a, N, BACKWARDS> {
    pub(super) const fn new(tree: TreeRef<'a, N>) -> Self {
        Self {
            stack: [NIL; MAX_HEIGHT],
            depth: 0,
            next: tree.root(),
            left: tree.len(),
            tree,
        }
    }

    fn step(&mut self) -> Result<Option<(u32, &'a N)>, EngineError> {
        while self.next != NIL {
            let slot = self
                .stack
                .get_mut(self.depth)
                .ok_or(EngineError::TreeCorrupt)?;
            *slot = self.next;
            self.depth = self.depth.wrapping_add(1);
            let links = self.tree.linked(self.next)?.links();
            self.next = if BACKWARDS { links.right } else { links.left };
        }
        let Some(top) = self.depth.checked_sub(1) else {
            return Ok(None);
        };
        self.depth = top;
        let index = self.stack.get(top).copied().unwrap_or(NIL);
        let node = self.tree.linked(index)?;
        let links = node.links();
        self.next = if BACKWARDS { links.left } else { links.right };
        self.left = self.left.checked_sub(1).ok_or(EngineError::TreeCorrupt)?;
        Ok(Some((index, node)))
    }
}

impl<'a, N: TreeNode, const BACKWARDS: bool> Iterator for InOrder<'a, N, BACKWARDS> {
    type Item = Result<(u32, &'a N), EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if matches!(step, Some(Err(_))) {
            (self.depth, self.next) = (0, NIL);
        }
        step
    }
}
