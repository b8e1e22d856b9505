//! Good and bad clients at once, and how it ends.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use loky_tests::{Case, Random, cases, eventually, ms, patience, procfs, sys, within};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::client::{Client, Response};
use crate::images::{self, Expected, Sample};
use crate::program::Service;

/// The first one builds the example.
pub(crate) const CASES: &[Case] = cases![
    untrusted_01_each_hostile_image_has_its_own_error: 600,
    untrusted_02_hostile_images_harm_nobody_else: 900,
    untrusted_03_it_is_killed_and_nothing_is_left: 600,
    untrusted_04_it_ends_when_it_is_told: 600,
];

const REQUESTS: usize = 10_000;
const HOSTILE_PERCENT: u64 = 5;
const CLIENTS: usize = 4;

/// A good image takes a few milliseconds; on a machine that stalls, time passes for it, too.
const TIMEOUT_MS: u32 = 500;

/// When the memory is looked at for the first time: everything has happened some times by then.
const WARM: usize = 2_000;

/// The memory of the program may grow by so much from then on: what an allocator is about, and nothing per request.
const GROWTH_MAX_KIB: u64 = 6 << 10;

/// A service, and below this process whatever it has started, also if it dies.
fn start() -> Service {
    prctl::set_child_subreaper(true).expect("so that every orphan becomes ours");
    let timeout = TIMEOUT_MS * patience();
    Service::start(&["--workers", "4", "--timeout", &timeout.to_string()])
}

#[track_caller]
fn check(sample: &Sample, Response { status, body }: &Response) {
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    match &sample.expected {
        Expected::Summary(summary) => assert_eq!((*status, body), (200, summary), "{}", sample.name),
        Expected::Failure(code, kind, signal) => {
            assert_eq!((*status, text("kind")), (*code, *kind), "{}: {body}", sample.name);
            assert!(!text("message").is_empty(), "{body}");
            if signal.is_some() {
                assert_eq!(body["signal"].as_i64(), signal.map(i64::from), "{body}");
            }
        }
    }
}

fn untrusted_01_each_hostile_image_has_its_own_error() {
    let mut random = Random::from_environment();
    let service = start();
    let mut client = Client::connect(service.address);
    for sample in images::hostile(&mut random).iter().chain(&images::good(&mut random, 2)) {
        let response = client.post(&sample.bytes);
        println!("{}: {} {}", sample.name, response.status, response.body);
        check(sample, &response);
    }
    let mut status = |method: &str, path: &str, bytes: &[u8]| client.request(method, path, bytes).status;
    assert_eq!([status("POST", "/", b""), status("POST", "/", b"plain text")], [400, 400]);
    assert_eq!([status("GET", "/", b""), status("POST", "/elsewhere", b"")], [405, 404]);
    end(service);
}

/// What all clients have in common.
struct Traffic {
    good: Vec<Sample>,
    hostile: Vec<Sample>,
    sent: AtomicUsize,
    /// How many of each there were, by name.
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Traffic {
    fn hang(&self) -> &Sample {
        self.hostile.iter().find(|sample| sample.name == "hang").expect("it is one of them")
    }

    /// One client: sends until all have been sent together.
    fn run(&self, service: &Service, mut random: Random, warm: impl Fn()) {
        let mut client = Client::connect(service.address);
        loop {
            match self.sent.fetch_add(1, Ordering::Relaxed) {
                REQUESTS.. => return,
                WARM => warm(),
                _ => {}
            }
            let pick = if random.below(100) < HOSTILE_PERCENT { &self.hostile } else { &self.good };
            let sample = &pick[random.below(pick.len() as u64) as usize];
            let response = client.post(&sample.bytes);
            // Where many want the processors, a bomb may meet the limit of time before that of memory.
            let is_late_bomb = sample.name == "memory" && response.body["kind"] == "timeout";
            check(if is_late_bomb { self.hang() } else { sample }, &response);
            *self.counts.lock().expect("nobody panics").entry(sample.name).or_default() += 1;
        }
    }
}

fn untrusted_02_hostile_images_harm_nobody_else() {
    let mut random = Random::from_environment();
    let (good, hostile) = (images::good(&mut random, 30), images::hostile(&mut random));
    let traffic = Traffic { good, hostile, sent: AtomicUsize::new(0), counts: Mutex::default() };
    let service = start();
    let (begun, warm) = (Instant::now(), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let random = random.fork();
            let look = || *warm.lock().expect("nobody panics") = Some((service.memory(), service.holdings()));
            let (traffic, service) = (&traffic, &service);
            scope.spawn(move || traffic.run(service, random, look));
        }
    });
    let (memory_warm, holdings_warm) = warm.into_inner().expect("nobody panics").expect("somebody has looked");
    let (memory, holdings) = (service.memory(), service.holdings());
    let counts = traffic.counts.into_inner().expect("nobody panics");
    println!("{REQUESTS} requests in {:?}: {counts:?}", begun.elapsed());
    println!(
        "memory: {memory_warm} KiB, then {memory} KiB; threads and descriptors: {holdings_warm:?}, then {holdings:?}"
    );
    assert_eq!(counts.values().sum::<usize>(), REQUESTS);
    assert!(counts.len() == 8 && counts.values().all(|&count| count > 50), "everything has been sent: {counts:?}");
    assert!(memory <= memory_warm + GROWTH_MAX_KIB, "the memory has grown from {memory_warm} to {memory} KiB");
    end(service);
}

fn untrusted_03_it_is_killed_and_nothing_is_left() {
    let mut random = Random::from_environment();
    let mut service = start();
    let hang = images::hostile(&mut random).into_iter().find(|sample| sample.name == "hang").expect("there is one");
    let mut client = Client::connect(service.address);
    check(&hang, &client.post(&hang.bytes));
    eventually("workers are there", || procfs::below(service.child.id()).len() >= 2);
    service.child.kill().expect("it is ours");
    let killed = Instant::now();
    service.child.wait().expect("it is ours");
    let is_gone = || {
        procfs::reap_orphans();
        procfs::below(std::process::id()).is_empty().then_some(())
    };
    if within(ms(1000).saturating_sub(killed.elapsed()), is_gone).is_none() {
        panic!("a second after its death there is still:\n{}", procfs::dump_below(std::process::id()));
    }
}

fn untrusted_04_it_ends_when_it_is_told() {
    for signal in [None, Some(Signal::SIGTERM), Some(Signal::SIGINT)] {
        let mut service = start();
        let mut client = Client::connect(service.address);
        assert_eq!(client.post(b"").body["kind"], Value::from("bad_image"));
        match signal {
            None => drop(service.child.stdin.take()),
            Some(signal) => sys::signal(service.child.id(), signal),
        }
        let (status, said) = service.ended();
        assert!(status.success() && said.contains("answered 1 requests"), "{status}: {said}");
        assert_eq!(procfs::below(std::process::id()), [], "and its workers with it");
    }
}

/// It goes in good order, and takes everything with it.
fn end(mut service: Service) {
    drop(service.child.stdin.take());
    let (status, said) = service.ended();
    assert!(status.success() && said.contains("the standard input has ended"), "{status}: {said}");
    assert_eq!(procfs::below(std::process::id()), []);
}
