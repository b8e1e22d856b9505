//! Runs callbacks, those of `on_done` and of finalizers: one after the other, on a thread of their own, so that a slow
//! one delays no result.
//!
//! The thread starts with the first callback and ends with the pool, after the last one. The channel has no limit,
//! because there is at most one callback in it for each handle that somebody has made, and for each end of a worker.

use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, unbounded};

use crate::caught::caught;
use crate::sync::Mutex;

/// What is run when a call has ended.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Callbacks(Mutex<Life>);

#[derive(Debug, Default)]
enum Life {
    #[default]
    Before,
    Thread(Sender<Callback>, JoinHandle<()>),
    After,
}

impl Callbacks {
    /// Runs `callback` soon; here and now, if the pool has ended or no thread can be had.
    pub(crate) fn run(&self, callback: Callback) {
        let mut life = self.0.lock();
        if matches!(*life, Life::Before) {
            *life = start().unwrap_or_default();
        }
        if let Life::Thread(sender, _) = &*life {
            sender.send(callback).expect("the thread ends only after its sender");
        } else {
            drop(life);
            run(callback);
        }
    }

    /// Makes the thread before there is anything to run.
    pub(super) fn start_early(&self) {
        let mut life = self.0.lock();
        if matches!(*life, Life::Before) {
            *life = start().unwrap_or_default();
        }
    }

    /// Runs `callback` soon, and never here: gives it back if there is no thread.
    pub(super) fn queue(&self, callback: Callback) -> Result<(), Callback> {
        match &*self.0.lock() {
            Life::Thread(sender, _) => {
                sender.send(callback).expect("the thread ends only after its sender");
                Ok(())
            }
            Life::Before | Life::After => Err(callback),
        }
    }

    /// Waits until every callback has run and the thread has ended; does not wait if a callback asks for it.
    pub(crate) fn end(&self) {
        let Life::Thread(sender, handle) = std::mem::replace(&mut *self.0.lock(), Life::After) else { return };
        drop(sender);
        if handle.thread().id() != thread::current().id() {
            // Each callback is contained, so the thread cannot have panicked.
            let _ = handle.join();
        }
    }
}

fn start() -> std::io::Result<Life> {
    let (sender, receiver) = unbounded::<Callback>();
    let life = move || receiver.into_iter().for_each(run);
    Ok(Life::Thread(sender, thread::Builder::new().name("loky-callbacks".into()).spawn(life)?))
}

fn run(callback: Callback) {
    if caught(callback).is_err() {
        eprintln!("loky: the panic above is that of a callback (of `on_done` or of a finalizer); the pool goes on");
    }
}
