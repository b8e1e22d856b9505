//! What `spawn` returns: the way to one call's result. What users see stands here, how an outcome is watched for and taken
//! in `watch`.

mod status;
mod watch;

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

pub use self::status::CallStatus;
use self::watch::UNREAD;
use super::Engine;
use super::decode::decode;
use crate::driver::{Captured, Landing, Outcome};
use crate::error::Error;
use crate::ids::{CallId, CallKey};
use crate::oneshot::Watcher;
use crate::task::Entry;

/// The way to the result of a call that was spawned.
///
/// It resolves in every case: with the task's result, or with an [`Error`] that says why there is none. It is a
/// `Future`, too, on any runtime. Dropping it detaches: the call goes on, and nobody reads its result.
///
/// # If the worker dies
///
/// The call that it ran ends in [`ErrorKind::Crash`], unless it has [`retries`](super::Call::retries) left. No other
/// call is touched.
///
/// [`ErrorKind::Crash`]: crate::ErrorKind::Crash
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let (first, second) = (square.spawn(3), square.spawn(4)); // both run now
/// if !first.wait_timeout(Duration::from_secs(10)) {
///     println!("it takes long");
/// }
/// assert_eq!(first.join()? + second.join()?, 25);
///
/// let later = async { square.spawn(5).await }; // as in any `async fn`
/// # drop(later);
/// # Ok(()) } }
/// ```
#[must_use = "dropping a handle detaches the call; nobody would see its result or its error"]
pub struct JoinHandle<R> {
    /// Kept nowhere once its outcome is taken.
    call: CallKey,
    origin: Origin,
    result: PhantomData<fn() -> R>,
}

enum Origin {
    Pool(Engine, &'static Entry),
    /// It came to no pool, and this is why, until somebody has been told.
    Nowhere(Option<Error>),
}

impl<R> JoinHandle<R> {
    /// There must be one of each call that lands in no cell, and only one.
    pub(super) const fn new(call: CallKey, task: &'static Entry, engine: Engine) -> Self {
        Self { call, origin: Origin::Pool(engine, task), result: PhantomData }
    }

    /// The handle of a call that came to no pool.
    pub(super) fn failed(why: Error) -> Self {
        Self { call: CallKey::nowhere(), origin: Origin::Nowhere(Some(why)), result: PhantomData }
    }

    /// Which call this is: the number by which errors, logs and traces name it.
    pub fn id(&self) -> CallId {
        self.call.id
    }

    /// Whether the call has a result or an error. Never blocks.
    pub fn is_finished(&self) -> bool {
        if let Some(engine) = self.engine().filter(|_| !self.is_done()) {
            // Nobody may have heard of it yet, since nobody waits for it.
            engine.catch_up();
        }
        self.is_done()
    }

    /// Where the call is now. Never blocks.
    pub fn status(&self) -> CallStatus {
        let engine = self.engine().filter(|_| !self.is_done());
        match engine.and_then(|engine| engine.has_started(self.call)) {
            Some(true) => CallStatus::Running,
            Some(false) => CallStatus::Queued,
            None => CallStatus::Finished,
        }
    }

    /// Waits until the call is finished, at the longest for `limit`. Returns whether it is finished; the call itself
    /// is not touched.
    ///
    /// # Blocking
    ///
    /// For `limit` at the longest; not at all if that is zero, or the call is finished.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let until = Instant::now().checked_add(limit);
        let Some(engine) = self.engine().filter(|_| !self.is_done()) else { return true };
        engine.cell_of(self.call).is_some_and(|cell| self.wait(engine, &cell, until))
    }

    /// Gives the call up: one that waits is removed; for one that runs, its worker is **killed** with all that it has
    /// started, and replaced. `false` if the call was finished already, or had been given up before.
    ///
    /// The handle then resolves to [`ErrorKind::Cancelled`]; for a call that ran, when its worker is dead. Does not
    /// block. A task that can end by itself is asked by [`cancel_within`](Self::cancel_within).
    ///
    /// [`ErrorKind::Cancelled`]: crate::ErrorKind::Cancelled
    pub fn cancel(&self) -> bool {
        self.engine().is_some_and(|engine| !self.is_done() && engine.cancel(self.call))
    }

    fn is_done(&self) -> bool {
        self.engine().is_none_or(|engine| engine.has_outcome(self.call))
    }

    /// Asks the call to end, and gives it up if it has not after `grace`: one that waits is removed at once; for one that
    /// runs, [`is_cancelled`](crate::is_cancelled) is `true` from now on. `false` if the call was finished already.
    ///
    /// What the task returns within its grace is the call's result, partial or not: the handle resolves to it as if
    /// nobody had asked. If it returns nothing by then, its worker is **killed** as by [`cancel`](Self::cancel), and the
    /// handle resolves to [`ErrorKind::Cancelled`]; so it does if the worker dies meanwhile, whatever retries are left.
    /// Whoever asks again can make the grace shorter. With [`Duration::MAX`] nobody is ever killed. Does not block.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn improve(mut guess: f64) -> f64 {
    ///     while !loky::is_cancelled() {
    ///         guess = (guess + 2.0 / guess) / 2.0;
    ///     }
    ///     guess
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let improving = improve.spawn(1.0);
    /// improving.wait_timeout(Duration::from_secs(1));
    /// improving.cancel_within(Duration::from_millis(100));
    /// println!("the best guess so far is {}", improving.join()?);
    /// # Ok(()) } }
    /// ```
    ///
    /// [`ErrorKind::Cancelled`]: crate::ErrorKind::Cancelled
    pub fn cancel_within(&self, grace: Duration) -> bool {
        self.engine().is_some_and(|engine| !self.is_done() && engine.ask_to_end(self.call, grace))
    }
}

impl<R: DeserializeOwned> JoinHandle<R> {
    /// Waits for the result.
    ///
    /// # Errors
    ///
    /// Whatever kept the call from having a result: a panic, a crash, a limit, a shutdown…; see [`ErrorKind`]. A task
    /// that returns a `Result` has its own one inside.
    ///
    /// # Blocking
    ///
    /// Until the call ends. Give the call a [`timeout`](crate::Call::timeout) to bound it, or wait with
    /// [`wait_timeout`](Self::wait_timeout).
    ///
    /// [`ErrorKind`]: crate::ErrorKind
    pub fn join(self) -> Result<R, Error> {
        let mut this = self;
        let mut outcome = this.wait_for_outcome()?;
        decode(&mut outcome, this.task())
    }

    /// Waits for the result, and gives what the task has printed along with it, as it came, instead of printing it.
    ///
    /// That there is something takes a pool whose [`output`](crate::PoolBuilder::output) is
    /// [`Output::Capture`](crate::Output::Capture); of any other pool it is empty. It is there whatever the result is:
    /// also what came before a panic, a crash or a limit.
    ///
    /// # Errors
    ///
    /// In the first part; those of [`join`](Self::join).
    ///
    /// # Blocking
    ///
    /// As `join` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn greet(name: &str) -> usize {
    ///     println!("Hello, {name}!");
    ///     name.len()
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(1).output(loky::Output::Capture).build()?;
    /// let (result, captured) = greet.bind("world").on(&pool).spawn().join_captured();
    /// assert_eq!(captured.stdout(), b"Hello, world!\n");
    /// assert_eq!(result?, 5);
    /// # Ok(()) } }
    /// ```
    pub fn join_captured(mut self) -> (Result<R, Error>, Captured) {
        let mut outcome = match self.wait_for_outcome() {
            Ok(outcome) => outcome,
            Err(why) => return (Err(why), Captured::default()),
        };
        let captured = outcome.take_captured();
        (decode(&mut outcome, self.task()), captured)
    }

    fn wait_for_outcome(&mut self) -> Result<Box<Outcome>, Error> {
        if let Origin::Pool(engine, task) = &self.origin {
            engine.check_process().map_err(|why| why.with_task(task.name))?;
        }
        let call = self.call;
        match self.claim_at_end().expect(UNREAD) {
            Landing::Here(outcome) => Ok(outcome),
            Landing::Cell(cell) => {
                let engine = self.engine().expect("only a pool has cells");
                engine.wait_for(Some(call), None, || cell.is_done(), || cell.watch(Watcher::this_thread()));
                Ok(cell.take().expect(UNREAD))
            }
        }
    }

    /// Runs `callback` with the result when the call is finished, on a thread that the pool keeps for callbacks.
    ///
    /// Callbacks of a pool run one after the other, in the order in which their calls finish. They run under no lock
    /// and may spawn calls, also in the same pool. A slow one delays other callbacks, and
    /// [`shutdown`](crate::Pool::shutdown), which waits for them; it delays no result. A panic in one is reported on
    /// standard error and contained.
    ///
    /// Does not block; but a call that came to no pool, because its arguments could not be encoded for instance, is over
    /// already, and its callback runs here and now, on the calling thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let (sender, squares) = mpsc::channel();
    /// square.spawn(7).on_done(move |result| _ = sender.send(result));
    /// assert_eq!(squares.recv().expect("it is called in every case")?, 49);
    /// # Ok(()) } }
    /// ```
    pub fn on_done(self, callback: impl FnOnce(Result<R, Error>) + Send + 'static)
    where
        R: 'static,
    {
        let task = self.task();
        let Origin::Pool(engine, _) = &self.origin else {
            let mut this = self;
            return callback(this.wait_for_outcome().and_then(|mut outcome| decode(&mut outcome, task)));
        };
        // In a forked child nobody finishes it.
        let Some(cell) = engine.cell_of(self.call) else { return };
        let run = move || {
            if let Some(mut outcome) = cell.take() {
                callback(decode(&mut outcome, task));
            }
        };
        let pool = engine.clone();
        self.hook(move || pool.run_callback(Box::new(run)));
        self.await_it();
    }
}

impl<R> fmt::Debug for JoinHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("JoinHandle");
        out.field("call", &self.call.id).field("task", &self.task()).field("status", &self.status());
        let ended = match &self.origin {
            Origin::Pool(engine, _) => engine.ended_in(self.call),
            Origin::Nowhere(why) => why.as_ref().map(|why| Some(why.kind())),
        };
        if let Some(failure) = ended {
            out.field("outcome", &failure.map_or(Ok(type_name::<R>()), Err));
        }
        out.finish()
    }
}
