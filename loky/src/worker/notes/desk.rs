//! Where the threads of a worker write their notes, one after the other.
//!
//! Nothing that users wrote runs under the lock.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_core::Metadata;
use tracing_core::callsite::Identifier;

use super::number_of;
use crate::sys::own_pid::own_pid;
use crate::sys::page::{Page, SITES_MAX};
use crate::transport::notes::NoteWriter;
use crate::wire::note::{FIELDS_MAX, Note, Site};

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) page: Page,
    pid: u32,
    book: Mutex<Book>,
}

/// How many notes were lost since that was last said.
static LOST: AtomicU64 = AtomicU64::new(0);

/// What has been said, and how to say more.
#[derive(Debug)]
pub(super) struct Book {
    writer: NoteWriter,
    /// The places that `tracing` knows, by their numbers.
    sites: HashMap<Identifier, u32>,
    /// Those of `log`, which knows them by what they say of themselves.
    log_sites: HashMap<Site, u32>,
    /// How many places were described.
    described: u32,
    /// The note that is being said.
    bytes: Vec<u8>,
}

impl Desk {
    pub(super) fn new(page: &Page, socket: Arc<UnixStream>) -> Self {
        let book = Book {
            writer: NoteWriter::new(page, socket),
            sites: HashMap::new(),
            log_sites: HashMap::new(),
            described: 0,
            bytes: Vec::new(),
        };
        Self { page: page.clone(), pid: own_pid(), book: Mutex::new(book) }
    }

    /// Says how many notes were lost, if any, and waits for room once more.
    #[inline]
    pub(super) fn say_lost(&self) {
        if LOST.load(Ordering::Relaxed) > 0 {
            self.book().into_iter().for_each(|mut book| {
                book.writer.be_patient();
                book.say_lost();
            });
        }
    }

    /// `None` in a forked child of the worker: the ring is not its own, and the lock may be held by a thread that it has
    /// not.
    pub(super) fn book(&self) -> Option<MutexGuard<'_, Book>> {
        (own_pid() == self.pid).then(|| self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the parent wants to hear of this place, as far as that is known.
    pub(super) fn is_wanted(&self, metadata: &Metadata<'_>) -> bool {
        if number_of(*metadata.level()) > self.page.wanted_level() {
            return false;
        }
        let site = self.book().map(|book| book.sites.get(&metadata.callsite()).copied());
        site.is_some_and(|site| site.is_none_or(|site| self.page.is_wanted(site)))
    }
}

impl Book {
    /// The number of this place; says first what it is, if that has not been said. `None`: that is lost.
    pub(super) fn site(&mut self, metadata: &Metadata<'_>) -> Option<u32> {
        if let Some(&site) = self.sites.get(&metadata.callsite()) {
            return Some(site);
        }
        let site = self.describe(Site {
            is_span: metadata.is_span(),
            level: number_of(*metadata.level()),
            name: metadata.name().to_string(),
            target: metadata.target().to_string(),
            module: metadata.module_path().map(ToString::to_string),
            file: metadata.file().map(ToString::to_string),
            line: metadata.line(),
            fields: metadata.fields().iter().take(FIELDS_MAX).map(|field| field.name().to_string()).collect(),
        })?;
        self.sites.insert(metadata.callsite(), site);
        Some(site)
    }

    /// The same for a place that is nothing but this.
    pub(super) fn log_site(&mut self, place: Site) -> Option<u32> {
        if let Some(&site) = self.log_sites.get(&place) {
            return Some(site);
        }
        let site = self.describe(place.clone())?;
        self.log_sites.insert(place, site);
        Some(site)
    }

    /// Whether so many places were described that those which a program makes up as it goes had better be told together.
    pub(super) fn is_crowded(&self) -> bool {
        self.described as usize >= SITES_MAX / 2
    }

    fn describe(&mut self, site: Site) -> Option<u32> {
        if self.described as usize >= SITES_MAX {
            LOST.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.say(&Note::Site(site)).then(|| {
            self.described += 1;
            self.described - 1
        })
    }

    fn say_lost(&mut self) {
        let lost = LOST.load(Ordering::Relaxed);
        if lost > 0 {
            Note::Lost(lost).encode(&mut self.bytes);
            if self.writer.write(&self.bytes) {
                LOST.fetch_sub(lost, Ordering::Relaxed);
            }
        }
    }

    /// Says a note, and before it how many were lost. `false`: it is lost, too.
    pub(super) fn say(&mut self, note: &Note) -> bool {
        self.say_lost();
        note.encode(&mut self.bytes);
        let is_said = self.writer.write(&self.bytes);
        if !is_said {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
        is_said
    }
}
