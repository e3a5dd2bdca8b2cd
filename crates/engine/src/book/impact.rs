//! What it costs to trade a given notional into one side of the book.

use crate::error::EngineError;
use crate::slab::{TreeRef, NIL};
use crate::units::{LotPrice, Side};

use super::Order;

/// The average price of trading `notional` atoms from the best order on: whole lots, of the
/// last order as many as reach the notional. Rounded down for bids and up for asks; `None`
/// when the side is not that deep, or `notional` is 0. One way down the tree.
pub(super) fn impact_price(
    tree: &TreeRef<'_, Order>,
    side: Side,
    notional: u64,
) -> Result<Option<LotPrice>, EngineError> {
    let (mut node, mut rest) = (tree.root(), notional);
    if notional == 0 || quote_below(tree, node)? < notional {
        return Ok(None);
    }
    let (mut lots, mut quote) = (0_u64, 0_u64);
    while node != NIL {
        let order = tree.linked(node)?;
        let links = crate::slab::TreeNode::links(order);
        let better = quote_below(tree, links.left)?;
        let Some(left) = rest.checked_sub(better).filter(|left| *left > 0) else {
            node = links.left;
            continue;
        };
        if links.left != NIL {
            let depth = tree.linked(links.left)?.depth();
            lots = sum(lots, depth.lots)?;
            quote = sum(quote, depth.quote)?;
        }
        let price = u64::from(order.price);
        if order.quote() >= left {
            let last = left.div_ceil(price);
            lots = sum(lots, last)?;
            // At most the order's own quote.
            quote = sum(quote, last.wrapping_mul(price))?;
            return average(side, quote, lots).map(Some);
        }
        lots = sum(lots, order.size())?;
        quote = sum(quote, order.quote())?;
        rest = left.wrapping_sub(order.quote());
        node = links.right;
    }
    Err(EngineError::TreeCorrupt)
}

fn quote_below(tree: &TreeRef<'_, Order>, node: u32) -> Result<u64, EngineError> {
    if node == NIL {
        return Ok(0);
    }
    Ok(tree.linked(node)?.depth().quote)
}

fn average(side: Side, quote: u64, lots: u64) -> Result<LotPrice, EngineError> {
    let floor = quote.checked_div(lots).ok_or(EngineError::TreeCorrupt)?;
    let exact = floor.checked_mul(lots) == Some(quote);
    let up = !exact && side == Side::Short;
    LotPrice::new(sum(floor, u64::from(up))?)
}

fn sum(a: u64, b: u64) -> Result<u64, EngineError> {
    a.checked_add(b).ok_or(EngineError::Overflow)
}
