//! Workers that are copies of a zygote: they are what other workers are, in all that can be seen.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use loky::prelude::*;
use loky::{ErrorKind, Pool, PoolBuilder};
use loky_tests::procfs::{self, Process};
use loky_tests::tasks::{Blob, Death, add, die, echo, panic_with, pid, square, variable};
use loky_tests::{Case, Program, cases, eventually, fails, program, programs, scratch};
use nix::libc;

pub(crate) const CASES: &[Case] = cases![
    zygote_01_workers_are_its_copies_and_children_of_the_program,
    zygote_02_a_copy_dies_as_any_worker_does,
    zygote_03_a_copy_has_the_environment_of_now,
    zygote_04_a_copy_starts_in_the_directory_of_now,
    zygote_05_a_copy_is_shown_by_its_own_title,
    zygote_06_a_copy_holds_no_more_than_other_workers,
    zygote_07_threads_and_locks_work_in_a_copy,
    zygote_08_large_values_cross,
    zygote_09_a_copy_has_pools_of_its_own,
    zygote_10_a_program_with_threads_before_main_is_not_copied,
    zygote_11_what_copies_print_is_the_programs,
];

pub(crate) const PROGRAMS: &[Program] = programs![has_a_thread_before_main, prints_in_copies];

pub(crate) fn with_zygote(workers: usize) -> PoolBuilder {
    Pool::builder().workers(workers).zygote(true)
}

/// A pool whose workers have all been started; by the zygote, but maybe the first one.
pub(crate) fn warm(builder: PoolBuilder) -> Pool {
    let pool = builder.build().expect("a pool");
    pool.warm_up();
    pool
}

/// The zygotes among this process's children.
pub(crate) fn zygotes() -> Vec<Process> {
    let is_zygote = |child: &Process| child.command_line().contains("[loky: zygote of ");
    procfs::children(std::process::id()).into_iter().filter(is_zygote).collect()
}

/// Whether a worker is a copy: a process shows the environment that the first program in it was started with.
pub(crate) fn is_copy(worker: u32) -> bool {
    procfs::environment(worker).iter().any(|(name, _)| name == "LOKY_ZYGOTE")
}

/// A copy, alone in its pool: the first worker is none, but its replacement is.
pub(crate) fn of_one_copy(builder: PoolBuilder) -> Pool {
    let pool = warm(builder.workers(1));
    eventually("the zygote is started, too", || !zygotes().is_empty());
    fails(die.bind(Death::ExitNow(1)).on(&pool).run(), ErrorKind::Crash);
    assert!(is_copy(pid.bind().on(&pool).run().expect("a replacement")), "the zygote has made it");
    pool
}

#[loky::task]
fn parent() -> u32 {
    nix::unistd::getppid().as_raw() as u32
}

fn zygote_01_workers_are_its_copies_and_children_of_the_program() {
    let pool = warm(with_zygote(4));
    let [zygote] = &zygotes()[..] else { panic!("one zygote: {:?}", zygotes()) };
    assert_eq!(procfs::threads_of(zygote.pid).len(), 1, "nothing runs beside it");
    let workers: BTreeSet<_> = pool.stats().pids.into_iter().collect();
    assert_eq!(workers.len(), 4);
    let children: BTreeSet<_> = procfs::workers().into_iter().filter(|&pid| pid != zygote.pid).collect();
    assert_eq!(workers, children, "all are children of the program");
    assert!(workers.iter().all(|&worker| is_copy(worker)), "{workers:?}");
    let parents: Vec<_> = (0..20).map(|_| parent.bind().on(&pool).spawn()).collect();
    for seen in loky::join_all(parents).expect("calls") {
        assert_eq!(seen, std::process::id(), "and know it");
    }
    pool.shutdown();
    assert_eq!(procfs::children(std::process::id()), [], "nobody is left, the zygote included");
}

fn zygote_02_a_copy_dies_as_any_worker_does() {
    let pool = of_one_copy(with_zygote(1));
    let deaths = [
        (Death::Abort, Some(libc::SIGABRT), None),
        (Death::NullWrite, Some(libc::SIGSEGV), None),
        (Death::StackOverflow, Some(libc::SIGABRT), None),
        (Death::Signal(libc::SIGTERM), Some(libc::SIGTERM), None),
        (Death::Exit(5), None, Some(5)),
        (Death::ExitNow(6), None, Some(6)),
    ];
    let zygote = zygotes();
    for (death, signal, code) in deaths {
        let copy = pid.bind().on(&pool).run().expect("a worker");
        assert!(is_copy(copy), "each replacement is a copy");
        let error = fails(die.bind(death).on(&pool).run(), ErrorKind::Crash);
        assert_eq!((error.signal(), error.exit_code(), error.pid()), (signal, code, Some(copy)), "{death:?}: {error}");
        if death == Death::StackOverflow {
            assert!(error.stderr_tail().is_some_and(|tail| tail.contains("overflowed its stack")), "{error:?}");
        }
    }
    let error = fails(panic_with.bind("a reason").on(&pool).run(), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("a reason"));
    assert_eq!(zygotes(), zygote, "nothing of this has touched the zygote");
}

fn zygote_03_a_copy_has_the_environment_of_now() {
    let device = |index: usize| vec![("DEVICE".to_owned(), index.to_string())];
    let pool = with_zygote(1).env("NEW", "new").env("EMPTY", "").env_remove("TMPDIR").env_per_worker(device);
    let pool = of_one_copy(pool);
    let seen = |name: &str| variable.bind(name).on(&pool).run().expect("a call");
    let own = ["NEW", "EMPTY", "DEVICE"].map(seen);
    assert_eq!(own, [Some("new".to_owned()), Some(String::new()), Some("0".to_owned())]);
    assert_eq!((seen("TMPDIR"), seen("LOKY_WORKER"), seen("LOKY_ZYGOTE")), (None, None, None));
    assert_eq!(seen("LOKY_TESTS_SCRATCH"), Some(scratch().to_string_lossy().into_owned()), "the rest is inherited");
    assert!(seen("OMP_NUM_THREADS").is_some(), "what the pool itself sets is there, too");
    for (name, value) in [("LOKY_TESTS_LATE", "set since"), ("NEW", "the program's"), ("OMP_NUM_THREADS", "77")] {
        loky_tests::sys::set_variable(name, Some(value));
    }
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(seen("LOKY_TESTS_LATE").as_deref(), Some("set since"), "as it is when the worker is started");
    assert_eq!(["NEW", "EMPTY", "DEVICE"].map(seen), own, "and the pool has the last word");
    assert_eq!((seen("TMPDIR"), seen("OMP_NUM_THREADS").as_deref()), (None, Some("77")), "but where the user has it");
    loky_tests::sys::set_variable("LOKY_TESTS_LATE", None);
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(seen("LOKY_TESTS_LATE"), None);
    assert!(is_copy(pid.bind().on(&pool).run().expect("a call")));
}

#[loky::task]
fn directory() -> PathBuf {
    std::env::current_dir().expect("a worker has one")
}

fn zygote_04_a_copy_starts_in_the_directory_of_now() {
    let (place, later) = (scratch().canonicalize().expect("the scratch folder exists"), scratch().join("later"));
    std::fs::create_dir(&later).expect("a folder can be made");
    let pool = of_one_copy(with_zygote(1));
    std::env::set_current_dir(&place).expect("the case may go there");
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(directory.bind().on(&pool).run().expect("a call"), place, "the program has gone there since");
    let chosen = of_one_copy(with_zygote(1).current_dir("later"));
    assert_eq!(directory.bind().on(&chosen).run().expect("a call"), place.join("later"));
    std::fs::remove_dir(&later).expect("it is empty");
    fails(die.bind(Death::Abort).on(&chosen).run(), ErrorKind::Crash);
    let error = fails(directory.bind().on(&chosen).run(), ErrorKind::Launch);
    assert!(!error.may_have_run(), "{error}");
}

fn zygote_05_a_copy_is_shown_by_its_own_title() {
    let pool = warm(with_zygote(2).name("gallery"));
    for worker in pool.stats().pids {
        let process = procfs::process(worker).expect("it lives");
        let shown = process.command_line();
        assert!(shown.contains("worker") && shown.contains("gallery") && !shown.contains("zygote"), "{shown}");
        eventually("its name is told", || {
            procfs::process(worker).is_some_and(|it| ["loky 0", "loky 1"].contains(&&*it.name))
        });
    }
    let shown = zygotes()[0].command_line();
    assert!(shown.contains("zygote of gallery"), "{shown}");
}

fn zygote_06_a_copy_holds_no_more_than_other_workers() {
    let (reader, _writer) = nix::unistd::pipe().expect("a pipe that forgets to close on exec");
    let kinds = |pool: &Pool| {
        let worker = pid.bind().on(pool).run().expect("a worker");
        let open = procfs::descriptors_of(worker);
        let pipe = procfs::descriptors()[&std::os::fd::AsRawFd::as_raw_fd(&reader)].clone();
        assert!(!open.values().any(|target| *target == pipe), "nothing of the program: {open:?}");
        open.into_values().map(|target| target.split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let sorted = |mut kinds: Vec<String>| {
        kinds.sort();
        kinds
    };
    let (copy, other) = (of_one_copy(with_zygote(1)), loky_tests::pool_of(1));
    assert_eq!(sorted(kinds(&copy)), sorted(kinds(&other)));
    let zygote = procfs::descriptors_of(zygotes()[0].pid);
    assert!(zygote.len() <= 5, "the standard three, its socket, and the program: {zygote:?}");
}

#[loky::task]
fn with_threads() -> u64 {
    let sum = Mutex::new(0);
    std::thread::scope(|scope| {
        let add = |number| *sum.lock().expect("nobody panics") += number;
        (0..8).for_each(|number| drop(scope.spawn(move || add(number))));
    });
    // Each of these is known to the C library by the number of its thread.
    let inner = std::thread::spawn(|| nix::unistd::gettid().as_raw()).join().expect("no panic");
    assert_ne!(inner, nix::unistd::gettid().as_raw());
    sum.into_inner().expect("nobody panics")
}

fn zygote_07_threads_and_locks_work_in_a_copy() {
    let pool = of_one_copy(with_zygote(1));
    for _ in 0..3 {
        assert_eq!(with_threads.bind().on(&pool).run().expect("a call"), 28);
    }
    assert!(abort_in_a_thread.bind().on(&pool).run().expect_err("it aborts").signal() == Some(libc::SIGABRT));
    assert!(is_whole.bind().on(&pool).run().expect("a call"));
}

#[loky::task]
fn abort_in_a_thread() {
    let _ = std::thread::spawn(|| std::process::abort()).join();
}

#[loky::task]
fn is_whole() -> bool {
    loky_tests::sys::is_known_to_the_c_library()
}

fn zygote_08_large_values_cross() {
    let pool = of_one_copy(with_zygote(1));
    let large = Blob((0..8 << 20).map(|byte| byte as u8).collect());
    assert!(echo.bind(large.clone()).on(&pool).run().expect("a call") == large);
    assert_eq!((0..1000).par_map(square).on(&pool).unwrap_all().len(), 1000);
}

#[loky::task]
fn nest() -> i64 {
    let pool = warm(with_zygote(2));
    assert!(pool.stats().pids.into_iter().all(is_copy));
    let sum = add.bind(20, 22).on(&pool).run().expect("a call from within");
    pool.shutdown();
    sum
}

fn zygote_09_a_copy_has_pools_of_its_own() {
    let pool = of_one_copy(with_zygote(1));
    assert_eq!(nest.bind().on(&pool).run().expect("a call"), 42);
}

/// Says whether any worker is a copy, after it has seen that all of them serve.
fn has_a_thread_before_main() {
    let pool = warm(with_zygote(3));
    assert_eq!((0..30).par_map(square).on(&pool).unwrap_all().len(), 30);
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    pool.warm_up();
    assert_eq!((pool.stats().live, zygotes().len()), (3, 0), "it was tried, and has gone");
    println!("{}", pool.stats().pids.into_iter().any(is_copy));
    pool.shutdown();
}

fn zygote_10_a_program_with_threads_before_main_is_not_copied() {
    let run = |value: &str| {
        let mut command = program("has_a_thread_before_main");
        let output = command.env("LOKY_TESTS_THREAD_BEFORE_MAIN", value).output().expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "nobody is bothered: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    assert_eq!(run("1"), "false", "its workers are started in the ordinary way");
}

#[loky::task]
fn say(text: &str) {
    println!("{text}");
    eprintln!("{text} in error");
}

fn prints_in_copies() {
    let pool = of_one_copy(with_zygote(1));
    say.bind("said by a copy").on(&pool).run().expect("a call");
    pool.shutdown();
}

fn zygote_11_what_copies_print_is_the_programs() {
    let output = program("prints_in_copies").output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "said by a copy\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "said by a copy in error\n");
}
