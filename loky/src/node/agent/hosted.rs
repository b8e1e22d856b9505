//! One pool of the program elsewhere, as far as it is here: an ordinary driver, and which calls it has.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::answers::{Answers, News};
use crate::driver::{Driver, Order, Outcome, OutcomeCell};
use crate::error::{Error, ErrorKind};
use crate::ids::{CallId, CallKey};
use crate::node::message::{Answer, PoolId, Wish};
use crate::node::pieces::Part;

/// See the module.
#[derive(Debug)]
pub(super) struct Hosted {
    id: PoolId,
    driver: Arc<Driver>,
    calls: HashMap<CallId, Held>,
    answers: Arc<Answers>,
    is_closing: bool,
}

/// A call that is here.
#[derive(Debug)]
struct Held {
    attempt: u32,
    key: CallKey,
    /// Whether it is wanted elsewhere, if it has not begun, and nobody has given it up.
    is_wanted_back: bool,
}

impl Hosted {
    pub(super) fn new(id: PoolId, driver: Arc<Driver>, answers: Arc<Answers>) -> Self {
        Self { id, driver, calls: HashMap::new(), answers, is_closing: false }
    }

    /// Runs a call, unless there is a reason against it.
    pub(super) fn run(&mut self, call: CallId, attempt: u32, order: Result<Order, Error>) {
        let cell = Arc::new(OutcomeCell::new());
        let submit = |order| self.driver.submit(&mut Some(order), Some(&cell), false);
        let submitted = order.and_then(|order| submit(order).expect("only a limit that is heeded refuses an order"));
        let key = match submitted {
            Ok(key) => key,
            Err(why) => {
                cell.complete(Box::new(Outcome::failed(why)));
                CallKey::nowhere()
            }
        };
        self.calls.insert(call, Held { attempt, key, is_wanted_back: false });
        self.answers.await_outcome(self.id, call, cell);
    }

    /// Does anything else that is wanted, in a pool that is here.
    pub(super) fn grant(&mut self, wish: &Wish) {
        match *wish {
            Wish::Cancel(call) => {
                if let Some(held) = self.calls.get_mut(&call) {
                    held.is_wanted_back = false;
                    self.driver.cancel(held.key);
                }
            }
            Wish::AskToEnd(call, grace) => {
                if let Some(held) = self.calls.get_mut(&call) {
                    held.is_wanted_back = false;
                    self.driver.ask_to_end(held.key, grace);
                }
            }
            Wish::Recall(call) => {
                if let Some(held) = self.calls.get_mut(&call) {
                    held.is_wanted_back = true;
                    self.driver.take_back(held.key);
                }
            }
            Wish::Resize(workers) => self.driver.resize(workers),
            Wish::WarmUp => match self.driver.warm_up() {
                Ok(cell) => self.answers.await_warm(self.id, &cell),
                Err(_) => self.answers.add(News::Warm(self.id)),
            },
            Wish::Close { is_forced } => self.close(is_forced),
            Wish::Open(_) | Wish::Run { .. } | Wish::Give(_) | Wish::Forget(_) => {}
        }
    }

    /// Whether it has no calls.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Gives back all that has not begun.
    pub(super) fn give_back(&mut self) {
        for held in self.calls.values_mut() {
            held.is_wanted_back = true;
            self.driver.take_back(held.key);
        }
    }

    /// The pool ends here; that it has is told when nothing of it is left.
    fn close(&mut self, is_forced: bool) {
        self.driver.ask_shutdown(is_forced);
        if std::mem::replace(&mut self.is_closing, true) {
            return;
        }
        let (driver, answers, id) = (Arc::clone(&self.driver), Arc::clone(&self.answers), self.id);
        let wait = move || {
            driver.wait_finished(None);
            answers.add(News::Closed(id));
        };
        if thread::Builder::new().name("loky-close".into()).spawn(wait).is_err() {
            // It ends all the same; and with the link at the latest, the other side knows that it has.
            self.driver.ask_shutdown(true);
        }
    }

    /// What is to be said of a call whose outcome is there, and the bytes that follow.
    pub(super) fn answer(&mut self, call: CallId, outcome: Outcome, host: &str) -> Option<(Answer, Vec<Part>)> {
        let Held { attempt, is_wanted_back, .. } = self.calls.remove(&call)?;
        let is_cancelled = outcome.end.as_ref().is_some_and(|end| end.kind() == ErrorKind::Cancelled);
        // Nobody has given it up: it ended because it was wanted back, and has not begun.
        if is_wanted_back && is_cancelled {
            return Some((Answer::GivenBack { call, attempt }, Vec::new()));
        }
        let (outcome, bytes, enclosed) = outcome.said(host);
        let follow = [Part::Payload(bytes)].into_iter().chain(enclosed.into_iter().map(Part::Segment));
        Some((Answer::Done { call, attempt, outcome }, follow.collect()))
    }

    /// Ends everything at once.
    pub(super) fn kill(&self) {
        self.driver.ask_shutdown(true);
    }

    /// Waits until nothing of it is left, at the longest for `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        self.driver.wait_finished(Instant::now().checked_add(limit));
    }
}
