//! What each error says to somebody who has never seen this library: of which task, in which process and attempt, why,
//! and what to try next. A new way to fail is a line of [`EXHIBITS`].

use std::fmt::Debug;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use loky::ErrorKind::{
    self, Cancelled, Config, Crash, Decode, Depth, Encode, Initializer, Launch, MemoryLimit, OutOfResources, Panic,
    QueueTimeout, Shutdown, Timeout, UnknownTask,
};
use loky::prelude::*;
use loky::{Call, Error, Fd, JoinHandle, Pool, PoolBuilder};
use loky_tests::tasks::{Death, die, give_thorn, meet, panic_with, sleep_for, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, STING, Thorn};
use loky_tests::{Case, Gate, cases, fails, ms, pool_of, sys};
use serde::de::DeserializeOwned;

use super::no_task;

pub(crate) const CASES: &[Case] =
    cases![error_texts_tell_all_that_a_stranger_asks, error_texts_of_pools_that_cannot_be_built];

/// Which process and attempt an error can name.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// The call never reached a worker.
    Nowhere,
    /// The worker that had it, and its attempt.
    Worker,
    /// It is about a worker, but not one that ran this call: the pid, and no attempt.
    Other,
    /// It ran, and nobody remembers where.
    Forgotten,
}

use Place::{Forgotten, Nowhere, Other, Worker};

/// How it is provoked; then what the text says of the cause, and of the next step.
type Exhibit = (ErrorKind, Place, fn() -> Error, &'static str, &'static str);

const EXHIBITS: &[Exhibit] = &[
    (Panic, Worker, || panics("0"), "tasks.rs:", "RUST_BACKTRACE=1"),
    (Panic, Worker, || panics("1"), "the reason", "`backtrace()` shows how it got there"),
    (Crash, Worker, || one(dying(Death::Signal(6))), "killed by SIGABRT", "`.retries(n)`"),
    (Crash, Worker, || one(dying(Death::Signal(6)).retries(1)), "(attempt 2 of 2)", "each attempt"),
    (Crash, Worker, || one(dying(Death::StackOverflow)), "killed by SIGABRT", "its last words"),
    (Crash, Worker, || one(dying(Death::Exit(0))), "exited with code 0", "close descriptors"),
    (Crash, Worker, || one(dying(Death::Exit(3))), "exited with code 3", "should return or panic"),
    (Crash, Worker, || one(dying(Death::NullWrite)), "killed by SIGSEGV", "`unsafe` code or in a C library"),
    (Crash, Worker, || one(dying(Death::Signal(9))), "killed by SIGKILL", "fewer workers"),
    (Crash, Worker, || one(become_another.bind()), "its link to this process had closed", "become another program"),
    (Timeout, Worker, || one(lasting().timeout(ms(20))), "limit of 20ms", "raise the `timeout`"),
    (Timeout, Worker, || one(lasting().deadline(ms(1000))), "1s after its spawn", "`deadline`"),
    (Timeout, Nowhere, || behind(|call| call.deadline(ms(20))), "before it ran", "`deadline`"),
    (QueueTimeout, Nowhere, || behind(|call| call.queue_timeout(ms(20))), "20ms", "more workers"),
    (Cancelled, Nowhere, cancelled_while_it_waits, "before it ran", "spawn it again"),
    (Cancelled, Worker, || ended(|_, call| assert!(call.cancel())), "which ran it, was killed", "spawn it again"),
    (Shutdown, Nowhere, after_the_shutdown, "before it ran", "in another pool"),
    (Shutdown, Worker, || ended(|pool, _| pool.shutdown_now()), "was shut down", "in another pool"),
    (MemoryLimit, Worker, outgrown, "more than its limit of 100", "a higher `memory_limit`"),
    (Encode, Nowhere, || one(take_thorn.bind(thorn(Moment::Encode))), STING, "`Serialize`"),
    (Encode, Worker, || one(give_thorn.bind(Moment::Encode, Fault::Error)), STING, "`Serialize`"),
    (Decode, Worker, || one(take_thorn.bind(thorn(Moment::Decode))), STING, "`Deserialize`"),
    (Decode, Forgotten, || one(give_thorn.bind(Moment::Decode, Fault::Error)), STING, "`Deserialize`"),
    (OutOfResources, Worker, too_many_files, "too many open files", "`ulimit -n`"),
    (UnknownTask, Nowhere, || one(no_task.bind(1)), "has no such task", "`#[loky::task]`"),
    (Launch, Nowhere, || of(builder().current_dir("/no/such/folder")), "`current_dir`", "later calls try again"),
    (Launch, Nowhere, || of(builder().env(sys::EXIT_AT_START, "/dev/null")), "exited with code 1", "`loky::main!`"),
    (Launch, Nowhere, || of(builder().cpu_affinity(|_| vec![4000])), "no CPU 4000", "later calls try again"),
    (Initializer, Other, || of(builder().initializer(refuse.bind())), "no license", "every initializer has"),
    (Depth, Nowhere, too_deep, "nested 1 deep", "`LOKY_MAX_DEPTH`"),
];

fn error_texts_tell_all_that_a_stranger_asks() {
    for (number, (kind, place, provoke, cause, step)) in EXHIBITS.iter().enumerate() {
        let error = provoke();
        let text = error.to_string();
        // For whoever wants to read them all: `cargo test -p loky-tests --test errors error_texts -- --nocapture`.
        println!("{text}");
        let says = |what: &str| assert!(text.contains(what), "exhibit {number} does not say `{what}`: {error:?}");
        assert_eq!(error.kind(), *kind, "exhibit {number}: {text}");
        assert!(!text.contains(char::is_control), "exhibit {number} has one line: {text}");
        says(&format!("call to task `{}` ", error.task().expect("each of them is about a call")));
        says(cause);
        let next = text.rsplit_once("; ").map_or("", |(_, next)| next);
        assert!(next.contains(step), "exhibit {number} does not say last to try `{step}`: {text}");
        assert_eq!(error.pid().is_some(), matches!(place, Worker | Other), "exhibit {number}: {error:?}");
        assert_eq!(error.attempt().is_some(), *place == Worker, "exhibit {number}: {error:?}");
        error.pid().into_iter().for_each(|pid| says(&format!("(pid {pid})")));
        error.attempt().into_iter().for_each(|attempt| says(&format!("(attempt {attempt}")));
    }
}

fn error_texts_of_pools_that_cannot_be_built() {
    let refused = [
        (builder().workers(0), "`workers(0)`", "at least 1"),
        (builder().min_workers(3), "`workers(1)` and `min_workers(3)`", "no more can stay"),
        (builder().cpu_time_limit(ms(0)), "`cpu_time_limit` of zero", "leave it out for no limit"),
        (builder().open_files_limit(3), "`open_files_limit`", "at least 16"),
        (builder().initializer(refuse.bind().retries(1)), "texts::refuse` cannot be the initializer", "leave that out"),
    ];
    for (builder, what, step) in refused {
        let text = fails(builder.build().map(drop), Config).to_string();
        println!("{text}");
        let (before, next) = text.split_once("; ").expect("it says what to do");
        assert!(before.contains(what) && next.contains(step), "{text}");
    }
}

fn builder() -> PoolBuilder {
    Pool::builder().workers(1)
}

/// Of a call in a pool of its own.
fn one<R: Debug + DeserializeOwned>(call: Call<R>) -> Error {
    call.on(&pool_of(1)).run().expect_err("it is to fail")
}

fn dying(death: Death) -> Call<u32> {
    die.bind(death)
}

fn lasting() -> Call<u32> {
    sleep_for.bind(ms(30_000))
}

fn thorn(moment: Moment) -> Thorn {
    Thorn::new(moment, Fault::Error)
}

/// Of any call in such a pool.
fn of(builder: PoolBuilder) -> Error {
    square.bind(1).on(&builder.build().expect("a pool")).run().expect_err("no worker serves")
}

/// Of a call behind one that holds the only worker.
fn behind(limited: fn(Call<u64>) -> Call<u64>) -> Error {
    let pool = pool_of(1);
    let busy = running(&pool);
    let error = limited(square.bind(1).on(&pool)).run().expect_err("nobody is free");
    busy.cancel();
    error
}

/// Of a call that runs when it is ended.
fn ended(end: fn(&Pool, &JoinHandle<u64>)) -> Error {
    let pool = pool_of(1);
    let call = running(&pool);
    end(&pool, &call);
    call.join().expect_err("it was ended")
}

fn running(pool: &Pool) -> JoinHandle<u64> {
    static GATES: AtomicUsize = AtomicUsize::new(0);
    let gate = Gate::new(&format!("gate {}", GATES.fetch_add(1, Ordering::Relaxed)));
    let call = meet.bind(gate.clone(), 1).on(pool).spawn();
    gate.await_arrivals(1);
    call
}

fn panics(backtrace: &str) -> Error {
    let pool = builder().env("RUST_BACKTRACE", backtrace).build().expect("a pool");
    panic_with.bind("the reason").on(&pool).run().expect_err("it panics")
}

#[loky::task]
fn become_another() {
    panic!("{}", Command::new("sleep").arg("30").exec());
}

fn cancelled_while_it_waits() -> Error {
    let pool = pool_of(1);
    let busy = running(&pool);
    let call = square.bind(1).on(&pool).spawn();
    call.cancel();
    busy.cancel();
    call.join().expect_err("it is cancelled")
}

fn after_the_shutdown() -> Error {
    let pool = pool_of(1);
    pool.shutdown();
    square.bind(1).on(&pool).run().expect_err("it is shut down")
}

#[loky::task]
fn grow(bytes: usize) -> usize {
    let memory = vec![1_u8; bytes];
    std::hint::black_box(&memory).iter().map(|&byte| usize::from(byte)).sum()
}

fn outgrown() -> Error {
    let pool = builder().memory_limit(100_000_000).build().expect("a pool");
    grow.bind(1 << 30).on(&pool).run().expect_err("that is more")
}

#[loky::task]
fn count_files(files: Vec<Fd>) -> usize {
    files.len()
}

fn too_many_files() -> Error {
    let pool = builder().open_files_limit(32).build().expect("a pool");
    let files = (0..100).map(|_| Fd::from(File::open("/dev/null").expect("it is everywhere"))).collect();
    count_files.bind(files).on(&pool).run().expect_err("there are too many")
}

#[loky::task]
fn refuse() -> Result<(), String> {
    Err("no license".to_owned())
}

#[loky::task]
fn spawn_within() -> Error {
    fails(square.run(1), Depth)
}

fn too_deep() -> Error {
    let pool = builder().env("LOKY_MAX_DEPTH", "1").build().expect("a pool");
    spawn_within.bind().on(&pool).run().expect("it tells what it was told")
}
