//! The loop of a worker: read a call, run its items one by one, answer each.
//!
//! Each answer is written before the next item begins, so a death takes the answer of nobody but the item that ran. A
//! living parent is told of all of them at the end of the call.

use std::io;

use super::enclosures;
use super::growth::Growth;
use super::notes;
use super::ready::Ready;
use super::stint::Stint;
use crate::identity;
use crate::shared::passing;
use crate::supervisor::tree;
use crate::sys::own_pid::own_pid;
use crate::sys::page::{Beginner, Page};
use crate::sys::row::Row;
use crate::sys::{clock, held_back, process, stdio};
use crate::task::{ArgumentReader, Entry, RESULT_SHORT_MAX, Written, entry_of};
use crate::transport::worker_link::{Listener, Speaker};
use crate::wire::body::RowPlace;
use crate::wire::enclosure::Enclosure;
use crate::wire::frame::WORD;
use crate::wire::message::{self, Failure, to_worker};
use crate::wire::run::{Assignment, Run};

/// So much memory for results is kept while there is nothing to do.
const KEPT_MAX: usize = 1 << 20;

/// Serves until the parent says stop or is gone.
pub(super) fn serve(mut listener: Listener, speaker: Speaker, page: &Page, growth: Growth) -> ! {
    let beginner = Beginner::new(page);
    let mut desk = Desk { speaker, beginner, growth, is_worn: false, pid: own_pid(), result: Written::default() };
    let mut received = 0;
    loop {
        match listener.receive(&mut desk.speaker) {
            Ok(Some((head, body))) => match head.kind {
                to_worker::RUN | to_worker::RUN_PLAIN => {
                    received += 1;
                    let (body, row) = body.split();
                    let assignment = Assignment::parse(head, &body).unwrap_or_else(|why| die(&why.to_string()));
                    if desk.is_worn && !assignment.run.is_errand {
                        // The parent has not heard yet that nothing more begins here.
                        continue;
                    }
                    if desk.run_items(received, &assignment, row).is_err() {
                        vanish();
                    }
                    passing::end_call();
                }
                to_worker::GIVE => {
                    let enclosure = Enclosure::parse(head, &body).unwrap_or_else(|why| die(&why.to_string()));
                    match listener.next_descriptor() {
                        Ok(Some(fd)) => enclosures::take_in(enclosure, fd),
                        Ok(None) => vanish(),
                        Err(why) => die(&why.to_string()),
                    }
                }
                to_worker::FORGET => passing::forget(head.tag),
                to_worker::STOP => leave(),
                kind => die(&format!("it was told what it does not understand (a message of kind {kind})")),
            },
            Ok(None) => vanish(),
            Err(why) => die(&why.to_string()),
        }
    }
}

/// Where the items of a call are run and answered.
struct Desk {
    speaker: Speaker,
    beginner: Beginner,
    growth: Growth,
    /// It has said that it begins nothing more.
    is_worn: bool,
    pid: u32,
    /// The bytes of the last result; they are answered before the next item begins.
    result: Written,
}

impl Desk {
    /// Runs the items of call number `number`, unless it was recalled. `row` belongs to the arguments of the first one.
    fn run_items(&mut self, number: u64, assignment: &Assignment<'_>, row: Option<Box<Row>>) -> io::Result<()> {
        let run = &assignment.run;
        let entry = entry_of(run.task);
        if !self.beginner.begin(number, run.first) {
            return if self.beginner.is_damaged() { die(DAMAGED) } else { Ok(()) };
        }
        notes::before_call(run.is_errand);
        let begun = run.is_measured.then(clock::now);
        identify(entry, run, run.tries_before);
        // Not before the call has begun: whoever dies of decoding its captures is to blame.
        let ready = match assignment.lost {
            Some(bytes) => Ready::Not(Failure::NoRoomForArguments(bytes as u64)),
            None => Ready::new(entry, assignment.captures),
        };
        let mut reader = ArgumentReader::with_row(row);
        let last = run.first.saturating_add(run.count.saturating_sub(1));
        let (mut has_failed, mut stint) = (false, Stint::new(begun.filter(|_| run.may_break_off)));
        for (item, arguments) in (run.first..=last).zip(assignment.items()) {
            if item > run.first {
                if self.growth.is_worn() {
                    begun.map_or(Ok(()), |begun| self.tell_time(begun, false))?;
                    return self.give_up();
                }
                self.go_on(number, item, run, entry);
            }
            reader.begin(arguments);
            let result = ready.run(&mut reader, &mut self.result);
            self.end_item();
            let breaks_off = item < last && stint.is_over(clock::now);
            if let Some(begun) = begun.filter(|_| item == last || breaks_off) {
                self.tell_time(begun, breaks_off)?;
            }
            match result {
                Ok(()) => self.answer(number, item, run.count == 1)?,
                Err(why) => {
                    self.tell_failure(number, item, &why)?;
                    has_failed = true;
                }
            }
            if breaks_off {
                break;
            }
            if run.is_prompt {
                self.speaker.flush();
            }
        }
        if has_failed {
            // Whoever waits for many calls gives the rest up.
            self.speaker.flush();
        } else {
            self.speaker.flush_answer(number);
        }
        ready.close();
        // What is run for the pool comes before the calls, or after them.
        if !run.is_errand && self.growth.is_worn() { self.give_up() } else { Ok(()) }
    }

    /// From now on nothing begins here any more: this process is to be replaced.
    #[cold]
    fn give_up(&mut self) -> io::Result<()> {
        self.is_worn = true;
        self.speaker.add(message::worn(), &[], &[])?;
        self.speaker.flush();
        Ok(())
    }

    /// Item `item`, which is not the first one of its call, begins.
    #[inline]
    fn go_on(&mut self, number: u64, item: u32, run: &Run, entry: Option<&'static Entry>) {
        if item == run.first + 1 {
            // Only the first item may have been tried before.
            identify(entry, run, 0);
        }
        // One that has a limit of its own the parent may race for. What has begun cannot be recalled.
        let has_begun = if run.is_prompt { self.beginner.begin(number, item) } else { self.beginner.go_on(item) };
        if !has_begun {
            die(DAMAGED);
        }
    }

    /// The task has returned.
    #[inline]
    fn end_item(&self) {
        if own_pid() != self.pid {
            // The task has forked, and this is the child: the answer, like the worker, is the other one's.
            process::exit_now(0);
        }
        notes::after_item();
        // What the task has printed is seen before its result, and is not lost if this process is killed later.
        held_back::flush();
        stdio::flush_c();
    }

    #[inline(never)]
    fn tell_time(&mut self, began: u64, breaks_off: bool) -> io::Result<()> {
        let (head, moment) = message::ran(began, clock::now().saturating_sub(began), breaks_off);
        self.speaker.add(head, &moment, &[])
    }

    #[cold]
    fn tell_failure(&mut self, number: u64, item: u32, why: &Failure) -> io::Result<()> {
        let (head, bytes) = message::failure(number, item, why);
        self.speaker.add(head, &bytes, &[])
    }

    /// Says what is in `result`: that of the only item of its call, or one of many.
    #[inline]
    fn answer(&mut self, number: u64, item: u32, is_only: bool) -> io::Result<()> {
        if !self.result.enclosed.is_empty() {
            let enclosed = std::mem::take(&mut self.result.enclosed);
            if let Some((id, value)) = enclosed.readers_own().zip(self.result.if_short().filter(|_| is_only)) {
                let (mut bytes, len) = ([0; WORD + RESULT_SHORT_MAX], WORD + value.len());
                bytes[..WORD].copy_from_slice(&id.to_le_bytes());
                bytes[WORD..len].copy_from_slice(value);
                return self.speaker.add_alone(message::value_of_readers(number, item, len), &bytes[..len]);
            }
            if let Err(why) = enclosures::send(&mut self.speaker, &enclosed)? {
                return self.tell_failure(number, item, &why);
            }
        }
        let Written { bytes, row, .. } = &mut self.result;
        let Some(row) = row.take() else {
            let head = message::value(number, item, bytes.len(), None);
            if is_only {
                self.speaker.add_alone(head, bytes)?;
            } else {
                self.speaker.add(head, bytes, &[])?;
            }
            if bytes.capacity() > KEPT_MAX {
                *bytes = Vec::new();
            }
            return Ok(());
        };
        let (numbers, place) = (row.bytes(), RowPlace::new(bytes.len(), row.width()));
        self.speaker.add(message::value(number, item, bytes.len() + numbers.len(), place), bytes, numbers)
    }
}

/// Says who runs what, for a task that asks.
#[inline(never)]
fn identify(entry: Option<&'static Entry>, run: &Run, tries_before: u32) {
    if let Some(entry) = entry {
        identity::begin_call(entry.name, run.call, run.attempt.get() + tries_before);
    }
}

/// A task may write anywhere in its process.
const DAMAGED: &str = "something in it has overwritten the memory that it shares with its parent";

/// The parent has no more work: ends as a program ends, after everything that tasks have started.
fn leave() -> ! {
    tree::kill_own_descendants();
    std::process::exit(0)
}

/// The parent is gone, and nobody is left to notice how this process ends.
fn vanish() -> ! {
    tree::kill_own_descendants();
    process::exit_now(0)
}

/// The link brings nonsense: tells the parent by dying, with the reason as last words.
fn die(why: &str) -> ! {
    eprintln!("loky: this worker (pid {}) cannot go on: {why}", std::process::id());
    process::exit_now(1)
}
