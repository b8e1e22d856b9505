//! What is kept from a worker is kept from each of its threads, and from all that it starts, from its first call on.

use std::net::TcpListener;
use std::sync::{Mutex, mpsc};
use std::thread;

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::pid;
use loky_tests::{Case, cases, eventually, procfs};
use nix::libc::EPERM;

use crate::attempt::{By, DONE, attempt, both_kinds};

pub(crate) const CASES: &[Case] =
    cases![everywhere_01_every_thread_is_bound, everywhere_02_a_thread_that_outlives_its_call];

/// What the kernel says of each thread of a process: whether it is bound, and by how many filters.
fn bonds(worker: u32) -> Vec<(String, String, String)> {
    let of = |thread: u32, field: &str| {
        let status = std::fs::read_to_string(format!("/proc/{worker}/task/{thread}/status")).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_else(|| panic!("no {field}"));
        line.trim().to_owned()
    };
    let threads = procfs::threads_of(worker);
    threads.iter().map(|(&id, name)| (name.clone(), of(id, "NoNewPrivs:"), of(id, "Seccomp_filters:"))).collect()
}

fn everywhere_01_every_thread_is_bound() {
    for pool in both_kinds(&Pool::builder().no_network(true)) {
        let worker = pid.bind().on(&pool).run().expect("a call");
        eventually("the thread that watches has its name", || {
            bonds(worker).iter().any(|(name, ..)| name == "loky-watch")
        });
        let bonds = bonds(worker);
        assert_eq!(bonds.len(), 2, "{bonds:?}");
        assert!(bonds.iter().all(|(_, privileges, filters)| privileges == "1" && filters == "1"), "{bonds:?}");
    }
    let free = Pool::builder().workers(1).build().expect("a pool");
    let bonds = bonds(pid.bind().on(&free).run().expect("a call"));
    assert!(bonds.iter().all(|(_, privileges, filters)| privileges == "0" && filters == "0"), "{bonds:?}");
}

type Question = (String, mpsc::Sender<i32>);

/// Asks the thread that the first call in this process has started.
static AGENT: Mutex<Option<mpsc::Sender<Question>>> = Mutex::new(None);

/// What an initializer would do: it leaves a thread behind.
#[loky::task]
fn prepare() {
    let (sender, questions) = mpsc::channel::<Question>();
    *AGENT.lock().expect("nobody panics") = Some(sender);
    thread::spawn(move || {
        for (what, answer) in questions {
            answer.send(attempt(&what, By::Task)).expect("somebody waits for it");
        }
    });
}

#[loky::task]
fn ask(what: &str) -> i32 {
    let (sender, answer) = mpsc::channel();
    let agent = AGENT.lock().expect("nobody panics").clone().expect("it was prepared");
    agent.send((what.to_owned(), sender)).expect("it lives");
    answer.recv().expect("it answers")
}

fn everywhere_02_a_thread_that_outlives_its_call() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let what = format!("tcp {}", tcp.local_addr().expect("it has one"));
    let free = Pool::builder().workers(1).build().expect("a pool");
    for (pool, expected) in both_kinds(&Pool::builder().no_network(true)).iter().zip([EPERM; 2]).chain([(&free, DONE)])
    {
        prepare.bind().on(pool).run().expect("a call");
        assert_eq!(ask.bind(&what).on(pool).run().expect("a call"), expected);
    }
}
