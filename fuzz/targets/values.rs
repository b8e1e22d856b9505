//! Any bytes for `loky::fuzz::values`, which says what they are taken for.

#![no_main]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| loky::fuzz::values(data));
