//! Looks after what has agents come: has lost ones started again, says the one line of the start, and ends with the program.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::boot::Starter;
use crate::node::lease::Moment;

/// For the hub's thread.
#[derive(Debug)]
pub(super) struct Starts {
    starter: Starter,
    /// How many agents will come at least.
    expected: usize,
    next_at: Moment,
    /// When to say what there is, even if more was expected.
    say_by: Moment,
    has_said: bool,
    /// Why nobody will come any more, once that was said.
    hopeless: Option<String>,
}

/// How often it is looked who is there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long the line of the start waits for all agents.
const SAY_BY: Duration = Duration::from_secs(10);

impl Starts {
    pub(super) fn new(starter: Starter, expected: usize, now: Moment) -> Self {
        let (next_at, say_by) = (now + LOOK_EVERY, now + SAY_BY);
        Self { starter, expected, next_at, say_by, has_said: false, hopeless: None }
    }

    pub(super) const fn next_at(&self) -> Moment {
        self.next_at
    }

    /// Whether somebody else has the place of whoever wants to be the agent of this number.
    pub(super) fn is_taken(&self, number: u32, here: &[(u32, usize)]) -> bool {
        self.starter.numbers_agents() && here.iter().any(|(other, _)| *other == number)
    }

    /// An agent has come or gone: who has come must have been seen, so that its loss is.
    pub(super) const fn notice(&mut self) {
        self.next_at = Moment::ZERO;
    }

    /// `here` gives the agents, with their numbers and how many processors they have.
    pub(super) fn keep_time(&mut self, now: Moment, here: impl FnOnce() -> Vec<(u32, usize)>) {
        if now < self.next_at {
            return;
        }
        self.next_at = now + LOOK_EVERY;
        let here = here();
        let is_complete = self.expected > 0 && here.len() >= self.expected;
        if !self.has_said && (is_complete || now >= self.say_by && !here.is_empty()) {
            self.has_said = true;
            eprintln!("{}", self.starter.headline(here.len(), here.iter().map(|(_, cpus)| cpus).sum()));
        }
        let numbers: Vec<u32> = here.iter().map(|(number, _)| *number).collect();
        let tended = self.starter.tend(&numbers, Instant::now());
        if let (Err(why), None) = (&tended, &self.hopeless) {
            eprintln!("loky: {why}");
        }
        self.hopeless = tended.err();
    }
}

/// How whoever ends the program and the hub's thread part.
#[derive(Debug, Default)]
pub(super) struct Parting {
    state: Mutex<Parts>,
    has_changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Parts {
    #[default]
    Together,
    Asked,
    Parted,
}

impl Parting {
    pub(super) fn is_asked(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) == Parts::Asked
    }

    pub(super) fn ask(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Parts::Asked;
    }

    pub(super) fn part(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Parts::Parted;
        self.has_changed.notify_all();
    }

    /// Waits until the thread has done its part.
    pub(super) fn wait(&self, limit: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |state: &mut Parts| *state != Parts::Parted;
        drop(self.has_changed.wait_timeout_while(state, limit, is_open));
    }
}
