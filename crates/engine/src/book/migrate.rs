//! Bringing a book of the version before to this one.
//!
//! The nodes, their links and their order stay. What a node knows of its subtree is written anew: in
//! the version before it counted every order and knew nothing of expiries.

use super::{Book, BookHeader, Order, BOOK_VERSION, OUTDATED_BOOK_VERSION};
use crate::error::EngineError;
use crate::slab::{TreeNode, NIL};

/// Brings the book in `bytes` further, looking at up to `most` nodes; whether it is of this version
/// now. A node is summed up after its children: all of height 1, then all of height 2 and so on. How
/// far that is gets remembered in the header, and nothing else may change the book before it is done.
///
/// `BookLayout` when the bytes are not a book of this version or the one before; `TreeCorrupt`.
pub fn migrate(bytes: &mut [u8], most: u32) -> Result<bool, EngineError> {
    let (header, bids, asks) = Book::parts(bytes)?;
    match header.version {
        BOOK_VERSION => return Ok(true),
        OUTDATED_BOOK_VERSION => {}
        _ => return Err(EngineError::BookLayout),
    }
    let tallest = height(bids, header.bids.root)?.max(height(asks, header.asks.root)?);
    let mut left = most;
    while header.migrated_height < u32::from(tallest) {
        let level = header.migrated_height.wrapping_add(1);
        if !sum_up(header, bids, asks, level, &mut left)? {
            return Ok(false);
        }
        (header.migrated_height, header.migrated_nodes) = (level, 0);
    }
    header.migrated_height = 0;
    header.version = BOOK_VERSION;
    Ok(true)
}

/// Sums up the nodes of height `level` that are still to do, first those of the bids; whether all are
/// done.
fn sum_up(
    header: &mut BookHeader,
    bids: &mut [Order],
    asks: &mut [Order],
    level: u32,
    left: &mut u32,
) -> Result<bool, EngineError> {
    let used = (header.bids.high_water, header.asks.high_water);
    let all = used.0.checked_add(used.1).ok_or(EngineError::TreeCorrupt)?;
    while header.migrated_nodes < all {
        let Some(rest) = left.checked_sub(1) else {
            return Ok(false);
        };
        *left = rest;
        match header.migrated_nodes.checked_sub(used.0) {
            None => sum_up_node(bids, header.migrated_nodes, level)?,
            Some(node) => sum_up_node(asks, node, level)?,
        }
        header.migrated_nodes = header.migrated_nodes.wrapping_add(1);
    }
    Ok(true)
}

fn sum_up_node(nodes: &mut [Order], node: u32, level: u32) -> Result<(), EngineError> {
    let order = order(nodes, node)?;
    if u32::from(order.height()) != level {
        return Ok(());
    }
    let links = order.links();
    let (left, right) = (child(nodes, links.left)?, child(nodes, links.right)?);
    let summary = order.summarise(left, right);
    let index = usize::try_from(node).map_err(|_| EngineError::TreeCorrupt)?;
    let order = nodes.get_mut(index).ok_or(EngineError::TreeCorrupt)?;
    order.set_summary(summary);
    Ok(())
}

fn order(nodes: &[Order], node: u32) -> Result<&Order, EngineError> {
    let index = usize::try_from(node).map_err(|_| EngineError::TreeCorrupt)?;
    nodes.get(index).ok_or(EngineError::TreeCorrupt)
}

fn child(nodes: &[Order], link: u32) -> Result<Option<&Order>, EngineError> {
    if link == NIL {
        return Ok(None);
    }
    order(nodes, link).map(Some)
}

fn height(nodes: &[Order], root: u32) -> Result<u8, EngineError> {
    Ok(child(nodes, root)?.map_or(0, TreeNode::height))
}
