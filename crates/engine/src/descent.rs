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
    /// It stays in the book and nothing was traded: the next one is met.
    Skipped,
    /// Its maker is not listed, or the call has worked through as many as it can.
    ListEnded,
}

/// The orders of one side of a book, and what their makers do.
pub trait Makers {
    /// Why a descent fails.
    type Error;

    /// What the engine refuses.
    fn refused(error: EngineError) -> Self::Error;

    /// The best order left on `side` that has not been skipped.
    ///
    /// # Errors
    /// Those of a corrupt book.
    fn best(&mut self, side: Side) -> Result<Option<BestOrder>, Self::Error>;

    /// Trades up to `most` lots with the order at `node`, which [`Self::best`] gave last, removes
    /// or skips it.
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
    /// Whether an order that crosses was left: its maker is not listed, or it was skipped. What is
    /// left of the taker's own would cross the book.
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
    let mut skipped = false;
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
            Met::Skipped => skipped = true,
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
        list_ended: skipped,
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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;
    use crate::units::Ticks;

    /// What becomes of an order: price, lots, own, expired.
    type Row = (u64, u64, bool, bool);

    /// Orders, the best first, and what was done: node and lots, none where one was cancelled.
    struct Orders {
        rows: Vec<Row>,
        at: usize,
        listed: usize,
        done: Vec<(u32, Option<u64>)>,
    }

    fn orders(rows: &[Row], listed: usize) -> Orders {
        Orders {
            rows: rows.to_vec(),
            at: 0,
            listed,
            done: Vec::new(),
        }
    }

    impl Makers for Orders {
        type Error = EngineError;

        fn refused(error: EngineError) -> EngineError {
            error
        }

        fn best(&mut self, side: Side) -> Result<Option<BestOrder>, EngineError> {
            assert_eq!(side, Side::Short);
            let row = self.rows.get(self.at);
            row.map(|(price, lots, own, expired)| {
                Ok(BestOrder {
                    node: u32::try_from(self.at).unwrap(),
                    price: LotPrice::new(*price)?,
                    lots: *lots,
                    own: *own,
                    expired: *expired,
                })
            })
            .transpose()
        }

        fn meet(&mut self, node: u32, most: u64) -> Result<Met, EngineError> {
            if self.at >= self.listed {
                return Ok(Met::ListEnded);
            }
            let (_, lots, _, expired) = self.rows[self.at];
            self.at += 1;
            let lots = if expired { 0 } else { lots.min(most) };
            self.done.push((node, Some(lots)));
            Ok(if expired {
                Met::Removed
            } else {
                Met::Filled(lots)
            })
        }
    }

    impl MakersAndOwn for Orders {
        fn cancel_own(&mut self, node: u32, lots: Option<u64>) -> Result<(), EngineError> {
            self.at += 1;
            self.done.push((node, lots.map(|_| 0)));
            Ok(())
        }
    }

    const ASKS: [Row; 5] = [
        (100, 5, false, false),
        (101, 5, false, true),
        (102, 4, true, false),
        (103, 5, false, false),
        (110, 5, false, false),
    ];

    fn buy(
        kind: OrderKind,
        lots: u64,
        self_trade: SelfTrade,
        orders: &mut Orders,
    ) -> Result<(u64, bool), EngineError> {
        let request = OrderRequest {
            side: Side::Long,
            kind,
            price: Ticks::new(1),
            lots,
            expires_at: 0,
            reduce_only: false,
        };
        let terms = OrderTerms {
            limit: LotPrice::new(105)?,
            lots,
        };
        let taken = take(&request, &terms, self_trade, orders)?;
        Ok((taken.left, taken.list_ended))
    }

    #[test]
    fn an_order_goes_as_far_as_it_crosses_and_the_list_reaches() {
        let (kind, mode) = (OrderKind::Limit, SelfTrade::CancelProvide);
        let mut all = orders(&ASKS, 9);
        assert_eq!(buy(kind, 20, mode, &mut all), Ok((10, false)));
        let done = [(0, Some(5)), (1, Some(0)), (2, None), (3, Some(5))];
        assert_eq!(all.done, done);
        assert_eq!(buy(kind, 5, mode, &mut orders(&ASKS, 9)), Ok((0, false)));
        assert_eq!(buy(kind, 6, mode, &mut orders(&ASKS, 1)), Ok((1, true)));
    }

    #[test]
    fn own_orders_are_met_as_the_order_says() {
        let kind = OrderKind::ImmediateOrCancel;
        let lose = |lots| {
            let mut orders = orders(&ASKS, 9);
            let mode = SelfTrade::DecrementAndCancel;
            let taken = buy(kind, lots, mode, &mut orders);
            (taken, orders.done.last().copied())
        };
        assert_eq!(lose(7), (Ok((0, false)), Some((2, Some(0)))));
        assert_eq!(lose(9), (Ok((0, false)), Some((2, None))));
        assert_eq!(lose(10), (Ok((0, false)), Some((3, Some(1)))));
        let refused = buy(kind, 6, SelfTrade::Abort, &mut orders(&ASKS, 9));
        assert_eq!(refused, Err(EngineError::SelfTrade));
    }

    #[test]
    fn a_post_only_order_removes_the_expired_and_meets_nobody() {
        let post = |rows: &[Row]| {
            let mut orders = orders(rows, 9);
            buy(
                OrderKind::PostOnly,
                3,
                SelfTrade::CancelProvide,
                &mut orders,
            )
        };
        assert_eq!(post(&ASKS), Err(EngineError::PostOnlyCrosses));
        assert_eq!(post(&ASKS[2..]), Err(EngineError::PostOnlyCrosses));
        assert_eq!(post(&[ASKS[1], ASKS[1], ASKS[4]]), Ok((3, false)));
        let ended = buy(
            OrderKind::PostOnly,
            3,
            SelfTrade::CancelProvide,
            &mut orders(&ASKS[1..2], 0),
        );
        assert_eq!(ended, Err(EngineError::PostOnlyCrosses));
    }
}
