//! Any bytes for `loky::fuzz::rings`, which says what they are taken for.

#![no_main]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| loky::fuzz::rings(data));
