//! What the kernel can keep this process from, one function each.
//!
//! Some of it is a property of a thread, which threads and processes inherit that it starts later: so it is asked for
//! while there is one thread, and [`check_single`] says whether that is so. The rest holds for the whole process at
//! once. Nothing here is undone by anything that this process could do, but for limits that a privileged process
//! raises. An error means that it is not so; nothing is done by half without one.

#[cfg(feature = "sandbox")]
pub(crate) mod calls;
#[cfg(feature = "sandbox")]
pub(crate) mod files;

use std::io;

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

pub(crate) use super::duplicate::check_single;

/// No program that is started from now on gains what this one does not have. Of a thread.
pub(crate) fn no_new_privileges() -> io::Result<()> {
    Ok(prctl::set_no_new_privs()?)
}

/// A crash of this process leaves no image of its memory: neither as a file, nor to a program that the system has for
/// that, which is not bound by the limit.
pub(crate) fn no_core_dumps() -> io::Result<()> {
    lower(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(prctl::set_dumpable(false)?)
}

/// So many bytes of addresses. An error if there are as many in use.
pub(crate) fn limit_address_space(bytes: u64) -> io::Result<()> {
    let used = address_space()?;
    if used >= bytes {
        return Err(io::Error::other(format!("a worker has {used} bytes in use at its start")));
    }
    lower(Resource::RLIMIT_AS, bytes, bytes)
}

/// So many seconds of processor time, from the start of the process on. Then SIGXCPU, which ends it; if it has seen to
/// that it does not, SIGKILL a second later.
pub(crate) fn limit_cpu_time(seconds: u64) -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed.
    unsafe { sigaction(Signal::SIGXCPU, &default) }?;
    lower(Resource::RLIMIT_CPU, seconds, seconds.saturating_add(1))
}

/// Descriptors below this number.
pub(crate) fn limit_open_files(count: u64) -> io::Result<()> {
    lower(Resource::RLIMIT_NOFILE, count, count)
}

/// Where a limit is lower already, it stays so.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, hard_now) = getrlimit(resource)?;
    Ok(setrlimit(resource, soft.min(hard_now), hard.min(hard_now))?)
}

/// What the kernel counts for the limit.
fn address_space() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = size.and_then(|size| size.trim().trim_end_matches("kB").trim_end().parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| io::Error::other("the kernel does not tell how much is in use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_space_of_this_process_is_known() {
        let used = address_space().unwrap();
        assert!(used > 1 << 20 && used < 1 << 47, "{used}");
        let why = limit_address_space(1 << 20).unwrap_err().to_string();
        assert!(why.contains("in use"), "{why}");
    }

    #[test]
    fn a_limit_is_never_raised() {
        // More than the kernel allows to anybody, so it would be an error to ask for it.
        lower(Resource::RLIMIT_NOFILE, u64::MAX - 1, u64::MAX - 1).unwrap();
    }
}
