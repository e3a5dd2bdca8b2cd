//! The program's entry point, in the stead of the one that Anchor generates (`no-entrypoint`).
//!
//! It differs in three ways that cost every instruction less. The program's call of itself that
//! carries an event is answered from the runtime's input, by the same two checks that Anchor's
//! handler makes; the accounts are read with as few steps as their layout allows; and no memory is
//! given back, accounts included, because the memory of a call goes with it.

#![allow(unsafe_code)]

use anchor_lang::{prelude::*, solana_program::entrypoint::NON_DUP_MARKER};
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

/// An account in the runtime's input, up to its data. What follows the data is [`SPARE_BYTES`], bytes
/// up to the next multiple of eight, and eight that were once its rent epoch.
#[repr(C)]
struct Head {
    marker: u8,
    is_signer: u8,
    is_writable: u8,
    executable: u8,
    original_length: u32,
    key: Pubkey,
    owner: Pubkey,
    lamports: u64,
    length: usize,
}

const _: () = {
    assert!(core::mem::size_of::<Head>() == 88);
    assert!(core::mem::align_of::<Head>() == 8);
    assert!(core::mem::offset_of!(Head, lamports) == 72);
};

/// The accounts of an instruction, its data, and the key of the program.
///
/// # Safety
/// `input` is the runtime's input of an instruction, aligned to eight bytes. Nobody else uses it.
unsafe fn read<'a>(input: *mut u8) -> (Vec<AccountInfo<'a>>, &'a [u8], &'a Pubkey) {
    // SAFETY: the number of accounts comes first. Each begins at a multiple of eight: with a head
    // of its own or, where it is one before once more, with the number of that one in eight bytes.
    // `accounts` has room for as many as there are, and each is written before it is counted.
    unsafe {
        let count = *input.cast::<usize>();
        let mut accounts: Vec<AccountInfo<'a>> = Vec::with_capacity(count);
        let mut place = input.add(8);
        for index in 0..count {
            let head = place.cast::<Head>();
            let account = if (*head).marker == NON_DUP_MARKER {
                let length = (*head).length;
                // Where an account's owner looks up by how much it may grow.
                place.add(4).cast::<u32>().write(low_half(length));
                let data = place.add(core::mem::size_of::<Head>());
                place = data.add((length.wrapping_add(SPARE_BYTES + 15)) & !7);
                AccountInfo::new(
                    &(*head).key,
                    (*head).is_signer != 0,
                    (*head).is_writable != 0,
                    &mut (*head).lamports,
                    core::slice::from_raw_parts_mut(data, length),
                    &(*head).owner,
                    (*head).executable != 0,
                )
            } else {
                place = place.add(8);
                // Fails rather than reading what has not been written.
                accounts[usize::from((*head).marker)].clone()
            };
            accounts.as_mut_ptr().add(index).write(account);
            accounts.set_len(index.wrapping_add(1));
        }
        let length = *place.cast::<usize>();
        let data = core::slice::from_raw_parts(place.add(8), length);
        let program = &*place.add(8).add(length).cast::<Pubkey>();
        (accounts, data, program)
    }
}

/// The length of an account's data, which is far below 2^32.
const fn low_half(length: usize) -> u32 {
    let bytes = length.to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(all(target_os = "solana", not(feature = "cpi")))]
mod exported {
    use core::{
        alloc::{GlobalAlloc, Layout},
        ptr::{null_mut, with_exposed_provenance_mut},
    };

    use anchor_lang::solana_program::entrypoint::{
        custom_panic_default, HEAP_LENGTH, HEAP_START_ADDRESS, SUCCESS,
    };

    /// First byte of the memory that the runtime hands over, all zero.
    const HEAP: usize = 0x3_0000_0000;
    const _: () = assert!(HEAP_START_ADDRESS == 0x3_0000_0000);

    /// Hands the heap out from the front. Its first word has the number of bytes that are in use
    /// behind it.
    struct Heap;

    // SAFETY: every allocation lies behind those before, is aligned, and ends within the heap.
    unsafe impl GlobalAlloc for Heap {
        #[inline]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let used: *mut usize = with_exposed_provenance_mut(HEAP);
            let below = layout.align().wrapping_sub(1);
            // SAFETY: the runtime hands the heap's bytes to this program alone.
            unsafe {
                let begin = (*used).wrapping_add(HEAP + 8).wrapping_add(below) & !below;
                let end = begin.wrapping_add(layout.size());
                if end > HEAP + HEAP_LENGTH {
                    return null_mut();
                }
                *used = end.wrapping_sub(HEAP + 8);
                with_exposed_provenance_mut(begin)
            }
        }

        #[inline]
        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[cfg(not(feature = "custom-heap"))]
    #[global_allocator]
    static ALLOCATOR: Heap = Heap;

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
        let (accounts, data, program) = unsafe { super::read(input) };
        match crate::entry(program, Vec::leak(accounts), data) {
            Ok(()) => SUCCESS,
            Err(error) => error.into(),
        }
    }

    custom_panic_default!();
}

#[cfg(test)]
mod tests {
    use anchor_lang::solana_program::entrypoint::deserialize;
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

    /// What an account is, its data by place and length.
    type Row = (Pubkey, Pubkey, u64, usize, usize, [bool; 3]);

    fn rows(accounts: &[AccountInfo]) -> Vec<Row> {
        let row = |account: &AccountInfo| {
            let data = account.try_borrow_data().unwrap();
            let flags = [account.is_signer, account.is_writable, account.executable];
            let place = data.as_ptr().addr();
            (
                *account.key,
                *account.owner,
                account.lamports(),
                place,
                data.len(),
                flags,
            )
        };
        accounts.iter().map(row).collect()
    }

    #[test]
    fn accounts_are_read_as_the_runtime_lays_them_out() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let mut words = input(
            &[(key(1), true, 0), (key(2), false, 13), (key(3), true, 952)],
            &[7; 11],
        );
        // The fields that all accounts above have alike.
        let bytes = cast_slice_mut::<u64, u8>(&mut words);
        (bytes[10], bytes[48], bytes[80]) = (1, 9, 200);
        // The third account gives way to the first and the second once more.
        let third = 8 + 2 * (88 + SPARE_BYTES + 8) + 16;
        let end = third + 88 + SPARE_BYTES + 952 + 8;
        bytes.copy_within(end.., third + 16);
        bytes[third..third + 16].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        bytes[0] = 4;
        let place = words.as_mut_ptr().cast();
        // SAFETY: laid out as the runtime does; the accounts of one are not used beside the other's.
        let (found, expected) = unsafe {
            let (accounts, data, program) = read(place);
            assert_eq!(accounts[1].original_data_len(), 13);
            let found = (rows(&accounts), data.to_vec(), *program);
            let (program, accounts, data) = deserialize(place);
            (found, (rows(&accounts), data.to_vec(), *program))
        };
        assert_eq!(found, expected);
        let (accounts, data, program) = found;
        assert_eq!((data, program), (vec![7; 11], crate::ID));
        assert_eq!(accounts[2..], accounts[..2]);
        assert_eq!(accounts[0].2, 200);
        assert_eq!(accounts[0].5, [true, true, false]);
    }
}
