//! Any bytes for `loky::fuzz::links`, which says what they are taken for.

#![no_main]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| loky::fuzz::links(data));
