//! The system refuses what the program asks it for: this or that call always, or the n-th descriptor, or it interrupts.
//! Then a call is served, or its error says so; nothing hangs, and nothing stays broken.

use std::collections::BTreeMap;
use std::fs::File;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{Blob, Death, add, die, echo};
use loky_tests::{Case, Program, cases, eventually, fails, ms, pool_of, procfs, program, programs, rounds, sys};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

pub(crate) const CASES: &[Case] = cases![
    race_07_the_nth_descriptor_is_refused: 120,
    race_07_a_call_to_the_kernel_is_refused: 120,
    race_07_interrupted_at_any_moment,
];

pub(crate) const PROGRAMS: &[Program] = programs![is_refused];

/// A call, a death and a large one: each served, or refused for want of something.
fn tries(pool: &Pool) -> [Result<(), Error>; 3] {
    let large = echo.bind(Blob(vec![3; 100_000])).on(pool);
    [
        add.bind(1, 2).on(pool).run().map(|sum| assert_eq!(sum, 3)),
        die.bind(Death::Abort).on(pool).run().map(|_| unreachable!("it dies")),
        large.run().map(|blob| assert!(blob.0 == vec![3; 100_000])),
    ]
}

fn assert_told(results: [Result<(), Error>; 3]) {
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error.kind(), ErrorKind::Launch | ErrorKind::Crash), "{error}");
    }
}

fn race_07_the_nth_descriptor_is_refused() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit can be read");
    for nth in rounds(24) {
        let room = nth % 24;
        let pool = pool_of(2);
        let full = procfs::descriptors().len() as u64;
        setrlimit(Resource::RLIMIT_NOFILE, full + room, hard).expect("a soft limit can be set");
        assert_told(tries(&pool));
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("and taken back");
        assert!(File::open("/dev/null").is_ok(), "there is room again");
        if nth % 6 == 0 {
            // Which takes a while if launches have failed.
            eventually("the pool heals", || add.bind(5, 6).on(&pool).run().is_ok_and(|sum| sum == 11));
        }
        pool.shutdown();
        assert_eq!(procfs::descriptors().len() as u64, full, "room for {room}: nothing is left open");
    }
}

/// What is refused, and how.
const REFUSALS: [(i64, i32); 11] = [
    (libc::SYS_memfd_create, libc::EMFILE),
    (libc::SYS_memfd_create, libc::ENOMEM),
    (libc::SYS_ftruncate, libc::ENOSPC),
    (libc::SYS_socketpair, libc::ENFILE),
    (libc::SYS_eventfd2, libc::EMFILE),
    (libc::SYS_epoll_create1, libc::ENOMEM),
    (libc::SYS_epoll_ctl, libc::ENOSPC),
    (libc::SYS_pidfd_open, libc::EMFILE),
    (libc::SYS_pipe2, libc::EMFILE),
    (libc::SYS_execve, libc::ENOMEM),
    (libc::SYS_mmap, libc::ENOMEM),
];

/// From now on this call fails for this process and all that it starts; of mappings, those of shared memory alone.
fn refuse(call: i64, errno: i32) {
    let shared = libc::MAP_SHARED as u64;
    let is_shared = SeccompCondition::new(3, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(shared), shared);
    let rules = match call {
        libc::SYS_mmap => vec![SeccompRule::new(vec![is_shared.expect("a condition")]).expect("a rule")],
        _ => Vec::new(),
    };
    let arch = std::env::consts::ARCH.try_into().expect("an architecture that is known");
    let refusal = SeccompAction::Errno(errno as u32);
    let filter = SeccompFilter::new(BTreeMap::from([(call, rules)]), SeccompAction::Allow, refusal, arch);
    apply_filter(&BpfProgram::try_from(filter.expect("a filter")).expect("a program")).expect("it is taken");
}

/// Has a worker or none when the refusal begins.
fn is_refused() {
    let number = |name: &str| std::env::var(name).expect("said").parse::<i64>().expect("a number");
    let pools = [pool_of(2), pool_of(2)];
    add.bind(1, 2).on(&pools[0]).run().expect("before");
    refuse(number("CALL"), number("ERRNO") as i32);
    for pool in pools {
        let results = tries(&pool);
        println!("{:?}", results.each_ref().map(|result| result.as_ref().map_err(Error::kind)));
        assert_told(results);
        pool.shutdown();
    }
    assert_eq!(procfs::children(std::process::id()), []);
}

fn race_07_a_call_to_the_kernel_is_refused() {
    for (call, errno) in REFUSALS {
        let mut program = program("is_refused");
        let output = program.env("CALL", call.to_string()).env("ERRNO", errno.to_string()).output();
        let output = output.expect("the program starts");
        println!("{call} {errno}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "call {call}, errno {errno}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked at loky"), "no fault of ours: {said}");
    }
}

fn race_07_interrupted_at_any_moment() {
    // Not in step with anything.
    for period_us in [137, 731] {
        sys::interrupt_every(period_us);
        let pool = pool_of(2);
        for _ in 0..3 {
            let [small, death, large] = tries(&pool);
            small.and(large).expect("no interrupted call is an error");
            fails(death, ErrorKind::Crash);
        }
        assert!(pool.shutdown_timeout(ms(30_000)));
        sys::interrupt_every(0);
    }
}
