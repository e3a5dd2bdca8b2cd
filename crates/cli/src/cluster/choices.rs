//! Choices of the command line, and what they are to the program.

use ballast_state::book_account::OrderSide;
use ballast_state::order_args::OrderKind;
use ballast_state::trigger::TriggerKind;
use clap::ValueEnum;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Direction {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

impl From<Direction> for OrderSide {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Buy => Self::Bid,
            Direction::Sell => Self::Ask,
        }
    }
}

impl From<OrderSide> for Direction {
    fn from(side: OrderSide) -> Self {
        match side {
            OrderSide::Bid => Self::Buy,
            OrderSide::Ask => Self::Sell,
        }
    }
}

/// How an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Type {
    /// Trades what it can; the rest waits in the book.
    Limit,
    /// Waits in the book and never trades at once.
    PostOnly,
    /// Immediate or cancel: trades what it can; the rest is dropped.
    Ioc,
    /// Fill or kill: trades whole or not at all.
    Fok,
    /// Like ioc, at prices up to --price or the price band.
    Market,
}

impl From<Type> for OrderKind {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Limit => Self::Limit,
            Type::PostOnly => Self::PostOnly,
            Type::Ioc => Self::ImmediateOrCancel,
            Type::Fok => Self::FillOrKill,
            Type::Market => Self::Market,
        }
    }
}

impl From<OrderKind> for Type {
    fn from(kind: OrderKind) -> Self {
        match kind {
            OrderKind::Limit => Self::Limit,
            OrderKind::PostOnly => Self::PostOnly,
            OrderKind::ImmediateOrCancel => Self::Ioc,
            OrderKind::FillOrKill => Self::Fok,
            OrderKind::Market => Self::Market,
        }
    }
}

/// Which trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Trigger {
    /// Limits a loss.
    StopLoss,
    /// Takes a profit.
    TakeProfit,
}

impl From<Trigger> for TriggerKind {
    fn from(kind: Trigger) -> Self {
        match kind {
            Trigger::StopLoss => Self::StopLoss,
            Trigger::TakeProfit => Self::TakeProfit,
        }
    }
}

impl From<TriggerKind> for Trigger {
    fn from(kind: TriggerKind) -> Self {
        match kind {
            TriggerKind::StopLoss => Self::StopLoss,
            TriggerKind::TakeProfit => Self::TakeProfit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_shown_by_the_words_that_the_command_takes() {
        fn same<T: ValueEnum + Copy + Into<&'static str>>() {
            for value in T::value_variants() {
                let taken = value.to_possible_value().expect("a word");
                assert_eq!(taken.get_name(), (*value).into());
            }
        }
        same::<Direction>();
        same::<Type>();
        same::<Trigger>();
    }
}
