//! The part of a `par_map` that knows no input: its chunks on their way, and the results in their places.
//!
//! A chunk that was cut short by the failure of one item goes on without it: the failed item is tried again alone, if it has
//! retries left, and the items behind it travel in a new chunk. So an item's failure is its own. The worker itself breaks
//! one off whose items take far longer than was thought; then they travel in as many chunks as are fit for that.

use std::collections::BTreeMap;
#[cfg(feature = "futures")]
use std::task::Waker;
use std::time::Instant;

use super::chunk::{CHUNK_BYTES_MAX, Sizer};
use super::gather::{CHUNKS_PER_WORKER, Options, WINDOW_PER_WORKER};
use super::leftovers::Leftovers;
use super::piece::{Answer, Piece};
use super::sent::{Batch, Chunk, Sent};
#[cfg(feature = "progress")]
use super::shown::Shown;
use crate::driver::{Items, Limits, Order, Outcome};
use crate::error::{Error, ErrorKind};
use crate::oneshot::Watcher;
use crate::pool::{self, Pool};
use crate::task::TaskRef;
use crate::wire::body::Encoded;

/// See the module.
pub(super) struct Run {
    pub(super) pool: Pool,
    /// The pool's and the task's defaults filled in.
    pub(super) limits: Limits,
    pub(super) window: usize,
    pub(super) sizer: Sizer,
    /// The chunk that is being filled. It stays here between two `next`s if the input panics.
    pub(super) filling: Chunk,
    /// Items of chunks that have come back without them.
    pub(super) leftovers: Leftovers,
    /// Chunks on their way, in the order in which they were sent.
    pub(super) sent: Vec<Sent>,
    /// How many bytes the last one had.
    pub(super) last_bytes: usize,
    /// How many items are between the input and the consumer.
    pub(super) pending: usize,
    /// Items that have been pulled so far: the place of the next one.
    pub(super) pulled: usize,
    /// The place of the result that is handed out next, in order.
    pub(super) next_place: usize,
    /// What is being handed out.
    pub(super) current: Piece,
    /// What is handed out later, by the place of its first item.
    pub(super) ready: BTreeMap<usize, Piece>,
    /// Which of the chunks on their way was looked at last: one of them is, at each `next`.
    pub(super) looked_at: usize,
    /// Whether the pool's queue had no room for the next chunk, when that was last looked at.
    has_no_room: bool,
    #[cfg(feature = "progress")]
    pub(super) shown: Option<Shown>,
}

impl Run {
    pub(super) fn new(options: &Options, task: &Result<TaskRef, Error>) -> Self {
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
            leftovers: Leftovers::default(),
            sent: Vec::new(),
            last_bytes: 1,
            pending: 0,
            pulled: 0,
            next_place: 0,
            current: Piece::empty(),
            ready: BTreeMap::new(),
            looked_at: 0,
            has_no_room: false,
            #[cfg(feature = "progress")]
            shown: options.progress.as_deref().map(Shown::new),
        }
    }

    fn has_room(&self) -> bool {
        self.pending < self.window
    }

    /// So long may a chunk be that there is room for all that are on their way, and for those that are handed out
    /// meanwhile.
    pub(super) fn window_share(&self, workers: usize) -> usize {
        (self.window / ((CHUNKS_PER_WORKER + 1) * workers.max(1))).max(1)
    }

    /// Whether a chunk of `len` items may be filled. A shorter one would do only if nothing else were on its way.
    pub(super) fn has_room_for(&self, len: usize) -> bool {
        let room = self.window.saturating_sub(self.pending);
        room >= len || self.sent.is_empty() && room > 0
    }

    /// Whether the pool's queue has no room for a chunk as long as the last one.
    pub(super) fn is_held_back(&mut self) -> bool {
        self.has_no_room = !self.pool.would_take(self.last_bytes);
        self.has_no_room
    }

    #[inline]
    pub(super) fn has_current_and_no_news(&mut self) -> bool {
        if self.current.is_used_up() {
            return false;
        }
        self.looked_at = if self.looked_at + 1 < self.sent.len() { self.looked_at + 1 } else { 0 };
        self.sent.get(self.looked_at).is_none_or(|sent| !sent.cell.is_done())
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Answer<'_>> {
        let answer = self.current.next()?;
        self.pending -= 1;
        Some(answer)
    }

    /// Moves items from the input into the chunk that is being filled, until it has `len` of them or a limit is met. An
    /// item that cannot be encoded has its result at once, and closes the chunk, whose items are consecutive.
    #[inline]
    pub(super) fn fill<T>(
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

    pub(super) fn send_filling(&mut self, task: &Result<TaskRef, Error>) {
        let Chunk { first, payload, lengths } = std::mem::take(&mut self.filling);
        // The next one will be about as long.
        self.last_bytes = payload.bytes.len().max(1);
        self.filling.payload.bytes.reserve(payload.bytes.len().min(CHUNK_BYTES_MAX));
        self.send(task, Batch { first, payload: payload.into(), lengths }, 0);
    }

    /// Sends some of what is left of earlier chunks. `false`: nothing is.
    pub(super) fn send_leftovers(
        &mut self,
        task: &Result<TaskRef, Error>,
        more: Option<usize>,
        workers: usize,
    ) -> bool {
        let left = more.and_then(|more| more.checked_add(self.leftovers.count()));
        if self.leftovers.is_empty() {
            return false;
        }
        let len = self.sizer.next_len(left, workers);
        self.leftovers.take(len).into_iter().for_each(|batch| self.send(task, batch, 0));
        true
    }

    fn send(&mut self, task: &Result<TaskRef, Error>, batch: Batch, tries_before: u32) {
        let task = match task.clone().and_then(|task| self.pool.check().map(|()| task)) {
            Ok(task) => task,
            Err(why) => return self.fail(batch.first, batch.count(), why),
        };
        let is_single = batch.count() == 1;
        let retries = if is_single { self.limits.retries.map(|all| all.saturating_sub(tries_before)) } else { Some(0) };
        let limits = Limits { retries, ..self.limits };
        let items = if is_single { Items::One } else { Items::Many(Box::new(batch.lengths.clone())) };
        let order = Order::new(task, batch.payload.clone(), items, limits).into_chunk(tries_before).traced();
        let order = if self.sizer.is_fixed() { order } else { order.that_may_break_off() };
        let (call, cell) = self.pool.submit_items(order);
        self.sent.push(Sent { call, cell, batch, is_single });
    }

    /// Takes in every chunk that has come back. Returns whether there was one.
    pub(super) fn collect(&mut self, task: &Result<TaskRef, Error>) -> bool {
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
        #[cfg(feature = "progress")]
        self.shown.as_mut().into_iter().for_each(|shown| shown.count_outcome(&outcome));
        let Sent { batch, is_single, .. } = sent;
        let (first, done, count) = (batch.first, outcome.results.len(), batch.count());
        self.sizer.observe(done, outcome.ran);
        if done > 0 {
            self.ready.insert(first, Piece::of(first, outcome.results));
        }
        if done == count {
            return;
        }
        let Some(why) = outcome.end else { return self.leftovers.put(batch, done) };
        if !blames_one_item(&why) {
            return self.fail(first + done, count - done, why);
        }
        if why.is_crash() && !is_single && self.limits.retries.unwrap_or(0) > 0 {
            self.send(task, batch.part(done, done + 1), 1);
        } else {
            self.fail(first + done, 1, why);
        }
        self.leftovers.put(batch, done + 1);
    }

    /// So many items from `first` on have no result but this error.
    fn fail(&mut self, first: usize, count: usize, why: Error) {
        #[cfg(feature = "progress")]
        self.shown.as_mut().into_iter().for_each(|shown| shown.count(count, count));
        self.ready.insert(first, Piece::failed(first, count, why));
    }

    /// What comes next in the order of the input, if it is there.
    pub(super) fn take_next(&mut self) -> Option<Piece> {
        let piece = self.ready.remove(&self.next_place)?;
        self.next_place += piece.count();
        Some(piece)
    }

    /// What is there.
    pub(super) fn take_any(&mut self) -> Option<Piece> {
        self.ready.pop_first().map(|(_, piece)| piece)
    }

    /// Whether nothing is on its way, and nothing will be: there is no more to come.
    pub(super) fn is_over(&self) -> bool {
        self.sent.is_empty() && self.filling.is_empty() && self.leftovers.is_empty() && !self.has_no_room
    }

    /// Waits until a chunk has come back, or there is room for one.
    pub(super) fn wait(&mut self) {
        if self.sent.is_empty() {
            if self.has_no_room {
                self.pool.wait_for_room(self.last_bytes);
            }
            return;
        }
        #[cfg(feature = "progress")]
        if self.shown.is_some() {
            return self.wait_and_show();
        }
        self.wait_until(None);
    }

    /// Waits for a chunk until then. `false`: none has come back.
    fn wait_until(&self, until: Option<Instant>) -> bool {
        let watch = || self.sent.iter().for_each(|sent| sent.cell.watch(Watcher::this_thread()));
        self.pool.wait_until(until, || self.sent.iter().any(|sent| sent.cell.is_done()), watch)
    }

    #[cfg(feature = "progress")]
    fn wait_and_show(&mut self) {
        while !self.wait_until(Shown::next()) {
            self.show();
        }
    }

    /// Shows how far it is, if that was asked for.
    #[cfg(feature = "progress")]
    pub(super) fn show(&mut self) {
        self.shown.as_mut().into_iter().for_each(|shown| shown.show(&self.pool));
    }

    /// What it waits for wakes `waker`, too. `false`: there is something already.
    #[cfg(feature = "futures")]
    pub(super) fn will_wake(&self, waker: &Waker) -> bool {
        if self.sent.is_empty() {
            return self.has_no_room && !self.pool.has_room(self.last_bytes, || Watcher::Task(waker.clone()));
        }
        self.sent.iter().for_each(|sent| sent.cell.watch(Watcher::Task(waker.clone())));
        !self.sent.iter().any(|sent| sent.cell.is_done())
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
