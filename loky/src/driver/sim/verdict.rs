//! Holds the outcome of a call against what the world knows of it: is every result right, is the blame true, may the
//! call have run?

use super::fates::index;
use super::ledger::CallRecord;
use super::tally::Sight;
use super::world::World;
use crate::config::Output;
use crate::driver::Outcome;
use crate::error::{Error, ErrorKind};

impl World {
    pub(super) fn judge(&mut self, serial: usize, mut outcome: Outcome) {
        assert!(!std::mem::replace(&mut self.ledger.calls[serial].is_over, true), "a call ends once: {serial}");
        self.ledger.open.retain(|&open| open != serial);
        let captured = outcome.take_captured();
        let Outcome { results, end, .. } = outcome;
        let (call, count, (results, arrivals)) = (&self.ledger.calls[serial], results.len(), results.split());
        let results = results.in_pieces();
        for (item, record) in call.items.iter().enumerate().take(count) {
            assert!(record.begun > 0, "what was not run has no result");
            match (results.get(item).expect("there are so many"), record.answered) {
                (Ok(bytes), Some(true)) => {
                    assert_eq!(bytes, record.result(&record.arguments(serial, item)), "the result of {serial}.{item}");
                }
                (Err(why), Some(false)) => {
                    let place = format!("item {item} of {serial}");
                    assert_eq!(why.panic_message(), Some(&*place), "the failure of another item");
                }
                (result, answered) => panic!("{serial}.{item} was answered with {answered:?}, and is {result:?}"),
            }
        }
        let has_enclosed = call.items[..count].iter().any(|item| item.has_enclosed);
        assert_eq!(arrivals.is_some(), has_enclosed, "what {serial} encloses comes with its results, and nothing else");
        match &end {
            None => {
                let expected = call.left_alone_from.unwrap_or(call.items.len());
                assert_eq!(count, expected, "a call without an error has the results of all that was not left alone");
            }
            Some(why) => self.judge_end(serial, why, count),
        }
        if self.settings.output == Output::Capture && call.abandoned == 0 {
            assert_eq!(captured.stdout(), call.printed, "what {serial} has printed comes with its outcome, in order");
        }
        self.check_at_rest(serial);
        let sight = end.as_ref().map_or(Sight::Delivered, |why| sight_of(why.kind()));
        self.tally.saw(sight);
        if self.ledger.calls[serial].ended_running > 0 && end.is_none() {
            self.tally.saw(Sight::Retried);
        }
    }

    fn judge_end(&self, serial: usize, why: &Error, done: usize) {
        let call = &self.ledger.calls[serial];
        assert!(done < call.items.len(), "a call with all its results has no error: {why}");
        let is_true = match why.kind() {
            ErrorKind::Crash => self.is_to_blame(call, why, done),
            ErrorKind::Cancelled => call.is_given_up,
            ErrorKind::Timeout => {
                call.is_past(call.limits.deadline, self.now) || call.is_past(call.limits.timeout, self.now)
            }
            ErrorKind::QueueTimeout => call.is_past(call.limits.queue_timeout, self.now) && !call.has_begun(),
            ErrorKind::Shutdown => call.is_late || self.users.forced.is_some(),
            ErrorKind::Launch => self.launches_failed > 0 || self.tally.of(Sight::DiedIdle) > 0,
            ErrorKind::Initializer => !self.settings.initializers.is_empty(),
            _ => false,
        };
        assert!(is_true, "that is not so: {why}; {:?}, {} done", call.limits, done);
        // A run limit that comes again and again before the call has begun counts as if it had.
        let is_suspect = call.abandoned > 0 || call.ended_before >= 5 || call.limits.timeout.is_some();
        let may_have_run = call.has_begun() || is_suspect;
        assert!(call.items[done].begun == 0 || why.may_have_run(), "{serial}.{done} had begun: {why}");
        assert!(may_have_run || !why.may_have_run(), "{serial} cannot have begun: {why}");
    }

    /// Each of its tries was charged to it for a reason, and the process that is named had it.
    fn is_to_blame(&self, call: &CallRecord, why: &Error, done: usize) -> bool {
        let is_certain = call.abandoned == 0 && call.ended_before < 5;
        assert!(call.tries_charged_max() >= call.tries_max(), "a call is blamed that did not run: {why}");
        assert_eq!(why.attempt(), Some(call.tries_max()), "{why}");
        let named = self.puppets.iter().flatten().find(|puppet| Some(puppet.pid) == why.pid());
        let had_it = named.is_some_and(|puppet| call.runners.contains(&index(puppet.worker)));
        assert!(!is_certain || had_it, "another process is named: {why}");
        assert!(!is_certain || call.items[done].begun > 0, "the item did not run: {why}");
        true
    }

    /// Whoever reads the outcome can rely on it that the task does nothing any more.
    fn check_at_rest(&self, serial: usize) {
        let Some(runner) = self.ledger.calls[serial].runner else { return };
        assert!(!self.runs(runner, serial), "{serial} runs on after its end");
    }
}

fn sight_of(kind: ErrorKind) -> Sight {
    match kind {
        ErrorKind::Crash => Sight::Crashed,
        ErrorKind::Cancelled => Sight::Cancelled,
        ErrorKind::Timeout => Sight::TimedOut,
        ErrorKind::QueueTimeout => Sight::QueuedTooLong,
        ErrorKind::Shutdown => Sight::ShutDown,
        ErrorKind::Launch => Sight::CannotLaunch,
        ErrorKind::Initializer => Sight::InitializerFailed,
        kind => panic!("nothing here ends in {kind:?}"),
    }
}
