//! How much of the workers' time is work, under the policy and nothing else: an experiment with a virtual clock.
//!
//! A message takes half a round trip each way. The driver hears whatever has come when it looks, and it looks as soon
//! as it is free; taking back keeps it busy. Nothing here is measured, so the figures are the same on every machine.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

const ONE_WAY: Duration = Duration::from_nanos(2_500);
const RECALL: Duration = Duration::from_micros(20);
/// What the driver needs for one answer, or one call.
const HEAR: Duration = Duration::from_nanos(50);

/// A machine whose calls take given times.
struct Bench {
    scheduler: Scheduler,
    lengths: Vec<Duration>,
    /// The time of the driver.
    now: Instant,
    workers: Vec<Lane>,
    /// Answers that arrive.
    answers: BinaryHeap<Reverse<(Instant, u64, CallKey, Attempt)>>,
    recalls: usize,
    ended: usize,
}

/// A worker: what it has run or will run, with the times when each begins.
#[derive(Default)]
struct Lane {
    planned: VecDeque<(Instant, CallKey, Attempt)>,
    free_at: Option<Instant>,
}

impl Bench {
    fn new(workers: usize, credit: usize, lengths: Vec<Duration>) -> Self {
        let mut story = Story::of(Rules { target: workers, credit, ..RULES });
        story.tell(Event::WarmUpAsked);
        (0..workers as u64).for_each(|worker| drop(story.is_ready(worker)));
        let Story { scheduler, now, .. } = story;
        let workers = (0..workers).map(|_| Lane::default()).collect();
        Self { scheduler, lengths, now, workers, answers: BinaryHeap::new(), recalls: 0, ended: 0 }
    }

    /// The part of the workers' time that was work, from the first call to the last result.
    fn efficiency(mut self) -> f64 {
        let began = self.now;
        let calls = self.lengths.len();
        for slot in 0..calls {
            self.hear(Event::Submitted { call: call(slot as u64), terms: PLAIN });
            self.hear_answers();
        }
        while self.ended < calls {
            let answer = self.answers.peek().map(|Reverse((at, ..))| *at);
            let timer = self.scheduler.next_timeout();
            let next = [answer, timer].into_iter().flatten().min().expect("something is under way");
            self.now = self.now.max(next);
            self.hear_answers();
            self.scheduler.handle_timeout(self.now);
            self.perform_all();
        }
        let work: Duration = self.lengths.iter().sum();
        work.as_secs_f64() / (self.now - began).as_secs_f64() / self.workers.len() as f64
    }

    fn hear_answers(&mut self) {
        while let Some(Reverse((_, worker, call, attempt))) = self.pop_answer() {
            self.hear(Event::Returned { worker: WorkerId(worker), call, attempt });
        }
    }

    fn pop_answer(&mut self) -> Option<Reverse<(Instant, u64, CallKey, Attempt)>> {
        self.answers.peek().filter(|Reverse((at, ..))| *at <= self.now)?;
        self.answers.pop()
    }

    fn hear(&mut self, event: Event) {
        self.scheduler.handle(event, self.now);
        self.now += HEAR;
        self.perform_all();
    }

    fn perform_all(&mut self) {
        while let Some(action) = self.scheduler.next_action() {
            match action {
                Action::Dispatch { call, attempt, worker } => self.dispatch(worker, call, attempt),
                Action::Recall { worker } => self.recall(worker),
                Action::Deliver { .. } => self.ended += 1,
                other => panic!("not here: {other:?}"),
            }
        }
    }

    fn dispatch(&mut self, worker: WorkerId, call: CallKey, attempt: Attempt) {
        let lane = &mut self.workers[worker.0 as usize];
        let begins = lane.free_at.map_or(self.now + ONE_WAY, |at| at.max(self.now + ONE_WAY));
        let ends = begins + self.lengths[call.slot as usize];
        lane.planned.push_back((begins, call, attempt));
        lane.free_at = Some(ends);
        self.answers.push(Reverse((ends + ONE_WAY, worker.0, call, attempt)));
    }

    fn recall(&mut self, worker: WorkerId) {
        self.recalls += 1;
        assert!(self.recalls <= self.lengths.len(), "no more recalls than answers");
        let lane = &mut self.workers[worker.0 as usize];
        let taken: Vec<_> =
            lane.planned.iter().filter(|(begins, ..)| *begins > self.now).map(|&(_, call, _)| call).collect();
        lane.planned.retain(|(begins, ..)| *begins <= self.now);
        let last = lane.planned.back().copied();
        lane.free_at = last.map(|(begins, call, _)| begins + self.lengths[call.slot as usize]);
        lane.planned.drain(..lane.planned.len().saturating_sub(1));
        self.answers.retain(|Reverse((_, by, call, _))| *by != worker.0 || !taken.contains(call));
        self.now += RECALL;
        let begun = last.map(|(_, call, _)| call);
        self.scheduler.handle(Event::Recalled { worker, begun }, self.now);
    }
}

/// So many calls of one length.
fn same(calls: usize, nanos: u64) -> Vec<Duration> {
    vec![Duration::from_nanos(nanos); calls]
}

/// Calls of a tenth of a millisecond, with twelve of a hundred milliseconds among them.
fn skewed() -> Vec<Duration> {
    let mut lengths = same(2000, 100_000);
    (0..12).for_each(|long| lengths[(long * 1009 + 137) % 2000] = Duration::from_millis(100));
    lengths
}

#[track_caller]
fn check(name: &str, workers: usize, lengths: Vec<Duration>, least: f64) {
    let with = Bench::new(workers, usize::MAX, lengths.clone()).efficiency();
    let without = Bench::new(workers, 1, lengths).efficiency();
    println!("{name}: {:.2} % with calls that lie ready, {:.2} % without", with * 100.0, without * 100.0);
    assert!(with >= least, "{name}: {with}");
}

#[test]
fn calls_of_a_millisecond_fill_the_workers() {
    check("2000 x 1 ms on 2 workers", 2, same(2000, 1_000_000), 0.99);
    check("501 x 1 ms on 8 workers", 8, same(501, 1_000_000), 0.98);
}

#[test]
fn a_few_long_calls_among_many_short_ones_do_not_hold_those_up() {
    check("2000 x 0.1 ms with 12 x 100 ms on 2 workers", 2, skewed(), 0.975);
    let mut last = skewed();
    last.reverse();
    check("the same in the other order", 2, last, 0.975);
}

#[test]
fn tiny_calls_do_not_wait_for_round_trips() {
    check("100 000 x 1 us on 2 workers", 2, same(100_000, 1_000), 0.95);
    check("20 000 x 5 us on 8 workers", 8, same(20_000, 5_000), 0.95);
}

#[test]
fn calls_that_become_long_are_shared_again() {
    let mut lengths = same(10_000, 1_000);
    lengths.extend(same(400, 1_000_000));
    check("10 000 x 1 us, then 400 x 1 ms on 2 workers", 2, lengths, 0.98);
}
