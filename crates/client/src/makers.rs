//! The list of makers that an order, a trigger or a liquidation wants to see.
//!
//! The program looks the makers of the best orders up in the list it is given, so the list
//! only has to be long enough: at the first order whose maker it does not find it stops, and
//! what is left of a limit order then does not wait in the book. Spares make up for orders
//! that cannot trade or are gone by the time the transaction lands.

use ballast_engine::book::{BookRef, Order};
use ballast_engine::liquidation::{LiquidationInput, Waterfall};
use ballast_engine::matching::MAX_MATCHES;
use ballast_engine::oracle::OraclePrice;
use ballast_engine::order::{check, OrderKind, OrderRequest, SelfTrade};
use ballast_engine::position::Position;
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::trigger::Trigger;
use ballast_state::Pubkey;

pub use ballast_state::instructions::MAX_MAKERS;

/// The trader who sends an order, or whose trigger fires, and what its order is measured by.
#[derive(Clone, Copy, Debug)]
pub struct TakerView<'a> {
    /// The market.
    pub market: &'a Market,
    /// Its price.
    pub price: OraclePrice,
    /// Unix seconds.
    pub now: i64,
    /// The trader account.
    pub trader: Pubkey,
    /// Its position in the market; the default one when it has none.
    pub position: Position,
}

/// The distinct makers of the best orders on `side`, best first: as far as `lots` and `takes`
/// reach, and `spares` orders more of those that `takes` accepts. `except` is left out: an
/// order never needs its own account. At most [`MAX_MAKERS`].
///
/// # Errors
/// Those of reading a corrupt book.
pub fn makers(
    book: &BookRef<'_>,
    side: Side,
    lots: u64,
    takes: impl Fn(LotPrice) -> bool,
    except: &Pubkey,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    walk(book, side, lots, takes, spares, |order| {
        if order.trader == except.to_bytes() {
            Meeting::Unlisted(0)
        } else {
            Meeting::Listed(order.size())
        }
    })
}

/// The makers that an order wants to see: those of the orders it crosses within the price
/// band, as far as its lots reach, and `spares` more. Of a reduce-only order the lots are at
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
    let tick = taker.market.oracle.atoms_per_lot_tick;
    let mark = taker.price.mark(tick)?;
    let params = taker.market.params();
    let terms = check(params, &mark, tick, &taker.position, request, taker.now)?;
    let takes = |price| terms.crosses(request.side, price);
    let (side, lots) = (request.side.opposite(), terms.lots);
    walk(book, side, lots, takes, spares, |order| {
        let expired = order.has_expired(taker.now);
        if order.trader == taker.trader.to_bytes() {
            meet_own(order, request.kind, self_trade)
        } else if expired {
            Meeting::Listed(0)
        } else if request.kind == OrderKind::PostOnly {
            Meeting::End
        } else {
            Meeting::Listed(order.size())
        }
    })
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
    let request = trigger_request(side, trigger);
    order_makers(book, taker, &request, SelfTrade::CancelProvide, spares)
}

/// The order that a trigger of a position on `side` becomes when it fires.
#[must_use]
pub fn trigger_request(side: Side, trigger: &Trigger) -> OrderRequest {
    OrderRequest {
        side: side.opposite(),
        kind: OrderKind::Market,
        price: Ticks::new(trigger.worst_ticks),
        lots: u64::from(trigger.lots),
        expires_at: 0,
        reduce_only: true,
    }
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
    let waterfall = Waterfall::begin(input, take_over)?;
    let takes = |price| waterfall.meets(price);
    let (side, lots) = (waterfall.book_side(), waterfall.left()?);
    makers(book, side, lots, takes, victim, spares)
}

/// What an order of the book means for the list.
enum Meeting {
    /// Its maker is listed; so many lots trade with it.
    Listed(u64),
    /// It is the taker's own, which loses so many lots by it.
    Unlisted(u64),
    /// Nothing trades from here on.
    End,
}

fn meet_own(order: &Order, kind: OrderKind, mode: SelfTrade) -> Meeting {
    match (kind, mode) {
        (OrderKind::PostOnly, _) | (_, SelfTrade::Abort) => Meeting::End,
        (_, SelfTrade::CancelProvide) => Meeting::Unlisted(0),
        (_, SelfTrade::DecrementAndCancel) => Meeting::Unlisted(order.size()),
    }
}

/// Walks the orders of `side` that `takes` accepts. One call works off [`MAX_MATCHES`] of other
/// traders, so no more are looked at, but for the spares.
fn walk(
    book: &BookRef<'_>,
    side: Side,
    lots: u64,
    takes: impl Fn(LotPrice) -> bool,
    spares: usize,
    meets: impl Fn(&Order) -> Meeting,
) -> Result<Vec<Pubkey>, EngineError> {
    let mut listed: Vec<Pubkey> = Vec::new();
    let (mut left, mut spare, mut met) = (lots, spares, 0);
    for step in book.iter(side) {
        let (_, order) = step?;
        if !takes(order.price()) {
            break;
        }
        let size = match meets(order) {
            Meeting::End => break,
            Meeting::Unlisted(size) => {
                left = left.saturating_sub(size);
                continue;
            }
            Meeting::Listed(size) => size,
        };
        if left == 0 || met == MAX_MATCHES {
            let Some(fewer) = spare.checked_sub(1) else {
                break;
            };
            spare = fewer;
        } else {
            met += 1;
        }
        left = left.saturating_sub(size);
        let maker = Pubkey::new_from_array(order.trader);
        if listed.contains(&maker) {
            continue;
        }
        if listed.len() == MAX_MAKERS {
            break;
        }
        listed.push(maker);
    }
    Ok(listed)
}
