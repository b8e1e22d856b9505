//! What the C library and the kernel say of memory: how long a page is, whether there is swap, and how to give back
//! what was freed.

use nix::libc;

/// The length of a page.
pub(crate) fn page_len() -> u64 {
    // SAFETY: takes a number and gives one back.
    let len = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(len).expect("every machine has pages")
}

/// Whether memory can be swapped out.
pub(crate) fn machine_has_swap() -> bool {
    let mut info = std::mem::MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: the kernel writes to this variable, which is as long as it expects; all zeroes are a value of it, too.
    let info = unsafe {
        libc::sysinfo(info.as_mut_ptr());
        info.assume_init()
    };
    info.totalswap > 0
}

/// Has the C library give pages back to the kernel that hold nothing any more. Does nothing where it cannot, or where
/// the program's memory is managed by another library.
pub(crate) fn give_back_freed() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes a number; the library locks what it walks over.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// What time it is, to a few milliseconds, in milliseconds since some moment: asked in next to no time, without a
/// system call.
#[inline]
pub(crate) fn coarse_millis() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the library writes to this variable. Should it fail, time stands still.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Memory without a file, for tests; it lies unused until it is touched.
#[cfg(test)]
pub(crate) struct Pages {
    start: *mut libc::c_void,
    len: usize,
}

#[cfg(test)]
impl Pages {
    pub(crate) fn private(len: usize) -> std::io::Result<Self> {
        Self::map(len, libc::MAP_PRIVATE)
    }

    pub(crate) fn shared(len: usize) -> std::io::Result<Self> {
        Self::map(len, libc::MAP_SHARED)
    }

    fn map(len: usize, kind: libc::c_int) -> std::io::Result<Self> {
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, kind | libc::MAP_ANONYMOUS);
        // SAFETY: the kernel chooses a place where nothing is.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Self { start, len })
    }

    pub(crate) fn touch(&self) {
        // SAFETY: the pages are ours alone, and writable.
        unsafe { std::ptr::write_bytes(self.start.cast::<u8>(), 1, self.len) };
    }
}

#[cfg(test)]
impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: it was mapped so, and nobody has a reference into it.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_powers_of_two_and_time_goes_on() {
        assert!(page_len().is_power_of_two());
        let before = coarse_millis();
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!((before + 10..before + 60_000).contains(&coarse_millis()));
    }
}
