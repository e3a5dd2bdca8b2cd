#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ballast_engine_fuzz::proof::run(data));
