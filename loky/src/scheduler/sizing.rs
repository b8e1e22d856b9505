//! How many workers there shall be: on demand up to the target, fewer when they are idle or surplus.
//!
//! Launches that fail are counted. After a few in a row no further one is tried for a while, nor before it is known
//! what became of those under way; if no worker is left then that could serve, the backlog is settled. So a program
//! whose workers cannot start ends in an error, never in a storm of processes. For the same reason a warm-up asks for
//! each worker once: if workers leave or die as fast as others start, it is over all the same.
//!
//! Workers that are idle for long leave, but for as many as shall stay. Those are not started before there is work for
//! them, and never replaced for their own sake: to stay is all that is asked of them.
//!
//! Spares are started when calls come, and replaced as they become busy. They are not worth a storm either: when a
//! worker leaves or dies although it had nothing to do, or launches fail, the pool is at rest, and has no spares
//! started until the next call comes.

use std::time::Instant;

use super::event::{Action, Why};
use super::workers::Worker;
use super::{Rules, Scheduler, later};

/// The size that is wanted, and how launching goes.
#[derive(Debug)]
pub(super) struct Sizing {
    target: usize,
    spares: usize,
    /// Whether a call has come since the last sign that spares are in vain.
    is_awake: bool,
    /// How many workers the warm-up under way may still ask for.
    warm_up: Option<usize>,
    failures: u32,
    /// Launches that somebody outside has cut short, since the last one that succeeded.
    cut_short: u32,
    retry_at: Option<Instant>,
}

/// So many launches that were cut short weigh as much as one that failed by itself.
const CUT_SHORT_PER_FAILURE: u32 = 32;

impl Sizing {
    pub(super) fn new(target: usize, spares: usize) -> Self {
        Self {
            target: target.max(1),
            spares,
            is_awake: false,
            warm_up: None,
            failures: 0,
            cut_short: 0,
            retry_at: None,
        }
    }

    pub(super) fn target(&self) -> usize {
        self.target
    }

    /// How many workers there may be, spares included.
    pub(super) fn size(&self) -> usize {
        self.target.saturating_add(self.spares)
    }

    /// A call has come: spares are worth their start.
    pub(super) fn wake(&mut self) {
        self.is_awake = true;
    }

    /// No spares are started until the next call.
    pub(super) fn rest(&mut self) {
        self.is_awake = false;
    }

    pub(super) fn resize(&mut self, target: usize) {
        self.target = target.max(1);
        if self.warm_up.is_some() {
            self.ask_warm_up();
        }
    }

    pub(super) fn ask_warm_up(&mut self) {
        self.warm_up = Some(self.size());
    }

    pub(super) fn launched(&mut self) {
        self.warm_up = self.warm_up.map(|left| left.saturating_sub(1));
    }

    /// Launching works, or shall be given another chance.
    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
        self.cut_short = 0;
        self.retry_at = None;
    }

    pub(super) fn launch_cut_short(&mut self, now: Instant, rules: &Rules) {
        self.cut_short += 1;
        if self.cut_short % CUT_SHORT_PER_FAILURE == 0 {
            return self.launch_failed(now, rules);
        }
        self.warm_up = self.warm_up.map(|left| left + 1);
    }

    pub(super) fn launch_failed(&mut self, now: Instant, rules: &Rules) {
        self.warm_up = self.warm_up.map(|left| left + 1);
        self.failures = self.failures.saturating_add(1);
        if self.failures >= rules.launch_failures_max {
            self.retry_at = Some(later(now, rules.launch_pause));
            self.rest();
        }
    }
}

impl Scheduler {
    /// Stops idle workers beyond the size; in a shutdown the spares, and all of them, once no call is left. A surplus
    /// worker goes, or becomes a spare, when it has ended the call that it runs.
    pub(super) fn retire_surplus(&mut self, now: Instant) {
        let is_over = self.shutdown.is_some() && self.calls.is_empty();
        let wanted = if is_over { 0 } else { self.size() };
        while self.workers.live() > wanted {
            let Some(seat) = self.workers.idle_first_freed() else { break };
            self.stop(seat, now);
        }
        if self.has_surplus() && self.workers.ahead() > 0 {
            self.recall_all();
        }
        if is_over && self.workers.launching() > 0 {
            for seat in self.workers.seats(Worker::is_launching) {
                self.kill(seat, now);
            }
        }
    }

    /// How many workers there may be for now: in a shutdown without spares.
    fn size(&self) -> usize {
        if self.shutdown.is_none() { self.sizing.size() } else { self.sizing.target }
    }

    /// Whether a worker that has been without calls for long is one of those that stay.
    pub(super) fn may_stay(&self) -> bool {
        self.shutdown.is_none() && self.workers.ready() <= self.rules.min_workers
    }

    /// Whether there are more workers than there may be, or more of them are busy than shall be.
    pub(super) fn has_surplus(&self) -> bool {
        self.workers.live() > self.size() || self.workers.busy() > self.sizing.target
    }

    pub(super) fn launch_missing(&mut self, now: Instant) {
        if self.retry_at().is_some_and(|at| at <= now) {
            self.sizing.forget_failures();
        }
        while self.wants_launch() && self.sizing.retry_at.is_none() {
            let worker = self.workers.add(later(now, self.rules.hello_limit), now);
            self.sizing.launched();
            self.actions.push_back(Action::Launch { worker });
        }
        self.give_up_launching();
        self.finish_warm_up();
    }

    /// When launching is tried again, if it is wanted and too many launches have failed.
    ///
    /// Launches under way are awaited first. Else, where a pause is shorter than a launch, there would always be one
    /// that has not failed yet, and the backlog would wait for ever.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.sizing.retry_at.filter(|_| self.wants_launch() && self.workers.launching() == 0)
    }

    /// Whether work, a spare or a warm-up asks for one more worker than there is. A call that lies ready behind
    /// another asks, too, even if somebody idles: that one may not be given it.
    fn wants_launch(&self) -> bool {
        let (ready, busy, queued) = (self.workers.ready(), self.workers.busy(), self.queued());
        let needed = |workers: usize| workers.saturating_add(queued).min(self.sizing.target);
        let is_open = self.shutdown.is_none();
        let spares = if is_open && self.sizing.is_awake { self.sizing.spares } else { 0 };
        let is_cold = is_open && self.sizing.warm_up.is_some_and(|left| left > 0);
        let wanted = if is_cold { self.sizing.size() } else { needed(busy).saturating_add(spares).max(needed(ready)) };
        self.workers.live() < wanted
    }

    /// Settles the backlog if nobody can serve it and nobody will soon.
    fn give_up_launching(&mut self) {
        if self.sizing.retry_at.is_none() || self.workers.live() > 0 {
            return;
        }
        while let Some((call, last_try)) = self.calls.remove_waiting() {
            self.settle(call, Why::CannotLaunch(last_try));
        }
    }

    fn finish_warm_up(&mut self) {
        let Some(left) = self.sizing.warm_up else { return };
        let is_exhausted = (left == 0 || self.sizing.retry_at.is_some()) && self.workers.launching() == 0;
        if is_exhausted || self.shutdown.is_some() || self.workers.ready() >= self.sizing.size() {
            self.sizing.warm_up = None;
            self.actions.push_back(Action::Warmed);
        }
    }
}
