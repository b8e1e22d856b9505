//! Which descriptor of which worker: the tokens under which the poller reports them.

use crate::ids::WorkerId;
use crate::sys::poll::TOKENS_END;
use crate::sys::stdio::Stream;

/// A descriptor that belongs to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Link,
    Process,
    Output,
    Error,
}

/// The zygote's; no worker is numbered so high.
pub(super) const ZYGOTE: u64 = TOKENS_END - 1;

/// Of the descriptor that tells of interrupts.
pub(super) const INTERRUPT: u64 = TOKENS_END - 2;

const PARTS: [Part; 4] = [Part::Link, Part::Process, Part::Output, Part::Error];

impl Part {
    pub(super) fn of(stream: Stream) -> Self {
        match stream {
            Stream::Output => Self::Output,
            Stream::Error => Self::Error,
        }
    }
}

pub(super) fn token(worker: WorkerId, part: Part) -> u64 {
    worker.0 * PARTS.len() as u64 + part as u64
}

pub(super) fn of_token(token: u64) -> (WorkerId, Part) {
    let parts = PARTS.len() as u64;
    let place = usize::try_from(token % parts).expect("smaller than the number of parts");
    (WorkerId(token / parts), PARTS[place])
}

/// Whether it may be the death of a worker that is reported: its process has ended, or its link, which is closed first.
pub(super) fn is_of_death(token: u64) -> bool {
    token < INTERRUPT && matches!(of_token(token).1, Part::Process | Part::Link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_told_from_output_and_from_what_is_no_workers() {
        let is_of_death = |part| is_of_death(token(WorkerId(3), part));
        assert_eq!(PARTS.map(is_of_death), [true, true, false, false]);
        assert_eq!([ZYGOTE, INTERRUPT].map(super::is_of_death), [false, false]);
    }

    #[test]
    fn a_token_names_its_descriptor() {
        for worker in [0, 1, 77] {
            for part in PARTS {
                assert_eq!(of_token(token(WorkerId(worker), part)), (WorkerId(worker), part));
            }
        }
    }
}
