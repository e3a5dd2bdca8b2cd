//! The order book account of a market: the discriminator, then the engine's book.

use ballast_engine::units::Side;

use crate::derives::*;

/// First bytes of an initialised book account.
pub const BOOK_DISCRIMINATOR: [u8; 8] = [117, 52, 230, 19, 141, 8, 94, 203];
/// Orders a side that a book account must have room for, at the least.
pub const MIN_BOOK_ORDERS: usize = 16;

/// A side of the book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderSide {
    /// Orders to buy.
    #[default]
    Bid,
    /// Orders to sell.
    Ask,
}

impl From<OrderSide> for Side {
    fn from(side: OrderSide) -> Self {
        match side {
            OrderSide::Bid => Self::Long,
            OrderSide::Ask => Self::Short,
        }
    }
}

impl From<Side> for OrderSide {
    fn from(side: Side) -> Self {
        match side {
            Side::Long => Self::Bid,
            Side::Short => Self::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_of_the_book_are_those_of_positions() {
        for side in [OrderSide::Bid, OrderSide::Ask] {
            assert_eq!(OrderSide::from(Side::from(side)), side);
        }
        assert_eq!(Side::from(OrderSide::Bid), Side::Long);
    }
}
