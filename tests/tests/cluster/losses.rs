//! What is lost with an agent, and what is not; and what an agent does that is lost.

use std::process::Child;
use std::time::Instant;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::add;
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, procfs, programs, soon, stays};
use nix::sys::signal::Signal;

use crate::site::{Site, agents, await_agents};

pub(crate) const CASES: &[Case] = cases![
    cluster_20_a_killed_agent_costs_what_has_no_retries,
    cluster_21_a_stopped_agent_is_given_up_and_fences_itself,
    cluster_22_a_killed_program_leaves_nothing,
    cluster_23_a_new_agent_takes_over,
    cluster_24_an_agent_that_is_asked_to_end_finishes_what_has_begun,
];

pub(crate) const PROGRAMS: &[Program] = programs![loses_one, stops_one, is_killed, goes_on, drains];

/// Arrives with the agent that it is on, and waits.
#[loky::task]
fn arrive(gate: Gate, name: &str) -> (u32, u32) {
    let (agent, attempt) = (std::os::unix::process::parent_id(), loky::worker().expect("it is one").attempt);
    gate.arrive(&format!("{name} {agent} {attempt}"));
    gate.pass();
    (agent, attempt)
}

/// With which agent that call has arrived, in that attempt.
fn agent_of(gate: &Gate, name: &str, attempt: u32) -> Option<u32> {
    let arrivals = gate.arrivals();
    let words = arrivals.iter().map(|line| line.split(' ').collect::<Vec<_>>());
    words.filter(|words| words[0] == name && words[2] == attempt.to_string()).find_map(|words| words[1].parse().ok())
}

/// Has bad luck twice: its machine is lost, and then it crashes.
#[loky::task]
fn stumble(gate: Gate) -> u32 {
    let attempt = loky::worker().expect("it is one").attempt;
    gate.arrive(&format!("stumbler {} {attempt}", std::os::unix::process::parent_id()));
    match attempt {
        1 => std::thread::sleep(ms(1_000_000)),
        2 => std::process::abort(),
        _ => {}
    }
    attempt
}

fn cluster_20_a_killed_agent_costs_what_has_no_retries() {
    Site::new(4).play("loses_one");
}

fn loses_one() {
    await_agents(4);
    let gate = Gate::of_the_case("gate");
    let plain = arrive.spawn(gate.clone(), "plain");
    gate.await_arrivals(1);
    let victim = agent_of(&gate, "plain", 1).expect("it has arrived");
    loky_tests::sys::signal(victim, Signal::SIGKILL);
    let killed = Instant::now();
    let error = fails(plain.join(), ErrorKind::NodeLost);
    let took = killed.elapsed();
    assert!(took > ms(2000) && took < ms(4500), "after its lease: {took:?}");
    assert_eq!((error.attempt(), error.may_have_run()), (Some(1), true));
    assert!(error.host().is_some() && error.task().is_some_and(|task| task.ends_with("arrive")), "{error}");
    assert_eq!(loky::pool().workers(), 3);

    let patient = arrive.bind(gate.clone(), "patient").retries(1).spawn();
    eventually("it has arrived", || agent_of(&gate, "patient", 1).is_some());
    let victim = agent_of(&gate, "patient", 1).expect("it has arrived");
    loky_tests::sys::signal(victim, Signal::SIGKILL);
    eventually("it has arrived elsewhere", || agent_of(&gate, "patient", 2).is_some());
    gate.open();
    let (agent, attempt) = patient.join().expect("it was tried again");
    assert!(attempt == 2 && agent != victim && agents().contains(&agent));
    assert_eq!(gate.arrivals().len(), 3, "nothing has run more often");

    let stumbler = stumble.bind(gate.clone()).retries(1).spawn();
    eventually("it has arrived", || agent_of(&gate, "stumbler", 1).is_some());
    let victim = agent_of(&gate, "stumbler", 1).expect("it has arrived");
    loky_tests::sys::signal(victim, Signal::SIGKILL);
    assert_eq!(stumbler.join().expect("a lost machine is no crash"), 3);
}

fn cluster_21_a_stopped_agent_is_given_up_and_fences_itself() {
    Site::new(2).play("stops_one");
}

fn stops_one() {
    await_agents(2);
    let gate = Gate::of_the_case("gate");
    let call = arrive.bind(gate.clone(), "call").retries(1).spawn();
    gate.await_arrivals(1);
    let stopped = agent_of(&gate, "call", 1).expect("it has arrived");
    let worker = procfs::children(stopped)[0].pid;
    loky_tests::sys::signal(stopped, Signal::SIGSTOP);
    eventually("it runs elsewhere", || agent_of(&gate, "call", 2).is_some());
    assert_eq!(loky::pool().workers(), 1);
    loky_tests::sys::signal(stopped, Signal::SIGCONT);
    soon("what it had is killed", ms(1000), || !procfs::is_alive(worker));
    assert!(procfs::is_alive(stopped));
    eventually("it comes back as a new agent", || loky::pool().workers() == 2);
    gate.open();
    let (agent, attempt) = call.join().expect("it was tried again");
    assert!(attempt == 2 && agent != stopped);
}

fn cluster_22_a_killed_program_leaves_nothing() {
    let mut site = Site::new(2);
    let mut program = site.program("is_killed").spawn().expect("the program");
    Gate::of_the_case("gate").await_arrivals(2);
    program.kill().expect("it lives");
    program.wait().expect("it is a child");
    let ids: Vec<_> = site.agents.iter().map(Child::id).collect();
    soon("all workers are gone", ms(2000), || ids.iter().all(|&agent| procfs::below(agent).is_empty()));
    site.agents.iter_mut().for_each(|agent| _ = agent.wait());
    site.end();
}

fn is_killed() {
    await_agents(2);
    let gate = Gate::of_the_case("gate");
    let _running: Vec<_> = (0..2).map(|_| arrive.spawn(gate.clone(), "call")).collect();
    std::thread::sleep(ms(1_000_000));
}

fn cluster_23_a_new_agent_takes_over() {
    Gate::new("lost");
    let mut site = Site::new(1);
    let mut program = site.program("goes_on").spawn().expect("the program");
    Gate::of_the_case("lost").await_arrivals(1);
    site.start(std::process::Command::new("/proc/self/exe"), crate::site::SECRET);
    assert!(program.wait().expect("it is a child").success());
    site.end();
}

fn goes_on() {
    await_agents(1);
    loky_tests::sys::signal(agents()[0], Signal::SIGKILL);
    eventually("it is lost", || loky::pool().stats().live == 0);
    let waits: Vec<_> = (0..10).map(|x| add.spawn(x, 1)).collect();
    stays("they wait", ms(100), || !waits[0].is_finished());
    Gate::of_the_case("lost").arrive("lost");
    let sums = loky::join_all(waits).expect("what has not begun is never lost");
    assert_eq!(sums, (1..11).collect::<Vec<_>>());
}

fn cluster_24_an_agent_that_is_asked_to_end_finishes_what_has_begun() {
    Site::new(2).play("drains");
}

fn drains() {
    await_agents(2);
    let tiny: Vec<_> = (0..200).map(|x| add.spawn(x, 1)).collect();
    loky::join_all(tiny).expect("the agents are known to be quick");
    let gate = Gate::of_the_case("gate");
    let running: Vec<_> = ["one", "other"].map(|name| arrive.spawn(gate.clone(), name)).into_iter().collect();
    gate.await_arrivals(2);
    // Some of them lie ready with each agent.
    let waiting: Vec<_> = (0..40).map(|x| add.spawn(x, 1)).collect();
    let leaves = agent_of(&gate, "one", 1).expect("it has arrived");
    // As a launcher does: to all that it has started.
    procfs::below(leaves).iter().for_each(|worker| loky_tests::sys::signal(worker.pid, Signal::SIGTERM));
    loky_tests::sys::signal(leaves, Signal::SIGTERM);
    eventually("it is given nothing more", || loky::pool().workers() == 1);
    stays("what has begun goes on", ms(100), || running.iter().all(|call| !call.is_finished()));
    let asked = Instant::now();
    gate.open();
    let hosts = loky::join_all(running).expect("nothing is lost");
    assert!(hosts.contains(&(leaves, 1)));
    let sums = loky::join_all(waiting).expect("it is run elsewhere");
    assert_eq!(sums, (1..41).collect::<Vec<_>>());
    eventually("it has left", || procfs::process(leaves).is_none_or(|agent| agent.is_zombie()));
    assert!(asked.elapsed() < ms(2500), "nobody waits for its lease: {:?}", asked.elapsed());
}
