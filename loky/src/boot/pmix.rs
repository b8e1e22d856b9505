//! PMIx, for Open MPI's `mpirun` and `srun --mpi=pmix`: its library is opened where it is, and never linked.
//!
//! It starts threads, installs handlers, and waits for as long as its server does. So this program is started once more,
//! for nothing but this: that process speaks with the launcher under our rank, says what it got, and is gone; and if it
//! takes too long, it is killed.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::invitation::LENGTH_MAX;
use crate::env;
use crate::sys::{pmix, process};

/// What the variable says.
const ERRAND: &str = "pmix";

/// How the words begin that come back.
const GOOD: &str = "good ";

/// Rank 0 gives `mine`, all others get it. Returns when all ranks have come, or at `until`.
pub(super) fn exchange(mine: Option<&str>, until: Instant) -> io::Result<String> {
    let (mut link, theirs) = UnixStream::pair()?;
    let theirs = OwnedFd::from(theirs);
    let mut command = Command::new("/proc/self/exe");
    // What the library complains about is not always wrong; what matters comes back as words.
    command.env(env::ERRAND, ERRAND).stdin(theirs.try_clone()?).stdout(theirs).stderr(Stdio::null());
    let mut child = command.spawn()?;
    // With it go our copies of the other end, so that its end is seen.
    drop(command);
    let said = link.write_all(mine.unwrap_or_default().as_bytes()).and_then(|()| {
        link.shutdown(Shutdown::Write)?;
        hear(&mut link, until)
    });
    let _ = child.kill();
    child.wait()?;
    match said?.strip_prefix(GOOD) {
        Some(words) => Ok(words.to_owned()),
        None => Err(io::Error::other("it ended without an answer")),
    }
}

fn hear(link: &mut UnixStream, until: Instant) -> io::Result<String> {
    let mut said = Vec::new();
    let mut bytes = [0; 1024];
    while said.len() <= LENGTH_MAX {
        let remaining = until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "not all ranks of this program have come in time"));
        }
        link.set_read_timeout(Some(remaining.max(Duration::from_millis(1))))?;
        match link.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&bytes[..count]),
            Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(why) => return Err(why),
        }
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    if said.is_empty() || said.starts_with(GOOD) { Ok(said) } else { Err(io::Error::other(said)) }
}

/// Does what [`exchange`] has started this process for.
pub(super) fn run_errand() -> ! {
    process::die_with_parent();
    let mut mine = String::new();
    let read = io::stdin().take(LENGTH_MAX as u64).read_to_string(&mut mine);
    let mine = (!mine.is_empty()).then_some(mine.as_str());
    let words = match read.map_err(|why| why.to_string()).and_then(|_| pmix::exchange(mine)) {
        Ok(words) => format!("{GOOD}{words}"),
        Err(why) => why,
    };
    let told = io::stdout().write_all(words.as_bytes()).and_then(|()| io::stdout().flush());
    process::exit_now(i32::from(told.is_err()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(words: &[u8]) -> io::Result<String> {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(words).unwrap();
        drop(theirs);
        hear(&mut ours, Instant::now() + Duration::from_secs(20))
    }

    #[test]
    fn what_comes_back_is_heard() {
        assert_eq!(heard(b"good 1/x/y").unwrap(), "good 1/x/y");
        assert_eq!(heard(b"").unwrap(), "");
        assert_eq!(heard(b"PMIx_Init failed with code -25").unwrap_err().to_string(), "PMIx_Init failed with code -25");
        assert!(heard(&[b'x'; 3 * LENGTH_MAX]).is_err());
    }

    #[test]
    fn silence_ends_at_the_limit() {
        let (mut ours, _theirs) = UnixStream::pair().unwrap();
        let why = hear(&mut ours, Instant::now() + Duration::from_millis(100)).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
    }
}
