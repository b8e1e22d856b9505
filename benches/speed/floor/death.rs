//! The floor of noticing a crash: the end of a socket whose other end was held by a process that got a SIGSEGV.

use std::io::Read;
use std::os::unix::net::UnixStream;

use super::bare::Forked;
use crate::absent::Measured;
use crate::gate::LastWords;
use crate::tasks;

pub(super) fn seen_after() -> Measured<f64> {
    let last_words = LastWords::await_some()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let _doomed = Forked::begin(|| tasks::die(last_words.name().to_owned()))?;
    drop(theirs);
    ours.read_to_end(&mut Vec::new())?;
    Ok(tasks::now().saturating_sub(last_words.read()?) as f64)
}
