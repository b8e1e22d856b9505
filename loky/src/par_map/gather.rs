//! Keeps the calls of one `par_map` going: pulls input, sends chunks, puts the results in their places.
//!
//! Everything happens inside `next`, on the caller's thread. Three limits hold: at most [`CHUNKS_PER_WORKER`] chunks
//! for each worker are on their way, at most `window` items are between the input and the consumer, and a chunk is
//! closed at a certain size. A chunk that was cut short by the failure of one item goes on without it: the failed item
//! is tried again alone, if it has retries left, and the items behind it travel in a new chunk. So an item's failure
//! is its own.

use std::collections::{HashMap, VecDeque};
use std::iter::Fuse;
use std::sync::Arc;

use super::chunk::{CHUNK_BYTES_MAX, Sizer};
use crate::driver::{Items, Limits, Order, Outcome};
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;
use crate::oneshot::{Cell, Watcher};
use crate::pool::{self, Pool};
use crate::task::TaskRef;
use crate::transport::payload::Payload;

/// Appends an item's encoded arguments.
pub(super) type Encode<T> = fn(&T, &mut Vec<u8>) -> Result<(), Error>;

type Encoded = Result<Payload, Error>;

/// One chunk runs, the next one waits in the queue behind it.
const CHUNKS_PER_WORKER: usize = 2;

/// The window for each worker, if none is asked for: enough for two of the longest chunks.
const WINDOW_PER_WORKER: usize = 4096;

/// What a `par_map` was told before it began.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) pool: Option<Pool>,
    pub(super) chunk_size: Option<usize>,
    pub(super) window: Option<usize>,
    pub(super) limits: Limits,
}

/// See the module.
pub(super) struct Gather<I: Iterator> {
    input: Fuse<I>,
    encode: Encode<I::Item>,
    task: Result<TaskRef, Error>,
    pub(super) options: Options,
    /// From the first `next` on.
    run: Option<Run>,
}

/// The part that knows no input.
struct Run {
    pool: Pool,
    /// The pool's and the task's defaults filled in.
    limits: Limits,
    window: usize,
    sizer: Sizer,
    /// The chunk that is being filled. It stays here between two `next`s if the input panics.
    filling: Chunk,
    /// Chunks on their way, in the order in which they were sent.
    sent: Vec<Sent>,
    /// Items between the input and the consumer, each with its result once that is there.
    pending: HashMap<usize, Option<Encoded>>,
    /// Items that have been pulled so far: the place of the next one.
    pulled: usize,
    /// The place of the result that is handed out next, in order.
    next_place: usize,
    /// Places with a result, in the order of its coming; of use where results are handed out as they come.
    finished: VecDeque<usize>,
}

/// Consecutive items.
#[derive(Default)]
struct Chunk {
    first: usize,
    payload: Vec<u8>,
    lengths: Vec<u64>,
}

struct Sent {
    call: CallKey,
    cell: Arc<Cell<Outcome>>,
    first: usize,
    payload: Payload,
    lengths: Vec<u64>,
    /// Whether the scheduler itself tries again, which it does for single items.
    is_single: bool,
}

impl<I: Iterator> Gather<I> {
    pub(super) fn new(input: I, task: Result<TaskRef, Error>, encode: Encode<I::Item>) -> Self {
        Self { input: input.fuse(), encode, task, options: Options::default(), run: None }
    }

    pub(super) fn task_name(&self) -> &'static str {
        self.task.as_ref().map_or("", |task| task.entry.name)
    }

    /// The result of the next item of the input.
    pub(super) fn next_in_order(&mut self) -> Option<Encoded> {
        loop {
            self.pull();
            let run = self.run.as_mut()?;
            run.collect(&self.task);
            if let Some(result) = run.take_first() {
                return Some(result);
            }
            if !run.wait_or_end() {
                return None;
            }
        }
    }

    /// The result of any item, with its place.
    pub(super) fn next_finished(&mut self) -> Option<(usize, Encoded)> {
        loop {
            self.pull();
            let run = self.run.as_mut()?;
            run.collect(&self.task);
            if let Some(found) = run.take_finished() {
                return Some(found);
            }
            if !run.wait_or_end() {
                return None;
            }
        }
    }

    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        let pending = self.run.as_ref().map_or(0, |run| run.pending.len());
        let (least, most) = self.input.size_hint();
        (least.saturating_add(pending), most.and_then(|most| most.checked_add(pending)))
    }

    /// Pulls as much input as the limits allow, and sends it.
    fn pull(&mut self) {
        let task_name = self.task_name();
        let run = self.run.get_or_insert_with(|| Run::new(&self.options, &self.task));
        let workers = run.pool.workers();
        while run.sent.len() < CHUNKS_PER_WORKER * workers && run.has_room() {
            let left = self.input.size_hint().1;
            let len = run.sizer.next_len(left, workers);
            run.fill(&mut self.input, self.encode, len, task_name);
            if run.filling.lengths.is_empty() {
                return;
            }
            run.send_filling(&self.task);
        }
        // Left behind by an input that panicked, with the window full since.
        if run.sent.is_empty() && !run.filling.lengths.is_empty() {
            run.send_filling(&self.task);
        }
    }
}

impl Run {
    fn new(options: &Options, task: &Result<TaskRef, Error>) -> Self {
        let pool = options.pool.clone().unwrap_or_else(pool::pool);
        let limits = match task {
            Ok(task) => options.limits.or_defaults(task, pool.settings()),
            Err(_) => options.limits,
        };
        let window = options.window.unwrap_or_else(|| pool.workers().saturating_mul(WINDOW_PER_WORKER));
        Self {
            pool,
            limits,
            window: window.max(1),
            sizer: Sizer::new(options.chunk_size),
            filling: Chunk::default(),
            sent: Vec::new(),
            pending: HashMap::new(),
            pulled: 0,
            next_place: 0,
            finished: VecDeque::new(),
        }
    }

    fn has_room(&self) -> bool {
        self.pending.len() < self.window
    }

    /// Moves items from the input into the chunk that is being filled, until it has `len` of them or a limit is met. An
    /// item that cannot be encoded has its result at once, and closes the chunk, whose items are consecutive.
    fn fill<T>(&mut self, input: &mut impl Iterator<Item = T>, encode: Encode<T>, len: usize, task_name: &str) {
        while self.filling.lengths.len() < len && self.filling.payload.len() < CHUNK_BYTES_MAX && self.has_room() {
            let Some(item) = input.next() else { return };
            let (place, before) = (self.pulled, self.filling.payload.len());
            self.pulled += 1;
            self.pending.insert(place, None);
            match encode(&item, &mut self.filling.payload) {
                Ok(()) => self.filling.push(place, before),
                Err(why) => {
                    self.settle(place, Err(why.with_task(task_name)));
                    if !self.filling.lengths.is_empty() {
                        return;
                    }
                }
            }
        }
    }

    fn send_filling(&mut self, task: &Result<TaskRef, Error>) {
        let Chunk { first, payload, lengths } = std::mem::take(&mut self.filling);
        self.send(task, first, Payload::from(payload), lengths, 0);
    }

    fn send(
        &mut self,
        task: &Result<TaskRef, Error>,
        first: usize,
        payload: Payload,
        lengths: Vec<u64>,
        tries_before: u32,
    ) {
        let task = match task.clone().and_then(|task| self.pool.check().map(|()| task)) {
            Ok(task) => task,
            Err(why) => return (first..first + lengths.len()).for_each(|place| self.settle(place, Err(why.clone()))),
        };
        let is_single = lengths.len() == 1;
        let retries = if is_single { self.limits.retries.map(|all| all.saturating_sub(tries_before)) } else { Some(0) };
        let limits = Limits { retries, ..self.limits };
        let items = if is_single { Items::One } else { Items::Many(lengths.clone()) };
        let order = Order { task, payload: payload.clone(), items, limits, tries_before, is_measured: true };
        let (call, cell) = self.pool.submit_items(order);
        self.sent.push(Sent { call, cell, first, payload, lengths, is_single });
    }

    /// Takes in every chunk that has come back.
    fn collect(&mut self, task: &Result<TaskRef, Error>) {
        let mut next = 0;
        while let Some(sent) = self.sent.get(next) {
            match sent.cell.take() {
                None => next += 1,
                Some(outcome) => {
                    let sent = self.sent.remove(next);
                    self.take_in(task, sent, outcome);
                }
            }
        }
    }

    fn take_in(&mut self, task: &Result<TaskRef, Error>, sent: Sent, mut outcome: Outcome) {
        outcome.show_printed();
        let done = outcome.results.len();
        self.sizer.observe(done, outcome.ran);
        for item in 0..done {
            let result = outcome.results.get(item).expect("it has so many results");
            self.settle(sent.first + item, result.map(Payload::copy).map_err(Clone::clone));
        }
        let Some(why) = outcome.end.filter(|_| done < sent.lengths.len()) else { return };
        if !blames_one_item(&why) {
            let rest = sent.first + done..sent.first + sent.lengths.len();
            return rest.for_each(|place| self.settle(place, Err(why.clone())));
        }
        if why.is_crash() && !sent.is_single && self.limits.retries.unwrap_or(0) > 0 {
            let (payload, lengths) = sent.part(done, done + 1);
            self.send(task, sent.first + done, payload, lengths, 1);
        } else {
            self.settle(sent.first + done, Err(why));
        }
        if done + 1 < sent.lengths.len() {
            let (payload, lengths) = sent.part(done + 1, sent.lengths.len());
            self.send(task, sent.first + done + 1, payload, lengths, 0);
        }
    }

    fn settle(&mut self, place: usize, result: Encoded) {
        self.pending.insert(place, Some(result));
        self.finished.push_back(place);
    }

    fn take_first(&mut self) -> Option<Encoded> {
        self.finished.clear();
        let result = self.pending.get_mut(&self.next_place)?.take()?;
        self.pending.remove(&self.next_place);
        self.next_place += 1;
        Some(result)
    }

    fn take_finished(&mut self) -> Option<(usize, Encoded)> {
        let place = self.finished.pop_front()?;
        let result = self.pending.remove(&place).flatten().expect("a place is finished once");
        Some((place, result))
    }

    /// Waits until a chunk has come back. `false`: none is on its way, so there is nothing more to come.
    fn wait_or_end(&mut self) -> bool {
        if self.sent.is_empty() {
            return !self.filling.lengths.is_empty();
        }
        let watch = || self.sent.iter().for_each(|sent| sent.cell.watch(Watcher::this_thread()));
        self.pool.wait(|| self.sent.iter().any(|sent| sent.cell.is_done()), watch);
        true
    }
}

impl Chunk {
    /// An item was encoded, from `before` to the end of the payload.
    fn push(&mut self, place: usize, before: usize) {
        if self.lengths.is_empty() {
            self.first = place;
        }
        self.lengths.push((self.payload.len() - before) as u64);
    }
}

impl Sent {
    /// The items from number `from` up to `to`, as a chunk of their own.
    fn part(&self, from: usize, to: usize) -> (Payload, Vec<u64>) {
        let offset = |item: usize| self.lengths[..item].iter().sum::<u64>() as usize;
        (Payload::copy(&self.payload[offset(from)..offset(to)]), self.lengths[from..to].to_vec())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Those behind first: to end one that runs costs a worker, which would be replaced for those that wait.
        self.sent.iter().rev().for_each(|sent| self.pool.cancel(sent.call));
    }
}

/// Whether the error is that of the item that ran, and says nothing about those behind it.
fn blames_one_item(why: &Error) -> bool {
    matches!(why.kind(), ErrorKind::Crash | ErrorKind::Timeout | ErrorKind::MemoryLimit) && why.may_have_run()
}
