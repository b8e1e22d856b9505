//! What becomes of the program when it was interrupted, by what its pools say of it.
//!
//! A pure state machine: it is told which pools there are, which of them have heard of the interrupt, and which are
//! done with it, and says when the program is to end. The signals themselves, and that a second one ends the program
//! at once, are the handler's ([`sys::interrupt`](crate::sys::interrupt)).
//!
//! # States of a pool
//!
//! *Unaware*: it has not heard yet, if there is anything to hear. *Busy*: it finishes what has begun. *Done*: nothing
//! of it runs. A pool that leaves has ended, and counts as done. That it has heard and that it is done may be said by two
//! threads of it at once, and come in either order.
//!
//! # The end
//!
//! When all pools are done, the program ends: at once if no pool had a call when it heard, a moment later if there
//! were some, since there are results that the program may want to use. That moment begins once.

use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub(super) struct Course {
    members: BTreeMap<u64, Member>,
    last: u64,
    /// Whether there are results, or errors, that the program may want to see.
    had_calls: bool,
    is_announced: bool,
    is_ending: bool,
}

#[derive(Debug)]
struct Member {
    /// Whether there is nothing that it would finish.
    kills: bool,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Unaware,
    Busy,
    Done,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wait,
    /// Say that calls are waited for.
    Announce,
    EndSoon,
    EndNow,
}

impl Course {
    pub(super) const fn new() -> Self {
        Self { members: BTreeMap::new(), last: 0, had_calls: false, is_announced: false, is_ending: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether this pool is the only one.
    pub(super) fn is_last(&self, number: u64) -> bool {
        self.members.len() == 1 && self.members.contains_key(&number)
    }

    /// Whether the first signal is to end the program: no pool would finish anything.
    pub(super) fn is_at_once(&self) -> bool {
        !self.is_empty() && self.members.values().all(|member| member.kills)
    }

    /// One more pool, under a new number.
    pub(super) fn join(&mut self, kills: bool) -> u64 {
        self.last += 1;
        self.members.insert(self.last, Member { kills, standing: Standing::Unaware });
        self.last
    }

    /// The pool has ended. `is_interrupted`: a signal has come before that.
    pub(super) fn leave(&mut self, number: u64, is_interrupted: bool) -> Verdict {
        let Some(member) = self.members.remove(&number) else { return Verdict::Wait };
        if !is_interrupted {
            return Verdict::Wait;
        }
        // It had something to do until a moment ago, and whoever did that may make something of it.
        self.had_calls |= member.standing != Standing::Done;
        self.verdict()
    }

    /// The pool has heard of the interrupt: whether it had calls then, and whether some of them run on.
    pub(super) fn hears(&mut self, number: u64, had_calls: bool, has_calls: bool) -> Verdict {
        self.had_calls |= had_calls;
        let is_done = self.members.get(&number).is_some_and(|member| member.standing == Standing::Done);
        let is_busy = has_calls && !is_done;
        self.stand(number, if is_busy { Standing::Busy } else { Standing::Done });
        match self.verdict() {
            Verdict::Wait if is_busy && !self.is_announced => {
                self.is_announced = true;
                Verdict::Announce
            }
            verdict => verdict,
        }
    }

    /// What the pool had to finish is finished. So it had calls when it heard, even if that comes later.
    pub(super) fn is_done(&mut self, number: u64) -> Verdict {
        self.had_calls = true;
        self.stand(number, Standing::Done);
        self.verdict()
    }

    fn stand(&mut self, number: u64, standing: Standing) {
        if let Some(member) = self.members.get_mut(&number) {
            member.standing = standing;
        }
    }

    fn verdict(&mut self) -> Verdict {
        let is_done = self.members.values().all(|member| member.standing == Standing::Done);
        if !is_done || self.is_ending {
            return Verdict::Wait;
        }
        self.is_ending = true;
        if self.had_calls { Verdict::EndSoon } else { Verdict::EndNow }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pools: usize) -> (Course, Vec<u64>) {
        let mut course = Course::new();
        let numbers = (0..pools).map(|_| course.join(false)).collect();
        (course, numbers)
    }

    #[test]
    fn a_program_whose_pools_are_idle_ends_at_once() {
        let (mut course, pools) = of(3);
        let verdicts: Vec<_> = pools.iter().map(|&pool| course.hears(pool, false, false)).collect();
        assert_eq!(verdicts, [Verdict::Wait, Verdict::Wait, Verdict::EndNow]);
    }

    #[test]
    fn what_runs_is_waited_for_and_then_there_is_a_moment() {
        let (mut course, pools) = of(2);
        assert_eq!(course.hears(pools[0], true, true), Verdict::Announce);
        assert_eq!(course.hears(pools[1], true, true), Verdict::Wait, "it is said once");
        assert_eq!(course.is_done(pools[1]), Verdict::Wait);
        assert_eq!(course.is_done(pools[0]), Verdict::EndSoon, "the last one ends the program");
        assert_eq!(course.leave(pools[0], true), Verdict::Wait, "the moment has begun");
    }

    #[test]
    fn calls_that_only_waited_have_errors_that_may_be_read() {
        let (mut course, pools) = of(1);
        assert_eq!(course.hears(pools[0], true, false), Verdict::EndSoon);
    }

    #[test]
    fn a_pool_that_has_not_heard_is_waited_for() {
        let (mut course, pools) = of(2);
        assert_eq!(course.hears(pools[0], false, false), Verdict::Wait);
        assert_eq!(course.leave(pools[0], true), Verdict::Wait);
        assert_eq!(course.hears(pools[1], false, false), Verdict::EndNow);
    }

    #[test]
    fn a_pool_may_be_done_before_it_says_that_it_has_heard() {
        let (mut course, pools) = of(2);
        assert_eq!(course.is_done(pools[0]), Verdict::Wait);
        assert_eq!(course.hears(pools[0], true, true), Verdict::Wait, "nothing of it runs any more");
        assert_eq!(course.hears(pools[1], false, false), Verdict::EndSoon, "nobody waits for it");
        let (mut course, pools) = of(1);
        assert_eq!(course.is_done(pools[0]), Verdict::EndSoon, "it had calls, and results");
    }

    #[test]
    fn a_pool_that_ends_is_done() {
        let (mut course, pools) = of(2);
        course.hears(pools[0], true, true);
        assert_eq!(course.leave(pools[1], true), Verdict::Wait);
        assert_eq!(course.leave(pools[0], true), Verdict::EndSoon);
        assert!(course.is_empty());
    }

    #[test]
    fn a_pool_that_ends_before_it_hears_leaves_the_end_to_the_others_or_brings_it() {
        let (mut course, pools) = of(1);
        assert_eq!(course.leave(pools[0], true), Verdict::EndSoon);
        let (mut course, pools) = of(1);
        assert_eq!((course.leave(pools[0], false), course.is_empty()), (Verdict::Wait, true), "there was no signal");
        assert_eq!(course.leave(pools[0], true), Verdict::Wait, "it leaves once");
    }

    #[test]
    fn a_pool_that_comes_during_the_moment_does_not_put_off_the_end() {
        let (mut course, pools) = of(1);
        course.hears(pools[0], true, false);
        let late = course.join(false);
        assert_eq!(course.hears(late, false, false), Verdict::Wait, "the end is on its way");
    }

    #[test]
    fn the_first_signal_ends_where_all_would_kill() {
        let mut course = Course::new();
        assert!(!course.is_at_once(), "nobody is there");
        course.join(true);
        assert!(course.is_at_once());
        let drains = course.join(false);
        assert!(!course.is_at_once());
        course.leave(drains, false);
        assert!(course.is_at_once());
    }
}
