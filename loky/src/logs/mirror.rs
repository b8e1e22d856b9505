//! Tells what listens in this program what workers have logged, as if it had been logged here.
//!
//! A span of a worker is a span here, for as long as it is one there, below that of its call. It is never entered: when it is
//! heard of, what was done in it is done.

use std::collections::HashMap;
use std::time::Duration;

use tracing::span::{Attributes, Record};
use tracing::{Dispatch, Event, Id, dispatcher};
use tracing_core::field::{Field, Value as Recordable, ValueSet, debug};

use super::sites::{GENERAL_FIELDS, LABELS, Site, intern};
use super::trace::Trace;
use crate::caught::caught;
use crate::error::ErrorKind;
use crate::ids::{CallId, WorkerId};
use crate::sys::page::{Page, SITES_MAX};
use crate::wire::note::{self, Note, Value, Values, Within};

/// What is to be told.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A worker has logged something.
    Note(Box<(Source, Note)>),
    /// So many notes were lost on the way, since what listens did not keep up.
    Lost(u64),
    /// A call was sent to a worker.
    Sent(Of, Source),
    /// A call has ended, and ran so long, if that is known.
    Ended(Trace, Duration, Option<ErrorKind>),
    /// What is wanted of the worker that has this page may have changed.
    Wanted(WorkerId, Page),
    /// The worker is no more.
    Gone(WorkerId),
}

/// The call of which something is told.
#[derive(Clone, Debug)]
pub(crate) struct Of {
    pub(crate) trace: Trace,
    pub(crate) task: &'static str,
    pub(crate) call: CallId,
    pub(crate) attempt: u32,
}

/// The worker that tells something, and the call that it has begun, if it has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) worker: WorkerId,
    pub(crate) index: usize,
    pub(crate) pid: u32,
    pub(crate) page: Page,
    pub(crate) of: Option<Of>,
}

/// What was told of each worker.
#[derive(Debug, Default)]
pub(crate) struct Mirror(HashMap<WorkerId, Image>);

#[derive(Debug, Default)]
struct Image {
    /// By their numbers there, with what they say of themselves there.
    sites: Vec<(&'static Site, note::Site)>,
    /// Those that are open, by their numbers there.
    spans: HashMap<u64, Span>,
}

/// A span here.
#[derive(Debug)]
struct Span {
    id: Id,
    site: u32,
    dispatch: Dispatch,
}

/// So many spans of a worker are told that are open at once.
const SPANS_MAX: usize = 1 << 16;

/// No place has more fields, labels included.
const ALL_FIELDS_MAX: usize = note::FIELDS_MAX + LABELS.len();

impl Mirror {
    /// Tells it. What listens is foreign: its panic ends here.
    pub(crate) fn tell(&mut self, heard: Heard) {
        let _ = caught(|| match heard {
            Heard::Note(note) => self.note(&note.0, note.1),
            Heard::Lost(count) => lost(count, None),
            Heard::Sent(of, source) => {
                of.trace.sent(of.call, [source.index as u64, source.pid.into(), of.attempt.into()]);
            }
            Heard::Ended(trace, ran, failure) => trace.ended(ran, failure),
            Heard::Wanted(worker, page) => {
                let sites = self.0.get(&worker).map_or(&[][..], |image| &image.sites);
                (0..).zip(sites).for_each(|(number, (site, _))| page.want_site(number, site.is_wanted()));
            }
            Heard::Gone(worker) => drop(self.0.remove(&worker)),
        });
    }

    fn note(&mut self, source: &Source, note: Note) {
        let image = self.0.entry(source.worker).or_default();
        match note {
            Note::Site(site) => image.describe(source, site),
            Note::Event { site, within, values, .. } => image.event(source, site, within, &values),
            Note::Span { span, site, within, values, .. } => image.open(source, span, site, within, &values),
            Note::Recorded { span, values } => image.record(span, &values),
            Note::Followed { span, from } => {
                if let (Some(span), Some(from)) = (image.spans.get(&span), image.spans.get(&from)) {
                    span.dispatch.record_follows_from(&span.id, &from.id);
                }
            }
            Note::Closed { span } => drop(image.spans.remove(&span)),
            Note::Lost(count) => lost(count, Some(source)),
        }
    }
}

impl Image {
    fn describe(&mut self, source: &Source, site: note::Site) {
        if self.sites.len() < SITES_MAX {
            let known = intern(site.clone());
            source.page.want_site(self.sites.len() as u32, known.is_wanted());
            self.sites.push((known, site));
        }
    }

    fn event(&self, source: &Source, site: u32, within: Within, values: &Values) {
        let Some((site, text)) = self.sites.get(site as usize).filter(|(site, _)| !site.metadata().is_span()) else {
            return;
        };
        let (dispatch, parent) = self.place(source, within);
        if site.is_wanted() && dispatch.enabled(site.metadata()) {
            with_values(site, text, values, Some(source), |values| {
                dispatch.event(&Event::new_child_of(parent, site.metadata(), values));
            });
        }
    }

    fn open(&mut self, source: &Source, span: u64, number: u32, within: Within, values: &Values) {
        let Some((site, text)) = self.sites.get(number as usize).filter(|(site, _)| site.metadata().is_span()) else {
            return;
        };
        let (dispatch, parent) = self.place(source, within);
        if self.spans.len() < SPANS_MAX && site.is_wanted() && dispatch.enabled(site.metadata()) {
            let id = with_values(site, text, values, None, |values| {
                dispatch.new_span(&match parent {
                    Some(parent) => Attributes::child_of(parent, site.metadata(), values),
                    None => Attributes::new_root(site.metadata(), values),
                })
            });
            self.spans.insert(span, Span { id, site: number, dispatch });
        }
    }

    fn record(&self, span: u64, values: &Values) {
        let Some(span) = self.spans.get(&span) else { return };
        let (site, text) = &self.sites[span.site as usize];
        with_values(site, text, values, None, |values| span.dispatch.record(&span.id, &Record::new(values)));
    }

    /// To whom something is told, and in which span it is.
    fn place(&self, source: &Source, within: Within) -> (Dispatch, Option<Id>) {
        if let Some(span) = self.span(within) {
            return (span.dispatch.clone(), Some(span.id.clone()));
        }
        let trace = source.of.as_ref().map(|of| &of.trace);
        let parent = trace.filter(|_| within != Within::Nothing).and_then(Trace::id);
        let dispatch = trace.and_then(Trace::dispatch).cloned();
        (dispatch.unwrap_or_else(|| dispatcher::get_default(Dispatch::clone)), parent)
    }

    /// One that is not told is as if it were none: its call's stands for it.
    fn span(&self, within: Within) -> Option<&Span> {
        let Within::Span(span) = within else { return None };
        self.spans.get(&span)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // What listens is foreign, and this may be one of many.
        let _ = caught(|| self.dispatch.try_close(self.id.clone()));
    }
}

fn lost(count: u64, source: Option<&Source>) {
    let worker = source.map(|source| source.index as u64);
    let pid = source.map(|source| source.pid);
    tracing::warn!(
        target: "loky",
        { loky.worker = worker, loky.pid = pid },
        "{count} events and spans of workers were lost: they come faster than they are taken in; a stricter filter loses fewer"
    );
}

/// Hands over the values as those of the fields of `site`, and of the labels, if there is a source.
fn with_values<T>(
    site: &'static Site,
    text: &note::Site,
    values: &Values,
    source: Option<&Source>,
    take: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    let general = site.is_general.then(|| generalized(text, values));
    let values = general.as_ref().unwrap_or(values);
    let fields = site.metadata().fields();
    let all: Vec<Field> = fields.iter().take(ALL_FIELDS_MAX).collect();
    let labels = source.filter(|_| site.is_labelled).map(Labels::of);
    let shown: Vec<(u8, Box<dyn Recordable + '_>)> =
        values.iter().map(|(field, value)| (*field, recordable(value))).collect();
    let Some(first) = all.first() else { return take(&fields.value_set(&[])) };
    let mut pairs: [(&Field, Option<&dyn Recordable>); ALL_FIELDS_MAX] = [(first, None); ALL_FIELDS_MAX];
    let own = shown.iter().filter_map(|(field, value)| Some((all.get(usize::from(*field))?, Some(&**value))));
    let of_labels = labels.iter().flat_map(|labels| labels.pairs(&all));
    pairs.iter_mut().zip(own.chain(of_labels)).for_each(|(pair, value)| *pair = value);
    take(&fields.value_set(&pairs))
}

/// Who has logged something, in the order of [`LABELS`].
struct Labels {
    numbers: [Option<u64>; 4],
    task: Option<&'static str>,
}

impl Labels {
    fn of(source: &Source) -> Self {
        let of = source.of.as_ref();
        let (call, attempt) = (of.map(|of| of.call.raw()), of.map(|of| of.attempt.into()));
        Self {
            numbers: [Some(source.index as u64), Some(source.pid.into()), call, attempt],
            task: of.map(|of| of.task),
        }
    }

    fn pairs<'a>(&'a self, all: &'a [Field]) -> impl Iterator<Item = (&'a Field, Option<&'a dyn Recordable>)> {
        let [worker, pid, call, attempt] = &self.numbers;
        let values: [&dyn Recordable; 5] = [worker, pid, &self.task, call, attempt];
        all[all.len().saturating_sub(LABELS.len())..].iter().zip(values.map(Some))
    }
}

fn recordable(value: &Value) -> Box<dyn Recordable + '_> {
    match value {
        Value::Bool(value) => Box::new(*value),
        Value::I64(value) => Box::new(*value),
        Value::U64(value) => Box::new(*value),
        Value::I128(value) => Box::new(*value),
        Value::U128(value) => Box::new(*value),
        Value::F64(value) => Box::new(*value),
        Value::Text(text) => Box::new(text.as_str()),
        Value::Shown(text) => Box::new(debug(Plain(text))),
    }
}

/// Text that is shown as it is.
struct Plain<'a>(&'a str);

impl std::fmt::Debug for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// The same values as those of a place that stands for all others of its level.
fn generalized(site: &note::Site, values: &Values) -> Values {
    let text = |value: &Value| match value {
        Value::Text(text) | Value::Shown(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::I128(value) => value.to_string(),
        Value::U128(value) => value.to_string(),
        Value::F64(value) => value.to_string(),
    };
    let mut general: [String; GENERAL_FIELDS.len()] = [String::new(), site.target.clone(), String::new()];
    for (field, value) in values {
        match site.fields.get(usize::from(*field)).map(String::as_str) {
            Some("message") => general[0] = text(value),
            Some("log.target") => general[1] = text(value),
            Some(name) => general[2].push_str(&format!("{name}={} ", text(value))),
            None => {}
        }
    }
    (0..).zip(general).filter(|(_, text)| !text.is_empty()).map(|(field, text)| (field, Value::Shown(text))).collect()
}
