//! What tasks log, as notes for the parent: through `tracing`, and through `log`.
//!
//! A worker has a subscriber and a logger that pass on what the parent wants to hear, unless the program has set others in
//! an initializer: so ours are set when the first call comes. Until then, ours hears the thread that runs initializers.
//! What becomes of a note is not known here.

mod collector;
mod desk;
mod logger;
mod values;

use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use tracing::dispatcher::{self, DefaultGuard, Dispatch};
use tracing::level_filters::LevelFilter;
use tracing_core::{Level, callsite};

use self::collector::Collector;
use self::desk::Desk;
use crate::sys::page::Page;

/// Where notes are written.
static DESK: OnceLock<Desk> = OnceLock::new();

/// The level up to which the parent wanted notes when that was last looked at.
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// Whether the logger of this process is ours.
static IS_LOGGER: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Until the first call comes.
    static EARLY: RefCell<Option<(Dispatch, DefaultGuard)>> = const { RefCell::new(None) };
}

/// What this thread says is noted from now on.
pub(super) fn begin(page: &Page, socket: Arc<UnixStream>) {
    if DESK.set(Desk::new(page, socket)).is_ok() {
        look_at_level(page);
        let dispatch = Dispatch::new(Collector);
        let guard = dispatcher::set_default(&dispatch);
        EARLY.set(Some((dispatch, guard)));
    }
}

/// A call is about to begin; `is_errand`: one of the pool's own.
#[inline]
pub(super) fn before_call(is_errand: bool) {
    let Some(desk) = DESK.get() else { return };
    if desk.page.wanted_level() != LEVEL.load(Ordering::Relaxed) {
        look_at_level(&desk.page);
        callsite::rebuild_interest_cache();
    }
    if !is_errand {
        EARLY.with_borrow_mut(|early| early.take().into_iter().for_each(|(dispatch, _)| listen_everywhere(dispatch)));
    }
}

/// An item has ended, and is about to be answered.
#[inline]
pub(super) fn after_item() {
    DESK.get().into_iter().for_each(Desk::say_lost);
}

/// Whatever an initializer has set stays.
#[cold]
fn listen_everywhere(dispatch: Dispatch) {
    let _ = dispatcher::set_global_default(dispatch);
    if log::set_logger(&logger::LOGGER).is_ok() {
        IS_LOGGER.store(true, Ordering::Relaxed);
        log::set_max_level(logger::level(LEVEL.load(Ordering::Relaxed)));
    }
}

fn look_at_level(page: &Page) {
    let level = page.wanted_level();
    LEVEL.store(level, Ordering::Relaxed);
    if IS_LOGGER.load(Ordering::Relaxed) {
        log::set_max_level(logger::level(level));
    }
}

/// From 1, which is the most urgent, to 5.
fn number_of(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

fn filter_of(level: u8) -> LevelFilter {
    match level {
        0 => LevelFilter::OFF,
        1 => LevelFilter::ERROR,
        2 => LevelFilter::WARN,
        3 => LevelFilter::INFO,
        4 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}
