//! How many CPUs this process may use: what the kernel allows, not what the machine has.
//!
//! Four bounds and the smallest counts: the affinity of the calling thread, the quotas of its cgroups (`quota`), the
//! limit that the user sets in the environment, and what the pool above leaves to this process, if it is a worker. How
//! CPUs share a core is read in `topology`. Both are pure over the text of files below a root directory, so that a test
//! can hand them a machine of its own making.
//!
//! What the machine is (where the cgroup file systems are mounted) is read once; what the process is allowed changes
//! while it runs, and is asked anew each time. Nobody here divides CPUs among workers.

mod quota;
mod topology;

use std::thread;

use crate::machine::{Root, cgroup};
use crate::{env, identity, sys};

/// How many logical CPUs this process may use; at least 1.
///
/// This is the number of workers of a [pool](crate::Pool::builder) that names none. It is the smallest of:
///
/// - the CPUs in the scheduling affinity of the calling thread (`taskset`, `sched_setaffinity`, a cpuset);
/// - the CPU quota of the cgroup of this process, v1 or v2, and of every cgroup above it that can be seen from here,
///   rounded up: half a CPU counts as 1, one and a half as 2;
/// - the environment variable `LOKY_MAX_CPU_COUNT`. It lowers the count and never raises it; a value that is not a
///   whole number of at least 1 is ignored;
/// - in a worker, its share of the CPUs of the pool that it serves: those CPUs divided by the workers that are there,
///   rounded down; see [`workers`](crate::PoolBuilder::workers). So pools within pools, and loops that ask here, use no
///   more CPUs together than the program has, however deep they are nested.
///
/// A quota that is missing, unlimited or unreadable is no bound. The answer counts CPUs, with the threads that share a
/// core counted one by one; [`physical_cpu_count`] counts cores.
///
/// Affinity, quotas and the variable are read on every call, so a change made while the program runs is seen by the
/// next call. That costs some tens of microseconds: ask once before a loop, not in it.
///
/// # Examples
///
/// ```
/// let blocks = 4 * loky::cpu_count();
/// assert!(blocks >= 4);
/// ```
#[must_use]
pub fn cpu_count() -> usize {
    let quota = quota::quota(Root::machine(), cgroup::own_mounts());
    smallest(allowed_cpus(), [quota, env::max_cpu_count(), identity::share()])
}

/// How many physical cores this process may use; at least 1 and at most [`cpu_count`].
///
/// Logical CPUs that share a core count once, and only CPUs in the scheduling affinity of the calling thread count at
/// all. Prefer this to [`cpu_count`] for dense arithmetic, which gains nothing from a second thread on the same core.
///
/// Where the kernel does not tell which CPUs share a core, this is [`cpu_count`]. Nothing is kept between calls; each
/// reads one small file per allowed CPU, a few microseconds apiece.
///
/// # Examples
///
/// ```
/// let cores = loky::physical_cpu_count();
/// assert!((1..=loky::cpu_count()).contains(&cores));
/// ```
#[must_use]
pub fn physical_cpu_count() -> usize {
    let cores = sys::affinity::affinity().ok().and_then(|cpus| topology::cores(Root::machine(), &cpus));
    smallest(cpu_count(), [cores])
}

fn smallest<const N: usize>(count: usize, bounds: [Option<usize>; N]) -> usize {
    bounds.into_iter().flatten().fold(count, usize::min).max(1)
}

fn allowed_cpus() -> usize {
    match sys::affinity::affinity() {
        Ok(cpus) => cpus.len(),
        // A sandbox may forbid the question. The standard library then counts the CPUs that are online.
        Err(_) => thread::available_parallelism().map_or(1, usize::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_1_counts_are_at_least_one_ordered_and_steady() {
        let (logical, physical) = (cpu_count(), physical_cpu_count());
        assert!(1 <= physical && physical <= logical);
        assert_eq!((cpu_count(), physical_cpu_count()), (logical, physical));
    }

    #[test]
    fn cpu_5_affinity_is_followed_at_run_time() {
        let before = (cpu_count(), physical_cpu_count());
        sys::affinity::on_one_cpu(|_| assert_eq!((cpu_count(), physical_cpu_count()), (1, 1)));
        assert_eq!((cpu_count(), physical_cpu_count()), before);
    }

    #[test]
    fn cpu_11_a_bound_lowers_but_never_raises() {
        assert_eq!(smallest(8, [None, Some(3)]), 3);
        assert_eq!(smallest(8, [Some(2), Some(3)]), 2);
        assert_eq!(smallest(8, [None, Some(64)]), 8);
        assert_eq!(smallest(8, [None, Some(0)]), 1);
        assert_eq!(smallest(8, [None, None]), 8);
    }

    #[test]
    fn cpu_10_physical_cores_stay_below_a_limit_of_the_user() {
        let cores = Some(4);
        assert_eq!(smallest(smallest(8, [Some(6)]), [cores]), 4);
        assert_eq!(smallest(smallest(8, [Some(3)]), [cores]), 3);
    }
}
