//! The other process: is caught at the start of `main`, says hello, and serves calls until it is told to leave.
//!
//! `enter` turns a fresh process into a worker, `serve` is its loop, `ready` runs what a call names, `enclosures` takes in
//! and sends what goes beside the bytes, `guard` keeps a panic from ending it, `growth` notices that it had better be
//! replaced, `stint` ends chunks that take too long, `watch` ends it when its parent is gone, `zygote` is what makes workers of itself,
//! `before_main` catches the workers of programs that are tests. It meets the parent's side only in what `wire` says.
//! `notes` passes on what tasks log. `confine` keeps it from what it may not do.

#[cfg(feature = "test")]
mod before_main;
mod confine;
mod enclosures;
mod enter;
mod growth;
mod guard;
#[cfg(not(feature = "tracing"))]
#[path = "no_notes.rs"]
mod notes;
#[cfg(feature = "tracing")]
mod notes;
mod ready;
mod serve;
mod stint;
mod watch;
mod zygote;

pub(crate) use self::enter::catch;
