//! Makes a copy of this process that is a child of this one's own parent.
//!
//! `fork` makes children of the caller only, so the system call is made here, and what `fork` does beside it: the C
//! library keeps the number of each thread, which must be that of the copy in the copy. Handlers that were registered
//! to run around a fork do not run. All of it is sound in a process of one thread alone, so nothing is done in any
//! other.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void, pid_t};

use super::births::Births;

/// What the C library has asked the kernel to keep for this thread, and what its copy must ask for again.
#[derive(Debug)]
pub(crate) struct Mold {
    /// Where the library keeps the number of this thread; the kernel clears it when the thread ends.
    number: *mut pid_t,
    /// The thread's locks that survive its death.
    robust: *mut c_void,
    robust_len: usize,
}

/// Who goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Original { copy: u32 },
    Copy,
}

/// The arguments of the system call `clone3`, in its first version, which all kernels know that know it at all.
#[repr(C)]
#[derive(Debug, Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// Of `prctl`; the bindings name it for other systems only.
const PR_GET_TID_ADDRESS: c_int = 40;

impl Mold {
    /// An error if copies of this process would not be sound, or are not possible on this system.
    pub(crate) fn new() -> io::Result<Self> {
        check_single()?;
        check_kernel()?;
        let (mut number, mut robust, mut robust_len) = (std::ptr::null_mut::<pid_t>(), std::ptr::null_mut(), 0_usize);
        // SAFETY: the kernel writes one pointer to where it is told, a variable of this function.
        Errno::result(unsafe { libc::prctl(PR_GET_TID_ADDRESS, &raw mut number) })?;
        // SAFETY: as above; zero means this thread.
        let asked = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut robust, &raw mut robust_len) };
        Errno::result(asked)?;
        // SAFETY: the C library has given this address to the kernel, to be written to at the end of this thread, which
        // has not come; so it is valid and aligned. Nobody else writes there.
        let is_there = !number.is_null() && unsafe { number.read() } == nix::unistd::gettid().as_raw();
        if is_there {
            Ok(Self { number, robust, robust_len })
        } else {
            Err(io::Error::other("this C library keeps the numbers of threads in an unknown place"))
        }
    }

    /// Copies this process. Both return from here. `births` tells the parent, whatever becomes of this process.
    pub(crate) fn copy(&self, births: &Births) -> io::Result<Side> {
        check_single()?;
        let flags =
            libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID;
        let args = CloneArgs {
            flags: flags as u64,
            child_tid: self.number as u64,
            parent_tid: births.place() as u64,
            ..CloneArgs::default()
        };
        // SAFETY: there is one thread, so nothing that the copy could meet is half done: no lock is held, no heap in
        // disorder. It gets memory of its own and goes on with the same stack in it, because none is named. The kernel
        // writes its number to two places: one that the C library keeps for just that, and one that `births` owns.
        let copy = Errno::result(unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) })?;
        if copy != 0 {
            return Ok(Side::Original { copy: u32::try_from(copy).expect("the number of a process is positive") });
        }
        // SAFETY: the list is the C library's own for this thread, in memory that was copied with everything else.
        unsafe { libc::syscall(libc::SYS_set_robust_list, self.robust, self.robust_len) };
        Ok(Side::Copy)
    }
}

/// Old kernels do not know the call, and sandboxes may forbid it.
fn check_kernel() -> io::Result<()> {
    // SAFETY: arguments of no length are refused before anything is read or done.
    match Errno::result(unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<CloneArgs>(), 0) }) {
        Err(Errno::EINVAL) => Ok(()),
        Err(why) => Err(why.into()),
        Ok(_) => unreachable!("no process is made of nothing"),
    }
}

/// An error if this process has more than one thread. A copy of it would have only the thread that made it: what the
/// others had under way would stay half done in it.
pub(crate) fn check_single() -> io::Result<()> {
    // A folder has a link to itself, one from above, and one from each folder in it: here, from each thread.
    match fs::metadata("/proc/self/task")?.nlink() {
        3 => Ok(()),
        links => Err(io::Error::other(format!("this process has {} threads before `main`", links.saturating_sub(2)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_of_the_tests_can_copy() {
        check_kernel().unwrap();
    }

    #[test]
    fn a_process_with_more_threads_is_not_copied() {
        // The harness has a thread beside the one of this test.
        let why = Mold::new().unwrap_err().to_string();
        assert!(why.contains("threads"), "{why}");
    }
}
