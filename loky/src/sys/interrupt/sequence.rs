//! What a signal leads to, by what has come before it.
//!
//! Pure, and one word, so that a signal handler can go through it without a lock. Nothing here knows of signals but
//! their numbers, and of time but a count of milliseconds.

/// Which signal came first, and when; nothing, at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence(u64);

/// What the handler is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Tell the pools of it: it is the first one.
    Tell,
    /// The same signal once more, by another way.
    Nothing,
    /// End the program, here and now.
    End,
}

/// Who starts programs for others may send a signal to the process and to its group, too. Nobody presses a key twice
/// within so many milliseconds.
const ECHO_MS: u64 = 20;

const SIGNAL_BITS: u32 = 8;

impl Sequence {
    pub(super) const NOTHING: Self = Self(0);

    pub(super) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) const fn word(self) -> u64 {
        self.0
    }

    /// The signal that came first.
    pub(super) const fn first(self) -> Option<i32> {
        match self.0 & ((1 << SIGNAL_BITS) - 1) {
            0 => None,
            signal => Some(signal as i32),
        }
    }

    /// A signal has come. With `at_once`, there is nothing that could be finished before the end.
    pub(super) const fn step(self, signal: i32, now_ms: u64, at_once: bool) -> (Self, Reaction) {
        match self.first() {
            _ if at_once => (self, Reaction::End),
            None => (Self(now_ms << SIGNAL_BITS | signal as u64), Reaction::Tell),
            Some(_) if now_ms.saturating_sub(self.0 >> SIGNAL_BITS) < ECHO_MS => (self, Reaction::Nothing),
            Some(_) => (self, Reaction::End),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: i32 = 2;
    const TERM: i32 = 15;

    /// What comes of signals at these moments.
    fn reactions(signals: &[(i32, u64)]) -> (Option<i32>, Vec<Reaction>) {
        let mut sequence = Sequence::NOTHING;
        let mut step = |&(signal, at): &(i32, u64)| {
            let (next, reaction) = Sequence::from_word(sequence.word()).step(signal, at, false);
            sequence = next;
            reaction
        };
        let reactions = signals.iter().map(&mut step).collect();
        (sequence.first(), reactions)
    }

    #[test]
    fn the_first_signal_is_told_and_the_second_ends() {
        use Reaction::{End, Nothing, Tell};
        assert_eq!(reactions(&[]), (None, vec![]));
        assert_eq!(reactions(&[(INT, 0)]), (Some(INT), vec![Tell]));
        assert_eq!(
            reactions(&[(INT, 7), (INT, 8), (INT, 26), (INT, 27)]),
            (Some(INT), vec![Tell, Nothing, Nothing, End])
        );
        assert_eq!(reactions(&[(TERM, 7), (INT, 5_000)]), (Some(TERM), vec![Tell, End]), "whichever they are");
        assert_eq!(reactions(&[(INT, 90), (TERM, 80)]).1, [Tell, Nothing], "a clock that lags ends nothing");
    }

    #[test]
    fn where_nothing_can_be_finished_the_first_one_ends() {
        assert_eq!(Sequence::NOTHING.step(INT, 7, true), (Sequence::NOTHING, Reaction::End));
        let (told, _) = Sequence::NOTHING.step(INT, 7, false);
        assert_eq!(told.step(INT, 8, true), (told, Reaction::End));
    }
}
