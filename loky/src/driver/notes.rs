//! What tasks log, on its way from the workers to what listens in this program.
//!
//! Notes are taken in under the lock, and told outside of it, by whoever has taken them in: in order, one thread at a time,
//! and before whatever follows from what was heard after them. A note comes before the answer that was written after it,
//! because what has been noted is read when the answer is there and before it is believed. Nobody is woken for a note:
//! while something runs, the background thread looks for some now and then.
//!
//! What waits to be told has a bound; beyond it notes are counted and not kept.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Driver;
use super::clock;
use super::given::GivenCall;
use super::inner::{Body, Inner, Pending, Worker};
use super::order::Outcome;
use crate::bars;
use crate::error::Error;
use crate::ids::WorkerId;
use crate::logs::{Heard, Of, Source, Wanted, wanted};
use crate::sys::page::Page;
use crate::transport::notes::NoteReader;
use crate::wire::note::{NOTE_MAX, Note};

/// Of the pool.
#[derive(Debug, Default)]
pub(super) struct Notes {
    waiting: Vec<Heard>,
    /// How many bytes the notes among them had.
    bytes: usize,
    lost: u64,
    /// Whether somebody is telling some just now.
    is_telling: bool,
    /// Whether there were more than were read.
    is_more: bool,
}

/// Of one worker.
#[derive(Debug)]
pub(super) struct Ear {
    reader: NoteReader,
    wanted: Wanted,
}

/// How many bytes of notes may wait to be told.
const WAITING_MAX: usize = 4 << 20;

/// How many bytes are read of one worker at once, if nothing has come to its end there.
const SOME: usize = 16 << 10;

/// As many as its ring holds: all that lies there may have been noted before the answer that is there.
const ALL: usize = (1 << 20) + NOTE_MAX;

/// How often the background thread looks for notes while something runs.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Notes {
    /// Whether something is to be told, or is just being told.
    pub(super) fn is_due(&self) -> bool {
        self.is_telling || !self.waiting.is_empty()
    }

    fn add(&mut self, source: Source, note: Note, len: usize) {
        if self.bytes + len > WAITING_MAX && !matches!(note, Note::Site(_) | Note::Closed { .. }) {
            self.lost += 1;
            return;
        }
        self.bytes += len;
        self.waiting.push(Heard::Note(Box::new((source, note))));
    }

    pub(super) fn take(&mut self) -> Vec<Heard> {
        self.is_telling = true;
        self.bytes = 0;
        let lost = std::mem::take(&mut self.lost);
        self.waiting.extend((lost > 0).then_some(Heard::Lost(lost)));
        std::mem::take(&mut self.waiting)
    }
}

impl Ear {
    pub(super) fn new(page: &Page) -> Self {
        let wanted = wanted();
        page.want_level(wanted.level);
        Self { reader: NoteReader::new(page), wanted }
    }
}

impl Inner {
    /// Takes in some of what the worker has noted: not so much that others would have to wait for long until it is told.
    pub(super) fn hear_some_notes(&mut self, id: WorkerId, now: Instant) {
        self.notes.is_more |= self.hear_notes(id, None, SOME, now);
    }

    /// Takes in all that the worker had noted before this; `ended`: of this call, too, which it has just answered.
    pub(super) fn hear_all_notes(&mut self, id: WorkerId, ended: Option<&GivenCall>, now: Instant) {
        self.hear_notes(id, ended, ALL, now);
    }

    /// Returns whether there were more than `most` bytes.
    fn hear_notes(&mut self, id: WorkerId, ended: Option<&GivenCall>, most: usize, now: Instant) -> bool {
        let has_news = self.body(id).is_some_and(|body| body.ear.reader.has_news());
        if !has_news {
            return false;
        }
        match self.read_notes(id, ended, most) {
            Ok(is_more) => is_more,
            Err(why) => {
                self.refuse(id, format!("logged nonsense ({why})"), now);
                false
            }
        }
    }

    fn read_notes(&mut self, id: WorkerId, ended: Option<&GivenCall>, most: usize) -> Result<bool, String> {
        let Self { workers, calls, notes, .. } = self;
        let Some(worker) = workers.get_mut(&id).filter(|worker| worker.refused_for.is_none()) else { return Ok(false) };
        let Worker { index, body: Some(body), .. } = worker else { return Ok(false) };
        let Body { ear, given, page, process, .. } = body;
        let mut read = 0;
        while let Some(bytes) = ear.reader.next().map_err(|why| why.to_string())? {
            let note = Note::decode(bytes).map_err(|why| why.to_string())?;
            let number = number_of(&note);
            let given = number.and_then(|number| given.find(number).or(ended.filter(|ended| ended.has(number))));
            let of = given.and_then(|given| Some(of(given, calls.get(given.call)?)));
            let source = Source { worker: id, index: *index, pid: process.pid, page: page.clone(), of };
            notes.add(source, note, bytes.len());
            read += bytes.len();
            if read > most {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells the worker what is wanted, if that has changed.
    pub(super) fn tell_wanted(&mut self, id: WorkerId) {
        let wanted = wanted();
        let Some(body) = self.body(id).filter(|body| body.ear.wanted != wanted) else { return };
        body.ear.wanted = wanted;
        body.page.want_level(wanted.level);
        let page = body.page.clone();
        self.notes.waiting.push(Heard::Wanted(id, page));
    }

    /// A call was sent to a worker, behind all others.
    pub(super) fn trace_sent(&mut self, id: WorkerId) {
        self.tell_wanted(id);
        let Some(Worker { index, body: Some(body), .. }) = self.workers.get(&id) else { return };
        let Some(given) = body.given.newest() else { return };
        let is_alone = body.given.oldest() == Some(given);
        let Some(pending) = self.calls.get(given.call).filter(|pending| !pending.order.trace().is_none()) else {
            return;
        };
        let source = Source { worker: id, index: *index, pid: body.process.pid, page: body.page.clone(), of: None };
        let heard = Heard::Sent(of(given, pending), source);
        self.notes.waiting.push(heard);
        if is_alone {
            self.trace_begun(id);
        }
    }

    /// The worker has come to the first one of the calls that it has not answered.
    pub(super) fn trace_begun(&self, id: WorkerId) {
        let body = self.workers.get(&id).and_then(|worker| worker.body.as_ref());
        let first = body.and_then(|body| self.calls.get(body.given.oldest()?.call));
        first.into_iter().for_each(|pending| pending.order.trace().begin_run());
    }

    /// A call has ended.
    pub(super) fn trace_ended(&mut self, pending: &Pending, end: Option<&Error>) {
        let trace = pending.order.trace();
        if !trace.is_none() {
            let outcome = pending.outcome.as_deref();
            let failure = end.map(Error::kind).or_else(|| outcome.and_then(Outcome::kind_of_failure));
            let ran = outcome.map(|outcome| outcome.ran).unwrap_or_default();
            self.notes.waiting.push(Heard::Ended(trace, ran, failure));
        }
    }

    /// The worker is dead, and all that it had noted was read.
    pub(super) fn forget_notes(&mut self, worker: WorkerId) {
        self.notes.waiting.push(Heard::Gone(worker));
    }

    pub(super) fn has_notes(&self) -> bool {
        self.notes.is_due()
    }

    /// Whether there are more is found out anew.
    pub(super) fn begin_look_for_notes(&mut self) {
        self.notes.is_more = false;
    }

    /// When to look for notes again.
    pub(super) fn next_look_for_notes(&self) -> Option<Instant> {
        let may_come = wanted().level > 0 && self.scheduler.idle() < self.scheduler.live();
        let pause = if self.notes.is_more { Duration::ZERO } else { LOOK_EVERY };
        may_come.then(|| clock::now() + pause)
    }
}

impl Driver {
    /// Tells what was noted, and waits for whoever is just telling some.
    pub(super) fn tell_notes(&self) {
        let mut told = self.told.load(Ordering::Relaxed);
        let _turn = loop {
            match self.notes_pen.take() {
                Some(turn) => break turn,
                // That one is stuck in what listens, and results must not wait for it.
                None if self.told.load(Ordering::Relaxed) == told => return,
                None => told = self.told.load(Ordering::Relaxed),
            }
        };
        let heard = self.inner.lock().notes.take();
        // What listens may write to the terminal.
        bars::suspended(|| {
            let mut mirror = self.mirror.lock();
            for heard in heard {
                mirror.tell(heard);
                self.told.fetch_add(1, Ordering::Relaxed);
            }
        });
        self.inner.lock().notes.is_telling = false;
    }
}

/// The number of the call that the note says it belongs to.
fn number_of(note: &Note) -> Option<u64> {
    match note {
        Note::Event { call, .. } | Note::Span { call, .. } => Some(*call),
        _ => None,
    }
}

fn of(given: &GivenCall, pending: &Pending) -> Of {
    let tries_before = if pending.done() == 0 { pending.order.tries_before() } else { 0 };
    Of {
        trace: pending.order.trace(),
        task: pending.order.task_name(),
        call: given.call.id,
        attempt: given.attempt.get() + tries_before,
    }
}
