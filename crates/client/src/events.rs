//! Decoding of events from the program's self-calls.
//!
//! The program announces an event by calling itself with the event's bytes as
//! instruction data. Look for them among the inner instructions of a transaction,
//! with the program as callee.

use anchor_lang::event::EVENT_IX_TAG_LE;
use anchor_lang::{AnchorDeserialize, Discriminator};

macro_rules! events {
    ($($name:ident),* $(,)?) => {
        /// An event of the program.
        #[derive(Clone, Debug)]
        pub enum BallastEvent {
            $(
                #[doc = concat!("See [`ballast::events::", stringify!($name), "`].")]
                $name(Box<ballast::events::$name>),
            )*
        }

        impl BallastEvent {
            /// The event's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }
        }

        /// Decodes the data of an inner instruction; `None` when it is no event of
        /// the program.
        pub fn decode(instruction_data: &[u8]) -> Option<BallastEvent> {
            let event = instruction_data.strip_prefix(EVENT_IX_TAG_LE)?;
            $(
                if let Some(mut fields) = event.strip_prefix(ballast::events::$name::DISCRIMINATOR) {
                    return ballast::events::$name::deserialize(&mut fields)
                        .ok()
                        .map(|event| BallastEvent::$name(Box::new(event)));
                }
            )*
            None
        }
    };
}

events! {
    ExchangeInitialized,
    AuthorityProposed,
    AuthorityAccepted,
    PauseSet,
    MarketCreated,
    MarketRiskUpdated,
    TraderCreated,
    TraderClosed,
    DelegateSet,
    Deposited,
    Withdrawn,
    MarginAdded,
    MarginRemoved,
    BlockTraded,
    OrderPlaced,
    TriggerExecuted,
    FundingAccrued,
    InsuranceDonated,
    InsuranceSwept,
    PositionFlagged,
    PositionLiquidated,
    AutoDeleveraged,
    AdlSessionOpened,
    AdlSessionAdvanced,
    AdlSessionClosed,
    QueueGrown,
    OrdersCancelled,
    TriggerPlaced,
    TriggerCancelled,
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::Pubkey;
    use anchor_lang::Event;

    #[test]
    fn an_event_is_decoded_from_the_data_of_the_self_call() {
        let event = ballast::events::Deposited {
            trader: Pubkey::new_from_array([1; 32]),
            depositor: Pubkey::new_from_array([2; 32]),
            amount: 5,
            free_after: 12,
        };
        let mut data = EVENT_IX_TAG_LE.to_vec();
        data.extend(event.data());
        match decode(&data) {
            Some(BallastEvent::Deposited(read)) => {
                assert_eq!(
                    (read.trader, read.amount, read.free_after),
                    (event.trader, 5, 12)
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(decode(&data).unwrap().name(), "Deposited");
        data.truncate(40);
        assert!(decode(&data).is_none(), "cut short");
        assert!(decode(&event.data()).is_none(), "without the tag");
    }
}
