//! Explores how a writer and a reader meet, each sleeping when it can do nothing.

use loom::sync::{Arc, Mutex};
use loom::thread;

use super::own::Own;
use super::*;
use crate::sync::gong::Gong;

/// One end, its own bell, and the other's.
struct End<E>(E, Arc<Gong>, Arc<Gong>);

impl End<Writer<Arc<Own>>> {
    /// In one step where that can be done, which is at the start of the ring.
    fn write(&mut self, byte: u8) {
        while !self.0.put(&[byte.into()]) && self.0.append(&[byte]).unwrap() == 0 {
            if self.0.may_sleep().unwrap() {
                self.1.wait();
                self.0.wake();
            }
        }
        self.0.close();
        if self.0.must_ring().is_some() {
            self.2.ring();
        }
    }
}

impl End<Reader<Arc<Own>>> {
    fn read(&mut self) -> u8 {
        let mut word = [0; WORD];
        while self.0.read(&mut word).unwrap() == 0 {
            if self.0.may_sleep(Chime::Link, Patience::None) {
                self.1.wait();
                self.0.wake();
            }
        }
        if self.0.must_ring().is_some() {
            self.2.ring();
        }
        word[0]
    }
}

/// Passes so many messages, each of which takes a line, through a ring of so many lines.
fn pass(count: u8, ring: usize, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let memory = Arc::new(Own::new(ring * LINE));
        let (writers, readers) = (Arc::new(Gong::default()), Arc::new(Gong::default()));
        let mut writer = End(Writer::new(Arc::clone(&memory)), Arc::clone(&writers), Arc::clone(&readers));
        let mut reader = End(Reader::new(memory), readers, writers);
        let writing = thread::spawn(move || (1..=count).for_each(|byte| writer.write(byte)));
        (1..=count).for_each(|byte| assert_eq!(reader.read(), byte));
        writing.join().unwrap();
    });
}

#[test]
fn model_no_message_is_lost_and_no_reader_sleeps_for_ever() {
    pass(2, 2, 4);
}

#[test]
fn model_no_writer_sleeps_for_ever_for_room() {
    pass(3, 2, 3);
}

/// Here the writer comes to where what was read is left behind, and jumps back if the reader is quick.
#[test]
fn model_no_message_is_lost_far_from_the_start() {
    pass(5, 4, 2);
}

/// What is committed to an open record can be read, and what follows it is seen once it is closed.
#[test]
fn model_an_open_record_shows_what_was_committed() {
    loom::model(|| {
        let memory = Arc::new(Own::new(4 * LINE));
        let (mut writer, mut reader) = (Writer::new(Arc::clone(&memory)), Reader::new(memory));
        let writing = thread::spawn(move || {
            writer.append(&[1]).unwrap();
            writer.commit();
            assert!(writer.extend([2]));
            writer.append(&[3]).unwrap();
            writer.close();
        });
        let (mut words, mut seen) = ([0; 3 * WORD], Vec::new());
        for _ in 0..2 {
            let is_news = reader.has_news();
            let len = reader.read(&mut words).unwrap();
            seen.extend(words[..len].chunks_exact(WORD).map(|word| word[0]));
            assert!(!is_news || seen == [1, 2, 3], "news are of a record that is whole");
        }
        writing.join().unwrap();
        let len = reader.read(&mut words).unwrap();
        seen.extend(words[..len].chunks_exact(WORD).map(|word| word[0]));
        assert_eq!(seen, [1, 2, 3]);
    });
}

/// The reader sleeps until the second answer, and somebody else comes to want the first one, before which there will be
/// no second one.
#[test]
fn model_whoever_hurries_a_patient_reader_does_not_wait_for_ever() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let memory = Arc::new(Own::new(8 * LINE));
        let (readers, seconds, hurried) = <(Arc<Gong>, Arc<Gong>, Arc<Gong>)>::default();
        let mut writer = Writer::new(Arc::clone(&memory));
        // With the number for which it would be woken.
        let reader = Arc::new(Mutex::new((Reader::new(memory), 2)));
        let writing = {
            let (rings, second) = (Arc::clone(&readers), Arc::clone(&seconds));
            thread::spawn(move || {
                for number in [1, 2] {
                    writer.append(&[number]).unwrap();
                    writer.close();
                    if writer.must_ring_for(number.into()).is_some() {
                        rings.ring();
                    }
                    if number == 1 {
                        second.wait();
                    }
                }
            })
        };
        let hurrying = {
            let (reader, rings, is_heard) = (Arc::clone(&reader), Arc::clone(&readers), Arc::clone(&hurried));
            thread::spawn(move || {
                let mut reading = reader.lock().unwrap();
                reading.1 = 1;
                if !reading.0.hurry(1) {
                    rings.ring();
                }
                drop(reading);
                is_heard.wait();
                seconds.ring();
            })
        };
        let (mut word, mut heard) = ([0; WORD], 0);
        while heard < 2 {
            let mut reading = reader.lock().unwrap();
            let until = Patience::Until(reading.1);
            if reading.0.read(&mut word).unwrap() > 0 {
                heard += 1;
                if heard == 1 {
                    hurried.ring();
                }
            } else if reading.0.may_sleep(Chime::Link, until) {
                drop(reading);
                readers.wait();
                reader.lock().unwrap().0.wake();
            }
        }
        writing.join().unwrap();
        hurrying.join().unwrap();
    });
}
