//! How many processors there are, as seen through affinity and the user's own bound.

use loky_tests::{Case, Program, cases, program, programs};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

pub(crate) const CASES: &[Case] = cases![
    cpu_01_at_least_one_and_always_the_same,
    cpu_04_one_processor_allowed_is_one_processor,
    cpu_05_affinity_changes_at_run_time,
    cpu_11_the_users_bound_lowers_and_never_raises,
];

pub(crate) const PROGRAMS: &[Program] = programs![counts];

/// Prints both counts.
fn counts() {
    println!("{} {}", loky::cpu_count(), loky::physical_cpu_count());
}

fn counted(bound: &str) -> (usize, usize) {
    let output = program("counts").env("LOKY_MAX_CPU_COUNT", bound).output().expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (logical, physical) = text.split_once(' ').expect("two numbers");
    (logical.parse().expect("a number"), physical.parse().expect("a number"))
}

fn cpu_01_at_least_one_and_always_the_same() {
    let (logical, physical) = (loky::cpu_count(), loky::physical_cpu_count());
    assert!(physical >= 1 && physical <= logical, "{physical} of {logical}");
    assert_eq!((loky::cpu_count(), loky::physical_cpu_count()), (logical, physical));
}

/// Only the first of the processors that this thread may use.
fn first_of(allowed: &CpuSet) -> CpuSet {
    let mut one = CpuSet::new();
    let first = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu).is_ok_and(|is_set| is_set));
    one.set(first.expect("a thread may use one processor at least")).expect("its number is in range");
    one
}

fn cpu_04_one_processor_allowed_is_one_processor() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).expect("the affinity can be read");
    sched_setaffinity(Pid::from_raw(0), &first_of(&allowed)).expect("and narrowed");
    assert_eq!(counted(""), (1, 1), "a program inherits it");
}

fn cpu_05_affinity_changes_at_run_time() {
    let all = loky::cpu_count();
    let allowed = sched_getaffinity(Pid::from_raw(0)).expect("the affinity can be read");
    sched_setaffinity(Pid::from_raw(0), &first_of(&allowed)).expect("and narrowed");
    assert_eq!((loky::cpu_count(), loky::physical_cpu_count()), (1, 1));
    sched_setaffinity(Pid::from_raw(0), &allowed).expect("and widened again");
    assert_eq!(loky::cpu_count(), all);
}

fn cpu_11_the_users_bound_lowers_and_never_raises() {
    let (all, _) = counted("");
    assert_eq!(counted("1"), (1, 1));
    for bound in ["100000", "0", "-3", "rubbish", " "] {
        assert_eq!(counted(bound).0, all, "{bound:?}");
    }
}
