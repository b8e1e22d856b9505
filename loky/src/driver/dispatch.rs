//! Says to a worker what it is to run.
//!
//! Most calls are plain and short, and most of what it costs to send them is to begin: so they are said in few words,
//! and in one piece.

use super::inner::Inner;
use super::order::{Items, Limits, Order};
use crate::errand::Errand;
use crate::ids::{Attempt, CallKey, WorkerId};
use crate::transport::link::{Link, Part};
use crate::transport::payload::Payload;
use crate::wire::frame::WORD;
use crate::wire::run::{self, Run};

/// A plain call with so many bytes of arguments is said in one piece.
const SHORT_MAX: usize = 64;

impl Inner {
    pub(super) fn dispatch(&mut self, call: CallKey, attempt: Attempt, worker: WorkerId) {
        self.note_dispatched(call, attempt, worker);
        let is_measured = self.record.is_some();
        let Some(pending) = self.calls.get(call) else { return };
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        let (order, first) = (&pending.order, pending.done());
        if order.has_enclosed() {
            self.has_unsent |= body.give_enclosed(order, &mut self.departed, self.poller.as_ref());
        }
        if attempt.get() == 1 && order.is_plain() && !is_measured && order.payload.len() <= SHORT_MAX {
            say_plain(&mut body.link, call, order);
        } else {
            let run = run_of(call, attempt, first, order);
            say(&mut body.link, &Run { is_measured: is_measured || run.is_measured, ..run }, order);
        }
        if body.given.is_empty() {
            // What was written so far belongs to calls that have ended.
            body.tail.forget();
            if let Some(memory) = &mut body.memory {
                memory.watch(&mut self.vigil);
            }
        }
        let is_timed = order.is_timed();
        if is_timed {
            // Its clock starts when the call before it has ended.
            body.given.await_last();
        }
        let is_awaited = is_timed || pending.is_awaited;
        body.given.push(call, attempt, number(first)..number(order.items().len()), is_awaited);
        #[cfg(feature = "tracing")]
        self.trace_sent(worker);
        self.flush(worker);
    }

    /// Sends what the worker is to run for its pool. It holds nothing else then.
    pub(super) fn dispatch_errand(&mut self, errand: &Errand, worker: WorkerId) {
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        let order = Order::new(errand.task.clone(), errand.arguments.clone(), Items::One, Limits::default());
        let (call, attempt) = (CallKey::nowhere(), Attempt::FIRST);
        if order.has_enclosed() {
            self.has_unsent |= body.give_enclosed(&order, &mut self.departed, self.poller.as_ref());
        }
        say(&mut body.link, &run_of(call, attempt, 0, &order), &order);
        body.tail.forget();
        if let Some(memory) = &mut body.memory {
            memory.watch(&mut self.vigil);
        }
        body.given.push(call, attempt, 0..1, true);
        self.flush(worker);
    }
}

fn say_plain(link: &mut Link, call: CallKey, order: &Order) {
    let (mut bytes, len) = ([0; WORD + SHORT_MAX], WORD + order.payload.len());
    bytes[..WORD].copy_from_slice(&run::plain_word(order.task));
    bytes[WORD..len].copy_from_slice(&order.payload);
    link.send_short(run::plain_head(call.id, order.payload.len()), &bytes[..len]);
}

fn say(link: &mut Link, run: &Run, order: &Order) {
    let first = run.first as usize;
    let captures = order.captures().cloned().map(Payload::Parcel);
    let lengths: Vec<u8> = match (order.items(), order.items().alike()) {
        (Items::Many(_), Some(len)) if run.count > 1 => word(len).into(),
        (Items::Many(lengths), None) if run.count > 1 => lengths.each(first..lengths.count()).flat_map(word).collect(),
        _ => Vec::new(),
    };
    let arguments = order.offset_of(first)..order.payload.len();
    let row = order.payload.row().filter(|_| first == 0);
    let (head, words) = (run.head(arguments.len(), row), run.words());
    let fixed = [Part::Bytes(&words), Part::Bytes(&lengths)];
    let captures = captures.as_ref().map(|captures| Part::Payload(captures, 0..captures.len()));
    let [start, tail] = order.payload.pieces();
    let start = Part::Payload(&order.payload, arguments.start..start.end);
    let tail = (!tail.is_empty()).then_some(Part::Payload(&order.payload, tail));
    link.send(head, fixed.into_iter().chain(captures).chain([start]).chain(tail));
}

fn run_of(call: CallKey, attempt: Attempt, first: usize, order: &Order) -> Run {
    Run {
        call: call.id,
        attempt,
        tries_before: if first == 0 { order.tries_before() } else { 0 },
        task: order.task,
        captures: order.captures().map_or(0, |captures| captures.bytes.len()),
        first: number(first),
        count: number(order.items().len() - first),
        is_measured: order.is_measured(),
        // The limit is that of one item: its clock starts when the answer before it is heard.
        is_prompt: order.limits().timeout.is_some(),
        is_alike: order.items().alike().is_some(),
        is_errand: call.is_nowhere(),
        may_break_off: order.may_break_off(),
    }
}

fn number(items: usize) -> u32 {
    u32::try_from(items).expect("a call has fewer items than `ITEMS_MAX`")
}

fn word(len: usize) -> [u8; WORD] {
    (len as u64).to_le_bytes()
}
