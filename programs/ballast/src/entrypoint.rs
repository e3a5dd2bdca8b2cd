//! The program's entry point, in the stead of the one that Anchor generates (`no-entrypoint`).
//!
//! It differs in two ways that cost every instruction less. The program's call of itself that
//! carries an event is answered from the runtime's input, by the same two checks that Anchor's
//! handler makes; and the accounts are not dropped, because the memory of a call goes with it.

#![allow(unsafe_code)]

use anchor_lang::solana_program::entrypoint::NON_DUP_MARKER;
use ballast_state::events::EVENT_TAG;

/// Bytes that the runtime keeps free behind an account's data.
const SPARE_BYTES: usize = 10_240;

/// The runtime's input for an instruction with one account that has no data, up to the first eight
/// bytes of the instruction's data.
#[repr(C)]
struct OneAccount {
    accounts: u64,
    marker: u8,
    is_signer: u8,
    is_writable: u8,
    executable: u8,
    original_length: u32,
    key: [u8; 32],
    owner: [u8; 32],
    lamports: u64,
    length: u64,
    spare: [u8; SPARE_BYTES],
    rent_epoch: u64,
    instruction_length: u64,
    tag: [u8; 8],
}

const _: () = {
    assert!(core::mem::offset_of!(OneAccount, key) == 16);
    assert!(core::mem::offset_of!(OneAccount, spare) == 96);
    assert!(core::mem::offset_of!(OneAccount, tag) == 112 + SPARE_BYTES);
};

/// Whether the instruction carries an event that the program itself emitted: it begins with the tag
/// of events and the event authority signed, which only this program can make it do.
///
/// # Safety
/// `input` is the runtime's input of an instruction, aligned to eight bytes.
unsafe fn is_own_event(input: *const u8) -> bool {
    let call = input.cast::<OneAccount>();
    // SAFETY: the number of accounts comes first. With one account that has no data the other
    // fields are where the struct has them: behind the instruction's data stands the program's id,
    // so that the tag is readable even where the data is shorter.
    unsafe {
        (*call).accounts == 1
            && (*call).marker == NON_DUP_MARKER
            && (*call).length == 0
            && (*call).instruction_length >= 8
            && (*call).tag == EVENT_TAG
            && (*call).is_signer != 0
            && (*call).key == crate::EVENT_AUTHORITY_AND_BUMP.0.to_bytes()
    }
}

#[cfg(all(target_os = "solana", not(feature = "cpi")))]
mod exported {
    use anchor_lang::solana_program::entrypoint::{
        custom_heap_default, custom_panic_default, deserialize, SUCCESS,
    };

    /// What the runtime calls.
    ///
    /// # Safety
    /// `input` is the runtime's input of an instruction.
    #[no_mangle]
    pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
        // SAFETY: the caller's promise; the runtime aligns its input.
        if unsafe { super::is_own_event(input) } {
            return SUCCESS;
        }
        // SAFETY: the caller's promise.
        let (program_id, accounts, data) = unsafe { deserialize(input) };
        match crate::entry(program_id, Vec::leak(accounts), data) {
            Ok(()) => SUCCESS,
            Err(error) => error.into(),
        }
    }

    custom_heap_default!();
    custom_panic_default!();
}

#[cfg(test)]
mod tests {
    use anchor_lang::prelude::Pubkey;
    use bytemuck::cast_slice_mut;

    use super::*;

    const TAG: usize = core::mem::offset_of!(OneAccount, tag);

    /// The input of an instruction with these accounts (key, signer, bytes of data) and data.
    fn input(accounts: &[(Pubkey, bool, usize)], data: &[u8]) -> Vec<u64> {
        let mut bytes = u64::try_from(accounts.len())
            .unwrap()
            .to_le_bytes()
            .to_vec();
        for (key, signer, length) in accounts {
            bytes.extend([NON_DUP_MARKER, u8::from(*signer), 0, 0, 0, 0, 0, 0]);
            bytes.extend(key.to_bytes());
            bytes.extend([0; 40]);
            bytes.extend(u64::try_from(*length).unwrap().to_le_bytes());
            bytes.resize(bytes.len() + length + SPARE_BYTES, 0);
            bytes.resize(bytes.len().next_multiple_of(8) + 8, 0);
        }
        bytes.extend(u64::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend(data);
        bytes.extend(crate::ID.to_bytes());
        let mut words = vec![0; bytes.len().div_ceil(8)];
        cast_slice_mut::<u64, u8>(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        words
    }

    fn is_event(accounts: &[(Pubkey, bool, usize)], data: &[u8]) -> bool {
        // SAFETY: laid out as the runtime does.
        unsafe { is_own_event(input(accounts, data).as_ptr().cast()) }
    }

    #[test]
    fn an_event_is_what_the_authority_signed_and_has_the_tag() {
        let authority = crate::EVENT_AUTHORITY_AND_BUMP.0;
        let tag = EVENT_TAG;
        assert_eq!(
            input(&[(authority, true, 0)], &tag)[TAG / 8].to_le_bytes(),
            tag
        );
        assert!(is_event(&[(authority, true, 0)], &tag));
        assert!(is_event(
            &[(authority, true, 0)],
            &[&tag[..], &[1; 90]].concat()
        ));
    }

    #[test]
    fn anything_else_goes_to_the_program() {
        let authority = crate::EVENT_AUTHORITY_AND_BUMP.0;
        let tag = EVENT_TAG;
        assert!(!is_event(&[], &tag));
        assert!(!is_event(&[(authority, false, 0)], &tag));
        assert!(!is_event(&[(crate::ID, true, 0)], &tag));
        assert!(!is_event(&[(authority, true, 1)], &tag));
        assert!(!is_event(
            &[(authority, true, 0), (crate::ID, false, 0)],
            &tag
        ));
        assert!(!is_event(&[(authority, true, 0)], &tag[..7]));
        assert!(!is_event(&[(authority, true, 0)], &[]));
        assert!(!is_event(&[(authority, true, 0)], &[9; 16]));
    }
}
