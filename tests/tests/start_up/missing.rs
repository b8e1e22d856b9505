//! What a program may lack: standard streams, its own file, room for descriptors.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use loky::prelude::*;
use loky_tests::program::as_program;
use loky_tests::tasks::{Death, add, die, square};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, pool_of, procfs, programs, scratch};
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

pub(crate) const CASES: &[Case] = cases![
    fd_05_without_standard_streams,
    env_09_its_file_is_deleted,
    env_09_its_file_is_replaced,
    fd_06_at_the_limit_of_descriptors,
    fd_07_a_thousand_descriptors_open,
    fd_11_descriptors_of_others_do_not_leak,
    env_07_its_directory_is_gone,
];

pub(crate) const PROGRAMS: &[Program] = programs![adds_silently, adds_when_told];

/// Calls, crashes and maps without a word, and leaves its verdict at a gate.
fn adds_silently() {
    let gate = Gate::of_the_case("verdict");
    let standard = procfs::descriptors().into_iter().filter(|(number, _)| *number <= 2).collect::<Vec<_>>();
    let sum = add.run(1, 2).expect("a worker starts");
    let death = die.run(Death::Abort).expect_err("it dies");
    let squares = (0..100).par_map(square).unwrap_all();
    assert!(death.is_crash() && squares.len() == 100);
    loky::pool().shutdown();
    let after = procfs::descriptors().into_iter().filter(|(number, _)| *number <= 2).collect::<Vec<_>>();
    assert_eq!(standard, after, "nothing of ours took the place of a standard stream");
    gate.arrive(&sum.to_string());
}

/// Waits at a gate before it starts its first worker, and again before it starts the next.
fn adds_when_told() {
    let gate = Gate::of_the_case("gate");
    gate.arrive("started");
    gate.pass();
    add.run(1, 2).expect("a worker starts");
    die.run(Death::Abort).expect_err("it dies");
    assert_eq!(add.run(3, 4).expect("so does the next"), 7);
    loky::pool().shutdown();
}

fn fd_05_without_standard_streams() {
    let binary = std::env::current_exe().expect("the binary is there");
    let gate = Gate::new("verdict");
    let redirections = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"];
    for (count, closed) in redirections.iter().enumerate() {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec \"$0\" {closed}")).arg(&binary);
        as_program(&mut shell, "adds_silently");
        let status = shell.status().expect("a shell can be started");
        assert!(status.success(), "{closed}: {status}");
        assert_eq!(gate.arrivals(), vec!["3"; count + 1], "{closed}");
    }
}

/// Another file of this binary, which may be lost.
fn copy() -> PathBuf {
    let copy = scratch().join("copy");
    fs::copy(std::env::current_exe().expect("the binary is there"), &copy).expect("it can be copied");
    copy
}

fn with_its_file_changed(change: impl FnOnce(&PathBuf)) {
    let (copy, gate) = (copy(), Gate::new("gate"));
    let mut command = Command::new(&copy);
    as_program(&mut command, "adds_when_told");
    let mut program = command.spawn().expect("the copy runs");
    gate.await_arrivals(1);
    change(&copy);
    gate.open();
    let status = program.wait().expect("the program is ours");
    assert!(status.success(), "{status}");
}

fn env_09_its_file_is_deleted() {
    with_its_file_changed(|copy| fs::remove_file(copy).expect("the copy is ours"));
}

fn env_09_its_file_is_replaced() {
    with_its_file_changed(|copy| {
        let newer = scratch().join("newer");
        fs::write(&newer, "#!/bin/sh\necho the newer program was started by mistake >&2\nexit 1\n").expect("room");
        fs::set_permissions(&newer, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        fs::rename(&newer, copy).expect("an upgrade in place");
    });
}

fn limit_descriptors(soft: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit can be read");
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(hard), hard).expect("a soft limit can be set");
}

fn fd_06_at_the_limit_of_descriptors() {
    let pool = pool_of(2);
    assert_eq!(add.bind(1, 2).on(&pool).run().expect("the first worker"), 3);
    let mut hoard = Vec::new();
    limit_descriptors(64);
    while let Ok(file) = fs::File::open("/dev/null") {
        hoard.push(file);
    }
    assert_eq!(add.bind(3, 4).on(&pool).run().expect("the worker that is there serves"), 7);
    die.bind(Death::Abort).on(&pool).run().expect_err("it dies");
    let error = fails(add.bind(5, 6).on(&pool).run(), loky::ErrorKind::Launch);
    assert!(!error.may_have_run(), "{error}");
    let other = pool_of(1);
    assert!(!fails(add.bind(5, 6).on(&other).run(), loky::ErrorKind::Launch).may_have_run());
    drop(hoard);
    // A launch that failed again and again is not tried in every call, but after a while it is.
    for pool in [&pool, &other] {
        eventually("there is room again, and the pool heals", || {
            add.bind(5, 6).on(pool).run().is_ok_and(|sum| sum == 11)
        });
    }
    pool.shutdown();
    other.shutdown();
}

#[loky::task]
fn descriptor_count() -> usize {
    procfs::descriptors().len()
}

fn fd_07_a_thousand_descriptors_open() {
    limit_descriptors(4096);
    let hoard: Vec<_> = (0..1100).map(|_| fs::File::open("/dev/null").expect("room for them")).collect();
    let pool = pool_of(2);
    assert!(descriptor_count.bind().on(&pool).run().expect("a worker starts") < 20);
    assert_eq!((0..200).par_map(square).on(&pool).unwrap_all().len(), 200);
    drop(hoard);
}

fn fd_11_descriptors_of_others_do_not_leak() {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    let reader = fs::File::from(reader);
    let leaky = nix::unistd::dup(&writer).expect("a descriptor that forgets to close on exec");
    let pool = pool_of(1);
    add.bind(1, 2).on(&pool).run().expect("a worker starts");
    drop((writer, leaky));
    // End of file comes only when nobody holds the writing end: the worker must not.
    let ended = std::thread::spawn(move || std::io::read_to_string(reader).map(|text| text.len()));
    loky_tests::soon("the pipe ends though the worker lives", loky_tests::ms(2000), || ended.is_finished());
    assert_eq!(procfs::workers().len(), 1);
}

fn env_07_its_directory_is_gone() {
    let place = scratch().join("place");
    fs::create_dir(&place).expect("room");
    std::env::set_current_dir(&place).expect("the folder exists");
    fs::remove_dir(&place).expect("it is empty");
    let pool = pool_of(1);
    match add.bind(1, 2).on(&pool).run() {
        Ok(sum) => assert_eq!(sum, 3),
        Err(error) => assert_eq!(error.kind(), loky::ErrorKind::Launch, "{error}"),
    }
}
