//! The subscriber of a worker: makes notes of spans and events. Which spans a thread is in it knows itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata};
use tracing_core::span::Current;

use super::values::Visitor;
use super::{DESK, LEVEL, filter_of};
use crate::wire::note::{Note, Within};

/// See the module. There is one, so it has no state of its own.
pub(super) struct Collector;

/// A span that somebody still has.
struct Open {
    metadata: &'static Metadata<'static>,
    holders: usize,
}

/// The spans of this process by their numbers.
static OPEN: Mutex<Option<HashMap<u64, Open>>> = Mutex::new(None);

static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The spans that this thread is in, the innermost one last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Subscriber for Collector {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // What is wanted may change at any time, without a word to this process.
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(filter_of(LEVEL.load(Ordering::Relaxed)))
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        DESK.get().is_some_and(|desk| desk.is_wanted(metadata))
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let span = NEXT.fetch_add(1, Ordering::Relaxed);
        with_open(|open| open.insert(span, Open { metadata: attributes.metadata(), holders: 1 }));
        let within = match attributes.parent() {
            Some(parent) => Within::Span(parent.into_u64()),
            None if attributes.is_root() => Within::Nothing,
            None => innermost(),
        };
        let mut visitor = Visitor::new();
        attributes.record(&mut visitor);
        note(attributes.metadata(), |site, call| Note::Span { span, site, call, within, values: visitor.values });
        Id::from_u64(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut visitor = Visitor::new();
        values.record(&mut visitor);
        say(&Note::Recorded { span: span.into_u64(), values: visitor.values });
    }

    fn record_follows_from(&self, span: &Id, from: &Id) {
        say(&Note::Followed { span: span.into_u64(), from: from.into_u64() });
    }

    fn event(&self, event: &Event<'_>) {
        let within = match event.parent() {
            Some(parent) => Within::Span(parent.into_u64()),
            None if event.is_root() => Within::Nothing,
            None => innermost(),
        };
        let mut visitor = Visitor::new();
        event.record(&mut visitor);
        note(event.metadata(), |site, call| Note::Event { site, call, within, values: visitor.values });
    }

    fn enter(&self, span: &Id) {
        // A thread that ends has nothing to enter any more.
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if let Some(place) = entered.iter().rposition(|&inner| inner == span.into_u64()) {
                entered.remove(place);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        with_open(|open| open.get_mut(&span.into_u64()).into_iter().for_each(|open| open.holders += 1));
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let span = span.into_u64();
        let is_last = with_open(|all| {
            let Some(open) = all.get_mut(&span) else { return false };
            open.holders -= 1;
            let is_last = open.holders == 0;
            if is_last {
                all.remove(&span);
            }
            is_last
        });
        if is_last {
            say(&Note::Closed { span });
        }
        is_last
    }

    fn current_span(&self) -> Current {
        let Within::Span(span) = innermost() else { return Current::none() };
        let metadata = with_open(|open| open.get(&span).map(|open| open.metadata));
        metadata.map_or_else(Current::none, |metadata| Current::new(Id::from_u64(span), metadata))
    }
}

pub(super) fn innermost() -> Within {
    let innermost = ENTERED.try_with(|entered| entered.borrow().last().copied());
    innermost.ok().flatten().map_or(Within::Call, Within::Span)
}

fn with_open<T>(work: impl FnOnce(&mut HashMap<u64, Open>) -> T) -> T {
    work(OPEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Says what `note` makes of the number of the place and of the call that runs.
fn note(metadata: &Metadata<'_>, note: impl FnOnce(u32, u64) -> Note) {
    let Some(desk) = DESK.get() else { return };
    let Some(mut book) = desk.book() else { return };
    if let Some(site) = book.site(metadata) {
        book.say(&note(site, desk.page.running()));
    }
}

fn say(note: &Note) {
    if let Some(mut book) = DESK.get().and_then(|desk| desk.book()) {
        book.say(note);
    }
}
