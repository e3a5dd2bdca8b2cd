//! How the program emits events: it invokes itself, so that an event stands among the inner
//! instructions of its transaction, which are kept whole where logs are cut.
//!
//! Bytes and accounts are those of Anchor's `emit_cpi!`. An event is written once, into a buffer
//! of its size.

use anchor_lang::{
    prelude::*,
    solana_program::{
        instruction::{AccountMeta, Instruction},
        program::invoke_signed_unchecked,
    },
};
use ballast_state::error::BallastError;
use ballast_state::events::{Event, EVENT_TAG};

use crate::error::error;

/// Seed of the address that signs for events, as Anchor derives it.
const EVENT_AUTHORITY_SEED: &[u8] = b"__event_authority";

/// Emits `event`; `authority` is the account of that name that `#[event_cpi]` adds.
///
/// # Errors
/// Those of the runtime: an account among the instruction's that is not the authority or the
/// program, memory that runs out.
pub fn emit<E: Event>(authority: &AccountInfo, event: &E) -> Result<()> {
    send(authority, bytes(event)?)
}

/// Data of the instruction that carries `event`: Anchor's tag, the discriminator, the fields.
#[inline(never)]
fn bytes<E: Event>(event: &E) -> Result<Vec<u8>> {
    let length = borsh::object_length(event)?
        .checked_add(EVENT_TAG.len())
        .and_then(|length| length.checked_add(E::DISCRIMINATOR.len()))
        .ok_or_else(|| error!(BallastError::Overflow))?;
    let mut data = Vec::with_capacity(length);
    data.extend_from_slice(&EVENT_TAG);
    data.extend_from_slice(&E::DISCRIMINATOR);
    event.serialize(&mut data)?;
    Ok(data)
}

#[inline(never)]
fn send(authority: &AccountInfo, data: Vec<u8>) -> Result<()> {
    let instruction = Instruction {
        program_id: crate::ID,
        accounts: vec![AccountMeta::new_readonly(*authority.key, true)],
        data,
    };
    let bump = [crate::EVENT_AUTHORITY_AND_BUMP.1];
    // Nobody borrows the authority: it has no data and its lamports are not touched.
    invoke_signed_unchecked(
        &instruction,
        core::slice::from_ref(authority),
        &[&[EVENT_AUTHORITY_SEED, &bump]],
    )
    .map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use ballast_state::{
        book_account::OrderSide,
        events::{DelegateSet, OrderCancelled, OrdersCancelled},
    };

    use super::*;

    const TAG: [u8; 8] = [228, 69, 165, 46, 81, 203, 154, 29];

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    #[test]
    fn an_event_is_its_tag_its_discriminator_and_its_fields() {
        let event = DelegateSet {
            trader: key(1),
            before: key(2),
            after: key(3),
            block_trades: true,
        };
        let mut expected = [TAG, [103, 126, 239, 131, 201, 31, 212, 253]].concat();
        expected.extend([[1; 32], [2; 32], [3; 32]].concat());
        expected.push(1);
        assert_eq!(bytes(&event).unwrap(), expected);
    }

    #[test]
    fn an_event_fills_one_buffer_of_its_size_with_what_anchor_writes() {
        let order = |id| OrderCancelled {
            id,
            client_id: 7,
            side: OrderSide::Ask,
            price_ticks: 200_000,
            lots: 9,
            margin_atoms: u64::MAX,
        };
        for count in [0, 1, 16] {
            let event = OrdersCancelled {
                market: key(4),
                trader: key(5),
                free_after: -6,
                orders: (0..count).map(order).collect(),
            };
            let written = bytes(&event).unwrap();
            assert_eq!(
                written,
                [TAG.to_vec(), anchor_lang::Event::data(&event)].concat()
            );
            assert_eq!(written.capacity(), written.len());
        }
    }
}
