//! An order as the instructions take it.

use ballast_engine::{order, units};

use crate::{book_account::OrderSide, derives::*};

/// How an order trades. See [`order::OrderKind`].
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderKind {
    /// Trades what it can; the rest waits in the book.
    #[default]
    Limit,
    /// Trades what it can; the rest is dropped.
    ImmediateOrCancel,
    /// Trades whole or not at all.
    FillOrKill,
    /// Waits in the book and never trades at once.
    PostOnly,
    /// Like immediate-or-cancel, at prices up to its worst one or the price band.
    Market,
}

impl From<OrderKind> for order::OrderKind {
    fn from(kind: OrderKind) -> Self {
        match kind {
            OrderKind::Limit => Self::Limit,
            OrderKind::ImmediateOrCancel => Self::ImmediateOrCancel,
            OrderKind::FillOrKill => Self::FillOrKill,
            OrderKind::PostOnly => Self::PostOnly,
            OrderKind::Market => Self::Market,
        }
    }
}

/// What happens when an order meets one of the same trader account's own. See
/// [`order::SelfTrade`].
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfTrade {
    /// The one in the book is cancelled.
    #[default]
    CancelProvide,
    /// Both lose the lots of the smaller one.
    DecrementAndCancel,
    /// The new one fails.
    Abort,
}

impl From<SelfTrade> for order::SelfTrade {
    fn from(mode: SelfTrade) -> Self {
        match mode {
            SelfTrade::CancelProvide => Self::CancelProvide,
            SelfTrade::DecrementAndCancel => Self::DecrementAndCancel,
            SelfTrade::Abort => Self::Abort,
        }
    }
}

/// Arguments of `place_order` and of `trade_leg`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceOrderArgs {
    /// Buys or sells.
    pub side: OrderSide,
    /// How it trades.
    pub kind: OrderKind,
    /// Limit price, ticks; the worst price of a market order, where 0 is the price band.
    pub price_ticks: u64,
    /// Lots to trade, positive.
    pub lots: u64,
    /// Least collateral for the whole order, atoms: goes to the margin of the position as it fills,
    /// and is reserved while it waits. 0: as little as the initial margin allows. A leg has the pool for margin;
    /// of its orders it is what they reserve at the least.
    pub margin: u64,
    /// A number of the trader's own to cancel it by, unique among its orders in the market; 0
    /// none.
    pub client_id: u64,
    /// When it expires, unix seconds; 0 never.
    pub expires_at: i64,
    /// Whether it may only make the position smaller; it reserves nothing.
    pub reduce_only: bool,
    /// What happens when it meets the trader's own orders.
    pub self_trade: SelfTrade,
}

impl PlaceOrderArgs {
    /// The order as the engine takes it.
    pub fn request(&self) -> order::OrderRequest {
        order::OrderRequest {
            side: self.side.into(),
            kind: self.kind.into(),
            price: units::Ticks::new(self.price_ticks),
            lots: self.lots,
            expires_at: self.expires_at,
            reduce_only: self.reduce_only,
        }
    }
}
