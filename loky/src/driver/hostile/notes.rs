//! Notes that lie, in each bit and in each word of their ring. Whatever tasks seem to have logged, every call ends or is
//! given to another worker, and what was said can be told.

use super::lies::assert_all_settled;
use super::*;
use crate::logs::Mirror;
use crate::sys::process::Exit;
use crate::transport::ring::Writer;
use crate::wire::note::{NOTE_MAX, Note, Site, Value, Within};

fn site(is_span: bool) -> Note {
    let fields = vec!["message".to_string(), "size".to_string()];
    let (name, target) = ("place".to_string(), "hostile".to_string());
    Note::Site(Site { is_span, level: 3, name, target, module: None, file: Some("a.rs".into()), line: Some(7), fields })
}

/// All that a worker may note, without a lie.
fn notes() -> Vec<Vec<u8>> {
    let (within, values) = (Within::Span(1), vec![(0, Value::Shown("it is done".into())), (1, Value::U64(5))]);
    let notes = [
        site(false),
        site(true),
        Note::Span { span: 1, site: 1, call: 1, within: Within::Call, values: values.clone() },
        Note::Event { site: 0, call: 1, within, values: values.clone() },
        Note::Recorded { span: 1, values },
        Note::Followed { span: 1, from: 1 },
        Note::Closed { span: 1 },
        Note::Lost(3),
    ];
    let encoded = |note: &Note| {
        let mut bytes = Vec::new();
        note.encode(&mut bytes);
        bytes
    };
    notes.iter().map(encoded).collect()
}

/// Each behind its length.
fn with_lengths(notes: &[Vec<u8>]) -> Vec<u8> {
    let framed = notes.iter().flat_map(|note| {
        let mut padded = note.clone();
        padded.resize(note.len().next_multiple_of(WORD), 0);
        [(note.len() as u64).to_le_bytes().to_vec(), padded].concat()
    });
    framed.collect()
}

/// A worker says hello, begins a call, notes this, does what `after` does, and dies. Returns why it was refused.
fn noted(bytes: &[u8], after: impl FnOnce(&Stage)) -> Option<String> {
    let mut stage = Stage::new(Settings::default_for(1));
    stage.played.say_hello(build(), std::process::id());
    stage.played.begin(1, 0);
    let mut writer = Writer::new(stage.played.page.ring(Way::Notes));
    assert_eq!(writer.append(bytes), Ok(bytes.len()), "there is room");
    writer.close();
    after(&stage);
    stage.is_heard();
    let refused_for = stage.played.refused_for().map(str::to_string);
    stage.played.die(Exit::Signal(9));
    let heard = stage.played.inner.notes.take();
    let mut mirror = Mirror::default();
    heard.into_iter().for_each(|heard| mirror.tell(heard));
    assert_all_settled(&mut stage, refused_for.as_deref());
    refused_for
}

#[test]
fn notes_without_a_lie_are_believed() {
    assert_eq!(noted(&with_lengths(&notes()), |_| {}), None);
}

#[test]
fn each_bit_of_each_note_can_be_wrong() {
    let honest = with_lengths(&notes());
    let mut refused = 0;
    for bit in 0..honest.len() * 8 {
        let mut bytes = honest.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        refused += usize::from(noted(&bytes, |_| {}).is_some());
    }
    assert!(refused > 100, "{refused} lies were found out");
}

#[test]
fn a_note_that_is_longer_than_any_or_goes_on_behind_its_end_is_refused() {
    let refused_for = noted(&(NOTE_MAX as u64 + 1).to_le_bytes(), |_| {});
    assert!(refused_for.is_some_and(|why| why.contains("logged nonsense")));
    let mut note = notes().remove(0);
    note.push(0);
    assert!(noted(&with_lengths(&[note]), |_| {}).is_some());
}

#[test]
fn a_lie_in_any_word_near_the_start_of_the_ring_of_notes_loses_no_call() {
    let honest = with_lengths(&notes());
    for (word, lie) in (0..20).flat_map(|word| [0, u64::MAX, 1 << 63 | 1, 3 << 62 | 1, 5 << 61].map(|lie| (word, lie)))
    {
        noted(&honest, |stage| stage.played.page.ring(Way::Notes).words()[word].store(lie, Ordering::SeqCst));
    }
}
