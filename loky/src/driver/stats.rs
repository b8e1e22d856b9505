//! Gathers the numbers of a pool.

use std::sync::Arc;

use super::Driver;
use super::inner::{Inner, Worker};
use crate::observe::{PoolStats, WorkerStats};
use crate::supervisor::Process;
use crate::supervisor::vitals::Vitals;

impl Driver {
    /// All zero in a forked child.
    pub(crate) fn stats(&self) -> PoolStats {
        if self.is_foreign() {
            return PoolStats::default();
        }
        self.catch_up();
        let (mut stats, processes) = {
            let inner = self.inner.lock();
            (inner.stats(), inner.processes())
        };
        // Outside the lock: the kernel may take its time.
        for (worker, process) in stats.workers.iter_mut().zip(processes) {
            let vitals = Vitals::of(worker.pid);
            // If it lives now, its number was its own.
            if process.exit().is_none() {
                (worker.memory, worker.memory_peak) = (vitals.memory, vitals.memory_peak);
                worker.cpu_time = vitals.cpu_time;
            }
        }
        stats
    }
}

impl Inner {
    fn stats(&self) -> PoolStats {
        let queued = self.scheduler.queued();
        let workers: Vec<_> = self.with_process().iter().filter_map(|worker| self.stats_of(worker)).collect();
        let [bytes_sent, bytes_received] = self.traffic();
        PoolStats {
            name: self.settings.name.clone(),
            target: self.scheduler.target(),
            live: self.scheduler.live(),
            idle: self.scheduler.idle(),
            pids: workers.iter().map(|worker| worker.pid).collect(),
            queued,
            oldest_queued: self.oldest_queued(queued),
            running: self.calls.len().saturating_sub(queued),
            submitted: self.counters.submitted,
            succeeded: self.counters.succeeded,
            failed: self.counters.failed,
            launches: self.counters.launches,
            deaths: self.counters.deaths,
            deaths_by_cause: self.counters.deaths_by_cause,
            bytes_sent,
            bytes_received,
            workers,
            tasks: self.record.as_ref().map(|record| record.tasks()).unwrap_or_default(),
        }
    }

    /// Bytes sent and received, by those that are there and those that were.
    pub(super) fn traffic(&self) -> [u64; 2] {
        let bodies = self.workers.values().filter_map(|worker| worker.body.as_ref());
        bodies
            .map(|body| body.link.traffic())
            .fold([self.counters.bytes_sent, self.counters.bytes_received], |[sent, received], traffic| {
                [sent + traffic.sent, received + traffic.received]
            })
    }

    fn processes(&self) -> Vec<Arc<Process>> {
        let bodies = self.with_process().into_iter().filter_map(|worker| worker.body.as_ref());
        bodies.map(|body| Arc::clone(&body.process)).collect()
    }

    /// In the order of their index.
    fn with_process(&self) -> Vec<&Worker> {
        let mut workers: Vec<_> = self.workers.values().filter(|worker| worker.body.is_some()).collect();
        workers.sort_by_key(|worker| worker.index);
        workers
    }

    fn stats_of(&self, worker: &Worker) -> Option<WorkerStats> {
        let (body, spans) = (worker.body.as_ref()?, worker.past.spans());
        let is_timed = self.record.is_some();
        Some(WorkerStats {
            index: worker.index,
            pid: body.process.pid,
            calls: body.given.served(),
            start_up: spans.start_up,
            busy: is_timed.then_some(spans.busy),
            idle: is_timed.then_some(spans.idle),
            age: spans.age,
            ..WorkerStats::default()
        })
    }

    /// Looks at all calls, if any of them waits: in whatever order they have come, urgent ones go first.
    fn oldest_queued(&self, queued: usize) -> Option<std::time::Duration> {
        let record = self.record.as_ref().filter(|_| queued > 0)?;
        let waiting = self.calls.open().into_iter().filter(|&call| self.scheduler.has_started(call) == Some(false));
        record.waited(waiting.min()?)
    }
}
