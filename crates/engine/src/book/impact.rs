//! What it costs to trade a given notional into one side of the book.

use crate::error::EngineError;
use crate::order::within_band;
use crate::risk::RiskParams;
use crate::slab::{TreeNode, TreeRef, MAX_HEIGHT, NIL};
use crate::units::{LotPrice, Side};

use super::order::{Depth, Haste, Order, OrderKey};

/// Seconds that an order must have left to count for the impact price.
pub const MIN_LIFE_SECONDS: i64 = 60;
/// Orders with less time left that a side is searched past.
const MAX_SHORT_LIVED: usize = 32;
/// Steps of a search past so many orders: up and down one way through the tree for each.
const MAX_STEPS: usize = (MAX_SHORT_LIVED + 1) * MAX_HEIGHT * 2;

/// Which orders the impact price counts: those that open and have [`MIN_LIFE_SECONDS`] left. The
/// last of those that make it lies within the price band around the mark.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a> {
    /// The market's parameters: the impact notional and the price band.
    pub params: &'a RiskParams,
    /// The market's price; without one the band limits nothing.
    pub mark: Option<LotPrice>,
    /// Unix seconds.
    pub now: i64,
}

impl Sampling<'_> {
    /// The greatest haste of an order that counts.
    fn latest(&self) -> Result<Haste, EngineError> {
        let until = self.now.checked_add(MIN_LIFE_SECONDS);
        Ok(Haste::of(until.ok_or(EngineError::Overflow)?))
    }

    /// The average price of `depth`, the last order of which costs `last`.
    fn price(&self, side: Side, depth: Depth, last: LotPrice) -> Result<Impact, EngineError> {
        let near = self
            .mark
            .is_none_or(|mark| within_band(self.params, mark, last));
        Ok(Impact::Now(if near {
            Some(average(side, depth)?)
        } else {
            None
        }))
    }
}

/// What a change of one side does to its impact price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impact {
    /// Nothing: the side changed only behind the orders that make the price.
    Unchanged,
    /// The price is this now; `None` when the side is not that deep.
    Now(Option<LotPrice>),
}

/// The average price of trading the impact notional from the best order that counts on: whole lots,
/// of the last order as many as reach the notional. Rounded down for bids and up for asks; `None`
/// when the side is not that deep, when more short-lived orders than are searched past stand in
/// front, or the notional is 0. Ends where it is clear that everything at or behind `changed` stands
/// behind the orders traded: then they are not asked for.
pub(super) fn impact_price(
    tree: &TreeRef<'_, Order>,
    side: Side,
    sampling: &Sampling<'_>,
    changed: &OrderKey,
) -> Result<Impact, EngineError> {
    let (notional, mut node) = (sampling.params.impact_notional_atoms, tree.root());
    if notional == 0 || depth_of(tree, node)?.quote < notional {
        return Ok(Impact::Now(None));
    }
    let latest = sampling.latest()?;
    // Of the orders that count and are better than all of the subtree at `node`.
    let mut better = Depth::ZERO;
    let (mut above, mut height) = ([NIL; MAX_HEIGHT], 0_usize);
    let mut short_lived = 0_usize;
    for _ in 0..MAX_STEPS {
        if node != NIL {
            let order = tree.linked(node)?;
            if order.heads_short_lived(latest) {
                let place = above.get_mut(height).ok_or(EngineError::TreeCorrupt)?;
                *place = node;
                height = height.wrapping_add(1);
                node = order.links().left;
                continue;
            }
            let sum = better.plus(order.depth())?;
            if sum.quote >= notional {
                return within(tree, side, sampling, (node, better), changed);
            }
            (better, node) = (sum, NIL);
            continue;
        }
        let Some(top) = height.checked_sub(1) else {
            return Ok(Impact::Now(None));
        };
        height = top;
        let order = tree.linked(above.get(top).copied().unwrap_or(NIL))?;
        if order.is_short_lived(latest) {
            short_lived = short_lived.wrapping_add(1);
            if short_lived > MAX_SHORT_LIVED {
                return Ok(Impact::Now(None));
            }
        } else if let Some(price) = ends(order, side, sampling, better, changed)? {
            return Ok(price);
        } else {
            better = better.plus(order.counted().depth)?;
        }
        node = order.links().right;
    }
    Err(EngineError::TreeCorrupt)
}

/// The price where an order reaches the notional behind `better`, if it does.
fn ends(
    order: &Order,
    side: Side,
    sampling: &Sampling<'_>,
    better: Depth,
    changed: &OrderKey,
) -> Result<Option<Impact>, EngineError> {
    let rest = sampling
        .params
        .impact_notional_atoms
        .checked_sub(better.quote);
    let rest = rest.ok_or(EngineError::TreeCorrupt)?;
    if order.counted().depth.quote < rest {
        return Ok(None);
    }
    if *changed > order.key() {
        return Ok(Some(Impact::Unchanged));
    }
    let depth = better.plus(order.part(rest))?;
    sampling.price(side, depth, order.price()).map(Some)
}

/// The price where the subtree at `from.0`, in which every order that opens counts, reaches the
/// notional behind the orders that `from.1` adds up. One way down the tree.
fn within(
    tree: &TreeRef<'_, Order>,
    side: Side,
    sampling: &Sampling<'_>,
    from: (u32, Depth),
    changed: &OrderKey,
) -> Result<Impact, EngineError> {
    let notional = sampling.params.impact_notional_atoms;
    let (mut node, mut better) = from;
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
        if let Some(price) = ends(order, side, sampling, before, changed)? {
            return Ok(price);
        }
        better = before.plus(order.counted().depth)?;
        node = order.links().right;
    }
    Err(EngineError::TreeCorrupt)
}

/// What counts of the subtree at `node`.
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
