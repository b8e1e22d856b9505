//! Descriptors that the program gives, keeps or runs out of: with high numbers, in workers that leak, at the end.

use std::fs::File;
use std::io::{ErrorKind as Io, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Fd, Output, Pool, Shared};
use loky_tests::tasks::{Death, add, die, meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, cases, fails, ms, pool_of, procfs, soon};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

pub(crate) const CASES: &[Case] = cases![
    fd_02_the_reader_that_a_worker_had_is_gone_with_it,
    fd_03_a_pool_gives_back_all_that_it_had,
    fd_04_processes_of_tasks_read_standard_input,
    fd_09_descriptors_beyond_a_thousand,
    fd_10_a_task_that_leaks_them_exhausts_its_worker_only,
];

#[loky::task]
fn keep(reader: Fd, gate: Gate) {
    std::mem::forget(reader);
    gate.arrive("kept");
}

fn fd_02_the_reader_that_a_worker_had_is_gone_with_it() {
    for end in [Pool::shutdown, Pool::shutdown_now] {
        let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
        let (pool, mut writer) = (pool_of(1), File::from(writer));
        let gate = Gate::of_the_case("kept");
        std::fs::create_dir_all(loky_tests::scratch().join("kept")).expect("room");
        keep.bind(Fd::from(reader), gate).on(&pool).run().expect("a call");
        writer.write_all(b"heard").expect("the worker has the other end");
        end(&pool);
        let refused = writer.write_all(b"x").expect_err("nobody has the other end any more");
        assert_eq!(refused.kind(), Io::BrokenPipe, "{refused}");
    }
}

#[loky::task]
fn sum(numbers: Shared<u64>) -> u64 {
    println!("a sum");
    numbers.iter().sum()
}

fn fd_03_a_pool_gives_back_all_that_it_had() {
    let before = procfs::descriptors();
    for output in [Output::Inherit, Output::Prefix, Output::Capture, Output::Null] {
        for is_copied in [false, true] {
            let pool = Pool::builder().workers(2).output(output).zygote(is_copied).build().expect("a pool");
            assert_eq!((0..100_u64).par_map(square).on(&pool).unwrap_all().len(), 100);
            assert_eq!(sum.bind(Shared::from_vec(vec![1, 2, 3])).on(&pool).run().expect("a call"), 6);
            fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
            fails(sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(20)).run(), ErrorKind::Timeout);
            pool.shutdown();
            assert_eq!(procfs::descriptors(), before);
        }
    }
}

/// Reads standard input, here and in a process of its own.
#[loky::task]
fn read_input() -> (Option<usize>, Option<i32>) {
    let here = std::io::read_to_string(std::io::stdin()).ok().map(|text| text.len());
    let there = Command::new("cat").stdin(Stdio::inherit()).stdout(Stdio::null()).status();
    (here, there.expect("cat can be started").code())
}

fn fd_04_processes_of_tasks_read_standard_input() {
    let builder = Pool::builder().workers(4).idle_timeout(Some(Duration::from_secs(2)));
    let pool = builder.build().expect("a pool");
    let reading: Vec<_> = (0..8).map(|_| read_input.bind().on(&pool).spawn()).collect();
    for (here, there) in loky::join_all(reading).expect("nobody crashes, and nobody waits for what never comes") {
        assert_eq!((here, there), (Some(0), Some(0)), "there is nothing to be read");
    }
}

fn fd_09_descriptors_beyond_a_thousand() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit can be read");
    if hard < 2000 {
        return println!("not tried: there cannot be so many");
    }
    setrlimit(Resource::RLIMIT_NOFILE, 2000, hard).expect("a soft limit can be set");
    let hoard: Vec<_> = (0..1100).map(|_| File::open("/dev/null").expect("room for them")).collect();
    let before = procfs::descriptors();
    let pool = Pool::builder().workers(2).output(Output::Prefix).build().expect("a pool");
    pool.warm_up();
    let ours: Vec<i32> = procfs::descriptors().into_keys().filter(|fd| !before.contains_key(fd)).collect();
    assert!(!ours.is_empty() && ours.iter().all(|fd| *fd >= 1024), "{ours:?}");
    assert_eq!(add.bind(1, 2).on(&pool).run().expect("a call"), 3);
    assert_eq!((0..200).par_map(square).on(&pool).unwrap_all().len(), 200);
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    fails(sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(20)).run(), ErrorKind::Timeout);
    let waiting = sleep_for.bind(ms(20)).on(&pool).spawn();
    assert!(thread::spawn(move || waiting.join().is_ok()).join().expect("no panic"));
    pool.shutdown();
    drop(hoard);
}

/// Opens files until there is no room for another one, and closes none of them.
#[loky::task]
fn leak() -> (u32, usize) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit can be read");
    setrlimit(Resource::RLIMIT_NOFILE, 100.min(hard), hard).expect("a soft limit can be set");
    let mut leaked = 0;
    while let Ok(file) = File::open("/dev/null") {
        std::mem::forget(file);
        leaked += 1;
    }
    (std::process::id(), leaked)
}

#[loky::task]
fn can_open() -> (u32, bool) {
    (std::process::id(), File::open("/dev/null").is_ok())
}

fn fd_10_a_task_that_leaks_them_exhausts_its_worker_only() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let neighbor: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    let (leaky, leaked) = leak.bind().on(&pool).run().expect("the answer needs no descriptor");
    assert!(leaked > 10 && leaky != neighbor);
    assert_eq!(can_open.bind().on(&pool).run().expect("the worker lives"), (leaky, false));
    assert!(File::open("/dev/null").is_ok(), "the program has its own");
    gate.open();
    held.join().expect("untouched");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(leaky as i32), nix::sys::signal::Signal::SIGKILL).expect("ours");
    soon("it is replaced", ms(5000), || can_open.bind().on(&pool).run().is_ok_and(|(_, can)| can));
    let short_lived = Pool::builder().workers(1).max_calls_per_worker(1).build().expect("a pool");
    let (leaky, _) = leak.bind().on(&short_lived).run().expect("a call");
    let (next, can) = can_open.bind().on(&short_lived).run().expect("by its lifespan it is replaced by itself");
    assert!(can && next != leaky && pid.bind().on(&short_lived).run().is_ok());
}
