//! How much private memory a process has: what is its own alone, in memory or swapped out. What it shares with others,
//! and what lies in files, is not counted.
//!
//! The kernel tells in `statm` how many pages a process has in memory, and how many of those belong to files or to
//! shared memory; the rest is private. That is the cheapest place where it does: it adds up a few counters, takes no
//! lock that the process could hold, and knows huge pages by their size. What is swapped out stands only in `status`,
//! which costs four times as much, so that one is read where the machine has swap.
//!
//! Kernels 6.2 to 6.16 count by processor and tell here what has been collected from them: a process may have more or
//! less by up to 32 pages for each processor, or, beyond 16 of them, twice as many pages as there are processors for
//! each. Pages of `hugetlbfs`, which an administrator sets aside, are not counted by any kernel.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::sys::heap;

/// A process whose memory can be looked at again and again, and never another one that has got its number.
#[derive(Debug)]
pub(crate) struct Gauge {
    file: File,
    kind: Kind,
    page_len: u64,
}

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Statm,
    Status,
}

/// Both files are shorter, but for the last lines of `status`.
const TEXT_MAX: usize = 8 << 10;

impl Gauge {
    /// Of a child that has not been reaped: its number is its own until then.
    pub(crate) fn of_child(pid: u32) -> io::Result<Self> {
        Self::open(&pid.to_string())
    }

    /// Of this process itself. Opened anew each time, since a task may close whatever it finds open.
    pub(crate) fn of_this_process() -> io::Result<Self> {
        Self::open("self")
    }

    fn open(process: &str) -> io::Result<Self> {
        let kind = if heap::machine_has_swap() { Kind::Status } else { Kind::Statm };
        let file = File::open(format!("/proc/{process}/{}", kind.name()))?;
        Ok(Self { file, kind, page_len: heap::page_len() })
    }

    /// In bytes; nothing once the process is dead.
    pub(crate) fn private_bytes(&self) -> Option<u64> {
        let mut text = [0; TEXT_MAX];
        let len = self.file.read_at(&mut text, 0).ok()?;
        match self.kind {
            Kind::Statm => Some(statm_pages(&text[..len])? * self.page_len),
            Kind::Status => status_kib(&text[..len]).map(|kib| kib << 10),
        }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Statm => "statm",
            Self::Status => "status",
        }
    }
}

/// `size resident shared …`
fn statm_pages(text: &[u8]) -> Option<u64> {
    let mut fields = std::str::from_utf8(text).ok()?.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, shared) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some(resident.saturating_sub(shared))
}

/// The lines `RssAnon:` and `VmSwap:`; a process that is dead has none.
fn status_kib(text: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(text);
    let kib = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    };
    Some(kib("RssAnon:")? + kib("VmSwap:").unwrap_or(0))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sys::heap::Pages;

    const MIB: u64 = 1 << 20;

    /// In bytes, by both files.
    fn seen() -> [u64; 2] {
        [Kind::Statm, Kind::Status].map(|kind| {
            let file = File::open(format!("/proc/self/{}", kind.name())).unwrap();
            Gauge { file, kind, page_len: heap::page_len() }.private_bytes().unwrap()
        })
    }

    #[test]
    fn texts_are_understood() {
        assert_eq!(statm_pages(b"765 402 374 5 0 123 0\n"), Some(28));
        assert_eq!(statm_pages(b"0 0 0 0 0 0 0\n"), Some(0), "a zombie has nothing");
        assert_eq!((statm_pages(b""), statm_pages(b"1 two 3")), (None, None));
        let status =
            b"Name:\tit\nVmSize:\t9 kB\nRssAnon:\t     160 kB\nRssFile:\t7 kB\nVmSwap:\t      40 kB\nThreads:\t1\n";
        assert_eq!(status_kib(status), Some(200));
        assert_eq!((status_kib(b"RssAnon: 3 kB\n"), status_kib(b"Name:\tit\nState:\tZ\n")), (Some(3), None));
    }

    #[test]
    fn what_is_touched_counts_and_what_is_reserved_or_shared_does_not() {
        let before = seen();
        let reserved = Pages::private(64 << 20).unwrap();
        let shared = Pages::shared(64 << 20).unwrap();
        shared.touch();
        assert!(seen().iter().zip(before).all(|(&now, before)| now < before + 32 * MIB), "{before:?} {:?}", seen());
        reserved.touch();
        assert!(seen().iter().zip(before).all(|(&now, before)| now >= before + 56 * MIB), "{before:?} {:?}", seen());
    }

    #[test]
    fn a_process_that_is_gone_has_no_memory() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let gauge = Gauge::of_child(child.id()).unwrap();
        child.wait().unwrap();
        assert_eq!(gauge.private_bytes(), None);
    }
}
