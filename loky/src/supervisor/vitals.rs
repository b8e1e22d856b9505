//! What the kernel says of a process that runs: the memory that it has, and the processor time that it has used.

use std::fs;
use std::time::Duration;

use crate::sys::clock;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// In bytes, now and at most; what it shares with others is included.
    pub(crate) memory: u64,
    pub(crate) memory_peak: u64,
    pub(crate) cpu_time: Duration,
}

impl Vitals {
    /// Of the process with this number, whoever that is by now. All zero if there is none.
    pub(crate) fn of(pid: u32) -> Self {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let (status, stat) = (read("status"), read("stat"));
        let ticks = ticks(&stat).unwrap_or(0);
        Self {
            memory: bytes(&status, "VmRSS:").unwrap_or(0),
            memory_peak: bytes(&status, "VmHWM:").unwrap_or(0),
            cpu_time: Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / clock::ticks_per_second())),
        }
    }
}

/// `VmRSS:      1234 kB`
fn bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// In user mode and in the kernel: the 14th and 15th field, of which the second, a name in parentheses, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    Some(fields.next()?.ok()? + fields.next()?.ok()?)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn texts_are_understood() {
        let status = "Name:\tit\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((bytes(status, "VmRSS:"), bytes(status, "VmHWM:")), (Some(1 << 20), Some(2 << 20)));
        assert_eq!((bytes("VmRSS: many kB", "VmRSS:"), bytes("", "VmRSS:")), (None, None));
        assert_eq!(ticks("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 30 12 13 14"), Some(42));
        assert_eq!((ticks(""), ticks("7 (a) S 1 2")), (None, None));
    }

    #[test]
    fn this_process_has_memory_and_one_that_is_gone_has_nothing() {
        let ours = Vitals::of(std::process::id());
        assert!(ours.memory > 0 && ours.memory_peak >= ours.memory, "{ours:?}");
        assert_eq!(Vitals::of(u32::MAX), Vitals::default());
    }
}
