//! Facts as events of a trace that Perfetto and Chrome show.
//!
//! The process is this one; every worker of every pool has a lane of its own, by its index, and keeps it when its process
//! is replaced. On a worker's lane: its start and each try of a call as slices, its launch and death as instants. On the
//! lane of the pool itself: the spawns, each with an arrow to where the call ran. The queue is a counter.

use std::fmt::{self, Write};

use super::fact::{Ended, Fact, Run};
use super::json::{Micros, Quoted};

/// The lanes of one pool in the trace of this process.
#[derive(Debug)]
pub(crate) struct Trace {
    pid: u32,
    pool: String,
    /// The lane of the pool itself; those of its workers follow.
    first_lane: u64,
    /// Of how many workers the lanes have a name.
    named: usize,
    written: String,
}

/// How many lanes a pool may have before those of the next one begin.
const LANES: u64 = 100_000;

/// How long a spawn looks, in nanoseconds. Shorter than two of them lie apart.
const SPAWN: u64 = 100;

impl Trace {
    /// Of pool number `number` of process `pid`, counted from zero.
    pub(crate) fn new(pid: u32, number: u32, pool: &str) -> Self {
        let mut trace = Self {
            pid,
            pool: pool.to_string(),
            first_lane: 1 + u64::from(number) * LANES,
            named: 0,
            written: String::new(),
        };
        let name = format!("{pool}: spawns");
        trace.name_lane(trace.first_lane, &name);
        trace
    }

    /// The event that names the process. The first one of a file.
    pub(crate) fn begin(pid: u32, program: &str) -> String {
        format!(r#"{{"ph":"M","name":"process_name","pid":{pid},"args":{{"name":{}}}}}"#, Quoted(program))
    }

    /// Takes out what is to be written: events with commas between and before them.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.written)
    }

    pub(crate) fn add(&mut self, fact: &Fact) {
        // A string takes everything.
        let _ = match fact {
            Fact::Launched { at, index } => self.instant(*at, *index, "launch", format_args!("")),
            Fact::Ready { at, since, index, pid } => self.start_up(*at, *since, *index, *pid),
            Fact::Died { at, index, pid, cause, how } => {
                let (cause, how) = (cause.name(), Quoted(how));
                self.instant(*at, *index, "death", format_args!(r#""cause":"{cause}","how":{how},"pid":{pid}"#))
            }
            Fact::Ended(ended) => self.ended(ended),
            Fact::Sample { at, sample } => {
                let (name, lane) = (format!("{}: queue", self.pool), self.first_lane);
                let (queued, running) = (sample.queued, sample.running);
                self.event("C", *at, lane, &name, format_args!(r#","args":{{"queued":{queued},"running":{running}}}"#))
            }
            Fact::Lost { at, count } => {
                let lane = self.first_lane;
                let rest = format!(r#","s":"p","args":{{"count":{count}}}"#);
                self.event("i", *at, lane, "facts lost: they came faster than they could be written", rest)
            }
        };
    }

    fn ended(&mut self, ended: &Ended) -> fmt::Result {
        let Ended { call, task, items, ending, .. } = ended;
        let lane = self.first_lane;
        let Some(run) = ended.run else {
            return match ended.is_last() {
                // What ran was told before, or nothing ever did.
                true => {
                    let rest = format!(r#","s":"t","args":{{"call":{call},"outcome":"{}"}}"#, ending.name());
                    self.event("i", ended.at, lane, task, rest)
                }
                false => Ok(()),
            };
        };
        if run.attempt == 1 {
            let dur = Micros(SPAWN);
            let rest = format!(r#","cat":"spawn","dur":{dur},"args":{{"call":{call}}}"#);
            self.event("X", ended.spawned, lane, task, rest)?;
            let rest = format!(r#","cat":"call","id":{call}"#);
            self.event("s", ended.spawned, lane, "call", rest)?;
        }
        self.run(ended, run, *items)?;
        if run.attempt == 1 {
            let worker = self.lane(run.index);
            let rest = format!(r#","cat":"call","bp":"e","id":{call}"#);
            self.event("f", run.began, worker, "call", rest)?;
        }
        Ok(())
    }

    fn run(&mut self, ended: &Ended, run: Run, items: u32) -> fmt::Result {
        let lane = self.lane(run.index);
        let [queued, ran] = run.spans().map(Micros);
        let Ended { call, task, ending, .. } = ended;
        let (outcome, attempt, pid) = (ending.name(), run.attempt, run.pid);
        let args = format!(
            r#""call":{call},"attempt":{attempt},"outcome":"{outcome}","queued_us":{queued},"items":{items},"worker_pid":{pid}"#
        );
        let color = if outcome == "ok" { "" } else { r#","cname":"terrible""# };
        let rest = format!(r#","cat":"call","dur":{ran}{color},"args":{{{args}}}"#);
        self.event("X", run.began, lane, task, rest)
    }

    fn start_up(&mut self, at: u64, since: u64, index: usize, pid: u32) -> fmt::Result {
        let lane = self.lane(index);
        let dur = Micros(at.saturating_sub(since));
        self.event("X", since, lane, "start-up", format_args!(r#","cat":"start","dur":{dur},"args":{{"pid":{pid}}}"#))
    }

    fn instant(&mut self, at: u64, index: usize, name: &str, args: fmt::Arguments<'_>) -> fmt::Result {
        let lane = self.lane(index);
        self.event("i", at, lane, name, format_args!(r#","s":"t","args":{{{args}}}"#))
    }

    /// The lane of the worker with this index, which has a name from now on.
    fn lane(&mut self, index: usize) -> u64 {
        let first = self.first_lane + 1;
        while self.named <= index {
            let name = format!("{}: worker {}", self.pool, self.named);
            self.name_lane(first + self.named as u64, &name);
            self.named += 1;
        }
        first + index as u64
    }

    fn name_lane(&mut self, lane: u64, name: &str) {
        let pid = self.pid;
        let name = Quoted(name);
        let named = format!(r#"{{"ph":"M","name":"thread_name","pid":{pid},"tid":{lane},"args":{{"name":{name}}}}}"#);
        let sort = r#""name":"thread_sort_index""#;
        let _ = write!(self.written, ",\n{named}");
        let _ = write!(
            self.written,
            ",\n{{\"ph\":\"M\",{sort},\"pid\":{pid},\"tid\":{lane},\"args\":{{\"sort_index\":{lane}}}}}"
        );
    }

    fn event(&mut self, phase: &str, at: u64, lane: u64, name: &str, rest: impl fmt::Display) -> fmt::Result {
        let (pid, at, name) = (self.pid, Micros(at), Quoted(name));
        write!(self.written, ",\n{{\"ph\":\"{phase}\",\"pid\":{pid},\"tid\":{lane},\"ts\":{at},\"name\":{name}{rest}}}")
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::fact::{Ending, Sample};
    use super::super::stats::Cause;
    use super::*;
    use crate::error::ErrorKind;

    fn ended(ending: Ending, attempt: u32) -> Ended {
        let run = Run { index: 1, pid: 77, attempt, queued: 1_000, began: 5_000, ended: 9_500 };
        let run = (attempt > 0).then_some(run);
        Ended { call: 9, task: "a::\"b\"", items: 1, spawned: 1_000, at: 10_000, run, ending, failure: None }
    }

    fn lines(facts: &[Fact]) -> Vec<String> {
        let mut trace = Trace::new(42, 2, "pool");
        trace.take();
        facts.iter().for_each(|fact| trace.add(fact));
        trace
            .take()
            .lines()
            .map(|line| line.trim_end_matches(',').to_string())
            .filter(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn a_call_is_a_slice_on_the_lane_of_its_worker_with_an_arrow_from_its_spawn() {
        let told = lines(&[Fact::Ended(ended(Ending::Succeeded, 1))]);
        let slice = r#"{"ph":"X","pid":42,"tid":200003,"ts":5.000,"name":"a::\"b\"","cat":"call","dur":4.500,"args":{"call":9,"attempt":1,"outcome":"ok","queued_us":4.000,"items":1,"worker_pid":77}}"#;
        assert!(told.iter().any(|line| line == slice), "{told:#?}");
        let arrows = [(r#""ph":"s""#, r#""tid":200001,"ts":1.000"#), (r#""ph":"f""#, r#""tid":200003,"ts":5.000"#)];
        for (phase, place) in arrows {
            assert!(told.iter().any(|line| line.contains(phase) && line.contains(place) && line.contains(r#""id":9"#)));
        }
        assert!(told.iter().any(|line| line.contains(r#""name":"pool: worker 1""#)), "{told:#?}");
        assert_eq!(told.len(), 8, "{told:#?}");
    }

    #[test]
    fn another_try_has_no_second_arrow_and_what_never_ran_is_an_instant() {
        let told = lines(&[Fact::Ended(ended(Ending::Failed(Some(ErrorKind::Crash)), 2))]).join("\n");
        assert!(told.contains(r#""attempt":2,"outcome":"crash""#) && !told.contains(r#""ph":"s""#), "{told}");
        let told = lines(&[Fact::Ended(ended(Ending::Failed(Some(ErrorKind::QueueTimeout)), 0))]);
        assert!(told.len() == 1 && told[0].contains(r#""ph":"i""#) && told[0].contains("queue_timeout"), "{told:#?}");
    }

    #[test]
    fn lives_of_workers_and_the_queue_are_shown() {
        let died = Fact::Died { at: 9, index: 0, pid: 5, cause: Cause::Crash, how: "was killed by <SIGSEGV>".into() };
        let sample = Fact::Sample { at: 8, sample: Sample { queued: 3, running: 2, ..Sample::default() } };
        let facts =
            [Fact::Launched { at: 1, index: 0 }, Fact::Ready { at: 4, since: 1, index: 0, pid: 5 }, died, sample];
        let told = lines(&facts).join("\n");
        for part in [r#""name":"launch""#, r#""dur":0.003"#, r#""cause":"crash""#, r"\u003cSIGSEGV", r#""queued":3"#] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert!(lines(&[Fact::Lost { at: 1, count: 7 }])[0].contains(r#""count":7"#));
    }
}
