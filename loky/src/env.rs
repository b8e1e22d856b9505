//! Environment variables: the only room that reads them, so this page is the list of all of them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Present in a process that was started as a worker, whatever its value.
pub(crate) const WORKER: &str = "LOKY_WORKER";

/// The value that this version of the library gives to it. A program may contain several versions, and a worker is that
/// of the one that has started it.
pub(crate) const WORKER_MARK: &str = env!("CARGO_PKG_VERSION");

/// Present beside it in a process that was started to be copied into workers.
pub(crate) const ZYGOTE: &str = "LOKY_ZYGOTE";

/// Upper bound of [`cpu_count`](crate::cpu_count).
pub(crate) const MAX_CPU_COUNT: &str = "LOKY_MAX_CPU_COUNT";

/// How deep pools may be nested.
const MAX_DEPTH: &str = "LOKY_MAX_DEPTH";
const MAX_DEPTH_DEFAULT: u32 = 10;

/// Where a trace of what pools do is to be written, and a report.
const TRACE: &str = "LOKY_TRACE";
const REPORT: &str = "LOKY_REPORT";

/// What the user wishes of a cluster; see `boot/wish`.
#[cfg(feature = "cluster")]
pub(crate) const CLUSTER: &str = "LOKY_CLUSTER";

/// Where the program listens of which this process is to be an agent.
#[cfg(feature = "cluster")]
pub(crate) const AGENT: &str = "LOKY_AGENT";

/// What only the program and its agents know, where no launcher carries it; or which file has it.
#[cfg(feature = "cluster")]
pub(crate) const CLUSTER_SECRET: &str = "LOKY_CLUSTER_SECRET";
#[cfg(feature = "cluster")]
pub(crate) const CLUSTER_SECRET_FILE: &str = "LOKY_CLUSTER_SECRET_FILE";

/// Present in a process that is started as an agent: where its driver is, and a secret. Never kept.
#[cfg(feature = "cluster")]
pub(crate) const INVITATION: &str = "LOKY_INVITATION";

/// Present in a process that is started to speak with a launcher for the one that has started it.
#[cfg(feature = "cluster")]
pub(crate) const ERRAND: &str = "LOKY_BOOT";

/// With which mark this process was started as a worker; `None` if it was not.
pub(crate) fn worker_mark() -> Option<OsString> {
    env::var_os(WORKER)
}

/// Whether this process was started as a zygote, if it was started as a worker.
pub(crate) fn is_zygote() -> bool {
    env::var_os(ZYGOTE).is_some()
}

/// Everything in this process's environment.
pub(crate) fn all() -> Vec<(OsString, OsString)> {
    env::vars_os().collect()
}

/// `LOKY_MAX_CPU_COUNT`, if it is a whole number of at least one; anything else counts as not set.
pub(crate) fn max_cpu_count() -> Option<usize> {
    parse(MAX_CPU_COUNT).filter(|&count| count > 0)
}

/// `LOKY_MAX_DEPTH`, by default 10; zero or less switches the limit off. What is not a number counts as not set.
/// Read once, since every call asks.
pub(crate) fn max_depth() -> Option<u32> {
    static ASKED: OnceLock<Option<u32>> = OnceLock::new();
    *ASKED.get_or_init(|| {
        let depth: i64 = parse(MAX_DEPTH).unwrap_or(i64::from(MAX_DEPTH_DEFAULT));
        (depth > 0).then(|| u32::try_from(depth).unwrap_or(u32::MAX))
    })
}

/// `LOKY_TRACE`: which file is to be a trace of this program's pools. An empty name counts as not set.
pub(crate) fn trace() -> Option<PathBuf> {
    path(TRACE)
}

/// `LOKY_REPORT`: which file is to be a page about this program's pools. Likewise.
pub(crate) fn report() -> Option<PathBuf> {
    path(REPORT)
}

/// `LOKY_CLUSTER_SECRET`. An empty one counts as not set, here and below.
#[cfg(feature = "cluster")]
pub(crate) fn cluster_secret() -> Option<String> {
    text(CLUSTER_SECRET)
}

/// `LOKY_CLUSTER_SECRET_FILE`.
#[cfg(feature = "cluster")]
pub(crate) fn cluster_secret_file() -> Option<PathBuf> {
    path(CLUSTER_SECRET_FILE)
}

/// The command line of this program, its own name included.
pub(crate) fn arguments() -> Vec<OsString> {
    env::args_os().collect()
}

/// Variables by which libraries choose how many threads to start.
pub(crate) const THREAD_POOLS: [&str; 7] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
];

/// What is set of [`THREAD_POOLS`], each in its place.
pub(crate) fn thread_pools() -> [Option<OsString>; THREAD_POOLS.len()] {
    THREAD_POOLS.map(env::var_os)
}

#[cfg(feature = "cluster")]
fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn parse<T: std::str::FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.trim().parse().ok()
}
