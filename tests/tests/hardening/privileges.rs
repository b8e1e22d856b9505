//! `no_new_privileges` and `no_core_dumps`: nothing is gained, and nothing is left behind.
//!
//! Some of it shows only in a program that is not root; where the tests run as root, such a program is started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, die, pid, sleep_for};
use loky_tests::{Case, Program, cases, eventually, fails, ms, procfs, program, programs, scratch};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::attempt::both_kinds;

pub(crate) const CASES: &[Case] = cases![
    privileges_01_the_kernel_says_so,
    privileges_02_a_set_user_id_program_gains_nothing,
    privileges_03_a_crash_leaves_no_image,
    privileges_04_who_is_not_root_can_do_all_that_is_needed,
];

pub(crate) const PROGRAMS: &[Program] = programs![becomes_root, looks_after_its_workers];

/// "nobody" on all systems that we know.
const NOBODY: u32 = 65534;

/// A line of what the kernel says of the process that runs this, or of a program that it starts.
#[loky::task]
fn told(file: &str, field: &str, by_child: bool) -> String {
    let text = match by_child {
        false => fs::read_to_string(file).expect("the kernel has such a file"),
        true => {
            let output = Command::new("cat").arg(file).output().expect("cat can be started");
            String::from_utf8(output.stdout).expect("text")
        }
    };
    let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("there is such a line");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn privileges_01_the_kernel_says_so() {
    let free = Pool::builder().workers(1).build().expect("a pool");
    let said = |pool: &Pool, field: &str, by_child| {
        let file = if field.starts_with("Max") { "/proc/self/limits" } else { "/proc/self/status" };
        told.bind(file, field, by_child).on(pool).run().expect("a call")
    };
    assert_eq!(said(&free, "NoNewPrivs:", true), "0");
    for pool in both_kinds(&Pool::builder().no_new_privileges(true).no_core_dumps(true)) {
        for by_child in [false, true] {
            assert_eq!(said(&pool, "NoNewPrivs:", by_child), "1");
            assert_eq!(said(&pool, "Max core file size", by_child), "0 0 bytes");
        }
    }
}

/// Starts a program that belongs to root and is to run as root, whoever starts it; says as whom it runs.
#[loky::task]
fn effective_user(program: PathBuf) -> String {
    let output = Command::new(program).arg("-u").output().expect("it can be started");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Not root: a worker becomes it by such a program, unless it is kept from that.
fn becomes_root() {
    let path = PathBuf::from(std::env::var("LOKY_TESTS_SET_USER_ID").expect("the case says where"));
    let seen = |pool: Pool| effective_user.bind(path.clone()).on(&pool).run().expect("a call");
    let one = Pool::builder().workers(1);
    assert_eq!(seen(one.clone().build().expect("a pool")), "0", "outside it works");
    assert_eq!(seen(one.clone().no_new_privileges(true).build().expect("a pool")), NOBODY.to_string());
    assert_eq!(seen(one.clone().no_network(true).build().expect("a pool")), NOBODY.to_string(), "it is implied");
}

/// Runs a program of this binary as somebody who is not root. `None`: this is not root, and cannot.
fn as_nobody(name: &str) -> Option<Command> {
    if !nix::unistd::geteuid().is_root() {
        println!("not root: what another user would see is not tested");
        return None;
    }
    let mut program = program(name);
    program.uid(NOBODY).gid(NOBODY);
    Some(program)
}

fn privileges_02_a_set_user_id_program_gains_nothing() {
    let Some(mut program) = as_nobody("becomes_root") else { return };
    let id = ["/usr/bin/id", "/bin/id"].into_iter().find(|path| Path::new(path).exists()).expect("there is an id");
    let copy = scratch().join("id");
    fs::copy(id, &copy).expect("it can be copied");
    fs::set_permissions(&copy, PermissionsExt::from_mode(0o4755)).expect("it is ours");
    fs::set_permissions(scratch(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    if as_whom(&copy).as_deref() != Some("0") {
        println!("temporary folders are private here, or give no privileges: not tested");
        return;
    }
    let status = program.env("LOKY_TESTS_SET_USER_ID", &copy).status().expect("it starts");
    assert!(status.success());
}

fn as_whom(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("-u").uid(NOBODY).gid(NOBODY).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Files whose name says what they are.
fn images(folder: &Path) -> Vec<String> {
    procfs::names_in(folder).into_iter().filter(|name| name.starts_with("core")).collect()
}

fn privileges_03_a_crash_leaves_no_image() {
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE).expect("there is a limit");
    setrlimit(Resource::RLIMIT_CORE, hard, hard).expect("a limit can be raised so far");
    let crash_in = |name: &str, is_kept: bool| {
        let place = scratch().join(name);
        fs::create_dir(&place).expect("a folder can be made");
        for pool in both_kinds(&Pool::builder().current_dir(&place).no_core_dumps(is_kept)) {
            fails(die.bind(Death::NullWrite).on(&pool).run(), ErrorKind::Crash);
        }
        place
    };
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if hard > 0 && pattern.trim() == "core" {
        assert!(!images(&crash_in("outside", false)).is_empty(), "outside there is one");
    } else {
        println!("images go elsewhere here ({}, limit {hard})", pattern.trim());
    }
    assert_eq!(images(&crash_in("inside", true)), Vec::<String>::new());
}

fn privileges_04_who_is_not_root_can_do_all_that_is_needed() {
    let Some(mut program) = as_nobody("looks_after_its_workers") else { return };
    assert!(program.status().expect("it starts").success());
}

#[loky::task]
fn sleep_below() {
    let status = Command::new("sh").args(["-c", "sleep 6008 & (setsid sleep 6009 &)"]).status();
    assert!(status.is_ok_and(|status| status.success()));
    std::thread::sleep(ms(60_000));
}

#[loky::task]
fn fill(len: usize) -> u8 {
    let memory = vec![1_u8; len];
    std::thread::sleep(ms(60_000));
    memory[len / 2]
}

/// Cannot look into its workers, and need not: deaths are told, limits kept, and what workers start is ended.
fn looks_after_its_workers() {
    let pool = Pool::builder().workers(1).no_core_dumps(true).no_new_privileges(true).build().expect("a pool");
    let worker = pid.bind().on(&pool).run().expect("a call");
    assert!(fs::read_link(format!("/proc/{worker}/exe")).is_err(), "it is not dumpable");
    let running = sleep_below.bind().on(&pool).spawn();
    let sleepers = || procfs::below(std::process::id()).iter().filter(|it| it.name == "sleep").count();
    eventually("both sleep", || sleepers() == 2);
    running.cancel();
    fails(running.join(), ErrorKind::Cancelled);
    eventually("what it has started is gone with it", || sleepers() == 0);
    let error = fails(sleep_for.bind(ms(60_000)).on(&pool).timeout(ms(50)).run(), ErrorKind::Timeout);
    assert!(error.pid().is_some());
    fails(die.bind(Death::NullWrite).on(&pool).run(), ErrorKind::Crash);
    let small = Pool::builder().workers(1).no_core_dumps(true).memory_limit(32 << 20).build().expect("a pool");
    fails(fill.bind(64 << 20).on(&small).run(), ErrorKind::MemoryLimit);
    small.shutdown();
    let busy = sleep_below.bind().on(&pool).spawn();
    eventually("both sleep again", || sleepers() == 2);
    pool.shutdown_now();
    fails(busy.join(), ErrorKind::Shutdown);
    assert_eq!(procfs::below(std::process::id()), []);
}
