//! What a worker says and does in a whole life, as steps that can be cut short after each word, and lied in.
//!
//! The life: a hello, a call of three items of which one fails, one whose long row becomes that of the result, one whose
//! result encloses a segment, one that gives back what it was given, and the word that it begins nothing more.

mod cut;
mod lies;
#[cfg(feature = "tracing")]
mod notes;

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use super::order::{Outcome, OutcomeCell};
use super::played::Played;
use crate::config::Settings;
use crate::shared::Shared;
use crate::shared::passing::{Way as Passing, collecting};
use crate::sys::page::Way;
use crate::sys::row::Row;
use crate::sys::segment;
use crate::task;
use crate::transport::link::Chime;
use crate::wire::body::{Encoded, RowPlace};
use crate::wire::codec;
use crate::wire::enclosure::{Enclosure, What};
use crate::wire::frame::{Head, WORD, padded};
use crate::wire::message::{self, Build, Failure, Hello};

/// One thing that a worker does.
#[derive(Clone, Debug)]
enum Step {
    /// Notes on the page that it begins this item of this call.
    Begin(u64, u32),
    /// Sends the descriptor of a segment.
    Descriptor,
    /// Writes a frame.
    Say(&'static str, Vec<u64>),
}

/// How many items each of the calls has that it is given, in their order.
const CALLS: [usize; 4] = [3, 1, 1, 1];

/// What the arguments of the last call enclose.
static GIVEN: LazyLock<Shared<u8>> = LazyLock::new(|| Shared::from_slice(&[3; 64]));

const SEGMENT: &[u8] = b"a segment";

/// Longer than what is read at once, so its row has memory of its own.
const LONG: usize = 17 << 10;

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks_exact(WORD).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

fn frame(name: &'static str, head: Head, bytes: &[u8]) -> Step {
    let mut padded_bytes = bytes.to_vec();
    padded_bytes.resize(padded(bytes.len()), 0);
    Step::Say(name, words(&[&head.bytes()[..], &padded_bytes].concat()))
}

/// The frame of a value that follows the one before it.
fn follower(name: &'static str, head: Head, bytes: &[u8]) -> Step {
    Step::Say(name, words(&[&head.short_word().to_le_bytes()[..], bytes].concat()))
}

/// A whole life without a lie.
fn life(build: Build) -> Vec<Step> {
    let (hello, hello_bytes) = Hello { build, pid: std::process::id() }.said();
    let (failure, failure_bytes) = message::failure(1, 2, &Failure::CannotEncode("it refuses".to_string()));
    let (time, began) = message::ran(5000, 1000, false);
    let enclosure = Enclosure { id: 77, what: What::Sealed, len: SEGMENT.len() as u64 };
    let (encloses, enclosure_bytes) = message::encloses(enclosure);
    let given = GIVEN.segment().expect("it is not empty").id();
    let long = [&(LONG as u64 - 8).to_le_bytes()[..], &vec![7; LONG - 8]].concat();
    vec![
        frame("hello", hello, &hello_bytes),
        Step::Begin(1, 0),
        frame("value", message::value(1, 0, 8, None), b"item one"),
        Step::Begin(1, 1),
        follower("value that follows", message::value(1, 1, 8, None), b"item two"),
        Step::Begin(1, 2),
        frame("time", time, &began),
        frame("failure", failure, &failure_bytes),
        Step::Begin(2, 0),
        frame("long value", message::value(2, 0, LONG, RowPlace::new(8, 1)), &long),
        Step::Begin(3, 0),
        Step::Descriptor,
        frame("enclosure", encloses, enclosure_bytes.as_ref()),
        frame("enclosing value", message::value(3, 0, 8, None), b"enclosed"),
        Step::Begin(4, 0),
        frame(
            "value of readers",
            message::value_of_readers(4, 0, 2 * WORD),
            &[given.to_le_bytes(), *b"readers!"].concat(),
        ),
        frame("worn", message::worn(), b""),
    ]
}

/// A worker that does such steps, its parent, and where the outcomes of its calls land.
struct Stage {
    played: Played,
    cells: Vec<Arc<OutcomeCell>>,
}

impl Stage {
    /// All calls wait for the hello.
    fn new(settings: Settings) -> Self {
        let mut played = Played::new(settings);
        let row = Row::from(vec![7_u8; LONG - WORD]).expect("bytes are numbers");
        let long = Encoded {
            bytes: vec![7; WORD],
            row: RowPlace::new(WORD, row.width()),
            tail: Some(Box::new(row)),
            ..Encoded::NONE
        };
        let [first, _, third, _] = CALLS;
        let mut cells = vec![played.submit(first), played.submit_with(long, 1), played.submit(third)];
        let mut bytes = Vec::new();
        let encode = || codec::encode_into(&mut bytes, &*GIVEN).expect("it is short");
        let ((), enclosed) = collecting(Passing::Arguments, encode);
        cells.push(played.submit_with(Encoded { bytes, enclosed, ..Encoded::NONE }, 1));
        Self { played, cells }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Begin(call, item) => self.played.begin(*call, *item),
            Step::Descriptor => self.played.send(segment::sealed(SEGMENT).unwrap()),
            Step::Say(_, words) => self.say(words),
        }
    }

    /// Writes the words of a frame.
    fn say(&mut self, words: &[u64]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.played.write(&bytes);
    }

    /// The parent hears what there is, in a few turns, and does all that it does with words of a worker.
    fn is_heard(&mut self) {
        let (now, inner) = (Instant::now(), &mut self.played.inner);
        for chime in [Chime::Pool, Chime::Link] {
            inner.hear_news(now);
            let calls: Vec<_> = inner.workers.values().filter_map(|worker| worker.body.as_ref()).collect();
            assert!(calls.iter().all(|body| body.link.has_news() <= inner.has_news()));
            inner.listen(chime);
            inner.excuse_progress(now);
            inner.stop_listening();
        }
    }

    /// What came of the calls, those that have ended.
    fn outcomes(&mut self) -> [Option<Box<Outcome>>; CALLS.len()] {
        std::array::from_fn(|call| self.played.outcome(&self.cells[call]))
    }

    /// Whatever is left is sent as it was.
    fn assert_whole(&self) {
        for call in self.played.inner.calls.open() {
            let pending = self.played.inner.calls.get(call).expect("it is open");
            let payload = &pending.order.payload;
            assert!(payload.row().is_none() || !payload.pieces()[1].is_empty(), "it has no arguments any more");
        }
    }

    /// Whether a worker is being launched for what is left.
    fn is_being_replaced(&self) -> bool {
        !self.played.inner.outbox.launches.is_empty()
    }
}

fn build() -> Build {
    static BUILD: OnceLock<Build> = OnceLock::new();
    *BUILD.get_or_init(|| task::build().unwrap())
}
