//! The calls that were sent to one worker and are not answered yet, in that order, each under the number that it has
//! there.

use std::collections::VecDeque;
use std::ops::Range;

use crate::ids::{Attempt, CallKey};
use crate::sys::page::Begun;
use crate::transport::link::Patience;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Given {
    calls: VecDeque<GivenCall>,
    /// The number of the call that was sent last; the first one is 1.
    last: u64,
    /// The number of the call that was answered last.
    answered: u64,
    /// How many were answered, those of the pool itself not counted.
    served: u64,
    has_given_up: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GivenCall {
    number: u64,
    pub(super) call: CallKey,
    pub(super) attempt: Attempt,
    /// The items that are not answered.
    items: Range<u32>,
    /// Whether it was told how long it ran.
    has_ran: bool,
    /// Whether somebody waits for the answer.
    is_awaited: bool,
    /// Whether its answer has begun to arrive in the memory of its arguments: then it has begun, whatever the worker says
    /// of that.
    has_vacated: bool,
}

impl Given {
    pub(super) fn push(&mut self, call: CallKey, attempt: Attempt, items: Range<u32>, is_awaited: bool) {
        self.last += 1;
        self.calls.push_back(GivenCall {
            number: self.last,
            call,
            attempt,
            items,
            has_ran: false,
            is_awaited,
            has_vacated: false,
        });
    }

    /// Somebody waits for the answer to the call that was sent last.
    pub(super) fn await_last(&mut self) {
        self.calls.back_mut().into_iter().for_each(|given| given.is_awaited = true);
    }

    /// Somebody waits for the answer to this call. Returns its number.
    pub(super) fn await_call(&mut self, call: CallKey) -> Option<u64> {
        let given = self.calls.iter_mut().find(|given| given.call == call)?;
        given.is_awaited = true;
        Some(given.number)
    }

    /// How long whoever hears the answers may sleep: until there is one that somebody waits for, or half of what the
    /// worker has to do is done, so that more can be sent in time.
    pub(super) fn patience(&self) -> Patience {
        let half = self.calls.len().saturating_sub(1) / 2;
        match self.calls.iter().take(half + 1).position(|given| given.is_awaited).unwrap_or(half) {
            0 => Patience::None,
            place => Patience::Until(self.calls[place].number as u16),
        }
    }

    /// An item of the call with this number, as far as 32 bits hold it, is answered. Returns the call, and whether
    /// that was its last item; `None` if another answer is awaited.
    pub(super) fn answer(&mut self, number: u32, item: u32) -> Option<(GivenCall, bool)> {
        let first = self.answering(number, item)?;
        first.items.start += 1;
        let (answered, is_last) = (first.clone(), first.items.is_empty());
        if is_last {
            self.pop();
        }
        Some((answered, is_last))
    }

    /// The call that is just being answered, if that is item `item` of the one with this number.
    pub(super) fn answering(&mut self, number: u32, item: u32) -> Option<&mut GivenCall> {
        self.calls.front_mut().filter(|given| given.number as u32 == number && given.items.start == item)
    }

    /// It is told how long the call ran that is answered next, and so which one that is; if it breaks off, its next
    /// answer is its last one. `None` if that was told before, or is of no call: what a worker says has an end only if it may say
    /// nothing twice.
    pub(super) fn ran(&mut self, breaks_off: bool) -> Option<CallKey> {
        let first = self.calls.front_mut().filter(|given| !given.has_ran)?;
        first.has_ran = true;
        if breaks_off {
            first.items.end = first.items.start + 1;
        }
        Some(first.call)
    }

    /// How many items of the first call are not answered.
    pub(super) fn awaited(&self) -> u32 {
        self.calls.front().map_or(0, |given| given.items.end - given.items.start)
    }

    /// So many more items of the first call are answered, of those that are awaited. Returns whether that was all of
    /// them.
    pub(super) fn answer_more(&mut self, items: u32) -> bool {
        let Some(first) = self.calls.front_mut() else { return false };
        first.items.start += items;
        let is_all = first.items.is_empty();
        if is_all {
            self.pop();
        }
        is_all
    }

    fn pop(&mut self) {
        let Some(given) = self.calls.pop_front() else { return };
        self.answered = given.number;
        self.served += u64::from(!given.call.is_nowhere());
    }

    /// The one that has begun, if it is not answered.
    pub(super) fn begun(&self, begun: Begun) -> Option<GivenCall> {
        self.calls.iter().find(|given| begun.is(given.number)).cloned()
    }

    /// The one with this number, if it is not answered.
    #[cfg(feature = "tracing")]
    pub(super) fn find(&self, number: u64) -> Option<&GivenCall> {
        self.calls.iter().find(|given| given.number == number)
    }

    /// The first one.
    #[cfg(feature = "tracing")]
    pub(super) fn oldest(&self) -> Option<&GivenCall> {
        self.calls.front()
    }

    /// The one that was sent last, if it is not answered.
    #[cfg(feature = "tracing")]
    pub(super) fn newest(&self) -> Option<&GivenCall> {
        self.calls.back()
    }

    /// The one that a dead worker is to answer for, if what it says that it has begun cannot be: the first that is not
    /// answered, since that may have begun, and nothing says that it has not.
    pub(super) fn suspect(&self, begun: Begun) -> Option<CallKey> {
        let is_impossible = begun.is_beyond(self.last) || begun.is_before(self.answered);
        self.calls.front().filter(|_| is_impossible).map(|first| first.call)
    }

    /// The one whose answer had begun to arrive in the memory of its arguments.
    pub(super) fn vacated(&self) -> Option<CallKey> {
        self.calls.front().filter(|first| first.has_vacated).map(|first| first.call)
    }

    /// The number of the first call that is not answered.
    pub(super) fn first(&self) -> Option<u64> {
        self.calls.front().map(|given| given.number)
    }

    /// The number of a call that is not answered.
    pub(super) fn number_of(&self, call: CallKey) -> Option<u64> {
        self.calls.iter().find(|given| given.call == call).map(|given| given.number)
    }

    /// The number of the call that was sent last.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// What has not begun is recalled. Returns the last call that has begun, if it is not answered.
    pub(super) fn take_back(&mut self, begun: Begun) -> Option<CallKey> {
        // While a long answer is on its way, the next call may have begun.
        let begun = self.calls.iter().rposition(|given| begun.is(given.number) || given.has_vacated);
        self.calls.truncate(begun.map_or(0, |place| place + 1));
        self.calls.back().map(|given| given.call)
    }

    /// The worker begins no calls any more. What it runs for its pool it runs all the same, and that may have been sent
    /// before this was heard. An error if that cannot be.
    pub(super) fn give_up(&mut self, begun: Begun) -> Result<(), &'static str> {
        if self.last == 0 || std::mem::replace(&mut self.has_given_up, true) {
            return Err("that it begins nothing more, again or too early");
        }
        let has_begun = |given: &GivenCall| begun.is(given.number) && begun.item >= given.items.start;
        let is_under_way = |given: &GivenCall| !given.call.is_nowhere() && has_begun(given);
        if self.calls.iter().any(is_under_way) {
            return Err("that it begins nothing more, while it runs a call");
        }
        self.calls.retain(|given| given.call.is_nowhere());
        Ok(())
    }

    /// How many calls were answered, those of the pool itself not counted.
    pub(super) const fn served(&self) -> u64 {
        self.served
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// All of them, each with its number.
    #[cfg(all(test, not(loom)))]
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &GivenCall)> {
        self.calls.iter().map(|given| (given.number, given))
    }
}

#[cfg(all(test, not(loom)))]
impl GivenCall {
    pub(super) const fn is_awaited(&self) -> bool {
        self.is_awaited
    }
}

#[cfg(feature = "tracing")]
impl GivenCall {
    /// Whether its worker knows it by this number.
    pub(super) const fn has(&self, number: u64) -> bool {
        self.number == number
    }
}

impl GivenCall {
    /// Its arguments are no more.
    pub(super) fn vacate(&mut self) {
        self.has_vacated = true;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sys::page::{Beginner, Page};

    #[test]
    fn calls_are_found_by_what_the_worker_says() {
        let (page, _fd) = Page::create().unwrap();
        let mut worker = Beginner::new(&page);
        let (mut given, calls) = (Given::default(), [CallKey::nowhere(), CallKey::nowhere()]);
        assert_eq!(given.begun(page.begun()), None);
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 3..5, false));
        assert_eq!((given.begun(page.begun()), given.answer(2, 3)), (None, None), "the first one is answered first");
        assert!(worker.begin(1, 0));
        assert_eq!((given.ran(false), given.ran(false)), (Some(calls[0]), None), "it is told once");
        assert_eq!((given.number_of(calls[1]), given.number_of(CallKey::nowhere())), (Some(2), None));
        let answers = [(1, 4), (1, 3), (1, 4), (1, 5)].map(|(call, item)| given.answer(call, item));
        let answers = answers.map(|answer| answer.map(|(_, is_last)| is_last));
        assert_eq!(answers, [None, Some(false), Some(true), None]);
        assert_eq!(given.begun(page.begun()), None, "what was answered is over");
        assert!(worker.begin(2, 0));
        assert_eq!(given.begun(page.begun()).map(|given| given.call), Some(calls[1]));
    }

    #[test]
    fn who_says_what_cannot_be_answers_for_the_first() {
        let (page, _fd) = Page::create().unwrap();
        let mut worker = Beginner::new(&page);
        let (mut given, calls) = (Given::default(), [CallKey::nowhere(), CallKey { slot: 7, ..CallKey::nowhere() }]);
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 0..1, false));
        assert_eq!(given.suspect(page.begun()), None, "nothing has begun");
        assert!(worker.begin(1, 0) && given.answer(1, 0).is_some() && worker.begin(2, 0));
        assert_eq!(given.suspect(page.begun()), None, "it is known what has begun");
        assert!(worker.begin(3, 0));
        assert_eq!(given.suspect(page.begun()), Some(calls[1]), "so much was never sent");
        let (page, _fd) = Page::create().unwrap();
        assert_eq!(given.suspect(page.begun()), Some(calls[1]), "what is answered has begun");
    }

    #[test]
    fn what_has_no_arguments_any_more_has_begun_whatever_is_said_of_it() {
        let (page, _fd) = Page::create().unwrap();
        let mut given = Given::default();
        let calls = [CallKey::nowhere(), CallKey { slot: 7, ..CallKey::nowhere() }];
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 0..1, false));
        assert!(given.answering(2, 0).is_none() && given.answering(1, 1).is_none());
        given.answering(1, 0).unwrap().vacate();
        assert_eq!((given.suspect(page.begun()), given.vacated()), (None, Some(calls[0])));
        assert_eq!((given.take_back(page.recall(given.last())), given.last()), (Some(calls[0]), 2));
        assert!(given.answer(1, 0).is_some() && given.is_empty());
    }

    #[test]
    fn what_has_begun_while_an_answer_arrives_is_not_taken_back() {
        let (page, _fd) = Page::create().unwrap();
        let (mut worker, mut given) = (Beginner::new(&page), Given::default());
        let calls = [1, 2, 3].map(|slot| CallKey { slot, ..CallKey::nowhere() });
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 0..1, false));
        assert!(worker.begin(1, 0));
        given.answering(1, 0).unwrap().vacate();
        assert!(worker.begin(2, 0));
        assert_eq!(given.take_back(page.recall(given.last())), Some(calls[1]));
        let known = calls.map(|call| given.number_of(call));
        assert_eq!(known, [Some(1), Some(2), None]);
    }

    #[test]
    fn several_items_are_answered_at_once() {
        let (mut given, calls) = (Given::default(), [CallKey::nowhere(), CallKey::nowhere()]);
        assert_eq!((given.awaited(), given.answer_more(0)), (0, false));
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 3..8, false));
        assert_eq!(given.answer(1, 3).map(|(_, is_last)| is_last), Some(false));
        assert_eq!((given.awaited(), given.answer_more(3), given.awaited()), (4, false, 1));
        assert_eq!((given.answer_more(1), given.awaited()), (true, 5), "the next call is the first one now");
    }

    #[test]
    fn what_breaks_off_ends_with_its_next_answer() {
        let (mut given, calls) = (Given::default(), [CallKey::nowhere(), CallKey { slot: 7, ..CallKey::nowhere() }]);
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 0..5, false));
        assert_eq!(given.answer(1, 0).map(|(_, is_last)| is_last), Some(false));
        assert_eq!((given.ran(true), given.awaited(), given.ran(true)), (Some(calls[0]), 1, None));
        assert_eq!(given.answer(1, 1).map(|(_, is_last)| is_last), Some(true));
        assert_eq!((given.awaited(), given.answer(1, 2)), (5, None), "the next call is the first one now");
    }

    #[test]
    fn a_worker_gives_up_once_and_nothing_that_it_runs() {
        let (page, _fd) = Page::create().unwrap();
        let (mut worker, call) = (Beginner::new(&page), CallKey { slot: 7, ..CallKey::nowhere() });
        let mut given = Given::default();
        assert!(given.give_up(page.begun()).is_err(), "it has had nothing to do");
        let mut given = Given::default();
        given.push(call, Attempt::FIRST, 0..2, false);
        assert!(worker.begin(1, 0) && given.give_up(page.begun()).is_err(), "it runs");
        let mut given = Given::default();
        given.push(call, Attempt::FIRST, 0..2, false);
        given.push(CallKey::nowhere(), Attempt::FIRST, 0..1, false);
        assert!(given.answer(1, 0).is_some() && given.give_up(page.begun()).is_ok());
        assert!(
            worker.begin(2, 0) && given.begun(page.begun()).is_some(),
            "what is its pool's own it runs all the same"
        );
        assert!(given.give_up(page.begun()).is_err(), "once");
    }

    #[test]
    fn what_has_not_begun_is_taken_back() {
        let (page, _fd) = Page::create().unwrap();
        let mut worker = Beginner::new(&page);
        let (mut given, calls) = (Given::default(), [CallKey::nowhere(), CallKey::nowhere(), CallKey::nowhere()]);
        calls.iter().for_each(|&call| given.push(call, Attempt::FIRST, 0..1, false));
        assert!(worker.begin(1, 0) && worker.begin(2, 0));
        assert_eq!(given.take_back(page.recall(given.last())), Some(calls[1]));
        assert!(given.answer(1, 0).is_some() && given.answer(2, 0).is_some() && given.is_empty());
        given.push(calls[2], Attempt::FIRST, 0..1, false);
        assert_eq!((given.take_back(page.recall(given.last())), given.is_empty()), (None, true));
        assert!(!worker.begin(3, 0) && !worker.begin(4, 0) && worker.begin(5, 0));
    }
}
