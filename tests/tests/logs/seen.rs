//! A subscriber that remembers all that it is told.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// What was told of fields, as text.
pub(crate) type Fields = BTreeMap<String, String>;

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) fields: Fields,
    /// The names of the spans that it is in, the outermost one first.
    pub(crate) within: Vec<String>,
}

/// A span.
#[derive(Clone, Debug)]
pub(crate) struct Spanned {
    pub(crate) name: String,
    pub(crate) fields: Fields,
    pub(crate) within: Vec<String>,
    pub(crate) is_closed: bool,
    id: u64,
}

/// What was told so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<(Vec<Told>, Vec<Spanned>)>>);

struct Text<'a>(&'a mut Fields);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Told {
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("no `{name}` in {self:?}"))
    }

    pub(crate) fn message(&self) -> &str {
        self.field("message")
    }
}

impl Seen {
    /// Remembers what is told up to this level, wherever in this program.
    pub(crate) fn everywhere(level: Level) -> Self {
        let seen = Self::default();
        let filter = tracing_subscriber::filter::LevelFilter::from_level(level);
        tracing_subscriber::registry().with(seen.clone().with_filter(filter)).init();
        seen
    }

    /// The events of the tasks, without what the library says itself.
    pub(crate) fn events(&self) -> Vec<Told> {
        self.0.lock().unwrap().0.iter().filter(|told| told.target != "loky").cloned().collect()
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.events().iter().map(|told| told.message().to_owned()).collect()
    }

    /// What the library says itself.
    pub(crate) fn own_words(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        seen.0.iter().filter(|told| told.target == "loky").map(|told| told.message().to_owned()).collect()
    }

    /// The spans with this name.
    pub(crate) fn spans(&self, name: &str) -> Vec<Spanned> {
        self.0.lock().unwrap().1.iter().filter(|span| span.name == name).cloned().collect()
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut Spanned)) {
        let mut seen = self.0.lock().unwrap();
        // Numbers are used again.
        if let Some(span) = seen.1.iter_mut().rev().find(|span| span.id == id.into_u64()) {
            change(span);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Text(&mut fields));
        let scope =
            context.span(id).and_then(|span| span.parent()).into_iter().flat_map(|parent| parent.scope().from_root());
        let within = scope.map(|span| span.name().to_owned()).collect();
        let name = attributes.metadata().name().to_owned();
        let span = Spanned { name, fields, within, is_closed: false, id: id.into_u64() };
        self.0.lock().unwrap().1.push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.change(id, |span| values.record(&mut Text(&mut span.fields)));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Text(&mut fields));
        let scope = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let metadata = event.metadata();
        let told = Told {
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            file: metadata.file().map(ToOwned::to_owned),
            line: metadata.line(),
            fields,
            within: scope.map(|span| span.name().to_owned()).collect(),
        };
        self.0.lock().unwrap().0.push(told);
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.change(&id, |span| span.is_closed = true);
    }
}
