//! How the workers that are played answer: in one go or word by word, cut off in the middle, with a bell or without.

use super::puppet::Stage;
use super::tally::Sight;
use super::world::World;
use crate::driver::clock;
use crate::sys::process::Exit;
use crate::task::RESULT_SHORT_MAX;
use crate::wire::enclosure::{Enclosure, What};
use crate::wire::frame::{Head, WORD};
use crate::wire::message::{self, Failure};

impl World {
    /// The item that runs has come to its end, and is answered.
    pub(super) fn ends_item(&mut self, worker: usize) {
        self.prints(worker);
        if self.dice.chance(self.weather.talks_nonsense) {
            return self.talks_nonsense(worker);
        }
        let result = self.result_of(worker);
        let is_cut = self.dice.chance(self.weather.cut);
        let is_fat = self.weather.is_fat;
        let row = self.at(worker).and_then(|(serial, item)| self.ledger.calls[serial].items[item].row());
        let breaks_off = self.breaks_off(worker);
        let (ran, began) = self.time_of(worker, breaks_off);
        let puppet = self.puppet(worker);
        let work = puppet.work.as_mut().expect("it is at an item");
        work.has_failed |= result.is_err();
        if breaks_off {
            work.run.count = work.item + 1 - work.run.first;
        }
        let is_timed = work.run.is_measured && work.is_at_last();
        if !is_cut && !is_fat && row.is_none() {
            if is_timed {
                puppet.adds(ran, &began);
            }
            if !self.answers_of_readers(worker, &result) {
                if result.is_ok() {
                    self.encloses(worker);
                }
                self.puppet(worker).answers(&result);
            }
            return self.has_answered(worker, result.is_ok());
        }
        let mut words = if is_timed { puppet.speaker().words_of(ran, &began) } else { Vec::new() };
        words.extend(puppet.words_of_answer(&result, row));
        puppet.unsaid = words;
        if is_cut {
            return self.dies_midway(worker);
        }
        self.puppet(worker).stage = Stage::Answers;
        self.puppet(worker).is_good = result.is_ok();
        self.writes(worker);
    }

    /// Whether the items behind the one that it is at are left alone.
    fn breaks_off(&mut self, worker: usize) -> bool {
        let Some((serial, item)) = self.at(worker) else { return false };
        let work = self.puppet(worker).work.as_ref().expect("it is at an item");
        let may_break_off = work.run.may_break_off && !work.is_at_last();
        let breaks_off = may_break_off && self.dice.chance(self.weather.breaks_off);
        if breaks_off {
            self.ledger.calls[serial].left_alone_from = Some(item + 1);
            self.tally.saw(Sight::BrokenOff);
        }
        breaks_off
    }

    /// When its call began and how long it ran, or what it says of that.
    fn time_of(&mut self, worker: usize, breaks_off: bool) -> (Head, [u8; WORD]) {
        if self.dice.chance(self.weather.false_times) {
            self.tally.saw(Sight::FalseTime);
            let nonsense = [0, 1, clock::moment() * 2, u64::MAX];
            let [began, nanos] = [(); 2].map(|()| nonsense[self.dice.below(4) as usize]);
            return message::ran(began, nanos, breaks_off);
        }
        let began = self.puppet(worker).work.as_ref().expect("it is at an item").began;
        message::ran(began, clock::moment() - began, breaks_off)
    }

    /// Answers with something of what its call encloses, in one frame, or does nothing.
    fn answers_of_readers(&mut self, worker: usize, result: &Result<Vec<u8>, Failure>) -> bool {
        let Some((serial, item)) = self.at(worker).filter(|_| self.dice.chance(self.weather.of_readers)) else {
            return false;
        };
        let call = &mut self.ledger.calls[serial];
        match (call.encloses.first(), result) {
            (Some(&id), Ok(bytes)) if call.items.len() == 1 && bytes.len() <= RESULT_SHORT_MAX => {
                call.items[item].has_enclosed = true;
                self.tally.saw(Sight::OfReaders);
                self.puppet(worker).answers_of_readers(id, bytes);
                true
            }
            _ => false,
        }
    }

    /// Gives back something of what its call encloses, or nothing.
    fn encloses(&mut self, worker: usize) {
        let Some((serial, item)) = self.at(worker).filter(|_| self.dice.chance(300)) else { return };
        let call = &mut self.ledger.calls[serial];
        let Some(&id) = call.encloses.first() else { return };
        call.items[item].has_enclosed = true;
        self.tally.saw(Sight::Enclosed);
        let (head, bytes) = message::encloses(Enclosure { id, what: What::Readers, len: 0 });
        self.puppet(worker).adds(head, bytes.as_ref());
    }

    /// It dies when it has written a part of its answer.
    fn dies_midway(&mut self, worker: usize) {
        self.tally.saw(Sight::Cut);
        let puppet = &mut self.puppets[worker].as_mut().expect("it is there");
        let words = puppet.unsaid.len() / WORD;
        let kept = self.dice.below(words as u64) as usize * WORD;
        puppet.unsaid.truncate(kept);
        let mut words = std::mem::take(&mut puppet.unsaid);
        puppet.speaker().write_now(&mut words).expect("the ring is sound");
        self.dies(worker, Exit::Signal(9));
    }

    /// Goes on writing an answer.
    pub(super) fn writes(&mut self, worker: usize) {
        let most = self.length_of_part(worker);
        let puppet = self.puppet(worker);
        let mut words = std::mem::take(&mut puppet.unsaid);
        let rest = words.split_off(most.min(words.len()));
        let is_written = puppet.speaker().write_now(&mut words).expect("the ring is sound");
        words.extend(rest);
        puppet.unsaid = words;
        if is_written && !puppet.unsaid.is_empty() {
            puppet.speaker().flush();
            self.plan_step(worker);
        } else if is_written {
            let is_good = puppet.is_good;
            self.has_answered(worker, is_good);
        } else {
            puppet.is_asleep = true;
            self.tally.saw(Sight::RingFull);
        }
    }

    /// A long row is written, and heard, part by part.
    fn length_of_part(&mut self, worker: usize) -> usize {
        let words = self.puppet(worker).unsaid.len() / WORD;
        match self.weather.rows {
            0 => usize::MAX,
            _ => (1 + self.dice.below(words as u64) as usize) * WORD,
        }
    }

    /// All of an answer is in the ring. On to the next item, or to what is done when a call is over.
    fn has_answered(&mut self, worker: usize, is_good: bool) {
        if let Some((serial, item)) = self.at(worker) {
            self.ledger.calls[serial].items[item].answered = Some(is_good);
        }
        let (is_wearing, is_silent) =
            (self.dice.chance(self.weather.wears), self.dice.chance(self.weather.loses_bells));
        let puppet = self.puppet(worker);
        let work = puppet.work.as_mut().expect("it is at an item");
        work.is_running = false;
        let is_prompt = work.run.is_prompt;
        if work.is_at_last() {
            puppet.answered = work.number;
            puppet.stage = Stage::Flushes;
            return self.plan_step(worker);
        }
        work.item += 1;
        puppet.stage = Stage::Begins;
        if is_prompt {
            self.rings(worker, is_silent);
        }
        if is_wearing {
            self.wears(worker);
        }
        self.plan_step(worker);
    }

    /// Tells what it has answered: the call is over.
    pub(super) fn flushes(&mut self, worker: usize) {
        let (is_wearing, is_silent) =
            (self.dice.chance(self.weather.wears), self.dice.chance(self.weather.loses_bells));
        let puppet = self.puppet(worker);
        let work = puppet.work.take().expect("it has answered something");
        puppet.stage = Stage::Looks;
        if is_silent || work.has_failed {
            self.rings(worker, is_silent);
        } else {
            puppet.speaker().flush_answer(work.number);
        }
        if self.puppet(worker).speaker().withholds() {
            self.tally.saw(Sight::Withheld);
        }
        if is_wearing && !work.run.is_errand {
            self.wears(worker);
        }
        self.plan_step(worker);
    }

    fn rings(&mut self, worker: usize, is_silent: bool) {
        let puppet = self.puppet(worker);
        if is_silent && puppet.speaker().flush_unheard() {
            puppet.has_lost_bell = true;
            self.tally.saw(Sight::LostBell);
        } else {
            puppet.speaker().flush();
        }
    }

    /// From now on it begins nothing more.
    fn wears(&mut self, worker: usize) {
        self.tally.saw(Sight::Worn);
        let puppet = self.puppet(worker);
        (puppet.is_worn, puppet.work, puppet.stage) = (true, None, Stage::Looks);
        puppet.adds(message::worn(), &[]);
        puppet.speaker().flush();
    }

    fn prints(&mut self, worker: usize) {
        let Some((serial, item)) = self.at(worker).filter(|_| self.settings.output.is_by_call()) else { return };
        let text = format!("{serial}.{item} ");
        self.ledger.calls[serial].printed.extend(text.bytes());
        self.puppet(worker).prints(text.as_bytes());
    }

    /// It says what no worker says; what had begun by then was under way when it went mad.
    fn talks_nonsense(&mut self, worker: usize) {
        self.tally.saw(Sight::Nonsense);
        let is_untimely = self.at(worker).is_some() && self.dice.chance(self.weather.untimely);
        if is_untimely {
            self.tally.saw(Sight::Untimely);
            self.says_untimely(worker);
        } else {
            let number = self.dice.below(1000);
            self.puppet(worker).adds(message::value(number + (1 << 20), 7, 0, None), &[]);
        }
        let puppet = self.puppet(worker);
        puppet.speaker().flush();
        puppet.stage = Stage::Stuck;
    }

    /// While it runs something.
    fn says_untimely(&mut self, worker: usize) {
        let kind = self.dice.below(if self.weather.breaks_off > 0 { 4 } else { 3 });
        let puppet = self.puppet(worker);
        match kind {
            0 => puppet.adds(message::worn(), &[]),
            1 => puppet.says_hello(false),
            _ => {
                let (ran, began) = message::ran(1, 1, kind == 3);
                (0..2).for_each(|_| puppet.adds(ran, &began));
            }
        }
    }
}
