//! What it costs to trade a given notional into one side of the book.

use crate::error::EngineError;
use crate::slab::{TreeNode, TreeRef, MAX_HEIGHT, NIL};
use crate::units::{LotPrice, Side};

use super::order::{Depth, Order, OrderKey};

/// What a change of one side does to its impact price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impact {
    /// Nothing: the side changed only behind the orders that make the price.
    Unchanged,
    /// The price is this now; `None` when the side is not that deep.
    Now(Option<LotPrice>),
}

/// The average price of trading `notional` atoms from the best order on: whole lots, of the
/// last order as many as reach the notional. Rounded down for bids and up for asks; `None`
/// when the side is not that deep, or `notional` is 0. One way down the tree, which ends where
/// it is clear that everything at or behind `changed` stands behind the orders traded: then the
/// same orders made the price before the change.
pub(super) fn impact_price(
    tree: &TreeRef<'_, Order>,
    side: Side,
    notional: u64,
    changed: &OrderKey,
) -> Result<Impact, EngineError> {
    let mut node = tree.root();
    if notional == 0 || depth_of(tree, node)?.quote < notional {
        return Ok(Impact::Now(None));
    }
    // Of the orders better than all of the subtree at `node`; its quote is below `notional`.
    let mut better = Depth::ZERO;
    for _ in 0..MAX_HEIGHT {
        let order = tree.linked(node)?;
        let before = better.plus(depth_of(tree, order.links().left)?)?;
        if before.quote >= notional {
            if *changed >= order.key() {
                return Ok(Impact::Unchanged);
            }
            node = order.links().left;
            continue;
        }
        // Not wrapping: just compared.
        let rest = notional.wrapping_sub(before.quote);
        if order.quote() >= rest {
            if *changed > order.key() {
                return Ok(Impact::Unchanged);
            }
            let price = average(side, before.plus(order.part(rest))?)?;
            return Ok(Impact::Now(Some(price)));
        }
        better = before.plus(order.own_depth())?;
        node = order.links().right;
    }
    Err(EngineError::TreeCorrupt)
}

/// The depth of the subtree at `node`.
pub(super) fn depth_of(tree: &TreeRef<'_, Order>, node: u32) -> Result<Depth, EngineError> {
    if node == NIL {
        return Ok(Depth::ZERO);
    }
    Ok(tree.linked(node)?.depth())
}

fn average(side: Side, depth: Depth) -> Result<LotPrice, EngineError> {
    let Depth { lots, quote } = depth;
    let average = match side {
        Side::Long => quote.checked_div(lots),
        Side::Short if lots > 0 => Some(quote.div_ceil(lots)),
        Side::Short => None,
    };
    LotPrice::new(average.ok_or(EngineError::TreeCorrupt)?)
}
