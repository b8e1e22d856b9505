//! A call described, not started: a task, its encoded arguments, and how it shall be run.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::handle::JoinHandle;
use super::{Pool, shared};
use crate::driver::{Items, Limits, Order};
use crate::errand::Errand;
use crate::error::{Error, ErrorKind};
use crate::oneshot::Watcher;
use crate::task::TaskRef;
use crate::transport::payload::Payload;
use crate::wire::body::Encoded;

/// A call that is described and not started, as made by `task.bind(arguments)`: the place for options.
///
/// The arguments are encoded already; an argument that could not be is reported by the handle. A clone shares them, so
/// one description can be started any number of times.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn decode(image: Vec<u8>) -> Result<u32, String> {
///     // …
/// #   Ok(image.len() as u32)
/// }
///
/// # loky::main! { fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pixels = decode.bind(vec![0; 16]).timeout(Duration::from_secs(2)).retries(1).run()??;
/// # Ok(()) } }
/// ```
///
/// # Limits
///
/// Those of time are kept whatever the task does: what runs past one is killed with its worker. A limit that lies further
/// in the future than the clock can tell, such as [`Duration::MAX`], is none.
///
/// # If the worker dies
///
/// The call ends in [`ErrorKind::Crash`](crate::ErrorKind::Crash), unless it has [`retries`](Self::retries) left: then it
/// goes to another worker, with the same arguments, before younger calls.
#[must_use = "a call does nothing until it is spawned or run"]
pub struct Call<R> {
    task: Result<TaskRef, Error>,
    arguments: Result<Payload, Error>,
    pool: Option<Pool>,
    limits: Limits,
    result: PhantomData<fn() -> R>,
}

impl<R> Call<R> {
    pub(crate) fn new(task: Result<TaskRef, Error>, arguments: Result<Encoded, Error>) -> Self {
        let arguments = match (&task, arguments) {
            (Ok(task), Err(why)) => Err(why.with_task(task.entry.name)),
            (_, arguments) => arguments.map(Payload::from),
        };
        Self { task, arguments, pool: None, limits: Limits::default(), result: PhantomData }
    }

    /// Runs in `pool`. Default: the process-wide reusable pool, [`loky::pool()`](crate::pool()).
    pub fn on(mut self, pool: &Pool) -> Self {
        self.pool = Some(pool.clone());
        self
    }

    /// How long one attempt may run, counted from its start in the worker; past it, the worker is killed with all that
    /// it has started, and the call ends in [`ErrorKind::Timeout`](crate::ErrorKind::Timeout).
    ///
    /// Default: the task's own `timeout`, then the pool's, then none. Time in the queue does not count. The clock is one
    /// that nobody can set, and that stands still while the machine is suspended: a suspend ends no call.
    ///
    /// # Examples
    ///
    /// A value for calls that take too long, and nothing but those:
    ///
    /// ```
    /// use std::time::Duration;
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn score(input: &str) -> f64 {
    ///     // …
    /// #   input.len() as f64
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let limited = score.bind("input").timeout(Duration::from_secs(2));
    /// let score = limited.run().or_else(|why| if why.is_timeout() { Ok(0.0) } else { Err(why) })?;
    /// # Ok(()) } }
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limits.timeout = Some(limit);
        self
    }

    /// How long the call may wait for a worker; past it, the call ends in
    /// [`ErrorKind::QueueTimeout`](crate::ErrorKind::QueueTimeout) without having run. Default: none.
    pub fn queue_timeout(mut self, limit: Duration) -> Self {
        self.limits.queue_timeout = Some(limit);
        self
    }

    /// How long the call may take in all, queue and run and retries, counted from `spawn`; past it, the call ends in
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). Default: none.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.limits.deadline = Some(limit);
        self
    }

    /// How many extra attempts the call has after its worker has died. A panic, an `Err` and a timeout are results, not
    /// deaths: they are never tried again.
    ///
    /// Default: the task's own `retries`, then the pool's, then 0. Ask for some only if running the task twice is safe:
    /// the worker may have died after the task's last effect.
    pub fn retries(mut self, extra_attempts: u32) -> Self {
        self.limits.retries = Some(extra_attempts);
        self
    }

    /// Calls of a higher priority are started first; of equal ones, the older. Default: 0.
    pub fn priority(mut self, priority: i32) -> Self {
        self.limits.priority = priority;
        self
    }

    /// The same as an errand of a pool that is still to be built. An error if the call cannot be made, or if it is
    /// described by more than its own time limit; `role` is what it would be.
    pub(super) fn into_errand(self, role: &str) -> Result<Errand, Error> {
        let (task, arguments) = (self.task?, self.arguments?);
        let Limits { timeout, queue_timeout, deadline, retries, priority } = self.limits;
        let refused = [
            (self.pool.is_some(), "on"),
            (retries.is_some(), "retries"),
            (priority != 0, "priority"),
            (queue_timeout.is_some(), "queue_timeout"),
            (deadline.is_some(), "deadline"),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, option)) => {
                let what = format!("cannot be the {role} of a pool: `.{option}(…)` has no meaning there");
                let advice =
                    "leave that out: each worker of the pool runs it once, and only `.timeout(…)` can be said of it";
                Err(Error::new(ErrorKind::Config, what).with_task(task.entry.name).with_advice(advice))
            }
            None => Ok(Errand::new(task, arguments.in_one_piece(), timeout)),
        }
    }

    /// The order, and the pool that it goes to; or what is wrong with either.
    fn prepare(self) -> Result<(Pool, Order), Error> {
        let (task, payload) = (self.task?, self.arguments?);
        let pool = self.pool.unwrap_or_else(shared::pool);
        pool.check().map_err(|why| why.with_task(task.entry.name))?;
        let limits = self.limits.or_defaults(&task, pool.settings());
        Ok((pool, Order::new(task, payload, Items::One, limits).traced()))
    }
}

impl<R: DeserializeOwned> Call<R> {
    /// Starts the call.
    ///
    /// # Errors
    ///
    /// None here: whatever is wrong is in the handle.
    ///
    /// # Blocking
    ///
    /// Only if the pool has a [`queue_limit`](super::PoolBuilder::queue_limit), or one
    /// [in bytes](super::PoolBuilder::queue_limit_bytes), and the queue is full: until there is room for the call. Its
    /// limits of time count from then on.
    pub fn spawn(self) -> JoinHandle<R> {
        match self.prepare() {
            Ok((pool, order)) => pool.submit(order),
            Err(why) => JoinHandle::failed(why),
        }
    }

    /// Starts the call and waits for its result: `spawn` and `join`.
    ///
    /// # Errors
    ///
    /// Whatever [`join`](JoinHandle::join) reports.
    ///
    /// # Blocking
    ///
    /// Until the call ends. Give it a [`timeout`](Self::timeout) or a [`deadline`](Self::deadline) to bound that.
    pub fn run(self) -> Result<R, Error> {
        self.spawn().join()
    }

    /// Starts the call, unless the pool's queue is full.
    ///
    /// # Errors
    ///
    /// The call itself, unchanged, if as many calls wait as the pool's
    /// [`queue_limit`](super::PoolBuilder::queue_limit) allows, or if its arguments would exceed
    /// [`queue_limit_bytes`](super::PoolBuilder::queue_limit_bytes). Any other fault is in the handle.
    ///
    /// # Blocking
    ///
    /// It never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn render(page: u32) -> Vec<u8> {
    ///     vec![0; page as usize]
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(1).queue_limit(100).build()?;
    /// let answer = match render.bind(3).on(&pool).try_spawn() {
    ///     Ok(handle) => handle.join()?,
    ///     Err(_call) => b"503: come back later".to_vec(),
    /// };
    /// assert_eq!(answer, [0, 0, 0]);
    /// # Ok(()) } }
    /// ```
    #[expect(clippy::result_large_err, reason = "the call is given back as it came")]
    pub fn try_spawn(self) -> Result<JoinHandle<R>, Self> {
        match self.clone().prepare() {
            Ok((pool, order)) => pool.try_submit(&mut Some(order)).ok_or(self),
            Err(why) => Ok(JoinHandle::failed(why)),
        }
    }

    /// Starts the call as soon as the pool's queue has room, without blocking the thread until then.
    ///
    /// Dropping the future before it is done drops the call: it was not started.
    ///
    /// # Blocking
    ///
    /// The thread never is; the future is done when the queue has room, which without a
    /// [`queue_limit`](super::PoolBuilder::queue_limit) it always has.
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
    /// async fn handle(request: u64) -> Result<u64, loky::Error> {
    ///     square.bind(request).spawn_async().await.await
    /// }
    /// ```
    pub async fn spawn_async(self) -> JoinHandle<R> {
        match self.prepare() {
            Ok((pool, order)) => Room { pool, order: Some(order), result: PhantomData }.await,
            Err(why) => JoinHandle::failed(why),
        }
    }
}

/// Waits until the call could be started.
struct Room<R> {
    pool: Pool,
    /// Until it is started.
    order: Option<Order>,
    result: PhantomData<fn() -> R>,
}

impl<R> Future for Room<R> {
    type Output = JoinHandle<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let room = &mut *self;
            assert!(room.order.is_some(), "`spawn_async` was polled again after it had started the call");
            if let Some(handle) = room.pool.try_submit(&mut room.order) {
                return Poll::Ready(handle);
            }
            let bytes = room.order.as_ref().map_or(0, Order::bytes);
            if !self.pool.has_room(bytes, || Watcher::Task(context.waker().clone())) {
                return Poll::Pending;
            }
        }
    }
}

impl<R> Clone for Call<R> {
    fn clone(&self) -> Self {
        Self {
            task: self.task.clone(),
            arguments: self.arguments.clone(),
            pool: self.pool.clone(),
            limits: self.limits,
            result: PhantomData,
        }
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.task.as_ref().map(|task| task.entry.name);
        f.debug_struct("Call").field("task", &task).field("limits", &self.limits).finish_non_exhaustive()
    }
}
