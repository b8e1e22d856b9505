#![doc = include_str!("../README.md")]

mod arity;
mod caught;
mod confinement;
mod ids;
mod memory;
mod shared;
mod sync;
mod sys;

mod error;
mod executor;
mod identity;
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

mod driver;
mod par_map;
mod pool;

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
pub use identity::{WorkerInfo, is_cancelled, is_worker, worker};
pub use ids::CallId;
pub use observe::PoolStats;
pub use par_map::{ParMap, ParMapIter, Unordered};
pub use pool::{
    AsCompleted, Call, CallStatus, Closure, InitializerResult, JoinHandle, Pool, PoolBuilder, as_completed, join_all,
    keyed, pool, reusable,
};
pub use shared::{Fd, Shared};
pub use worker::init;

/// Holds that what the page shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/migration.md")]
mod migration {}
