//! What workers are started with: environment, directory, names, descriptors.

use std::collections::BTreeSet;
use std::path::PathBuf;

use loky::prelude::*;
use loky::{CallId, ErrorKind, Pool, WorkerInfo};
use loky_tests::tasks::{Death, die, pid, variable};
use loky_tests::{Case, Gate, cases, fails, pool_of, procfs, scratch};

pub(crate) const CASES: &[Case] = cases![
    env_01_variables_are_inherited_set_and_removed,
    env_05_each_worker_has_its_own,
    env_06_thread_pools_share_the_processors,
    env_07_a_directory_of_its_own,
    env_14_a_worker_knows_itself,
    fd_01_a_worker_holds_only_its_own,
    fd_13_children_of_a_worker_do_not_hold_its_link,
];

#[loky::task]
fn variables(names: Vec<String>) -> Vec<Option<String>> {
    names.iter().map(|name| std::env::var(name).ok()).collect()
}

fn env_01_variables_are_inherited_set_and_removed() {
    let builder = Pool::builder().workers(1).env("NEW", "new").env("EMPTY", "").env_remove("TMPDIR");
    // The last counts.
    let builder = builder.env("GONE", "a").env_remove("GONE").env_remove("BACK").env("BACK", "a").env("BACK", "b");
    let pool = builder.build().expect("a pool");
    let names = ["LOKY_TESTS_SCRATCH", "NEW", "EMPTY", "TMPDIR", "GONE", "BACK"].map(str::to_owned).to_vec();
    let seen = variables.bind(names).on(&pool).run().expect("a call");
    let inherited = scratch().to_string_lossy().into_owned();
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(seen, [Some(inherited), value("new"), value(""), None, None, value("b")]);
    assert!(std::env::var_os("TMPDIR").is_some() && std::env::var_os("NEW").is_none(), "the program keeps its own");
}

fn env_05_each_worker_has_its_own() {
    let device = |index: usize| vec![("DEVICE".to_owned(), index.to_string())];
    let pool = Pool::builder().workers(3).env_per_worker(device).build().expect("a pool");
    for round in 0..4 {
        let gate = Gate::new(&format!("gate-{round}"));
        // Its successor is wanted at the very moment of its death, and has its place.
        let dies = (round > 0).then(|| die.bind(Death::Abort).on(&pool).spawn());
        let held: Vec<_> = (0..3).map(|_| index_and_device.bind(gate.clone()).on(&pool).spawn()).collect();
        gate.await_arrivals(3);
        gate.open();
        let seen = loky::join_all(held).expect("a call in each");
        assert!(seen.iter().all(|(index, device)| index.to_string() == *device), "{seen:?}");
        assert_eq!(seen.iter().map(|(index, _)| *index).collect::<BTreeSet<_>>(), BTreeSet::from([0, 1, 2]));
        dies.into_iter().for_each(|handle| _ = fails(handle.join(), ErrorKind::Crash));
    }
}

#[loky::task]
fn index_and_device(gate: Gate) -> (usize, String) {
    gate.arrive("here");
    gate.pass();
    (loky::worker().expect("a worker").index, std::env::var("DEVICE").unwrap_or_default())
}

fn env_06_thread_pools_share_the_processors() {
    let threads = |pool: &Pool, name: &str| variable.bind(name).on(pool).run().expect("a call");
    let all = pool_of(loky::cpu_count());
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"] {
        assert_eq!(threads(&all, name).as_deref(), Some("1"), "{name}");
    }
    let one: usize = threads(&pool_of(1), "OMP_NUM_THREADS").expect("set").parse().expect("a number");
    assert!(one >= 1 && one <= loky::cpu_count());
    let own = Pool::builder().workers(loky::cpu_count()).env("OMP_NUM_THREADS", "7").build().expect("a pool");
    assert_eq!(threads(&own, "OMP_NUM_THREADS").as_deref(), Some("7"), "who says so gets it");
}

#[loky::task]
fn directory() -> PathBuf {
    std::env::current_dir().expect("a worker has one")
}

fn env_07_a_directory_of_its_own() {
    let place = scratch().canonicalize().expect("the scratch folder exists");
    let pool = Pool::builder().workers(1).current_dir(&place).build().expect("a pool");
    assert_eq!(directory.bind().on(&pool).run().expect("a call"), place);
    let nowhere = Pool::builder().workers(1).current_dir(place.join("nowhere")).build().expect("a pool");
    let error = fails(directory.bind().on(&nowhere).run(), ErrorKind::Launch);
    assert!(!error.may_have_run());
}

#[loky::task]
fn introduce() -> (bool, usize, u32, String, String, CallId, u32) {
    let WorkerInfo { index, pid, pool, task, call, attempt, .. } = loky::worker().expect("a task runs in a worker");
    assert_eq!(pid, std::process::id());
    (loky::is_worker(), index, pid, pool, task, call, attempt)
}

fn env_14_a_worker_knows_itself() {
    assert!(!loky::is_worker() && loky::worker().is_none(), "the program is none");
    let pool = Pool::builder().workers(1).name("gallery").build().expect("a pool");
    let handle = introduce.bind().on(&pool).spawn();
    let id = handle.id();
    let (is_worker, index, pid, name, task, call, attempt) = handle.join().expect("a call");
    assert!(is_worker && procfs::workers() == [pid]);
    assert_eq!((index, name.as_str(), call, attempt), (0, "gallery", id, 1));
    assert!(task.ends_with("introduce"), "{task}");
    let shown = procfs::process(pid).expect("it lives").command_line();
    assert!(shown.contains("gallery"), "`ps` shows the pool's name: {shown}");
}

fn fd_01_a_worker_holds_only_its_own() {
    let (reader, _writer) = nix::unistd::pipe().expect("a pipe that forgets to close on exec");
    let pool = pool_of(2);
    pool.warm_up();
    for _ in 0..2 {
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let open = procfs::descriptors_of(worker);
        assert!(open.len() <= 12, "the standard three and a few of the link: {open:?}");
        let pipe = procfs::descriptors()[&std::os::fd::AsRawFd::as_raw_fd(&reader)].clone();
        assert!(!open.values().any(|target| *target == pipe), "nothing of the program: {open:?}");
    }
}

#[loky::task]
fn descriptors_of_a_child() -> Vec<String> {
    let output = std::process::Command::new("ls").args(["-l", "/proc/self/fd"]).output().expect("ls can be started");
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.contains("->")).map(str::to_owned).collect()
}

fn fd_13_children_of_a_worker_do_not_hold_its_link() {
    let pool = pool_of(1);
    let open = descriptors_of_a_child.bind().on(&pool).run().expect("a call");
    assert!(!open.is_empty());
    assert!(!open.iter().any(|line| line.contains("socket:") || line.contains("memfd")), "{open:?}");
}
