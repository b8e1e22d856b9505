//! The pid of this process, asked of the kernel once: a child made by `fork`, by whatever means, asks again.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

/// The pid of this process. Costs a look into memory.
pub(crate) fn own_pid() -> u32 {
    static REMEMBERED: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();
    let Some(remembered) = REMEMBERED.get_or_init(forgetful) else { return std::process::id() };
    match remembered.load(Ordering::Relaxed) {
        0 => {
            let pid = std::process::id();
            remembered.store(pid, Ordering::Relaxed);
            pid
        }
        pid => pid,
    }
}

/// A number that is zero again in a forked child; `None` where the kernel has no such thing.
fn forgetful() -> Option<&'static AtomicU32> {
    let len = NonZeroUsize::new(4096).expect("a page is not empty");
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
    let page: NonNull<_> = unsafe { mmap_anonymous(None, len, access, MapFlags::MAP_PRIVATE) }.ok()?;
    // SAFETY: the page is ours, and nothing is in it yet.
    Errno::result(unsafe { libc::madvise(page.as_ptr(), len.get(), libc::MADV_WIPEONFORK) }).ok()?;
    // SAFETY: the page is zeroed, large enough and aligned, is never unmapped, and is only accessed through this.
    Some(unsafe { page.cast::<AtomicU32>().as_ref() })
}

#[cfg(test)]
mod tests {
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};

    use super::*;

    #[test]
    fn a_forked_child_has_its_own() {
        assert_eq!((own_pid(), own_pid()), (std::process::id(), std::process::id()));
        // SAFETY: the child only asks for numbers, and leaves at once without running what was registered for its end.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => crate::sys::process::exit_now(i32::from(own_pid() != std::process::id())),
            ForkResult::Parent { child } => assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0))),
        }
    }
}
