//! What users hold: pools, calls, handles.
//!
//! A pool is a thin owner of a driver. The last clone that goes asks the driver to finish what it has; nobody waits
//! for that.

mod builder;
mod call;
pub(crate) mod closure;
mod decode;
pub(crate) mod dot;
mod engine;
mod gather;
mod handle;
mod shared;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::builder::{InitializerResult, PoolBuilder};
pub use self::call::Call;
pub use self::closure::Closure;
pub(crate) use self::decode::{decode_enclosing, decode_result};
pub(crate) use self::engine::Engine;
pub use self::gather::{AsCompleted, as_completed, join_all};
pub use self::handle::{CallStatus, JoinHandle};
pub use self::shared::{keyed, pool, reusable};
#[cfg(feature = "progress")]
use crate::bars::Own;
use crate::config::Settings;
use crate::driver::{Order, Outcome, OutcomeCell};
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;
use crate::observe::PoolStats;
use crate::oneshot::{Cell, Watcher};
use crate::task::registry;
use crate::{env, identity};

/// Worker processes that run tasks, and the queue in front of them.
///
/// Workers are started when there is work for them, up to the number wanted, and live on between calls. A clone is
/// another handle on the same pool, and cheap. All methods take `&self` and may be called from any thread.
///
/// Dropping the last clone shuts the pool down without waiting: what was spawned still finishes, then its workers
/// leave. When `main` returns, the program ends as any Rust program does: calls that nobody has joined are not awaited,
/// and their workers are gone with it.
///
/// # If the worker dies
///
/// The call that it ran ends in [`ErrorKind::Crash`], or is tried again if it has retries left. A new worker is started
/// when there is work for it. Nothing else is touched.
///
/// # If the program is interrupted
///
/// At the first Ctrl-C or SIGTERM, calls that have begun are finished and no other one begins; then the program ends. The
/// second one ends it at once. [`on_interrupt`](PoolBuilder::on_interrupt) says more, and chooses otherwise.
///
/// # In a forked child
///
/// The pool belongs to the process that built it. In a child made by `fork` without `exec`, calls fail with
/// [`ErrorKind::Shutdown`], and say so.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let pool = loky::Pool::builder().workers(2).name("squares").build()?;
/// assert_eq!(square.bind(7).on(&pool).run()?, 49);
/// pool.shutdown();
/// # Ok(()) } }
/// ```
#[derive(Clone)]
pub struct Pool(Arc<Owner>);

struct Owner {
    engine: Engine,
    settings: Settings,
}

impl Pool {
    /// Describes a new pool: a worker for each processor, unless it is told otherwise.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    /// The number of workers wanted, whether they have been started or not.
    pub fn workers(&self) -> usize {
        self.0.engine.target()
    }

    /// Changes the number of workers wanted; zero counts as one. Does not block.
    ///
    /// A greater number takes effect at once for calls that wait. A smaller one lets idle workers go now, and busy ones
    /// when they have finished the call that they run.
    pub fn resize(&self, workers: usize) {
        self.0.engine.resize(workers);
    }

    /// Starts all workers now instead of with the first calls, and waits until they are ready.
    ///
    /// If workers cannot be started, it returns all the same, and the calls say why.
    ///
    /// # Blocking
    ///
    /// For as long as starting a worker takes, a few milliseconds as a rule; a worker has 30 seconds before it counts as
    /// failed. Its [initializers](PoolBuilder::initializer) come on top of that, and take as long as they may.
    ///
    /// # Examples
    ///
    /// ```
    /// use loky::prelude::*;
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(2).build()?;
    /// pool.warm_up();
    /// assert_eq!(pool.stats().idle, 2);
    /// # pool.shutdown();
    /// # Ok(()) } }
    /// ```
    pub fn warm_up(&self) {
        if self.check().is_err() {
            return;
        }
        if let Ok(cell) = self.0.engine.warm_up() {
            self.0.engine.wait(None, || cell.is_done(), || cell.watch(Watcher::this_thread()));
        }
    }

    /// What the pool has and has done, at this moment. All zero in a forked child.
    ///
    /// It reads some small files of the kernel for each worker, and waits for no call: ask every second, not for every item.
    pub fn stats(&self) -> PoolStats {
        self.0.engine.stats()
    }

    /// Finishes every call that was spawned, then lets the workers go, and waits until nothing of the pool is left: no
    /// process, no thread, no descriptor. Calls spawned from now on end in [`ErrorKind::Shutdown`].
    ///
    /// # Blocking
    ///
    /// Until the last call has ended, the last worker has run its [finalizers](PoolBuilder::finalizer) and the last
    /// [`on_done`](JoinHandle::on_done) callback has returned; to bound it, use
    /// [`shutdown_timeout`](Self::shutdown_timeout). From inside such a callback it does not wait for that callback.
    pub fn shutdown(&self) {
        self.0.engine.ask_shutdown(false);
        self.0.engine.wait_finished(None);
    }

    /// Like [`shutdown`](Self::shutdown), but with a limit: what is not finished by then is ended as by
    /// [`shutdown_now`](Self::shutdown_now). Returns whether everything finished by itself.
    ///
    /// # Blocking
    ///
    /// For `limit`, and then for as long as it takes to end what is left: as `shutdown_now` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn sleep(millis: u64) {
    ///     std::thread::sleep(Duration::from_millis(millis));
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(1).build()?;
    /// let long = sleep.bind(600_000).on(&pool).spawn();
    /// assert!(!pool.shutdown_timeout(Duration::from_millis(100)));
    /// assert_eq!(long.join().unwrap_err().kind(), loky::ErrorKind::Shutdown);
    /// # Ok(()) } }
    /// ```
    pub fn shutdown_timeout(&self, limit: Duration) -> bool {
        self.0.engine.ask_shutdown(false);
        let has_finished = self.0.engine.wait_finished(Instant::now().checked_add(limit));
        if !has_finished {
            self.shutdown_now();
        }
        has_finished
    }

    /// Ends everything at once: calls that wait are given up, workers are killed with all that they have started. The
    /// handles resolve to [`ErrorKind::Shutdown`]. Waits until nothing of the pool is left, as
    /// [`shutdown`](Self::shutdown) does.
    ///
    /// # Blocking
    ///
    /// Until the killed workers are gone, milliseconds as a rule, and [`on_done`](JoinHandle::on_done) callbacks have
    /// returned. No task can keep it from returning.
    pub fn shutdown_now(&self) {
        self.0.engine.ask_shutdown(true);
        self.0.engine.wait_finished(None);
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether a call can be spawned here at all.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !identity::is_ready() {
            return Err(not_initialized());
        }
        registry()?;
        check_depth("did not run")
    }

    /// Starts a call, as soon as the queue has room.
    fn submit<R>(&self, order: Order) -> JoinHandle<R> {
        let mut order = Some(order);
        loop {
            if let Some(handle) = self.try_submit(&mut order) {
                return handle;
            }
            self.wait_for_room(order.as_ref().map_or(0, Order::bytes));
        }
    }

    /// Starts the call, and takes it out of `order`; leaves it there if the queue is full.
    fn try_submit<R>(&self, order: &mut Option<Order>) -> Option<JoinHandle<R>> {
        let entry = order.as_ref()?.entry();
        Some(match self.0.engine.submit(order, None, true)? {
            Ok(call) => JoinHandle::new(call, entry, self.0.engine.clone()),
            Err(why) => JoinHandle::failed(why),
        })
    }

    /// Starts a call whose items' outcomes are read from its cell.
    pub(crate) fn submit_items(&self, order: Order) -> (CallKey, Arc<OutcomeCell>) {
        let cell = Arc::new(OutcomeCell::new());
        let submitted = self.0.engine.submit(&mut Some(order), Some(&cell), false);
        match submitted.expect("only a limit that is heeded refuses an order") {
            Ok(call) => (call, cell),
            Err(why) => (CallKey::nowhere(), Arc::new(OutcomeCell::filled(Box::new(Outcome::failed(why))))),
        }
    }

    pub(crate) fn cancel_all(&self, calls: impl IntoIterator<Item = CallKey>) {
        self.0.engine.cancel_all(calls);
    }

    /// Blocks until `is_done`, driving meanwhile; once `watch` was called, the calling thread must be unparked when
    /// that changes.
    pub(crate) fn wait(&self, is_done: impl Fn() -> bool, watch: impl Fn()) {
        self.wait_until(None, is_done, watch);
    }

    /// The same until then. `false`: it is not done.
    pub(crate) fn wait_until(&self, until: Option<Instant>, is_done: impl Fn() -> bool, watch: impl Fn()) -> bool {
        self.0.engine.wait(until, is_done, watch)
    }

    /// How many workers are busy, and what their tasks say of how far they have come.
    #[cfg(feature = "progress")]
    pub(crate) fn at_work(&self) -> (usize, Vec<Own>) {
        self.0.engine.at_work()
    }

    /// Whether the queue has room for so many bytes of arguments; if not, `watcher` is told when it may have.
    pub(crate) fn has_room(&self, bytes: usize, watcher: impl FnOnce() -> Watcher) -> bool {
        self.0.engine.has_room(bytes, || Some(watcher()))
    }

    /// The same of one that has a bound in bytes, for whoever would not wait.
    pub(crate) fn would_take(&self, bytes: usize) -> bool {
        self.settings().queue_limit_bytes.is_none() || self.0.engine.has_room(bytes, || None)
    }

    /// Blocks until the queue may have room for so many bytes of arguments.
    pub(crate) fn wait_for_room(&self, bytes: usize) {
        let room = Arc::new(Cell::new());
        let told = Arc::clone(&room);
        if !self.has_room(bytes, || Watcher::Hook(Box::new(move || told.complete(())))) {
            self.wait(|| room.is_done(), || room.watch(Watcher::this_thread()));
        }
    }

    fn is_shutting_down(&self) -> bool {
        self.0.engine.is_shutting_down()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.engine.ask_shutdown(false);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.0.settings.name).field("stats", &self.stats()).finish()
    }
}

fn not_initialized() -> Error {
    let what =
        "did not run: its worker would be this program, started once more, which would run `main` again and no task";
    Error::new(ErrorKind::NotInitialized, what)
}

/// `subject` is what cannot be.
fn check_depth(subject: &'static str) -> Result<(), Error> {
    match env::max_depth() {
        Some(max) if identity::depth() >= max => {
            Err(Error::new(ErrorKind::Depth, format!("{subject}: pools are nested {max} deep already")))
        }
        _ => Ok(()),
    }
}
