//! How a program is entered: with `loky::main!`, without it, by another name, and as a worker started by hand.

use std::os::unix::process::CommandExt;
use std::process::Command;

use loky::prelude::*;
use loky_tests::program::as_program;
use loky_tests::tasks::{add, pid};
use loky_tests::{Case, Program, cases, finish, procfs, program, programs, scratch};
use nix::sys::prctl;

pub(crate) const CASES: &[Case] = cases![
    env_11_a_forgotten_main_is_an_error_at_once,
    env_08_arguments_are_the_programs_own,
    env_10_started_by_any_name,
    env_12_a_worker_started_by_hand_ends,
];

pub(crate) const PROGRAMS: &[Program] = programs![adds];

/// Adds in a worker, and prints what it was told on the command line.
fn adds() {
    assert_eq!(add.run(1, 2).expect("a worker"), 3);
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    println!("{}", arguments.join(" "));
    loky::pool().shutdown();
}

fn env_11_a_forgotten_main_is_an_error_at_once() {
    prctl::set_child_subreaper(true).expect("so that whatever it leaves becomes ours");
    let starts = scratch().join("starts");
    let mut forgotten = Command::new(env!("CARGO_BIN_EXE_forgotten"));
    let output = forgotten.env("STARTS", &starts).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("NotInitialized false ")).collect();
    assert_eq!(errors.len(), 5, "{said}");
    assert!(errors.iter().all(|error| error.contains("loky::main!")), "each names the fix: {said}");
    // Three counts that see different things: starts that came to `main`, children reaped by the program, and
    // children that were left to us.
    assert_eq!(std::fs::read_to_string(&starts).expect("it left a line").lines().count(), 1);
    assert!(said.contains("children cost 0 page faults"), "{said}");
    assert_eq!(procfs::children(std::process::id()), [], "it left nobody");
}

fn env_08_arguments_are_the_programs_own() {
    let output = program("adds").args(["--list", "-x", "", "--", "worker"]).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n'), "--list -x  -- worker");
}

fn env_10_started_by_any_name() {
    let binary = std::env::current_exe().expect("the binary is there");
    let link = scratch().join("a link");
    std::os::unix::fs::symlink(&binary, &link).expect("a link can be made");
    let folder = binary.parent().expect("it lies in a folder");
    let name = binary.file_name().expect("it has a name");
    let mut by_link = Command::new(&link);
    let mut relative = Command::new(std::path::Path::new(".").join(name));
    relative.current_dir(folder);
    let mut by_path = Command::new(name);
    by_path.env("PATH", folder);
    let mut nameless = Command::new(&binary);
    nameless.arg0("");
    for command in [&mut by_link, &mut relative, &mut by_path, &mut nameless] {
        as_program(command, "adds");
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}

fn env_12_a_worker_started_by_hand_ends() {
    let worker = pid.run().expect("a worker");
    let is_new = |(name, _): &(String, String)| name.starts_with("LOKY_") && std::env::var_os(name).is_none();
    let markers: Vec<_> = procfs::environment(worker).into_iter().filter(is_new).collect();
    assert!(!markers.is_empty(), "a worker is told by its environment");
    finish();
    let mut by_hand = program("adds");
    by_hand.envs(markers).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let output = by_hand.output().expect("the program starts");
    assert!(!output.status.success(), "it is no worker and must not pretend: {output:?}");
    assert!(!output.stderr.is_empty(), "it says why it ends");
    assert!(output.stdout.is_empty(), "user code was not reached");
}
