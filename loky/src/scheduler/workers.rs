//! Every worker that may still have a process.
//!
//! Workers lie in seats, and a seat is used again. Whatever is counted over all of them, and the list in which each is
//! found, follows in the one place where a worker is changed.

use std::time::Instant;

use super::Rules;
use super::calls::earliest;
use super::loads::Loads;
use super::pace::CREDIT_MAX;
pub(super) use super::worker::{Phase, Worker};
use crate::ids::{CallKey, WorkerId};

/// Where a worker lies; another one's once it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat(u32);

impl Seat {
    pub(super) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    pub(super) const fn raw(self) -> u32 {
        self.0
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All workers that may still have a process.
#[derive(Debug)]
pub(super) struct Workers {
    rules: Rules,
    seats: Vec<Option<Worker>>,
    free: Vec<Seat>,
    /// Who sits where; workers are launched in the order of their numbers.
    index: Vec<(WorkerId, Seat)>,
    launched: u64,
    loads: Loads,
    sums: Sums,
    look_at: Option<Instant>,
}

/// Counted over all workers.
#[derive(Debug, Default)]
struct Sums {
    launching: usize,
    ready: usize,
    recalling: usize,
    ahead: usize,
}

const PRESENT: &str = "a seat is named only as long as its worker is there";

impl Workers {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules: Rules { credit: rules.credit.min(CREDIT_MAX), ..rules },
            seats: Vec::new(),
            free: Vec::new(),
            index: Vec::new(),
            launched: 0,
            loads: Loads::new(),
            sums: Sums::default(),
            look_at: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Workers that serve or will: those that count against the size of the pool.
    pub(super) fn live(&self) -> usize {
        self.sums.launching + self.sums.ready
    }

    pub(super) fn launching(&self) -> usize {
        self.sums.launching
    }

    pub(super) fn ready(&self) -> usize {
        self.sums.ready
    }

    /// Workers that serve and hold nothing.
    pub(super) fn idle(&self) -> usize {
        self.loads.idle()
    }

    /// Workers that serve and hold something.
    pub(super) fn busy(&self) -> usize {
        self.sums.ready - self.loads.idle()
    }

    /// Calls that lie ready in workers, over all.
    pub(super) fn ahead(&self) -> usize {
        self.sums.ahead
    }

    /// Calls that count as started.
    pub(super) fn started(&self) -> impl Iterator<Item = CallKey> {
        let workers = self.index.iter().map(|&(_, seat)| self.at(seat));
        workers.flat_map(|worker| worker.held.iter().take(worker.started).copied())
    }

    /// Workers whose calls are being taken back.
    pub(super) fn recalling(&self) -> usize {
        self.sums.recalling
    }

    /// Where the worker sits. As a rule none between it and the oldest one has gone; else it is found by halves.
    pub(super) fn seat(&self, id: WorkerId) -> Option<Seat> {
        let &(oldest, _) = self.index.first()?;
        let guess = usize::try_from(id.0.checked_sub(oldest.0)?).ok()?;
        if let Some(&(_, seat)) = self.index.get(guess).filter(|&&(found, _)| found == id) {
            return Some(seat);
        }
        let place = self.index.binary_search_by_key(&id, |&(found, _)| found).ok()?;
        Some(self.index[place].1)
    }

    pub(super) fn at(&self, seat: Seat) -> &Worker {
        self.seats[seat.index()].as_ref().expect(PRESENT)
    }

    pub(super) fn get(&self, id: WorkerId) -> Option<&Worker> {
        Some(self.at(self.seat(id)?))
    }

    pub(super) fn seats(&self, is_wanted: impl Fn(&Worker) -> bool) -> Vec<Seat> {
        self.index.iter().map(|&(_, seat)| seat).filter(|&seat| is_wanted(self.at(seat))).collect()
    }

    pub(super) fn add(&mut self, until: Instant, now: Instant) -> WorkerId {
        let id = WorkerId(self.launched);
        self.launched += 1;
        let seat = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            Seat(u32::try_from(self.seats.len() - 1).expect("there are fewer workers than numbers"))
        });
        self.seats[seat.index()] = Some(Worker::new(id, until, now));
        self.index.push((id, seat));
        self.sums.launching += 1;
        self.look_by(until);
        id
    }

    pub(super) fn remove(&mut self, id: WorkerId) -> Option<Worker> {
        let seat = self.seat(id)?;
        self.loads.set(seat, None);
        let worker = self.seats[seat.index()].take()?;
        self.sums.take_out(&worker);
        self.index.retain(|&(found, _)| found != id);
        self.free.push(seat);
        if self.index.is_empty() {
            self.look_at = None;
        }
        Some(worker)
    }

    pub(super) fn enter(&mut self, seat: Seat, phase: Phase) {
        self.change(seat, |worker| worker.phase = phase);
        if let Some(at) = self.at(seat).timer() {
            self.look_by(at);
        }
    }

    /// The worker is given a call of so many items.
    pub(super) fn hold(&mut self, seat: Seat, call: CallKey, items: u32, now: Instant) {
        if let Some(at) = self.change_load(seat, |worker| worker.hold(call, items, now)) {
            self.look_by(at);
        }
    }

    /// The worker has answered a call of so many items that it held. Returns whether that was the first one.
    pub(super) fn answered(&mut self, seat: Seat, call: CallKey, items: u32, now: Instant) -> bool {
        self.change_load(seat, |worker| worker.answer(call, items, now))
    }

    pub(super) fn begin_recall(&mut self, seat: Seat) {
        self.change(seat, |worker| worker.is_recalling = true);
    }

    /// All that the worker holds beyond the first `begun`, which have `owed` items, has been taken back; the youngest
    /// first.
    pub(super) fn take_back(&mut self, seat: Seat, begun: usize, owed: u64) -> Vec<CallKey> {
        self.change(seat, |worker| worker.give_back(begun, owed))
    }

    /// The worker that serves has nothing to do from now on.
    pub(super) fn free(&mut self, seat: Seat, leave_at: Option<Instant>) {
        let worker = self.seats[seat.index()].as_mut().expect(PRESENT);
        // It has been listed as idle since its last answer; nothing that is counted changes.
        worker.phase = Phase::Ready { leave_at };
        if let Some(at) = leave_at {
            self.look_by(at);
        }
    }

    /// The worker that became idle last: it is the one whose caches are warm, and the others may reach their idle
    /// timeout.
    pub(super) fn idle_last_freed(&self) -> Option<Seat> {
        self.loads.idle_last()
    }

    /// The worker that became idle first: the one to let go.
    pub(super) fn idle_first_freed(&self) -> Option<Seat> {
        self.loads.idle_first()
    }

    /// A busy worker that may hold one call more, the one with the fewest first.
    pub(super) fn least_loaded(&self) -> Option<Seat> {
        self.loads.least_loaded()
    }

    /// When somebody must look what is due: never later than something is, and sometimes in vain, since most timers
    /// of workers are gone before they come. Only then all workers are walked over.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Somebody looks. `recall_at` says when calls are to be taken back from a worker that holds some ahead. Returns
    /// from whom now.
    pub(super) fn look(&mut self, now: Instant, recall_at: impl Fn(&Worker) -> Option<Instant>) -> Vec<Seat> {
        self.look_at = None;
        let mut due = Vec::new();
        for place in 0..self.index.len() {
            let (_, seat) = self.index[place];
            let worker = self.at(seat);
            let is_loaded = worker.is_ready() && worker.ahead() > 0 && !worker.is_recalling;
            let (timer, recall) = (worker.timer(), recall_at(worker).filter(|_| is_loaded));
            if recall.is_some_and(|at| at <= now) {
                due.push(seat);
            }
            self.look_at = earliest(self.look_at, earliest(timer, recall.filter(|&at| at > now)));
        }
        due
    }

    /// A worker whose phase has lasted long enough.
    pub(super) fn due(&self, now: Instant) -> Option<(Seat, Phase)> {
        let mut workers = self.index.iter().map(|&(_, seat)| (seat, self.at(seat)));
        let (seat, worker) = workers.find(|(_, worker)| worker.timer().is_some_and(|at| at <= now))?;
        Some((seat, worker.phase))
    }

    fn look_by(&mut self, at: Instant) {
        if self.look_at.is_none_or(|before| at < before) {
            self.look_at = Some(at);
        }
    }

    fn change<T>(&mut self, seat: Seat, change: impl FnOnce(&mut Worker) -> T) -> T {
        let worker = self.seats[seat.index()].as_mut().expect(PRESENT);
        self.sums.take_out(worker);
        let changed = change(worker);
        self.sums.put_in(worker);
        self.loads.set(seat, worker.load(&self.rules));
        changed
    }

    /// The same where nothing but what the worker holds is changed.
    fn change_load<T>(&mut self, seat: Seat, change: impl FnOnce(&mut Worker) -> T) -> T {
        let worker = self.seats[seat.index()].as_mut().expect(PRESENT);
        self.sums.ahead -= worker.ahead();
        let changed = change(worker);
        self.sums.ahead += worker.ahead();
        self.loads.set(seat, worker.load(&self.rules));
        changed
    }
}

impl Sums {
    fn put_in(&mut self, worker: &Worker) {
        self.launching += usize::from(worker.is_launching());
        self.ready += usize::from(worker.is_ready());
        self.recalling += usize::from(worker.is_recalling);
        self.ahead += worker.ahead();
    }

    fn take_out(&mut self, worker: &Worker) {
        self.launching -= usize::from(worker.is_launching());
        self.ready -= usize::from(worker.is_ready());
        self.recalling -= usize::from(worker.is_recalling);
        self.ahead -= worker.ahead();
    }
}

#[cfg(any(test, fuzzing))]
impl Workers {
    pub(super) fn iter(&self) -> impl Iterator<Item = (Seat, &Worker)> {
        self.index.iter().map(|&(_, seat)| (seat, self.at(seat)))
    }

    /// What is counted is so, and what is listed is where it belongs.
    pub(super) fn check(&self) {
        let count = |is_counted: fn(&Worker) -> bool| self.iter().filter(|(_, worker)| is_counted(worker)).count();
        assert_eq!((self.sums.launching, self.sums.ready), (count(Worker::is_launching), count(Worker::is_ready)));
        assert_eq!(self.sums.recalling, count(|worker| worker.is_recalling));
        assert_eq!(self.sums.ahead, self.iter().map(|(_, worker)| worker.ahead()).sum::<usize>());
        self.loads.check();
        assert_eq!(self.seats.iter().flatten().count(), self.index.len());
        let first_timer = self.iter().map(|(_, worker)| worker.timer()).fold(None, earliest);
        assert!(first_timer.is_none_or(|at| self.look_at.is_some_and(|look| look <= at)), "somebody looks in time");
        for (seat, worker) in self.iter() {
            assert_eq!(self.seat(worker.id), Some(seat));
            assert_eq!(self.loads.load(seat), worker.load(&self.rules));
            worker.check(&self.rules);
        }
    }
}
