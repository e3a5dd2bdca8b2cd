//! The way down the book, best price first: which order is met next, with how many lots, and where
//! it ends.
//!
//! [`Makers`] stands for the orders and the traders behind them. On chain they are accounts and
//! every order met is filled or removed; a plan descends through a copy of the book and foresees
//! what the makers do. The way is the same.

use crate::error::EngineError;
use crate::order::{OrderKind, OrderRequest, OrderTerms, SelfTrade};
use crate::units::{LotPrice, Side};

/// The best order that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BestOrder {
    /// Its node in the book.
    pub node: u32,
    /// Its price.
    pub price: LotPrice,
    /// Its lots.
    pub lots: u64,
    /// Whether it is the taker's own.
    pub own: bool,
    /// Whether its time is over.
    pub expired: bool,
}

/// What came of one order of another trader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// So many lots were traded.
    Filled(u64),
    /// It was removed; nothing was traded.
    Removed,
    /// Its maker is not listed, or the call has worked through as many as it can.
    ListEnded,
}

/// The orders of one side of a book, and what their makers do.
pub trait Makers {
    /// Why a descent fails.
    type Error;

    /// What the engine refuses.
    fn refused(error: EngineError) -> Self::Error;

    /// The best order left on `side`.
    ///
    /// # Errors
    /// Those of a corrupt book.
    fn best(&mut self, side: Side) -> Result<Option<BestOrder>, Self::Error>;

    /// Trades up to `most` lots with the order at `node`, which [`Self::best`] gave last, or
    /// removes it.
    ///
    /// # Errors
    /// The implementation's.
    fn meet(&mut self, node: u32, most: u64) -> Result<Met, Self::Error>;
}

/// Orders among which there may be some of the taker's own.
pub trait MakersAndOwn: Makers {
    /// Takes `lots` off the taker's own order at `node`, which [`Makers::best`] gave last; the
    /// whole order for `None`.
    ///
    /// # Errors
    /// The implementation's.
    fn cancel_own(&mut self, node: u32, lots: Option<u64>) -> Result<(), Self::Error>;
}

/// Where a taker's descent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Lots of the order that are left.
    pub left: u64,
    /// Whether an order that crosses was left because its maker is not listed.
    pub list_ended: bool,
}

/// Lets an order meet those of the other side as far as it crosses them.
///
/// Errors: `PostOnlyCrosses`, `SelfTrade`, those of `makers`.
pub fn take<M: MakersAndOwn>(
    request: &OrderRequest,
    terms: &OrderTerms,
    self_trade: SelfTrade,
    makers: &mut M,
) -> Result<Taken, M::Error> {
    let side = request.side;
    let mut left = terms.lots;
    while left > 0 {
        let Some(best) = makers.best(side.opposite())? else {
            break;
        };
        if !terms.crosses(side, best.price) {
            break;
        }
        if request.kind == OrderKind::PostOnly {
            let gone = !best.own && best.expired && makers.meet(best.node, 0)? == Met::Removed;
            if !gone {
                return Err(M::refused(EngineError::PostOnlyCrosses));
            }
            continue;
        }
        if best.own {
            let lost = meet_own(&best, self_trade, left, makers)?;
            left = left.wrapping_sub(lost);
            continue;
        }
        match makers.meet(best.node, left)? {
            Met::Filled(lots) => left = left.wrapping_sub(lots),
            Met::Removed => {}
            Met::ListEnded => {
                return Ok(Taken {
                    left,
                    list_ended: true,
                })
            }
        }
    }
    Ok(Taken {
        left,
        list_ended: false,
    })
}

/// The lots, at most `left`, that an order loses to one of its trader's own.
fn meet_own<M: MakersAndOwn>(
    own: &BestOrder,
    self_trade: SelfTrade,
    left: u64,
    makers: &mut M,
) -> Result<u64, M::Error> {
    match self_trade {
        SelfTrade::Abort => Err(M::refused(EngineError::SelfTrade)),
        SelfTrade::CancelProvide => {
            makers.cancel_own(own.node, None)?;
            Ok(0)
        }
        SelfTrade::DecrementAndCancel if left >= own.lots => {
            makers.cancel_own(own.node, None)?;
            Ok(own.lots)
        }
        SelfTrade::DecrementAndCancel => {
            makers.cancel_own(own.node, Some(left))?;
            Ok(left)
        }
    }
}
