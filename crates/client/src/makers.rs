//! The list of makers that an order, a trigger or a liquidation wants to see.
//!
//! The program looks the makers of the best orders up in the list it is given, so the list
//! only has to be long enough: at the first order whose maker it does not find it stops, and
//! what is left of a limit order then does not wait in the book. Spares make up for orders
//! that cannot trade or are gone by the time the transaction lands.

use ballast_engine::book::{BookRef, NewOrder};
use ballast_engine::descent::take;
use ballast_engine::liquidation::{LiquidationInput, Waterfall};
use ballast_engine::oracle::OraclePrice;
use ballast_engine::order::{check, OrderKind, OrderRequest, OrderTerms, SelfTrade};
use ballast_engine::position::Position;
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::trigger::Trigger;
use ballast_state::Pubkey;

use crate::foreseen::{foreseen, Own};

pub use ballast_state::instructions::MAX_MAKERS;

/// The trader who sends an order, or whose trigger fires, and what its order is measured by.
#[derive(Clone, Copy, Debug)]
pub struct TakerView<'a> {
    /// The market whose book is taken from.
    pub market: &'a Market,
    /// The oracle's price in that market.
    pub price: OraclePrice,
    /// Unix seconds.
    pub now: i64,
    /// The trader account.
    pub trader: Pubkey,
    /// Its position in the market; the default one when it has none.
    pub position: Position,
}

impl TakerView<'_> {
    fn terms(&self, request: &OrderRequest) -> Result<OrderTerms, EngineError> {
        let mark = self.market.mark_at(&self.price)?;
        let rules = self.market.order_rules(&mark, self.now);
        check(&rules, &self.position, request)
    }
}

/// The distinct makers of the best orders on `side`, best first: as far as `lots` reach, and
/// those of `spares` orders more. `except` is left out: an order never needs its own account. At
/// most [`MAX_MAKERS`].
///
/// # Errors
/// Those of reading a corrupt book.
pub fn makers(
    book: &BookRef<'_>,
    side: Side,
    lots: u64,
    except: &Pubkey,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    let request = OrderRequest {
        side: side.opposite(),
        kind: OrderKind::Market,
        price: Ticks::new(0),
        lots,
        expires_at: 0,
        reduce_only: false,
    };
    let limit = match side {
        Side::Long => LotPrice::MIN,
        Side::Short => LotPrice::MAX,
    };
    let terms = OrderTerms { limit, lots };
    let mut orders = foreseen(book, side, except, Own::Cancelled);
    take(&request, &terms, SelfTrade::CancelProvide, &mut orders)?;
    orders.makers_and_spares(spares, |_| true)
}

/// The makers that an order wants to see: those of the orders it crosses within the price
/// band, as far as its lots reach, and `spares` more; and where its own side is full, the trader whose
/// order gives way. Of a reduce-only order the lots are at
/// most those of the position. A post-only order lists nobody but the makers of expired
/// orders in its way.
///
/// # Errors
/// Those of [`check`], for which the program refuses the order too; those of reading a
/// corrupt book.
pub fn order_makers(
    book: &BookRef<'_>,
    taker: &TakerView<'_>,
    request: &OrderRequest,
    self_trade: SelfTrade,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    let terms = taker.terms(request)?;
    let side = request.side;
    let orders = foreseen(book, side.opposite(), &taker.trader, Own::InBook);
    let mut orders = orders.at(taker.now);
    match take(request, &terms, self_trade, &mut orders) {
        Ok(_) => {
            let mut makers =
                orders.makers_and_spares(spares, |price| terms.crosses(side, price))?;
            if let Some(maker) = giving_way(book, taker, request, &terms)? {
                if makers.len() < MAX_MAKERS && !makers.contains(&maker) {
                    makers.push(maker);
                }
            }
            Ok(makers)
        }
        // The program refuses the order, unless the one in its way goes first.
        Err(EngineError::PostOnlyCrosses | EngineError::SelfTrade) => {
            orders.makers_and_spares(0, |_| false)
        }
        Err(error) => Err(error),
    }
}

/// The trader whose order gives way to one that waits on a full side, if one does.
fn giving_way(
    book: &BookRef<'_>,
    taker: &TakerView<'_>,
    request: &OrderRequest,
    terms: &OrderTerms,
) -> Result<Option<Pubkey>, EngineError> {
    if !request.kind.rests() || !book.is_full(request.side) {
        return Ok(None);
    }
    let order = NewOrder {
        trader: taker.trader.to_bytes(),
        side: request.side,
        price: terms.limit,
        lots: terms.lots,
        margin: 0,
        client_id: 0,
        expires_at: request.expires_at,
        reduce_only: request.reduce_only,
    };
    let node = book.giving_way(&order, |_| true)?;
    let trader = node.map(|node| book.order(node).map(|order| order.trader));
    Ok(trader.transpose()?.map(Pubkey::new_from_array))
}

/// Lots that an order fills when the `listed` makers are, if every order trades that has not
/// expired.
///
/// # Errors
/// As for [`order_makers`]; `PostOnlyCrosses`, `SelfTrade`.
pub fn order_fill(
    book: &BookRef<'_>,
    taker: &TakerView<'_>,
    request: &OrderRequest,
    self_trade: SelfTrade,
    listed: &[Pubkey],
) -> Result<u64, EngineError> {
    let terms = taker.terms(request)?;
    let orders = foreseen(book, request.side.opposite(), &taker.trader, Own::InBook);
    let mut orders = orders.at(taker.now).listing(listed);
    take(request, &terms, self_trade, &mut orders)?;
    Ok(orders.filled())
}

/// The makers that `execute_trigger` wants to see for a trigger of the taker's position, and
/// `spares` more.
///
/// # Errors
/// `NothingToReduce` without a position; as for [`order_makers`].
pub fn trigger_makers(
    book: &BookRef<'_>,
    taker: &TakerView<'_>,
    trigger: &Trigger,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    let side = taker.position.side().ok_or(EngineError::NothingToReduce)?;
    let request = trigger.order(side);
    order_makers(book, taker, &request, Trigger::SELF_TRADE, spares)
}

/// The makers whose orders take lots of a liquidation, in the order of the book. `take_over`
/// as in the instruction.
///
/// # Errors
/// Those of [`Waterfall::begin`].
pub fn liquidation_makers(
    book: &BookRef<'_>,
    victim: &Pubkey,
    input: &LiquidationInput<'_>,
    take_over: bool,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    waterfall_makers(Waterfall::begin(input, take_over)?, book, victim, spares)
}

/// The same for a step that has begun: that of a leg with [`Waterfall::begin_leg`].
///
/// # Errors
/// Those of reading a corrupt book.
pub fn waterfall_makers(
    begun: Waterfall<'_>,
    book: &BookRef<'_>,
    victim: &Pubkey,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    let mut waterfall = begun;
    let mut orders = foreseen(book, waterfall.book_side(), victim, Own::Cancelled);
    waterfall.descend(&mut orders)?;
    orders.makers_and_spares(spares, |price| waterfall.meets(price))
}
