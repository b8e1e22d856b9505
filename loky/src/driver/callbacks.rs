//! Runs `on_done` callbacks: one after the other, on a thread of their own, so that a slow one delays no result.
//!
//! The thread starts with the first callback and ends with the pool, after the last one. The channel has no limit,
//! because there is at most one callback in it for each handle that somebody has made.

use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, unbounded};

use crate::sync::Mutex;

/// What is run when a call has ended.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Callbacks(Mutex<Option<(Sender<Callback>, JoinHandle<()>)>>);

impl Callbacks {
    /// Runs `callback` soon; here and now, if no thread can be had.
    pub(super) fn run(&self, callback: Callback) {
        let mut thread = self.0.lock();
        if thread.is_none() {
            *thread = start().ok();
        }
        match &*thread {
            // The thread ends only when this sender is gone.
            Some((sender, _)) => drop(sender.send(callback)),
            None => {
                drop(thread);
                run(callback);
            }
        }
    }

    /// Waits until every callback has run and the thread has ended; does not wait if a callback asks for it.
    pub(super) fn end(&self) {
        let Some((sender, handle)) = self.0.lock().take() else { return };
        drop(sender);
        if handle.thread().id() != thread::current().id() {
            let _ = handle.join();
        }
    }
}

fn start() -> std::io::Result<(Sender<Callback>, JoinHandle<()>)> {
    let (sender, receiver) = unbounded::<Callback>();
    let life = move || receiver.into_iter().for_each(run);
    Ok((sender, thread::Builder::new().name("loky-callbacks".into()).spawn(life)?))
}

fn run(callback: Callback) {
    if panic::catch_unwind(AssertUnwindSafe(callback)).is_err() {
        eprintln!("loky: an `on_done` callback panicked; the pool goes on");
    }
}
