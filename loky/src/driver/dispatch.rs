//! Says to a worker what it is to run.
//!
//! Most calls are plain and short, and most of what it costs to send them is to begin: so they are said in few words,
//! and in one piece.

use super::inner::{Inner, Pending};
use super::order::{Items, Order};
use crate::ids::{Attempt, CallKey, WorkerId};
use crate::transport::link::{Link, Part};
use crate::transport::payload::Payload;
use crate::wire::frame::WORD;
use crate::wire::run::{self, Run};

/// A plain call with so many bytes of arguments is said in one piece.
const SHORT_MAX: usize = 64;

impl Inner {
    pub(super) fn dispatch(&mut self, call: CallKey, attempt: Attempt, worker: WorkerId) {
        let Some(pending) = self.calls.get(call) else { return };
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        let (order, first) = (&pending.order, pending.done());
        if attempt.get() == 1 && order.is_plain() && order.payload.len() <= SHORT_MAX {
            say_plain(&mut body.link, call, order);
        } else {
            say(&mut body.link, &run_of(call, attempt, pending), order);
        }
        if body.given.is_empty() {
            // What was written so far belongs to calls that have ended.
            body.tail.forget();
            if let Some(memory) = &mut body.memory {
                memory.watch(&mut self.vigil);
            }
        }
        body.given.push(call, attempt, number(first)..number(order.items.len()));
        self.flush(worker);
    }
}

fn say_plain(link: &mut Link, call: CallKey, order: &Order) {
    let (mut bytes, len) = ([0; WORD + SHORT_MAX], WORD + order.payload.len());
    bytes[..WORD].copy_from_slice(&run::plain_word(order.task.id));
    bytes[WORD..len].copy_from_slice(&order.payload);
    link.send(run::plain_head(call.id, order.payload.len()), [Part::Bytes(&bytes[..len])]);
}

fn say(link: &mut Link, run: &Run, order: &Order) {
    let first = run.first as usize;
    let captures = order.task.captures.clone().map(|captures| Payload::Long(captures, None));
    let lengths: Vec<u8> = match (&order.items, order.items.alike()) {
        (Items::Many(_), Some(len)) if run.count > 1 => word(len).into(),
        (Items::Many(lengths), None) if run.count > 1 => lengths.each(first..lengths.count()).flat_map(word).collect(),
        _ => Vec::new(),
    };
    let arguments = order.offset_of(first)..order.payload.len();
    let row = order.payload.row().filter(|_| first == 0);
    let (head, words) = (run.head(arguments.len(), row), run.words());
    let fixed = [Part::Bytes(&words), Part::Bytes(&lengths)];
    let captures = captures.as_ref().map(|captures| Part::Payload(captures, 0..captures.len()));
    link.send(head, fixed.into_iter().chain(captures).chain([Part::Payload(&order.payload, arguments)]));
}

fn run_of(call: CallKey, attempt: Attempt, pending: &Pending) -> Run {
    let (order, first) = (&pending.order, pending.done());
    Run {
        call: call.id,
        attempt,
        tries_before: if first == 0 { order.tries_before } else { 0 },
        task: order.task.id,
        captures: order.task.captures.as_ref().map_or(0, |captures| captures.len()),
        first: number(first),
        count: number(order.items.len() - first),
        is_measured: order.is_measured,
        // The limit is that of one item: its clock starts when the answer before it is heard.
        is_prompt: order.limits().timeout.is_some(),
        is_alike: order.items.alike().is_some(),
    }
}

fn number(items: usize) -> u32 {
    u32::try_from(items).expect("a call has fewer items than `ITEMS_MAX`")
}

fn word(len: usize) -> [u8; WORD] {
    (len as u64).to_le_bytes()
}
