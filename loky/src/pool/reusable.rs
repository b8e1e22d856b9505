//! The pool that a whole program shares.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Pool, PoolBuilder};
use crate::config::Settings;
use crate::error::Error;

static SHARED: Mutex<Option<Pool>> = Mutex::new(None);

/// Workers of the shared pool leave after this time without calls.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// The process-wide pool: the one that `spawn` uses.
///
/// It has [`cpu_count`](crate::cpu_count) workers, which leave after 10 seconds without calls, unless
/// [`reusable`] has been told otherwise. After a shutdown, the next call makes a new one. Inside a task it is the pool
/// of that worker, not the one that runs the task.
pub fn pool() -> Pool {
    let mut shared = lock();
    match shared.as_ref().filter(|pool| !pool.is_shutting_down()) {
        Some(pool) => pool.clone(),
        None => {
            let settings = PoolBuilder::new().into_settings(Some(IDLE_TIMEOUT)).expect("the defaults are sound");
            shared.insert(Pool::from_settings(settings)).clone()
        }
    }
}

/// The process-wide pool with other settings: the one there is, resized, if nothing but the number of workers
/// differs; otherwise a new one in its place.
///
/// A pool that is replaced finishes what was spawned on it, for as long as somebody holds a clone and then some.
/// Closures among the settings are equal only if they are the same one; initializers are, if task and arguments are.
///
/// # Errors
///
/// Those of [`PoolBuilder::build`].
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), loky::Error> {
/// let pool = loky::reusable(loky::Pool::builder().workers(3))?;
/// assert_eq!(loky::pool().workers(), 3);
/// # Ok(())
/// # }
/// ```
pub fn reusable(builder: PoolBuilder) -> Result<Pool, Error> {
    super::check_depth("a pool cannot be built")?;
    let settings = builder.into_settings(Some(IDLE_TIMEOUT))?;
    let mut shared = lock();
    if let Some(pool) = shared.as_ref().filter(|pool| is_fit(pool, &settings)) {
        pool.resize(settings.workers);
        return Ok(pool.clone());
    }
    Ok(shared.insert(Pool::from_settings(settings)).clone())
}

fn is_fit(pool: &Pool, settings: &Settings) -> bool {
    !pool.is_shutting_down() && pool.settings().are_interchangeable(settings)
}

fn lock() -> std::sync::MutexGuard<'static, Option<Pool>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}
