//! What a page says about one pool, gathered from its facts in memory of a bounded size.
//!
//! Of a run that is short each try of a call is kept; of a long one how busy each worker was over time, the slowest
//! calls and the first failures.

mod page;
mod timeline;

use std::collections::BTreeMap;

pub(crate) use self::page::page;
use self::timeline::Timeline;
use super::fact::{Ended, Ending, Fact, Failure, Run};
use super::stats::{Cause, DeathCauses};
use super::tasks::Tasks;

/// See the module. Moments are told from the beginning of the pool, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Report {
    pool: String,
    began: u64,
    ended: u64,
    lanes: BTreeMap<usize, Lane>,
    /// Lanes that there was no room for.
    lanes_left_out: u64,
    queue: Timeline,
    /// The last that was heard of it.
    queued: (u64, u64),
    tasks: Tasks,
    /// `None` once there were too many.
    slices: Option<Vec<Slice>>,
    slowest: Vec<Slice>,
    failures: Vec<(Slice, Failure)>,
    outcomes: BTreeMap<&'static str, u64>,
    deaths: DeathCauses,
    launches: u64,
    lost: u64,
}

/// A worker's place in the pool, and all processes that have had it.
#[derive(Debug)]
struct Lane {
    calls: u64,
    failed: u64,
    busy: u64,
    served: u64,
    /// Since when the process that is there now serves.
    ready: Option<u64>,
    launches: u64,
    busyness: Timeline,
    marks: Vec<Mark>,
}

/// Something that happened to a worker: its launch, until it was ready, or its death.
#[derive(Debug)]
struct Mark {
    at: u64,
    until: u64,
    what: Happened,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    Launch,
    /// It left as it was meant to.
    End,
    /// It died, or was killed.
    Death,
}

/// A try of a call; a call that never ran is one without a run.
#[derive(Clone, Debug)]
struct Slice {
    call: u64,
    task: &'static str,
    items: u32,
    at: u64,
    run: Option<Run>,
    ending: Ending,
}

const LANES_MAX: usize = 256;
const MARKS_MAX: usize = 200;
const SLICES_MAX: usize = 5_000;
const SLOWEST_MAX: usize = 25;
const FAILURES_MAX: usize = 100;

impl Report {
    pub(crate) fn new(pool: &str, now: u64) -> Self {
        Self {
            pool: pool.to_string(),
            began: now,
            ended: now,
            lanes: BTreeMap::new(),
            lanes_left_out: 0,
            queue: Timeline::of_peaks(),
            queued: (0, 0),
            tasks: Tasks::default(),
            slices: Some(Vec::new()),
            slowest: Vec::new(),
            failures: Vec::new(),
            outcomes: BTreeMap::new(),
            deaths: DeathCauses::default(),
            launches: 0,
            lost: 0,
        }
    }

    pub(crate) fn add(&mut self, fact: &Fact) {
        let since = self.began;
        let moment = |at: u64| at.saturating_sub(since);
        match fact {
            Fact::Launched { index, .. } => {
                self.launches += 1;
                self.lane(*index).into_iter().for_each(|lane| lane.launches += 1);
            }
            Fact::Ready { at, since, index, pid } => {
                let (ready, launched) = (moment(*at), moment(*since));
                let text = format!("pid {pid}, ready after {} ms", (ready - launched) / 1_000_000);
                let Some(lane) = self.lane(*index) else { return };
                lane.ready = Some(ready);
                lane.mark(Mark { at: launched, until: ready, what: Happened::Launch, text });
            }
            Fact::Died { at, index, pid, cause, how } => self.died(moment(*at), *index, *pid, *cause, how),
            Fact::Ended(ended) => self.call_ended(ended),
            Fact::Sample { at, sample } => self.queued(moment(*at), sample.queued as u64),
            Fact::Lost { count, .. } => self.lost += count,
        }
    }

    /// The pool has ended, or the program.
    pub(crate) fn ended(mut self, now: u64) -> Self {
        self.ended = now.saturating_sub(self.began);
        let ended = self.ended;
        self.lanes.values_mut().for_each(|lane| lane.leave(ended));
        self
    }

    fn queued(&mut self, at: u64, queued: u64) {
        let (since, before) = std::mem::replace(&mut self.queued, (at, queued));
        self.queue.hold(since, at.max(since), before);
        self.queue.add(at, queued);
    }

    fn died(&mut self, at: u64, index: usize, pid: u32, cause: Cause, how: &str) {
        self.deaths.count(cause);
        let Some(lane) = self.lane(index) else { return };
        lane.leave(at);
        let is_ordinary = matches!(cause, Cause::Worn | Cause::Idle | Cause::Resized | Cause::Shutdown);
        let what = if is_ordinary { Happened::End } else { Happened::Death };
        lane.mark(Mark { at, until: at, what, text: format!("pid {pid} {how} ({})", cause.name()) });
    }

    fn call_ended(&mut self, ended: &Ended) {
        let since = self.began;
        let moment = |at: u64| at.saturating_sub(since);
        let of_pool =
            |run: Run| Run { queued: moment(run.queued), began: moment(run.began), ended: moment(run.ended), ..run };
        let &Ended { call, task, items, ending, .. } = ended;
        let slice = Slice { call, task, items, at: moment(ended.at), run: ended.run.map(of_pool), ending };
        if ended.is_last() {
            *self.outcomes.entry(ending.name()).or_default() += 1;
        }
        if let Some(run) = slice.run {
            self.ran(&slice, run);
        }
        if let Some(failure) = ended.failure.as_deref().filter(|_| self.failures.len() < FAILURES_MAX) {
            self.failures.push((slice, failure.clone()));
        }
    }

    fn ran(&mut self, slice: &Slice, run: Run) {
        self.tasks.add(slice.task, slice.items, run.spans());
        if let Some(lane) = self.lane(run.index) {
            lane.calls += 1;
            lane.failed += u64::from(slice.ending != Ending::Succeeded && slice.ending != Ending::Continued);
            lane.busy += run.ended - run.began;
            lane.busyness.add_span(run.began, run.ended);
        }
        let place = self.slowest.partition_point(|slow| slow.ran() >= slice.ran());
        if place < SLOWEST_MAX {
            self.slowest.truncate(SLOWEST_MAX - 1);
            self.slowest.insert(place, slice.clone());
        }
        match &mut self.slices {
            Some(slices) if slices.len() < SLICES_MAX => slices.push(slice.clone()),
            slices => *slices = None,
        }
    }

    fn lane(&mut self, index: usize) -> Option<&mut Lane> {
        if self.lanes.len() >= LANES_MAX && !self.lanes.contains_key(&index) {
            self.lanes_left_out += 1;
            return None;
        }
        Some(self.lanes.entry(index).or_insert_with(Lane::new))
    }
}

impl Lane {
    const fn new() -> Self {
        Self {
            calls: 0,
            failed: 0,
            busy: 0,
            served: 0,
            ready: None,
            launches: 0,
            busyness: Timeline::of_sums(),
            marks: Vec::new(),
        }
    }

    fn leave(&mut self, at: u64) {
        self.served += self.ready.take().map_or(0, |ready| at.saturating_sub(ready));
    }

    fn mark(&mut self, mark: Mark) {
        if self.marks.len() < MARKS_MAX {
            self.marks.push(mark);
        }
    }
}

impl Slice {
    fn ran(&self) -> u64 {
        self.run.map_or(0, |run| run.ended - run.began)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
