//! The places in workers that log, as places of this program: whoever listens must be able to rely on it that a place stays.
//!
//! So each is made once, whichever workers describe it, and never goes. There is a bound on how many are made; what is logged
//! in other places than these is told as from one place for each level.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::metadata::Kind;
use tracing_core::{Interest, Level, Metadata};

use crate::sys::page::SITES_MAX;
use crate::text::start_of;
use crate::wire::note::{self, FIELDS_MAX};

/// A place, made to stay.
#[derive(Debug)]
pub(super) struct Site {
    metadata: OnceLock<Metadata<'static>>,
    is_unwanted: AtomicBool,
    /// Whether it stands for places that were too many.
    pub(super) is_general: bool,
    /// Whether the last of its fields are the labels.
    pub(super) is_labelled: bool,
}

/// What is wanted of workers, in one number: the level, and how often what listens to which place has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) level: u8,
    change: u32,
}

/// Who has logged something, on each event.
pub(super) const LABELS: [&str; 5] = ["loky.worker", "loky.pid", "loky.task", "loky.call", "loky.attempt"];

/// What a place that stands for others says of itself.
pub(super) const GENERAL_FIELDS: [&str; 3] = ["message", "loky.target", "loky.fields"];

/// So much of a name is kept, in bytes.
const NAME_MAX: usize = 256;

static SITES: Mutex<Option<HashMap<note::Site, &'static Site>>> = Mutex::new(None);

static CHANGES: AtomicU32 = AtomicU32::new(0);

/// What is wanted now.
#[inline]
pub(crate) fn wanted() -> Wanted {
    Wanted { level: number_of(LevelFilter::current()), change: CHANGES.load(Ordering::Acquire) }
}

/// The place that is described so.
pub(super) fn intern(site: note::Site) -> &'static Site {
    let site = bounded(site);
    let known = |site: &note::Site| with_sites(|sites| sites.get(site).copied());
    if let Some(known) = known(&site) {
        return known;
    }
    let is_crowded = with_sites(|sites| sites.len() >= SITES_MAX);
    if is_crowded {
        let general = general(&site);
        return known(&general).unwrap_or_else(|| keep(general, true));
    }
    keep(site, false)
}

/// Makes it, under no lock: to register it runs code of whoever listens. Another thread may have made the same meanwhile.
fn keep(text: note::Site, is_general: bool) -> &'static Site {
    let made = make(&text, is_general);
    with_sites(|sites| *sites.entry(text).or_insert(made))
}

fn with_sites<T>(work: impl FnOnce(&mut HashMap<note::Site, &'static Site>) -> T) -> T {
    work(SITES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// A worker that is damaged may say anything, and what it says is kept.
fn bounded(mut site: note::Site) -> note::Site {
    let cut = |text: &mut String| text.truncate(start_of(text, NAME_MAX).len());
    [&mut site.name, &mut site.target].into_iter().chain(&mut site.module).chain(&mut site.file).for_each(cut);
    site.fields.truncate(FIELDS_MAX);
    site.fields.iter_mut().for_each(cut);
    site
}

/// The place that stands for this one and all others of its level.
fn general(site: &note::Site) -> note::Site {
    note::Site {
        is_span: site.is_span,
        level: site.level,
        name: "one of too many places".to_string(),
        target: "loky::worker".to_string(),
        module: None,
        file: None,
        line: None,
        fields: GENERAL_FIELDS.map(ToString::to_string).into(),
    }
}

fn make(text: &note::Site, is_general: bool) -> &'static Site {
    // What comes from a pool within a worker is labelled already, by that worker.
    let is_labelled = !text.is_span && !text.fields.iter().any(|name| name == LABELS[0]);
    let (metadata, is_unwanted) = (OnceLock::new(), AtomicBool::new(false));
    let site: &'static Site = Box::leak(Box::new(Site { metadata, is_unwanted, is_general, is_labelled }));
    let kept = |text: &str| -> &'static str { text.to_string().leak() };
    let kept_if_any = |text: &Option<String>| text.as_deref().map(kept);
    let mut names: Vec<&'static str> = text.fields.iter().map(|name| kept(name)).collect();
    names.extend(LABELS.iter().filter(|_| is_labelled));
    let metadata = Metadata::new(
        kept(&text.name),
        kept(&text.target),
        level_of(text.level),
        kept_if_any(&text.file),
        text.line,
        kept_if_any(&text.module),
        FieldSet::new(names.leak(), Identifier(site)),
        if text.is_span { Kind::SPAN } else { Kind::EVENT },
    );
    site.metadata.set(metadata).expect("nobody else has it yet");
    callsite::register(site);
    site
}

impl Site {
    /// What is known of it.
    pub(super) fn metadata(&self) -> &Metadata<'static> {
        self.metadata.get().expect("it was set when it was made")
    }

    /// Whether somebody may want to hear of it.
    pub(super) fn is_wanted(&self) -> bool {
        !self.is_unwanted.load(Ordering::Acquire)
    }
}

impl Callsite for Site {
    fn set_interest(&self, interest: Interest) {
        if self.is_unwanted.swap(interest.is_never(), Ordering::AcqRel) != interest.is_never() {
            CHANGES.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata()
    }
}

fn level_of(level: u8) -> Level {
    match level {
        0 | 1 => Level::ERROR,
        2 => Level::WARN,
        3 => Level::INFO,
        4 => Level::DEBUG,
        _ => Level::TRACE,
    }
}

fn number_of(level: LevelFilter) -> u8 {
    match level.into_level() {
        None => 0,
        Some(Level::ERROR) => 1,
        Some(Level::WARN) => 2,
        Some(Level::INFO) => 3,
        Some(Level::DEBUG) => 4,
        Some(Level::TRACE) => 5,
    }
}
