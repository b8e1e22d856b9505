//! A worker that is played by a fuzzer: it writes anything to its ring, to any word that it shares with its parent, and to
//! its socket, while its parent does all that it does. For `crate::fuzz`.

mod input;

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

pub(crate) use self::input::Input;
use super::order::OutcomeCell;
use super::played::Played;
use super::tokens::{Part, token};
use crate::config::{Output, Settings};
use crate::scheduler::Event;
use crate::sys::page::Way;
use crate::sys::process::Exit;
use crate::sys::{segment, socket};
use crate::task;
use crate::transport::link::Chime;
use crate::wire::frame::{Head, WORD};
use crate::wire::message;

struct Stage {
    played: Played,
    cells: Vec<Arc<OutcomeCell>>,
}

/// So many calls, and things that happen, in one life.
const CALLS_MAX: usize = 20;
const STEPS_MAX: usize = 300;

pub(crate) fn live(data: &[u8]) {
    let mut input = Input::new(data);
    let mut settings = Settings::default_for(1);
    settings.output = [Output::Inherit, Output::Capture, Output::Prefix][input.below(3)];
    let mut played = Played::new(settings);
    let cells = vec![played.submit(1 + input.below(3))];
    let mut stage = Stage { played, cells };
    if input.byte() & 3 > 0 {
        let build = task::build().expect("no two tasks here are alike");
        stage.played.say_hello(build, std::process::id());
    }
    for _ in 0..STEPS_MAX {
        if input.is_empty() || !stage.is_there() {
            break;
        }
        stage.act(&mut input);
    }
    stage.end();
}

impl Stage {
    fn is_there(&self) -> bool {
        self.played.inner.workers.contains_key(&self.played.id)
    }

    fn act(&mut self, input: &mut Input<'_>) {
        let (now, inner, id) = (Instant::now(), &mut self.played.inner, self.played.id);
        match input.byte() % 16 {
            0..3 => self.say(input),
            3 => self.answer(input),
            4 => self.lie_in_a_word(input),
            5 => self.played.begin(u64::from(input.byte() % 4), u32::from(input.byte() % 4)),
            6 => _ = socket::write_some(&self.played.link, input.bytes(1)),
            7 => self.played.send(segment::sealed(b"abc").expect("there is memory")),
            8 if input.byte() > 200 => _ = self.played.link.shutdown(Shutdown::Both),
            8..11 => inner.hear_news(now),
            11 => inner.hear(token(id, Part::Link), now),
            12 => {
                inner.listen(if input.byte() & 1 == 1 { Chime::Pool } else { Chime::Link });
                inner.excuse_progress(now);
                inner.stop_listening();
            }
            13 if self.cells.len() < CALLS_MAX => {
                let cell = self.played.submit(1 + input.below(3));
                self.cells.push(cell);
            }
            14 => inner.feed(Event::Resized { target: 1 + input.below(2) }, now),
            _ => inner.hear_what_is_there(now),
        }
    }

    /// A frame of any kind.
    fn say(&mut self, input: &mut Input<'_>) {
        let (kind, tag, len) = (input.byte() % 20, input.word(), usize::from(input.byte()));
        let head =
            Head { kind, tag, len: if input.byte() > 250 { input.word() as usize >> 20 } else { len }, row: None };
        self.played.begin_to_write(&head.bytes());
        self.played.begin_to_write(input.bytes(len));
        if input.byte() & 7 != 7 {
            self.played.write(&[]);
        }
    }

    /// One that may be awaited.
    fn answer(&mut self, input: &mut Input<'_>) {
        let (call, item) = (u64::from(input.byte() % 6), u32::from(input.byte() % 4));
        self.played.begin(call, item);
        self.played.say(message::value(call, item, WORD, None), b"a result");
    }

    fn lie_in_a_word(&self, input: &mut Input<'_>) {
        let page = &self.played.page;
        let (bare, rings) = (page.bare(), [Way::FromWorker, Way::ToWorker].map(|way| page.ring(way)));
        let word = match input.byte() % 3 {
            0 => bare[input.below(bare.len())].1,
            which => &rings[usize::from(which) - 1].words()[input.below(512)],
        };
        word.store(word.load(Ordering::SeqCst) ^ input.word(), Ordering::SeqCst);
    }

    /// It dies; each call has ended by then, or is for another worker.
    fn end(mut self) {
        if self.is_there() {
            self.played.die(Exit::Signal(11));
        }
        let inner = &self.played.inner;
        assert!(!inner.workers.contains_key(&self.played.id), "it is buried");
        let ended = self.played.inner.outbox.outcomes.len();
        assert_eq!(ended + inner.calls.len(), self.cells.len(), "a call ends once or waits");
        assert!(inner.calls.len() == 0 || !inner.outbox.launches.is_empty(), "what waits is for another worker");
    }
}
