//! The program's entry: no accounts, so its input is the number of accounts (8 bytes), the length
//! of the data (8 bytes) and the data.

const DATA: usize = 16;

extern "C" {
    fn sol_set_return_data(data: *const u8, length: u64);
}

/// # Safety
/// The runtime calls it with the serialised input of an instruction.
#[no_mangle]
unsafe extern "C" fn entrypoint(input: *const u8) -> u64 {
    let word = |offset: usize| unsafe { input.add(DATA + offset).cast::<u128>().read_unaligned() };
    let operation = unsafe { input.add(DATA).read() };
    let result = crate::apply(operation, word(1), word(17)).to_le_bytes();
    unsafe { sol_set_return_data(result.as_ptr(), 16) };
    0
}
