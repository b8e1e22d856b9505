//! Which agents are there, which are awaited, and which are to be started again: decided here, done elsewhere.
//!
//! A lost agent is started again after a pause that doubles, a few times; one that has been there for a while begins anew.
//! So a node that is gone for good costs a few attempts, and a program that dies on each of its nodes ends in an error.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was started.
    Awaited {
        since: Instant,
        tries: u32,
    },
    Here {
        since: Instant,
        tries: u32,
    },
    Gone {
        again: Instant,
        tries: u32,
    },
    GivenUp,
}

#[derive(Debug)]
pub(super) struct Roster(Vec<State>);

/// How often an agent is started in a row.
const TRIES_MAX: u32 = 5;
/// How long a pause is at first; the next ones are twice as long each.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an agent may take from its start until it has said hello: nodes may have to be prepared first.
const JOIN_MAX: Duration = Duration::from_secs(120);
/// How long it must have been there so that its loss is not one more in a row.
const STABLE: Duration = Duration::from_secs(60);

impl Roster {
    /// All of them were started just now.
    pub(super) fn new(count: usize, now: Instant) -> Self {
        Self(vec![State::Awaited { since: now, tries: 1 }; count])
    }

    /// Takes in who is there, and returns who is to be started now. They count as started.
    pub(super) fn look(&mut self, here: &[u32], now: Instant) -> Vec<usize> {
        let mut due = Vec::new();
        for (at, state) in self.0.iter_mut().enumerate() {
            let is_here = u32::try_from(at).is_ok_and(|number| here.contains(&number));
            *state = next(*state, is_here, now);
            if let State::Gone { again, tries } = *state {
                if tries >= TRIES_MAX {
                    *state = State::GivenUp;
                } else if again <= now {
                    *state = State::Awaited { since: now, tries: tries + 1 };
                    due.push(at);
                }
            }
        }
        due
    }

    /// What was to start it has ended; if it has not come, it will not.
    pub(super) fn has_ended(&mut self, at: usize, now: Instant) {
        if let Some(state) = self.0.get_mut(at) {
            if let State::Awaited { tries, .. } = *state {
                *state = gone(tries, now);
            }
        }
    }

    pub(super) fn is_awaited(&self, at: usize) -> bool {
        matches!(self.0.get(at), Some(State::Awaited { .. }))
    }

    /// Nobody is there, and nobody will come.
    pub(super) fn is_hopeless(&self) -> bool {
        self.0.iter().all(|state| *state == State::GivenUp)
    }
}

fn next(state: State, is_here: bool, now: Instant) -> State {
    match (state, is_here) {
        (State::Here { .. }, true) => state,
        (State::Awaited { tries, .. } | State::Gone { tries, .. }, true) => State::Here { since: now, tries },
        (State::GivenUp, true) => State::Here { since: now, tries: TRIES_MAX },
        (State::Here { since, .. }, false) if now - since >= STABLE => gone(0, now),
        (State::Here { tries, .. }, false) => gone(tries, now),
        (State::Awaited { since, tries }, false) if now - since >= JOIN_MAX => gone(tries, now),
        (state, false) => state,
    }
}

fn gone(tries: u32, now: Instant) -> State {
    State::Gone { again: now + PAUSE * 2_u32.pow(tries.saturating_sub(1).min(TRIES_MAX)), tries }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks each second for so long, and returns when which were started.
    fn looks(
        roster: &mut Roster,
        here: &[u32],
        begin: Instant,
        seconds: std::ops::Range<u64>,
    ) -> Vec<(u64, Vec<usize>)> {
        let looks = seconds.map(|second| (second, roster.look(here, begin + Duration::from_secs(second))));
        looks.filter(|(_, due)| !due.is_empty()).collect()
    }

    #[test]
    fn those_who_are_there_are_left_alone() {
        let begin = Instant::now();
        let mut roster = Roster::new(3, begin);
        assert_eq!(looks(&mut roster, &[0, 1, 2], begin, 0..500), []);
    }

    #[test]
    fn a_lost_one_is_started_again_with_pauses_and_not_for_ever() {
        let begin = Instant::now();
        let mut roster = Roster::new(2, begin);
        looks(&mut roster, &[0, 1], begin, 0..100);
        // It never comes, and its launcher ends at once.
        let mut started = Vec::new();
        for second in 100..400 {
            let now = begin + Duration::from_secs(second);
            let due = roster.look(&[0], now);
            due.iter().for_each(|&at| roster.has_ended(at, now));
            started.extend((!due.is_empty()).then_some((second, due)));
        }
        let seconds: Vec<_> = started.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [101, 102, 104, 108, 116]);
        assert!(started.iter().all(|(_, due)| *due == [1]));
        assert!(!roster.is_hopeless(), "the other one is there");
    }

    #[test]
    fn one_that_comes_and_goes_is_given_up() {
        let begin = Instant::now();
        let mut roster = Roster::new(1, begin);
        let starts = (0..400).filter(|second| {
            let here: &[u32] = if second % 4 == 0 { &[0] } else { &[] };
            !roster.look(here, begin + Duration::from_secs(*second)).is_empty()
        });
        assert!(starts.count() < 6);
    }

    #[test]
    fn one_that_was_stable_begins_anew() {
        let begin = Instant::now();
        let mut roster = Roster::new(1, begin);
        for round in 0..20 {
            let at = round * 100;
            assert_eq!(looks(&mut roster, &[0], begin, at..at + 90), []);
            assert_eq!(looks(&mut roster, &[], begin, at + 90..at + 100), [(at + 91, vec![0])]);
        }
    }

    #[test]
    fn if_nobody_ever_comes_there_is_no_hope() {
        let begin = Instant::now();
        let mut roster = Roster::new(2, begin);
        for second in 0..100 {
            let now = begin + Duration::from_secs(second);
            (0..2).for_each(|at| roster.has_ended(at, now));
            roster.look(&[], now);
        }
        assert!(roster.is_hopeless());
        roster.look(&[1], begin + Duration::from_secs(101));
        assert!(!roster.is_hopeless(), "it came all the same");
    }

    #[test]
    fn who_takes_too_long_is_started_again() {
        let begin = Instant::now();
        let mut roster = Roster::new(1, begin);
        let started = looks(&mut roster, &[], begin, 0..200);
        assert_eq!(started, [(121, vec![0])]);
    }
}
