//! Keeps the calls of one `par_map` going: pulls input, sends chunks, puts the results in their places.
//!
//! Everything happens inside `next`, on the caller's thread, and most of it when a chunk is used up or has come back:
//! to hand out one more result of a chunk that is there touches nothing else.
//!
//! Three limits hold: at most [`CHUNKS_PER_WORKER`] chunks for each worker are on their way, at most `window` items
//! are between the input and the consumer, and a chunk is closed at a certain size. `run` is the part that knows no input.

use std::iter::Fuse;
#[cfg(feature = "futures")]
use std::task::{Poll, Waker};

use super::callable::Callable;
use super::piece::{Answer, Piece};
use super::run::Run;
#[cfg(feature = "progress")]
use super::shown::Shown;
use crate::driver::Limits;
use crate::error::Error;
use crate::pool::Pool;
use crate::task::TaskRef;

/// [`Run::fill`] for one kind of task: for each item by itself, a call of whatever encodes it would cost more than
/// that.
type Fill<I> = fn(&mut Run, &mut Fuse<I>, usize, &'static str);

/// One chunk runs, the next one waits in the queue behind it.
pub(super) const CHUNKS_PER_WORKER: usize = 2;

/// The window for each worker, if none is asked for: enough for the longest chunks, twice as many as may be on their
/// way.
pub(super) const WINDOW_PER_WORKER: usize = 16_384;

/// What a `par_map` was told before it began.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) pool: Option<Pool>,
    pub(super) chunk_size: Option<usize>,
    pub(super) window: Option<usize>,
    pub(super) limits: Limits,
    #[cfg(feature = "progress")]
    pub(super) progress: Option<String>,
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

/// What comes next.
enum Step {
    Found,
    /// Nothing, as long as nothing comes back.
    Waits,
    Over,
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

    /// Sees to it that there is a current piece, if there is anything more to come.
    #[cold]
    fn find_current(&mut self, take: fn(&mut Run) -> Option<Piece>) -> bool {
        loop {
            match self.advance(take) {
                Step::Found => return true,
                Step::Over => return false,
                Step::Waits => self.run.iter_mut().for_each(Run::wait),
            }
        }
    }

    /// The result of the next item of the input, for whoever must not block: if it is not there, `waker` will be woken.
    #[cfg(feature = "futures")]
    pub(super) fn poll_in_order(&mut self, waker: &Waker) -> Poll<Option<Answer<'_>>> {
        self.poll(waker, Run::take_next)
    }

    /// The same of any item.
    #[cfg(feature = "futures")]
    pub(super) fn poll_finished(&mut self, waker: &Waker) -> Poll<Option<Answer<'_>>> {
        self.poll(waker, Run::take_any)
    }

    #[cfg(feature = "futures")]
    fn poll(&mut self, waker: &Waker, take: fn(&mut Run) -> Option<Piece>) -> Poll<Option<Answer<'_>>> {
        if !self.run.as_mut().is_some_and(Run::has_current_and_no_news) {
            loop {
                match self.advance(take) {
                    Step::Found => break,
                    Step::Over => return Poll::Ready(None),
                    Step::Waits if self.run.as_ref().is_some_and(|run| run.will_wake(waker)) => return Poll::Pending,
                    Step::Waits => {}
                }
            }
        }
        Poll::Ready(self.run.as_mut().and_then(Run::next))
    }

    /// Keeps the workers busy, and looks what has come of it.
    fn advance(&mut self, take: fn(&mut Run) -> Option<Piece>) -> Step {
        self.pull();
        let Some(run) = self.run.as_mut() else { return Step::Over };
        if run.collect(&self.task) {
            // At once: a worker may have run out of work.
            self.pull();
        }
        let Some(run) = self.run.as_mut() else { return Step::Over };
        #[cfg(feature = "progress")]
        run.show();
        if !run.current.is_used_up() {
            return Step::Found;
        }
        match take(run) {
            Some(piece) => run.current = piece,
            None if run.is_over() => {
                #[cfg(feature = "progress")]
                run.shown.iter_mut().for_each(Shown::end);
                return Step::Over;
            }
            None => return Step::Waits,
        }
        Step::Found
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
        #[cfg(feature = "progress")]
        run.shown.as_mut().into_iter().for_each(|shown| {
            shown.expect(self.input.size_hint().1.and_then(|more| more.checked_add(run.pulled)));
        });
        let workers = run.pool.workers();
        while run.sent.len() < CHUNKS_PER_WORKER * workers.max(1) {
            let left = self.input.size_hint().1;
            if run.send_leftovers(&self.task, left, workers) {
                continue;
            }
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
