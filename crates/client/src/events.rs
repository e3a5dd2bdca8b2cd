//! Decoding of events from the program's self-calls.
//!
//! The program announces an event by calling itself with the event's bytes as
//! instruction data, signed by its event authority, which nobody else can. So an
//! inner instruction of a transaction that succeeded is an event exactly when the
//! program is its callee and its data decodes: see [`of_transaction`].

use ballast_state::events::{BallastEvent, Event, EVENT_TAG};
use ballast_state::Pubkey;
use borsh::BorshDeserialize;

/// The program's events among the inner instructions of a transaction that succeeded,
/// each given as callee and data, in the order of their execution.
pub fn of_transaction<'a>(
    inner: impl IntoIterator<Item = (&'a Pubkey, &'a [u8])>,
) -> Vec<BallastEvent> {
    inner
        .into_iter()
        .filter(|(callee, _)| **callee == ballast_state::ID)
        .filter_map(|(_, data)| BallastEvent::decode(data))
        .collect()
}

/// The event of one type in the data of a self-call; `None` when it is another, or not exactly one.
pub fn of_type<E: Event + BorshDeserialize>(data: &[u8]) -> Option<E> {
    let fields = data.strip_prefix(&EVENT_TAG)?;
    E::try_from_slice(fields.strip_prefix(&E::DISCRIMINATOR)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::events::Deposited;

    #[test]
    fn only_what_the_program_called_itself_with_is_an_event() {
        let record = |amount: u64| {
            let event = Deposited {
                trader: Pubkey::new_from_array([1; 32]),
                depositor: Pubkey::new_from_array([2; 32]),
                amount,
                free_after: 0,
            };
            let fields = borsh::to_vec(&event).unwrap();
            [&EVENT_TAG[..], &Deposited::DISCRIMINATOR, &fields].concat()
        };
        let (first, forged, second) = (record(1), record(2), record(3));
        let mut longer = record(4);
        longer.push(0);
        let token_transfer = vec![3, 0, 0, 0, 0, 0, 0, 0, 0];
        let stranger = Pubkey::new_from_array([7; 32]);
        let inner: Vec<(&Pubkey, &[u8])> = vec![
            (&stranger, &token_transfer),
            (&ballast_state::ID, &first),
            (&stranger, &forged),
            (&ballast_state::ID, &longer),
            (&ballast_state::ID, &token_transfer),
            (&ballast_state::ID, &second),
        ];
        let amounts: Vec<u64> = of_transaction(inner)
            .into_iter()
            .map(|event| match event {
                BallastEvent::Deposited(deposited) => deposited.amount,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(amounts, [1, 3]);
        let typed = |data: &[u8]| of_type::<Deposited>(data).map(|event| event.amount);
        assert_eq!(typed(&first), Some(1));
        assert_eq!((typed(&longer), typed(&token_transfer)), (None, None));
    }
}
