//! What the world knows of each call, whatever the driver says: who has begun it, what came of that, and what was asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::driver::OutcomeCell;
use crate::driver::order::Limits;
use crate::error::PanicEvidence;
use crate::ids::CallKey;
use crate::wire::body::RowPlace;
use crate::wire::message::Failure;

/// One call.
pub(super) struct CallRecord {
    pub(super) key: CallKey,
    /// How long the arguments of each item are, and the results.
    pub(super) items: Vec<ItemRecord>,
    pub(super) limits: Limits,
    /// How many bytes its arguments have.
    pub(super) bytes: usize,
    pub(super) at: Instant,
    pub(super) handle: Handle,
    /// What it encloses, by number.
    pub(super) encloses: Vec<u64>,
    pub(super) is_late: bool,
    pub(super) is_given_up: bool,
    pub(super) runner: Option<usize>,
    /// The puppets that have begun it.
    pub(super) runners: Vec<usize>,
    /// So many puppets have ended while they ran it, or while they had it and had not begun it; and so many had it when
    /// they were given up, whatever they did.
    pub(super) ended_running: u32,
    pub(super) ended_before: u32,
    pub(super) abandoned: u32,
    pub(super) printed: Vec<u8>,
    /// The first one of the items that its worker has left alone, if it has.
    pub(super) left_alone_from: Option<usize>,
    pub(super) is_over: bool,
}

/// One item of a call.
#[derive(Clone, Debug)]
pub(super) struct ItemRecord {
    pub(super) argument_len: usize,
    pub(super) result_len: usize,
    /// Whether the one ends in a long row, and so does the other.
    pub(super) is_row: bool,
    pub(super) begun: u32,
    /// What a puppet has answered, once all of that was written: whether it had a result.
    pub(super) answered: Option<bool>,
    /// Whether something was enclosed in the result.
    pub(super) has_enclosed: bool,
}

/// How the user will come by the outcome.
pub(super) enum Handle {
    Held,
    Cell(Arc<OutcomeCell>),
    /// Not at all.
    Gone,
}

/// Named by their serial numbers, which their arguments carry.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) calls: Vec<CallRecord>,
    /// Those that are not over.
    pub(super) open: Vec<usize>,
}

/// What the arguments of an item begin with.
pub(super) const PLACE_LEN: usize = 8;

pub(super) fn place(serial: usize, item: usize) -> [u8; PLACE_LEN] {
    ((serial as u64) << 32 | item as u64).to_le_bytes()
}

/// Which item of which call has these arguments.
pub(super) fn place_of(arguments: &[u8]) -> (usize, usize) {
    let place = u64::from_le_bytes(arguments[..PLACE_LEN].try_into().expect("as long as a place"));
    ((place >> 32) as usize, place as u32 as usize)
}

impl ItemRecord {
    pub(super) fn arguments(&self, serial: usize, item: usize) -> Vec<u8> {
        let mut bytes = place(serial, item).to_vec();
        bytes.resize(self.argument_len, item as u8);
        bytes
    }

    /// As a task would make it of the arguments.
    pub(super) fn result(&self, arguments: &[u8]) -> Vec<u8> {
        let mut bytes: Vec<u8> = arguments[..PLACE_LEN].iter().map(|byte| !byte).collect();
        bytes.resize(self.result_len, arguments[arguments.len() - 1]);
        bytes
    }

    /// Where the row begins in its arguments, and in its result.
    pub(super) fn row(&self) -> Option<RowPlace> {
        if self.is_row { RowPlace::new(PLACE_LEN, 1) } else { None }
    }

    pub(super) fn failure(serial: usize, item: usize) -> Failure {
        let message = format!("item {item} of {serial}");
        Failure::Panicked(PanicEvidence { message, ..PanicEvidence::default() })
    }
}

impl CallRecord {
    pub(super) fn has_begun(&self) -> bool {
        self.items.iter().any(|item| item.begun > 0)
    }

    pub(super) fn tries_max(&self) -> u32 {
        self.limits.retries.unwrap_or(0) + 1
    }

    /// How many of its tries may have been charged to it: puppets that ended when they ran it, and by what is said in
    /// the scheduler's `blame`.
    pub(super) fn tries_charged_max(&self) -> u32 {
        self.ended_running + self.abandoned + self.ended_before / 5
    }

    pub(super) fn is_past(&self, limit: Option<Duration>, now: Instant) -> bool {
        limit.is_some_and(|limit| self.at + limit <= now)
    }
}

impl Ledger {
    pub(super) fn find(&self, key: CallKey) -> Option<usize> {
        self.calls.iter().rposition(|call| call.key == key)
    }
}
