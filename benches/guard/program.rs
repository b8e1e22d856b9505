//! The program whose instructions are counted: calls through the public interface alone, in windows of two lengths.
//!
//! The difference between a short and a long window is what the calls in between cost, without what it takes to begin
//! and end. It refuses to know how it is counted, and what is a good number.

use std::io::Read;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{JoinHandle, Pool, Shared};

use crate::count::{await_counter, stay_together, window};

/// Runs everything that is to be counted, and prints one line for each window: how many calls, and of what kind.
pub(crate) fn run() {
    await_counter();
    end_if_it_hangs();
    let pool = loky::reusable(Pool::builder().workers(1)).expect("a pool of one worker can be built");
    join(next.spawn(1), 2);
    stay_together().expect("a thread may keep to one of its processors");
    let shared = Shared::from_vec(vec![1_u64; 1 << 17]);
    for _ in 0..WINDOWS {
        for calls in [1, 3] {
            spawn_and_join(calls);
        }
        for calls in [1, 3] {
            echo_what_is_shared(&shared, calls);
        }
        for calls in [4, 12] {
            spawn_behind_a_busy_worker(calls);
        }
        for calls in [20, 60] {
            join_finished(calls);
        }
        for items in [20, 60] {
            collect_of_par_map(&pool, items);
        }
    }
}

#[loky::task]
fn next(x: u64) -> u64 {
    x + 1
}

#[loky::task]
fn same(shared: Shared<u64>) -> Shared<u64> {
    shared
}

/// Keeps the worker busy until the other end of the connection is closed.
#[loky::task]
fn hold(gate: &str) {
    let mut gate = UnixStream::connect_addr(&address(gate)).expect("the gate listens");
    gate.read_to_end(&mut Vec::new()).expect("the gate is closed and not broken");
}

fn spawn_and_join(calls: u64) {
    // Warm: the worker is there, and waits.
    join(next.spawn(1), 2);
    window(|| (0..calls).for_each(|x| join(next.spawn(x), x + 1)));
    println!("{calls} spawn and join");
}

fn echo_what_is_shared(shared: &Shared<u64>, calls: u64) {
    let echo = || {
        let back = same.spawn(shared.clone()).join().expect("this task does not fail");
        assert_eq!(back.as_ptr(), shared.as_ptr());
    };
    // Warm: the worker has mapped it.
    echo();
    window(|| (0..calls).for_each(|_| echo()));
    println!("{calls} echo of what is shared");
}

fn spawn_behind_a_busy_worker(calls: u64) {
    behind_a_busy_worker(|| window(|| spawn(calls)));
    println!("{calls} spawn behind a busy worker");
}

fn join_finished(calls: u64) {
    let handles = behind_a_busy_worker(|| spawn(calls));
    window(|| (0..).zip(handles).for_each(|(x, handle)| join(handle, x + 1)));
    println!("{calls} join a finished call");
}

/// The calls that are spawned so begin when all have been, and have finished when this returns.
fn behind_a_busy_worker(spawn: impl FnOnce() -> Vec<JoinHandle<u64>>) -> Vec<JoinHandle<u64>> {
    let name = format!("loky-guard-{}", std::process::id());
    let gate = UnixListener::bind_addr(&address(&name)).expect("the name is ours alone");
    let held = hold.spawn(&name);
    let (visitor, _) = gate.accept().expect("the worker knocks");
    let handles = spawn();
    drop(visitor);
    held.join().expect("nobody is hurt at the gate");
    assert!(handles.iter().all(|handle| handle.wait_timeout(PATIENCE)), "all have finished");
    handles
}

fn spawn(calls: u64) -> Vec<JoinHandle<u64>> {
    (0..calls).map(|x| next.spawn(x)).collect()
}

/// Only what is collected: how much of the rest falls to this thread depends on how soon answers come.
fn collect_of_par_map(pool: &Pool, items: u64) {
    let all = usize::try_from(items).expect("these are few") + 1;
    let mut results =
        (0..=items).par_map(next).chunk_size(all).window(all).map(|y| y.expect("this task does not fail"));
    assert_eq!(results.next(), Some(1));
    // The limit of the whole program is this loop's, too.
    while pool.stats().queued + pool.stats().running > 0 {
        thread::yield_now();
    }
    let sum = window(|| results.sum::<u64>());
    assert_eq!(sum, (2..=items + 1).sum());
    println!("{items} collect an item of par_map");
}

fn join(handle: JoinHandle<u64>, expected: u64) {
    assert_eq!(handle.join().expect("this task does not fail"), expected);
}

fn address(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(name).expect("the name is short")
}

/// Stepping would wait for ever for a program that does.
fn end_if_it_hangs() {
    thread::spawn(|| {
        thread::sleep(PATIENCE);
        eprintln!("guard: the counted program did not end within {PATIENCE:?}");
        std::process::exit(1);
    });
}

/// The median of them counts, so fewer than half of them may be disturbed.
const WINDOWS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(300);
