//! Takes in what workers have answered. Everything a worker sends is checked: it may be damaged, and then it may say
//! anything.

use std::time::{Duration, Instant};

use super::enclosures;
use super::evidence;
use super::given::GivenCall;
use super::inner::{Body, Inner, Pending, Worker};
use super::results::Value;
use super::reuse;
use crate::errand::Answer;
use crate::ids::{CallKey, WorkerId};
use crate::scheduler::{Event, Try};
use crate::shared::passing::Arrivals;
use crate::wire::body as wire;
use crate::wire::message::{Failure, FromWorker, Hello};

/// How many frames of one worker are heard in a row, before others have their turn.
const FRAMES_IN_A_ROW_MAX: usize = 256;

/// After so many spawns somebody who spawns on hears what has come: what many answers cost together, such as a look for
/// output, is shared by about as many.
const HELP_EVERY: u32 = 16;

/// What one frame comes to.
enum Heard {
    Nothing,
    Hello(Hello),
    /// How long a call ran was noted.
    Noted,
    /// An item has a result, which was stored; `true`: it was the last one of its call.
    Stored(GivenCall, bool),
    /// An item has none.
    Failed(GivenCall, bool, Failure),
    /// What the worker runs for its pool has a value.
    Errand(Answer),
    /// It begins nothing more.
    Worn,
    Nonsense(String),
}

#[cfg(feature = "tracing")]
impl Heard {
    /// Whether something has come to its end: all that was noted before is told before that.
    const fn is_end(&self) -> bool {
        matches!(self, Self::Stored(..) | Self::Failed(..) | Self::Errand(_))
    }

    /// The call of which there is an answer.
    const fn given(&self) -> Option<&GivenCall> {
        match self {
            Self::Stored(given, _) | Self::Failed(given, ..) => Some(given),
            _ => None,
        }
    }
}

impl Heard {
    /// This, unless what was heard cannot be.
    fn or_nonsense(checked: Result<(), &'static str>, heard: Self) -> Self {
        match checked {
            Ok(()) => heard,
            Err(why) => Self::Nonsense(why.to_string()),
        }
    }
}

impl Inner {
    /// Takes in what all workers have said, and what follows from it and from the time.
    pub(super) fn hear_news(&mut self, now: Instant) {
        #[cfg(feature = "tracing")]
        self.begin_look_for_notes();
        let mut next = self.workers.keys().next().copied();
        while let Some(worker) = next {
            self.flush(worker);
            self.hear_worker(worker, now);
            next = self.workers.range(WorkerId(worker.0 + 1)..).next().map(|(&id, _)| id);
        }
        if self.has_departed() {
            self.forget_departed();
        }
        self.scheduler.handle_timeout(now);
        self.perform_all();
    }

    /// The same if there is something to hear: for whoever asks how things are, or changes them. Answers that nobody
    /// waits for are not heard at once by themselves.
    pub(super) fn hear_what_is_there(&mut self, now: Instant) {
        if self.has_news() {
            self.hear_news(now);
        }
    }

    /// For whoever has just spawned a call that must wait: takes in what the workers have said meanwhile. Nobody else
    /// has to be woken for that, and a row of spawns keeps the workers busy by itself.
    pub(super) fn help(&mut self, now: Instant) {
        let is_due = self.is_help_due();
        self.spawned = self.spawned.wrapping_add(1);
        if is_due && self.scheduler.queued() > 0 {
            self.hear_news(now);
            self.duty.was_helped();
        }
    }

    /// Whether whoever spawns now is to hear what the workers have said, and they have said something.
    pub(super) fn is_help_due(&self) -> bool {
        self.spawned.wrapping_add(1) % HELP_EVERY == 0 && self.has_news()
    }

    /// Takes in what one worker has said, and then what it has printed before: that is shown before the results are.
    fn hear_worker(&mut self, worker: WorkerId, now: Instant) {
        let heard =
            (0..FRAMES_IN_A_ROW_MAX).take_while(|_| self.has_news_of(worker) && self.hear_frame(worker, now)).count();
        #[cfg(feature = "tracing")]
        self.hear_some_notes(worker, now);
        if heard > 0 && !self.settings.output.is_by_call() {
            self.hear_all_output(worker);
        }
    }

    /// Takes one frame in. `false`: there is none for now.
    pub(super) fn hear_frame(&mut self, worker: WorkerId, now: Instant) -> bool {
        if self.settings.output.is_by_call() {
            // What belongs to the call is taken in while there is one.
            self.hear_output_of_call(worker);
        }
        let heard = self.receive(worker);
        #[cfg(feature = "tracing")]
        if heard.is_end() {
            self.hear_all_notes(worker, heard.given(), now);
        }
        match heard {
            Heard::Nothing => return false,
            Heard::Noted => {}
            Heard::Hello(hello) => self.hear_hello(worker, hello, now),
            Heard::Stored(given, is_last) => self.answered(worker, &given, is_last, now),
            Heard::Errand(value) => self.turn_answered(worker, Ok(value), now),
            Heard::Failed(given, _, failure) if given.call.is_nowhere() => {
                self.turn_answered(worker, Err(failure), now);
            }
            Heard::Failed(given, is_last, failure) => {
                self.store_failure(worker, &given, failure);
                self.answered(worker, &given, is_last, now);
            }
            Heard::Worn => {
                self.note_worn(worker);
                self.feed(Event::Worn { worker }, now);
            }
            Heard::Nonsense(why) => self.refuse(worker, format!("sent nonsense ({why})"), now),
        }
        true
    }

    fn has_news_of(&mut self, worker: WorkerId) -> bool {
        self.body(worker).is_some_and(|body| body.link.has_news())
    }

    fn receive(&mut self, worker: WorkerId) -> Heard {
        let Some(Worker { body: Some(body), is_killed, .. }) = self.workers.get_mut(&worker) else {
            return Heard::Nothing;
        };
        let (calls, given, room) = (&mut self.calls, &mut body.given, &mut self.room);
        let spare = |head, width, bytes| reuse::memory_for(head, (width, bytes), given, calls, room);
        let said = match body.link.receive(spare) {
            Ok(Some(said)) => FromWorker::parse(said),
            Ok(None) => return Heard::Nothing,
            Err(why) => return Heard::Nonsense(why.to_string()),
        };
        let mut known = None;
        let (call, item, result) = match said {
            Ok(FromWorker::Answer { call, item, result }) => (call, item, result),
            Ok(FromWorker::AnswerOfReaders { call, item, encloses, result }) => {
                match enclosures::known_alone(&body.held, &body.enclosed, encloses) {
                    Ok(segment) => known = Some((encloses, segment)),
                    Err(why) => return Heard::Nonsense(why.to_string()),
                }
                (call, item, Ok(wire::Body::Lent(result)))
            }
            Ok(FromWorker::Hello(hello)) => return Heard::Hello(hello),
            Ok(FromWorker::Ran { began, nanos, breaks_off }) => {
                let Some(call) = body.given.ran(breaks_off) else {
                    return Heard::Nonsense("a time that nobody awaits".into());
                };
                return self.ran(call, began, nanos);
            }
            Ok(FromWorker::Encloses(enclosure)) => {
                return Heard::or_nonsense(body.take_in_enclosed(enclosure), Heard::Noted);
            }
            Ok(FromWorker::Worn) => {
                // Of one that is to die, what it was given tells what it had begun.
                let checked = if *is_killed { Ok(()) } else { body.given.give_up(body.page.begun()) };
                return Heard::or_nonsense(checked, Heard::Worn);
            }
            Err(why) => return Heard::Nonsense(why.to_string()),
        };
        let Some((given, mut is_last)) = body.given.answer(call, item) else {
            return Heard::Nonsense("an answer that nobody awaits".into());
        };
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(failure) => {
                self.outbox.chores.extend(body.clear_up_after(&failure));
                return Heard::Failed(given, is_last, failure);
            }
        };
        // What comes after the end of a call comes too late: its worker is being killed for it.
        if !self.scheduler.is_doomed(given.call) {
            if let Some(pending) = self.calls.get_mut(given.call) {
                let (count, results) =
                    (pending.order.items().len(), &mut pending.outcome.get_or_insert_default().results);
                results.push(Ok(bytes), count);
                known.into_iter().for_each(|(id, segment)| results.enclose_known(id, segment));
                if !is_last && !self.settings.output.is_by_call() {
                    is_last = receive_row(body, pending);
                }
            } else if given.call.is_nowhere() {
                let announced = || Arrivals::from(std::mem::take(&mut body.enclosed));
                let arrivals = known.map_or_else(announced, |(id, segment)| Arrivals::known(id, segment));
                return Heard::Errand((Value::from(bytes).into_payload(), arrivals));
            }
        }
        if body.has_leftovers() {
            self.store_enclosed(worker, given.call);
        }
        Heard::Stored(given, is_last)
    }

    /// What came with an answer goes with its result, if that counts.
    #[cold]
    fn store_enclosed(&mut self, worker: WorkerId, call: CallKey) {
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        let enclosed = std::mem::take(&mut body.enclosed);
        let pending = self.calls.get_mut(call).filter(|_| !self.scheduler.is_doomed(call));
        if let Some(pending) = pending.filter(|_| !enclosed.is_empty()) {
            pending.outcome().results.enclose(enclosed);
        }
        self.outbox.chores.extend(body.clear_leftovers());
    }

    fn ran(&mut self, call: CallKey, began: u64, nanos: u64) -> Heard {
        if let Some(pending) = self.calls.get_mut(call) {
            pending.outcome().ran += Duration::from_nanos(nanos);
            self.record.iter_mut().for_each(|record| record.told_time(call, began, nanos));
        }
        Heard::Noted
    }

    fn store_failure(&mut self, worker: WorkerId, given: &GivenCall, failure: Failure) {
        let pending = self.calls.get(given.call).filter(|_| !self.scheduler.is_doomed(given.call));
        let Some(pending) = pending else { return };
        let error = evidence::failed(self, pending, worker, given.attempt, failure);
        let pending = self.calls.get_mut(given.call).expect("it was there a moment ago");
        let count = pending.order.items().len();
        pending.outcome().results.push(Err(error), count);
    }

    fn answered(&mut self, worker: WorkerId, given: &GivenCall, is_last: bool, now: Instant) {
        let &GivenCall { call, attempt, .. } = given;
        if is_last {
            self.end_lines(worker);
            #[cfg(feature = "tracing")]
            self.trace_begun(worker);
            // Whoever hears answers tells the time afterwards: what follows from all of them is found out once.
            self.scheduler.note(Event::Returned { worker, call, attempt }, now);
            self.perform_all();
        } else if self.calls.get(call).is_some_and(Pending::has_run_limit) && !self.scheduler.is_doomed(call) {
            self.feed(Event::Progressed { worker, call, attempt }, now);
        }
    }

    /// Gives a call its due before its run limit ends it: the answer that ends an item may be on its way while the next
    /// item, or another call, has begun. That one must not be killed for the other.
    pub(super) fn excuse_progress(&mut self, now: Instant) {
        if !self.scheduler.is_due(now) {
            return;
        }
        let overrunning = self.scheduler.overrunning(now);
        if overrunning.is_empty() {
            return;
        }
        for &(call, Try { worker, attempt }) in &overrunning {
            let Some(pending) = self.calls.get(call) else { continue };
            let awaited = pending.done();
            let Some(body) = self.workers.get(&worker).and_then(|worker| worker.body.as_ref()) else { continue };
            let begun = body.page.halt();
            let is_over = |given: GivenCall| given.call != call || begun.item as usize > awaited;
            if body.given.begun(begun).is_some_and(is_over) {
                body.page.resume();
                self.feed(Event::Progressed { worker, call, attempt }, now);
            }
        }
        // At once: were an answer heard between the halt and the end of its call, the worker would stay halted.
        self.scheduler.handle_timeout(now);
        self.perform_all();
        for (_, Try { worker, .. }) in overrunning {
            // It had done the call and begun another one, so it was spared.
            let spared = self.workers.get(&worker).filter(|worker| !worker.is_killed);
            if let Some(body) = spared.and_then(|worker| worker.body.as_ref()) {
                body.page.resume();
            }
        }
    }
}

impl Pending {
    /// Whether it matters when an item has ended and the next one begins.
    fn has_run_limit(&self) -> bool {
        self.order.limits().timeout.is_some()
    }
}

/// Takes in the values that follow one of the same call, as far as they are there: many at once cost little each.
/// Returns whether the last one was among them.
///
/// Not where what is printed goes with the outcome: what comes before the last answer is taken in before that is.
fn receive_row(body: &mut Body, pending: &mut Pending) -> bool {
    let (awaited, mut more, results) = (body.given.awaited(), 0, &mut pending.outcome().results);
    while more < awaited {
        let most = (awaited - more) as usize;
        more += results.push_alike(most, |bytes| body.link.next_alike(most, bytes)) as u32;
        if more < awaited {
            let Some(bytes) = body.link.next_that_follows() else { break };
            results.push_more(bytes);
            more += 1;
        }
    }
    body.given.answer_more(more)
}
