//! After every step: does the scheduler stand where the ledger says, and has it done all that it had to?

use std::time::{Duration, Instant};

use super::super::Scheduler;
use super::ledger::{CallRecord, Ledger, Stage, WorkerRecord};

/// How many there are of each, by the ledger.
#[derive(Debug, Default)]
struct Stock {
    waiting: usize,
    launching: usize,
    ready: usize,
    idle: usize,
    /// Of those, the ones that have been so for longer than the idle timeout.
    stay: usize,
}

impl Ledger {
    /// `slack` is how late the scheduler may have been told the time.
    pub(super) fn audit(&mut self, scheduler: &Scheduler, now: Instant, slack: Duration) {
        let mut stock = Stock::default();
        self.audit_calls(now, &mut stock);
        self.audit_ahead();
        for &worker in &self.present {
            self.audit_worker(&self.workers[worker], now, slack, &mut stock);
        }
        assert!(stock.stay <= self.rules.min_workers, "{} workers have not left in time", stock.stay);
        self.stayed = self.stayed.max(stock.stay);
        self.compare(scheduler, &stock);
        self.audit_progress(scheduler, &stock);
    }

    fn audit_calls(&mut self, now: Instant, stock: &mut Stock) {
        let is_forced = self.is_forced();
        for &place in &self.open {
            let call = &mut self.calls[place];
            assert!(!call.is_answered, "an answer in hand is delivered at once: {call:?}");
            let must_end = is_forced || call.must_end(now);
            match call.holder.map(|worker| self.workers[worker].stage) {
                None => {
                    let may_wait = call.may_have_begun() || call.terms.queue_deadline.is_none_or(|at| now < at);
                    assert!(may_wait && !must_end && call.asked.is_none(), "a call that waits ends in time: {call:?}");
                    assert!(call.charged <= call.terms.retries, "a call is tried no more often than it may: {call:?}");
                    stock.waiting += 1;
                }
                // Its answer comes, or its worker is dead: nobody is killed for it.
                Some(Stage::Ready) if call.is_done => call.is_doomed |= must_end,
                Some(Stage::Ready) => {
                    assert!(call.asked.is_none() || call.is_told, "who runs and is asked to end is told: {call:?}");
                    assert!(!must_end || call.is_over_at_once(), "a call that must end costs its worker: {call:?}");
                }
                Some(Stage::Killed) => {
                    call.is_doomed |= is_forced || call.must_end_all_the_same(now);
                    call.ran_too_long |= call.is_overrun(now);
                }
                Some(stage) => panic!("a worker that is {stage:?} holds a call"),
            }
        }
    }

    fn audit_worker(&self, record: &WorkerRecord, now: Instant, slack: Duration, stock: &mut Stock) {
        assert!(!record.is_gone(), "it is gone");
        assert!(record.until.is_none_or(|until| now < until + slack), "a stage ends in time: {record:?}");
        stock.launching += usize::from(record.is_launching());
        if record.stage == Stage::Ready {
            assert!(!record.is_link_closed, "a worker that nobody can reach is killed");
            assert!(record.held.iter().all(|&call| self.is_open(call)), "nobody begins what has ended: {record:?}");
            let is_idle = record.held.is_empty();
            assert!(!is_idle || self.has_credit(record), "a worn worker is replaced: {record:?}");
            stock.ready += 1;
            stock.idle += usize::from(is_idle);
            let leave_at = self.rules.idle_timeout.map(|timeout| record.since + timeout + slack);
            stock.stay += usize::from(is_idle && leave_at.is_some_and(|at| at <= now));
        }
    }

    /// How many workers there may be.
    pub(super) fn size(&self) -> usize {
        if self.shutdown.is_none() { self.target + self.rules.spares } else { self.target }
    }

    /// Workers that serve and hold calls.
    pub(super) fn busy(&self) -> usize {
        let is_busy = |worker: &WorkerRecord| worker.stage == Stage::Ready && !worker.held.is_empty();
        self.present.iter().filter(|&&worker| is_busy(&self.workers[worker])).count()
    }

    fn compare(&self, scheduler: &Scheduler, stock: &Stock) {
        assert_eq!(scheduler.queued(), self.queued());
        assert_eq!(scheduler.live(), stock.launching + stock.ready);
        assert_eq!(scheduler.idle(), stock.idle);
        assert_eq!(scheduler.target(), self.target);
        assert_eq!(scheduler.is_shutting_down(), self.shutdown.is_some());
        assert_eq!(scheduler.is_finished(), self.is_finished);
    }

    /// Nothing is left undone that could be done, and whatever is left will be.
    fn audit_progress(&self, scheduler: &Scheduler, stock: &Stock) {
        let &Stock { waiting, launching, ready, idle, .. } = stock;
        let (live, busy) = (launching + ready, ready - idle);
        assert!(waiting == 0 || idle == 0 || busy >= self.target, "a call waits while a worker idles");
        assert!(live <= self.size() || idle == 0, "a surplus worker idles");
        let is_timed = scheduler.next_timeout().is_some();
        let is_served = self.queued() <= launching || live >= self.target;
        assert!(is_served || is_timed || launching > 0, "a worker is missing, and nobody cares");
        assert!(!self.is_finished || !is_timed, "nothing is to come after `Finished`");
        let lies_ready = self.queued() > waiting;
        assert!(
            !lies_ready || ready.min(self.target) < 2 || is_timed,
            "a call lies ready, and nobody will look whether it begins"
        );
        let is_quiet = !is_timed && launching == 0 && idle == ready;
        assert!(!is_quiet || (waiting == 0 && !self.warm_up_asked), "all is quiet, and something waits");
        let is_over = self.shutdown.is_some() && self.open.is_empty();
        assert!(!is_over || live == 0, "workers live on after all calls have ended in a shutdown");
        assert!(!is_over || !self.present.is_empty() || self.is_finished, "`Finished` is told at once");
    }
}

impl CallRecord {
    /// Its run limit is zero: it comes with the dispatch, and is noticed only afterwards.
    pub(super) fn is_over_at_once(&self) -> bool {
        self.terms.run_limit.is_some_and(|limit| limit.is_zero())
    }
}
