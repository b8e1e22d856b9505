//! A worker that lies: in each field of each frame, by each bit, in each word of the page, in the words of its ring, and
//! by saying things twice. Whatever it says, its parent goes on, and every call ends or is given to another worker.

use super::*;
use crate::error::ErrorKind;
use crate::sys::page::Page;
use crate::sys::process::Exit;

/// Some bits of a frame, counted from its start.
#[derive(Clone, Copy)]
struct Field {
    frame: &'static str,
    name: &'static str,
    start: usize,
    bits: u32,
    /// Whether no lie in it can be told from the truth.
    is_free: bool,
}

const fn field(frame: &'static str, name: &'static str, start: usize, bits: u32) -> Field {
    Field { frame, name, start, bits, is_free: false }
}

const fn free(frame: &'static str, name: &'static str, start: usize, bits: u32) -> Field {
    Field { frame, name, start, bits, is_free: true }
}

/// The fields of all frames, without those of their heads that all have.
const FIELDS: &[Field] = &[
    field("hello", "protocol", 128, 32),
    field("hello", "tasks", 160, 64),
    field("hello", "image", 224, 64),
    field("hello", "pid", 288, 32),
    field("value", "item", 64, 32),
    field("value", "call", 96, 32),
    free("value", "bytes", 128, 64),
    free("value that follows", "bytes", 64, 64),
    free("time", "nanoseconds", 64, 64),
    free("time", "beginning", 128, 64),
    field("failure", "item", 64, 32),
    field("failure", "call", 96, 32),
    free("failure", "why", 128, 32),
    field("failure", "length of the text", 160, 64),
    field("long value", "item", 64, 32),
    field("long value", "call", 96, 32),
    free("long value", "count", 128, 64),
    free("enclosure", "number", 64, 64),
    field("enclosure", "what", 128, 64),
    field("enclosure", "length", 192, 64),
    field("enclosing value", "item", 64, 32),
    field("enclosing value", "call", 96, 32),
    field("value of readers", "item", 64, 32),
    field("value of readers", "call", 96, 32),
    field("value of readers", "what it encloses", 128, 64),
    free("value of readers", "bytes", 192, 64),
    free("worn", "tag", 64, 64),
];

/// The fields of the first word of each frame.
fn fields_of_head(frame: &'static str) -> [Field; 4] {
    let is_value = frame.contains("value");
    // Without what it encloses, a result is one all the same.
    let has_other_kinds = ["value that follows", "failure", "value of readers"].contains(&frame);
    [
        // A result is as long as it says; and what never comes, nobody can tell from what takes long.
        Field { is_free: is_value || frame == "worn", ..field(frame, "length", 0, 5) },
        // Where there is no row that would be read as one, it does not matter what is said of one.
        free(frame, "row", 47, 9),
        Field { is_free: has_other_kinds, ..field(frame, "kind", 56, 7) },
        field(frame, "whether it follows", 63, 1),
    ]
}

fn fields() -> Vec<Field> {
    let frames = life(build()).into_iter().filter_map(|step| match step {
        Step::Say(name, _) => Some(name),
        _ => None,
    });
    frames.flat_map(fields_of_head).chain(FIELDS.iter().copied()).collect()
}

fn lies(honest: u64, bits: u32) -> Vec<u64> {
    let mask = u64::MAX >> (u64::BITS - bits);
    let random = honest.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7 ^ 0x5555;
    let all = [0, 1, 2, mask, mask >> 1, honest.wrapping_add(1), honest.wrapping_sub(1), !honest, random];
    let mut lies: Vec<u64> = all.into_iter().map(|lie| lie & mask).filter(|&lie| lie != honest).collect();
    lies.sort_unstable();
    lies.dedup();
    lies
}

impl Field {
    fn get(&self, words: &[u64]) -> u64 {
        let at = |bit: usize| words[bit / 64] >> (bit % 64) & 1;
        (0..self.bits).map(|bit| at(self.start + bit as usize) << bit).sum()
    }

    fn set(&self, words: &mut [u64], value: u64) {
        for bit in 0..self.bits {
            let (place, mask) = ((self.start + bit as usize) / 64, 1 << ((self.start + bit as usize) % 64));
            words[place] = if value >> bit & 1 == 1 { words[place] | mask } else { words[place] & !mask };
        }
    }
}

/// Lives this life, is heard after each step, and after whatever `after` does there, and dies. Returns why it was refused.
fn told(steps: &[Step], mut after: impl FnMut(&Stage, usize)) -> Option<String> {
    let mut stage = Stage::new(Settings::default_for(1));
    for (place, step) in steps.iter().enumerate() {
        stage.step(step);
        after(&stage, place);
        stage.is_heard();
    }
    let refused_for = stage.played.refused_for().map(str::to_string);
    if refused_for.is_some() {
        assert!(!stage.played.body().link.has_news(), "nothing more is heard from it");
    }
    stage.played.die(Exit::Signal(9));
    assert_all_settled(&mut stage, refused_for.as_deref());
    refused_for
}

pub(super) fn assert_all_settled(stage: &mut Stage, refused_for: Option<&str>) {
    assert!(!stage.played.inner.workers.contains_key(&stage.played.id), "it is buried");
    let is_replaced = stage.is_being_replaced();
    stage.assert_whole();
    for (call, (items, outcome)) in CALLS.into_iter().zip(stage.outcomes()).enumerate() {
        let Some(outcome) = outcome else {
            assert!(is_replaced, "call {call} is lost");
            continue;
        };
        assert!(outcome.end.is_some() || outcome.results.len() == items, "call {call} has all its results or an error");
        if let (Some(end), Some(why)) = (&outcome.end, refused_for) {
            assert!(end.kind() != ErrorKind::Crash || end.to_string().contains(why), "{end}");
        }
    }
}

/// The life with this field of this frame changed.
fn with_lie(field: &Field, lie: u64) -> Vec<Step> {
    let mut steps = life(build());
    for step in &mut steps {
        if let Step::Say(name, words) = step {
            if *name == field.frame {
                field.set(words, lie);
            }
        }
    }
    steps
}

fn honest(field: &Field) -> u64 {
    let words = life(build()).into_iter().find_map(|step| match step {
        Step::Say(name, words) if name == field.frame => Some(words),
        _ => None,
    });
    field.get(&words.expect("there is such a frame"))
}

#[test]
fn a_life_without_a_lie_is_believed() {
    assert_eq!(told(&life(build()), |_, _| {}), None);
    let mut stage = Stage::new(Settings::default_for(1));
    for step in life(build()) {
        stage.step(&step);
        stage.is_heard();
    }
    let outcomes =
        stage.outcomes().map(|outcome| outcome.map(|outcome| (outcome.results.len(), outcome.end.is_none())));
    assert_eq!(outcomes, [Some((3, true)), Some((1, true)), Some((1, true)), Some((1, true))]);
}

#[test]
fn a_lie_in_any_field_of_any_frame_is_refused() {
    for field in fields() {
        for lie in lies(honest(&field), field.bits) {
            let refused_for = told(&with_lie(&field, lie), |_, _| {});
            assert!(field.is_free || refused_for.is_some(), "{} of {}: {lie:x} is believed", field.name, field.frame);
        }
    }
}

#[test]
fn each_bit_of_each_frame_can_be_wrong() {
    for (place, step) in life(build()).iter().enumerate() {
        let Step::Say(_, words) = step else { continue };
        // The head bit by bit, what it announces by samples.
        for bit in (0..words.len().min(8) * 64).filter(|bit| bit / 64 < 2 || bit % 7 == 3) {
            let mut steps = life(build());
            let Step::Say(_, words) = &mut steps[place] else { unreachable!("it is the same life") };
            words[bit / 64] ^= 1 << (bit % 64);
            told(&steps, |_, _| {});
        }
    }
}

/// What a worker says has an end only if it may say nothing twice.
#[test]
fn nothing_can_be_said_twice() {
    for (place, step) in life(build()).iter().enumerate() {
        let Step::Say(name, _) = step else { continue };
        let mut steps = life(build());
        steps.insert(place, step.clone());
        assert!(told(&steps, |_, _| {}).is_some(), "{name} can be said twice");
    }
}

/// A frame that comes before one without which it makes no sense.
#[test]
fn what_is_said_before_its_turn_is_refused() {
    let mut tried = 0;
    for (place, step) in life(build()).iter().enumerate() {
        let Step::Say(name, _) = step else { continue };
        for before in 0..place {
            let mut steps = life(build());
            let moved = steps.remove(place);
            let is_passed = steps[before..place].iter().any(|step| matches!(step, Step::Say(..)));
            steps.insert(before, moved);
            let refused_for = told(&steps, |_, _| {});
            // The time of a call can be told at any moment before its last answer, and makes no difference to that; and what a
            // result was to enclose, the next one encloses.
            let makes_sense = matches!((*name, before), ("time", 1..) | ("failure", 5..) | ("enclosing value", 10..));
            assert!(!is_passed || makes_sense || refused_for.is_some(), "{name} at {before} is believed");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn a_lie_in_any_word_of_the_page_loses_no_call() {
    let steps = life(build());
    let count = Page::create().unwrap().0.bare().len();
    for (word, moment) in (0..count).flat_map(|word| (0..steps.len()).map(move |moment| (word, moment))) {
        for lie in [0, 1, u64::MAX, 1 << 63, 1 << 62, 1 << 24, 2 << 24, 3 << 24 | 1, 9 << 24, 7] {
            told(&steps, |stage, place| {
                if place == moment {
                    stage.played.page.bare()[word].1.store(lie, Ordering::SeqCst);
                }
            });
        }
    }
}

#[test]
fn a_lie_in_any_word_near_the_start_of_a_ring_loses_no_call() {
    let steps = life(build());
    let words = (0..20).map(|word| (Way::FromWorker, word)).chain([(Way::ToWorker, 0), (Way::ToWorker, 8)]);
    for ((way, word), moment) in words.flat_map(|word| (0..steps.len()).map(move |moment| (word, moment))) {
        for lie in [0, u64::MAX, 1 << 63 | 1, 3 << 62 | 1, 5 << 61, 1 << 63 | 2047] {
            told(&steps, |stage, place| {
                if place == moment {
                    stage.played.page.ring(way).words()[word].store(lie, Ordering::SeqCst);
                }
            });
        }
    }
}
