//! Decoding of events from the program's self-calls.
//!
//! The program announces an event by calling itself with the event's bytes as
//! instruction data, signed by its event authority, which nobody else can. So an
//! inner instruction of a transaction that succeeded is an event exactly when the
//! program is its callee and its data decodes: see [`of_transaction`].

use anchor_lang::event::EVENT_IX_TAG_LE;
use anchor_lang::prelude::Pubkey;
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

        /// Decodes the data of an inner instruction of which the program is the
        /// callee; `None` when it is no event of the program, or not exactly one.
        pub fn decode(instruction_data: &[u8]) -> Option<BallastEvent> {
            let event = instruction_data.strip_prefix(EVENT_IX_TAG_LE)?;
            $(
                if let Some(mut fields) = event.strip_prefix(ballast::events::$name::DISCRIMINATOR) {
                    return ballast::events::$name::deserialize(&mut fields)
                        .ok()
                        .filter(|_| fields.is_empty())
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

/// The program's events among the inner instructions of a transaction that succeeded,
/// each given as callee and data, in the order of their execution.
pub fn of_transaction<'a>(
    inner: impl IntoIterator<Item = (&'a Pubkey, &'a [u8])>,
) -> Vec<BallastEvent> {
    inner
        .into_iter()
        .filter(|(callee, _)| **callee == ballast::ID)
        .filter_map(|(_, data)| decode(data))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn only_what_the_program_called_itself_with_is_an_event() {
        let record = |amount: u64| {
            let event = ballast::events::Deposited {
                trader: Pubkey::new_from_array([1; 32]),
                depositor: Pubkey::new_from_array([2; 32]),
                amount,
                free_after: 0,
            };
            [EVENT_IX_TAG_LE, &event.data()].concat()
        };
        let (first, forged, second) = (record(1), record(2), record(3));
        let mut longer = record(4);
        longer.push(0);
        let token_transfer = vec![3, 0, 0, 0, 0, 0, 0, 0, 0];
        let stranger = Pubkey::new_from_array([7; 32]);
        let inner: Vec<(&Pubkey, &[u8])> = vec![
            (&stranger, &token_transfer),
            (&ballast::ID, &first),
            (&stranger, &forged),
            (&ballast::ID, &longer),
            (&ballast::ID, &token_transfer),
            (&ballast::ID, &second),
        ];
        let amounts: Vec<u64> = of_transaction(inner)
            .into_iter()
            .map(|event| match event {
                BallastEvent::Deposited(deposited) => deposited.amount,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(amounts, [1, 3]);
    }
}
