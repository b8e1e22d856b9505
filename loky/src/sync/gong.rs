//! A bell for models.

use loom::sync::{Condvar, Mutex};

/// What a thread sleeps on: remembers that it was rung, as a byte on a socket does.
#[derive(Default)]
pub(crate) struct Gong(Mutex<bool>, Condvar);

impl Gong {
    pub(crate) fn ring(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }

    pub(crate) fn wait(&self) {
        let mut is_rung = self.0.lock().unwrap();
        while !*is_rung {
            is_rung = self.1.wait(is_rung).unwrap();
        }
        *is_rung = false;
    }
}
