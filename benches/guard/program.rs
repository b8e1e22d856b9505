//! The program whose instructions are counted: calls through the public interface alone, in windows of two lengths.
//!
//! The difference between a short and a long window is what the calls in between cost, without what it takes to begin
//! and end. It refuses to know how it is counted, and what is a good number.

use std::io::Read;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use loky::prelude::*;

use crate::count::{await_counter, stay_together, window};

/// Runs everything that is to be counted, and prints one line for each window: how many calls, and of what kind.
pub(crate) fn run() {
    await_counter();
    end_if_it_hangs();
    let pool = loky::Pool::builder().workers(1);
    let _pool = loky::reusable(pool).expect("a pool of one worker can be built");
    join(next.spawn(1), 2);
    stay_together().expect("a thread may keep to one of its processors");
    for _ in 0..WINDOWS {
        for calls in [1, 3] {
            spawn_and_join(calls);
        }
        for calls in [4, 12] {
            spawn_then_join(calls);
        }
        for items in [40, 120] {
            par_map(items);
        }
    }
}

#[loky::task]
fn next(x: u64) -> u64 {
    x + 1
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

/// Neither part waits for anything: the calls are spawned while the worker is busy, and joined when all have finished.
fn spawn_then_join(calls: u64) {
    let name = format!("loky-guard-{}", std::process::id());
    let gate = UnixListener::bind_addr(&address(&name)).expect("the name is ours alone");
    let held = hold.spawn(&name);
    let (visitor, _) = gate.accept().expect("the worker knocks");
    let handles = window(|| (0..calls).map(|x| next.spawn(x)).collect::<Vec<_>>());
    println!("{calls} spawn behind a busy worker");
    drop(visitor);
    held.join().expect("nobody is hurt at the gate");
    assert!(handles.iter().all(|handle| handle.wait_timeout(PATIENCE)), "all have finished");
    window(|| (0..).zip(handles).for_each(|(x, handle)| join(handle, x + 1)));
    println!("{calls} join a finished call");
}

fn par_map(items: u64) {
    let sum =
        window(|| (0..items).par_map(next).chunk_size(CHUNK).map(|y| y.expect("this task does not fail")).sum::<u64>());
    assert_eq!(sum, items * (items + 1) / 2);
    println!("{items} par_map, one item");
}

fn join(handle: loky::JoinHandle<u64>, expected: u64) {
    assert_eq!(handle.join().expect("this task does not fail"), expected);
}

fn address(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(name).expect("the name is short")
}

/// Stepping would wait for ever for a program that does.
fn end_if_it_hangs() {
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        eprintln!("guard: the counted program did not end within {PATIENCE:?}");
        std::process::exit(1);
    });
}

/// The quietest of them count, so their number is how many may be disturbed.
const WINDOWS: usize = 3;
/// Fixed, because the library would choose it by time, which passes slowly here.
const CHUNK: usize = 40;
const PATIENCE: Duration = Duration::from_secs(300);
