//! A clock that all processes of this machine share, by which moments in one can be told in another.

use nix::libc;

/// Nanoseconds since some moment before this program began; never goes back. Without a system call, as a rule.
#[inline]
pub(crate) fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the library writes to this variable. Should it fail, time stands still.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// How long ago this machine was started. It goes on while the machine is suspended, and is nobody's to set.
#[cfg(feature = "cluster")]
pub(crate) fn since_boot() -> std::time::Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the library writes to this variable. Should it fail, time stands still.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    std::time::Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// In how many parts the kernel counts a second of processor time.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: takes a number and gives one back.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|&ticks| ticks > 0).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn it_goes_as_fast_as_the_standard_library_s() {
        let (before, began) = (now(), Instant::now());
        std::thread::sleep(Duration::from_millis(20));
        let (least, passed) = (began.elapsed(), now() - before);
        assert!(
            Duration::from_nanos(passed) >= least && passed < 60_000_000_000,
            "{passed} ns, and at least {least:?}"
        );
    }
}
