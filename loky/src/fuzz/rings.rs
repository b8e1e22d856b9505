//! Two ends of a ring that do what they can, in any order. With somebody who writes to its memory nothing but an error may
//! come of it; without, what goes in comes out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Input;
use crate::sync::Ordering;
use crate::transport::ring::own::Own;
use crate::transport::ring::{Chime, Memory, Patience, Reader, WORD, Writer};

struct Ring {
    memory: Arc<Own>,
    writer: Writer<Arc<Own>>,
    /// `None`: it has found that this is no ring, and does not look again.
    reader: Option<Reader<Arc<Own>>>,
    /// What was written and not read, if both are honest.
    under_way: VecDeque<u8>,
    is_honest: bool,
    written: u8,
}

const LONG: usize = 40 * WORD;

pub(super) fn pass(data: &[u8]) {
    let mut input = Input::new(data);
    let (size, is_honest) = (16 << (input.byte() % 7), input.byte() & 1 == 1);
    let memory = Own::shared(size);
    let (writer, reader) = (Writer::new(Arc::clone(&memory)), Some(Reader::new(Arc::clone(&memory))));
    let mut ring = Ring { memory, writer, reader, under_way: VecDeque::new(), is_honest, written: 0 };
    while !input.is_empty() {
        ring.act(&mut input);
    }
    ring.writer.close();
    while ring.read(LONG) > 0 {}
    assert!(!is_honest || ring.under_way.is_empty(), "all of it comes out");
}

impl Ring {
    fn act(&mut self, input: &mut Input<'_>) {
        match input.byte() % 16 {
            0..3 => self.write(input.below(LONG) / WORD * WORD),
            3 => self.writer.close(),
            4 => self.writer.commit(),
            5..8 => _ = self.read(input.below(LONG) / WORD * WORD),
            8 => self.extend(),
            9 => self.put(input.below(12)),
            10 => _ = (self.writer.may_sleep(), self.writer.wake()),
            11 => {
                _ = (self.writer.must_ring(), self.writer.must_ring_for(input.word() as u16), self.writer.withholds())
            }
            12 => self.sleep(Patience::Until(input.word() as u16)),
            13 => self.sleep(Patience::None),
            _ => self.scribble(input),
        }
    }

    fn next(&mut self) -> u8 {
        self.written = self.written.wrapping_add(1);
        self.written
    }

    fn write(&mut self, len: usize) {
        let bytes: Vec<u8> = (0..len).map(|_| self.next()).collect();
        let Ok(done) = self.writer.append(&bytes) else { return };
        assert!(done <= len && done % WORD == 0);
        self.under_way.extend(&bytes[..done]);
    }

    fn extend(&mut self) {
        let (one, other) = (self.next(), self.next());
        if self.writer.extend([one.into(), other.into()]) {
            for byte in [one, other] {
                self.under_way.extend(u64::from(byte).to_le_bytes());
            }
        }
    }

    fn put(&mut self, count: usize) {
        let words: Vec<u64> = (0..=count).map(|_| self.next().into()).collect();
        if self.writer.put(&words) {
            self.under_way.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
    }

    /// Returns how many bytes came.
    fn read(&mut self, len: usize) -> usize {
        let Some(reader) = &mut self.reader else { return 0 };
        let mut bytes = vec![0; len];
        let Ok(done) = reader.read(&mut bytes) else {
            assert!(!self.is_honest, "this is a ring");
            self.reader = None;
            return 0;
        };
        reader.must_ring();
        if self.is_honest {
            assert!(self.under_way.drain(..done).eq(bytes[..done].iter().copied()), "what went in comes out");
        }
        done
    }

    fn sleep(&mut self, patience: Patience) {
        let Some(reader) = &mut self.reader else { return };
        let has_news = reader.has_news();
        let may_sleep = reader.may_sleep(Chime::Pool, patience);
        assert!(!self.is_honest || has_news != may_sleep, "nobody sleeps beside what is there");
        if let Patience::Until(number) = patience {
            reader.hurry(number.wrapping_sub(1));
        }
        reader.wake();
    }

    fn scribble(&self, input: &mut Input<'_>) {
        if self.is_honest {
            return;
        }
        let memory = &*self.memory;
        let words = Memory::words(&memory);
        let word = match input.byte() % 8 {
            0 => Memory::read(&memory),
            1 => Memory::reader_sleeps(&memory),
            2 => Memory::writer_sleeps(&memory),
            _ => &words[input.below(words.len())],
        };
        let lie = match input.byte() % 4 {
            0 => word.load(Ordering::Relaxed) ^ input.word(),
            // Heads of all kinds.
            1 => u64::from(input.byte() % 8) << 61 | input.below(words.len()) as u64,
            _ => input.word(),
        };
        word.store(lie, Ordering::Relaxed);
    }
}
