//! Where the kernel, or the program, does not let it be: no worker runs that is less confined than was asked for, and
//! the error names the setting.

use std::collections::BTreeMap;

use loky::prelude::*;
use loky::{ErrorKind, Pool, PoolBuilder};
use loky_tests::tasks::pid;
use loky_tests::{Case, Program, cases, fails, program, programs, sys};
use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

pub(crate) const CASES: &[Case] = cases![
    kernel_01_without_landlock_nothing_runs,
    kernel_02_without_seccomp_nothing_runs,
    kernel_03_with_a_thread_before_main_nothing_runs,
    kernel_04_what_makes_no_sense_is_refused_at_build,
    kernel_05_pools_that_differ_in_it_are_two,
];

pub(crate) const PROGRAMS: &[Program] = programs![without_landlock, without_seccomp];

/// Linux 6.2.
const LANDLOCK_VERSION: i64 = 3;

/// On a kernel without it, sees to it that this is told, and says so: there is nothing else to be tested then.
pub(crate) fn lacks_landlock() -> bool {
    let lacks = sys::landlock_version() < LANDLOCK_VERSION;
    if lacks {
        println!("this kernel has no Landlock, or an old one: only its refusal is tested");
        is_refused(Pool::builder().read_only_file_system(true), "read_only_file_system");
    }
    lacks
}

/// No worker runs, and the error says because of which setting.
#[track_caller]
fn is_refused(builder: PoolBuilder, setting: &str) {
    for zygote in [false, true] {
        let pool = builder.clone().workers(1).zygote(zygote).build().expect("a pool");
        let error = fails(pid.bind().on(&pool).run(), ErrorKind::Launch);
        let text = error.to_string();
        assert!(
            !error.may_have_run() && text.contains(&format!("the pool's `{setting}` cannot be had here")),
            "{text}"
        );
    }
}

/// Plays a kernel without these calls, for this process and all that it starts.
fn forget_calls(calls: &[i64]) {
    let calls: BTreeMap<_, _> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let arch = std::env::consts::ARCH.try_into().expect("an architecture that is known");
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, unknown, arch).expect("a filter");
    apply_filter(&BpfProgram::try_from(filter).expect("a program")).expect("it is taken");
}

fn without_landlock() {
    forget_calls(&[libc::SYS_landlock_create_ruleset]);
    is_refused(Pool::builder().read_only_file_system(true), "read_only_file_system");
    is_refused(Pool::builder().no_network(true).read_only_file_system(true), "read_only_file_system");
    pid.bind()
        .on(&Pool::builder().workers(1).no_network(true).build().expect("a pool"))
        .run()
        .expect("that can be had");
}

fn without_seccomp() {
    forget_calls(&[libc::SYS_seccomp]);
    is_refused(Pool::builder().no_network(true), "no_network");
    is_refused(Pool::builder().read_only_file_system(true), "read_only_file_system");
    let plain = Pool::builder().workers(1).no_new_privileges(true).no_core_dumps(true);
    pid.bind().on(&plain.build().expect("a pool")).run().expect("that can be had");
}

fn kernel_01_without_landlock_nothing_runs() {
    assert!(program("without_landlock").status().expect("the program starts").success());
}

fn kernel_02_without_seccomp_nothing_runs() {
    if !lacks_landlock() {
        assert!(program("without_seccomp").status().expect("the program starts").success());
    }
}

fn kernel_03_with_a_thread_before_main_nothing_runs() {
    let builder = Pool::builder().env("LOKY_TESTS_THREAD_BEFORE_MAIN", "1");
    is_refused(builder.clone().no_network(true), "no_network");
    is_refused(builder.clone().no_new_privileges(true), "no_new_privileges");
    if !lacks_landlock() {
        is_refused(builder.clone().read_only_file_system(true), "read_only_file_system");
    }
    let limits = builder.workers(1).no_core_dumps(true).open_files_limit(64);
    pid.bind().on(&limits.build().expect("a pool")).run().expect("limits are of the whole process");
}

fn kernel_04_what_makes_no_sense_is_refused_at_build() {
    let builders = [
        (Pool::builder().address_space_limit(0), "address_space_limit"),
        (Pool::builder().cpu_time_limit(std::time::Duration::ZERO), "cpu_time_limit"),
        (Pool::builder().open_files_limit(15), "open_files_limit"),
        (Pool::builder().writable("/tmp"), "writable"),
        (Pool::builder().writable("/tmp").read_only_file_system(false), "writable"),
    ];
    for (builder, setting) in builders {
        let error = fails(builder.build(), ErrorKind::Config);
        assert!(error.to_string().contains(setting), "{error}");
    }
    is_refused(Pool::builder().address_space_limit(1 << 20), "address_space_limit");
}

fn kernel_05_pools_that_differ_in_it_are_two() {
    let of = |builder: PoolBuilder| {
        let pool = loky::reusable(builder.workers(1)).expect("a pool");
        pid.bind().on(&pool).run().expect("a call")
    };
    let first = of(Pool::builder().no_network(true));
    assert_eq!(of(Pool::builder().no_network(true)), first);
    assert_ne!(of(Pool::builder()), first);
    loky_tests::finish();
}
