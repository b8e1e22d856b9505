//! What lies around a program: its environment, the names of files, missing file systems, a debugger.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use loky::Pool;
use loky::prelude::*;
use loky_tests::program::as_program;
use loky_tests::sys::{seen_before_main, set_variable};
use loky_tests::tasks::{add, meet, variable};
use loky_tests::{Case, Gate, Program, cases, pool_of, programs, scratch};

pub(crate) const CASES: &[Case] = cases![
    env_02_variables_are_there_before_static_initializers,
    env_03_later_changes_reach_later_workers_only,
    env_04_pools_of_different_environments_at_once,
    env_10_under_a_debugger,
    env_13_without_proc_it_is_said_what_is_missing,
    env_13_without_shared_memory_and_writable_files,
    env_13_at_the_limit_of_processes,
    env_16_names_and_values_that_are_no_text,
];

pub(crate) const PROGRAMS: &[Program] = programs![adds_somewhere];

/// Adds in a worker; prints the sum, or why there is none.
fn adds_somewhere() {
    match add.run(1, 2) {
        Ok(sum) => println!("{sum}"),
        Err(error) => println!("{:?} {error}", error.kind()),
    }
    loky::pool().shutdown();
}

#[loky::task]
fn seen_early() -> Option<String> {
    seen_before_main().and_then(|seen| seen.into_string().ok())
}

fn env_02_variables_are_there_before_static_initializers() {
    assert_eq!(seen_before_main(), None, "the program has none");
    for is_copied in [false, true] {
        let builder = Pool::builder().workers(2).env("LOKY_TESTS_SEEN_BEFORE_MAIN", "early").zygote(is_copied);
        let pool = builder.build().expect("a pool");
        pool.warm_up();
        assert_eq!(seen_early.bind().on(&pool).run().expect("a call").as_deref(), Some("early"));
    }
}

fn env_03_later_changes_reach_later_workers_only() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let seen = || variable.bind("LOKY_TESTS_LATER").on(&pool).run().expect("a call");
    assert_eq!(seen(), None);
    set_variable("LOKY_TESTS_LATER", Some("later"));
    assert_eq!(seen(), None, "who has started has what there was");
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    assert_eq!(seen().as_deref(), Some("later"), "the second worker is a later one");
    gate.open();
    held.join().expect("held");
}

fn env_04_pools_of_different_environments_at_once() {
    thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || {
                let mine = format!("number {number}");
                let pool = Pool::builder().workers(2).env("NUMBER", &mine).build().expect("a pool");
                let seen = (0..20).map(|_| "NUMBER").par_map(variable).on(&pool).unwrap_all();
                assert!(seen.iter().all(|value| value.as_ref() == Some(&mine)), "{seen:?}");
            });
        }
    });
    assert_eq!(std::env::var_os("NUMBER"), None, "nobody has touched the program's own");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The binary of these tests, to be played by something else that starts it.
fn binary() -> PathBuf {
    std::env::current_exe().expect("the binary is there")
}

fn env_10_under_a_debugger() {
    let mut debugger = Command::new("gdb");
    debugger.args(["-batch", "-nx", "-ex", "run", "-ex", "print $_exitcode"]).arg(binary());
    as_program(&mut debugger, "adds_somewhere");
    // Not everybody has one, nor may trace.
    let Ok(output) = debugger.output() else { return };
    if String::from_utf8_lossy(&output.stderr).contains("ptrace") {
        return;
    }
    assert!(said(&output).lines().any(|line| line == "3"), "{output:?}");
}

/// Plays the program with other file systems. `None` where this process may not change what it sees.
fn with_other_files(change: &str) -> Option<Output> {
    let may = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|output| output.status.success());
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &format!("{change} && exec \"$0\"")]).arg(binary());
    as_program(&mut command, "adds_somewhere");
    may.then(|| command.output().expect("the shell starts"))
}

fn env_13_without_proc_it_is_said_what_is_missing() {
    let Some(output) = with_other_files("umount -l /proc") else { return };
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).starts_with("Launch ") && said(&output).contains("is /proc mounted?"), "{output:?}");
}

fn env_13_without_shared_memory_and_writable_files() {
    let nothing = "mount -t tmpfs -o ro none /dev/shm && mount -o remount,ro,bind /";
    let Some(output) = with_other_files(nothing) else { return };
    assert_eq!(said(&output), "3\n", "{output:?}");
}

/// Threads count as processes there: the first is the program's, the second that of its pool, the third a worker's,
/// the fourth the one that watches the worker's parent.
fn env_13_at_the_limit_of_processes() {
    for (limit, expected) in [(1, "Launch"), (2, "Launch"), (3, "Launch"), (50, "3\n")] {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=54321", "--clear-groups", "prlimit", &format!("--nproc={limit}")]).arg(binary());
        as_program(&mut command, "adds_somewhere");
        // Not everybody has these programs, may become somebody else, or lets others read the binary.
        let Some(output) = command.output().ok().filter(|output| output.status.success()) else { return };
        assert!(said(&output).starts_with(expected), "{limit}: {output:?}");
        assert!(limit > 3 || said(&output).contains("os error 11"), "it says what is missing: {output:?}");
    }
}

#[loky::task]
fn introduce() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let bytes = |text: OsString| text.into_vec();
    let value = std::env::var_os("LOKY_TESTS_BYTES").unwrap_or_default();
    let directory = std::env::current_dir().expect("a worker has one").into_os_string();
    let last = std::env::args_os().next_back().unwrap_or_default();
    (bytes(value), bytes(directory), bytes(last))
}

fn env_16_names_and_values_that_are_no_text() {
    let odd = OsStr::from_bytes(b"odd \xff\xfe name");
    let place = scratch().canonicalize().expect("the scratch folder exists").join(odd);
    fs::create_dir(&place).expect("a file may have any name");
    for is_copied in [false, true] {
        let builder = Pool::builder().workers(2).env("LOKY_TESTS_BYTES", odd).current_dir(&place).zygote(is_copied);
        let pool = builder.build().expect("a pool");
        pool.warm_up();
        let (value, directory, _) = introduce.bind().on(&pool).run().expect("a call");
        assert_eq!((value.as_slice(), directory.as_slice()), (odd.as_bytes(), place.as_os_str().as_bytes()));
    }
    let copy = place.join(OsStr::from_bytes(b"program \xff"));
    fs::copy(binary(), &copy).expect("it can be copied");
    let mut command = Command::new(&copy);
    command.arg(odd).env("LOKY_TESTS_BYTES", odd).current_dir(&place);
    as_program(&mut command, "adds_somewhere");
    let output = command.output().expect("the copy runs");
    assert_eq!(said(&output), "3\n", "{output:?}");
}
