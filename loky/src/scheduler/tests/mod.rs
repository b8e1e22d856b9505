//! The rules of the scheduler, one short story each: what is told, and what is wanted then.

mod asked;
mod blame;
mod efficiency;
mod ending;
mod life;
mod memory;
mod prefetch;
mod queue;
mod shutdown;
mod sizing;
mod spares;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::{Action, Event, Rules, Scheduler, Terms, Try, Why};
use crate::ids::{Attempt, CallId, CallKey, WorkerId};

const SECOND: Duration = Duration::from_secs(1);

const RULES: Rules = Rules {
    target: 2,
    spares: 0,
    idle_timeout: None,
    min_workers: 0,
    calls_per_worker_max: None,
    credit: 1,
    hello_limit: Duration::from_secs(30),
    launch_failures_max: 3,
    launch_pause: Duration::from_secs(10),
    stop_grace: Duration::from_secs(2),
    kill_grace: Duration::from_secs(5),
};

const PLAIN: Terms = Terms { priority: 0, retries: 0, run_limit: None, queue_deadline: None, deadline: None, items: 1 };

/// A scheduler with a clock that only the story moves.
struct Story {
    scheduler: Scheduler,
    now: Instant,
    /// What each worker was given and has neither answered nor had taken back. It begins the first of it at once,
    held: BTreeMap<WorkerId, VecDeque<CallKey>>,
    /// unless the story says how many it has begun.
    begun: Option<usize>,
}

impl Story {
    fn of(rules: Rules) -> Self {
        Self { scheduler: Scheduler::new(rules), now: Instant::now(), held: BTreeMap::new(), begun: None }
    }

    /// One worker, ready and idle.
    fn of_one_worker(rules: Rules) -> Self {
        let mut story = Self::of(Rules { target: 1, ..rules });
        assert_eq!(story.tell(Event::WarmUpAsked), [launch(0)]);
        assert_eq!(story.is_ready(0), [Action::Warmed]);
        story
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.scheduler.handle(event, self.now);
        self.wanted()
    }

    fn submit(&mut self, id: u64, terms: Terms) -> Vec<Action> {
        self.tell(Event::Submitted { call: call(id), terms })
    }

    fn cancel(&mut self, id: u64) -> Vec<Action> {
        self.tell(Event::Cancelled { call: call(id) })
    }

    fn is_ready(&mut self, worker: u64) -> Vec<Action> {
        self.tell(Event::WorkerReady { worker: WorkerId(worker) })
    }

    fn returns(&mut self, worker: u64, id: u64) -> Vec<Action> {
        self.returns_again(worker, id, Attempt::FIRST)
    }

    fn returns_again(&mut self, worker: u64, id: u64, attempt: Attempt) -> Vec<Action> {
        if let Some(held) = self.held.get_mut(&WorkerId(worker)) {
            held.retain(|&held| held != call(id));
        }
        self.tell(Event::Returned { worker: WorkerId(worker), call: call(id), attempt })
    }

    fn dies(&mut self, worker: u64, begun: Option<u64>) -> Vec<Action> {
        self.tell(Event::WorkerDied { worker: WorkerId(worker), begun: begun.map(call) })
    }

    fn is_resized(&mut self, target: usize) -> Vec<Action> {
        self.tell(Event::Resized { target })
    }

    fn is_shut_down(&mut self, forced: bool) -> Vec<Action> {
        self.tell(Event::ShutdownAsked { forced })
    }

    /// Time passes, and every timer is served when it comes.
    fn wait(&mut self, wait: Duration) -> Vec<Action> {
        let until = self.now + wait;
        let mut wanted = Vec::new();
        while let Some(at) = self.scheduler.next_timeout().filter(|&at| at <= until) {
            self.now = at;
            self.scheduler.handle_timeout(at);
            wanted.extend(self.wanted());
        }
        self.now = until;
        wanted
    }

    /// From now on each worker has begun so many of the calls that it holds, whenever it is asked, and no more.
    fn has_begun(&mut self, calls: usize) {
        self.begun = Some(calls);
    }

    /// What is wanted done; recalls are answered at once.
    fn wanted(&mut self) -> Vec<Action> {
        let mut wanted = Vec::new();
        while let Some(action) = self.scheduler.next_action() {
            self.perform(&action);
            wanted.push(action);
            assert!(wanted.len() < 1000, "one thing leads to the next without end");
        }
        self.scheduler.check();
        wanted
    }

    fn perform(&mut self, action: &Action) {
        match *action {
            Action::Dispatch { call, worker, .. } => self.held.entry(worker).or_default().push_back(call),
            Action::Recall { worker } => {
                let held = self.held.entry(worker).or_default();
                held.truncate(self.begun.unwrap_or(1));
                let begun = held.back().copied();
                self.scheduler.handle(Event::Recalled { worker, begun }, self.now);
            }
            _ => {}
        }
    }
}

const fn call(id: u64) -> CallKey {
    CallKey { id: CallId::from_raw(id), slot: id as u32 }
}

const fn launch(worker: u64) -> Action {
    Action::Launch { worker: WorkerId(worker) }
}

const fn dispatch(id: u64, worker: u64) -> Action {
    Action::Dispatch { call: call(id), attempt: Attempt::FIRST, worker: WorkerId(worker) }
}

const fn dispatch_again(id: u64, worker: u64) -> Action {
    Action::Dispatch { call: call(id), attempt: Attempt::FIRST.next(), worker: WorkerId(worker) }
}

/// Of a call that was taken back once.
const fn dispatch_back(id: u64, worker: u64) -> Action {
    Action::Dispatch { call: call(id), attempt: Attempt::FIRST.recalled(), worker: WorkerId(worker) }
}

const fn deliver(id: u64) -> Action {
    Action::Deliver { call: call(id) }
}

const fn settle(id: u64, why: Why) -> Action {
    Action::Settle { call: call(id), why }
}

const fn recall(worker: u64) -> Action {
    Action::Recall { worker: WorkerId(worker) }
}

const fn stop(worker: u64) -> Action {
    Action::Stop { worker: WorkerId(worker) }
}

const fn kill(worker: u64) -> Action {
    Action::Kill { worker: WorkerId(worker) }
}

/// The first try of a call, on this worker.
const fn on(worker: u64) -> Try {
    Try { worker: WorkerId(worker), attempt: Attempt::FIRST }
}
