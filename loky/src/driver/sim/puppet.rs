//! A worker that is played: its end of a real link, a real page and real pipes, and of a process that nobody has started.
//! It takes one small step at a time, as the loop of the real one does, and never waits. What befalls it is not known here.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::driver::clock;
use crate::ids::WorkerId;
use crate::supervisor::Launched;
use crate::supervisor::played::{self, Ends, Life};
use crate::sys::bell::Bell;
use crate::sys::page::{Beginner, Page};
use crate::sys::process::Exit;
use crate::sys::segment;
use crate::task;
use crate::transport::worker_link::{Listener, Speaker, ends};
use crate::wire::body::RowPlace;
use crate::wire::enclosure::{Enclosure, What};
use crate::wire::frame::Head;
use crate::wire::message::{self, Failure, Hello, to_worker};
use crate::wire::run::{Assignment, Run};

/// What it does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    SaysHello,
    /// For something to do.
    Looks,
    AwaitsDescriptor(Enclosure),
    /// An item of what it has to do.
    Begins,
    Runs,
    Answers,
    /// Tells what it has answered.
    Flushes,
    Leaves,
    /// Nothing, ever.
    Stuck,
}

/// See the module.
pub(super) struct Puppet {
    pub(super) worker: WorkerId,
    pub(super) pid: u32,
    pub(super) stage: Stage,
    /// `None` once it has closed its link, or is dead.
    pub(super) link: Option<(Listener, Speaker)>,
    /// On which it is rung for; as long.
    pub(super) socket: Option<Arc<UnixStream>>,
    pub(super) page: Page,
    beginner: Beginner,
    output: Option<UnixStream>,
    error: Option<UnixStream>,
    /// `None` once it is dead.
    life: Option<Life>,
    pub(super) is_asleep: bool,
    pub(super) is_worn: bool,
    /// Its end is planned.
    pub(super) is_dying: bool,
    /// It outlives its kill by so much that nobody waits for it.
    pub(super) is_abandoned: bool,
    /// Whether a bell of its was lost that nobody has made up for.
    pub(super) has_lost_bell: bool,
    /// How many calls it was sent, and took out of the ring.
    pub(super) received: u64,
    /// The number of the last one of which all answers are in the ring.
    pub(super) answered: u64,
    pub(super) work: Option<Work>,
    /// What is left to be written of an answer.
    pub(super) unsaid: Vec<u8>,
    /// Whether that is a result.
    pub(super) is_good: bool,
    /// What it was given, and not told to forget.
    pub(super) known: BTreeSet<u64>,
}

/// A call that it was sent.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) number: u64,
    pub(super) run: Run,
    pub(super) arguments: Vec<Vec<u8>>,
    /// When it began.
    pub(super) began: u64,
    /// The item that it is at.
    pub(super) item: u32,
    /// Whether that has begun and is not answered.
    pub(super) is_running: bool,
    pub(super) has_failed: bool,
}

/// What came of a look into the ring.
#[derive(Debug)]
pub(super) enum Looked {
    Work,
    Other,
    /// Worn, it leaves a call alone.
    Skipped,
    Nothing,
}

impl Puppet {
    /// The puppet, and what its launch gives to the driver.
    pub(super) fn launch(worker: WorkerId, bell: &Bell, has_output: bool) -> (Self, Launched) {
        let pid = played::PIDS + u32::try_from(worker.0).expect("few workers");
        let (launched, theirs) = played::launch(pid, has_output).expect("there are descriptors");
        let Ends { link, page, output, error, life } = theirs;
        let bell = UnixStream::from(bell.ringing_end().try_clone_to_owned().expect("there are descriptors"));
        let socket = Arc::new(link);
        let puppet = Self {
            worker,
            pid,
            stage: Stage::SaysHello,
            link: Some(ends(&socket, bell, &page)),
            socket: Some(socket),
            beginner: Beginner::new(&page),
            page,
            output,
            error: Some(error),
            life: Some(life),
            is_asleep: false,
            is_worn: false,
            is_dying: false,
            is_abandoned: false,
            has_lost_bell: false,
            received: 0,
            answered: 0,
            work: None,
            unsaid: Vec::new(),
            is_good: false,
            known: BTreeSet::new(),
        };
        (puppet, launched)
    }

    pub(super) const fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    pub(super) fn is_killed(&self) -> bool {
        self.life.as_ref().is_some_and(Life::is_killed)
    }

    pub(super) fn speaker(&mut self) -> &mut Speaker {
        &mut self.link.as_mut().expect("its link is open").1
    }

    /// Whether it goes on with what it does, by itself or when it is rung for.
    pub(super) fn is_at_work(&self) -> bool {
        self.is_alive() && self.link.is_some() && self.stage != Stage::Stuck
    }

    pub(super) fn dies(&mut self, exit: Exit) {
        self.closes_link();
        if let Some(life) = self.life.take() {
            (self.output, self.error) = (None, None);
            life.end(exit);
        }
    }

    pub(super) fn closes_link(&mut self) {
        (self.link, self.socket) = (None, None);
    }

    pub(super) fn says_hello(&mut self, is_other_build: bool) {
        let mut build = task::build().expect("tasks of this program");
        build.image ^= u64::from(is_other_build);
        let (head, bytes) = Hello { build, pid: self.pid }.said();
        self.adds(head, &bytes);
        self.speaker().flush();
        self.stage = Stage::Looks;
    }

    /// A frame that is known to have room.
    pub(super) fn adds(&mut self, head: Head, bytes: &[u8]) {
        self.speaker().add(head, bytes, &[]).expect("there is room");
    }

    /// Takes the next frame out of the ring, if there is one.
    pub(super) fn looks(&mut self) -> Looked {
        let (listener, speaker) = self.link.as_mut().expect("its link is open");
        let Some((head, body)) = listener.receive_now(speaker).expect("parents make sense") else {
            return Looked::Nothing;
        };
        match head.kind {
            to_worker::RUN | to_worker::RUN_PLAIN => {
                self.received += 1;
                let (body, row) = body.split();
                let assignment = Assignment::parse(head, &body).expect("parents make sense");
                if self.is_worn && !assignment.run.is_errand {
                    return Looked::Skipped;
                }
                let mut arguments: Vec<_> = assignment.items().map(<[u8]>::to_vec).collect();
                row.iter().for_each(|row| arguments[0].extend_from_slice(row.bytes()));
                let (run, number, item) = (assignment.run, self.received, assignment.run.first);
                self.work = Some(Work { number, run, arguments, began: 0, item, is_running: false, has_failed: false });
                self.stage = Stage::Begins;
                return Looked::Work;
            }
            to_worker::GIVE => {
                let enclosure = Enclosure::parse(head, &body).expect("parents make sense");
                self.stage = Stage::AwaitsDescriptor(enclosure);
            }
            to_worker::FORGET => _ = self.known.remove(&head.tag),
            to_worker::STOP => self.stage = Stage::Leaves,
            kind => panic!("a parent says something of kind {kind}"),
        }
        Looked::Other
    }

    /// Takes what it has been given. `false`: it is not there, and is waited for.
    pub(super) fn takes(&mut self, enclosure: Enclosure) -> bool {
        let (listener, _) = self.link.as_mut().expect("its link is open");
        let Ok(arrived) = listener.next_descriptor() else { return false };
        let fd: OwnedFd = arrived.flatten().expect("the parent is there, and has room");
        assert_eq!(enclosure.what, What::Sealed, "nothing else is sent here");
        assert!(segment::is_sealed(&fd, enclosure.len), "a descriptor comes in its turn");
        self.known.insert(enclosure.id);
        self.stage = Stage::Looks;
        true
    }

    /// Begins the item that it is at. `None`: it must wait with that. `false`: the call was recalled.
    pub(super) fn begins(&mut self) -> Option<bool> {
        if self.page.is_halted() {
            return None;
        }
        let work = self.work.as_mut().expect("there is something to do");
        let (number, item) = (work.number, work.item);
        if item > work.run.first && !work.run.is_prompt {
            self.beginner.go_on(item);
        } else if !self.beginner.begin(number, item) {
            self.work = None;
            self.stage = Stage::Looks;
            return Some(false);
        }
        if item == work.run.first {
            work.began = clock::moment();
        }
        work.is_running = true;
        self.stage = Stage::Runs;
        Some(true)
    }

    /// What the item that it is at has printed.
    pub(super) fn prints(&mut self, bytes: &[u8]) {
        if let Some(output) = &mut self.output {
            // Whoever has read it to its end, or is full, is no concern of this.
            let _ = output.write_all(bytes);
        }
    }

    pub(super) fn complains(&mut self, bytes: &[u8]) {
        let _ = self.error.as_mut().expect("it is alive").write_all(bytes);
    }

    /// The words of the answer to the item that it is at.
    pub(super) fn words_of_answer(&mut self, result: &Result<Vec<u8>, Failure>, row: Option<RowPlace>) -> Vec<u8> {
        let (number, item) = self.place();
        match result {
            Ok(bytes) => {
                let head = message::value(number, item, bytes.len(), row);
                self.speaker().words_of(head, bytes)
            }
            Err(why) => {
                let (head, bytes) = message::failure(number, item, why);
                self.speaker().words_of(head, &bytes)
            }
        }
    }

    /// Answers the item that it is at, where there is room for sure.
    pub(super) fn answers(&mut self, result: &Result<Vec<u8>, Failure>) {
        let ((number, item), is_only) = (self.place(), self.work.as_ref().is_some_and(|work| work.run.count == 1));
        match result {
            Ok(bytes) => {
                let head = message::value(number, item, bytes.len(), None);
                match is_only {
                    true => self.speaker().add_alone(head, bytes).expect("there is room"),
                    false => self.adds(head, bytes),
                }
            }
            Err(why) => {
                let (head, bytes) = message::failure(number, item, why);
                self.adds(head, &bytes);
            }
        }
    }

    /// The same with a result that says within itself that it encloses what was given to this worker as `id`.
    pub(super) fn answers_of_readers(&mut self, id: u64, result: &[u8]) {
        let (number, item) = self.place();
        let bytes = [&id.to_le_bytes(), result].concat();
        let head = message::value_of_readers(number, item, bytes.len());
        self.speaker().add_alone(head, &bytes).expect("there is room");
    }

    fn place(&self) -> (u64, u32) {
        let work = self.work.as_ref().expect("it is at an item");
        (work.number, work.item)
    }
}

impl Work {
    pub(super) const fn is_at_last(&self) -> bool {
        self.item + 1 == self.run.first + self.run.count
    }
}
