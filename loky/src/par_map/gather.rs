//! Keeps the calls of one `par_map` going: pulls input, sends chunks, puts the results in their places.
//!
//! Everything happens inside `next`, on the caller's thread, and most of it when a chunk is used up or has come back:
//! to hand out one more result of a chunk that is there touches nothing else.
//!
//! Three limits hold: at most [`CHUNKS_PER_WORKER`] chunks for each worker are on their way, at most `window` items
//! are between the input and the consumer, and a chunk is closed at a certain size. A chunk that was cut short by the
//! failure of one item goes on without it: the failed item is tried again alone, if it has retries left, and the
//! items behind it travel in a new chunk. So an item's failure is its own.

use std::collections::BTreeMap;
use std::iter::Fuse;

use super::callable::Callable;
use super::chunk::{CHUNK_BYTES_MAX, Sizer};
use super::piece::{Answer, Piece};
use super::sent::{Chunk, Sent};
use crate::driver::{Items, Lengths, Limits, Order, Outcome};
use crate::error::{Error, ErrorKind};
use crate::oneshot::Watcher;
use crate::pool::{self, Pool};
use crate::task::TaskRef;
use crate::transport::payload::Payload;
use crate::wire::body::Encoded;

/// [`Run::fill`] for one kind of task: for each item by itself, a call of whatever encodes it would cost more than
/// that.
type Fill<I> = fn(&mut Run, &mut Fuse<I>, usize, &'static str);

/// One chunk runs, the next one waits in the queue behind it.
const CHUNKS_PER_WORKER: usize = 2;

/// The window for each worker, if none is asked for: enough for the longest chunks, twice as many as may be on their
/// way.
const WINDOW_PER_WORKER: usize = 16_384;

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
    fill: Fill<I>,
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
    /// How many bytes the last one had.
    last_bytes: usize,
    /// How many items are between the input and the consumer.
    pending: usize,
    /// Items that have been pulled so far: the place of the next one.
    pulled: usize,
    /// The place of the result that is handed out next, in order.
    next_place: usize,
    /// What is being handed out.
    current: Piece,
    /// What is handed out later, by the place of its first item.
    ready: BTreeMap<usize, Piece>,
    /// Which of the chunks on their way was looked at last: one of them is, at each `next`.
    looked_at: usize,
}

impl<I: Iterator> Gather<I> {
    /// What `F` is applied to `input`; `task` says which task that is.
    pub(super) fn new<F, How>(input: I, task: Result<TaskRef, Error>) -> Self
    where
        F: Callable<I::Item, How>,
    {
        let fill: Fill<I> = |run, input, len, task_name| run.fill(input, F::encode, len, task_name);
        Self { input: input.fuse(), fill, task, options: Options::default(), run: None }
    }

    fn task_name(&self) -> &'static str {
        self.task.as_ref().map_or("", |task| task.entry.name)
    }

    /// The next result, and the place of its item, if it stands in a row and nothing else is to be done before.
    #[inline]
    pub(super) fn next_in_row(&mut self) -> Option<(usize, &[u8])> {
        let run = self.run.as_mut()?;
        let next = run.current.next_in_row()?;
        run.pending -= 1;
        Some(next)
    }

    /// The result of the next item of the input.
    #[inline]
    pub(super) fn next_in_order(&mut self) -> Option<Answer<'_>> {
        self.next(Run::take_next)
    }

    /// The result of any item.
    #[inline]
    pub(super) fn next_finished(&mut self) -> Option<Answer<'_>> {
        self.next(Run::take_any)
    }

    #[inline]
    fn next(&mut self, take: fn(&mut Run) -> Option<Piece>) -> Option<Answer<'_>> {
        let is_there = self.run.as_mut().is_some_and(Run::has_current_and_no_news);
        if !is_there && !self.find_current(take) {
            return None;
        }
        self.run.as_mut()?.next()
    }

    /// Keeps the workers busy, and sees to it that there is a current piece, if there is anything more to come.
    #[cold]
    fn find_current(&mut self, take: fn(&mut Run) -> Option<Piece>) -> bool {
        loop {
            self.pull();
            let Some(run) = self.run.as_mut() else { return false };
            if run.collect(&self.task) {
                // At once: a worker may have run out of work.
                self.pull();
            }
            let Some(run) = self.run.as_mut() else { return false };
            if run.current.is_used_up() {
                let Some(piece) = take(run) else {
                    if run.wait_or_end() {
                        continue;
                    }
                    return false;
                };
                run.current = piece;
            }
            return true;
        }
    }

    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        let pending = self.run.as_ref().map_or(0, |run| run.pending);
        let (least, most) = self.input.size_hint();
        (least.saturating_add(pending), most.and_then(|most| most.checked_add(pending)))
    }

    /// Pulls as much input as the limits allow, and sends it.
    fn pull(&mut self) {
        let task_name = self.task_name();
        let run = self.run.get_or_insert_with(|| Run::new(&self.options, &self.task));
        let workers = run.pool.workers();
        while run.sent.len() < CHUNKS_PER_WORKER * workers {
            let left = self.input.size_hint().1;
            let share = if run.sizer.is_fixed() { run.window } else { run.window_share(workers) };
            let len = run.sizer.next_len(left, workers).min(share);
            if !run.has_room_for(len) || run.is_held_back() {
                break;
            }
            (self.fill)(run, &mut self.input, len, task_name);
            if run.filling.is_empty() {
                return;
            }
            run.send_filling(&self.task);
        }
        // Left behind by an input that panicked, with the window full since.
        if run.sent.is_empty() && !run.filling.is_empty() {
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
        let lifespan = pool.settings().max_calls_per_worker;
        Self {
            pool,
            limits,
            window: window.max(1),
            sizer: Sizer::new(options.chunk_size, lifespan),
            filling: Chunk::default(),
            sent: Vec::new(),
            last_bytes: 1,
            pending: 0,
            pulled: 0,
            next_place: 0,
            current: Piece::empty(),
            ready: BTreeMap::new(),
            looked_at: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.pending < self.window
    }

    /// So long may a chunk be that there is room for all that are on their way, and for those that are handed out
    /// meanwhile.
    fn window_share(&self, workers: usize) -> usize {
        (self.window / ((CHUNKS_PER_WORKER + 1) * workers.max(1))).max(1)
    }

    /// Whether a chunk of `len` items may be filled. A shorter one would do only if nothing else were on its way.
    fn has_room_for(&self, len: usize) -> bool {
        let room = self.window.saturating_sub(self.pending);
        room >= len || self.sent.is_empty() && room > 0
    }

    /// Whether the pool's queue has no room for a chunk as long as the last one. If nothing is there that would end
    /// that, waits until it has.
    fn is_held_back(&self) -> bool {
        if self.pool.would_take(self.last_bytes) {
            return false;
        }
        let is_idle = self.sent.is_empty() && self.ready.is_empty() && self.current.is_used_up();
        if is_idle {
            self.pool.wait_for_room(self.last_bytes);
        }
        !is_idle
    }

    #[inline]
    fn has_current_and_no_news(&mut self) -> bool {
        if self.current.is_used_up() {
            return false;
        }
        self.looked_at = if self.looked_at + 1 < self.sent.len() { self.looked_at + 1 } else { 0 };
        self.sent.get(self.looked_at).is_none_or(|sent| !sent.cell.is_done())
    }

    #[inline]
    fn next(&mut self) -> Option<Answer<'_>> {
        let answer = self.current.next()?;
        self.pending -= 1;
        Some(answer)
    }

    /// Moves items from the input into the chunk that is being filled, until it has `len` of them or a limit is met. An
    /// item that cannot be encoded has its result at once, and closes the chunk, whose items are consecutive.
    #[inline]
    fn fill<T>(
        &mut self,
        input: &mut impl Iterator<Item = T>,
        encode: impl Fn(&T, &mut Encoded) -> Result<(), Error>,
        len: usize,
        task_name: &str,
    ) {
        while self.filling.lengths.count() < len
            && self.filling.payload.bytes.len() < CHUNK_BYTES_MAX
            && self.has_room()
        {
            let Some(item) = input.next() else { return };
            let (place, before) = (self.pulled, self.filling.payload.bytes.len());
            self.pulled += 1;
            self.pending += 1;
            match encode(&item, &mut self.filling.payload) {
                Ok(()) => self.filling.push(place, before),
                Err(why) => {
                    self.fail(place, 1, why.with_task(task_name));
                    if !self.filling.is_empty() {
                        return;
                    }
                }
            }
        }
    }

    fn send_filling(&mut self, task: &Result<TaskRef, Error>) {
        let Chunk { first, payload, lengths } = std::mem::take(&mut self.filling);
        // The next one will be about as long.
        self.last_bytes = payload.bytes.len().max(1);
        self.filling.payload.bytes.reserve(payload.bytes.len().min(CHUNK_BYTES_MAX));
        self.send(task, first, payload.into(), lengths, 0);
    }

    fn send(
        &mut self,
        task: &Result<TaskRef, Error>,
        first: usize,
        payload: Payload,
        lengths: Lengths,
        tries_before: u32,
    ) {
        let task = match task.clone().and_then(|task| self.pool.check().map(|()| task)) {
            Ok(task) => task,
            Err(why) => return self.fail(first, lengths.count(), why),
        };
        let is_single = lengths.count() == 1;
        let retries = if is_single { self.limits.retries.map(|all| all.saturating_sub(tries_before)) } else { Some(0) };
        let limits = Limits { retries, ..self.limits };
        let items = if is_single { Items::One } else { Items::Many(Box::new(lengths.clone())) };
        let order = Order::new(task, payload.clone(), items, limits).into_chunk(tries_before);
        let (call, cell) = self.pool.submit_items(order);
        self.sent.push(Sent { call, cell, first, payload, lengths, is_single });
    }

    /// Takes in every chunk that has come back. Returns whether there was one.
    fn collect(&mut self, task: &Result<TaskRef, Error>) -> bool {
        let (mut next, mut has_come) = (0, false);
        while let Some(sent) = self.sent.get(next) {
            match sent.cell.take() {
                None => next += 1,
                Some(outcome) => {
                    let sent = self.sent.remove(next);
                    self.take_in(task, sent, *outcome);
                    has_come = true;
                }
            }
        }
        has_come
    }

    fn take_in(&mut self, task: &Result<TaskRef, Error>, sent: Sent, mut outcome: Outcome) {
        outcome.show_printed();
        let done = outcome.results.len();
        self.sizer.observe(done, outcome.ran);
        if done > 0 {
            self.ready.insert(sent.first, Piece::of(sent.first, outcome.results));
        }
        let count = sent.lengths.count();
        let Some(why) = outcome.end.filter(|_| done < count) else { return };
        if !blames_one_item(&why) {
            return self.fail(sent.first + done, count - done, why);
        }
        if why.is_crash() && !sent.is_single && self.limits.retries.unwrap_or(0) > 0 {
            let (payload, lengths) = sent.part(done, done + 1);
            self.send(task, sent.first + done, payload, lengths, 1);
        } else {
            self.fail(sent.first + done, 1, why);
        }
        if done + 1 < count {
            let (payload, lengths) = sent.part(done + 1, count);
            self.send(task, sent.first + done + 1, payload, lengths, 0);
        }
    }

    /// So many items from `first` on have no result but this error.
    fn fail(&mut self, first: usize, count: usize, why: Error) {
        self.ready.insert(first, Piece::failed(first, count, why));
    }

    /// What comes next in the order of the input, if it is there.
    fn take_next(&mut self) -> Option<Piece> {
        let piece = self.ready.remove(&self.next_place)?;
        self.next_place += piece.count();
        Some(piece)
    }

    /// What is there.
    fn take_any(&mut self) -> Option<Piece> {
        self.ready.pop_first().map(|(_, piece)| piece)
    }

    /// Waits until a chunk has come back. `false`: none is on its way, so there is nothing more to come.
    fn wait_or_end(&mut self) -> bool {
        if self.sent.is_empty() {
            return !self.filling.is_empty();
        }
        let watch = || self.sent.iter().for_each(|sent| sent.cell.watch(Watcher::this_thread()));
        self.pool.wait(|| self.sent.iter().any(|sent| sent.cell.is_done()), watch);
        true
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.pool.cancel_all(self.sent.iter().map(|sent| sent.call));
    }
}

/// Whether the error is that of the item that ran, and says nothing about those behind it.
fn blames_one_item(why: &Error) -> bool {
    matches!(why.kind(), ErrorKind::Crash | ErrorKind::Timeout | ErrorKind::MemoryLimit) && why.may_have_run()
}
