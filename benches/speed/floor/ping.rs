//! The floor of a round trip: a word in shared memory that both sides watch; and, if both rest in between, two pipes.

use std::fs::File;
use std::hint;
use std::io::{self, Read, Write};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread;
use std::time::{Duration, Instant};

use super::bare::{Forked, Shared};
use crate::absent::Measured;
use crate::scale::{median, p99};

/// The median, and what 99 of 100 stay below.
pub(super) fn spinning(trips: usize) -> Measured<(f64, f64)> {
    let shared = Shared::new(4096)?;
    let (there, back) = (&shared.words()[0], &shared.words()[LINES_APART]);
    let _other = Forked::begin(|| {
        for turn in 1.. {
            while there.load(Acquire) != turn {
                hint::spin_loop();
            }
            back.store(turn, Release);
        }
    })?;
    let mut times = Vec::with_capacity(trips);
    for turn in 1..=(trips + WARM_UP) as u64 {
        let begin = Instant::now();
        there.store(turn, Release);
        while back.load(Acquire) != turn {
            hint::spin_loop();
        }
        times.push(begin.elapsed().as_nanos() as f64);
    }
    times.drain(..WARM_UP);
    Ok((median(times.clone()), p99(times)))
}

pub(super) fn piped_after_a_rest(trips: usize) -> Measured<f64> {
    let (mut request, mut ask) = pipe()?;
    let (mut answer, mut respond) = pipe()?;
    let _other = Forked::begin(|| {
        let mut message = [0; 64];
        while request.read_exact(&mut message).and_then(|()| respond.write_all(&message)).is_ok() {}
    })?;
    let mut times = Vec::with_capacity(trips);
    let mut message = [0; 64];
    for _ in 0..trips {
        thread::sleep(Duration::from_millis(1));
        let begin = Instant::now();
        ask.write_all(&message)?;
        answer.read_exact(&mut message)?;
        times.push(begin.elapsed().as_nanos() as f64);
    }
    Ok(median(times))
}

pub(super) fn pipe() -> io::Result<(File, File)> {
    let (read, write) = nix::unistd::pipe()?;
    Ok((read.into(), write.into()))
}

/// Two cache lines, since processors fetch them in pairs.
const LINES_APART: usize = 16;
const WARM_UP: usize = 1000;
