//! What a world remembers of one worker.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct WorkerRecord {
    pub(super) stage: Stage,
    /// Since when it is in this stage; since when it is free, if it is ready.
    pub(super) since: Instant,
    /// By when it must have left this stage, if it is to.
    pub(super) until: Option<Instant>,
    /// Whether that was said by the driver.
    pub(super) is_on_errand: bool,
    pub(super) held: Vec<usize>,
    /// How many of those, from the first on, count as started.
    pub(super) started: usize,
    /// Since when the first of them is the first.
    pub(super) moved: Instant,
    pub(super) is_recalling: bool,
    /// A recall came back with nothing that it had begun, though it should have.
    pub(super) is_stuck: bool,
    /// It was seen to use more memory than it may.
    pub(super) has_outgrown: bool,
    /// It has said that it is to be replaced.
    pub(super) is_worn: bool,
    /// Its answers since calls were last taken back from it; a new one may give back one for nothing.
    pub(super) answers: usize,
    pub(super) served: u64,
    pub(super) is_link_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Launching,
    Ready,
    Stopping,
    Killed,
    Dead,
    /// Nobody has seen its death, and nobody waits for it any more.
    Abandoned,
}

impl WorkerRecord {
    pub(super) fn new(now: Instant, hello_limit: Duration) -> Self {
        Self {
            stage: Stage::Launching,
            since: now,
            until: Some(now + hello_limit),
            is_on_errand: false,
            held: vec![],
            started: 0,
            moved: now,
            is_recalling: false,
            is_stuck: false,
            has_outgrown: false,
            is_worn: false,
            answers: 1,
            served: 0,
            is_link_closed: false,
        }
    }

    pub(super) fn is_launching(&self) -> bool {
        self.stage == Stage::Launching
    }

    /// What it holds that nobody has seen begin.
    pub(super) fn ahead(&self) -> &[usize] {
        &self.held[self.started..]
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Dead | Stage::Abandoned)
    }
}
