//! Types of the standard library that stay where they are.

use std::rc::Rc;
use std::sync::{Arc, MutexGuard, mpsc};
use std::time::Instant;

#[loky::task]
fn shared(all: Rc<Vec<u8>>, other: Arc<str>) -> usize {
    all.len() + other.len()
}

#[loky::task]
fn channels(sender: mpsc::Sender<u8>) -> Result<Instant, std::io::Error> {
    drop(sender);
    Ok(Instant::now())
}

#[loky::task]
fn pointers(pointer: *const u8, function: fn(u8) -> u8) -> u8 {
    let _ = pointer;
    function(1)
}

#[loky::task]
fn guarded(lock: MutexGuard<'static, u8>) -> u8 {
    *lock
}

fn main() {
    let _ = (shared, channels, pointers, guarded);
}
