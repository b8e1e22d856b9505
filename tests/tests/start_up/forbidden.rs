//! Programs that the kernel forbids some calls, as containers and services do: the pool works, or says what is missing.
//!
//! What is forbidden is so for good, so each of these programs is a process of its own.

use std::collections::BTreeMap;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, add, die, square};
use loky_tests::{Case, Program, cases, fails, pool_of, program, programs};
use nix::libc::{self, c_int};
use seccompiler::SeccompCmpArgLen::Qword;
use seccompiler::SeccompCmpOp::MaskedEq;
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, apply_filter_all_threads};

pub(crate) const CASES: &[Case] = cases![
    env_13_without_another_thread_a_worker_is_no_worker,
    env_13_without_calls_that_can_be_done_without,
    env_13_without_a_call_that_is_needed_it_is_said_which,
];

pub(crate) const PROGRAMS: &[Program] =
    programs![starts_no_threads, does_without, forgets_memfd_create, forgets_pidfd_open, forgets_epoll_create];

/// From now on these calls of this process, and of all that it starts, end in this error.
fn forbid(calls: impl IntoIterator<Item = (i64, Vec<SeccompRule>)>, error: c_int) {
    let calls: BTreeMap<_, _> = calls.into_iter().collect();
    let arch = std::env::consts::ARCH.try_into().expect("an architecture that is known");
    let refused = SeccompAction::Errno(error as u32);
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refused, arch).expect("a filter");
    apply_filter_all_threads(&BpfProgram::try_from(filter).expect("a program")).expect("it is taken");
}

fn forbid_all(calls: &[i64], error: c_int) {
    forbid(calls.iter().map(|&call| (call, Vec::new())), error);
}

/// New processes are none of it. What the newer call would do stands in memory, where no filter sees it, so that one is
/// not there at all: the C library then takes the older one.
fn forbid_threads() {
    forbid_all(&[libc::SYS_clone3], libc::ENOSYS);
    let thread = libc::CLONE_THREAD as u64;
    let is_thread = SeccompCondition::new(0, Qword, MaskedEq(thread), thread).expect("a condition");
    forbid([(libc::SYS_clone, vec![SeccompRule::new(vec![is_thread]).expect("a rule")])], libc::EAGAIN);
}

/// The thread of the pool is there, and those of its later workers cannot be. (A zygote that was there before would be free
/// of it, and so would its copies be.)
fn starts_no_threads() {
    let pool = pool_of(1);
    assert_eq!(add.bind(1, 2).on(&pool).run().expect("nothing is forbidden yet"), 3);
    forbid_threads();
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    let error = fails(square.bind(2).on(&pool).run(), ErrorKind::Launch);
    let text = error.to_string();
    println!("{text}");
    assert!(!error.may_have_run() && text.contains("the thread that watches its parent"), "{text}");
    assert!(text.contains("os error 11"), "{text}");
    let launches = pool.stats().launches;
    assert!((4..=5).contains(&launches), "three tries for that call: {launches}");
    pool.shutdown();
}

/// Everything that makes things faster or errors better, and that older kernels and strict containers do not have.
fn does_without() {
    forbid_all(
        &[
            libc::SYS_close_range,
            libc::SYS_process_vm_readv,
            libc::SYS_io_uring_setup,
            libc::SYS_perf_event_open,
            libc::SYS_membarrier,
            libc::SYS_landlock_create_ruleset,
            libc::SYS_userfaultfd,
            libc::SYS_ptrace,
        ],
        libc::EPERM,
    );
    for is_zygote in [false, true] {
        let pool = Pool::builder().workers(2).zygote(is_zygote).build().expect("a pool");
        assert_eq!(add.bind(1, 2).on(&pool).run().expect("a call"), 3);
        let error = fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
        assert!(error.signal().is_some(), "{error}");
        assert_eq!((0..100).par_map(square).on(&pool).unwrap_all().len(), 100);
        pool.shutdown();
    }
}

/// Nothing can be started, nothing hangs, and whoever reads the error knows more than before.
fn cannot_start(words: &str) {
    for is_zygote in [false, true] {
        let pool = Pool::builder().workers(1).zygote(is_zygote).build().expect("nothing is started yet");
        let error = fails(add.bind(1, 2).on(&pool).run(), ErrorKind::Launch);
        let text = error.to_string();
        println!("{text}");
        assert!(!error.may_have_run() && text.contains(words) && text.contains("os error 1"), "{text}");
        pool.shutdown();
    }
}

fn forgets_memfd_create() {
    forbid_all(&[libc::SYS_memfd_create], libc::EPERM);
    cannot_start("starting a process failed");
}

fn forgets_pidfd_open() {
    forbid_all(&[libc::SYS_pidfd_open], libc::EPERM);
    cannot_start("starting a process failed");
}

fn forgets_epoll_create() {
    forbid_all(&[libc::SYS_epoll_create1], libc::EPERM);
    cannot_start("the pool could not be started");
}

fn passes(name: &str) {
    assert!(program(name).status().expect("the program starts").success(), "{name}");
}

fn env_13_without_another_thread_a_worker_is_no_worker() {
    passes("starts_no_threads");
}

fn env_13_without_calls_that_can_be_done_without() {
    passes("does_without");
}

fn env_13_without_a_call_that_is_needed_it_is_said_which() {
    ["forgets_memfd_create", "forgets_pidfd_open", "forgets_epoll_create"].into_iter().for_each(passes);
}
