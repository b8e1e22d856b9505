//! Outcomes on their way from the threads that complete them to the thread that sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::driver::{Outcome, OutcomeCell};
use crate::ids::CallId;
use crate::node::message::PoolId;
use crate::oneshot::{Cell, Watcher};
use crate::sync::Mutex;
use crate::sys::poll::Poller;

/// See the module.
#[derive(Debug)]
pub(super) struct Answers {
    news: Mutex<Vec<News>>,
    is_rung: AtomicBool,
    pub(super) poller: Poller,
}

/// What has happened.
#[derive(Debug)]
pub(super) enum News {
    Done(PoolId, CallId, Box<Outcome>),
    Warm(PoolId),
    Closed(PoolId),
}

impl Answers {
    pub(super) fn new(poller: Poller) -> Arc<Self> {
        Arc::new(Self { news: Mutex::default(), is_rung: AtomicBool::new(false), poller })
    }

    pub(super) fn add(&self, news: News) {
        self.news.lock().push(news);
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.poller.ring();
        }
    }

    /// What is new. Whoever brings more rings once more.
    pub(super) fn take(&self) -> Vec<News> {
        self.is_rung.store(false, Ordering::Release);
        std::mem::take(&mut *self.news.lock())
    }

    /// The outcome of the call comes here as soon as it is there.
    pub(super) fn await_outcome(self: &Arc<Self>, pool: PoolId, call: CallId, cell: Arc<OutcomeCell>) {
        let (answers, there) = (Arc::clone(self), Arc::clone(&cell));
        cell.watch(Watcher::Hook(Box::new(move || {
            if let Some(outcome) = there.take() {
                answers.add(News::Done(pool, call, outcome));
            }
        })));
    }

    /// It is told here when the workers are there.
    pub(super) fn await_warm(self: &Arc<Self>, pool: PoolId, cell: &Cell<()>) {
        let answers = Arc::clone(self);
        cell.watch(Watcher::Hook(Box::new(move || answers.add(News::Warm(pool)))));
    }
}
