//! The events of a pool as a list, in any order in which a driver could tell them, with workers that lie about calls. Each
//! call ends once, and a forced shutdown ends everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Input;
use crate::ids::{Attempt, CallId, CallKey, WorkerId};
use crate::scheduler::{Action, Event, Rules, Scheduler, Terms};

struct Pool {
    scheduler: Scheduler,
    now: Instant,
    /// Of the calls, those that have not ended.
    open: BTreeMap<u32, CallKey>,
    submitted: u32,
    /// What each worker that is alive was given and was not known to have answered.
    workers: BTreeMap<WorkerId, Vec<(CallKey, Attempt)>>,
    launching: BTreeSet<WorkerId>,
    is_finished: bool,
    /// Decides what workers say of what they have begun.
    lies: u8,
}

/// As long a pause as any rule knows.
const PAUSE_MAX_MS: usize = 40_000;

/// More steps than a shutdown can take.
const STEPS_MAX: usize = 10_000;

pub(super) fn tell(data: &[u8]) {
    let mut input = Input::new(data);
    let mut pool = Pool {
        scheduler: Scheduler::new(rules(&mut input)),
        now: Instant::now(),
        open: BTreeMap::new(),
        submitted: 0,
        workers: BTreeMap::new(),
        launching: BTreeSet::new(),
        is_finished: false,
        lies: input.byte(),
    };
    while !input.is_empty() && pool.submitted < 200 {
        pool.step(&mut input);
        pool.scheduler.check();
    }
    pool.end();
}

fn rules(input: &mut Input<'_>) -> Rules {
    let optional = |byte: u8| (byte & 1 == 1).then(|| Duration::from_millis(u64::from(byte)));
    Rules {
        target: 1 + input.below(4),
        spares: input.below(3),
        idle_timeout: optional(input.byte()),
        min_workers: input.below(2),
        calls_per_worker_max: (input.byte() & 3 == 3).then_some(3),
        credit: 1 + input.below(8),
        hello_limit: Duration::from_secs(30),
        launch_failures_max: 3,
        launch_pause: Duration::from_secs(10),
        stop_grace: Duration::from_secs(2),
        kill_grace: Duration::from_secs(5),
    }
}

impl Pool {
    fn step(&mut self, input: &mut Input<'_>) {
        let kind = input.byte() % 24;
        let (worker, held) = self.worker(input.byte());
        let call = held.or_else(|| self.call(input.byte()));
        let event = match (kind, worker, call) {
            (0..5, ..) => self.submit(input),
            (5, _, Some((call, _))) => Event::Cancelled { call },
            (6, _, Some((call, _))) => Event::AskedToEnd { call, kill_at: self.some_time(input) },
            (7..10, Some(worker), _) => {
                self.launching.remove(&worker);
                Event::WorkerReady { worker }
            }
            (10, Some(worker), _) => Event::GivenTime { worker, limit: self.some_time(input).map(|at| at - self.now) },
            (11..14, Some(worker), Some((call, attempt))) => {
                self.workers.entry(worker).or_default().retain(|&(held, _)| held != call);
                Event::Returned { worker, call, attempt }
            }
            (14, Some(worker), Some((call, attempt))) => Event::Progressed { worker, call, attempt },
            (15, Some(worker), _) => self.dies(worker, input.byte()),
            (16, Some(worker), _) => Event::LinkClosed { worker },
            (17, Some(worker), _) => Event::Worn { worker },
            (18, Some(worker), _) => Event::Outgrew { worker },
            (19, ..) => Event::Resized { target: input.below(5) },
            (20, ..) if input.byte() > 200 => Event::ShutdownAsked { forced: input.byte() & 1 == 1 },
            (20, ..) if input.byte() > 200 => Event::Interrupted,
            (20, ..) => Event::WarmUpAsked,
            _ => return self.time_passes(Duration::from_millis(input.below(PAUSE_MAX_MS) as u64)),
        };
        self.feed(event);
    }

    /// One that is alive, and something that it holds.
    fn worker(&self, choice: u8) -> (Option<WorkerId>, Option<(CallKey, Attempt)>) {
        let Some((&id, held)) = self.workers.iter().nth(usize::from(choice) % self.workers.len().max(1)) else {
            return (None, None);
        };
        (Some(id), held.first().filter(|_| choice < 200).copied())
    }

    /// One that may have ended, in an attempt that may be over.
    fn call(&self, choice: u8) -> Option<(CallKey, Attempt)> {
        let slot = u32::from(choice) % self.submitted.max(1);
        (self.submitted > 0).then(|| (key(slot), Attempt::new(1 + u32::from(choice) / 128).unwrap_or(Attempt::FIRST)))
    }

    fn submit(&mut self, input: &mut Input<'_>) -> Event {
        let call = key(self.submitted);
        self.submitted += 1;
        self.open.insert(call.slot, call);
        let (kind, items) = (input.byte(), 1 + u32::from(input.byte() % 3));
        let terms = match kind % 4 {
            0 => Terms {
                priority: i32::from(kind) - 100,
                retries: u32::from(kind) % 3,
                run_limit: self.some_time(input).map(|at| at - self.now),
                queue_deadline: self.some_time(input),
                deadline: self.some_time(input),
                items,
            },
            _ => Terms { items, ..Terms::default() },
        };
        Event::Submitted { call, terms }
    }

    fn some_time(&self, input: &mut Input<'_>) -> Option<Instant> {
        let choice = input.byte();
        (choice & 1 == 1).then(|| self.now + Duration::from_millis(u64::from(choice) * 20))
    }

    fn dies(&mut self, worker: WorkerId, choice: u8) -> Event {
        let held = self.workers.remove(&worker).unwrap_or_default();
        match (self.launching.remove(&worker), choice % 4) {
            (true, 0) => Event::LaunchFailed { worker },
            (true, 1) => Event::LaunchCutShort { worker },
            _ => Event::WorkerDied { worker, begun: begun(&held, choice) },
        }
    }

    fn time_passes(&mut self, pause: Duration) {
        self.now += pause;
        self.scheduler.handle_timeout(self.now);
        self.perform_all();
    }

    fn feed(&mut self, event: Event) {
        self.scheduler.handle(event, self.now);
        self.perform_all();
    }

    fn perform_all(&mut self) {
        while let Some(action) = self.scheduler.next_action() {
            match action {
                Action::Launch { worker } => {
                    assert!(!self.is_finished && self.launching.insert(worker), "a worker is launched once");
                    self.workers.insert(worker, Vec::new());
                }
                Action::Dispatch { call, attempt, worker } => {
                    assert!(self.open.contains_key(&call.slot) && !self.launching.contains(&worker));
                    let held = self.workers.get_mut(&worker).expect("whoever is given a call is alive");
                    held.push((call, attempt));
                }
                Action::Recall { worker } => {
                    let begun = self.workers.get(&worker).and_then(|held| begun(held, self.lies));
                    self.lies = self.lies.rotate_left(3);
                    self.scheduler.handle(Event::Recalled { worker, begun }, self.now);
                }
                Action::Deliver { call } | Action::Settle { call, .. } => {
                    assert!(self.open.remove(&call.slot).is_some(), "a call ends once");
                }
                Action::Finished => self.is_finished = true,
                Action::Stop { .. } | Action::Kill { .. } | Action::AskToEnd { .. } | Action::Warmed => {}
            }
        }
    }

    /// Whatever has happened, a forced shutdown ends it, also if no worker is ever seen to die.
    fn end(mut self) {
        self.feed(Event::ShutdownAsked { forced: true });
        for _ in 0..STEPS_MAX {
            let Some(at) = self.scheduler.next_timeout().filter(|_| !self.is_finished) else { break };
            self.time_passes(at.saturating_duration_since(self.now));
        }
        assert!(self.open.is_empty(), "calls without an end: {:?}", self.open);
        assert!(self.is_finished, "the shutdown does not come to an end");
    }
}

fn key(number: u32) -> CallKey {
    CallKey { id: CallId::from_raw(u64::from(number) + 1), slot: number }
}

/// What a worker says that it has begun: the truth, or something else that it holds, or nothing.
fn begun(held: &[(CallKey, Attempt)], choice: u8) -> Option<CallKey> {
    let place = usize::from(choice >> 2);
    held.get(place % (held.len() + 1)).map(|&(call, _)| call)
}
