//! The floor of what happens in one process: an allocation for each pending call, and a lock around what all share.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::absent::Measured;
use crate::procfs;

/// Nanoseconds and bytes of an argument and a place for its result, each shared between two.
pub(super) fn fill(calls: usize) -> Measured<(f64, f64)> {
    let before = procfs::memory(std::process::id(), "Rss:")?;
    let begin = Instant::now();
    let call = |argument| Arc::new((Mutex::new(None::<u64>), argument));
    let pending: Vec<Arc<(Mutex<Option<u64>>, usize)>> = (0..calls).map(call).collect();
    let passed = begin.elapsed();
    let after = procfs::memory(std::process::id(), "Rss:")?;
    drop(black_box(pending));
    Ok((passed.as_nanos() as f64 / calls as f64, (after - before) / calls as f64))
}

/// Nanoseconds.
pub(super) fn lock_and_clone() -> f64 {
    let shared = Mutex::new(Arc::new(0));
    let times = 100_000;
    let begin = Instant::now();
    for _ in 0..times {
        drop(black_box(Arc::clone(&black_box(&shared).lock().expect("nobody panics with it"))));
    }
    begin.elapsed().as_nanos() as f64 / f64::from(times)
}
