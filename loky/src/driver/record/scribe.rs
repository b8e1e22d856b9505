//! A thread of a pool that shows what happens there: takes facts out of the ledger and writes them down.
//!
//! It begins with the pool's first call, and ends with the pool, or with the program: then it is waited for, though not
//! for ever.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::clock;
use super::files;
use super::ledger::Ledger;
#[cfg(feature = "metrics")]
use crate::observe::Metrics;
use crate::observe::{Fact, Report, Trace};
use crate::sys::at_exit::at_exit;

/// See the module.
#[derive(Debug)]
pub(super) struct Scribe {
    ledger: Arc<Ledger>,
    trace: Option<Trace>,
    report: Option<Report>,
    #[cfg(feature = "metrics")]
    metrics: Metrics,
}

/// All whose thread may run.
static LEDGERS: Mutex<Vec<Weak<Ledger>>> = Mutex::new(Vec::new());

/// How long the end of the program waits for what is still to be written.
const LAST_MOMENT: Duration = Duration::from_secs(2);

impl Scribe {
    /// `None` if the thread cannot be had: then nothing is shown, and the pool works all the same.
    pub(super) fn start(ledger: Arc<Ledger>, pool: &str) -> Option<JoinHandle<()>> {
        let scribe = Self {
            trace: files::begin_trace(pool),
            report: files::begin_report().then(|| Report::new(pool, clock::moment())),
            ledger: Arc::clone(&ledger),
            #[cfg(feature = "metrics")]
            metrics: Metrics::new(pool),
        };
        if !scribe.has_readers() {
            ledger.shown();
            return None;
        }
        let started = thread::Builder::new().name("loky-record".into()).spawn(move || scribe.write_down());
        match started {
            Ok(thread) => {
                remember(&ledger);
                Some(thread)
            }
            Err(why) => {
                complain(&why);
                ledger.shown();
                None
            }
        }
    }

    fn has_readers(&self) -> bool {
        self.trace.is_some() || self.report.is_some() || cfg!(feature = "metrics")
    }

    fn write_down(mut self) {
        let mut facts = Vec::new();
        loop {
            let goes_on = self.ledger.take(&mut facts);
            facts.drain(..).for_each(|fact| self.show(&fact));
            self.show_all();
            if !goes_on {
                break;
            }
        }
        #[cfg(feature = "metrics")]
        self.metrics.end();
        if let Some(report) = self.report {
            files::end_report(report.ended(clock::moment()));
        }
        self.ledger.shown();
    }

    fn show(&mut self, fact: &Fact) {
        self.trace.iter_mut().for_each(|trace| trace.add(fact));
        self.report.iter_mut().for_each(|report| report.add(fact));
        #[cfg(feature = "metrics")]
        self.metrics.tell(fact);
    }

    fn show_all(&mut self) {
        let Some(trace) = &mut self.trace else { return };
        if !files::append_to_trace(&trace.take()) {
            self.trace = None;
        }
    }
}

fn remember(ledger: &Arc<Ledger>) {
    let mut ledgers = LEDGERS.lock().unwrap_or_else(PoisonError::into_inner);
    ledgers.retain(|ledger| ledger.strong_count() > 0);
    ledgers.push(Arc::downgrade(ledger));
    at_exit(end_of_program);
}

/// What the pools that nobody has shut down have to show is shown.
fn end_of_program() {
    let ledgers = std::mem::take(&mut *LEDGERS.lock().unwrap_or_else(PoisonError::into_inner));
    let (ledgers, until) = (ledgers.iter().filter_map(Weak::upgrade), Instant::now() + LAST_MOMENT);
    let ending: Vec<_> = ledgers.inspect(|ledger| ledger.end()).collect();
    let late = ending.into_iter().filter(|ledger| !ledger.wait_shown(until)).count();
    if late > 0 {
        eprintln!(
            "loky: the program has ended before all was written of what trace, report and metrics should show of {late} of \
             its pools; `shutdown` waits for that, however long it takes"
        );
    }
}

#[cold]
fn complain(why: &io::Error) {
    eprintln!(
        "loky: what a pool does will be missing in trace and report, for no thread can be started to write them: {why}"
    );
}
