//! What a trader asks of the book, checked against its market.

use crate::error::EngineError;
use crate::fees::maker_fee;
use crate::margin::initial_margin;
use crate::oracle::Mark;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::units::{Bps, LotPrice, Side, Ticks, BPS_ONE, MAX_LOTS, MAX_LOT_PRICE};

/// How an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Trades what it can, the rest waits in the book.
    Limit,
    /// Trades what it can, the rest is dropped.
    ImmediateOrCancel,
    /// Trades whole or not at all.
    FillOrKill,
    /// Waits in the book and never trades at once.
    PostOnly,
    /// Trades what it can down to its worst price or the price band, whichever comes
    /// first; the rest is dropped.
    Market,
}

impl OrderKind {
    /// Whether what is left may wait in the book.
    #[must_use]
    pub const fn rests(self) -> bool {
        matches!(self, Self::Limit | Self::PostOnly)
    }
}

/// What happens when an order meets one of the same trader's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTrade {
    /// The one in the book is cancelled.
    CancelProvide,
    /// Both lose the lots of the smaller one.
    DecrementAndCancel,
    /// The new one fails.
    Abort,
}

/// An order as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// `Long` buys, `Short` sells.
    pub side: Side,
    /// How it trades.
    pub kind: OrderKind,
    /// Limit price, or the worst one of a market order, where 0 is none.
    pub price: Ticks,
    /// Lots to trade, at least 1; the side says whether to buy or to sell.
    pub lots: u64,
    /// When it expires, unix seconds; 0 never.
    pub expires_at: i64,
    /// Whether it may only make a position smaller.
    pub reduce_only: bool,
}

/// An order that may trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderTerms {
    /// The worst price it trades at.
    pub limit: LotPrice,
    /// Its lots, for a reduce-only order at most those of the position.
    pub lots: u64,
}

impl OrderTerms {
    /// Whether it trades with an order of the other side at `price`.
    #[must_use]
    pub fn crosses(&self, side: Side, price: LotPrice) -> bool {
        match side {
            Side::Long => price <= self.limit,
            Side::Short => price >= self.limit,
        }
    }
}

/// Furthest expiry of an order from now, seconds: ten years. A time in milliseconds, taken for
/// seconds, is fifty thousand years away.
pub const MAX_LIFE_SECONDS: i64 = 10 * 366 * 86_400;

/// Least positions that the least order that waits is worth.
const LEAST_POSITIONS_OF_AN_ORDER: u64 = 5;

/// Lots of the least position that is opened at `mark`, where an order that waits is worth at least
/// `least_worth` atoms: the market's least, or so many as are worth a fifth of that, rounded up, though
/// no more than its largest position.
#[must_use]
pub const fn least_position(params: &RiskParams, least_worth: u64, mark: LotPrice) -> u64 {
    let worth = least_worth.div_ceil(LEAST_POSITIONS_OF_AN_ORDER);
    let lots = worth.div_ceil(mark.get());
    if lots <= params.min_position_lots {
        return params.min_position_lots;
    }
    if lots <= params.max_position_lots {
        lots
    } else {
        params.max_position_lots
    }
}

/// What an order is measured by.
#[derive(Clone, Copy, Debug)]
pub struct OrderRules<'a> {
    /// The market's parameters.
    pub params: &'a RiskParams,
    /// The market's price.
    pub mark: Mark,
    /// Worth of one tick of one lot, atoms.
    pub atoms_per_lot_tick: u64,
    /// Least worth of an order that opens and waits in the book, atoms.
    pub least_worth: u64,
    /// Lots of the least position that is opened: [`least_position`].
    pub least_lots: u64,
    /// Unix seconds.
    pub now: i64,
}

/// Checks an order of a trader who holds `position`.
///
/// Errors: `ZeroLots`, `SizeOutOfRange`, `PriceOutOfRange`, `PriceOutsideBand`,
/// `OrderExpired`, `ExpiryTooFar`, `NothingToReduce`, `OrderTooSmall`.
pub fn check(
    rules: &OrderRules<'_>,
    position: &Position,
    request: &OrderRequest,
) -> Result<OrderTerms, EngineError> {
    if request.lots == 0 {
        return Err(EngineError::ZeroLots);
    }
    if request.lots > MAX_LOTS {
        return Err(EngineError::SizeOutOfRange);
    }
    let limit = limit_price(rules, request)?;
    check_expiry(request.expires_at, rules.now)?;
    let lots = if request.reduce_only {
        request.lots.min(reducible(position, request.side))
    } else {
        request.lots
    };
    if lots == 0 {
        return Err(EngineError::NothingToReduce);
    }
    let terms = OrderTerms { limit, lots };
    let small = lots < rules.least_lots
        || (request.kind.rests() && !may_wait(&terms, lots, rules.least_worth)?);
    if !request.reduce_only && small {
        return Err(EngineError::OrderTooSmall);
    }
    Ok(terms)
}

/// Whether `lots` of an order that opens may wait in the book: they are worth at least
/// `least_worth` atoms.
fn may_wait(terms: &OrderTerms, lots: u64, least_worth: u64) -> Result<bool, EngineError> {
    Ok(terms.limit.notional(lots)? >= least_worth)
}

/// Lots that wait of the `left` ones of an order, of a trader who then holds `position`: of one that opens
/// all, where they are worth `least_worth` atoms, or none; of a reduce-only one as many as the position has
/// for it beside the `waiting` lots of others. `traded` says whether it filled any.
///
/// # Errors
/// `NothingToReduce` when a reduce-only order neither traded nor may wait; `Overflow`.
pub fn resting(
    request: &OrderRequest,
    terms: &OrderTerms,
    left: u64,
    least_worth: u64,
    (position, waiting): (&Position, u64),
    traded: bool,
) -> Result<u64, EngineError> {
    if !request.reduce_only {
        let waits = may_wait(terms, left, least_worth)?;
        return Ok(if waits { left } else { 0 });
    }
    let held = reducible(position, request.side);
    let room = held.max(waiting).wrapping_sub(waiting);
    if room == 0 && !traded {
        return Err(EngineError::NothingToReduce);
    }
    Ok(left.min(room))
}

/// Collateral that `lots` of an order reserve while they wait, atoms: [`order_margin`], or `margin` where
/// that is more; none of a reduce-only one.
///
/// # Errors
/// Those of [`order_margin`].
pub fn reserve(
    params: &RiskParams,
    mark: &Mark,
    request: &OrderRequest,
    terms: &OrderTerms,
    lots: u64,
    margin: u64,
) -> Result<u64, EngineError> {
    if request.reduce_only {
        return Ok(0);
    }
    let least = order_margin(params, mark, request.side, lots, terms.limit)?;
    Ok(least.max(margin))
}

/// `OrderExpired` for the past, `ExpiryTooFar` beyond [`MAX_LIFE_SECONDS`].
fn check_expiry(expires_at: i64, now: i64) -> Result<(), EngineError> {
    if expires_at == 0 {
        return Ok(());
    }
    if expires_at <= now {
        return Err(EngineError::OrderExpired);
    }
    let latest = now.checked_add(MAX_LIFE_SECONDS);
    if latest.is_some_and(|latest| expires_at > latest) {
        return Err(EngineError::ExpiryTooFar);
    }
    Ok(())
}

/// Lots of `position` that an order of `side` can close.
#[must_use]
pub fn reducible(position: &Position, side: Side) -> u64 {
    if position.side() == Some(side.opposite()) {
        position.size()
    } else {
        0
    }
}

/// The worst price an order trades at: its own, which may not lie beyond the band, nor on the far
/// side of it where the order may wait; that of a market order is brought to the band.
fn limit_price(rules: &OrderRules<'_>, request: &OrderRequest) -> Result<LotPrice, EngineError> {
    let (params, mark) = (rules.params, &rules.mark);
    let edge = band_edge(params, mark, request.side)?;
    let market = matches!(request.kind, OrderKind::Market);
    if market && request.price.get() == 0 {
        return Ok(edge);
    }
    let price = request.price.lot_price(rules.atoms_per_lot_tick)?;
    if request.kind.rests() && !within_band(params, mark.price, price) {
        return Err(EngineError::PriceOutsideBand);
    }
    let beyond = match request.side {
        Side::Long => price > edge,
        Side::Short => price < edge,
    };
    match (beyond, market) {
        (false, _) => Ok(price),
        (true, true) => Ok(edge),
        (true, false) => Err(EngineError::PriceOutsideBand),
    }
}

/// Whether a price is at most the price band away from `mark`, either way.
#[must_use]
pub fn within_band(params: &RiskParams, mark: LotPrice, price: LotPrice) -> bool {
    let (mark, price) = (mark.get(), price.get());
    // 31-bit prices times at most 14 bits.
    let distance = price.abs_diff(mark).wrapping_mul(BPS_ONE);
    distance <= mark.wrapping_mul(u64::from(params.price_band_bps))
}

/// The worst price anybody may trade at on `side`: the mark and the band, rounded towards
/// the mark, within the price range.
pub fn band_edge(params: &RiskParams, mark: &Mark, side: Side) -> Result<LotPrice, EngineError> {
    let price = mark.price.get();
    let width = Bps::new(params.price_band_bps).floor_of(price)?;
    match side {
        Side::Long => {
            let edge = price.checked_add(width).ok_or(EngineError::Overflow)?;
            LotPrice::new(edge.min(MAX_LOT_PRICE))
        }
        Side::Short => {
            let edge = price.checked_sub(width).ok_or(EngineError::Overflow)?;
            LotPrice::new(edge.max(1))
        }
    }
}

/// Collateral that an order of `lots` at `price` reserves while it waits, atoms: what a
/// position opened by it would need at once. That is initial margin of the notional at the
/// worst of its price, the mark, and the mark worsened by the confidence, as if all of its lots were
/// new to the market; the loss from its price to the worsened mark; and the maker's fee. `Overflow`,
/// `PriceOutOfRange`.
pub fn order_margin(
    params: &RiskParams,
    mark: &Mark,
    side: Side,
    lots: u64,
    price: LotPrice,
) -> Result<u64, EngineError> {
    let worst = mark.worsened(side)?;
    let highest = price.max(mark.price).max(worst);
    let scale = mark.scale.and_open(lots)?;
    let margin = initial_margin(params, &scale, highest.notional(lots)?)?;
    let loss = match side {
        Side::Long => price.get().checked_sub(worst.get()),
        Side::Short => worst.get().checked_sub(price.get()),
    };
    // A loss per lot within 31 bits times lots within 32.
    let loss = loss.unwrap_or(0).wrapping_mul(lots);
    let fee = maker_fee(params, price.notional(lots)?, 0)?;
    margin
        .checked_add(loss)
        .and_then(|sum| sum.checked_add(fee.positive_part()))
        .ok_or(EngineError::Overflow)
}
