//! The pools that a whole program shares: the one that `spawn` uses, and one for each key that somebody has thought of.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Pool, PoolBuilder};
use crate::config::Settings;
use crate::error::Error;
use crate::{cpu, identity};

/// All of them by their keys; the one that `spawn` uses has none.
static SHARED: Mutex<Pools> = Mutex::new(Pools::new());

type Pools = BTreeMap<Option<String>, Entry>;

struct Entry {
    pool: Pool,
    /// In a worker, of a pool whose size nobody has chosen: which share of the processors it was made for.
    made_for: Option<usize>,
}

/// Workers of a shared pool leave after this time without calls.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// The process-wide pool: the one that `spawn` uses.
///
/// It has [`cpu_count`](crate::cpu_count) workers, which leave after 10 seconds without calls, unless
/// [`reusable`] has been told otherwise. After a shutdown, the next call makes a new one. Inside a task it is the pool
/// of that worker, not the one that runs the task; as long as nobody has chosen its size, it follows what
/// [`cpu_count`](crate::cpu_count) tells there.
///
/// It starts no worker, and is as cheap as a lock and a clone, but for the first time.
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
/// assert_eq!(square.run(7)?, 49);
/// assert_eq!(loky::pool().stats().succeeded, 1);
/// loky::pool().shutdown(); // for those who do not want to leave that to the end of the program
/// # Ok(()) } }
/// ```
pub fn pool() -> Pool {
    let (mut shared, share) = (lock(), identity::share());
    let Some(entry) = shared.get_mut(&None).filter(|entry| !entry.pool.is_shutting_down()) else {
        let settings = PoolBuilder::new().into_settings(Some(IDLE_TIMEOUT)).expect("the defaults are sound");
        return put(shared, None, settings, share);
    };
    let pool = entry.pool.clone();
    if entry.made_for.is_some() && entry.made_for != share {
        entry.made_for = share;
        drop(shared);
        pool.0.engine.resize_to_processors(cpu::cpu_count());
    }
    pool
}

/// The process-wide pool with other settings: the one there is, resized, if nothing but the number of workers
/// differs; otherwise a new one in its place.
///
/// A pool that is replaced finishes what was spawned on it, for as long as somebody holds a clone and then some.
/// Closures among the settings are equal only if they are the same one; initializers are, if task and arguments are.
///
/// This is the pool of the program. A library had better have one [of its own](keyed).
///
/// Starts nothing and waits for nothing: not for workers, nor for a pool that it replaces.
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
    one_of(None, builder)
}

/// The process-wide pool of this key, made if there is none: resized, or replaced if other settings differ, by the rules
/// of [`reusable`].
///
/// Whoever uses another key, or [`loky::pool()`](pool()), never touches it. So a library that wants workers with settings
/// of its own asks for them by its name, and neither replaces the pool of the program nor that of another library.
///
/// # How it ends
///
/// The program holds it: it lives until it is [shut down](Pool::shutdown), or the program ends, whoever else has dropped
/// it. After a shutdown the next request makes a new one. Its workers leave after 10 seconds without calls, unless
/// [`idle_timeout`](PoolBuilder::idle_timeout) says otherwise; a pool without workers costs one thread and some kilobytes.
/// So keys are to be names that are written in the source, a handful of them, and not made of data: a pool for each
/// customer would be a leak.
///
/// Inside a task, it is a pool of that worker, which is not the one of that key in the program. Keyed pools do not divide
/// the CPUs among each other: two of the default size have twice as many workers as there are CPUs.
///
/// # Errors
///
/// Those of [`PoolBuilder::build`].
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), loky::Error> {
/// let decoders = || loky::keyed("image-decoders", loky::Pool::builder().workers(2).env("MALLOC_ARENA_MAX", "1"));
/// let solvers = loky::keyed("solvers", loky::Pool::builder().workers(3))?;
/// assert_eq!(decoders()?.workers(), 2);
/// assert_eq!(solvers.workers(), 3);
/// # Ok(())
/// # }
/// ```
pub fn keyed(key: impl Into<String>, builder: PoolBuilder) -> Result<Pool, Error> {
    one_of(Some(key.into()), builder)
}

/// The pool of this key with these settings.
fn one_of(key: Option<String>, builder: PoolBuilder) -> Result<Pool, Error> {
    super::check_depth("a pool cannot be built")?;
    let settings = builder.into_settings(Some(IDLE_TIMEOUT))?;
    let mut shared = lock();
    if let Some(entry) = shared.get_mut(&key).filter(|entry| is_fit(&entry.pool, &settings)) {
        entry.made_for = None;
        entry.pool.resize(settings.workers);
        return Ok(entry.pool.clone());
    }
    Ok(put(shared, key, settings, None))
}

/// A new pool in this place. What was shut down is forgotten on the way, whatever its key.
fn put(mut shared: MutexGuard<'_, Pools>, key: Option<String>, settings: Settings, made_for: Option<usize>) -> Pool {
    let pool = Pool::from_settings(settings);
    let all = mem::take(&mut *shared).into_iter();
    let (gone, kept) = all.partition::<Pools, _>(|(_, entry)| entry.pool.is_shutting_down());
    *shared = kept;
    let replaced = shared.insert(key, Entry { pool: pool.clone(), made_for });
    // The end of a pool may wake somebody, and what that one does then is not ours to know.
    drop(shared);
    drop((gone, replaced));
    pool
}

fn is_fit(pool: &Pool, settings: &Settings) -> bool {
    !pool.is_shutting_down() && pool.settings().are_interchangeable(settings)
}

fn lock() -> MutexGuard<'static, Pools> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn reuse_keyed_pools_have_the_defaults_of_shared_ones_and_are_forgotten_after_their_shutdown() {
        let request = |key: &str| keyed(key, Pool::builder().workers(1)).unwrap();
        let of_its_own = Pool::builder().idle_timeout(None);
        assert_eq!(request("defaults").settings().idle_timeout, Some(IDLE_TIMEOUT));
        assert_eq!(keyed("own", of_its_own).unwrap().settings().idle_timeout, None);
        let is_known = |key: &str| lock().contains_key(&Some(key.to_owned()));
        request("passing").shutdown();
        request("another");
        assert!(is_known("defaults") && is_known("another") && !is_known("passing"));
    }
}
