//! The tasks of the zoo: each of them would end the program, if it ran there.

use std::hint::black_box;
use std::{fs, process, thread};

use loky::Fd;
use loky::prelude::*;

use crate::values::{Unreadable, Unwritable};

#[loky::task]
pub(crate) fn divide(a: i64, b: i64) -> i64 {
    a / b
}

#[loky::task]
pub(crate) fn abort() {
    process::abort();
}

#[loky::task]
pub(crate) fn exit(code: i32) {
    process::exit(code);
}

#[loky::task]
pub(crate) fn write_through_null() {
    // The second field of a struct at null, as when a C library forgets to look at what `malloc` gave it.
    let field = std::ptr::without_provenance_mut::<u64>(8);
    #[expect(unsafe_code, reason = "a fault of the processor is what this task is for")]
    // SAFETY: there is none. Nothing is mapped at this address, so the process ends here, and only this process.
    unsafe {
        field.write_volatile(1);
    }
}

#[loky::task]
pub(crate) fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        return depth;
    }
    // Something is left to do afterwards, and nobody can see through it: every level needs a frame of its own.
    black_box(recurse(depth + 1))
}

#[loky::task]
pub(crate) fn hang() {
    loop {
        thread::park();
    }
}

#[loky::task]
pub(crate) fn grow(bytes: usize) -> usize {
    let memory = vec![1; bytes];
    memory.iter().map(|&byte| usize::from(black_box::<u8>(byte))).sum()
}

#[loky::task]
pub(crate) fn take(_: Unwritable) {}

#[loky::task]
pub(crate) fn make() -> Unreadable {
    Unreadable
}

#[loky::task]
pub(crate) fn count_files(files: Vec<Fd>) -> usize {
    files.len()
}

#[loky::task]
pub(crate) fn load_license(path: &str) -> Result<(), String> {
    fs::read(path).map(drop).map_err(|why| format!("{path}: {why}"))
}

/// In a worker of a worker of a worker…
#[loky::task]
pub(crate) fn descend() -> Result<(), loky::Error> {
    descend.run()?
}

#[loky::task]
pub(crate) fn parse(text: &str) -> Result<u16, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}
