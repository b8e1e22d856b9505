//! Calls on other machines are like those on this one.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, Pool, Shared};
use loky_tests::tasks::{Death, add, die, meet, panic_with, pid, sleep_for, start_children};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, procfs, programs, stays};

use crate::site::{Site, agents, await_agents, host_after, host_of_worker, set_of};

pub(crate) const CASES: &[Case] = cases![
    cluster_01_each_agent_runs_calls,
    cluster_02_a_crash_costs_one_call_and_no_agent,
    cluster_03_limits_hold_and_calls_are_given_up,
    cluster_04_long_arguments_and_results,
    cluster_05_par_map,
    cluster_06_a_shutdown_leaves_nothing,
    cluster_07_pools_have_settings_of_their_own,
    cluster_08_what_lies_ready_behind_a_long_call_goes_elsewhere,
    cluster_09_shared_memory_travels_once_and_a_descriptor_does_not,
];

pub(crate) const PROGRAMS: &[Program] =
    programs![runs_everywhere, crashes, is_limited, sends_much, maps, shuts_down, has_settings, is_uneven, shares];

fn cluster_01_each_agent_runs_calls() {
    Site::new(3).play("runs_everywhere");
}

#[loky::task]
fn who_am_i() -> (loky::CallId, u32, u32, String) {
    let worker = loky::worker().expect("it is one");
    (worker.call, worker.attempt, worker.depth, worker.host)
}

fn runs_everywhere() {
    await_agents(3);
    let all: Vec<_> = (0..3).map(|_| host_after.spawn(500)).collect();
    let hosts = set_of(loky::join_all(all).expect("all are there"));
    assert_eq!(hosts, set_of(agents()), "one on each");
    let asked = who_am_i.spawn();
    let id = asked.id();
    let (call, attempt, depth, host) = asked.join().expect("it runs");
    assert_eq!((call, attempt, depth), (id, 1, 1));
    assert!(!host.is_empty());
    assert_eq!(add::spawn(1, 2).join().expect("in path form"), 3);
    let k = 10;
    let scaled = loky::closure!(|x: i64| x * k).run(7).expect("captures travel");
    assert_eq!(scaled, 70);
    let local = Pool::builder().workers(1).local().build().expect("a pool");
    assert_eq!(host_of_worker.bind().on(&local).run().expect("here"), std::process::id());
    local.shutdown();
    let error = fails(panic_with.run("at the end"), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("at the end"));
    assert_eq!(error.host(), Some(host.as_str()));
}

fn cluster_02_a_crash_costs_one_call_and_no_agent() {
    Site::new(2).play("crashes");
}

#[loky::task]
fn die_at_first() -> u32 {
    if loky::worker().expect("it is one").attempt == 1 {
        std::process::abort();
    }
    2
}

fn crashes() {
    await_agents(2);
    let beside = sleep_for.spawn(ms(300));
    let error = fails(die.run(Death::Abort), ErrorKind::Crash);
    assert_eq!((error.signal(), error.attempt(), error.may_have_run()), (Some(6), Some(1), true));
    assert!(error.pid().is_some() && error.host().is_some());
    assert!(error.to_string().contains(" on "), "{error}");
    beside.join().expect("its neighbor is not touched");
    assert_eq!(die_at_first.bind().retries(1).run().expect("it is tried again"), 2);
    assert!(agents().into_iter().all(procfs::is_alive));
    assert_eq!(loky::pool().workers(), 2);
}

fn cluster_03_limits_hold_and_calls_are_given_up() {
    Gate::new("asked");
    Site::new(1).play("is_limited");
}

fn is_limited() {
    await_agents(1);
    let began = Instant::now();
    let error = fails(sleep_for.bind(ms(60_000)).timeout(ms(200)).run(), ErrorKind::Timeout);
    assert!(began.elapsed() >= ms(200) && error.to_string().contains("limit of 200ms"), "{error}");

    let gate = Gate::of_the_case("gate");
    let running = meet.spawn(gate.clone(), 7);
    gate.await_arrivals(1);
    assert_eq!(running.status(), CallStatus::Running);
    let queued = [
        (add.bind(1, 2).queue_timeout(ms(100)).spawn(), ErrorKind::QueueTimeout),
        (add.bind(1, 2).deadline(ms(150)).spawn(), ErrorKind::Timeout),
    ];
    for (handle, kind) in queued {
        let error = fails(handle.join(), kind);
        assert!(!error.may_have_run(), "{error}");
    }
    let waits = add.spawn(1, 2);
    assert!(waits.cancel() && !fails(waits.join(), ErrorKind::Cancelled).may_have_run());
    let worker = procfs::children(agents()[0])[0].pid;
    assert!(running.cancel() && !running.cancel());
    let error = fails(running.join(), ErrorKind::Cancelled);
    assert!(error.may_have_run() && !procfs::is_alive(worker), "it is dead when that is told: {error}");
    assert_eq!(add.run(1, 2).expect("the agent goes on"), 3);

    let gate = Gate::of_the_case("asked");
    let asked = until_asked.spawn(gate.clone());
    gate.await_arrivals(1);
    assert!(asked.cancel_within(Duration::MAX));
    asked.join().expect("it has ended by itself");
}

#[loky::task]
fn until_asked(gate: Gate) {
    gate.arrive("here");
    while !loky::is_cancelled() {
        std::thread::sleep(ms(1));
    }
}

fn cluster_04_long_arguments_and_results() {
    Site::new(2).play("sends_much");
}

#[loky::task]
fn reversed(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.reverse();
    numbers
}

/// 64 MiB, or a quarter of that where whatever copies them is not optimized.
const LONG: u64 = if cfg!(debug_assertions) { 2 << 20 } else { 8 << 20 };

fn sends_much() {
    await_agents(2);
    let numbers: Vec<u64> = (0..LONG).collect();
    // Many bytes in both directions: beats go between.
    let calls: Vec<_> = (0..2).map(|_| reversed.spawn(numbers.clone())).collect();
    for call in calls {
        let back = call.join().expect("it is long");
        assert!(back.len() == numbers.len() && back.iter().rev().eq(&numbers));
    }
    assert_eq!(loky::pool().workers(), 2, "no agent was taken for dead");
}

fn cluster_05_par_map() {
    Site::new(3).play("maps");
}

#[loky::task]
fn fragile(x: u64) -> (u64, u32) {
    if x == 777 {
        std::process::abort();
    }
    (x * x, std::os::unix::process::parent_id())
}

fn maps() {
    await_agents(3);
    let results: Vec<_> = (0..20_000).par_map(fragile).collect();
    let mut hosts = set_of([]);
    for (x, result) in (0..).zip(results) {
        match result {
            Ok((square, host)) => {
                assert_eq!(square, x * x);
                hosts.insert(host);
            }
            Err(why) => assert_eq!((x, why.kind()), (777, ErrorKind::Crash)),
        }
    }
    assert_eq!(hosts, set_of(agents()));
    let first = (0..u64::MAX).par_map(fragile).unordered().next().expect("there are many");
    first.1.expect("it does not crash");
}

fn cluster_06_a_shutdown_leaves_nothing() {
    Site::new(2).play("shuts_down");
}

fn shuts_down() {
    await_agents(2);
    let pool = loky::pool();
    let busy: Vec<_> = (0..6).map(|_| pid.spawn()).collect();
    pool.shutdown();
    busy.into_iter().for_each(|call| _ = call.join().expect("it was finished"));
    let below = || agents().into_iter().flat_map(procfs::below).count();
    assert_eq!(below(), 0, "no worker is left on any machine");
    fails(add.bind(1, 2).on(&pool).run(), ErrorKind::Shutdown);

    await_agents(2);
    let gate = Gate::of_the_case("gate");
    let running = start_children.spawn(gate.clone(), "sleep 1000 & sleep 1000 &");
    gate.await_arrivals(1);
    let queued: Vec<_> = (0..6).map(|_| sleep_for.spawn(ms(60_000))).collect();
    loky::pool().shutdown_now();
    fails(running.join(), ErrorKind::Shutdown);
    queued.into_iter().for_each(|call| _ = fails(call.join(), ErrorKind::Shutdown));
    eventually("nothing is left of what was killed", || below() == 0);
    assert_eq!(add.run(1, 2).expect("the next one has a pool of its own"), 3);
}

fn cluster_07_pools_have_settings_of_their_own() {
    Site::new(2).play("has_settings");
}

fn has_settings() {
    await_agents(2);
    let pool = Pool::builder().workers(2).name("pairs").env("COLOR", "blue").build().expect("a pool");
    eventually("both agents have it", || pool.workers() == 4);
    pool.warm_up();
    let workers = || agents().into_iter().map(|agent| procfs::children(agent).len()).collect::<Vec<_>>();
    assert_eq!(workers(), [2, 2]);
    assert_eq!(color.bind().on(&pool).run().expect("it runs"), ("pairs".to_string(), Some("blue".to_string())));
    pool.resize(1);
    eventually("one is left on each", || workers() == [1, 1]);
    assert_eq!(pool.workers(), 2);
    pool.shutdown();
    let pool = Pool::builder().workers(1).initializer(prepare.bind("ready")).build().expect("a pool");
    assert_eq!(prepared.bind().on(&pool).run().expect("it runs"), Some("ready".to_string()));
    pool.shutdown();
    let pool = Pool::builder().workers(1).initializer(prepare.bind("")).build().expect("a pool");
    let error = fails(prepared.bind().on(&pool).run(), ErrorKind::Initializer);
    assert!(error.to_string().contains("there is nothing to prepare"), "{error}");
    pool.shutdown();
    let error = fails(Pool::builder().cpu_affinity(|index| vec![index]).build(), ErrorKind::Config);
    assert!(error.to_string().contains("`cpu_affinity`") && error.to_string().contains("local"), "{error}");
}

#[loky::task]
fn color() -> (String, Option<String>) {
    (loky::worker().expect("it is one").pool, std::env::var("COLOR").ok())
}

static PREPARED: Mutex<Option<String>> = Mutex::new(None);

#[loky::task]
fn prepare(word: &str) -> Result<(), String> {
    if word.is_empty() {
        return Err("there is nothing to prepare".to_string());
    }
    *PREPARED.lock().expect("nobody panics") = Some(word.to_string());
    Ok(())
}

#[loky::task]
fn prepared() -> Option<String> {
    PREPARED.lock().expect("nobody panics").clone()
}

fn cluster_08_what_lies_ready_behind_a_long_call_goes_elsewhere() {
    Site::new(2).play("is_uneven");
}

fn is_uneven() {
    await_agents(2);
    let tiny: Vec<_> = (0..200).map(|x| add.spawn(x, 1)).collect();
    loky::join_all(tiny).expect("the agents are known to be quick");
    let gate = Gate::of_the_case("gate");
    let long = meet.spawn(gate.clone(), 7);
    gate.await_arrivals(1);
    let began = Instant::now();
    let tiny: Vec<_> = (0..200).map(|x| add.spawn(x, 1)).collect();
    loky::join_all(tiny).expect("all of them are run by the other one");
    assert!(began.elapsed() < ms(10_000));
    stays("the long one runs on", ms(50), || long.status() == CallStatus::Running);
    gate.open();
    assert_eq!(long.join().expect("nobody has touched it"), 7);
}

fn cluster_09_shared_memory_travels_once_and_a_descriptor_does_not() {
    Site::new(2).play("shares");
}

#[loky::task]
fn at(numbers: Shared<u64>, place: usize) -> u64 {
    numbers[place]
}

#[loky::task]
fn sum_of(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[loky::task]
fn doubled(numbers: Shared<u64>) -> (Shared<u64>, Shared<u64>) {
    (Shared::from_vec(numbers.iter().map(|number| 2 * number).collect()), numbers)
}

#[loky::task]
fn length_of(file: loky::Fd) -> u64 {
    std::fs::File::from(std::os::fd::OwnedFd::from(file)).metadata().expect("it is open").len()
}

/// How much memory an agent has mapped that has no name.
fn mapped_by(agent: u32) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{agent}/maps")).unwrap_or_default();
    maps.lines().filter(|line| line.contains("memfd:loky")).count()
}

fn shares() {
    await_agents(2);
    let numbers = Shared::from_vec((0..8 << 20).collect::<Vec<u64>>());
    let before: Vec<_> = agents().into_iter().map(mapped_by).collect();
    // 64 MiB two hundred times would take many seconds.
    let began = Instant::now();
    let all: Vec<_> = (0..200).map(|place| at.spawn(numbers.clone(), place)).collect();
    assert_eq!(loky::join_all(all).expect("they are there"), (0..200).collect::<Vec<u64>>());
    assert!(began.elapsed() < ms(20_000), "it travels once to each machine: {:?}", began.elapsed());
    assert_eq!(sum_of.run(&numbers[..1 << 16]).expect("a range of it"), (0..1 << 16).sum::<u64>());
    let kept = numbers.clone();
    let captured = loky::closure!(|place: usize| kept[place]).run(99).expect("captures enclose, too");
    assert_eq!(captured, 99);
    let (new, old) = doubled.run(numbers.slice(..1000)).expect("a result, by value");
    assert!(new[999] == 1998 && old[999] == 999);
    let after = || agents().into_iter().map(mapped_by).collect::<Vec<_>>();
    assert!(after().iter().zip(&before).all(|(after, before)| after > before));
    drop((numbers, kept, new, old));
    eventually("what nobody holds here is let go there", || after() == before);

    let file = std::fs::File::open("/proc/self/exe").expect("this program");
    let error = fails(length_of.run(loky::Fd::from(file)), ErrorKind::Encode);
    assert!(!error.may_have_run() && error.to_string().contains("`loky::Fd`"), "{error}");
}
