//! Ends this process when its parent is gone, whatever its tasks are doing.
//!
//! A thread of its own waits for the end of the link, and for the end of the parent itself, because a forked child of
//! the parent could keep the link open. A parent-death signal would not do: it tells the end of the thread that
//! launched, and kills before the worker could take its own children with it.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::supervisor::{refusal, tree};
use crate::sys::process::{self, ProcessFd};
use crate::sys::{poll, thread};

/// Watches from now on, and kills what this process has started before it ends it. Without process descriptors, the link
/// alone must do.
pub(super) fn start(link: Arc<UnixStream>, parent: Option<ProcessFd>) -> io::Result<()> {
    let watch = move || {
        poll::wait_for_end(link.as_fd(), parent.as_ref().map(AsFd::as_fd));
        tree::kill_own_descendants();
        process::exit_now(0);
    };
    let refused = |why| format!("the thread that watches its parent cannot be started: {}", refusal(&why));
    thread::start(c"loky-watch", STACK, watch).map_err(|why| io::Error::other(refused(why)))
}

/// Has everything ready that the first thread of a process takes a while to find, so that the copies of this process,
/// which must have one thread, need not. An error if this process has more than one thread.
pub(super) fn rehearse() -> io::Result<()> {
    thread::rehearse(STACK)
}

/// More than the search for processes needs; what is not used is not there.
const STACK: usize = 128 << 10;
