//! What happens where there is no room for an array or a descriptor: an error of that call, in whichever process, and the
//! next one works.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;

use loky::prelude::*;
use loky::{Error, ErrorKind, Fd, Shared};
use loky_tests::tasks::square;
use loky_tests::{Case, Program, cases, eventually, fails, pool_of, procfs, program, programs};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::tools::{here, in_workers, sum, sum_of_all};

pub(crate) const CASES: &[Case] = cases![
    memmap_11_a_full_dev_shm_is_nothing_to_us,
    memmap_11_memory_that_there_is_not_is_an_error_and_no_signal,
    memmap_18_a_worker_without_descriptors_says_so,
    memmap_18_a_worker_without_room_to_map_says_so,
    memmap_18_a_parent_without_descriptors_says_so,
    memmap_18_descriptors_that_nobody_has_room_for,
];

pub(crate) const PROGRAMS: &[Program] = programs![shares_a_mebibyte];

#[loky::task]
fn many(count: u64) -> Vec<Shared<u64>> {
    (0..count).map(|number| Shared::from_vec(vec![number; 10])).collect()
}

/// From now on this process has room for so many descriptors more.
fn leave_room_for(descriptors: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let taken = procfs::descriptors();
    let free =
        (0..).filter(|number| !taken.contains_key(number)).nth(descriptors as usize).expect("numbers do not end");
    setrlimit(Resource::RLIMIT_NOFILE, (free as u64).min(hard), hard).expect("another soft limit");
}

#[loky::task]
fn leave_room_there(descriptors: u64) -> u32 {
    leave_room_for(descriptors);
    std::process::id()
}

fn says_what_to_do(error: &Error, has_run: bool) {
    let said = error.to_string();
    assert!(said.contains("open files") && said.contains("ulimit -n"), "{said}");
    assert_eq!(error.may_have_run(), has_run, "{said}");
}

fn memmap_18_a_worker_without_descriptors_says_so() {
    let pool = pool_of(1);
    let worker = leave_room_there.bind(2).on(&pool).run().expect("it has room for two");
    let all: Vec<_> = (1..=10).map(|number| Shared::from_vec(vec![number; 10])).collect();
    let error = fails(sum_of_all.bind(all.clone()).on(&pool).run(), ErrorKind::OutOfResources);
    says_what_to_do(&error, false);
    assert!(error.to_string().contains("argument 1"), "{error}");
    assert_eq!(square.bind(3).on(&pool).run().expect("it serves on"), 9);
    let error = fails(
        all.iter()
            .par_map(loky::closure!(|one: &Shared<u64>| one[0]))
            .on(&pool)
            .chunk_size(10)
            .last()
            .expect("ten items"),
        ErrorKind::OutOfResources,
    );
    says_what_to_do(&error, false);
    assert_eq!(leave_room_there.bind(50).on(&pool).run().expect("it has more room"), worker, "it is the same worker");
    assert_eq!(sum_of_all.bind(all.clone()).on(&pool).run().expect("what was missing is given again"), 550);
    assert_eq!(sum.bind(all[9].clone()).on(&pool).run().expect("and is there"), 100);
    drop(all);
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    leave_room_there.bind(1).on(&pool).run().expect("room for one");
    for number in 0..5 {
        let one = Shared::from_vec(vec![number; 10]);
        assert_eq!(sum.bind(one).on(&pool).run().expect("what is dropped makes room"), 10 * number);
        eventually("it is forgotten", || in_workers() == 0);
    }
    pool.shutdown();
}

/// From now on this process may not map more than it has, and so many bytes.
fn bound_mappings(more: u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a size");
    let size: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kilobytes");
    let (_, hard) = getrlimit(Resource::RLIMIT_AS).expect("a limit");
    setrlimit(Resource::RLIMIT_AS, (size << 10).saturating_add(more).min(hard), hard).expect("another soft limit");
}

#[loky::task]
fn bound_mappings_there(more: u64) -> u32 {
    bound_mappings(more);
    std::process::id()
}

fn memmap_18_a_worker_without_room_to_map_says_so() {
    let (pool, numbers) = (pool_of(1), Shared::from_vec(vec![1_u64; 8 << 20]));
    let worker = bound_mappings_there.bind(16 << 20).on(&pool).run().expect("bounded");
    let error = fails(sum.bind(numbers.clone()).on(&pool).run(), ErrorKind::OutOfResources);
    assert!(error.to_string().contains("cannot be mapped") && !error.may_have_run(), "{error}");
    assert_eq!(sum.bind(numbers.slice(..0)).on(&pool).run().expect("it serves on"), 0);
    assert_eq!(bound_mappings_there.bind(1 << 40).on(&pool).run().expect("unbound"), worker, "it is the same worker");
    assert_eq!(sum.bind(numbers).on(&pool).run().expect("it is given again"), 8 << 20);
    pool.shutdown();
}

/// Makes arrays until there is no room for one more.
fn fill(all: &mut Vec<Shared<u64>>) -> std::io::Error {
    loop {
        match Shared::try_from_vec(vec![1_u64]) {
            Ok(one) => all.push(one),
            Err(why) => return why,
        }
        assert!(all.len() < 100, "there is a limit");
    }
}

fn memmap_18_a_parent_without_descriptors_says_so() {
    let pool = pool_of(1);
    assert_eq!(sum.bind(Shared::from_vec(vec![1; 10])).on(&pool).run().expect("a worker is there"), 10);
    leave_room_for(30);
    let error = fails(many.bind(200).on(&pool).run(), ErrorKind::OutOfResources);
    says_what_to_do(&error, true);
    let mut all = Vec::new();
    // What the failed call had brought is closed in the background, and makes room.
    eventually("there is no room for one", || {
        assert_eq!(fill(&mut all).raw_os_error(), Some(Errno::EMFILE as i32));
        let refused = many.bind(1).on(&pool).run().map_err(|error| says_what_to_do(&error, true));
        refused.is_err()
    });
    assert_eq!(
        sum_of_all.bind(all.clone()).on(&pool).run().expect("to send what is there takes none"),
        all.len() as u64
    );
    all.pop();
    eventually("there is room for one", || many.bind(1).on(&pool).run().is_ok_and(|made| made.len() == 1));
    drop(all);
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

#[loky::task]
fn count(fds: Vec<Fd>) -> usize {
    fds.len()
}

#[loky::task]
fn opened(count: usize) -> Vec<Fd> {
    let null = || std::fs::File::open("/dev/null").expect("there is room for it").into();
    (0..count).map(|_| null()).collect()
}

fn memmap_18_descriptors_that_nobody_has_room_for() {
    let pool = pool_of(1);
    let null = std::fs::File::open("/dev/null").expect("it is there");
    let some = || (0..10).map(|_| null.as_fd().try_clone_to_owned().expect("room").into()).collect::<Vec<Fd>>();
    leave_room_there.bind(5).on(&pool).run().expect("it has room for five");
    says_what_to_do(&fails(count.bind(some()).on(&pool).run(), ErrorKind::OutOfResources), false);
    says_what_to_do(&fails(opened.bind(4).on(&pool).run(), ErrorKind::OutOfResources), true);
    leave_room_there.bind(50).on(&pool).run().expect("it has more room");
    assert_eq!(count.bind(some()).on(&pool).run().expect("there is room"), 10);
    assert_eq!(opened.bind(4).on(&pool).run().expect("there is room").len(), 4);
    let last = some();
    leave_room_for(3);
    says_what_to_do(&fails(count.bind(last).on(&pool).run(), ErrorKind::OutOfResources), false);
    says_what_to_do(&fails(opened.bind(20).on(&pool).run(), ErrorKind::OutOfResources), true);
    leave_room_for(100);
    assert_eq!(
        count.bind(opened.bind(20).on(&pool).run().expect("there is room")).on(&pool).run().expect("here, too"),
        20
    );
    pool.shutdown();
}

fn memmap_11_memory_that_there_is_not_is_an_error_and_no_signal() {
    let pool = pool_of(1);
    assert_eq!(square.bind(3).on(&pool).run().expect("a worker is there"), 9);
    let values = vec![1_u64; 8 << 20];
    bound_mappings(32 << 20);
    for _ in 0..3 {
        let copied = Shared::try_from_slice(&values).map(|_| ());
        let built = Shared::<u64>::build(values.len(), |_| panic!("there is nothing to fill")).map(|_| ());
        for why in [copied, built] {
            assert_eq!(why.expect_err("64 MiB are too many").raw_os_error(), Some(Errno::ENOMEM as i32));
        }
    }
    // More than any machine has; the kernel would go on giving until it has nothing left.
    for bytes in [1 << 46, 1 << 62, usize::MAX] {
        assert!(Shared::<u8>::build(bytes, |_| panic!("there is nothing to fill")).is_err());
    }
    assert_eq!(here(), (0, 0), "what was made in vain is gone");
    assert_eq!(sum.bind(Shared::from_vec(vec![1; 1000])).on(&pool).run().expect("a short one"), 1000);
    pool.shutdown();
}

fn shares_a_mebibyte() {
    let pool = pool_of(2);
    let parts = Shared::from_vec(vec![3_u64; 1 << 17]).par_chunks(1 << 15).par_map(sum).on(&pool).unwrap_all();
    println!("{}", parts.iter().sum::<u64>());
    pool.shutdown();
}

fn memmap_11_a_full_dev_shm_is_nothing_to_us() {
    let may = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|output| output.status.success());
    if !may {
        return;
    }
    let binary: PathBuf = std::env::current_exe().expect("the binary is there");
    let full = "mount -t tmpfs -o size=64k none /dev/shm && head -c 64k /dev/zero > /dev/shm/full && exec \"$0\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", full]).arg(binary);
    program::as_program(&mut command, "shares_a_mebibyte");
    let output = command.output().expect("the shell starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}\n", 3 << 17), "{output:?}");
}
