#![doc = include_str!("pages.md")]
// Before the README, for of two definitions of a link the first one counts: beside the pages of rustdoc there is no `docs`.
#![doc = include_str!("../README.md")]
//!
//! # The ways in
//!
//! - **Tasks**: [`task`](macro@task) makes one of a function, [`tasks`](macro@tasks) of the methods of an impl block, and
//!   [`closure!`] of a closure with what it captures. `spawn`, `run` and `bind` come with the [`prelude`].
//! - **Starting up**: [`main!`] around `main`, or [`init`] as its first statement; in tests, the feature `test`.
//! - **One call**: `spawn` gives a [`JoinHandle`], to be joined, awaited, waited for with a limit, cancelled, or given a
//!   callback; `bind` gives a [`Call`], which takes limits of time, retries, a priority, or a pool. Code that must not block
//!   uses [`Call::try_spawn`] or [`Call::spawn_async`].
//! - **Many calls**: [`par_map`](ParMap::par_map) over whatever can be iterated over, in order or
//!   [as results come](ParMapIter::unordered), as an iterator or as a stream; [`as_completed`] and [`join_all`] for handles.
//! - **When it goes wrong**: [`Error`] says why there is no result, [`ErrorKind`] is what to branch on, and
//!   [`Error::may_have_run`] whether to try again. [`Progress`] is how far the task had come by its own words.
//! - **Pools**: [`pool()`] is that of the program, [`reusable`] the same with other settings, [`keyed`] one for a library,
//!   [`Pool::builder`] one of your own. [`PoolBuilder`] has all settings: sizes, limits of time and of
//!   [memory](PoolBuilder::memory_limit), what workers run [first](PoolBuilder::initializer) and
//!   [last](PoolBuilder::finalizer), what they [find around them](PoolBuilder::env), what becomes of what they
//!   [print](PoolBuilder::output), what they are [kept from](PoolBuilder::no_new_privileges), and what
//!   [Ctrl-C](PoolBuilder::on_interrupt) does.
//! - **Large data**: [`Shared`] arrays cost nothing to pass, [`Fd`] is an open file or socket, and [`mod@bulk`] moves the vectors
//!   within types of your own in one piece.
//! - **Inside of a task**: [`worker`](worker()) says who runs it, [`is_cancelled`] whether to stop, and
//!   [`progress`](progress()) and [`progress_message`] how far it has come. [`cpu_count`] is how many processors it may use.
//! - **To see what a pool does**: [`Pool::stats`], the environment variables `LOKY_TRACE` and `LOKY_REPORT`, and the features
//!   `metrics`, `tracing` and `progress`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod arity;
mod caught;
mod confinement;
mod ids;
mod memory;
mod progress;
mod shared;
mod sync;
mod sys;
mod text;
#[cfg(test)]
mod worlds;

mod bars;
mod error;
mod executor;
mod identity;
mod logs;
mod machine;
mod observe;
mod oneshot;
mod scheduler;

mod env;
mod wire;

mod cpu;
mod supervisor;
mod task;
mod transport;

mod errand;

mod config;
mod worker;

#[cfg(feature = "cluster")]
mod boot;
mod driver;
#[cfg(any(all(test, not(loom)), fuzzing))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "cluster")]
mod node;
mod par_map;
mod pool;
mod start;

/// `#[serde(with = "loky::bulk")]` for a field that is a vector of plain data: it travels in one piece.
///
/// A `Vec` or a slice of numbers that is a parameter, a result or a capture itself travels in one piece as it is. Within
/// another value, a vector is written and read element by element, which takes several times as long; with this attribute
/// its bytes are copied as they are. It may hold numbers, arrays of them, and types of your own that say that they are plain
/// data by being [`bytemuck::Pod`](https://docs.rs/bytemuck).
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Copy, Serialize, Deserialize)]
/// #[repr(C)]
/// struct Particle {
///     place: [f64; 3],
///     speed: [f64; 3],
/// }
/// # unsafe impl bytemuck::Zeroable for Particle {}
/// // Or `#[derive(bytemuck::Zeroable, bytemuck::Pod)]`, with that crate's feature `derive`.
/// # unsafe impl bytemuck::Pod for Particle {}
///
/// #[derive(Serialize, Deserialize)]
/// struct Swarm {
///     name: String,
///     #[serde(with = "loky::bulk")]
///     particles: Vec<Particle>,
///     #[serde(with = "loky::bulk")]
///     masses: Vec<f64>,
/// }
///
/// #[loky::task]
/// fn moved(mut swarm: Swarm, time: f64) -> Swarm {
///     for particle in &mut swarm.particles {
///         (0..3).for_each(|axis| particle.place[axis] += time * particle.speed[axis]);
///     }
///     swarm
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let particles = vec![Particle { place: [0.0; 3], speed: [1.0; 3] }; 1000];
/// let swarm = Swarm { name: "slow".to_string(), particles, masses: vec![1.0; 1000] };
/// assert_eq!(moved.run(swarm, 2.0)?.particles[7].place, [2.0; 3]);
/// # Ok(()) } }
/// ```
pub mod bulk;
mod closure_macro;
mod main_macro;
pub mod prelude;
#[doc(hidden)]
pub mod private;

pub use loky_macros::{task, tasks};

pub use config::{Interrupt, Output};
pub use cpu::{cpu_count, physical_cpu_count};
pub use driver::Captured;
pub use error::{Error, ErrorKind};
pub use identity::{WorkerInfo, is_cancelled, is_worker, progress, progress_message, worker};
pub use ids::CallId;
pub use observe::{DeathCauses, Latency, PoolStats, TaskStats, WorkerStats};
pub use par_map::{ParMap, ParMapIter, Unordered};
#[cfg(feature = "futures")]
pub use par_map::{ParMapStream, UnorderedStream};
pub use pool::{
    AsCompleted, Call, CallStatus, Closure, InitializerResult, JoinHandle, Pool, PoolBuilder, as_completed, join_all,
    keyed, pool, reusable,
};
pub use progress::Progress;
pub use shared::{Fd, Shared};
pub use start::init;

/// Holds that what the pages show compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/migration.md")]
mod migration {}

#[cfg(doctest)]
#[doc = include_str!("../docs/observability.md")]
mod observability {}

#[cfg(all(doctest, feature = "progress", feature = "tracing"))]
#[doc = include_str!("../docs/logs-and-progress.md")]
mod logs_and_progress {}

#[cfg(doctest)]
#[doc = include_str!("../docs/testing.md")]
mod testing {}
