//! What every module exports: memory to write a request into, and the call.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr;

/// So many bytes to write into; null where there is no room for them. [`free`] gives them back.
#[cfg_attr(target_family = "wasm", no_mangle)]
pub extern "C" fn alloc(length: usize) -> *mut u8 {
    match Layout::array::<u8>(length) {
        // SAFETY: the layout has a size.
        Ok(layout) if length > 0 => unsafe { std::alloc::alloc(layout) },
        Ok(_) => ptr::dangling_mut(),
        Err(_) => ptr::null_mut(),
    }
}

/// Gives back what [`alloc`] gave, or the answer of [`call`] with its first four bytes.
///
/// # Safety
/// `at` is from one of them, of the same length, and is used no more.
#[cfg_attr(target_family = "wasm", no_mangle)]
pub unsafe extern "C" fn free(at: *mut u8, length: usize) {
    if let (Ok(layout), true) = (Layout::array::<u8>(length), length > 0) {
        // SAFETY: as the caller promises.
        unsafe { std::alloc::dealloc(at, layout) }
    }
}

/// Answers a call: four bytes with the length of the answer, least first, and the answer.
///
/// # Safety
/// Name and request are what [`alloc`] gave, of these lengths, every byte written.
#[cfg_attr(target_family = "wasm", no_mangle)]
pub unsafe extern "C" fn call(
    name: *const u8,
    name_length: usize,
    request: *const u8,
    request_length: usize,
) -> *mut u8 {
    // SAFETY: as the caller promises.
    let (name, request) = unsafe {
        (
            std::slice::from_raw_parts(name, name_length),
            std::slice::from_raw_parts(request, request_length),
        )
    };
    let answer = crate::answer(&String::from_utf8_lossy(name), request);
    // Addresses of the module have 32 bits.
    let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
    let bytes = [&length.to_le_bytes(), answer.as_bytes()].concat();
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was given back is taken again.
    #[test]
    fn memory_is_taken_and_given_back() {
        for length in [0, 1, 4_096] {
            let at = alloc(length);
            assert!(!at.is_null());
            // SAFETY: it is from there, and used no more.
            unsafe { free(at, length) }
        }
        assert!(alloc(usize::MAX).is_null());
    }
}
