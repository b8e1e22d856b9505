//! The operating system, behind safe names: the only room that names `nix` or says `unsafe`.
//!
//! Linux only so far. Each file offers what one other room needs and nothing of what that room is for: `poll` waits
//! for descriptors, `process` starts, kills and reaps, `mapping` is memory that two processes share, `page` what lies
//! in that of a worker, `segment` is memory that nobody changes any more, `socket` passes bytes and a few descriptors, `bell` wakes whoever waits, `records` passes
//! whole messages with several descriptors, `entry` prepares a process to be a worker, `duplicate` copies a process,
//! `births` tells of it, `heirloom` has it know the program, `costume` dresses the copy, `image` and `marks` find functions in the running program,
//! `own_pid` notices a fork, `interrupt` takes over the signals that ask a program to end, `thread` starts one that is
//! small, `pages` asks for large ones, `held_back` knows what is not printed yet, `number`, `plain`, `row` and `words` see numbers as bytes, `conjure`
//! makes values without bytes, `interfaces` tells this machine's addresses, `termination` reads SIGTERM, `heap` knows of memory and a cheap clock, `clock` is one that processes share, `claim` is a file of one of
//! them, `at_exit` runs at the end of the program, `constructor` runs before `main`, `confine` keeps
//! a process from what it may not do. `library` opens what is on some machines only: `munge` seals for one user, `pmix`
//! speaks with launchers.
#![expect(unsafe_code, reason = "the one room where it may stand; each block says why it is sound")]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("loky runs on 64-bit Linux so far: it needs epoll, memfd and pidfd");

pub(crate) mod affinity;
pub(crate) mod at_exit;
pub(crate) mod bell;
pub(crate) mod births;
pub(crate) mod claim;
pub(crate) mod clock;
pub(crate) mod confine;
pub(crate) mod conjure;
#[cfg(feature = "test")]
pub(crate) mod constructor;
pub(crate) mod costume;
pub(crate) mod duplicate;
pub(crate) mod entry;
pub(crate) mod heap;
pub(crate) mod heirloom;
pub(crate) mod held_back;
pub(crate) mod image;
#[cfg(feature = "cluster")]
pub(crate) mod interfaces;
pub(crate) mod interrupt;
#[cfg(feature = "cluster")]
mod library;
mod mapping;
pub(crate) mod marks;
#[cfg(feature = "cluster")]
pub(crate) mod munge;
pub(crate) mod number;
pub(crate) mod own_pid;
pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod plain;
#[cfg(feature = "cluster")]
pub(crate) mod pmix;
pub(crate) mod pod;
pub(crate) mod poll;
pub(crate) mod process;
pub(crate) mod records;
pub(crate) mod row;
pub(crate) mod segment;
pub(crate) mod socket;
pub(crate) mod stdio;
#[cfg(feature = "cluster")]
pub(crate) mod termination;
pub(crate) mod thread;
pub(crate) mod words;
