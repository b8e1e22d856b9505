//! Takes back what lies ready in a worker and has not begun.
//!
//! Whether a call has begun only its worker knows, so taking back is a question with an answer: `Recall` asks, and
//! `Recalled` tells what had begun by then. That is final: the worker will skip the others, and they return to the
//! backlog at their old places, blameless. Nothing is dispatched in between, so that what comes back is sorted in
//! first.
//!
//! A recall is asked for when a call must not begin any more (it was given up, its time is over, its worker is to be
//! killed or has become surplus), when another one must begin before it (of a higher priority), and when somebody else
//! could begin it earlier: work stealing by the master, as a work-stealing deque does it by the thief (Blumofe and
//! Leiserson, 1999). How long that one waits first is up to `pace`.
//!
//! There are no storms. After a recall a worker may hold one call more than then for each answer that it gives; so no
//! more calls come back ahead than are answered, and no more recalls find something than there are answers.

use std::time::Instant;

use super::Scheduler;
use super::calls::Call;
use super::ending::Doom;
use super::event::{Action, Try};
use super::later;
use super::pace::WATCH;
use super::workers::{Seat, Worker};
use crate::ids::{CallKey, WorkerId};

impl Scheduler {
    /// Asks for what the worker has not begun.
    pub(super) fn recall(&mut self, seat: Seat) {
        let worker = self.workers.at(seat);
        if worker.is_ready() && !worker.is_recalling {
            self.actions.push_back(Action::Recall { worker: worker.id });
            self.workers.begin_recall(seat);
        }
    }

    /// Takes back all that lies ready anywhere. Walks over all workers; so much is taken back only once for each call
    /// of a higher priority, and for each resize.
    pub(super) fn recall_all(&mut self) {
        for seat in self.workers.seats(|worker| worker.ahead() > 0) {
            self.recall(seat);
        }
    }

    /// Takes back what lies ready behind calls that take longer than their workers' calls have taken. Returns whether
    /// that is anything. Walks over all workers, each time that one idles while calls lie ready elsewhere and others
    /// wait.
    pub(super) fn recall_late(&mut self, now: Instant) -> bool {
        let is_late = |worker: &Worker| worker.ahead() > 0 && worker.pace.is_late(worker.held.len(), now);
        let late = self.workers.seats(|worker| worker.is_ready() && is_late(worker));
        late.iter().for_each(|&seat| self.recall(seat));
        !late.is_empty()
    }

    /// Takes back what lies ready where most does.
    pub(super) fn recall_most(&mut self) {
        let loaded = self.workers.seats(|worker| worker.is_ready() && worker.ahead() > 0);
        if let Some(seat) = loaded.into_iter().max_by_key(|&seat| self.workers.at(seat).ahead()) {
            self.recall(seat);
        }
    }

    /// The answer to `Recall`.
    pub(super) fn recalled(&mut self, id: WorkerId, begun: Option<CallKey>, now: Instant) {
        let Some(seat) = self.workers.seat(id).filter(|&seat| self.workers.at(seat).is_recalling) else { return };
        let worker = self.workers.at(seat);
        let begun = worker.held.iter().position(|&held| begun == Some(held)).map_or(0, |place| place + 1);
        let is_stuck = begun == 0 && self.does_not_begin(worker, now);
        let is_news = begun > worker.started;
        let owed = self.items_of_first(seat, begun);
        for call in self.workers.take_back(seat, begun, owed) {
            self.came_back(call, id);
        }
        match begun.checked_sub(1) {
            Some(last) => self.has_begun(seat, last, is_news, now),
            None if is_stuck => self.kill(seat, now),
            None => self.go_on(seat, now),
        }
    }

    /// How many items the first `calls` have that the worker holds.
    fn items_of_first(&self, seat: Seat, calls: usize) -> u64 {
        self.workers.at(seat).held.iter().take(calls).map(|&call| u64::from(self.items_of(call))).sum()
    }

    /// The worker has taken care itself that nothing more of what it holds begins there: all of that goes back, and the
    /// worker leaves.
    pub(super) fn worn(&mut self, id: WorkerId, now: Instant) {
        let Some(seat) = self.workers.seat(id).filter(|&seat| self.workers.at(seat).is_ready()) else { return };
        for call in self.workers.take_back(seat, 0, 0) {
            self.came_back(call, id);
        }
        self.stop(seat, now);
    }

    /// Whether a worker that has begun none of its calls should have: it was given up on by a run limit, or has not
    /// moved for so long that it would be killed if it had been asked to leave.
    fn does_not_begin(&self, worker: &Worker, now: Instant) -> bool {
        let Some(&first) = worker.held.front() else { return false };
        let ran_too_long = self.calls.get(first).is_some_and(|call| call.doom() == Some(Doom::RanTooLong));
        ran_too_long || later(worker.pace.since(), self.rules.stop_grace) <= now
    }

    /// A call that had not begun is back. A run limit that came before it began counts as a death would: one that no
    /// worker keeps must come to an end.
    fn came_back(&mut self, key: CallKey, worker: WorkerId) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let tried = Try { worker, attempt: call.attempt() };
        call.extra_mut().attempt = tried.attempt.recalled();
        if call.doom() == Some(Doom::RanTooLong) && self.is_deadly(key) {
            return self.end(key, Doom::RanTooLong.once_begun(tried));
        }
        self.judge(key, false, tried);
    }

    /// The call at place `last` has begun, so those before it are done and their answers on the way: they are waited
    /// for, and a run limit that has come for one of them came too late. Only for the last one the worker may have to
    /// die.
    fn has_begun(&mut self, seat: Seat, last: usize, is_news: bool, now: Instant) {
        for place in 0..last {
            self.calls.await_answer(self.workers.at(seat).held[place]);
        }
        let begun = self.workers.at(seat).held[last];
        if self.calls.get(begun).and_then(Call::doom).is_some() {
            self.kill(seat, now);
        } else {
            if is_news {
                self.calls.start_clock(begun, now);
            }
            self.tell_if_asked(seat, begun);
        }
    }

    /// Looks whether calls that lie ready somewhere had better be taken back, if it is time to, or if somebody idles
    /// since the last look. Walks over all workers, but not again before `WATCH` is over while things stand like that.
    pub(super) fn watch(&mut self, now: Instant) {
        let look_at = self.workers.look_at();
        let is_uneven = self.workers.ahead() > 0 && self.idle_seat().is_some();
        let is_unwatched = is_uneven && look_at.is_none_or(|at| at > later(now, WATCH));
        if !is_unwatched && look_at.is_none_or(|at| at > now) {
            return;
        }
        let is_alone = self.workers.ready().min(self.sizing.target()) < 2;
        let due = self.workers.look(now, |worker| match is_uneven {
            true => Some(worker.pace.recall_for_idle(worker.held.len(), now)),
            false if is_alone => None,
            false => Some(worker.pace.recall_for_age(worker.held.len())),
        });
        due.into_iter().for_each(|seat| self.recall(seat));
    }
}
