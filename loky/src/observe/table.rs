//! The numbers of a pool as a table of 80 columns.

use std::fmt;
use std::time::Duration;

use super::stats::{Latency, PoolStats, TaskStats, WorkerStats};
use crate::text::{duration, memory_in_short};

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, target, live, idle, queued, running, submitted, succeeded, failed, launches, deaths, .. } =
            self;
        let oldest = self.oldest_queued.map(|age| format!(" (the oldest for {})", duration(age))).unwrap_or_default();
        writeln!(
            f,
            "{name}: {live} of {target} workers, {idle} idle; {launches} launched, {deaths} ended{}",
            causes(self)
        )?;
        write!(f, "calls: {submitted} spawned, {queued} queued{oldest}, {running} running, ")?;
        writeln!(f, "{succeeded} succeeded, {failed} failed")?;
        write!(
            f,
            "bytes: {} sent, {} received",
            memory_in_short(self.bytes_sent),
            memory_in_short(self.bytes_received)
        )?;
        if !self.workers.is_empty() {
            write!(f, "\n\nworker      pid    calls start-up     busy     idle     cpu   memory     peak")?;
            self.workers.iter().try_for_each(|worker| write!(f, "\n{}", line(worker)))?;
        }
        if !self.tasks.is_empty() {
            write!(f, "\n\ntask                       calls              p50      p90      p99      max")?;
            self.tasks.iter().try_for_each(|task| write!(f, "\n{}", lines(task)))?;
        }
        Ok(())
    }
}

/// " (2 crash, 1 idle)".
fn causes(stats: &PoolStats) -> String {
    let each = stats.deaths_by_cause.each().into_iter().filter(|&(_, count)| count > 0);
    let told: Vec<_> = each.map(|(name, count)| format!("{count} {name}")).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

fn line(worker: &WorkerStats) -> String {
    let WorkerStats { index, pid, calls, .. } = worker;
    let [start_up, busy, idle] = [worker.start_up, worker.busy, worker.idle].map(optional);
    let [memory, peak] = [worker.memory, worker.memory_peak].map(memory_in_short);
    let cpu = format!("{}.{:02}", worker.cpu_time.as_secs(), worker.cpu_time.subsec_millis() / 10);
    format!("{index:>6} {pid:>8} {calls:>8} {start_up:>8} {busy:>8} {idle:>8} {cpu:>5} s {memory:>8} {peak:>8}")
}

fn optional(span: Option<Duration>) -> String {
    span.map_or_else(|| "-".to_string(), duration)
}

fn lines(task: &TaskStats) -> String {
    let name = shortened(&task.task, NAME_WIDTH);
    let [queue, run] = [task.queue, task.run].map(columns);
    format!("{name:<NAME_WIDTH$} {:>7} queued {queue}\n{:<NAME_WIDTH$} {:>7}    ran {run}", task.run.count, "", "")
}

fn columns(latency: Latency) -> String {
    let [p50, p90, p99, max] = [latency.p50, latency.p90, latency.p99, latency.max].map(duration);
    format!("{p50:>8} {p90:>8} {p99:>8} {max:>8}")
}

/// The end of it, where the function is named.
fn shortened(name: &str, width: usize) -> String {
    match name.char_indices().rev().nth(width - 1) {
        Some((at, first)) if at > 0 => format!("…{}", &name[at + first.len_utf8()..]),
        _ => name.to_string(),
    }
}

const NAME_WIDTH: usize = 24;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::stats::{Cause, DeathCauses};
    use super::*;

    fn stats() -> PoolStats {
        let span = Duration::from_micros;
        let latency = Latency { count: 1204, p50: span(12), p90: span(345), p99: span(6780), max: span(1_230_000) };
        let mut causes = DeathCauses::default();
        [Cause::Crash, Cause::Idle, Cause::Crash].into_iter().for_each(|cause| causes.count(cause));
        let worker = WorkerStats {
            pid: 4_194_303,
            calls: 602,
            start_up: Some(span(1234)),
            memory: 12 << 20,
            memory_peak: 20 << 20,
            cpu_time: Duration::from_millis(12_345),
            ..WorkerStats::default()
        };
        let task = TaskStats { task: "thumbnails::images::resize".into(), items: 1204, queue: latency, run: latency };
        PoolStats {
            name: "pool".into(),
            target: 2,
            live: 2,
            launches: 4,
            deaths: 3,
            deaths_by_cause: causes,
            workers: vec![worker.clone(), WorkerStats { index: 1, busy: Some(span(1)), ..worker }],
            tasks: vec![task],
            ..PoolStats::default()
        }
    }

    #[test]
    fn it_fits_into_80_columns_and_says_it_all() {
        let told = stats().to_string();
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
        let parts = [
            "2 of 2 workers",
            "3 ended (2 crash, 1 idle)",
            "4194303",
            "1.23 ms",
            "20.0 MiB",
            "1.23 s",
            "…mbnails::images::resize",
        ];
        for part in parts {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert!(!told.ends_with('\n') && PoolStats::default().to_string().lines().count() == 3);
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!((shortened("resize", 6), shortened("images::resize", 7)), ("resize".into(), "…resize".into()));
        assert_eq!(shortened("ünïcödé::näh", 4), "…näh");
    }
}
