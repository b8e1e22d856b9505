//! The logger of a worker: makes notes of records of the crate `log`, as if they were events of `tracing`.

use std::fmt::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::DESK;
use crate::text::start_of;
use crate::wire::note::{Note, Site, TEXT_MAX, Value};

/// See the module.
pub(super) struct Logger;

pub(super) static LOGGER: Logger = Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        DESK.get().is_some_and(|desk| number_of(metadata.level()) <= desk.page.wanted_level())
    }

    fn log(&self, record: &Record<'_>) {
        let Some(desk) = DESK.get().filter(|_| self.enabled(record.metadata())) else { return };
        // What users wrote to show it runs before the lock is taken.
        let mut message = String::new();
        let _ = write!(message, "{}", record.args());
        message.truncate(start_of(&message, TEXT_MAX).len());
        let mut values = vec![(0, Value::Shown(message))];
        let Some(mut book) = desk.book() else { return };
        let place = if book.is_crowded() {
            values.push((1, Value::Text(record.target().chars().take(TARGET_MAX).collect())));
            crowd(record)
        } else {
            place(record)
        };
        let Some(site) = book.log_site(place).filter(|&site| desk.page.is_wanted(site)) else { return };
        book.say(&Note::Event { site, call: desk.page.running(), within: super::collector::innermost(), values });
    }

    fn flush(&self) {}
}

/// Longer targets are cut.
const TARGET_MAX: usize = 256;

fn place(record: &Record<'_>) -> Site {
    Site {
        is_span: false,
        level: number_of(record.level()),
        name: "log record".to_string(),
        target: record.target().chars().take(TARGET_MAX).collect(),
        module: record.module_path().map(ToString::to_string),
        file: record.file().map(ToString::to_string),
        line: record.line(),
        fields: vec!["message".to_string()],
    }
}

/// The place of all records of a level for whose own places there is no room any more.
fn crowd(record: &Record<'_>) -> Site {
    Site {
        is_span: false,
        level: number_of(record.level()),
        name: "log record".to_string(),
        target: "log".to_string(),
        module: None,
        file: None,
        line: None,
        fields: vec!["message".to_string(), "log.target".to_string()],
    }
}

fn number_of(level: Level) -> u8 {
    level as u8
}

pub(super) fn level(level: u8) -> LevelFilter {
    match level {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    }
}
