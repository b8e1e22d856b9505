//! Facts as metrics of the `metrics` facade, for whatever recorder the program has installed. The names are promised, and
//! listed in `docs/observability.md`.
//!
//! A recorder is foreign code, so nobody holds a lock here, and what it throws is its own affair.

use metrics::{SharedString, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::fact::{Ended, Fact, Sample};

/// The metrics of one pool.
#[derive(Debug)]
pub(crate) struct Metrics {
    pool: SharedString,
    /// What was told so far.
    sent: u64,
    received: u64,
}

impl Metrics {
    pub(crate) fn new(pool: &str) -> Self {
        describe();
        Self { pool: SharedString::from_shared(pool.into()), sent: 0, received: 0 }
    }

    pub(crate) fn tell(&mut self, fact: &Fact) {
        let pool = self.pool.clone();
        match fact {
            Fact::Launched { .. } => counter!("loky_worker_launches_total", "pool" => pool).increment(1),
            Fact::Ready { at, since, .. } => {
                histogram!("loky_worker_start_up_seconds", "pool" => pool).record(seconds(at.saturating_sub(*since)));
            }
            Fact::Died { cause, .. } => {
                counter!("loky_worker_deaths_total", "pool" => pool, "cause" => cause.name()).increment(1);
            }
            Fact::Ended(ended) => self.tell_end(ended),
            Fact::Sample { sample, .. } => self.tell_sample(*sample),
            Fact::Lost { count, .. } => counter!("loky_facts_lost_total", "pool" => pool).increment(*count),
        }
    }

    /// The pool has ended, and has nothing any more.
    pub(crate) fn end(&mut self) {
        self.tell_sample(Sample { sent: self.sent, received: self.received, ..Sample::default() });
    }

    fn tell_end(&self, ended: &Ended) {
        let (pool, task) = (&self.pool, ended.task);
        if ended.is_last() {
            let outcome = ended.ending.name();
            counter!("loky_calls_total", "pool" => pool.clone(), "task" => task, "outcome" => outcome).increment(1);
        }
        if let Some(run) = ended.run {
            let [queued, ran] = run.spans().map(seconds);
            histogram!("loky_call_queue_seconds", "pool" => pool.clone(), "task" => task).record(queued);
            histogram!("loky_call_run_seconds", "pool" => pool.clone(), "task" => task).record(ran);
        }
    }

    fn tell_sample(&mut self, sample: Sample) {
        let pool = &self.pool;
        gauge!("loky_calls_queued", "pool" => pool.clone()).set(sample.queued as f64);
        gauge!("loky_calls_running", "pool" => pool.clone()).set(sample.running as f64);
        gauge!("loky_workers", "pool" => pool.clone()).set(sample.live as f64);
        gauge!("loky_workers_idle", "pool" => pool.clone()).set(sample.idle as f64);
        counter!("loky_sent_bytes_total", "pool" => pool.clone()).increment(sample.sent.saturating_sub(self.sent));
        counter!("loky_received_bytes_total", "pool" => pool.clone())
            .increment(sample.received.saturating_sub(self.received));
        (self.sent, self.received) = (sample.sent, sample.received);
    }
}

fn describe() {
    describe_counter!("loky_calls_total", "Calls that have ended, by their outcome");
    describe_histogram!("loky_call_queue_seconds", Unit::Seconds, "How long tries of calls have waited for a worker");
    describe_histogram!("loky_call_run_seconds", Unit::Seconds, "How long tries of calls have run");
    describe_gauge!("loky_calls_queued", "Calls that wait for a worker");
    describe_gauge!("loky_calls_running", "Calls that a worker holds");
    describe_gauge!("loky_workers", "Workers that serve or are being started");
    describe_gauge!("loky_workers_idle", "Workers that serve and have nothing to do");
    describe_counter!("loky_worker_launches_total", "Worker processes started, or tried to");
    describe_counter!("loky_worker_deaths_total", "Worker processes that have ended, by their cause");
    describe_histogram!(
        "loky_worker_start_up_seconds",
        Unit::Seconds,
        "From the launch of a worker until it was ready"
    );
    describe_counter!("loky_sent_bytes_total", Unit::Bytes, "Bytes sent to workers");
    describe_counter!("loky_received_bytes_total", Unit::Bytes, "Bytes that have come from workers");
    describe_counter!("loky_facts_lost_total", "Facts that came faster than they could be told, missing above");
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
